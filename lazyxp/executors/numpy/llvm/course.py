"""How kernels run together over a few rows at a time: which rows of each, and what they pass on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.executors.numpy.llvm import runtime
from lazyxp.executors.numpy.llvm.lower import Unprintable
from lazyxp.executors.numpy.llvm.runtime import kept, turned
from lazyxp.executors.numpy.llvm.windows import LINE, Buffer
from lazyxp.executors.numpy.memory_order import empty_in_order, memory_order
from lazyxp.kernel import Axes, Kernel
from lazyxp.sliding import Reach, Sliding, Stage, Window
from lazyxp.strides import data_address, layout_of

Array = np.ndarray[Any, Any]

# The buffers of a thread take about so many bytes, which the cache next to the processor holds; and at most so many.
_BUFFERS, _MOST_BUFFERS = 256 << 10, 2 << 20
# A part has so many elements for each sum that is held for it.
_PER_PARTIAL = 64
# Rows of buffers that have so many bytes begin on lines of the cache, and not all at the same place of pages: what is
# read from one row could then be what was stored to another, for all that the processor knows at first.
_LONG, _PAGE = 1_024, 4_096


class Part(NamedTuple):
    """A stage on operands that lie in memory in a certain way.

    Attributes
    ----------
    case : Case
        The kernel as it is alone.
    operands : list of array
        Inputs and outputs: those that are passed on stand for all rows, though only some are ever held.
    rows : list of int
        The bytes from one row of each of them to the next.
    loop : int
        The loop along the rows.
    unit : int
        So many steps of the loop are one row.
    """

    case: runtime.Case
    operands: list[Array]
    rows: list[int]
    loop: int
    unit: int


class Course(NamedTuple):
    """How stages will run together.

    Attributes
    ----------
    parts : list of Part
        The stages.
    reaches : list of Reach
        The rows that they compute.
    step : int
        The rows of the last stage that are computed at a time.
    length : int
        All of them.
    """

    parts: list[Part]
    reaches: list[Reach]
    step: int
    length: int

    def again(self, number: int) -> int:
        """How many rows of a stage the next part needs again."""
        return self.reaches[number].high - self.reaches[number].low

    def passed_on(self, number: int) -> list[int]:
        """The bytes of a row of each output of a stage that other stages read: nobody else sees those of the last."""
        part = self.parts[number]
        return part.rows[len(part.case.lowered.kernel.inputs) :] if number < len(self.parts) - 1 else []

    @property
    def buffers(self) -> list[int]:
        """The bytes of what is passed on, stage by stage."""
        return [
            (self.step + self.again(number)) * row
            for number in range(len(self.parts))
            for row in self.passed_on(number)
        ]

    @property
    def portions(self) -> int:
        """How many threads could take part."""
        return -(-self.length // self.step) if any(part.case.is_shared for part in self.parts) else 1


def operands_of(sliding: Sliding, inputs: Sequence[Any]) -> tuple[list[list[Any]], list[Axes]]:
    """The operands of each stage (inputs, then outputs), of which only `inputs` are there, and its axes in memory."""
    made: list[list[Array]] = []
    operands, orders = [], []
    for kernel, reads in sliding.stages:
        own = [made[read.stage][read.output][read.key] if isinstance(read, Window) else inputs[read] for read in reads]
        orders.append(memory_order(kernel, own))
        memory = runtime.no_memory if kernel is sliding.kernel else _on_lines
        made.append([empty_in_order(shape, axes, orders[-1], dtype, memory) for shape, axes, dtype in kept(kernel)])
        operands.append([*own, *made[-1]])
    return operands, orders


def inputs_of(stage: Stage, operands: Sequence[Any]) -> list[Any]:
    """What a stage reads, as arrays or how they lie: of what is not there yet, which window of which buffer it is."""
    return [
        layout_of(x)._replace(memory=Buffer(read.stage, read.output), start=data_address(x))
        if isinstance(read, Window)
        else x
        for x, read in zip(operands, stage.reads, strict=False)
    ]


def _on_lines(shape: Sequence[int], dtype: Any) -> Array:
    """An array that is only asked for its strides; its rows begin on lines of the cache where that wastes little."""
    size = np.dtype(dtype).itemsize
    if len(shape) < 2 or shape[-1] * size < _LONG:
        return runtime.no_memory(shape, dtype)
    row = -(-shape[-1] * size // LINE) * LINE
    row += LINE if row % _PAGE == 0 else 0
    return runtime.no_memory((*shape[:-1], row // size), dtype)[..., : shape[-1]]


def course_of(sliding: Sliding, inputs: Sequence[Any]) -> Course | None:
    """How stages run together on such inputs; None if it is better that they run one after the other."""
    operands, orders = operands_of(sliding, inputs)
    last = sliding.kernel
    axis = orders[-1][0]
    reaches = sliding.reaches(axis) if axis in last.cut else None
    if reaches is None or any(order[0] != reach.axis for order, reach in zip(orders, reaches, strict=True)):
        return None
    stages = [(stage.kernel, reach.axis) for stage, reach in zip(sliding.stages, reaches, strict=True)]
    rows = [_rows(kernel, along, own) for (kernel, along), own in zip(stages, operands, strict=True)]
    row = sum([sum(own[len(kernel.inputs) :]) for own, (kernel, _) in zip(rows[:-1], stages, strict=False)])
    again = max([reach.high - reach.low for reach in reaches])
    step = max(_BUFFERS // row, again, 1)
    step -= step % LINE if step >= LINE else 0  # rows of one element begin on a line of the cache then
    if (step + again) * row > _MOST_BUFFERS or step >= last.lengths[axis]:
        return None
    parts = []
    try:
        for number, (kernel, along) in enumerate(stages):
            into = None if kernel is last else operands[number][len(kernel.inputs) :]
            part = _part(sliding.stages[number], along, operands[number], into, rows[number], step)
            if part is None:
                return None
            parts.append(part)
    except Unprintable:
        return None
    last_part = parts[-1]
    space, pieces = last_part.case.space, -(-last.lengths[axis] // step)
    case = last_part.case._replace(space=space._replace(step=step * last_part.unit), pieces=pieces)
    return Course([*parts[:-1], last_part._replace(case=case)], reaches, step, last.lengths[axis])


def _rows(kernel: Kernel, axis: int, operands: Sequence[Any]) -> list[int]:
    """The bytes from one row of each operand to the next."""
    axes = [*kernel.inputs, *[axes for _, axes, _ in kept(kernel)]]
    return [x.strides[own.index(axis)] if axis in own else 0 for x, own in zip(operands, axes, strict=True)]


def _part(
    stage: Stage, axis: int, operands: list[Any], into: list[Array] | None, rows: list[int], step: int
) -> Part | None:
    """A stage; None if its code cannot be run on some of the rows."""
    kernel = stage.kernel
    if turned(kernel):
        return None
    inputs = inputs_of(stage, operands)
    case = runtime.case_of(kernel, inputs, into, streams=into is None)
    loop, unit = _along(case, axis)
    if into is None and case.lowered.form.streams and len(case.lowered.form.loops) == 1 and step * unit % LINE:
        case = runtime.case_of(kernel, inputs, into, streams=False)  # not all parts begin on a line of the cache
    if loop < 0:
        return None
    if loop == len(case.lowered.form.loops) - 1:  # a part may be shorter than a vector
        case = runtime.case_of(kernel, inputs, into, streams=bool(case.lowered.form.streams), overlaps=False)
    form, lengths = case.lowered.form, case.space.lengths
    if into is None:
        if form.pieces != loop:
            return None
        for partial in case.lowered.partials:
            held = math.prod([lengths[i] for i in partial.loops])
            if partial.cut and held * _PER_PARTIAL > step * (math.prod(lengths) // (lengths[loop] // unit)):
                return None
    return Part(case, operands, rows, loop, unit)


def _along(case: runtime.Case, axis: int) -> tuple[int, int]:
    """The loop that begins with an axis, and how many of its steps are one step along it; -1 if there is none."""
    for i, axes in enumerate(case.lowered.form.loops):
        if axes and axes[0] == axis:
            return i, math.prod([case.lowered.kernel.lengths[a] for a in axes[1:]])
    return -1, 1
