"""Kernels that run together: buffers for what they pass on, and the loop over the rows that calls them.

Each stage is compiled as it would be alone. A part of the rows of the last stage is computed at a time, by a call of
each stage whose addresses and length say which rows. What later parts need again moves to the front of its buffer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from lazyxp.executors.numpy import threads
from lazyxp.executors.numpy.llvm import compiler, portions, runtime
from lazyxp.executors.numpy.llvm.course import Course, course_of
from lazyxp.executors.numpy.llvm.frame import scratch_at
from lazyxp.executors.numpy.llvm.parts import Finisher, finishers_of, put_together
from lazyxp.executors.numpy.llvm.printer import scratch_bytes
from lazyxp.executors.numpy.llvm.windows import places_of
from lazyxp.sliding import Sliding, Window
from lazyxp.strides import data_address

Array = np.ndarray[Any, Any]

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
    finishers : tuple of callable
        What makes outputs of those of the last one.
    numbers : list of array
        What each stage is called with: addresses, which the loop puts in, lengths and strides.
    scratch : list of list of int
        The bytes that each thread needs for each value that a stage keeps for a while.
    buffers : list of int
        And for what stages pass on.
    make : tuple of callable
        Each gives the memory of an output.
    """

    course: Course
    compiled: list[compiler.Compiled]
    all: Array
    places: list[tuple[int, int, int]]
    partials: list[list[tuple[tuple[int, ...], Any]]]
    finishers: tuple[Finisher, ...]
    numbers: list[Array]
    scratch: list[list[int]]
    buffers: list[int]
    make: tuple[Callable[[], Array], ...]


class Runner:
    """Runs stages together: made ready once for each way in which the inputs lie in memory."""

    __slots__ = ("_jobs", "_sliding")

    def __init__(self, sliding: Sliding) -> None:
        self._sliding = sliding
        self._jobs: dict[Any, _Job | None] = {}

    def run(self, inputs: Sequence[Array]) -> tuple[Array, ...] | None:
        """The outputs; None if the stages should run one after the other."""
        key = tuple([x.strides for x in inputs]), places_of(inputs)
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
    slots = _slots(course)
    compiled = [runtime.compiled_case(part.case) for part in course.parts]
    start = _HEAD + _RECORD * len(course.parts)
    records: list[int] = []
    tables: list[int] = []
    places: list[tuple[int, int, int]] = []
    for number, (part, code) in enumerate(zip(course.parts, compiled, strict=True)):
        form = part.case.lowered.form
        operands = len(part.operands) + len(part.case.lowered.partials)
        first = start + len(tables)
        for k in range(operands):
            slot, *rest = _operand(sliding, course, number, k, slots)
            if slot == _NOWHERE:
                places.append((start + len(tables) + 1, number, k))
            tables += [slot, *rest]
        buffers = start + len(tables)
        again = course.again(number)
        for k, size in enumerate(course.passed_on(number)):
            tables += [slots[number, k], course.step * size, again * size]
        length = operands + part.loop
        cut = form.pieces == part.loop
        records += [
            *(code.address, operands, first, _arguments(number), _arguments(number) + 1, length),
            *(operands + len(form.loops) if cut else length, part.unit, 1 if cut else part.case.pieces),
            *(again, len(course.passed_on(number)), buffers),
        ]
    everything = np.array([course.step, course.length, len(course.parts), *records, *tables], np.int64)
    numbers = [
        np.array([*[0] * (len(part.operands) + len(part.case.lowered.partials)), *part.case.numbers], np.int64)
        for part in course.parts
    ]
    partials = [part.case.partials for part in course.parts]
    scratch = [
        scratch_bytes(scratch_at(code.addresses[0]), part.case.lowered.form, part.case.space)
        for part, code in zip(course.parts, compiled, strict=True)
    ]
    make = course.parts[-1].case.makers
    finishers = finishers_of(course.parts[-1].case)
    return _Job(course, compiled, everything, places, partials, finishers, numbers, scratch, course.buffers, make)


# The slots of a thread: nothing, then for each stage its arguments and its scratch memory, and then the buffers.
_NOWHERE = 0


def _arguments(number: int) -> int:
    return 1 + 2 * number


def _slots(course: Course) -> dict[tuple[int, int], int]:
    """The slot of each buffer, by stage and output."""
    names = [(number, k) for number in range(len(course.parts)) for k in range(len(course.passed_on(number)))]
    return {name: _arguments(len(course.parts)) + i for i, name in enumerate(names)}


def _operand(
    sliding: Sliding, course: Course, number: int, k: int, slots: dict[tuple[int, int], int]
) -> tuple[int, int, int, int]:
    """What the loop reads of an operand; where that is an array, its address is to be added to the distance."""
    part, reach, reads = course.parts[number], course.reaches[number], sliding.stages[number].reads
    again = course.again(number)
    if k >= len(part.operands):
        case, loops = part.case, len(part.case.lowered.form.loops)
        stride = case.numbers[loops + 1 + k * loops + part.loop]
        cut = case.lowered.partials[k - len(part.operands)].cut
        return _NOWHERE, 0, stride if cut else stride * course.step * part.unit, 0
    row = part.rows[k]
    read = reads[k] if k < len(reads) else None
    if isinstance(read, Window):
        distance = sum([a * b for a, b in zip(read.starts, part.operands[k].strides, strict=True)])
        distance += (reach.high - course.reaches[read.stage].low) * row
        return slots[read.stage, read.output], distance, 0, again * row
    if k >= len(reads) and course.passed_on(number):
        return slots[number, k - len(reads)], again * row, 0, again * row
    return _NOWHERE, reach.high * row, course.step * row, again * row


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
        everything[place] += data_address(_array(sliding, number, k, inputs, outputs, partials[number]))
    parts = -(-course.length // course.step)
    limit = threads.limit() if course.portions > 1 else 1
    count = min(parts, limit * _PORTIONS)
    work = sum([part.case.work for part in course.parts])
    portions.run(_loop(), data_address(everything), parts, count, limit, work, lambda: _thread_memory(job))
    if any(flag.any() for flag in flags):
        return None
    last = course.parts[-1].case
    return outputs if put_together(last, job.finishers, inputs, partials[-1], outputs) else None


@functools.cache
def _loop() -> compiler.Compiled:
    return compiler.compiled(lambda: _TEXT, "sliding")


def _thread_memory(job: _Job) -> tuple[int, Any]:
    """Where the addresses are, by slot, of what a thread works in, and what holds the memory."""
    held: list[Any] = []
    slots = [0]
    for numbers, sizes in zip(job.numbers, job.scratch, strict=True):
        mine = numbers.copy()
        scratch, keep = runtime.scratch_memory(sizes)
        held += [mine, keep]
        slots += [data_address(mine), scratch]
    for size in job.buffers:
        held.append(runtime.on_line((size,), np.uint8))
        slots.append(data_address(held[-1]))
    held.append(np.array(slots, np.int64))
    return data_address(held[-1]), held


def _array(
    sliding: Sliding, number: int, k: int, inputs: Sequence[Array], outputs: Sequence[Array], partials: Sequence[Array]
) -> Array:
    """An operand of a stage that is an array."""
    reads = sliding.stages[number].reads
    if k < len(reads):
        return inputs[cast(int, reads[k])]
    rest = [*(outputs if number == len(sliding.stages) - 1 else [None] * len(sliding.stages[number].kernel.outputs))]
    return cast(Array, [*rest, *partials][k - len(reads)])
