"""The form of a kernel's data in memory: which loops run over it, and how each operand lies along them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from lazyxp.executors.numpy.llvm.windows import LINE, Near, Places, fetched_of, near_of
from lazyxp.kernel import NO_AXIS, Axes, Kernel, scanned

# How an operand lies along a loop: not at all, element by element, the same backwards, or with any other stride.
ABSENT, UNIT, REVERSED, STRIDED = "a", "u", "r", "s"
UNCUT = -1
# No loop at all.
NO_LOOP = -2
# A piece of work has about this many elements, and there are at most so many pieces: what is added up in each does not
# depend on the number of threads. Pieces are smaller, down to a part of that, where there would be fewer than so many:
# threads are then done at about the same time.
_PIECE, _MOST_PIECES = 65_536, 2_048
_FEW_PIECES, _PART = 32, 4
# A piece reads at least so many elements for each sum that it holds.
_PER_PARTIAL = 64
# Sums for so many elements of a result may be held once for each piece of work.
_MOST_PARTIAL = 8_192
# Pieces are at least this long along the axis that memory is read along.
_SHORTEST = 1_024
# And so many where each row is added to those before it.
_BESIDE = 256
# And so many where a scan goes on from one piece to the next: what waits for another thread, and what is read again,
# is in the cache of one processor.
_ON = 32_768
# Rows may end in a vector that reaches back if it has at most so many bytes.
LONGEST = 2 * LINE
# Rows of at most so many elements are short.
_SHORT = 128
# Rows of at most so many bytes, or at least so many, are better added up several at once: what they are added to is
# written so soon after it was read that this takes longer than the rows, or does not stay in the first cache.
_NARROW, _WIDE = 4 * LINE, 8_000
# Outputs of so many bytes do not stay in the cache: to read what they overwrite would be a waste.
_STREAM = 16 << 20
# And go past it in parts of at least so many bytes.
_LEAST_STREAM = 16
# No more inputs than these are walked over from end to end: more are mostly parts of the same memory.
_MOST_AHEAD = 2
# After rows of so many bytes, little is lost by what is fetched beyond their end.
_LONG = 1 << 15
# So many elements along each of the last two loops are a tile, and so many rows at least are in one piece of work.
TILE, _TILE_ROWS = 128, 64

Strides = tuple[tuple[int, ...], ...]


class Form(NamedTuple):
    """What the code of a kernel depends on, besides the kernel.

    Attributes
    ----------
    loops : tuple of (tuple of int)
        The axes that each loop runs along, outermost loop and axis first. Axes that operands are indexed along come
        before all others, and nothing runs along them.
    outer : int
        How many of the loops are around everything else.
    pieces : int
        The loop that is cut into pieces of work, or `UNCUT` if everything is one piece.
    layout : tuple of str
        For each operand (inputs, then outputs), how it lies along each loop.
    short : bool
        Whether rows, along the last loop, are so short that their sums need no care for rounding errors.
    streams : int
        If this is not 0, outputs go past the cache. They begin on a `LINE` then, and all rows on a multiple of so many
        bytes; if it is 1, the elements before the first line of each row are stored one by one.
    turned : tuple of int
        Inputs that lie element by element along the last loop but one: the last two loops are walked in tiles, so that
        each line of the cache is read once.
    near : tuple of Near
        Inputs that are read near others, along the last loop and the one around it.
    fetched : tuple of int
        Inputs whose next row is brought into the cache while a row is read.
    ahead : tuple of int
        Inputs that are walked over from end to end: what comes later can be brought into the cache on the way.
    several : bool
        Whether several rows that are added to the same are better walked at once.
    overlaps : bool
        Whether no row is shorter than vectors of `LONGEST` bytes: the last one may reach back into the one before it.
    """

    loops: tuple[Axes, ...]
    outer: int
    pieces: int
    layout: tuple[str, ...]
    short: bool
    streams: int
    turned: tuple[int, ...]
    near: tuple[Near, ...] = ()
    fetched: tuple[int, ...] = ()
    ahead: tuple[int, ...] = ()
    several: bool = False
    overlaps: bool = False


class Space(NamedTuple):
    """The numbers that go with a form: the code is the same for all of them.

    Attributes
    ----------
    lengths : tuple of int
        Of the loops.
    strides : tuple of (tuple of int)
        Of each operand along each loop, in bytes.
    step : int
        The length of a piece of work.
    """

    lengths: tuple[int, ...]
    strides: Strides
    step: int


def is_cut(kernel: Kernel) -> bool:
    """Whether a kernel is so large that it is cut into pieces of work."""
    return kernel.largest() > _PIECE


def form_of(
    kernel: Kernel,
    operands: Sequence[Any],
    axes: Sequence[Axes],
    order: Axes,
    places: Places,
    *,
    on_lines: bool = True,
    overlaps: bool = True,
) -> tuple[Form, Space]:
    """The form of a kernel whose operands (inputs, then outputs) are these arrays, read in this order of the axes.

    `places` says which inputs are windows of the same memory; `on_lines`, whether large outputs will begin on a line of
    the cache; and `overlaps`, whether rows are never shorter than here.
    """
    # Rows within rows are inside: their axes are reduced by more of the reductions.
    gone = [found for one in kernel.body if (found := (*one.reduced, *scanned(one)))]
    times = [sum([a in found for found in gone]) for a in range(len(kernel.lengths))]
    indexed = kernel.looked_up
    on = kernel.scanned_on
    along_outer = _scanned_outside(kernel, order)
    cut = order if along_outer else kernel.cut
    whole = sorted([a for a in order if a not in (*cut, *indexed)], key=times.__getitem__)
    order = (*indexed, *sorted([a for a in order if a in cut], key=on.__contains__), *whole)
    along = [
        {a: s for a, s, n in zip(dims, x.strides, x.shape, strict=True) if n != 1 and s != 0}
        for x, dims in zip(operands, axes, strict=True)
    ]
    loops = _collapsed(kernel, order, along)
    total = kernel.largest()
    turned: tuple[int, ...] = ()
    plain = not whole and not along_outer and not on
    if plain and _is_narrow(kernel, loops[len(indexed) :], max([x.dtype.itemsize for x in operands])):
        loops = (*loops[:-2], *reversed(loops[-2:]))
    if total > _PIECE and plain and not any(one.reduced for one in kernel.body):
        walked = {
            k: (operands[k].dtype.itemsize, along[k])
            for k, axes in enumerate(kernel.inputs)
            if not set(axes).intersection(indexed)
        }
        loops, turned = _turned(loops, len(indexed), walked)
    lengths = tuple([_length(kernel, loop) for loop in loops])
    strides = tuple([tuple([found.get(loop[-1], 0) if loop else 0 for loop in loops]) for found in along])
    outer = sum([loop[0] not in whole for loop in loops if loop]) if whole else len(loops) - 1
    layout = tuple(
        [
            "".join(
                [
                    _letter(s, x.dtype.itemsize) if i >= outer else (STRIDED if s else ABSENT)
                    for i, s in enumerate(strides[k])
                ]
            )
            for k, x in enumerate(operands)
        ]
    )
    short = lengths[-1] <= _SHORT
    size = max([part_size(x.dtype) for x in operands])
    overlaps = overlaps and not turned and lengths[-1] * size >= LONGEST
    row = lengths[-1] * max([x.dtype.itemsize for x in operands])
    several = len(loops) > 1 and any([loops[-2][0] in found for found in gone]) and not _NARROW < row < _WIDE
    if total <= _PIECE:
        form = Form(loops, outer, UNCUT, layout, short, 0, (), several=several, overlaps=overlaps)
        return form, Space(lengths, strides, 0)
    if on:
        pieces, wanted = len(loops) - 1, _ON
    else:
        pieces = _cut_loop(kernel, loops, lengths, len(indexed), outer if whole else len(loops))
        least = min(_PIECE, max(total // _FEW_PIECES, _PIECE // _PART))
        wanted = max(least, total // _MOST_PIECES, _PER_PARTIAL * _partial(kernel, loops[pieces]))
    rest = max(1, total // max(1, lengths[pieces]))
    step = max(1, wanted // rest)
    if pieces == len(loops) - 1:
        shortest = _BESIDE if along_outer else _SHORTEST
        step = max(step, shortest) // shortest * shortest
    elif turned and pieces == len(loops) - 2:
        step = -(-step // _TILE_ROWS) * _TILE_ROWS
    outputs = operands[len(kernel.inputs) :]
    first = len(kernel.inputs)
    begin = math.gcd(LINE, *[step for own in strides[first:] for step in own[:-1]])  # all rows on a multiple of it
    past = on_lines and (begin == LINE or (len(outputs) == 1 and not turned))
    past = past and all(x.size == total and x.nbytes >= _STREAM for x in outputs)
    past = past and all(how[-1] == UNIT for how in layout[first:])
    alike = [(axes, strides[k]) if layout[k][-1] == UNIT else None for k, axes in enumerate(kernel.inputs)]
    steps = [own[-2] if len(loops) > 1 else 0 for own in strides]
    near = near_of(places, [x.dtype for x in operands], alike, steps)
    # Rows that share what they load are walked together, wherever they begin; others better begin on a line.
    streams = (begin if begin >= (_LEAST_STREAM if near else LINE) else 1) if past else 0
    fetched = fetched_of(near, operands)
    part = step if pieces == len(loops) - 1 else lengths[-1]
    ahead = () if near or turned else _ahead(operands[:first], layout, lengths, strides, part)
    overlaps = overlaps and part * size >= LONGEST
    form = Form(loops, outer, pieces, layout, short, streams, turned, near, fetched, ahead, several, overlaps)
    return form, Space(lengths, strides, step)


def _ahead(
    inputs: Sequence[Any], layout: Sequence[str], lengths: Sequence[int], strides: Strides, part: int
) -> tuple[int, ...]:
    """The inputs that are walked over from end to end, or in long parts of rows; none if those are many."""
    found = []
    for k, x in enumerate(inputs):
        whole = len(lengths) == 1 or (part >= lengths[-1] and strides[k][-2] == lengths[-1] * x.dtype.itemsize)
        long = len(lengths) > 1 and strides[k][-2] and part * x.dtype.itemsize >= _LONG
        if layout[k][-1] == UNIT and (whole or long):
            found.append(k)
    return tuple(found) if len(found) <= _MOST_AHEAD else ()


def _scanned_outside(kernel: Kernel, order: Axes) -> bool:
    """Whether rows are added to the rows before them: scans along an axis that is not the last one in memory."""
    scans = {a for one in kernel.body for a in scanned(one)}
    whole = set(order).difference(kernel.cut)
    return len(scans) == 1 and scans == whole and order[-1] not in scans and not any(one.reduced for one in kernel.body)


def _is_narrow(kernel: Kernel, loops: Sequence[Axes], size: int) -> bool:
    """Whether the last loop is too short for vectors of elements of this size, and the one around it is better."""
    if len(loops) < 2:
        return False
    outer, last = loops[-2:]
    short = _length(kernel, last) * size < LINE and _length(kernel, last) < _length(kernel, outer)
    return short and all(last[0] not in one.reduced or outer[0] in one.reduced for one in kernel.body)


def _turned(
    loops: tuple[Axes, ...], first: int, inputs: dict[int, tuple[int, dict[int, int]]]
) -> tuple[tuple[Axes, ...], tuple[int, ...]]:
    """The inputs that lie element by element along a loop from `first` on, and the loops with that one last but one.

    Each input is given as the size of its elements and its strides along axes.
    """
    found: dict[Axes, list[int]] = {}
    for k, (size, strides) in inputs.items():
        if size <= 8 and abs(strides.get(loops[-1][-1], 0) if loops[-1] else 0) >= LINE:
            for loop in loops[first:-1]:
                if strides.get(loop[-1], 0) == size:
                    found.setdefault(loop, []).append(k)
    if not found:
        return loops, ()
    chosen = max(found, key=lambda loop: len(found[loop]))
    return (*[loop for loop in loops[:-1] if loop != chosen], chosen, loops[-1]), tuple(found[chosen])


def _length(kernel: Kernel, loop: Axes) -> int:
    return math.prod([kernel.lengths[a] for a in loop])


def part_size(dtype: Any) -> int:
    """The bytes of a number, or of a part of a complex one, which vectors have as many of as of numbers."""
    return int(dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize)


def _letter(stride: int, itemsize: int) -> str:
    return {0: ABSENT, itemsize: UNIT, -itemsize: REVERSED}.get(stride, STRIDED)


def _collapsed(kernel: Kernel, order: Axes, along: Sequence[dict[int, int]]) -> tuple[Axes, ...]:
    """The axes in this order, those that all operands have one after the other in memory as one loop."""
    if len(order) < 2:
        return (tuple(order),)
    together = {frozenset(axes) for one in kernel.body for axes in (one.axes, one.reduced, scanned(one))}
    together.update([frozenset(axes) for axes in kernel.inputs])
    together.update([frozenset((axis,)) for axis in kernel.looked_up])
    together.add(frozenset(kernel.cut))
    loops: list[list[int]] = []
    for b in order:
        a = loops[-1][-1] if loops else None
        if (
            a is not None
            and all((a in some) == (b in some) for some in together)
            and all(found.get(a, 0) == found.get(b, 0) * kernel.lengths[b] for found in along)
        ):
            loops[-1].append(b)
        else:
            loops.append([b])
    return tuple([tuple(loop) for loop in loops]) or ((),)


def _partial(kernel: Kernel, loop: Axes) -> int:
    """How many elements are added up in each piece if a loop is cut."""
    return max(
        [
            math.prod([kernel.lengths[a] for a in one.axes if a != NO_AXIS])
            for one in kernel.body
            if {*loop} & {*one.reduced}
        ],
        default=0,
    )


def _cut_loop(kernel: Kernel, loops: Sequence[Axes], lengths: Sequence[int], first: int, count: int) -> int:
    """Which loop from `first` to before `count` is cut: the outermost long one along which little is added up."""
    scans = {a for one in kernel.body for a in scanned(one)}
    held = {i: _partial(kernel, loops[i]) for i in range(first, max(1, count)) if not scans.intersection(loops[i])}
    fitting = [i for i, n in held.items() if n <= _MOST_PARTIAL] or [min(held, key=held.__getitem__)]
    long = [i for i in fitting if lengths[i] >= 16]
    return long[0] if long else max(fitting, key=lambda i: lengths[i])
