"""What is done at one point of a kernel's loops: walks over a row, and what each of them is for."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from typing import NamedTuple

from lazyxp.executors.numpy.llvm.analysis import cost_again
from lazyxp.executors.numpy.llvm.lower import Sink, Unprintable, Value

# A value that costs more than so many instructions is kept until the next walk over a row instead of computed again.
_MOST_AGAIN = 4


class Reduction(NamedTuple):
    """A reduction of a row, whose result is known after the walk: of `value`, and which value that is."""

    value: int
    result: int


class Kept(NamedTuple):
    """A value that is kept for later walks, as itself or as the scan that `result` is."""

    value: int
    result: int


Job = Sink | Reduction | Kept
# For each stage and each set of inner loops, what is done there.
Jobs = dict[int, dict[tuple[int, ...], list[Job]]]


def is_row(values: Sequence[Value], inner: Iterable[int], i: int) -> bool:
    """Whether a value is one number for a whole row: it does not vary along inner loops."""
    return not any(loop in values[i].loops for loop in inner)


def _space(values: Sequence[Value], inner: Iterable[int], job: Job) -> tuple[int, ...]:
    """The inner loops that a job is done in."""
    if isinstance(job, Sink):
        loops = job.loops | job.reduced
    elif isinstance(job, Reduction):
        loops = values[job.value].loops | values[job.result].reduced
    else:
        loops = values[job.result].loops
    return tuple([loop for loop in inner if loop in loops])


def jobs_at(
    values: Sequence[Value],
    stages: Sequence[int],
    inner: Sequence[int],
    known: Container[int],
    keep: Callable[[int], None],
    jobs: Sequence[Job],
    wanted: Iterable[int],
) -> Jobs:
    """Everything that is done at a point: what is asked for, the reductions it needs, and values to keep."""
    found: Jobs = {}

    def row(i: int) -> bool:
        return is_row(values, inner, i)

    def add(job: Job) -> None:
        mine = found.setdefault(stages[job.value], {}).setdefault(_space(values, inner, job), [])
        if job not in mine:
            mine.append(job)

    for job in jobs:
        add(job)
    # Values, and the stage in which they are needed.
    todo = [(i, stages[i]) for i in (*wanted, *[job.value for job in jobs])]
    seen = set(todo)
    while todo:
        i, stage = todo.pop()
        value = values[i]
        if value.op == "input" or i in known:
            continue
        if value.op == "reduce":
            if not row(i):
                continue  # rows within rows, each at its own point
            add(Reduction(value.args[0], i))
        elif value.op == "scan":
            keep(i)
            add(Kept(value.args[0], i))
        elif stages[i] < stage and not row(i):
            if cost_again(values, i, row) > _MOST_AGAIN:
                keep(i)
                add(Kept(i, i))
                stage = stages[i]
        elif row(i):
            stage = stages[i]
        for a in value.args:
            one = a, stages[a] if row(a) or value.op in ("reduce", "scan") else stage
            if one not in seen:
                seen.add(one)
                todo.append(one)
    return found


def needed_rows(values: Sequence[Value], inner: Sequence[int], wanted: Iterable[int]) -> list[int]:
    """All values that are one number for a row and that these values need, arguments first."""
    needed: set[int] = set()
    todo = list(wanted)
    while todo:
        i = todo.pop()
        if i not in needed:
            needed.add(i)
            if values[i].op != "input":
                todo += values[i].args
    return sorted([i for i in needed if is_row(values, inner, i)])


def has_rows_within(
    values: Sequence[Value], inner: Sequence[int], is_read: Callable[[int], bool], jobs: Iterable[Job]
) -> bool:
    """Whether reductions are needed whose results vary along the row."""
    todo = [job.value for job in jobs]
    seen: set[int] = set()
    while todo:
        i = todo.pop()
        if i in seen or is_row(values, inner, i) or is_read(i):
            continue
        seen.add(i)
        if values[i].op == "reduce":
            return True
        todo += values[i].args
    return False


def in_registers(values: Sequence[Value], job: Job, space: tuple[int, ...]) -> bool:
    """Whether a job is a reduction along all loops of a row."""
    if isinstance(job, Kept):
        return False
    reduced = job.reduced if isinstance(job, Sink) else values[job.result].reduced
    inside = [loop for loop in space if loop in reduced]
    if inside and len(inside) < len(space):
        raise Unprintable("a reduction along some of the inner loops")
    return bool(inside)
