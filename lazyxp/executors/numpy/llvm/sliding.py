"""Kernels that run together over a few rows at a time: buffers for what they pass on, and the loop over the rows.

Each stage is compiled as it would be alone. A part of the rows of the last stage is computed at a time, by a call of
each stage whose addresses and length say which rows. What later parts need again moves to the front of its buffer.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from lazyxp.executors.numpy import threads
from lazyxp.executors.numpy.llvm import compiler, runtime
from lazyxp.executors.numpy.llvm.form import LINE, UNCUT
from lazyxp.executors.numpy.llvm.frame import scratch_at
from lazyxp.executors.numpy.llvm.lower import Unprintable
from lazyxp.executors.numpy.llvm.printer import scratch_bytes
from lazyxp.executors.numpy.llvm.runtime import kept, turned
from lazyxp.executors.numpy.memory_order import empty_in_order, memory_order
from lazyxp.kernel import Axes, Kernel
from lazyxp.sliding import Reach, Sliding, Window

Array = np.ndarray[Any, Any]

# The buffers of a thread take about so many bytes, which the cache next to the processor holds; and at most so many.
_BUFFERS, _MOST_BUFFERS = 256 << 10, 2 << 20
# A part has so many elements for each sum that is held for it.
_PER_PARTIAL = 64
# So many more portions than threads: fewer than of other kernels, as each computes some rows again.
_PORTIONS = 4

# What the loop reads, all of it 64-bit numbers. The head: rows in a part, rows, stages. Then for each stage:
_FUNCTION, _COUNT, _OPERANDS, _ARGUMENTS, _SCRATCH, _LENGTH, _STEP, _UNIT, _PIECES, _AGAIN, _KEPT, _BUFFERED = range(12)
_HEAD, _RECORD = 3, 12
# For each operand: the slot of what its address is from, the distance, what that grows by from part to part, and how
# much less it is where the rows before a part are computed. For each buffer: its slot, and the bytes of a part and of
# the rows before it.

_TEXT = f"""
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)

define internal i64 @number(ptr %of, i64 %place) alwaysinline {{
  %at = getelementptr i64, ptr %of, i64 %place
  %found = load i64, ptr %at
  ret i64 %found
}}

define internal ptr @address(ptr %of, i64 %place) alwaysinline {{
  %at = getelementptr ptr, ptr %of, i64 %place
  %found = load ptr, ptr %at
  ret ptr %found
}}

define internal void @put(ptr %of, i64 %place, i64 %value) alwaysinline {{
  %at = getelementptr i64, ptr %of, i64 %place
  store i64 %value, ptr %at
  ret void
}}

define internal void @run(ptr %all, ptr %stage, i64 %part, i64 %rows, i64 %before, ptr %slots) {{
start:
  %count = call i64 @number(ptr %stage, i64 {_COUNT})
  %first = call i64 @number(ptr %stage, i64 {_OPERANDS})
  %slot = call i64 @number(ptr %stage, i64 {_ARGUMENTS})
  %arguments = call ptr @address(ptr %slots, i64 %slot)
  br label %more
more:
  %k = phi i64 [ 0, %start ], [ %next, %operand ]
  %go = icmp slt i64 %k, %count
  br i1 %go, label %operand, label %call
operand:
  %row = shl i64 %k, 2
  %place = add i64 %first, %row
  %of = getelementptr i64, ptr %all, i64 %place
  %from = call i64 @number(ptr %of, i64 0)
  %base = call i64 @number(ptr %slots, i64 %from)
  %distance = call i64 @number(ptr %of, i64 1)
  %growth = call i64 @number(ptr %of, i64 2)
  %less = call i64 @number(ptr %of, i64 3)
  %there = add i64 %base, %distance
  %grown = mul i64 %part, %growth
  %back = mul i64 %before, %less
  %later = add i64 %there, %grown
  %where = sub i64 %later, %back
  call void @put(ptr %arguments, i64 %k, i64 %where)
  %next = add i64 %k, 1
  br label %more
call:
  %unit = call i64 @number(ptr %stage, i64 {_UNIT})
  %length = mul i64 %rows, %unit
  %at.length = call i64 @number(ptr %stage, i64 {_LENGTH})
  call void @put(ptr %arguments, i64 %at.length, i64 %length)
  %at.step = call i64 @number(ptr %stage, i64 {_STEP})
  call void @put(ptr %arguments, i64 %at.step, i64 %length)
  %pieces = call i64 @number(ptr %stage, i64 {_PIECES})
  %own = call i64 @number(ptr %stage, i64 {_SCRATCH})
  %scratch = call ptr @address(ptr %slots, i64 %own)
  %function = call ptr @address(ptr %stage, i64 {_FUNCTION})
  call void %function(ptr %arguments, i64 0, i64 %pieces, ptr %scratch)
  ret void
}}

define internal void @move(ptr %all, ptr %stage, ptr %slots) {{
start:
  %count = call i64 @number(ptr %stage, i64 {_KEPT})
  %first = call i64 @number(ptr %stage, i64 {_BUFFERED})
  br label %more
more:
  %k = phi i64 [ 0, %start ], [ %next, %buffer ]
  %go = icmp slt i64 %k, %count
  br i1 %go, label %buffer, label %end
buffer:
  %row = mul i64 %k, 3
  %place = add i64 %first, %row
  %of = getelementptr i64, ptr %all, i64 %place
  %slot = call i64 @number(ptr %of, i64 0)
  %to = call ptr @address(ptr %slots, i64 %slot)
  %distance = call i64 @number(ptr %of, i64 1)
  %size = call i64 @number(ptr %of, i64 2)
  %from = getelementptr i8, ptr %to, i64 %distance
  call void @llvm.memmove.p0.p0.i64(ptr %to, ptr %from, i64 %size, i1 false)
  %next = add i64 %k, 1
  br label %more
end:
  ret void
}}

define void @kernel(ptr %all, i64 %first, i64 %last, ptr %slots) {{
start:
  %step = call i64 @number(ptr %all, i64 0)
  %length = call i64 @number(ptr %all, i64 1)
  %stages = call i64 @number(ptr %all, i64 2)
  %head = getelementptr i64, ptr %all, i64 {_HEAD}
  br label %parts
parts:
  %part = phi i64 [ %first, %start ], [ %part.next, %after ]
  %go = icmp slt i64 %part, %last
  br i1 %go, label %begin, label %end
begin:
  %done = mul i64 %part, %step
  %left = sub i64 %length, %done
  %few = icmp slt i64 %left, %step
  %rows = select i1 %few, i64 %left, i64 %step
  %is.first = icmp eq i64 %part, %first
  br label %before
before:
  %i = phi i64 [ 0, %begin ], [ %i.next, %before.next ]
  %i.go = icmp slt i64 %i, %stages
  br i1 %i.go, label %before.stage, label %after
before.stage:
  %i.place = mul i64 %i, {_RECORD}
  %i.stage = getelementptr i64, ptr %head, i64 %i.place
  %again = call i64 @number(ptr %i.stage, i64 {_AGAIN})
  %any = icmp sgt i64 %again, 0
  br i1 %any, label %rows.before, label %before.next
rows.before:
  br i1 %is.first, label %compute, label %carry
compute:
  call void @run(ptr %all, ptr %i.stage, i64 %part, i64 %again, i64 1, ptr %slots)
  br label %before.next
carry:
  call void @move(ptr %all, ptr %i.stage, ptr %slots)
  br label %before.next
before.next:
  %i.next = add i64 %i, 1
  br label %before
after:
  %k = phi i64 [ 0, %before ], [ %k.next, %stage ]
  %k.go = icmp slt i64 %k, %stages
  %part.next = add i64 %part, 1
  br i1 %k.go, label %stage, label %parts
stage:
  %k.place = mul i64 %k, {_RECORD}
  %k.stage = getelementptr i64, ptr %head, i64 %k.place
  call void @run(ptr %all, ptr %k.stage, i64 %part, i64 %rows, i64 0, ptr %slots)
  %k.next = add i64 %k, 1
  br label %after
end:
  ret void
}}
"""


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

    @property
    def buffers(self) -> list[list[int]]:
        """The bytes of what each stage but the last one passes on, output by output."""
        found = []
        for part, reach in zip(self.parts[:-1], self.reaches, strict=False):
            rows = part.rows[len(part.case.lowered.kernel.inputs) :]
            found.append([(self.step + reach.high - reach.low) * row for row in rows])
        return found

    @property
    def portions(self) -> int:
        """How many threads could take part."""
        return -(-self.length // self.step) if any(part.case.shared for part in self.parts) else 1


def operands_of(sliding: Sliding, inputs: Sequence[Any]) -> tuple[list[list[Any]], list[Axes]]:
    """The operands of each stage (inputs, then outputs), of which only `inputs` are there, and its axes in memory."""
    made: list[list[Array]] = []
    operands, orders = [], []
    for kernel, reads in sliding.stages:
        own = [made[read.stage][read.output][read.key] if isinstance(read, Window) else inputs[read] for read in reads]
        orders.append(memory_order(kernel, own))
        made.append(
            [empty_in_order(shape, axes, orders[-1], dtype, runtime.no_memory) for shape, axes, dtype in kept(kernel)]
        )
        operands.append([*own, *made[-1]])
    return operands, orders


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
            part = _part(kernel, along, operands[number], into, rows[number], step)
            if part is None:
                return None
            parts.append(part)
    except Unprintable:
        return None
    return Course(parts, reaches, step, last.lengths[axis])


def _rows(kernel: Kernel, axis: int, operands: Sequence[Any]) -> list[int]:
    """The bytes from one row of each operand to the next."""
    axes = [*kernel.inputs, *[axes for _, axes, _ in kept(kernel)]]
    return [x.strides[own.index(axis)] if axis in own else 0 for x, own in zip(operands, axes, strict=True)]


def _part(
    kernel: Kernel, axis: int, operands: list[Any], into: list[Array] | None, rows: list[int], step: int
) -> Part | None:
    """A stage; None if its code cannot be run on some of the rows."""
    if turned(kernel):
        return None
    inputs = operands[: len(kernel.inputs)]
    case = runtime.case_of(kernel, inputs, into, streams=into is None)
    loop, unit = _along(case, axis)
    if into is None and case.lowered.form.streams and len(case.lowered.form.loops) == 1 and step * unit % LINE:
        case = runtime.case_of(kernel, inputs, into, streams=False)  # not all parts begin on a line of the cache
    if loop < 0:
        return None
    form, lengths = case.lowered.form, case.space.lengths
    if into is None:
        if form.pieces != loop or case.lowered.begun is not None:
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


# --- running ---------------------------------------------------------------------------------------------------------


class _Job(NamedTuple):
    """Stages made ready for inputs that lie in memory in a certain way.

    Attributes
    ----------
    course : Course
        How they run together.
    compiled : list of Compiled
        Their code.
    all : array
        What the loop reads, without the addresses of arrays.
    places : list of (int, int, int)
        Where it has those: the place, the stage, and the operand.
    partials : list of list of (tuple of int, dtype)
        The memory of partial results of each stage.
    numbers : list of array
        What each stage is called with: addresses, which the loop puts in, lengths and strides.
    make : tuple of callable
        Each gives the memory of an output.
    """

    course: Course
    compiled: list[compiler.Compiled]
    all: Array
    places: list[tuple[int, int, int]]
    partials: list[list[tuple[tuple[int, ...], Any]]]
    numbers: list[Array]
    make: tuple[Callable[[], Array], ...]


class Runner:
    """Runs stages together: made ready once for each way in which the inputs lie in memory."""

    __slots__ = ("_jobs", "_sliding")

    def __init__(self, sliding: Sliding) -> None:
        self._sliding = sliding
        self._jobs: dict[Any, _Job | None] = {}

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...] | None:
        """The outputs; None if the stages should run one after the other."""
        key = tuple([x.strides for x in inputs])
        try:
            job = self._jobs[key]
        except KeyError:
            if len(self._jobs) >= runtime.MOST_JOBS:
                self._jobs.clear()
            job = self._jobs[key] = _prepared(self._sliding, inputs)
        return None if job is None else _run(self._sliding, job, inputs)


def runner(sliding: Sliding) -> Runner:
    """What runs stages together."""
    found = sliding.runner
    if found is None:
        found = sliding.runner = Runner(sliding)
    return cast(Runner, found)


def _prepared(sliding: Sliding, inputs: Sequence[Array]) -> _Job | None:
    course = course_of(sliding, inputs)
    if course is None:
        return None
    count = len(course.parts)
    buffer_slots: dict[tuple[int, int], int] = {}
    for number, sizes in enumerate(course.buffers):
        for output in range(len(sizes)):
            buffer_slots[number, output] = 1 + 2 * count + len(buffer_slots)
    records: list[int] = []
    tables: list[int] = []
    places, compiled, partials, numbers = [], [], [], []
    start = _HEAD + _RECORD * count
    for number, (part, reach, stage) in enumerate(zip(course.parts, course.reaches, sliding.stages, strict=True)):
        case, form = part.case, part.case.lowered.form
        is_last = number == count - 1
        if is_last:
            pieces = -(-course.length // course.step)
            case = part.case._replace(space=case.space._replace(step=course.step * part.unit), pieces=pieces)
            course.parts[number] = part._replace(case=case)
        partials.append(case.partials)
        own = case.numbers
        code = runtime.compiled_case(case)
        operands = len(part.operands) + len(case.lowered.partials)
        numbers.append(np.array([*[0] * operands, *own], np.int64))
        compiled.append(code)
        again = reach.high - reach.low
        first = start + len(tables)
        for k in range(operands):
            slot, distance, growth, less = 0, 0, 0, 0
            read = stage.reads[k] if k < len(stage.reads) else None
            if isinstance(read, Window):
                slot = buffer_slots[read.stage, read.output]
                strides = part.operands[k].strides
                distance = sum([a * b for a, b in zip(read.starts, strides, strict=True)])
                distance += (reach.high - course.reaches[read.stage].low) * part.rows[k]
                less = again * part.rows[k]
            elif k >= len(part.operands):
                partial = case.lowered.partials[k - len(part.operands)]
                stride = own[len(form.loops) + 1 + k * len(form.loops) + part.loop]
                growth = stride if partial.cut else stride * course.step * part.unit
            elif k >= len(stage.reads) and not is_last:
                slot = buffer_slots[number, k - len(stage.reads)]
                distance = less = again * part.rows[k]
            else:
                distance, growth, less = reach.high * part.rows[k], course.step * part.rows[k], again * part.rows[k]
            if not slot:
                places.append((start + len(tables) + 1, number, k))
            tables += [slot, distance, growth, less]
        buffers = start + len(tables)
        outputs = range(len(stage.reads), len(part.operands)) if not is_last else range(0)
        for k in outputs:
            slot = buffer_slots[number, k - len(stage.reads)]
            tables += [slot, course.step * part.rows[k], again * part.rows[k]]
        length = operands + part.loop
        step = operands + len(form.loops) if form.pieces == part.loop else length
        one_piece = form.pieces in (part.loop, UNCUT)
        records += [
            *(code.address, operands, first, 1 + 2 * number, 2 + 2 * number, length, step, part.unit),
            *(1 if one_piece else case.pieces, again, len(outputs), buffers),
        ]
    everything = np.array([course.step, course.length, count, *records, *tables], np.int64)
    return _Job(course, compiled, everything, places, partials, numbers, course.parts[-1].case.makers)


def _run(sliding: Sliding, job: _Job, inputs: Sequence[Array]) -> tuple[Array, ...] | None:
    course = job.course
    outputs = tuple([make() for make in job.make])
    partials = [[np.empty(shape, dtype) for shape, dtype in own] for own in job.partials]
    flags = []
    for part, own in zip(course.parts, partials, strict=True):
        for partial in part.case.lowered.zeros:
            own[partial][...] = 0
        if part.case.lowered.flag is not None:
            flags.append(own[part.case.lowered.flag])
    everything = job.all.copy()
    for place, number, k in job.places:
        everything[place] += _address(_array(sliding, number, k, inputs, outputs, partials[number]))
    loop = compiler.compiled(lambda: _TEXT, "sliding")
    parts = -(-course.length // course.step)
    limit = threads.limit() if course.portions > 1 else 1
    portions = min(parts, limit * _PORTIONS) if limit > 1 else 1

    def portion(i: int) -> None:
        held: list[Any] = []
        slots = [0]
        for number, (part, code) in enumerate(zip(course.parts, job.compiled, strict=True)):
            sizes = scratch_bytes(scratch_at(code.addresses[0]), part.case.lowered.form, part.case.space)
            scratch, keep = runtime.scratch_memory(sizes)
            held += [job.numbers[number].copy(), scratch, keep]
            slots += [_address(held[-3]), ctypes.addressof(scratch)]
        for sizes in course.buffers:
            for size in sizes:
                held.append(runtime.on_line((size,), np.uint8))
                slots.append(_address(held[-1]))
        where = np.array(slots, np.int64)
        loop.call(_address(everything), parts * i // portions, parts * (i + 1) // portions, _address(where))

    if portions == 1:
        portion(0)
    else:
        threads.run(portion, portions, limit)
    if any(flag.any() for flag in flags):
        return None
    last = course.parts[-1].case
    for finish in last.lowered.finishes:
        runtime.put_together(last, finish, partials[-1], outputs[finish.output])
    return outputs


def _array(
    sliding: Sliding, number: int, k: int, inputs: Sequence[Array], outputs: Sequence[Array], partials: Sequence[Array]
) -> Array:
    """An operand of a stage that is an array."""
    reads = sliding.stages[number].reads
    if k < len(reads):
        return inputs[cast(int, reads[k])]
    rest = [*(outputs if number == len(sliding.stages) - 1 else [None] * len(sliding.stages[number].kernel.outputs))]
    return cast(Array, [*rest, *partials][k - len(reads)])


def _address(x: Array) -> int:
    return int(x.__array_interface__["data"][0])
