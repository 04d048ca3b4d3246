"""Walks over a row in vectors, and over two rows at once where they read the same memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lazyxp.executors.numpy.llvm.accumulators import Accumulator, combined
from lazyxp.executors.numpy.llvm.analysis import cost
from lazyxp.executors.numpy.llvm.form import NO_LOOP
from lazyxp.executors.numpy.llvm.frame import Index
from lazyxp.executors.numpy.llvm.ir import Emitter
from lazyxp.executors.numpy.llvm.jobs import Job, Kept
from lazyxp.executors.numpy.llvm.lower import Lowered, Sink
from lazyxp.executors.numpy.llvm.memory import (
    Memory,
    address_of,
    fetch,
    further,
    in_all_lanes,
    load,
    load_both,
    moved_on,
    store,
)
from lazyxp.executors.numpy.llvm.scans import go_on, scan_row
from lazyxp.executors.numpy.llvm.windows import LINE, has_next_rows, shared

if TYPE_CHECKING:
    from lazyxp.executors.numpy.llvm.printer import Printer

# Vectors that are added up before their sum is added to the others with its rounding error.
_RUN = 16
# Two rows at once need registers for both: not with more instructions than these.
_MOST_OF_TWO = 48

# Where something is: its memory, and the address at which the row begins.
Places = dict[int, tuple[Memory, str]]


class _Line(NamedTuple):
    """One row that is walked: where the values that it reads begin, by value, and where each job's results go."""

    sources: Places
    targets: Places


def walks_two_rows(lowered: Lowered) -> bool:
    """Whether two rows are walked at once: what one reads the other does too, and nothing else is done for each row."""
    form = lowered.form
    last = len(form.loops) - 1
    return (
        has_next_rows(form.near)
        and form.outer == last
        and form.streams != 1
        and not form.turned
        and all(sink.how == "store" for sink in lowered.sinks)
        and all(value.op not in _BY_ROW for value in lowered.values)
        and all(last in value.loops or last - 1 not in value.loops for value in lowered.values)
        and sum(map(cost, lowered.values)) <= _MOST_OF_TWO
    )


_BY_ROW = frozenset(("reduce", "scan", "running", "take"))


def walk_row(
    printer: Printer, stage: int, jobs: list[Job], accumulators: dict[int, Accumulator], index: Index, last: int
) -> None:
    """The loop over a row, in vectors, and then what is left one by one."""
    values, frame, one = printer.values, printer.frame, printer.one
    known, order = _before(printer, stage, jobs, index, last)
    inputs = {values[i].args[0]: i for i in order if values[i].op == "input"}
    across = printer.across != NO_LOOP
    along = printer.across if across else last

    def line(index: Index) -> _Line:
        return _line(printer, stage, jobs, accumulators, order, known.get(1, {}), index, last)

    here = line(index)
    running = {}
    for i in order:
        if values[i].op == "running":
            (loop,) = values[i].reduced
            memory = frame.operand(values[i].params[1])
            running[i] = memory, address_of(one, memory, index), one.op("icmp eq", "i64", index[loop], "0")

    def body(e: Emitter, at: str, lines: Sequence[_Line] = (here,)) -> None:
        near = printer.lowered.form.near if e is printer.wide and not across else ()
        together = shared(near, inputs, len(lines), e.width)
        loaded: dict[tuple[int, int], tuple[str, str]] = {}

        def read(i: int, row: int) -> Any:
            use = (values[i].args[0], row)
            if values[i].op != "input" or use not in together.of:
                memory, address = lines[row].sources[i]
                return load(e, memory, further(one, address, memory, last, at), along)
            key, distance = together.of[use]
            first, begin, more = together.loads[key]
            memory, address = lines[begin].sources[inputs[first]]
            if key not in loaded:
                loaded[key] = load_both(e, memory, further(one, address, memory, last, at), more)
            return moved_on(e, loaded[key], memory, distance)

        for row, mine in enumerate(lines):
            for operand in printer.lowered.form.fetched if near else ():
                if operand in inputs:
                    memory, address = mine.sources[inputs[operand]]
                    _fetch_later(e, one, memory, further(one, address, memory, last, at), last, len(lines))
            found = dict(known[e.width])
            for i in order:
                value = values[i]
                if value.op == "place":
                    found[i] = e.places(at) if along == last else e.splat(at, "i64")
                elif i in mine.sources:
                    found[i] = read(i, row)
                elif value.op == "take":
                    found[i] = printer.looked_up(e, value, found, index)
                elif value.op == "running":
                    found[i] = go_on(e, value, found, running[i], last, at)
                else:
                    found[i] = printer.compute(e, i, found)
            for n, job in enumerate(jobs):
                x = found[job.value]
                if n in accumulators:
                    accumulators[n].add(e, x)
                    continue
                memory, address = mine.targets[n]
                address = further(one, address, memory, last, at)
                if isinstance(job, Sink) and job.how != "store":
                    x = combined(e, job.how, memory.dtype, load(e, memory, address, last), x)
                store(e, memory, address, last, x)

    low, high = frame.range(last)
    if across:
        with frame.loop(low, high) as at:
            body(printer.here, at)
        return
    if printer.lanes == 1:
        with frame.loop(low, high) as at:
            body(one, at)
        _scan(printer, jobs, here, index, last)
        return
    streamed = [target for target in here.targets.values() if target[0].streams]
    if streamed and printer.lowered.form.streams == 1:
        aligned = frame.least(_to_line(one, *streamed[0], last, low), high)
        with frame.loop(low, aligned) as at:
            body(one, at)
        low = aligned
    length = one.op("sub", "i64", high, low)
    middle = one.op("add", "i64", low, one.op("and", "i64", length, str(-printer.lanes)))
    lanes = str(printer.lanes)
    flushing = [each for each in accumulators.values() if each.flushes]
    if printer.two_rows:
        rows = last - 1
        second = one.op("add", "i64", index[rows], "1")
        end = frame.range(rows)[1]
        both = one.select(one.op("icmp slt", "i64", second, end), "i64", middle, low)
        with frame.loop(low, both, lanes) as at:
            body(printer.wide, at, (here, _next_line(one, here, rows)))
        with frame.loop(both, middle, lanes) as at:
            body(printer.wide, at)
        with frame.loop(index[rows], frame.least(one.op("add", "i64", second, "1"), end)) as row:
            left = line({**index, rows: row})
            with frame.loop(middle, high) as at:
                body(one, at, (left,))
        return
    if flushing:
        run = printer.lanes * _RUN
        with frame.loop(low, middle, str(run)) as begin:
            end = frame.least(one.op("add", "i64", begin, str(run)), middle)
            with frame.loop(begin, end, lanes) as at:
                body(printer.wide, at)
            for each in flushing:
                each.flush()
    else:
        with frame.loop(low, middle, lanes) as at:
            body(printer.wide, at)
    with frame.loop(middle, high) as at:
        body(one, at)
    _scan(printer, jobs, here, index, last)


def _scan(printer: Printer, jobs: Sequence[Job], line: _Line, index: Index, last: int) -> None:
    """The scans along the row of what was kept."""
    for n, job in enumerate(jobs):
        if isinstance(job, Kept) and printer.values[job.result].op == "scan":
            scan_row(printer.frame, printer.values[job.result], *line.targets[n], last, index)


def _line(
    printer: Printer,
    stage: int,
    jobs: Sequence[Job],
    accumulators: Mapping[int, Accumulator],
    order: Sequence[int],
    known: dict[int, Any],
    index: Index,
    last: int,
) -> _Line:
    """Where a row begins in each memory."""
    values, frame, one = printer.values, printer.frame, printer.one
    targets: Places = {}
    for n, job in enumerate(jobs):
        if n not in accumulators:
            memory = frame.operand(job.operand) if isinstance(job, Sink) else frame.kept(job.result)
            targets[n] = memory, address_of(one, memory, index)
    sources: Places = {}
    for i in order:
        value = values[i]
        if printer.is_read(i, stage):
            memory = frame.operand(value.args[0]) if value.op == "input" else frame.kept(i)
            sources[i] = memory, address_of(one, memory, index)
        elif value.op == "take" and last not in values[value.args[0]].loops:
            # One index for the whole row, which is read as any other.
            sources[i] = printer.indexed(value, known, index)
    return _Line(sources, targets)


def _next_line(one: Emitter, line: _Line, rows: int) -> _Line:
    """The row after one, along the loop over rows."""

    def moved(places: Places) -> Places:
        return {
            i: (memory, one.new(f"getelementptr i8, ptr {address}, i64 {memory.lies[rows][1]}"))
            if rows in memory.lies
            else (memory, address)
            for i, (memory, address) in places.items()
        }

    return _Line(moved(line.sources), moved(line.targets))


def _fetch_later(e: Emitter, one: Emitter, memory: Memory, address: str, last: int, rows: int) -> None:
    """Have what is so many rows later than `address` in the cache by then."""
    _, step = memory.lies[last - 1]
    later = one.new(f"getelementptr i8, ptr {address}, i64 {one.op('mul', 'i64', step, str(rows))}")
    fetch(e, later, e.width * memory.dtype.itemsize)


def _to_line(one: Emitter, memory: Memory, address: str, loop: int, low: str) -> str:
    """The first index from `low` on whose element begins on a line of the cache."""
    here = one.new(f"ptrtoint ptr {further(one, address, memory, loop, low)} to i64")
    left = one.op("and", "i64", one.op("sub", "i64", "0", here), str(LINE - 1))
    return one.op("add", "i64", low, one.op("udiv", "i64", left, str(memory.dtype.itemsize)))


def _before(
    printer: Printer, stage: int, jobs: list[Job], index: Index, last: int
) -> tuple[dict[int, dict[int, Any]], list[int]]:
    """What is the same along the last loop, for each width; and the values that are computed in it, in order."""
    needed: set[int] = set()
    todo = [job.value for job in jobs]
    while todo:
        i = todo.pop()
        if i in needed:
            continue
        needed.add(i)
        if not printer.is_row(i) and not printer.is_read(i, stage):
            todo += printer.values[i].args
    scalar = {i: printer.known[i] for i in needed if printer.is_row(i)}
    order = []
    for i in sorted(needed):
        if printer.is_row(i):
            continue
        if last in printer.values[i].loops:
            order.append(i)
        elif printer.values[i].op == "place":
            scalar[i] = printer.place(printer.values[i].params, index)
        elif printer.values[i].op == "take" and not printer.is_read(i, stage):
            scalar[i] = printer.taken(printer.values[i], scalar, index)
        elif printer.is_read(i, stage):
            value = printer.values[i]
            memory = printer.frame.operand(value.args[0]) if value.op == "input" else printer.frame.kept(i)
            scalar[i] = printer.read(memory, index)
        else:
            scalar[i] = printer.compute(printer.here, i, scalar)
    known = {printer.here.width: scalar}
    if printer.lanes > 1 and printer.across == NO_LOOP:
        used = {a for i in order if not printer.is_read(i, stage) for a in printer.values[i].args}
        used.update(job.value for job in jobs)
        known[printer.lanes] = {
            i: in_all_lanes(printer.wide, x, printer.values[i].dtype) for i, x in scalar.items() if i in used
        }
    return known, order
