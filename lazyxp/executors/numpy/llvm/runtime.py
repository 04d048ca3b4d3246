"""Compiled kernels on arrays: memory for results, pieces of work on several threads, and their parts put together."""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from lazyxp.executors.numpy import buffers, threads
from lazyxp.executors.numpy.llvm import compiler, portions, scalars
from lazyxp.executors.numpy.llvm.analysis import cost
from lazyxp.executors.numpy.llvm.entry import direct, direct_text, is_possible
from lazyxp.executors.numpy.llvm.form import UNCUT, Form, Space, form_of, is_cut, part_size
from lazyxp.executors.numpy.llvm.frame import scratch_at
from lazyxp.executors.numpy.llvm.lower import Lowered, Partial, Unprintable
from lazyxp.executors.numpy.llvm.parts import Finisher, finishers_of, put_together
from lazyxp.executors.numpy.llvm.printer import Printed, print_kernel, scratch_bytes
from lazyxp.executors.numpy.llvm.windows import FEWEST, LINE, places_of
from lazyxp.executors.numpy.memory_order import empty_in_order, memory_order
from lazyxp.kernel import NO_AXIS, Axes, Kernel
from lazyxp.strides import data_address

Array = np.ndarray[Any, Any]

# A kernel is made ready for so many ways in which its operands lie in memory; then it begins anew.
MOST_JOBS = 64
# Less work than this, in elements times instructions, is not worth to be shared; an element takes some time however
# little is done with it.
_SHARED, _EACH = 1_500_000, 4
# So many times more portions than threads, and beyond the first number only if they have at least two pieces each:
# threads that are at work on pieces beside each other may write to the same lines of the cache.
_PORTIONS, _MOST_PORTIONS = 4, 16
# Sums of few instructions run on vectors so many times longer than the processor's, to hide how long an addition takes.
_SEVERAL, _FEW = 4, 8
# Long chains of instructions run on two vectors at a time: each waits for the one before it.
_MANY = 48


# Values that other vectors are no shorter for: constants, and where extremes are.
_BESIDE = frozenset(("constant", "place", "second"))


# A line of the cache that nothing is written to.
_HELD = np.empty(2 * LINE, np.uint8)
_LINE = _HELD[-data_address(_HELD) % LINE :][:LINE]


class Case(NamedTuple):
    """A kernel for operands that lie in memory in a certain way, before its code is printed.

    Attributes
    ----------
    lowered, space
        What it is printed from, and the numbers of this case.
    order : tuple of int
        The axes of the kernel as they lie in memory, outermost first.
    pieces : int
        How many pieces of work there are.
    work : int
        About how many instructions there are to be done, on one element each.
    """

    lowered: Lowered
    space: Space
    order: Axes
    pieces: int
    work: int

    @property
    def is_shared(self) -> bool:
        """Whether several threads do the work."""
        return self.pieces > 1 and self.work > _SHARED

    @property
    def partials(self) -> list[tuple[tuple[int, ...], Any]]:
        """The shape and dtype of each partial result: parts first, then the loops along which it varies."""
        lengths = self.space.lengths
        return [
            ((self.pieces if one.cut else 1, *[lengths[loop] for loop in sorted(one.loops)]), one.dtype)
            for one in self.lowered.partials
        ]

    @property
    def numbers(self) -> list[int]:
        """What the kernel is called with after the addresses: lengths, the step of a piece, and strides."""
        found = [*self.space.lengths, self.space.step]
        for strides in self.space.strides:
            found += strides
        for partial, (shape, _) in zip(self.lowered.partials, self.partials, strict=True):
            found += _partial_strides(partial, shape, self.lowered.form)
        return found

    @property
    def makers(self) -> tuple[Callable[[], Array], ...]:
        """What makes the memory of each output."""
        maker = _line_memory if self.lowered.form.streams else _memory
        return tuple([maker(shape, axes, self.order, dtype) for shape, axes, dtype in kept(self.lowered.kernel)])


class Job(NamedTuple):
    """A kernel made ready for operands that lie in memory in a certain way.

    Attributes
    ----------
    compiled : Compiled
        Its code.
    case : Case
        What the code was printed from, and the numbers of this case.
    numbers : list of int
        The arguments after the addresses.
    make : tuple of callable
        Each gives the memory of an output.
    partials : list of (tuple of int, dtype)
        The memory of partial results.
    finishers : tuple of callable
        What makes outputs of partial results.
    scratch : list of int
        The bytes that each thread needs for each value that is kept for a while.
    turned : list of (int, int)
        The inputs that are copied first, and the dimension that is then the last in memory.
    direct : callable or None
        ``direct(*inputs, *outputs)``, if that is all there is to do.
    keep : Any
        What `direct` needs.
    """

    compiled: compiler.Compiled
    case: Case
    numbers: list[int]
    make: tuple[Callable[[], Array], ...]
    partials: list[tuple[tuple[int, ...], Any]]
    finishers: tuple[Finisher, ...]
    scratch: list[int]
    turned: list[tuple[int, int]]
    direct: Callable[..., None] | None
    keep: Any


class Runner:
    """Runs one kernel: compiled once for each way in which its operands lie in memory.

    What it was lowered to goes to `lowered`, for kernels that differ in nothing but lengths.
    """

    __slots__ = ("_jobs", "_kernel", "_large", "_lowered")

    def __init__(self, kernel: Kernel, lowered: dict[Any, Lowered] | None = None) -> None:
        self._kernel = kernel
        self._lowered = {} if lowered is None else lowered
        self._jobs: dict[Any, Job | None] = {}
        self._large = has_windows(kernel)

    def run(self, inputs: Sequence[Array], into: Sequence[Array | None] | None = None) -> tuple[Array, ...] | None:
        """The outputs of the kernel, each written `into` memory where that is given; None if it cannot be compiled."""
        key: Any = tuple([x.strides for x in inputs])
        if self._large:
            key = key, places_of(inputs)
        if into is not None:
            key = key, tuple([x if x is None else _lies(x) for x in into])
        try:
            job = self._jobs[key]
        except KeyError:
            if len(self._jobs) >= MOST_JOBS:
                self._jobs.clear()
            job = self._jobs[key] = _prepared(self._kernel, inputs, into, self._lowered)
        if job is None:
            return None
        if job.turned:
            inputs = _with_turned(inputs, job.turned)
        if into is None:
            outputs = tuple([make() for make in job.make])
        else:
            outputs = tuple([make() if given is None else given for make, given in zip(job.make, into, strict=True)])
        if job.direct is not None:
            job.direct(*inputs, *outputs)
            return outputs
        partials = [np.empty(shape, dtype) for shape, dtype in job.partials]
        lowered = job.case.lowered
        for number in lowered.zeros:
            partials[number][...] = 0
        addresses = [data_address(x) for x in (*inputs, *outputs, *partials)]
        arguments = (ctypes.c_int64 * (len(addresses) + len(job.numbers)))(*addresses, *job.numbers)
        _call(job, ctypes.addressof(arguments))
        if lowered.flag is not None and partials[lowered.flag].any():
            return None
        return outputs if put_together(job.case, job.finishers, inputs, partials, outputs) else None


def runner(kernel: Kernel) -> Runner:
    """What runs a kernel."""
    found = kernel.runner
    if found is None:
        found = kernel.runner = Runner(kernel)
    return cast(Runner, found)


def case_of(
    kernel: Kernel,
    inputs: Sequence[Any],
    into: Sequence[Array | None] | None = None,
    *,
    streams: bool = True,
    overlaps: bool = True,
    known: dict[Any, Lowered] | None = None,
) -> Case:
    """What code for operands with these shapes, dtypes and strides is printed from; `Unprintable`: there is none.

    Outputs are written `into` memory that lies as these arrays, where they are given. Unless it `streams`, none go past
    the cache; unless it `overlaps`, the code is right for shorter rows as well. What is `known` is not lowered again.
    """
    places = places_of(inputs) if has_windows(kernel) else ()
    inputs = list(inputs)
    for i, dim in turned(kernel):
        inputs[i] = _turned(no_memory, inputs[i], dim)
    order = memory_order(kernel, inputs)
    outputs = kept(kernel)
    stand_ins = [
        empty_in_order(shape, axes, order, dtype, no_memory) if given is None else given
        for given, (shape, axes, dtype) in zip(into or [None] * len(outputs), outputs, strict=True)
    ]
    axes = [*kernel.inputs, *[axes for _, axes, _ in outputs]]
    on_lines = streams and all([given is None or _lies(given)[1] for given in into or ()])
    form, space = form_of(kernel, [*inputs, *stand_ins], axes, order, places, on_lines=on_lines, overlaps=overlaps)
    key = form, dtypes = form, tuple([x.dtype for x in inputs])
    lowered = None if known is None else known.get(key)
    lowered = Lowered(kernel, form, dtypes) if lowered is None else lowered.of(kernel)
    if known is not None and not lowered.sized:
        known[key] = lowered
    pieces = 1 if form.pieces == UNCUT else -(-space.lengths[form.pieces] // space.step)
    return Case(lowered, space, order, pieces, kernel.largest() * (_EACH + sum(map(cost, lowered.values))))


def has_windows(kernel: Kernel) -> bool:
    """Whether it is worth to look for inputs that are windows of the same memory."""
    if len(kernel.inputs) < FEWEST or not is_cut(kernel) or compiler.vector_bytes() < LINE:
        return False
    return not turned(kernel)  # copies of inputs are memory of their own


def turned(kernel: Kernel) -> list[tuple[int, int]]:
    """Inputs that are read better with another dimension last in memory, and which dimension.

    They are the same for every row, and rows within rows are reduced along their last dimension: points of the loop
    around that are done together if they lie beside each other.
    """
    cut = {*kernel.cut}
    found: dict[int, int] = {}
    for one in kernel.body:
        around = [a for a in one.axes if a != NO_AXIS and a not in cut]
        if not around or not one.reduced or cut.intersection(one.reduced):
            continue
        for i, axes in enumerate(kernel.inputs):
            dims = [a for a in axes if a != NO_AXIS]
            if around[-1] in dims[:-1] and not cut.intersection(dims):
                found[i] = axes.index(around[-1])
    return list(found.items())


def _turned(empty: Callable[[Sequence[int], Any], Array], x: Any, dim: int) -> Array:
    """Memory for an array like `x` in which a dimension is the last one."""
    shape = [*[n for i, n in enumerate(x.shape) if i != dim], x.shape[dim]]
    return np.moveaxis(empty(shape, x.dtype), -1, dim)


def _with_turned(inputs: Sequence[Array], which: Sequence[tuple[int, int]]) -> list[Array]:
    """The inputs, copies of some among them."""
    found = list(inputs)
    for i, dim in which:
        found[i] = _turned(np.empty, inputs[i], dim)
        np.copyto(found[i], inputs[i])
    return found


def kept(kernel: Kernel) -> list[tuple[tuple[int, ...], Axes, Any]]:
    """Shape, axes and dtype of each output."""
    kept = [kernel.body[number - len(kernel.inputs)] for number in kernel.outputs]
    return [(one.node.shape, one.axes, one.node.dtype) for one in kept]


def _prepared(
    kernel: Kernel, inputs: Sequence[Array], into: Sequence[Array | None] | None, known: dict[Any, Lowered]
) -> Job | None:
    try:
        case = case_of(kernel, inputs, into, known=known)
        lowered, numbers = case.lowered, case.numbers
        entry = ""
        if lowered.form.pieces == UNCUT and not lowered.partials and is_possible():
            entry = direct_text(len(case.space.strides), len(numbers))
        compiled = compiled_case(case, entry)
    except Unprintable:
        return None
    scratch = scratch_bytes(scratch_at(compiled.addresses[0]), lowered.form, case.space)
    simple = bool(entry) and not scratch
    call, keep = direct(compiled.addresses[1], numbers) if simple else (None, None)
    make = case.makers
    if simple:
        make = tuple([_small_memory(shape, axes, case.order, dtype) for shape, axes, dtype in kept(kernel)])
    finishers = finishers_of(case)
    return Job(compiled, case, numbers, make, case.partials, finishers, scratch, turned(kernel), call, keep)


def compiled_case(case: Case, entry: str = "") -> compiler.Compiled:
    """The code of a kernel, with another way into it."""
    lowered = case.lowered
    description = lowered.description, str(_lanes(lowered)), entry
    exported = ("scratch", "direct") if entry else ("scratch",)
    return compiler.compiled(lambda: printed_kernel(lowered).text + entry, *description, exported=exported)


def _memory(shape: tuple[int, ...], axes: Axes, order: Axes, dtype: Any) -> Callable[[], Array]:
    """What makes the memory of an output."""
    return functools.partial(empty_in_order, shape, axes, order, dtype, buffers.empty)


def _line_memory(shape: tuple[int, ...], axes: Axes, order: Axes, dtype: Any) -> Callable[[], Array]:
    """What makes the memory of an output that begins on a line of the cache."""
    return functools.partial(empty_in_order, shape, axes, order, dtype, on_line)


def on_line(shape: Sequence[int], dtype: Any) -> Array:
    """Memory that begins on a line of the cache."""
    found = buffers.empty(shape, dtype)
    if _lies(found)[1]:
        return found
    size = math.prod(shape) * np.dtype(dtype).itemsize
    held = np.empty(size + LINE, np.uint8)
    start = -data_address(held) % LINE
    return np.asarray(held[start : start + size].view(dtype).reshape(shape))


def _lies(x: Array) -> tuple[tuple[int, ...], bool]:
    """The strides of an array, and whether it begins on a line of the cache."""
    return x.strides, data_address(x) % LINE == 0


def _small_memory(shape: tuple[int, ...], axes: Axes, order: Axes, dtype: Any) -> Callable[[], Array]:
    """What makes the memory of a small output, in as few steps as possible."""
    if empty_in_order(shape, axes, order, dtype).flags.c_contiguous:
        return functools.partial(np.empty, shape, dtype)
    return functools.partial(empty_in_order, shape, axes, order, dtype)


def printed_kernel(lowered: Lowered) -> Printed:
    """The text of a kernel on vectors of this processor."""
    return print_kernel(lowered, _lanes(lowered))


def _lanes(lowered: Lowered) -> int:
    """How many elements the vectors of a kernel have."""
    width = max([part_size(v.dtype) for v in lowered.values if v.op not in _BESIDE], default=8)
    lanes = compiler.vector_bytes() // width
    if sum(map(cost, lowered.values)) > _MANY and not any(
        scalars.is_function(value.op, value.dtype) for value in lowered.values
    ):
        lanes *= 2
    sums = any(value.op == "reduce" for value in lowered.values) or bool(lowered.finishes)
    if sums and not lowered.form.short and sum(map(cost, lowered.values)) <= _FEW:
        lanes *= _SEVERAL if _sums_at_once(lowered) * _SEVERAL <= compiler.vector_registers() - 4 else _SEVERAL // 2
    return lanes


def _sums_at_once(lowered: Lowered) -> int:
    """How many vectors at most a walk over a row adds up, for each vector of it."""
    rows = sum([value.op == "reduce" for value in lowered.values])
    turns = [sink.turn for sink in lowered.sinks if sink.how != "store"]
    return rows + max(map(turns.count, turns), default=0)


def no_memory(shape: Sequence[int], dtype: Any) -> Array:
    """An array that is only asked for its strides, and where it begins: on a line of the cache."""
    strides, stride = [], np.dtype(dtype).itemsize
    for n in reversed(shape):
        strides.append(stride)
        stride *= max(1, n)
    return np.lib.stride_tricks.as_strided(_LINE.view(dtype)[:1], shape, strides[::-1])


def _partial_strides(partial: Partial, shape: tuple[int, ...], form: Form) -> list[int]:
    """Along each loop; the loop that is cut stands for the parts."""
    strides = [0] * len(form.loops)
    stride = partial.dtype.itemsize
    for loop, n in zip(reversed(sorted(partial.loops)), reversed(shape), strict=False):
        strides[loop] = stride
        stride *= n
    if partial.cut:
        strides[form.pieces] = stride
    return strides


def _call(job: Job, arguments: int) -> None:
    """Run all pieces."""
    case = job.case
    limit = threads.limit() if case.is_shared else 1
    count = min(case.pieces, limit * _MOST_PORTIONS, max(limit * _PORTIONS, case.pieces // 2))
    memory = functools.partial(scratch_memory, job.scratch)
    portions.run(job.compiled, arguments, case.pieces, count, limit, case.work, memory)


def scratch_memory(sizes: Sequence[int]) -> tuple[int, Any]:
    """Where the addresses of memory of so many bytes each are, and what holds it; 0 if there are none."""
    if not sizes:
        return 0, None
    held = [np.empty(size + LINE, np.uint8) for size in sizes]
    addresses = (ctypes.c_int64 * len(held))(*[-(-data_address(x) // LINE) * LINE for x in held])
    return ctypes.addressof(addresses), (addresses, held)
