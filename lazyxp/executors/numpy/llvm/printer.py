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
from lazyxp.executors.numpy.llvm.accumulators import Accumulator, combined, identity
from lazyxp.executors.numpy.llvm.analysis import contracted, stages
from lazyxp.executors.numpy.llvm.form import LINE, UNIT, Form, Space
from lazyxp.executors.numpy.llvm.frame import PIECE, Frame, Scratch
from lazyxp.executors.numpy.llvm.ir import Emitter, element_of
from lazyxp.executors.numpy.llvm.jobs import (
    Job,
    Kept,
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
    store,
    store_one,
)
from lazyxp.executors.numpy.llvm.scans import go_on, scan_row
from lazyxp.executors.numpy.llvm.tiles import tiles

# Vectors that are added up before their sum is added to the others with its rounding error.
_RUN = 16

_NO_LOOP = -2

# Where the loops are: the index of each, and of the piece of work.
Index = dict[int, str]


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
    return _Printer(lowered, lanes).printed()


def scratch_bytes(scratch: Scratch, form: Form, space: Space) -> list[int]:
    """The bytes of each value that is kept for a while."""
    lengths = [space.step if loop == form.pieces else n for loop, n in enumerate(space.lengths)]
    return [math.prod([lengths[loop] for loop in loops]) * size for loops, size in scratch]


class _Printer:
    def __init__(self, lowered: Lowered, lanes: int) -> None:
        self._frame = Frame(lowered, lanes)
        self._one, self._wide, self._lanes = self._frame.one, self._frame.wide, lanes
        self._lowered = lowered
        self._values = lowered.values
        form = lowered.form
        self._outer: Sequence[int] = range(form.outer)
        # The loops inside of the current point; a reduction of rows within rows moves on from loop to loop.
        self._inner: list[int] = list(range(form.outer, len(form.loops)))
        self._stage = stages(self._values)
        self._added = contracted(self._values, {s.value for s in lowered.sinks if s.how != "sum"})
        # What is known at the current point: one number for the whole row.
        self._known: dict[int, Any] = {}
        # Emits what is known there; in vectors where several points of a loop are done at once.
        self._here, self._across = self._one, _NO_LOOP

    def printed(self) -> Printed:
        if self._lowered.flag is not None:
            self._refused = self._accumulator("any", np.dtype(bool), self._wide)
        with self._frame.pieces():
            for turn in sorted({sink.turn for sink in self._lowered.sinks}):
                sinks = [sink for sink in self._lowered.sinks if sink.turn == turn]
                with self._frame.start_of_piece() if turn in (SUM_OF_START, MEAN_OF_START) else nullcontext():
                    self._clear(sinks)
                    self._walk(sinks)
        if self._lowered.flag is not None:
            one, flag = self._one, self._frame.operand(len(self._lowered.form.layout) + self._lowered.flag)
            refused = one.convert("zext", self._refused.result(), "i1", "i64")
            one.do(f"atomicrmw or ptr {address_of(one, flag, {})}, i64 {refused} monotonic")
        return Printed(self._frame.text(), tuple(self._frame.scratch))

    def _row(self, value: int) -> bool:
        """Whether a value is one number for a whole row at the current point."""
        return is_row(self._values, self._inner, value)

    # --- a walk over a piece of work ---------------------------------------------------------------------------------

    def _clear(self, sinks: Iterable[Sink]) -> None:
        """Set what is added up in memory to the identity of its reduction."""
        for sink in sinks:
            if sink.how == "store" or not self._in_memory(sink):
                continue
            memory = self._frame.operand(sink.operand)
            with ExitStack() as stack:
                index = {PIECE: self._frame.piece}
                for loop in sorted(sink.loops):
                    index[loop] = stack.enter_context(self._frame.loop(*self._frame.range(loop)))
                address = address_of(self._one, memory, index)
                store_one(self._one, memory, address, identity(self._one, sink.how, memory.dtype))

    def _in_memory(self, sink: Sink) -> bool:
        """Whether a reduction goes on from one point of the outer loops to the next."""
        return any(loop in sink.reduced for loop in self._outer)

    def _walk(self, sinks: list[Sink]) -> None:
        with ExitStack() as stack:
            index = {PIECE: self._frame.piece}
            for loop in self._outer:
                if self._lowered.form.turned and loop == self._outer[-1]:
                    stack.enter_context(tiles(self._frame, index))
                low, high = self._frame.range(loop)
                used = any(loop in sink.loops or loop in sink.reduced for sink in sinks)
                index[loop] = stack.enter_context(self._frame.loop(low, high)) if used else low
            self._known = {}
            self._point(sinks, index)

    def _point(self, jobs: Sequence[Job], index: Index, wanted: Iterable[int] = ()) -> None:
        """What is done at one point of the loops outside: walks over a row, one after the other.

        Values that are `wanted` are known afterwards.
        """
        found = jobs_at(self._values, self._stage, self._inner, self._known, self._frame.keep, jobs, wanted)
        needed = needed_rows(self._values, self._inner, [*wanted, *[job.value for job in jobs]])
        for stage in range(max(self._stage, default=0) + 1):
            for i in needed:
                if self._stage[i] == stage and i not in self._known and self._values[i].op != "reduce":
                    self._known[i] = self._row_value(i, index)
            for space, mine in found.get(stage, {}).items():
                if space:
                    self._nest(stage, space, mine, dict(index))
                else:
                    for job in mine:
                        self._take(job, self._known[job.value], index)

    def _row_value(self, i: int, index: Index) -> Any:
        value = self._values[i]
        if value.op == "place":
            return self._place(value.params, index)
        if value.op == "take":
            return self._taken(value, self._known, index)
        if value.op == "scan":
            raise Unprintable("a scan along a loop that others are inside of")
        if value.op == "input":
            return self._read(self._frame.operand(value.args[0]), index)
        return self._compute(self._here, i, self._known)

    def _read(self, memory: Memory, index: Index) -> Any:
        """The element at this point, or those at these points."""
        return load(self._here, memory, address_of(self._one, memory, index), self._across)

    def _place(self, loop: int, index: Index) -> str:
        """The index of a loop."""
        here = self._here
        return here.places(index[loop]) if loop == self._across else here.splat(index[loop], "i64")

    def _compute(self, e: Emitter, i: int, known: dict[int, Any]) -> Any:
        """The instructions of a value whose arguments are known."""
        value = self._values[i]
        if value.op == "constant":
            return scalars.constant(e, value.params, value.dtype)
        if value.op == "count":
            return self._reduced_count(value)
        args = [known[a] for a in value.args]
        if value.op == "pair":
            return tuple(args)
        if value.op == "second":
            return args[0][1]
        if i in self._added and value.op in ("multiply", "square", "add"):
            code = "fadd contract" if value.op == "add" else "fmul contract"
            return e.op(code, element_of(value.dtype), args[0], args[-1])
        dtypes = [self._values[a].dtype for a in value.args]
        return scalars.emit(e, value.op, args, dtypes, value.dtype, value.params)

    def _reduced_count(self, value: Value) -> str:
        """How many elements this piece of work reduces."""
        count = "1"
        for loop in value.params:
            low, high = self._frame.range(loop)
            count = self._one.op("mul", "i64", count, self._one.op("sub", "i64", high, low))
        return count

    def _take(self, job: Job, x: Any, index: Index) -> None:
        """Do with one number what is to be done: know it, store it, or go on with a reduction in memory."""
        if isinstance(job, Reduction):
            self._known[job.result] = x
            return
        memory = self._frame.operand(job.operand) if isinstance(job, Sink) else self._frame.kept(job.result)
        address = address_of(self._one, memory, index)
        if isinstance(job, Sink) and self._in_memory(job):
            x = combined(self._one, job.how, memory.dtype, load_one(self._one, memory, address), x)
        store_one(self._one, memory, address, x)

    def _accumulator(self, how: str, dtype: np.dtype[Any], wide: Emitter, *, contract: bool = False) -> Accumulator:
        short = self._lowered.form.short
        if self._across != _NO_LOOP:
            wide = self._here
        return Accumulator(wide, self._here, self._frame.alloca, how, dtype, contract=contract, short=short)

    # --- elements by their index -------------------------------------------------------------------------------------

    def _within_bounds(self, e: Emitter, value: Value, known: dict[int, Any]) -> str:
        """Indices counted from the front; those out of bounds are noted, and 0 instead."""
        (i,) = value.args
        (along,) = value.reduced
        dtype = self._values[i].dtype
        length = e.splat(self._frame.length(along), "i64")
        index = e.convert("sext" if dtype.kind == "i" else "zext", known[i], element_of(dtype), "i64")
        zero = e.const(0, "i64")
        if dtype.kind == "i":
            from_end = e.op("add", "i64", index, length)
            index = e.select(e.op("icmp slt", "i64", index, zero), "i64", from_end, index)
        wrong = e.op("icmp uge", "i64", index, length)
        self._refused.add(e, wrong)
        return e.select(wrong, "i64", zero, index)

    def _indexed(self, value: Value, known: dict[int, Any], index: Index) -> tuple[Memory, str]:
        """Where the elements lie that one index gives at this point."""
        (along,) = value.reduced
        memory = self._frame.operand(value.params)
        place = self._within_bounds(self._one, value, known)
        return memory, further(self._one, address_of(self._one, memory, index), memory, along, place)

    def _taken(self, value: Value, known: dict[int, Any], index: Index) -> Any:
        """One element."""
        return load_one(self._one, *self._indexed(value, known, index))

    def _looked_up(self, e: Emitter, value: Value, known: dict[int, Any], index: Index) -> Any:
        """An element for each lane."""
        (along,) = value.reduced
        memory = self._frame.operand(value.params)
        address = address_of(self._one, memory, index)
        return load_each(e, memory, address, along, self._within_bounds(e, value, known))

    # --- a walk over a row -------------------------------------------------------------------------------------------

    def _nest(self, stage: int, space: tuple[int, ...], jobs: list[Job], index: Index) -> None:
        """Loops over a row: the last one in vectors, unless there are rows to be reduced at each of its points."""
        within = has_rows_within(self._values, self._inner, lambda i: self._is_read(i, stage), jobs)
        across = within and self._is_across(space, jobs)
        accumulators: dict[int, Accumulator] = {}
        for n, job in enumerate(jobs):
            point_by_point = within and len(space) > 1 and isinstance(job, Sink) and self._in_memory(job)
            if in_registers(self._values, job, space) and not point_by_point:
                dtype = self._values[job.value].dtype
                how = job.how if isinstance(job, Sink) else self._values[job.result].params
                wide = self._wide if across or not within else self._one
                accumulators[n] = self._accumulator(how, dtype, wide, contract=job.value in self._added)
        if across:
            self._vectors_of_points(space[0], jobs, accumulators, index)
        elif within:
            self._points(space, jobs, accumulators, index, self._frame.range(space[0]))
        else:
            with ExitStack() as stack:
                for loop in space[:-1]:
                    index[loop] = stack.enter_context(self._frame.loop(*self._frame.range(loop)))
                self._row_loops(stage, jobs, accumulators, index, space[-1])
        for n, accumulator in accumulators.items():
            self._take(jobs[n], accumulator.result(), index)

    def _is_across(self, space: tuple[int, ...], jobs: list[Job]) -> bool:
        """Whether several points of a loop can be done at once: all that is read lies along it, or does not vary."""
        if self._lanes == 1 or len(space) > 1 or self._across != _NO_LOOP:
            return False
        if not all(isinstance(job, Reduction) for job in jobs):
            return False
        todo, seen = [job.value for job in jobs], set()
        while todo:
            i = todo.pop()
            if i in seen or self._row(i):
                continue
            seen.add(i)
            value = self._values[i]
            if value.op in ("take", "scan", "count") or i in self._frame.stored:
                return False
            if value.op == "input":
                if self._frame.operand(value.args[0]).lies.get(space[0], (UNIT, ""))[0] != UNIT:
                    return False
                continue
            todo += value.args
        return True

    def _vectors_of_points(
        self, loop: int, jobs: list[Job], accumulators: dict[int, Accumulator], index: Index
    ) -> None:
        """The points of a loop, a vector of them at a time, with the rows that are within; then those left over."""
        low, high = self._frame.range(loop)
        length = self._one.op("sub", "i64", high, low)
        middle = self._one.op("add", "i64", low, self._one.op("and", "i64", length, str(-self._lanes)))
        known = self._known
        with self._frame.loop(low, middle, str(self._lanes)) as at:
            self._here, self._across = self._wide, loop
            self._known = {
                i: in_all_lanes(self._wide, x, self._values[i].dtype)
                for i, x in known.items()
                if not isinstance(x, tuple) or self._values[i].dtype.kind == "c"
            }
            self._at_point(loop, at, jobs, accumulators, index)
            self._here, self._across = self._one, _NO_LOOP
        self._known = known
        self._points((loop,), jobs, accumulators, index, (middle, high))

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
            accumulator.add(self._here, self._known[job.result if isinstance(job, Reduction) else job.value])
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
        known = self._known
        if len(space) > 1 and any(isinstance(jobs[n], Sink) for n in accumulators):
            raise Unprintable("partial results of several axes, of what is reduced along one of them")
        # A reduction along several loops is one along the others at each point, and then one of these.
        with self._frame.loop(*bounds) as at:
            self._known = dict(known)
            self._at_point(space[0], at, jobs, accumulators, index)
        self._known = known

    def _row_loops(
        self, stage: int, jobs: list[Job], accumulators: dict[int, Accumulator], index: Index, last: int
    ) -> None:
        known, order = self._before(stage, jobs, index, last)
        targets: dict[int, tuple[Memory, str]] = {}
        for n, job in enumerate(jobs):
            if n not in accumulators:
                memory = self._frame.operand(job.operand) if isinstance(job, Sink) else self._frame.kept(job.result)
                targets[n] = memory, address_of(self._one, memory, index)
        sources = {}
        for i in order:
            if self._is_read(i, stage):
                value = self._values[i]
                memory = self._frame.operand(value.args[0]) if value.op == "input" else self._frame.kept(i)
                sources[i] = memory, address_of(self._one, memory, index)
            elif self._values[i].op == "take" and last not in self._values[self._values[i].args[0]].loops:
                # One index for the whole row, which is read as any other.
                sources[i] = self._indexed(self._values[i], known[1], index)

        running: dict[int, tuple[Memory, str, str]] = {}
        for i in order:
            if self._values[i].op == "running":
                memory = self._frame.operand(self._values[i].params[1])
                (along,) = self._values[i].reduced
                first = self._one.op("icmp eq", "i64", index[along], "0")
                running[i] = memory, address_of(self._one, memory, index), first

        def body(e: Emitter, at: str) -> None:
            along = last if self._across == _NO_LOOP else self._across
            found = dict(known[e.width])
            for i in order:
                if self._values[i].op == "place":
                    found[i] = e.places(at) if along == last else e.splat(at, "i64")
                elif i in sources:
                    memory, address = sources[i]
                    found[i] = load(e, memory, further(self._one, address, memory, last, at), along)
                elif self._values[i].op == "take":
                    found[i] = self._looked_up(e, self._values[i], found, index)
                elif self._values[i].op == "running":
                    found[i] = go_on(e, self._values[i], found, running[i], last, at)
                else:
                    found[i] = self._compute(e, i, found)
            for n, job in enumerate(jobs):
                x = found[job.value]
                if n in accumulators:
                    accumulators[n].add(e, x)
                    continue
                memory, address = targets[n]
                address = further(self._one, address, memory, last, at)
                if isinstance(job, Sink) and job.how != "store":
                    x = combined(e, job.how, memory.dtype, load(e, memory, address, last), x)
                store(e, memory, address, last, x)

        low, high = self._frame.range(last)
        if self._across != _NO_LOOP:
            with self._frame.loop(low, high) as at:
                body(self._here, at)
            return
        streamed = [target for target in targets.values() if target[0].streams]
        if streamed and self._lanes > 1 and len(self._lowered.form.loops) > 1:
            aligned = self._frame.least(self._to_line(*streamed[0], last, low), high)
            with self._frame.loop(low, aligned) as at:
                body(self._one, at)
            low = aligned
        length = self._one.op("sub", "i64", high, low)
        vectors = self._one.op("and", "i64", length, str(-self._lanes))
        middle = self._one.op("add", "i64", low, vectors)
        if self._lanes > 1:
            flushing = [one for one in accumulators.values() if one.flushes]
            if flushing:
                run = self._lanes * _RUN
                with self._frame.loop(low, middle, str(run)) as begin:
                    end = self._frame.least(self._one.op("add", "i64", begin, str(run)), middle)
                    with self._frame.loop(begin, end, str(self._lanes)) as at:
                        body(self._wide, at)
                    for one in flushing:
                        one.flush()
            else:
                with self._frame.loop(low, middle, str(self._lanes)) as at:
                    body(self._wide, at)
        with self._frame.loop(middle if self._lanes > 1 else low, high) as at:
            body(self._one, at)
        for n, job in enumerate(jobs):
            if isinstance(job, Kept) and self._values[job.result].op == "scan":
                scan_row(self._frame, self._values[job.result], *targets[n], last, index)

    def _to_line(self, memory: Memory, address: str, loop: int, low: str) -> str:
        """The first index from `low` on whose element begins on a line of the cache."""
        one = self._one
        here = one.new(f"ptrtoint ptr {further(one, address, memory, loop, low)} to i64")
        left = one.op("and", "i64", one.op("sub", "i64", "0", here), str(LINE - 1))
        return one.op("add", "i64", low, one.op("udiv", "i64", left, str(memory.dtype.itemsize)))

    def _is_read(self, i: int, stage: int) -> bool:
        """Whether a value is read from memory in a walk of this stage."""
        return self._values[i].op in ("input", "scan") or (i in self._frame.stored and self._stage[i] < stage)

    def _before(
        self, stage: int, jobs: list[Job], index: Index, last: int
    ) -> tuple[dict[int, dict[int, Any]], list[int]]:
        """What is the same along the last loop, for each width; and the values that are computed in it, in order."""
        needed: set[int] = set()
        todo = [job.value for job in jobs]
        while todo:
            i = todo.pop()
            if i in needed:
                continue
            needed.add(i)
            if not self._row(i) and not self._is_read(i, stage):
                todo += self._values[i].args
        scalar = {i: self._known[i] for i in needed if self._row(i)}
        order = []
        for i in sorted(needed):
            if self._row(i):
                continue
            if last in self._values[i].loops:
                order.append(i)
            elif self._values[i].op == "place":
                scalar[i] = self._place(self._values[i].params, index)
            elif self._values[i].op == "take" and not self._is_read(i, stage):
                scalar[i] = self._taken(self._values[i], scalar, index)
            elif self._is_read(i, stage):
                value = self._values[i]
                memory = self._frame.operand(value.args[0]) if value.op == "input" else self._frame.kept(i)
                scalar[i] = self._read(memory, index)
            else:
                scalar[i] = self._compute(self._here, i, scalar)
        known = {self._here.width: scalar}
        if self._lanes > 1 and self._across == _NO_LOOP:
            used = {a for i in order if not self._is_read(i, stage) for a in self._values[i].args}
            used.update(job.value for job in jobs)
            known[self._lanes] = {
                i: in_all_lanes(self._wide, x, self._values[i].dtype) for i, x in scalar.items() if i in used
            }
        return known, order
