"""JAX on the CPU: each workload as one jitted function."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.workloads import ITERATIONS, STEPS, Arrays, Workload, mandelbrot_step, ode_step

VERSION = jax.__version__


def call(workload: Workload, arrays: Arrays) -> Callable[[], Any] | None:
    ours = [jnp.asarray(a) for a in arrays]
    if workload.name == "ode-jit":
        return partial(stepped, jax.jit(ode_step), *ours)
    function = LOOPS.get(workload.name) or partial(workload.function, jnp)
    if workload.name != "selection":  # whose shape depends on the data, which jit does not take
        function = jax.jit(function)
    return partial(finished, function, *ours)


def finished(function: Callable[..., Any], *arrays: Any) -> Any:
    return jax.block_until_ready(function(*arrays))


def ode(x: Any, y: Any) -> Any:
    return jax.lax.fori_loop(0, STEPS, lambda _, state: ode_step(*state), (x, y))


def mandelbrot(cx: Any, cy: Any) -> Any:
    start = (cx, cy, jnp.zeros(cx.shape, dtype=jnp.int32))
    return jax.lax.fori_loop(0, ITERATIONS, lambda _, state: mandelbrot_step(jnp, cx, cy, *state), start)[2]


# Unrolled, they take minutes to compile.
LOOPS: dict[str, Callable[..., Any]] = {"ode": ode, "mandelbrot": mandelbrot}


def stepped(step: Callable[..., Any], x: Any, y: Any) -> Any:
    for _ in range(STEPS):
        x, y = step(x, y)
    return jax.block_until_ready((x, y))


def values(result: Any) -> Any:
    return jax.tree.map(np.asarray, result)
