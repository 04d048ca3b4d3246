"""Estimates: what a plan will cost, and the limit on its memory."""

from __future__ import annotations

from typing import NamedTuple, Self

from lazyxp.amounts import amount
from lazyxp.cost import VIEWS, Cost, cost_of, is_unknown
from lazyxp.errors import MemoryLimitExceeded
from lazyxp.kernel import KERNEL
from lazyxp.memory import usage
from lazyxp.node import describe
from lazyxp.plan import Plan, Step
from lazyxp.schedule import nbytes
from lazyxp.sliding import SLIDING

# How many of the largest results a refusal names.
_NAMED = 5


class _Counts(NamedTuple):
    flops: int
    bytes_read: int
    bytes_written: int
    peak_bytes: int
    kernels: int
    calls: int


class Estimate(_Counts):
    """What a run will cost.

    Attributes
    ----------
    flops : int
        Operations on elements; a multiplication and an addition are two.
    bytes_read, bytes_written : int
        The bytes of all operands, and of all results. Views are neither read nor written.
    peak_bytes : int
        The most memory that the run allocates at a time, with what NumPy takes for itself and the copies that are made
        for the caller; the arrays that the graph reads are not among it.
    kernels : int
        How many fused kernels run.
    calls : int
        How many other functions are called; views are free.
    lower_bound : bool
        Whether lengths are unknown that depend on data: they count as 0. It is no item of the tuple.
    """

    lower_bound: bool = False

    def __new__(cls, *counts: int, lower_bound: bool = False) -> Self:
        """The estimate with these counts."""
        made = super().__new__(cls, *counts)
        made.lower_bound = lower_bound
        return made

    def __repr__(self) -> str:
        text = super().__repr__()
        return f"{text[:-1]}, lower_bound=True)" if self.lower_bound else text


def cost_of_step(step: Step) -> Cost:
    """What a step costs: an assignment to memory of the run's own writes what is assigned and nothing else."""
    cost = cost_of(step.node)
    if step.reuses:
        written = nbytes(step.node.args[1])
        return Cost(cost.flops, cost.read - nbytes(step.node.args[0]), written)
    return cost


def estimate_of(plan: Plan) -> Estimate:
    """What a run of `plan` will cost."""
    flops = read = written = kernels = calls = 0
    unknown = False
    for step in plan.steps:
        node = step.node
        cost = cost_of_step(step)
        flops += cost.flops
        read += cost.read
        written += cost.written
        unknown = unknown or is_unknown(node)
        if node.op is KERNEL:
            kernels += 1
        elif node.op is SLIDING:
            kernels += len(node.params["sliding"].stages)
        elif node.op.name not in VIEWS:
            calls += 1
    return Estimate(flops, read, written, usage(plan).peak, kernels, calls, lower_bound=unknown)


def check_memory(plan: Plan, limit: int) -> None:
    """Raise `MemoryLimitExceeded` if a run of `plan` takes more than `limit` bytes."""
    used = usage(plan)
    if used.peak <= limit:
        return
    largest = sorted(
        (step for step in plan.steps if step.output in {b for held in used.buffers.values() for b in held}),
        key=lambda step: -nbytes(step.node),
    )
    named = "\n".join(
        f"  {amount(nbytes(node)):>10}  {node.op.name} {describe(node)}, recorded at {plan.line(node)}"
        for node in [step.node for step in largest[:_NAMED]]
    )
    raise MemoryLimitExceeded(
        f"this needs about {amount(used.peak)} at once, and memory_limit is {amount(limit)}; the largest results are\n"
        f"{named}\ncompute a part or a reduction of it, use smaller data types, compute in chunks with backend='dask', "
        "or raise the limit with set_options(memory_limit=...); x.explain() shows every step"
    )
