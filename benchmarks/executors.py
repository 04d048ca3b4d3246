"""`python -m benchmarks.executors`: what running on another namespace costs beside calling that namespace.

Each expression is called on the namespace's own arrays, and recorded by lazyxp on the same arrays and computed there,
in turns. The ratio is lazyxp's median time to the namespace's own: what recording, planning and the executor add, less
what the optimizer saves. Namespaces that are not installed are left out.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np

import lazyxp as xp

NAMESPACES = {
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "array_api_strict": "array_api_strict",
    "numpy": "array_api_compat.numpy",
}
ROUNDS = 15


def standardize(ns: Any, x: Any) -> Any:
    """Columns with mean 0 and standard deviation 1."""
    return (x - ns.mean(x, axis=0)) / ns.std(x, axis=0)


def chain(ns: Any, x: Any) -> Any:
    """Elementwise operations."""
    return ns.sqrt(ns.exp(-x * x) + ns.cos(x) * 0.5 + 1.0)


def products(ns: Any, x: Any) -> Any:
    """A product of matrices and a vector, in the order that people write."""
    return ns.matrix_transpose(x) @ x @ x[0, :]


# The name of each row, the shape of its operand, and the function of a namespace and that.
ROWS: dict[str, tuple[tuple[int, int], Callable[[Any, Any], Any]]] = {
    "standardize, 100 elements": ((10, 10), standardize),
    "standardize, 1e6": ((10_000, 100), standardize),
    "chain of 7, 100 elements": ((10, 10), chain),
    "chain of 7, 1e6": ((10_000, 100), chain),
    "x.T @ x @ v, 1e6": ((10_000, 100), products),
}


def ready(value: Any) -> Any:
    """`value`, waited for."""
    return value.block_until_ready() if hasattr(value, "block_until_ready") else value


def timed(run: Callable[[], Any]) -> float:
    """Milliseconds of a call."""
    start = time.perf_counter()
    ready(run())
    return (time.perf_counter() - start) * 1e3


def main() -> int:
    """Print the table."""
    rng = np.random.default_rng(0)
    print(f"{'expression':28}{'namespace':>18}{'its own ms':>12}{'lazyxp ms':>12}{'ratio':>8}")
    for row, (shape, function) in ROWS.items():
        data = rng.standard_normal(shape)
        for name, module in NAMESPACES.items():
            if find_spec(module.rpartition("compat.")[2].partition(".")[0]) is None:
                continue
            if name == "jax":
                importlib.import_module("jax").config.update("jax_enable_x64", True)
            namespace = importlib.import_module(module)
            native = namespace.asarray(data)
            lazy = xp.asarray(native)
            runs = [
                lambda: function(namespace, native),  # noqa: B023
                lambda: function(xp, lazy).compute(backend=name),  # noqa: B023
            ]
            one, two = (np.from_dlpack(ready(run())) for run in runs)
            np.testing.assert_allclose(two, one, rtol=1e-9, atol=1e-9)
            times = [[timed(run) for run in runs] for _ in range(ROUNDS)]
            theirs, ours = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"{row:28}{name:>18}{theirs:12.3f}{ours:12.3f}{ours / theirs:8.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
