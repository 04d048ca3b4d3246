"""Whether very deep graphs cost time in proportion to their length: a chain of additions, each on the one before.

    python benchmarks/depth.py

Microseconds a call for chains of several lengths; the ratio of the last column to the first is 1 where the cost is
linear.
"""

from __future__ import annotations

import gc
import pickle
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lazyxp as xp

LENGTHS = (25_000, 50_000, 100_000, 200_000)
ROUNDS = 3


def chain(length: int) -> xp.Array:
    x = y = xp.asarray(np.ones(2))
    for _ in range(length):
        y = y + x
    return y


def collect(y: list[xp.Array]) -> None:
    y.clear()
    gc.collect()


STEPS: dict[str, Callable[[Any], object]] = {
    "compute": lambda y: y.compute(),
    "to_networkx": xp.to_networkx,
    "pickle": pickle.dumps,
    "unpickle": pickle.loads,
}


def measure(step: Callable[[Any], object], argument: Any) -> float:
    start = time.perf_counter()
    step(argument)
    return time.perf_counter() - start


def main() -> None:
    best = {name: [float("inf")] * len(LENGTHS) for name in ("record", *STEPS, "collect")}
    for _ in range(ROUNDS):
        for i, length in enumerate(LENGTHS):
            seconds = {"record": measure(chain, length)}
            y = chain(length)
            for name, step in STEPS.items():
                seconds[name] = measure(step, pickle.dumps(y) if name == "unpickle" else y)
            held = [y]
            del y
            seconds["collect"] = measure(collect, held)
            for name, value in seconds.items():
                best[name][i] = min(best[name][i], value / length * 1e6)
    print(f"{'microseconds a call':22}" + "".join(f"{n:>10,}" for n in LENGTHS) + f"{'ratio':>8}")
    for name, row in best.items():
        print(f"{name:22}" + "".join(f"{v:10.2f}" for v in row) + f"{row[-1] / row[0]:8.2f}")


if __name__ == "__main__":
    main()
