"""Measuring what runs: memory with tracemalloc, to which NumPy reports its allocations, and work by counting calls."""

from __future__ import annotations

import gc
import tracemalloc
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from lazyxp.cost import VIEWS
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.kernel import KERNEL
from lazyxp.plan import Plan, Step
from lazyxp.sliding import SLIDING

# What Python objects and NumPy's buffers of constant size may take on top of what is estimated.
SLACK = 160 * 1024


def measured_peak(plan: Plan, executor: NumPyExecutor | None = None) -> int:
    """The most bytes that a run of `plan` allocates at a time."""
    executor = executor or NumPyExecutor()
    # One thread for BLAS: those that wait for a core spin, and make milliseconds seconds.
    with warnings.catch_warnings(), np.errstate(all="ignore"), threadpool_limits(1):
        warnings.simplefilter("ignore")
        executor.run(plan, keep=False)  # what is cached for good is there from here on
        # The least of five: a thread that an earlier test left behind may allocate as well.
        return min(_peak(plan, executor) for _ in range(5))


def _peak(plan: Plan, executor: NumPyExecutor) -> int:
    gc.disable()  # what it frees would count as less memory
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        executor.run(plan, keep=False)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
        gc.enable()


def agrees(estimated: int, measured: int) -> bool:
    """Whether an estimate of memory is within 10%, but for small objects."""
    return abs(estimated - measured) <= 0.1 * measured + SLACK


class Counting(NumPyExecutor):
    """Counts the calls that it makes, and the elements that they work on: those they read, or those they make."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.elements: Counter[str] = Counter()

    def execute(self, step: Step, arrays: list[Any]) -> Any:
        """Run `step`, and count it."""
        result = super().execute(step, arrays)
        name = step.node.op.name
        if name not in VIEWS:
            self.calls[name] += 1
            self.elements[name] += _work(step, arrays, result)
        return result


def _work(step: Step, arrays: Sequence[Any], result: Any) -> int:
    """The operations of one call, from the arrays that were there and not from the plan."""
    op = step.node.op
    made = sum(np.size(r) for r in result) if isinstance(result, tuple) else np.size(result)
    if op in (KERNEL, SLIDING):
        sizes = [np.size(a) for a in arrays]
        return max(*sizes, made) if sizes else made
    if op.name == "matmul":
        return 2 * made * np.shape(arrays[0])[-1]
    if op.kind in ("reduction", "search"):
        return np.size(arrays[0])
    return made
