"""How much memory a run of a plan takes: a simulation of its buffers, which runs nothing.

It follows what NumPy does: which results are views, which operands are overwritten, and what ops take for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.cost import VIEWS
from lazyxp.kernel import KERNEL
from lazyxp.node import CONSTANT, OUTPUT, SOURCE, Node
from lazyxp.plan import Plan, Step
from lazyxp.schedule import nbytes
from lazyxp.sliding import SLIDING
from lazyxp.strides import Layout, computed, layout_of, new, view_of
from lazyxp.workspace import workspace


class Usage(NamedTuple):
    """The memory of a run.

    Attributes
    ----------
    peak : int
        The most bytes that are allocated at a time.
    steps : list of int
        The most bytes while each step runs.
    buffers : dict of int to tuple of int
        The slots in whose memory the result of each slot lies; none where it is a source's.
    overwritten : set of int
        The slots whose results are written where an operand was.
    operands : dict of int to list of Layout
        For the slot of each kernel, or of several that run together, how what is read lies in memory.
    """

    peak: int
    steps: list[int]
    buffers: dict[int, tuple[int, ...]]
    overwritten: set[int]
    operands: dict[int, list[Layout]]


class _Run:
    """The buffers that are held while a plan runs.

    A buffer has the number of the slot that it was made for; outputs of one op have numbers of their own.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.live = 0
        self.bytes: dict[int, int] = {}
        self.uses: dict[int, int] = {}
        self.held: dict[int, tuple[int, ...]] = {}  # by slot
        self.lies: dict[int, Any] = {}  # by slot: a `Layout`, or one for each output
        self.overwritten: set[int] = set()
        self.operands: dict[int, list[Layout]] = {}
        self._next = plan.size

    def load(self, slot: int, source: Node) -> None:
        value = None if source.op is CONSTANT or not self.plan.leaves else self.plan.leaf(source).value
        self.held[slot] = ()
        self.lies[slot] = layout_of(value) if type(value) is np.ndarray else _made(source)

    def step(self, step: Step, ufuncs: Any) -> int:
        """The most bytes while `step` runs."""
        from lazyxp.executors.numpy import outlook

        node = step.node
        slot = step.output
        before = self.live
        operands = [self.lies[i] for i in step.inputs]
        view = self._view(node, step.inputs, operands)
        own = 0 if step.reuses else workspace(node)
        if view is not None:
            whole = self.held[step.inputs[0]]
            if node.op is OUTPUT and len(whole) == len(node.args[0].dtype):
                whole = (whole[node.params["index"]],)
            self._hold(slot, whole)
            self.lies[slot] = view
        elif step.reuses or (step.into is not None and self._overwrites(step, operands, ufuncs)):
            into = 0 if step.reuses else step.into or 0
            self._hold(slot, self.held[step.inputs[into]])
            self.lies[slot] = operands[into]
            self.overwritten.add(slot)
        else:
            if node.op is KERNEL:
                kernel, joined = node.params["kernel"], node.params.get("joined")
                own_operands, begun = operands[: len(kernel.inputs)], step.inputs[len(kernel.inputs) :]
                self._make(slot, node, [b for i in begun for b in self.held[i]])
                self.operands[slot] = own_operands
                self.lies[slot] = outlook.results(kernel, own_operands, joined)
                own = outlook.workspace(outlook.outlook(kernel, own_operands, joined))
            elif node.op is SLIDING:
                self._make(slot, node)
                self.operands[slot] = operands
                self.lies[slot] = outlook.sliding_results(node.params["sliding"], operands)
                own = outlook.workspace(outlook.sliding_outlook(node.params["sliding"], operands))
            else:
                self._make(slot, node)
                self.lies[slot] = _made(node) if node.several else computed(node, operands)
        most = max(before, self.live) + own
        for i in step.frees:
            self.free(i)
        return most

    def _make(self, slot: int, node: Node, begun: Sequence[int] = ()) -> None:
        """The buffers of the results of `node`, the first of which are `begun` already."""
        if node.several:
            numbers = list(begun)
            for shape, dtype in list(zip(node.shape, node.dtype, strict=True))[len(begun) :]:
                self.bytes[self._next] = nbytes(Node(SOURCE, (), {}, shape, dtype))
                self.live += self.bytes[self._next]
                numbers.append(self._next)
                self._next += 1
            self._hold(slot, tuple(numbers))
        elif begun:
            self._hold(slot, tuple(begun))
        else:
            self.bytes[slot] = nbytes(node)
            self.live += self.bytes[slot]
            self._hold(slot, (slot,))

    def _hold(self, slot: int, buffers: tuple[int, ...]) -> None:
        self.held[slot] = buffers
        for b in buffers:
            self.uses[b] = self.uses.get(b, 0) + 1

    def free(self, slot: int) -> None:
        for b in self.held[slot]:
            self.uses[b] -= 1
            if not self.uses[b]:
                self.live -= self.bytes[b]

    def _view(self, node: Node, slots: Sequence[int], operands: Sequence[Any]) -> Any:
        """How the result lies if it is a view of the first operand, else None."""
        if node.op is OUTPUT:
            return operands[0][node.params["index"]]
        if node.op.name == "linalg.matrix_power" and node.params["n"] == 1:
            return operands[0]
        if node.op.name not in VIEWS:
            return None
        whole = operands[0]
        return view_of(node, whole if whole.memory is not None else whole._replace(memory=slots[0]))

    def _overwrites(self, step: Step, operands: Sequence[Layout], ufuncs: Any) -> bool:
        node = step.node
        return isinstance(ufuncs(node.op.name), np.ufunc) and all(
            not x.shape or (a.shape == node.shape and x.in_rows) for a, x in zip(node.args, operands, strict=True)
        )


def _made(node: Node) -> Any:
    """How new memory lies, for each output."""
    return tuple(map(new, node.shape, node.dtype)) if node.several else new(node.shape, node.dtype)


def usage(plan: Plan) -> Usage:
    """The memory of a run of `plan` on NumPy that gives its results to the caller."""
    from lazyxp.executors import registry

    ufuncs = registry.get("numpy").implementation  # type: ignore[attr-defined]
    run = _Run(plan)
    for slot, source in plan.sources:
        run.load(slot, source)
    steps = [run.step(step, ufuncs) for step in plan.steps]
    peak = max(steps, default=0)
    node_of = {step.output: step.node for step in plan.steps}
    node_of.update(plan.sources)
    copies = 0
    given: set[int] = set()
    for position, slot in enumerate(plan.outputs):
        own = run.held[slot]
        is_shared = position in plan.shared and (not own or not given.isdisjoint(own))
        if is_shared or node_of[slot].op.name == "broadcast_to":
            copies += nbytes(node_of[slot])
        given.update(own)
    return Usage(max(peak, run.live + copies), steps, run.held, run.overwritten, run.operands)
