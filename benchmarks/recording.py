"""What recording and reading cost, beside NumPy's eager calls on arrays so small that overhead is all there is.

    python benchmarks/recording.py

Each row is the median over interleaved rounds, in microseconds a call; the ratio is lazyxp's time to NumPy's.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import timeit
from typing import Any

import numpy as np

import lazyxp as xp

ROUNDS = 9
CALLS = 20_000

# What is timed on both, with the arrays x and y and the namespace xp.
ROWS = {
    "x + y": "x + y",
    "xp.add(x, y)": "xp.add(x, y)",
    "x * 2.0": "x * 2.0",
    "xp.sin(x)": "xp.sin(x)",
    "xp.sum(x)": "xp.sum(x)",
    "x[1:3]": "x[1:3]",
    "x[1:3] = y[1:3]": "x[1:3] = y[1:3]",
    "xp.reshape(x, (2, 2))": "xp.reshape(x, (2, 2))",
    "float(xp.sum(x))": "float(xp.sum(x))",
}
IMPORT = "import time, {first}; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"


def main() -> None:
    values = np.arange(4.0)
    numpy_names = {"xp": np, "x": values.copy(), "y": values.copy()}
    print(f"{'call':24} {'lazyxp us':>10} {'NumPy us':>10} {'ratio':>7}")
    for label, statement in ROWS.items():
        calls = CALLS // 10 if "float" in label else CALLS
        ours, theirs = [], []
        for _ in range(ROUNDS):
            lazy: dict[str, Any] = {"xp": xp, "x": xp.asarray(values), "y": xp.asarray(values)}
            ours.append(timeit.timeit(statement, globals=lazy, number=calls) / calls * 1e6)
            theirs.append(timeit.timeit(statement, globals=numpy_names, number=calls) / calls * 1e6)
        a, b = statistics.median(ours), statistics.median(theirs)
        print(f"{label:24} {a:10.2f} {b:10.2f} {a / b:7.1f}")
    own, numpy = import_time("lazyxp", "numpy"), import_time("numpy", "sys")
    print(f"{'import, beyond NumPy':24} {own * 1e3:7.1f} ms {numpy * 1e3:7.1f} ms {own / numpy:7.1f}")


def import_time(module: str, first: str) -> float:
    """Seconds that importing `module` takes in a fresh interpreter that has imported `first`."""
    command = [sys.executable, "-c", IMPORT.format(first=first, module=module)]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(ROUNDS)]
    return statistics.median(float(r.stdout) for r in runs)


if __name__ == "__main__":
    main()
