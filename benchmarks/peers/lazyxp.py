"""lazyxp: everything is recorded anew and computed at once in every call, but for the rows that are about `jit`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import lazyxp as xp
from benchmarks.workloads import STEPS, Arrays, Workload, ode_step

VERSION = xp.__version__

as_if_large = partial(xp.set_options, kernels="always")


def call(workload: Workload, arrays: Arrays) -> Callable[[], Any] | None:
    if workload.name == "ode-jit":
        return partial(stepped, xp.jit(ode_step), *arrays)
    if workload.small:
        return partial(xp.jit(partial(workload.function, xp)), *arrays)
    return partial(computed, workload.function, arrays)


def computed(function: Callable[..., Any], arrays: Arrays) -> Any:
    """What somebody writes who has NumPy's arrays and wants them back."""
    result = function(xp, *[xp.asarray(a) for a in arrays])
    return xp.compute(*result) if isinstance(result, tuple) else result.compute()


def stepped(step: Callable[..., Any], x: Any, y: Any) -> Any:
    for _ in range(STEPS):
        x, y = step(x, y)
    return x, y


def values(result: Any) -> Any:
    return result
