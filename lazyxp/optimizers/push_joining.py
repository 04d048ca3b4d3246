"""How selections go through ops that repeat, shift and join arrays."""

from __future__ import annotations

from collections.abc import Sequence

from lazyxp.node import Node
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.keys import Entries, Entry, Index, Span, all_of, axis_after, drops, shape_of, span
from lazyxp.optimizers.push_ways import Build, Way, divided, movement, only_part, remade, through, without

# --- repetitions and shifts ------------------------------------------------------------------------------------------


@through("tile", "tile")
def _tile(node: Node, entries: Entries) -> Way | None:
    x = node.args[0]
    if None in node.shape:
        return None
    counts = list(node.params["repetitions"])
    extra = len(counts) - len(x.shape)
    sides = (1,) * extra + x.shape
    own: list[Entry] = []
    changed = {}
    for i, (entry, n) in enumerate(zip(entries, sides, strict=True)):
        inner: Entry = (0, n, 1)
        if counts[i] == 1 and i >= extra:
            inner = entry
        elif entry != (0, node.shape[i], 1):
            local = _in_one_period(entry, n)
            if local is None:
                changed[i] = ((0, node.shape[i], 1), entry)
            else:
                inner, counts[i] = local
        own.append(inner)
    entries, rest = divided(entries, changed)
    if any(type(e) is Index for e in own[:extra]):
        return None
    kept = tuple([c for c, e in zip(counts, entries, strict=True) if not drops(e)])
    target = shape_of(entries)
    if any(c != 1 for c in kept):
        build = movement("tile", node, repetitions=kept)
    else:
        build = only_part if shape_of(own[extra:]) == target else movement("reshape", node, shape=target)
    return Way([(x, tuple(own[extra:]))], build, rest)


def _in_one_period(entry: Entry, n: int) -> tuple[Entry, int] | None:
    """What `entry` selects of an axis of length `n` that is repeated, and how often the selected part is."""
    if type(entry) is int:
        return entry % n, 1
    if type(entry) is Index:
        return None
    start, length, step = entry
    if n == 1:
        return (0, 1, 1), length
    if length == 0:
        return None
    last = start + (length - 1) * step
    return (span(start % n, length, step), 1) if start // n == last // n else None


@through("repeat", "repeat")
def _repeat(node: Node, entries: Entries) -> Way | None:
    """Of the repeated axis, the elements that are needed are repeated, and then trimmed."""
    x, *counts = node.args
    axis, count = node.params["axis"], node.params["count"]
    entry = entries[axis]
    if entry == (0, node.shape[axis], 1) or count is None or x.shape[axis] is None or type(entry) is Index:
        inner, rest = without(entries, node.shape, [axis])
        own = (*inner[:axis], (0, x.shape[axis], 1), *inner[axis + 1 :])
    elif type(entry) is int:
        return Way([(x, (*entries[:axis], entry // count, *entries[axis + 1 :]))], only_part)
    else:
        start, length, step = entry
        if length == 0:
            return None
        last = start + (length - 1) * step
        low, high = min(start, last) // count, max(start, last) // count + 1
        whole: Span = (0, (high - low) * count, 1)
        trimmed = span(start - low * count, length, step)
        own = (*entries[:axis], span(low, high - low, 1), *entries[axis + 1 :])
        inner, rest = divided(entries, {} if trimmed == whole else {axis: (whole, trimmed)})
        inner = (*inner[:axis], whole, *inner[axis + 1 :])
    if own == all_of(x.shape):
        return None
    parts = [(x, own), *[(c, all_of(c.shape)) for c in counts]]
    return Way(parts, remade(node, shape_of(inner), axis=axis_after(axis, own)), rest)


@through("roll", "roll")
def _roll(node: Node, entries: Entries) -> Way | None:
    shifts: dict[int, int] = {}
    for shift, axis in zip(node.params["shift"], node.params["axis"], strict=True):
        shifts[axis] = shifts.get(axis, 0) + shift
    return _rolled(node, entries, shifts)


@through("fftshift", "fft.fftshift fft.ifftshift")
def _fftshift(node: Node, entries: Entries) -> Way | None:
    sign = 1 if node.op.name == "fft.fftshift" else -1
    shape = node.shape
    return _rolled(node, entries, {i: sign * ((shape[i] or 0) // 2) for i in node.params["axes"]})


def _rolled(node: Node, entries: Entries, shifts: dict[int, int]) -> Way | None:
    """What is read of a rolled axis lies in one piece of it, or in two that are joined."""
    x, shape = node.args[0], node.shape
    if None in shape or 0 in shape:
        return None
    own = list(entries)
    stay, left = [], {}
    joined: tuple[int, Entry, Entry] | None = None
    for axis, shift in shifts.items():
        entry, n = entries[axis], shape[axis]
        if entry == (0, n, 1):
            left[axis] = shift
            continue
        pieces = _unrolled(entry, shift, n)
        if not pieces or (len(pieces) == 2 and joined is not None):
            stay.append(axis)
            left[axis] = shift
            own[axis] = (0, n, 1)
        elif len(pieces) == 2:
            joined = (axis, *pieces)
        else:
            own[axis] = pieces[0]
    inner, rest = without(entries, shape, stay)
    if tuple(own) == all_of(shape) and joined is None:
        return None
    roll = _roll_of(node, {axis_after(i, inner): s for i, s in left.items()})
    if joined is None:
        return Way([(x, tuple(own))], roll, rest)
    axis, first, second = joined
    parts = [(x, (*own[:axis], piece, *own[axis + 1 :])) for piece in (first, second)]
    at = axis_after(axis, inner)

    def build(graph: Graph, both: Sequence[Node]) -> Node:
        return roll(graph, [graph.make("concat", *both, site=node.site, axis=at)])

    return Way(parts, build, rest)


def _roll_of(node: Node, shifts: dict[int, int]) -> Build:
    if not shifts:
        return only_part
    return movement("roll", node, shift=tuple(shifts.values()), axis=tuple(shifts))


def _unrolled(entry: Entry, shift: int, n: int) -> list[Entry]:
    """The pieces of an axis of length `n` that `entry` selects once it is rolled; none: it does not say."""
    if type(entry) is int:
        return [(entry - shift) % n]
    if type(entry) is Index:
        return []
    start, length, step = entry
    if step != 1 or length == 0:
        return []
    begin = (start - shift) % n
    if begin + length <= n:
        return [(begin, length, 1)]
    return [(begin, n - begin, 1), (0, begin + length - n, 1)]


# --- joining ---------------------------------------------------------------------------------------------------------


@through("concat", "concat")
def _concat(node: Node, entries: Entries) -> Way | None:
    axis = node.params["axis"]
    sides = [x.shape[axis] for x in node.args]
    entry = entries[axis]
    rest: Entries | None = None
    pieces: list[tuple[Node, Entry]] = []
    if entry == (0, node.shape[axis], 1) or type(entry) is Index or None in sides:
        entries, rest = without(entries, node.shape, [axis])
        pieces = [(x, (0, n, 1)) for x, n in zip(node.args, sides, strict=True)]
    else:
        begin = 0
        for x, n in zip(node.args, sides, strict=True):
            local = _overlap(entry, begin, n)
            if local is not None:
                pieces.append((x, local))
            begin += n
        if not pieces:
            return None
        if type(entry) is tuple and entry[2] < 0:
            pieces.reverse()
    parts = [(x, (*entries[:axis], piece, *entries[axis + 1 :])) for x, piece in pieces]
    if all(part == all_of(x.shape) for x, part in parts) and len(parts) == len(node.args):
        return None
    if len(parts) == 1:
        return Way(parts, only_part, rest)
    return Way(parts, remade(node, shape_of(entries), axis=axis_after(axis, entries)), rest)


def _overlap(entry: Entry, begin: int, n: int) -> Entry | None:
    """What `entry` selects of the `n` elements from `begin` on, counted from there."""
    if type(entry) is int:
        return entry - begin if begin <= entry < begin + n else None
    start, length, step = entry
    if step < 0:
        found = _overlap(span(start + (length - 1) * step, length, -step) if length else entry, begin, n)
        if found is None:
            return None
        first, count, by = found
        return span(first + (count - 1) * by, count, step)
    low = max(0, -((start - begin) // step))
    high = min(length, -((start - begin - n) // step))
    return span(start + low * step - begin, high - low, step) if low < high else None


@through("stack", "stack")
def _stack(node: Node, entries: Entries) -> Way | None:
    axis = node.params["axis"]
    entry = entries[axis]
    args: Sequence[Node] = node.args
    if type(entry) is int:
        return Way([(args[entry], (*entries[:axis], *entries[axis + 1 :]))], only_part)
    rest: Entries | None = None
    if type(entry) is Index or entry[1] == 0:
        entries, rest = without(entries, node.shape, [axis])
    else:
        start, length, step = entry
        args = [args[start + i * step] for i in range(length)]
    own = (*entries[:axis], *entries[axis + 1 :])
    if own == all_of(node.args[0].shape) and len(args) == len(node.args) and rest is not None:
        return None
    build = remade(node, shape_of(entries), axis=axis_after(axis, entries))
    return Way([(x, own) for x in args], build, rest)
