"""Walks over a row in vectors, and over two rows at once where they read the same memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from lazyxp.executors.numpy.llvm.accumulators import Accumulator, combined
from lazyxp.executors.numpy.llvm.analysis import cost
from lazyxp.executors.numpy.llvm.form import LONGEST, NO_LOOP, part_size
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
from lazyxp.executors.numpy.llvm.windows import LINE, Shared, has_next_rows, shared

if TYPE_CHECKING:
    from lazyxp.executors.numpy.llvm.printer import Printer

# Vectors that are added up before their sum is added to the others with its rounding error.
_RUN = 16
# Two rows at once need registers for both: not with more instructions than these.
_MOST_OF_TWO = 48
# So many rows are added to what is in memory at once, with no more instructions than these for each of them.
_ADDED, _MOST_OF_ADDED = 4, 12

# So many bytes ahead of a walk are brought into the cache, if it takes so many instructions for a vector of an input:
# then the processor looks less far ahead by itself.
_AHEAD, _LEAST_AHEAD = 2_048, 3

# Where things begin: the memory of each, and the address.
Begins = dict[int, tuple[Memory, str]]


class _Line(NamedTuple):
    """One row in memory: where the values that it reads begin, by value, and where each job's results go."""

    sources: Begins
    targets: Begins


class _Row(NamedTuple):
    """What is done along a row.

    Attributes
    ----------
    printer, stage, jobs, outer, last
        The walk, what it is for, where the outer loops are, and the loop along the row.
    accumulators : dict of int to Accumulator
        By the number of the job, where something is added up.
    known : dict of int to (dict of int to Any)
        The values that are the same along the row, for each number of lanes.
    order : list of int
        The values that are computed along it, arguments first.
    running : dict of int to (Memory, str, str)
        For each scan along an outer loop, the row before this one, and whether there is none.
    ahead : tuple of int
        The values whose later elements are brought into the cache.
    """

    printer: Printer
    stage: int
    jobs: list[Job]
    outer: Index
    last: int
    accumulators: dict[int, Accumulator]
    known: dict[int, dict[int, Any]]
    order: list[int]
    running: dict[int, tuple[Memory, str, str]]
    ahead: tuple[int, ...]


def rows_at_once(lowered: Lowered, sinks: Sequence[Sink]) -> int:
    """How many rows are walked at once: more than one where nothing but vectors of them is computed.

    Two, where what one reads the other does too; and some, where all that is done with them is to add them up.
    """
    form = lowered.form
    last = len(form.loops) - 1
    alone = (
        form.outer == last
        and form.streams != 1
        and not form.turned
        and all(value.op not in _BY_ROW for value in lowered.values)
        and all(last in value.loops or last - 1 not in value.loops for value in lowered.values)
    )
    costs = sum(map(cost, lowered.values))
    if not alone or costs > _MOST_OF_TWO:
        return 1
    if all(sink.how == "store" for sink in lowered.sinks):
        return 2 if has_next_rows(form.near) else 1
    added = all(last in sink.loops and last - 1 in sink.reduced for sink in sinks)
    return _ADDED if form.several and added and not form.near and costs <= _MOST_OF_ADDED else 1


_BY_ROW = frozenset(("reduce", "scan", "running", "take"))


def walk_row(
    printer: Printer, stage: int, jobs: list[Job], accumulators: dict[int, Accumulator], index: Index, last: int
) -> None:
    """The loop over a row, in vectors, and then what is left one by one."""
    frame, one = printer.frame, printer.one
    known, order = _before(printer, stage, jobs, index, last)
    running = _running(printer, order, index)
    ahead = _ahead(printer, order, accumulators)
    row = _Row(printer, stage, jobs, index, last, accumulators, known, order, running, ahead)
    here = _line(row, index)
    low, high = frame.range(last)
    if printer.lanes == 1 or printer.across != NO_LOOP:
        with frame.loop(low, high) as at:
            _point(row, printer.here, at, (here,))
    elif _may_overlap(row):
        _walk_overlapping(row, here, low, high)
    else:
        streamed = [target for target in here.targets.values() if target[0].streams]
        if streamed and printer.lowered.form.streams == 1:
            aligned = frame.least(_to_line(one, *streamed[0], last, low), high)
            with frame.loop(low, aligned) as at:
                _point(row, one, at, (here,))
            low = aligned
        length = one.op("sub", "i64", high, low)
        middle = one.op("add", "i64", low, one.op("and", "i64", length, str(-printer.lanes)))
        if printer.rows > 1:
            _walk_rows(row, here, low, middle, high)
        else:
            _walk_vectors(row, here, low, middle)
            with frame.loop(middle, high) as at:
                _point(row, one, at, (here,))
    for n, job in enumerate(jobs):
        if isinstance(job, Kept) and printer.values[job.result].op == "scan":
            scan_row(frame, printer.values[job.result], *here.targets[n], last, index)


def _may_overlap(row: _Row) -> bool:
    """Whether vectors of a row may be done twice: all that is done is to store, and what is read is there."""
    printer, form = row.printer, row.printer.lowered.form
    size = max([part_size(dtype) for dtype in printer.lowered.dtypes])
    if not form.overlaps or printer.lanes * size > LONGEST or form.streams or printer.rows > 1:
        return False
    values = printer.values
    reads_kept = any([values[i].op != "input" for i in row.order if printer.is_read(i, row.stage)])
    if reads_kept and form.pieces == row.last:  # only that of this piece is there
        return False
    return not row.running and all([isinstance(job, Sink) and job.how == "store" for job in row.jobs])


def _walk_overlapping(row: _Row, line: _Line, low: str, high: str) -> None:
    """The vectors of a row, the last one as far back as it has to be: nothing is left over."""
    printer, lanes = row.printer, str(row.printer.lanes)
    last = printer.one.op("sub", "i64", high, lanes)
    with printer.frame.loop(low, high, lanes) as i:
        _point(row, printer.wide, printer.frame.least(i, last), (line,))


def _walk_vectors(row: _Row, line: _Line, low: str, high: str) -> None:
    """The vectors of a row; what is added up is flushed now and then where that needs it."""
    printer = row.printer
    frame, lanes = printer.frame, str(printer.lanes)
    flushing = [each for each in row.accumulators.values() if each.flushes]
    if not flushing:
        with frame.loop(low, high, lanes) as at:
            _point(row, printer.wide, at, (line,))
        return
    run = printer.lanes * _RUN
    with frame.loop(low, high, str(run)) as begin:
        end = frame.least(printer.one.op("add", "i64", begin, str(run)), high)
        with frame.loop(begin, end, lanes) as at:
            _point(row, printer.wide, at, (line,))
        for each in flushing:
            each.flush()


def _walk_rows(row: _Row, line: _Line, low: str, middle: str, high: str) -> None:
    """A row and those after it: all at once if all of them are there, else one after the other."""
    printer, index = row.printer, row.outer
    frame, one, lanes = printer.frame, printer.one, str(printer.lanes)
    rows = row.last - 1
    lines = [line]
    for _ in range(printer.rows - 1):
        lines.append(_next_line(one, lines[-1], rows))
    first, end = index[rows], frame.range(rows)[1]
    complete = one.op("icmp sle", "i64", one.op("add", "i64", first, str(printer.rows)), end)
    with frame.loop(low, one.select(complete, "i64", middle, low), lanes) as at:
        _point(row, printer.wide, at, lines)
    with frame.loop(middle, one.select(complete, "i64", high, middle)) as at:
        _point(row, one, at, lines)
    with frame.loop(first, one.select(complete, "i64", first, end)) as each:
        left = _line(row, {**index, rows: each})
        with frame.loop(low, middle, lanes) as at:
            _point(row, printer.wide, at, (left,))
        with frame.loop(middle, high) as at:
            _point(row, one, at, (left,))


# --- one point of a row, or a vector of them --------------------------------------------------------------------------


def _point(row: _Row, e: Emitter, at: str, lines: Sequence[_Line]) -> None:
    """What is done at one point of each of some rows, or at as many as there are lanes."""
    printer, one, last = row.printer, row.printer.one, row.last
    values, across = printer.values, printer.across != NO_LOOP
    along = printer.across if across else last
    inputs = {values[i].args[0]: i for i in row.order if values[i].op == "input"}
    form = printer.lowered.form
    share = e is printer.wide and not across
    read = _reader(row, e, at, lines, shared(form.near if share else (), inputs, len(lines), e.width), inputs)
    totals: dict[int, Any] = {}
    for k, line in enumerate(lines):
        for operand in form.fetched if share else ():
            if operand in inputs:
                memory, address = line.sources[inputs[operand]]
                _fetch_later(e, one, memory, further(one, address, memory, last, at), last, len(lines))
        for i in row.ahead if e is printer.wide and k == 0 else ():
            memory, address = line.sources[i]
            later = one.new(f"getelementptr i8, ptr {further(one, address, memory, last, at)}, i64 {_AHEAD}")
            fetch(e, later, e.width * memory.dtype.itemsize)
        found = dict(row.known[e.width])
        for i in row.order:
            value = values[i]
            if value.op == "place":
                found[i] = e.places(at) if along == last else e.splat(at, "i64")
            elif i in line.sources:
                found[i] = read(i, k)
            elif value.op == "take":
                found[i] = printer.looked_up(e, value, found, row.outer)
            elif value.op == "running":
                found[i] = go_on(e, value, found, row.running[i], last, at)
            else:
                found[i] = printer.compute(e, i, found)
        for n, job in enumerate(row.jobs):
            x = found[job.value]
            if n in row.accumulators:
                row.accumulators[n].add(e, x)
                continue
            memory, address = line.targets[n]
            address = further(one, address, memory, last, at)
            if isinstance(job, Sink) and job.how != "store":
                so_far = totals.get(n) or load(e, memory, address, last)
                x = totals[n] = combined(e, job.how, memory.dtype, so_far, x)
                if k + 1 < len(lines):
                    continue  # all rows are added to the same
            store(e, memory, address, last, x)


def _reader(
    row: _Row, e: Emitter, at: str, lines: Sequence[_Line], together: Shared, inputs: Mapping[int, int]
) -> Callable[[int, int], Any]:
    """What reads a value at this point of one of the rows; what they share is loaded once."""
    printer, one, last = row.printer, row.printer.one, row.last
    along = last if printer.across == NO_LOOP else printer.across
    loaded: dict[tuple[int, int], tuple[str, str]] = {}

    def read(i: int, k: int) -> Any:
        value = printer.values[i]
        use = (value.args[0], k)
        if value.op != "input" or use not in together.of:
            memory, address = lines[k].sources[i]
            return load(e, memory, further(one, address, memory, last, at), along)
        key, distance = together.of[use]
        first, begin, more = together.loads[key]
        memory, address = lines[begin].sources[inputs[first]]
        if key not in loaded:
            loaded[key] = load_both(e, memory, further(one, address, memory, last, at), more)
        return moved_on(e, loaded[key], memory, distance)

    return read


def _ahead(printer: Printer, order: Sequence[int], accumulators: Mapping[int, Accumulator]) -> tuple[int, ...]:
    """The values whose later elements are better brought into the cache while these are computed."""
    values, inputs = printer.values, printer.lowered.form.ahead
    if printer.lanes == 1 or printer.across != NO_LOOP:
        return ()
    costs = sum([cost(values[i]) for i in order]) + sum([each.cost for each in accumulators.values()])
    if costs < _LEAST_AHEAD * len(inputs):
        return ()
    return tuple([i for i in order if values[i].op == "input" and values[i].args[0] in inputs])


# --- where rows begin -------------------------------------------------------------------------------------------------


def _line(row: _Row, index: Index) -> _Line:
    """Where the row at this place of the outer loops begins in each memory."""
    printer = row.printer
    values, frame, one = printer.values, printer.frame, printer.one
    targets: Begins = {}
    for n, job in enumerate(row.jobs):
        if n not in row.accumulators:
            memory = frame.operand(job.operand) if isinstance(job, Sink) else frame.kept(job.result)
            targets[n] = memory, address_of(one, memory, index)
    sources: Begins = {}
    for i in row.order:
        value = values[i]
        if printer.is_read(i, row.stage):
            memory = frame.operand(value.args[0]) if value.op == "input" else frame.kept(i)
            sources[i] = memory, address_of(one, memory, index)
        elif value.op == "take" and row.last not in values[value.args[0]].loops:
            # One index for the whole row, which is read as any other.
            sources[i] = printer.indexed(value, row.known[1], index)
    return _Line(sources, targets)


def _running(printer: Printer, order: Sequence[int], index: Index) -> dict[int, tuple[Memory, str, str]]:
    """For each scan along an outer loop, where the row before is held, and whether there is none yet."""
    found = {}
    for i in order:
        value = printer.values[i]
        if value.op == "running":
            (loop,) = value.reduced
            memory = printer.frame.operand(value.params[1])
            is_first = printer.one.op("icmp eq", "i64", index[loop], "0")
            found[i] = memory, address_of(printer.one, memory, index), is_first
    return found


def _next_line(one: Emitter, line: _Line, rows: int) -> _Line:
    """The row after one, along the loop over rows."""

    def moved(places: Begins) -> Begins:
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
