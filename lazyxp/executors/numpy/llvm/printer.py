"""From a lowered kernel to LLVM IR: loops over a piece of work, the last one in vectors.

The function is ``kernel(ptr arguments, i64 first, i64 last, ptr scratch)``. It does the pieces from `first` to `last`.
Arguments are 64-bit numbers: the addresses of all operands, the lengths of the loops, the step of a piece, and the
strides of each operand along each loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, nullcontext
from typing import Any, NamedTuple

import numpy as np

from lazyxp.executors.numpy.llvm import scalars
from lazyxp.executors.numpy.llvm.accumulators import Accumulator, combined, identity, place_of
from lazyxp.executors.numpy.llvm.analysis import contracted, cost, stages
from lazyxp.executors.numpy.llvm.form import NO_LOOP, UNIT, Form, Space
from lazyxp.executors.numpy.llvm.frame import PIECE, Frame, Index, Scratch
from lazyxp.executors.numpy.llvm.ir import Emitter, element_of
from lazyxp.executors.numpy.llvm.jobs import (
    Job,
    Reduction,
    has_rows_within,
    in_registers,
    is_row,
    jobs_at,
    needed_rows,
)
from lazyxp.executors.numpy.llvm.lower import MEAN_OF_START, SUM_OF_START, Lowered, Sink, Unprintable, Value
from lazyxp.executors.numpy.llvm.memory import (
    Memory,
    address_of,
    further,
    in_all_lanes,
    load,
    load_each,
    load_one,
    store_one,
)
from lazyxp.executors.numpy.llvm.rows import rows_at_once, walk_row
from lazyxp.executors.numpy.llvm.tiles import tiles

# So many vectors of points are done at once, as long as there are that many: additions then do not wait for each other.
# Not where short rows are reduced in more instructions than these.
_SEVERAL_POINTS, _FEW = (4, 2), 8


class Printed(NamedTuple):
    """The text of a kernel.

    Attributes
    ----------
    text : str
        The module.
    scratch : tuple of (tuple of int, int)
        For each value that is kept for a while: the loops along which it varies, and the size of its elements.
    """

    text: str
    scratch: Scratch


def print_kernel(lowered: Lowered, lanes: int) -> Printed:
    """The code of a kernel on vectors of so many lanes."""
    return Printer(lowered, lanes).printed()


def scratch_bytes(scratch: Scratch, form: Form, space: Space) -> list[int]:
    """The bytes of each value that is kept for a while."""
    lengths = [space.step if loop == form.pieces else n for loop, n in enumerate(space.lengths)]
    return [math.prod([lengths[loop] for loop in loops]) * size for loops, size in scratch]


class Printer:
    """Prints one kernel.

    Attributes
    ----------
    frame : Frame
        The function, and what emits at its end: for one lane, and for all of vectors.
    lowered, values
        What is printed.
    stages : list of int
        In which walk over a row each value is computed.
    rows : int
        How many rows are walked at once.
    known : dict of int to Any
        What is known at the current point: one number for the whole row.
    here : Emitter
        Emits what is known there; in vectors where several points of the loop `across` are done at once.
    """

    def __init__(self, lowered: Lowered, lanes: int) -> None:
        self.frame = Frame(lowered, lanes)
        self.one, self.wide, self.lanes = self.frame.one, self.frame.wide, lanes
        self.lowered = lowered
        self.values = lowered.values
        form = lowered.form
        self._outer: Sequence[int] = range(form.outer)
        # The loops inside of the current point; a reduction of rows within rows moves on from loop to loop.
        self._inner: list[int] = list(range(form.outer, len(form.loops)))
        self.stages = stages(self.values)
        self._added = contracted(self.values, {s.value for s in lowered.sinks if s.how != "sum"})
        self.rows = 1
        self.known: dict[int, Any] = {}
        self.here, self.across = self.one, NO_LOOP

    def printed(self) -> Printed:
        """The text."""
        if self.lowered.flag is not None:
            self._refused = self._accumulator("any", np.dtype(bool), self.wide)
        with self.frame.pieces():
            for turn in sorted({sink.turn for sink in self.lowered.sinks}):
                sinks = [sink for sink in self.lowered.sinks if sink.turn == turn]
                with self.frame.start_of_piece() if turn in (SUM_OF_START, MEAN_OF_START) else nullcontext():
                    self._clear(sinks)
                    self._walk(sinks)
        if self.lowered.flag is not None:
            one, flag = self.one, self.frame.operand(len(self.lowered.form.layout) + self.lowered.flag)
            refused = one.convert("zext", self._refused.result(), "i1", "i64")
            one.do(f"atomicrmw or ptr {address_of(one, flag, {})}, i64 {refused} monotonic")
        return Printed(self.frame.text(), tuple(self.frame.scratch))

    def is_row(self, value: int) -> bool:
        """Whether a value is one number for a whole row at the current point."""
        return is_row(self.values, self._inner, value)

    # --- a walk over a piece of work ---------------------------------------------------------------------------------

    def _clear(self, sinks: Iterable[Sink]) -> None:
        """Set what is added up in memory to the identity of its reduction."""
        for sink in sinks:
            if sink.how == "store" or not self._in_memory(sink):
                continue
            memory = self.frame.operand(sink.operand)
            with ExitStack() as stack:
                index = {PIECE: self.frame.piece}
                for loop in sorted(sink.loops):
                    index[loop] = stack.enter_context(self.frame.loop(*self.frame.range(loop)))
                address = address_of(self.one, memory, index)
                store_one(self.one, memory, address, identity(self.one, sink.how, memory.dtype))

    def _in_memory(self, sink: Sink) -> bool:
        """Whether a reduction goes on from one point of the outer loops to the next."""
        return any(loop in sink.reduced for loop in self._outer)

    def _walk(self, sinks: list[Sink]) -> None:
        self.rows = rows_at_once(self.lowered, sinks) if self.lanes > 1 else 1
        with ExitStack() as stack:
            index = {PIECE: self.frame.piece}
            for loop in self._outer:
                if self.lowered.form.turned and loop == self._outer[-1]:
                    stack.enter_context(tiles(self.frame, index))
                low, high = self.frame.range(loop)
                used = any(loop in sink.loops or loop in sink.reduced for sink in sinks)
                step = self.rows if loop == self._outer[-1] else 1
                index[loop] = stack.enter_context(self.frame.loop(low, high, str(step))) if used else low
            self.known = {}
            self._point(sinks, index)

    def _point(self, jobs: Sequence[Job], index: Index, wanted: Iterable[int] = ()) -> None:
        """What is done at one point of the loops outside: walks over a row, one after the other.

        Values that are `wanted` are known afterwards.
        """
        found = jobs_at(self.values, self.stages, self._inner, self.known, self.frame.keep, jobs, wanted)
        needed = needed_rows(self.values, self._inner, [*wanted, *[job.value for job in jobs]])
        for stage in range(max(self.stages, default=0) + 1):
            for i in needed:
                if self.stages[i] == stage and i not in self.known and self.values[i].op != "reduce":
                    self.known[i] = self._row_value(i, index)
            for space, mine in found.get(stage, {}).items():
                if space:
                    self._nest(stage, space, mine, dict(index))
                else:
                    for job in mine:
                        self._take(job, self.known[job.value], index)

    def _row_value(self, i: int, index: Index) -> Any:
        value = self.values[i]
        if value.op == "place":
            return self.place(value.params, index)
        if value.op == "take":
            return self.taken(value, self.known, index)
        if value.op == "scan":
            raise Unprintable("a scan along a loop that others are inside of")
        if value.op == "input":
            return self.read(self.frame.operand(value.args[0]), index)
        return self.compute(self.here, i, self.known)

    def read(self, memory: Memory, index: Index) -> Any:
        """The element at this point, or those at these points."""
        return load(self.here, memory, address_of(self.one, memory, index), self.across)

    def place(self, loop: int, index: Index) -> str:
        """The index of a loop."""
        here = self.here
        return here.places(index[loop]) if loop == self.across else here.splat(index[loop], "i64")

    def compute(self, e: Emitter, i: int, known: dict[int, Any]) -> Any:
        """The instructions of a value whose arguments are known."""
        value = self.values[i]
        if value.op == "constant":
            return scalars.constant(e, value.params, value.dtype)
        if value.op == "count":
            return self._reduced_count(value)
        args = [known[a] for a in value.args]
        if value.op == "pair":
            return tuple(args)
        if value.op == "second":
            return place_of(e, args[0])
        if i in self._added and value.op in ("multiply", "square", "add"):
            code = "fadd contract" if value.op == "add" else "fmul contract"
            return e.op(code, element_of(value.dtype), args[0], args[-1])
        dtypes = [self.values[a].dtype for a in value.args]
        return scalars.emit(e, value.op, args, dtypes, value.dtype, value.params)

    def _reduced_count(self, value: Value) -> str:
        """How many elements this piece of work reduces."""
        count = "1"
        for loop in value.params:
            low, high = self.frame.range(loop)
            count = self.one.op("mul", "i64", count, self.one.op("sub", "i64", high, low))
        return count

    def _take(self, job: Job, x: Any, index: Index) -> None:
        """Do with one number what is to be done: know it, store it, or go on with a reduction in memory."""
        if isinstance(job, Reduction):
            self.known[job.result] = x
            return
        memory = self.frame.operand(job.operand) if isinstance(job, Sink) else self.frame.kept(job.result)
        address = address_of(self.one, memory, index)
        if isinstance(job, Sink) and self._in_memory(job):
            x = combined(self.one, job.how, memory.dtype, load_one(self.one, memory, address), x)
        store_one(self.one, memory, address, x)

    def _accumulator(self, how: str, dtype: np.dtype[Any], wide: Emitter, *, contract: bool = False) -> Accumulator:
        short = self.lowered.form.short
        if self.across != NO_LOOP:
            wide = self.here
        return Accumulator(wide, self.here, self.frame.alloca, how, dtype, contract=contract, short=short)

    # --- elements by their index -------------------------------------------------------------------------------------

    def _within_bounds(self, e: Emitter, value: Value, known: dict[int, Any]) -> str:
        """Indices counted from the front; those out of bounds are noted, and 0 instead."""
        (i,) = value.args
        (along,) = value.reduced
        dtype = self.values[i].dtype
        length = e.splat(self.frame.length(along), "i64")
        index = e.convert("sext" if dtype.kind == "i" else "zext", known[i], element_of(dtype), "i64")
        zero = e.const(0, "i64")
        if dtype.kind == "i":
            from_end = e.op("add", "i64", index, length)
            index = e.select(e.op("icmp slt", "i64", index, zero), "i64", from_end, index)
        wrong = e.op("icmp uge", "i64", index, length)
        self._refused.add(e, wrong)
        return e.select(wrong, "i64", zero, index)

    def indexed(self, value: Value, known: dict[int, Any], index: Index) -> tuple[Memory, str]:
        """Where the elements lie that one index gives at this point."""
        (along,) = value.reduced
        memory = self.frame.operand(value.params)
        place = self._within_bounds(self.one, value, known)
        return memory, further(self.one, address_of(self.one, memory, index), memory, along, place)

    def taken(self, value: Value, known: dict[int, Any], index: Index) -> Any:
        """One element."""
        return load_one(self.one, *self.indexed(value, known, index))

    def looked_up(self, e: Emitter, value: Value, known: dict[int, Any], index: Index) -> Any:
        """An element for each lane."""
        (along,) = value.reduced
        memory = self.frame.operand(value.params)
        address = address_of(self.one, memory, index)
        return load_each(e, memory, address, along, self._within_bounds(e, value, known))

    # --- a walk over a row -------------------------------------------------------------------------------------------

    def _nest(self, stage: int, space: tuple[int, ...], jobs: list[Job], index: Index) -> None:
        """Loops over a row: the last one in vectors, unless there are rows to be reduced at each of its points."""
        within = has_rows_within(self.values, self._inner, lambda i: self.is_read(i, stage), jobs)
        across = within and self._is_across(space, jobs)
        accumulators: dict[int, Accumulator] = {}
        for n, job in enumerate(jobs):
            point_by_point = within and len(space) > 1 and isinstance(job, Sink) and self._in_memory(job)
            if in_registers(self.values, job, space) and not point_by_point:
                dtype = self.values[job.value].dtype
                how = job.how if isinstance(job, Sink) else self.values[job.result].params
                wide = self.wide if across or not within else self.one
                accumulators[n] = self._accumulator(how, dtype, wide, contract=job.value in self._added)
        if across:
            self._vectors_of_points(space[0], jobs, accumulators, index)
        elif within:
            self._points(space, jobs, accumulators, index, self.frame.range(space[0]))
        else:
            with ExitStack() as stack:
                for loop in space[:-1]:
                    index[loop] = stack.enter_context(self.frame.loop(*self.frame.range(loop)))
                walk_row(self, stage, jobs, accumulators, index, space[-1])
        for n, accumulator in accumulators.items():
            self._take(jobs[n], accumulator.result(), index)

    def _is_across(self, space: tuple[int, ...], jobs: list[Job]) -> bool:
        """Whether several points of a loop can be done at once: all that is read lies along it, or does not vary."""
        if self.lanes == 1 or len(space) > 1 or self.across != NO_LOOP:
            return False
        if not all(isinstance(job, Reduction) for job in jobs):
            return False
        todo, seen = [job.value for job in jobs], set()
        while todo:
            i = todo.pop()
            if i in seen or self.is_row(i):
                continue
            seen.add(i)
            value = self.values[i]
            if value.op in ("take", "scan", "count") or i in self.frame.stored:
                return False
            if value.op == "input":
                if self.frame.operand(value.args[0]).lies.get(space[0], (UNIT, ""))[0] != UNIT:
                    return False
                continue
            todo += value.args
        return True

    def _vectors_of_points(
        self, loop: int, jobs: list[Job], accumulators: dict[int, Accumulator], index: Index
    ) -> None:
        """The points of a loop, one vector of them or several at a time, with the rows within; then those left over."""
        low, high = self.frame.range(loop)
        known = self.known
        several = self.lowered.form.short and sum(map(cost, self.values)) <= _FEW
        for count in (*_SEVERAL_POINTS, 1) if several else (1,):
            e = Emitter(self.wide.names, count * self.lanes, self.wide.lines)
            length = self.one.op("sub", "i64", high, low)
            middle = self.one.op("add", "i64", low, self.one.op("and", "i64", length, str(-e.width)))
            with self.frame.loop(low, middle, str(e.width)) as at:
                self.here, self.across = e, loop
                self.known = {
                    i: in_all_lanes(e, x, self.values[i].dtype)
                    for i, x in known.items()
                    if not isinstance(x, tuple) or self.values[i].dtype.kind == "c"
                }
                self._at_point(loop, at, jobs, accumulators, index)
                self.here, self.across = self.one, NO_LOOP
            self.known = known
            low = middle
        self._points((loop,), jobs, accumulators, index, (low, high))

    def _at_point(
        self, loop: int, at: str, jobs: list[Job], accumulators: dict[int, Accumulator], index: Index
    ) -> None:
        """What is within one point of a loop, or a vector of them."""
        inner = self._inner
        within = [job for n, job in enumerate(jobs) if n not in accumulators or isinstance(job, Reduction)]
        self._inner = [one for one in inner if one != loop]
        self._point(within, {**index, loop: at}, [jobs[n].value for n in accumulators if isinstance(jobs[n], Sink)])
        for n, accumulator in accumulators.items():
            job = jobs[n]
            accumulator.add(self.here, self.known[job.result if isinstance(job, Reduction) else job.value])
        self._inner = inner

    def _points(
        self,
        space: tuple[int, ...],
        jobs: list[Job],
        accumulators: dict[int, Accumulator],
        index: Index,
        bounds: tuple[str, str],
    ) -> None:
        """Each point of the first loop of a row on its own, with the rows that are within."""
        known = self.known
        if len(space) > 1 and any(isinstance(jobs[n], Sink) for n in accumulators):
            raise Unprintable("partial results of several axes, of what is reduced along one of them")
        # A reduction along several loops is one along the others at each point, and then one of these.
        with self.frame.loop(*bounds) as at:
            self.known = dict(known)
            self._at_point(space[0], at, jobs, accumulators, index)
        self.known = known

    def is_read(self, i: int, stage: int) -> bool:
        """Whether a value is read from memory in a walk of this stage."""
        return self.values[i].op in ("input", "scan") or (i in self.frame.stored and self.stages[i] < stage)
