"""What rewriting saves: expressions as people write them, on NumPy and on lazyxp, time and memory.

    python benchmarks/rewrites.py

Each row is the median over interleaved rounds, in milliseconds, with the result compared; the ratio is lazyxp's time to
NumPy's. Memory is the peak of what is allocated, as tracemalloc sees it, in megabytes.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import lazyxp as xp

ROUNDS = 7
SIDE = 1_000
LONG = 10_000_000


def matrices(count: int) -> list[Any]:
    """Square matrices."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((SIDE, SIDE)) / SIDE**0.5 for _ in range(count)]


def vectors(count: int) -> list[Any]:
    """Long vectors."""
    return [np.random.default_rng(n).standard_normal(LONG) for n in range(count)]


def points() -> list[Any]:
    """Points and centres, for k-means."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((20_000, 16)), rng.standard_normal((32, 16))]


def chain(x: Any) -> Any:
    """Twenty elementwise operations."""
    for _ in range(5):
        x = (x * 0.9 + 0.1) * x - 0.3
    return x


# The name of each row, its data, and the function of a namespace and that data.
ROWS: dict[str, tuple[Callable[[], list[Any]], Callable[..., Any]]] = {
    "(A @ B)[0]": (lambda: matrices(2), lambda ns, a, b: (a @ b)[0]),
    "A @ B @ C @ v": (lambda: matrices(3), lambda ns, a, b, c: a @ b @ c @ a[0]),
    "trace(A @ B)": (lambda: matrices(2), lambda ns, a, b: ns.linalg.trace(a @ b)),
    "diagonal(A @ B)": (lambda: matrices(2), lambda ns, a, b: ns.linalg.diagonal(a @ b)),
    "sum(A @ B, axis=0)": (lambda: matrices(2), lambda ns, a, b: ns.sum(a @ b, axis=0)),
    "inv(A) @ v": (lambda: matrices(1), lambda ns, a: ns.linalg.inv(a) @ a[0]),
    "1% of a 20-op chain": (lambda: vectors(1), lambda ns, x: chain(x)[: LONG // 100]),
    "a 20-op chain": (lambda: vectors(1), lambda ns, x: chain(x)),
    "sum((a - b) ** 2)": (lambda: vectors(2), lambda ns, a, b: ns.sum((a - b) ** 2)),
    "x - mean(x)": (lambda: vectors(1), lambda ns, x: x - ns.mean(x)),
    "mean, std, min, max": (
        lambda: vectors(1),
        lambda ns, x: ns.stack([ns.mean(x), ns.std(x), ns.min(x), ns.max(x)]),
    ),
    "k-means distances": (
        points,
        lambda ns, x, c: ns.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=-1),
    ),
    "sort(x)[-1]": (lambda: [np.arange(1_000_000)[::-1].copy()], lambda ns, x: ns.sort(x)[-1]),
    "two ops, 100 elements": (lambda: [np.arange(100.0)], lambda ns, x: x * 2.0 + 1.0),
}


def peak(function: Callable[[], Any]) -> float:
    """Megabytes that a call allocates at most."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def main() -> None:
    """Print the table."""
    print(f"{'expression':24}{'NumPy ms':>10}{'lazyxp ms':>11}{'ratio':>8}{'NumPy MB':>11}{'lazyxp MB':>11}")
    for name, (make, function) in ROWS.items():
        data = make()
        arrays = [xp.asarray(x) for x in data]
        runs = {"numpy": lambda: function(np, *data), "lazyxp": lambda: function(xp, *arrays).compute()}  # noqa: B023
        np.testing.assert_allclose(runs["lazyxp"](), runs["numpy"](), rtol=1e-6, atol=1e-9)
        times: dict[str, list[float]] = {one: [] for one in runs}
        for _ in range(ROUNDS):
            for one, run in runs.items():
                start = time.perf_counter()
                run()
                times[one].append((time.perf_counter() - start) * 1e3)
        theirs, ours = (statistics.median(times[one]) for one in runs)
        memory = [peak(run) for run in runs.values()]
        print(f"{name:24}{theirs:10.3f}{ours:11.3f}{ours / theirs:8.3f}{memory[0]:11.2f}{memory[1]:11.2f}")


if __name__ == "__main__":
    main()
