"""How selections go through assignments: to what was written, to what it was written into, or to both."""

from __future__ import annotations

from collections.abc import Sequence

from lazyxp.node import Node, Shape
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.keys import Entries, Entry, Index, drops, key_of, shape_of, span
from lazyxp.optimizers.push_ways import Way, only_part, through

# Where what is selected of an axis meets what was written of it: as an entry of the selection, and of the value. None:
# there is no such axis.
Meeting = tuple[Entry | None, Entry | None]
_NOWHERE: Meeting = ((0, 0, 1), (0, 0, 1))


@through("setitem", "setitem")
def _setitem(node: Node, entries: Entries) -> Way | None:
    x, value = node.args
    if None in x.shape or None in value.shape or value.dtype != node.dtype:
        return None
    put: list[Entry] = []
    own: list[Entry] = []
    lengths: list[int] = []
    for entry, part, n in zip(entries, node.params["key"], x.shape, strict=True):
        written: Entry = part
        if type(part) is slice:
            read = range(*part.indices(n))
            written = span(read.start, len(read), read.step)
            lengths.append(len(read))
        found = _meeting(entry, written, n)
        if found is None:
            return None
        if found == _NOWHERE:
            return Way([(x, entries)], only_part)
        place, mine = found
        if place is not None:
            put.append(place)
        if mine is not None:
            own.append(mine)
    wanted = _of_value(value.shape, own, lengths)
    if wanted is None:
        return None
    target = shape_of(entries)
    if all(n == 1 if type(e) is int else e == (0, n, 1) for e, n in zip(put, target, strict=True)):
        checked = sum(type(e) is Index for e in entries)
        if sum(type(e) is Index for e in wanted) != checked:
            return None  # an index would not be checked any more
        region = tuple([n for e, n in zip(put, target, strict=True) if type(e) is not int])
        return _of_written(node, value, wanted, region, target)
    key = key_of(tuple(put), target)

    def build(graph: Graph, parts: Sequence[Node]) -> Node:
        return graph.make("setitem", *parts, site=node.site, key=key)

    return Way([(x, entries), (value, wanted)], build)


def _of_written(node: Node, value: Node, wanted: Entries, region: Shape, target: Shape) -> Way:
    """All that is selected was written: it is the value, broadcast to the `region` and given its axes of length 1."""

    def build(graph: Graph, parts: Sequence[Node]) -> Node:
        (part,) = parts
        if part.shape != region:
            part = graph.make("broadcast_to", part, site=node.site, shape=region)
        if region != target:
            part = graph.make("reshape", part, site=node.site, shape=target)
        return part

    return Way([(value, wanted)], build)


def _of_value(shape: Shape, own: Sequence[Entry], lengths: Sequence[int]) -> Entries | None:
    """What `own`, which is told for the region that was written, needs of a value that was broadcast to it."""
    extra = len(own) - len(shape)
    if extra < 0:
        return None
    found: list[Entry] = []
    for side, n, entry in zip(shape, lengths[extra:], own[extra:], strict=True):
        found.append(entry if side == n else 0 if drops(entry) else (0, 1, 1))
    return tuple(found)


def _meeting(entry: Entry, written: Entry, n: int) -> Meeting | None:
    """Where the two meet, `_NOWHERE`, or None if it cannot be said."""
    if written == (0, n, 1):
        place = None if drops(entry) else (0, shape_of((entry,))[0], 1)
        return place, entry
    if type(entry) is Index:
        return None
    if type(written) is int:
        if type(entry) is int:
            return (None, None) if entry == written else _NOWHERE
        at = _place_in(entry, written)
        return _NOWHERE if at is None else (at, None)
    if type(entry) is int:
        at = _place_in(written, entry)
        return _NOWHERE if at is None else (None, at)
    return _spans_meeting(entry, written)


def _place_in(entry: Entry, element: int) -> int | None:
    """Which element of a span `element` is."""
    start, length, step = entry
    at, left = divmod(element - start, step)
    return at if left == 0 and 0 <= at < length else None


def _spans_meeting(entry: Entry, written: Entry) -> Meeting | None:
    start, length, step = entry
    begin, count, by = written
    if length == 0 or count == 0:
        return _NOWHERE
    if length == 1:
        at = _place_in(written, start)
        return _NOWHERE if at is None else ((0, 1, 1), (at, 1, 1))
    if count == 1:
        at = _place_in(entry, begin)
        return _NOWHERE if at is None else ((at, 1, 1), (0, 1, 1))
    if step == by:
        shift, left = divmod(begin - start, step)  # element 0 of the value is element `shift` of the selection
        low, high = max(0, shift), min(length, shift + count)
        if left or low >= high:
            return _NOWHERE
        return span(low, high - low, 1), span(low - shift, high - low, 1)
    ends, edges = (start, start + (length - 1) * step), (begin, begin + (count - 1) * by)
    if max(ends) < min(edges) or max(edges) < min(ends):
        return _NOWHERE
    if by == 1 and min(edges) <= min(ends) and max(ends) <= max(edges):
        return (0, length, 1), span(start - begin, length, step)
    return None
