"""Arrays of middle size: NumPy, kernels on one thread and on all, in a loop and after a pause.

    python benchmarks/threads.py

Times are medians of calls of jitted functions, in microseconds, in turns. In a loop, the threads that helped with the
call before are still awake; after a pause they sleep, and are woken only for work that is worth it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import lazyxp as xp
from lazyxp.executors.numpy import threads

SIZES = (20_000, 100_000, 200_000, 500_000, 1_000_000)
ROUNDS = 60
# Seconds of a pause: longer than threads stay awake.
PAUSE = 0.003

FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "exp(x)": lambda ns, x: ns.exp(x),
    "polynomial": lambda ns, x: ((x * 0.5 - 1.0) * x + 2.0) * x - 0.25,
    "exp(-x * x) / 2": lambda ns, x: ns.exp(-x * x) / 2,
    "mean, std, min, max": lambda ns, x: (ns.mean(x), ns.std(x), ns.min(x), ns.max(x)),
}


def times(function: Callable[[Any, Any], Any], x: Any, pause: float) -> list[float]:
    """Microseconds of a call of NumPy, and of kernels on one thread and on all."""
    jitted = xp.jit(lambda a: function(xp, a))
    ways: list[tuple[int, Callable[[], Any]]] = [
        (1, lambda: function(np, x)),
        (1, lambda: jitted(x)),
        (threads.limit(), lambda: jitted(x)),
    ]
    found: list[list[float]] = [[] for _ in ways]
    for _ in range(ROUNDS):
        for (count, call), mine in zip(ways, found, strict=True):
            with xp.set_options(num_threads=count):
                call()  # who helps with this one is awake for the next
                time.sleep(pause)
                start = time.perf_counter()
                call()
                mine.append(time.perf_counter() - start)
    return [1e6 * statistics.median(mine) for mine in found]


def main() -> None:
    every = threads.limit()
    print(f"{'':20} {'':7} {'':9} {'':9} numpy  1 thread  {every} threads  x numpy  x 1 thread")
    for pause in (0.0, PAUSE):
        for name, function in FUNCTIONS.items():
            for dtype in ("float64", "float32"):
                for size in SIZES:
                    x = np.linspace(0.1, 3.0, size).astype(dtype)
                    eager, one, all_ = times(function, x, pause)
                    when = "pause" if pause else "loop"
                    print(
                        f"{name:20} {dtype} {size:9} {when:5} {eager:9.0f} {one:9.0f} {all_:10.0f}"
                        f" {eager / all_:8.2f} {one / all_:11.2f}"
                    )


if __name__ == "__main__":
    main()
