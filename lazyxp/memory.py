"""How much memory a run of a plan takes: a simulation of its buffers, which runs nothing.

It follows what NumPy does: which results are views, which operands are overwritten, and what ops take for themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lazyxp.cost import VIEWS
from lazyxp.node import CONSTANT, OUTPUT, SOURCE, Node
from lazyxp.plan import Plan, Step
from lazyxp.schedule import nbytes
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
    """

    peak: int
    steps: list[int]
    buffers: dict[int, tuple[int, ...]]
    overwritten: set[int]


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
        self.in_rows: dict[int, bool] = {}  # by slot: whether elements lie in memory in their order
        self.overwritten: set[int] = set()
        self._next = plan.size

    def load(self, slot: int, source: Node) -> None:
        value = None if source.op is CONSTANT or not self.plan.leaves else self.plan.leaf(source).value
        self.held[slot] = ()
        self.in_rows[slot] = value.flags.c_contiguous if type(value) is np.ndarray else True

    def step(self, step: Step, ufuncs: Any) -> int:
        """The most bytes while `step` runs."""
        node = step.node
        slot = step.output
        name = node.op.name
        before = self.live
        if (name in VIEWS and self._is_view(step)) or (name == "linalg.matrix_power" and node.params["n"] == 1):
            whole = self.held[step.inputs[0]]
            if node.op is OUTPUT and len(whole) == len(node.args[0].dtype):
                whole = (whole[node.params["index"]],)
            self._hold(slot, whole)
            self.in_rows[slot] = self._view_in_rows(step)
        elif step.reuses or (step.into is not None and self._overwrites(step, ufuncs)):
            self._hold(slot, self.held[step.inputs[0 if step.reuses else step.into or 0]])
            self.in_rows[slot] = True
            self.overwritten.add(slot)
        else:
            self._make(slot, node)
            self.in_rows[slot] = self._result_in_rows(step)
        most = max(before, self.live) + (0 if step.reuses else workspace(node))
        for i in step.frees:
            self.free(i)
        return most

    def _make(self, slot: int, node: Node) -> None:
        if node.several:
            numbers = []
            for shape, dtype in zip(node.shape, node.dtype, strict=True):
                self.bytes[self._next] = nbytes(Node(SOURCE, (), {}, shape, dtype))
                self.live += self.bytes[self._next]
                numbers.append(self._next)
                self._next += 1
            self._hold(slot, tuple(numbers))
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

    # --- layout ------------------------------------------------------------------------------------------------------

    def _is_view(self, step: Step) -> bool:
        return step.node.op.name != "reshape" or self.in_rows[step.inputs[0]] or _keeps_order(step.node)

    def _overwrites(self, step: Step, ufuncs: Any) -> bool:
        node = step.node
        return isinstance(ufuncs(node.op.name), np.ufunc) and all(
            not a.shape or (a.shape == node.shape and self.in_rows[i])
            for a, i in zip(node.args, step.inputs, strict=True)
        )

    def _view_in_rows(self, step: Step) -> bool:
        node = step.node
        name = node.op.name
        if name == "reshape":
            return True
        if name in ("expand_dims", "squeeze", "output"):
            return self.in_rows[step.inputs[0]]
        if name == "permute_dims":
            (x,) = node.args
            moved = [a for a in node.params["axes"] if x.shape[a] != 1]
            return moved == sorted(moved) and self.in_rows[step.inputs[0]]
        if name == "getitem":
            return self.in_rows[step.inputs[0]] and _is_row(node)
        return False

    def _result_in_rows(self, step: Step) -> bool:
        """NumPy lays out what it computes element by element as the operands are laid out."""
        node = step.node
        if node.op.kind not in ("elementwise", "cast"):
            return True
        whole = [self.in_rows[i] for a, i in zip(node.args, step.inputs, strict=True) if a.shape == node.shape]
        return any(whole) if whole else True


def _keeps_order(node: Node) -> bool:
    """Whether a reshape only adds or drops axes of length 1."""
    (x,) = node.args
    return [n for n in x.shape if n != 1] == [n for n in node.shape if n != 1]


def _is_row(node: Node) -> bool:
    """Whether basic indexing takes one stretch of memory: single elements, then one slice, then whole axes."""
    sides = iter(node.args[0].shape)
    cut = False
    for entry, side in reversed([(e, next(sides)) for e in node.params["key"] if e is not None]):
        if isinstance(entry, slice):
            length = len(range(*entry.indices(side))) if side is not None else None
            whole = length == side and entry.step in (1, None)
            if cut and length != 1:
                return False
            if not whole:
                if entry.step not in (1, None) and length != 1:
                    return False
                cut = True
        else:
            cut = True
    return True


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
    for position, slot in enumerate(plan.outputs):
        if position in plan.shared or node_of[slot].op.name == "broadcast_to":
            copies += nbytes(node_of[slot])
    return Usage(max(peak, run.live + copies), steps, run.held, run.overwritten)
