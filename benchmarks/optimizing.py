"""What planning costs: a node of a graph that was never seen, a node of one that was, and a call that jit traced.

    python benchmarks/optimizing.py

Times are medians, in microseconds. For jit the peer is the same NumPy calls made directly.
"""

from __future__ import annotations

import gc
import statistics
import time
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np

import lazyxp as xp
from lazyxp import planning
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.structure import structure_of

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 5
CALLS = 5_000


def chain(x: Any, y: Any) -> Any:
    """Elementwise arithmetic, of which half the operands are scalars."""
    return (x * 0.3 + y) - 0.7


def mixed(x: Any, y: Any) -> Any:
    """Arithmetic, a choice, views, a reduction that is used again."""
    z = xp.where(x > 0.5, x * 2.0, y)[::-1]
    return z - xp.mean(z) + x


def smoothed(x: Any, y: Any) -> Any:
    """A stencil: slices of one array, put together."""
    inner = (x[:-2] + x[1:-1] + x[2:]) / 3.0
    return xp.concat([x[:1], inner, x[-1:]])


def products(x: Any, y: Any) -> Any:
    """A product of a vector and a matrix, scaled."""
    return x @ xp.asarray(np.eye(8)) * 0.25


def squares(x: Any, y: Any) -> Any:
    """A matrix times itself: every product may become part of the next."""
    return x @ x


def sandwich(x: Any, y: Any) -> Any:
    """Products of two products, which are ordered anew."""
    return (y @ x) @ (x @ y)


def repeated(step: Callable[[Any, Any], Any], nodes: int) -> Any:
    """A graph of about `nodes` nodes, made of one step after another."""
    x = y = xp.asarray(np.eye(8) if step in (squares, sandwich) else np.linspace(0, 1, 8))
    first = step(x, y)
    x = step(first, y)
    small, large = (len(structure_of([current(a)]).recorded) for a in (first, x))
    for _ in range(nodes // (large - small)):
        x = step(x, y)
    return x


def planned(x: Any) -> float:
    """Find the structure of `x`, and its plan; the seconds that takes."""
    gc.collect()
    start = time.perf_counter()
    planning.plan_for(structure_of([current(x)]), registry.get("numpy"), "default")
    return time.perf_counter() - start


def graphs() -> None:
    """Print the cost of planning graphs, and of finding their plans again."""
    print(f"{'graph':12}{'nodes':>9}{'plan, a node':>15}{'find, a node':>15}{'find, whole':>14}")
    for step in (chain, mixed, smoothed, products, squares, sandwich):
        for nodes in SIZES:
            first, again = [], []
            for _ in range(ROUNDS if nodes < SIZES[-1] else 3):
                planning.clear_cache()
                x = repeated(step, nodes)
                size = len(structure_of([current(x)]).recorded)
                first.append(planned(x))
                x = repeated(step, nodes)
                again.append(planned(x))
            new, old = statistics.median(first) * 1e6, statistics.median(again) * 1e6
            print(f"{step.__name__:12}{size:9}{new / size:15.1f}{old / size:15.2f}{old:14.0f}")


def small() -> None:
    """Print what finding the plan of a small graph costs, and a call of a jitted function on ten small arrays."""
    x = chain(xp.asarray(np.ones(8)), xp.asarray(np.ones(8)))
    planned(x)
    executor = registry.get("numpy")
    found = timeit.repeat(lambda: planning.plan_for(structure_of([current(x)]), executor, "default"), number=CALLS)
    print(f"\nfind the plan of 7 nodes: {statistics.median(found) / CALLS * 1e6:.1f}")

    def total(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, i: Any, j: Any) -> Any:
        return a + b * c - d * e + f / g - h * i + j

    jitted = xp.jit(total)
    arrays = [np.random.default_rng(n).random(10) for n in range(10)]
    jitted(*arrays)
    times: dict[str, list[float]] = {"jit": [], "numpy": []}
    for _ in range(ROUNDS):
        times["jit"].append(timeit.timeit(lambda: jitted(*arrays), number=CALLS) / CALLS * 1e6)
        times["numpy"].append(timeit.timeit(lambda: total(*arrays), number=CALLS) / CALLS * 1e6)
    ours, theirs = (statistics.median(times[k]) for k in ("jit", "numpy"))
    print(
        f"jit call, ten small arrays, nine ops: {ours:.1f}, NumPy's calls {theirs:.1f}, above them {ours - theirs:.1f}"
    )


if __name__ == "__main__":
    graphs()
    small()
