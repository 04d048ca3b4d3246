"""Selections: what is read of each axis of an array, in a form that composes.

Recorded keys hold slices, whose meaning depends on the length of the axis and which cannot be dictionary keys. A
selection has one entry for each axis: an int (the axis goes away), a span ``(start, length, step)``, or an `Index`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from lazyxp.api.indexing import ARRAY, GETITEM
from lazyxp.node import Node, Shape, Site
from lazyxp.optimizers.graph import Graph

Key = tuple[Any, ...]
Span = tuple[int, Any, int]  # the length is None where that of the axis is unknown, and all of it is read
_ALL = slice(None, None, None)


class Index(NamedTuple):
    """An entry that is an integer array of zero or one dimension, read by `op`: "take" or "gather"."""

    node: Node
    op: str


# An int, a Span or an Index: mypy does not tell tuples apart by what they hold.
Entry = Any
Entries = tuple[Entry, ...]


def span(start: int, length: int, step: int) -> Span:
    """A span, written in one way."""
    if length == 0:
        return (0, 0, 1)
    return (start, length, 1 if length == 1 else step)


def all_of(shape: Shape) -> Entries:
    """The selection of everything."""
    return tuple([(0, n, 1) for n in shape])


def is_all(entries: Entries, shape: Shape) -> bool:
    """Whether everything is selected, as it is."""
    return entries == all_of(shape)


def drops(entry: Entry) -> bool:
    """Whether the axis goes away."""
    return type(entry) is int or (type(entry) is Index and not entry.node.shape)


def shape_of(entries: Sequence[Entry]) -> Shape:
    """The shape that is selected."""
    shape: list[int | None] = []
    for entry in entries:
        if type(entry) is tuple:
            shape.append(entry[1])
        elif type(entry) is Index:
            shape += entry.node.shape
    return tuple(shape)


def size_of(shape: Shape) -> int:
    """The number of elements; unknown sides count as 1, as they do not change."""
    size = 1
    for n in shape:
        if n is not None:
            size *= n
    return size


def axis_after(axis: int, entries: Entries) -> int:
    """What `axis` is called once `entries` are selected."""
    return axis - sum(map(drops, entries[:axis]))


# --- between keys and selections -------------------------------------------------------------------------------------


def parse(shape: Shape, key: Key) -> tuple[Entries, tuple[int, ...]] | None:
    """What a basic key selects, and where the result then has new axes; None where a length has to be known."""
    entries: list[Entry] = []
    new: list[int] = []
    place = 0
    for part in key:
        if part is None:
            new.append(place)
            place += 1
            continue
        n = shape[len(entries)]
        if type(part) is slice:
            place += 1
            if part == _ALL:
                entries.append((0, n, 1))
                continue
            if n is None:
                return None
            read = range(*part.indices(n))
            entries.append(span(read.start, len(read), read.step))
        elif n is None or part < 0:
            return None
        else:
            entries.append(part)
    return tuple(entries), tuple(new)


def selection_of(node: Node) -> tuple[Entries, tuple[int, ...]] | None:
    """What a node of getitem, take or gather selects of its first operand, and its new axes; None: more than that."""
    x = node.args[0]
    name = node.op.name
    if name == "getitem":
        return parse(x.shape, node.params["key"])
    index = node.args[1]
    if len(node.args) != 2 or index.dtype.kind not in "iu" or len(index.shape) > 1 or None in index.shape:
        return None
    if name == "take":
        axis = node.params["axis"]
    else:
        key = node.params["key"]
        if len(key) != len(x.shape) or any(part != _ALL and part != ARRAY for part in key):
            return None
        axis = key.index(ARRAY)
    if x.shape[axis] is None:
        return None
    entries = list(all_of(x.shape))
    return (*entries[:axis], Index(index, name), *entries[axis + 1 :]), ()


def key_of(entries: Entries, shape: Shape) -> Key:
    """The canonical key that selects `entries`, which hold no `Index`, from an array of `shape`."""
    return tuple([e if type(e) is int else _slice(e, n) for e, n in zip(entries, shape, strict=True)])


def _slice(entry: Span, n: int | None) -> slice:
    start, length, step = entry
    if start == 0 and length == n and step == 1:
        return _ALL
    if length == 0:
        return slice(0, 0, 1)
    last = start + (length - 1) * step
    if step > 0:
        return slice(start, last + 1, step)
    return slice(start, last - 1 if last > 0 else None, step)


# --- composing -------------------------------------------------------------------------------------------------------


def within(inner: Entry, outer: Entry) -> Entry:
    """What `outer` selects of the span `inner`, as an entry of the axis that `inner` selects from."""
    start, _, step = inner
    if type(outer) is int:
        return start + step * outer
    first, length, by = outer
    return span(start + step * first, length, step * by)


# --- nodes -----------------------------------------------------------------------------------------------------------


def select(graph: Graph, x: Node, entries: Entries, site: Site) -> Node:
    """The node that selects `entries` of `x`, whose `Index` entries hold nodes of the new graph."""
    shape = x.shape
    if is_all(entries, shape):
        return x
    at = [i for i, e in enumerate(entries) if type(e) is Index]
    if at:
        basic = tuple([(0, shape[i], 1) if type(e) is Index else e for i, e in enumerate(entries)])
        x = select(graph, x, basic, site)
        for i in reversed(at):  # from the back, so that axes keep their numbers
            x = _indexed(graph, x, axis_after(i, basic), entries[i], site)
        return x
    params = {"key": key_of(entries, shape)}
    return graph.intern(Node(GETITEM, (x,), params, shape_of(entries), x.dtype, site))


def _indexed(graph: Graph, x: Node, axis: int, index: Any, site: Site) -> Node:
    if index.op == "take":
        return graph.make("take", x, index.node, site=site, axis=axis)
    key = tuple([ARRAY if i == axis else _ALL for i in range(len(x.shape))])
    return graph.make("gather", x, index.node, site=site, key=key)
