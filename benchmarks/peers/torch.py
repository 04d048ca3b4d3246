"""PyTorch on the CPU: each workload through torch.compile, as one graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import array_api_compat.torch as namespace
import torch

from benchmarks import peers, workloads
from benchmarks.workloads import ITERATIONS, STEPS, Arrays, Workload, mandelbrot_step, ode_step

VERSION = torch.__version__

torch.set_num_threads(peers.threads())
torch.set_grad_enabled(False)


def call(workload: Workload, arrays: Arrays) -> Callable[[], Any] | None:
    torch.compiler.reset()  # there is a limit to how many functions it compiles
    ours = [torch.from_numpy(a) for a in arrays]
    if workload.function in STEPPED:
        step, loop = STEPPED[workload.function]
        return partial(loop, torch.compile(step, fullgraph=True, dynamic=False), *ours)
    function = partial(workload.function, namespace)
    if workload.name != "selection":  # whose shape depends on the data, which is not one graph
        function = torch.compile(function, fullgraph=True, dynamic=False)
    return partial(function, *ours)


def ode(step: Callable[..., Any], x: Any, y: Any) -> Any:
    for _ in range(STEPS):
        x, y = step(x, y)
    return x, y


def mandelbrot(step: Callable[..., Any], cx: Any, cy: Any) -> Any:
    x, y, count = cx, cy, torch.zeros(cx.shape, dtype=torch.int32)
    for _ in range(ITERATIONS):
        x, y, count = step(cx, cy, x, y, count)
    return count


# What is compiled of them is a step: unrolled, they take minutes to compile.
STEPPED: dict[Callable[..., Any], tuple[Callable[..., Any], Callable[..., Any]]] = {
    workloads.ode: (ode_step, ode),
    workloads.mandelbrot: (partial(mandelbrot_step, namespace), mandelbrot),
}


def values(result: Any) -> Any:
    return tuple(values(r) for r in result) if isinstance(result, tuple) else result.numpy()
