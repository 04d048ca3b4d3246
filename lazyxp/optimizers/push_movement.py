"""How selections go through ops that move the elements of one array."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from lazyxp.node import Node
from lazyxp.optimizers.keys import (
    Entries,
    Entry,
    Index,
    all_of,
    axis_after,
    drops,
    selection_of,
    shape_of,
    span,
    within,
)
from lazyxp.optimizers.push_ways import Way, aligned, movement, only_part, remade, through, without


@through("another", "getitem take gather")
def _selection(node: Node, entries: Entries) -> Way | None:
    """One selection of both; but an index must be checked against the very axis that it indexes."""
    found = selection_of(node)
    if found is None:
        return None
    inner, new = found
    x, shape = node.args[0], node.shape
    own: list[Entry] = list(inner)
    kept = iter([i for i, e in enumerate(inner) if not drops(e)])
    stay = []
    for i, entry in enumerate(entries):
        axis = None if i in new else next(kept)
        if entry == (0, shape[i], 1):
            continue
        if axis is None:
            if type(entry) is not int:
                stay.append(i)
        elif type(inner[axis]) is Index or (type(entry) is Index and inner[axis] != (0, x.shape[axis], 1)):
            stay.append(i)
        else:
            own[axis] = entry if type(entry) is Index else within(inner[axis], entry)
    entries, rest = without(entries, shape, stay)
    places = tuple([axis_after(i, entries) for i in new if not drops(entries[i])])
    if tuple(own) == inner and len(places) == len(new):
        return None
    return Way([(x, tuple(own))], movement("expand_dims", node, axis=places) if places else only_part, rest)


@through("permute_dims", "permute_dims")
def _permute_dims(node: Node, entries: Entries) -> Way:
    axes = node.params["axes"]
    own = list(entries)
    for entry, axis in zip(entries, axes, strict=True):
        own[axis] = entry
    left = [axis_after(axis, tuple(own)) for axis, entry in zip(axes, entries, strict=True) if not drops(entry)]
    build = only_part if left == sorted(left) else movement("permute_dims", node, axes=tuple(left))
    return Way([(node.args[0], tuple(own))], build)


@through("expand_dims", "expand_dims")
def _expand_dims(node: Node, entries: Entries) -> Way:
    new = node.params["axis"]
    entries, rest = without(entries, node.shape, [i for i in new if type(entries[i]) is not int])
    own = tuple([e for i, e in enumerate(entries) if i not in new])
    places = tuple([axis_after(i, entries) for i in new if not drops(entries[i])])
    return Way([(node.args[0], own)], movement("expand_dims", node, axis=places) if places else only_part, rest)


@through("squeeze", "squeeze")
def _squeeze(node: Node, entries: Entries) -> Way | None:
    x = node.args[0]
    gone = node.params["axis"]
    if any(x.shape[i] != 1 for i in gone):
        return None
    left = iter(entries)
    return Way([(x, tuple([0 if i in gone else next(left) for i in range(len(x.shape))]))], only_part)


@through("flip", "flip")
def _flip(node: Node, entries: Entries) -> Way | None:
    """What is read of a flipped axis is read from behind, which leaves nothing to flip there."""
    axes, shape = node.params["axis"], node.shape
    entries, rest = without(entries, shape, [i for i in axes if type(entries[i]) is Index])
    own = list(entries)
    left = []
    for i in axes:
        entry, n = entries[i], shape[i]
        if entry == (0, n, 1):
            left.append(axis_after(i, entries))
        elif n is None:
            return None
        else:
            own[i] = within((n - 1, n, -1), entry)
    return Way([(node.args[0], tuple(own))], movement("flip", node, axis=tuple(left)) if left else only_part, rest)


@through("broadcast_to", "broadcast_to")
def _broadcast_to(node: Node, entries: Entries) -> Way | None:
    (x,) = node.args
    shape = node.shape
    extra = len(shape) - len(x.shape)
    copied = [i for i, n in enumerate(shape) if i < extra or x.shape[i - extra] != n]
    entries, rest = without(entries, shape, [i for i in copied if type(entries[i]) is Index])
    own = aligned(x.shape, shape, entries)
    if own is None:
        return None
    target = shape_of(entries)
    return Way([(x, own)], only_part if shape_of(own) == target else remade(node, target, shape=target), rest)


# --- reshape ---------------------------------------------------------------------------------------------------------


@through("reshape", "reshape")
def _reshape(node: Node, entries: Entries) -> Way | None:
    """Axes are compared in groups of equal size, for each of which the selection is found anew."""
    x = node.args[0]
    old, new = x.shape, node.shape
    if None in old or None in new or 0 in new:
        return None
    own: list[Entry] = list(all_of(old))
    stay = []
    for before, after in _groups(old, new):
        group = [entries[i] for i in after]
        if all(e == (0, new[i], 1) for e, i in zip(group, after, strict=True)):
            continue
        found = _regrouped([old[i] for i in before], [new[i] for i in after], group)
        if found is None:
            stay += list(after)
        else:
            for i, entry in zip(before, found, strict=True):
                own[i] = entry
    entries, rest = without(entries, new, stay)
    target = shape_of(entries)
    build = only_part if shape_of(own) == target else remade(node, target, shape=target)
    return Way([(x, tuple(own))], build, rest)


def _groups(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[range, range]]:
    """The shortest runs of axes of `old` and `new` that hold equally many elements."""
    i = j = 0
    while i < len(old) or j < len(new):
        start, first = i, j
        mine = theirs = 1
        if i < len(old):
            mine, i = old[i], i + 1
        if j < len(new):
            theirs, j = new[j], j + 1
        while mine != theirs:
            if (mine < theirs and i < len(old)) or j == len(new):
                mine, i = mine * old[i], i + 1
            else:
                theirs, j = theirs * new[j], j + 1
        yield range(start, i), range(first, j)


def _regrouped(old: Sequence[Any], new: Sequence[Any], entries: Sequence[Entry]) -> list[Entry] | None:
    """What `entries` of axes `new` are of the axes `old` that were reshaped to them; None if they do not go through."""
    long_old = [i for i, n in enumerate(old) if n != 1]
    long_new = [i for i, n in enumerate(new) if n != 1]
    if any(entries[i] not in (0, (0, 1, 1)) for i in range(len(new)) if i not in long_new):
        return None
    found: list[Entry] = [0] * len(old)
    if len(long_old) == 1 and len(long_new) == 1:
        found[long_old[0]] = entries[long_new[0]]
        return found
    if not long_new or not all(type(e) is not Index for e in entries):
        return None
    sides = [new[i] for i in long_new]
    flat = _flat([entries[i] for i in long_new], sides)
    if flat is None:
        return None
    start, length = flat
    for place, i in enumerate(long_old):
        inner = math.prod(old[j] for j in long_old[place + 1 :])
        if length % inner == 0 and start % inner == 0:
            found[i] = span(start // inner, length // inner, 1)
            for j in long_old[place + 1 :]:
                found[j] = (0, old[j], 1)
            return found
        if (start + length - 1) // inner != start // inner:
            return None
        found[i] = start // inner
        start %= inner
    return None


def _flat(entries: Sequence[Entry], sides: Sequence[int]) -> tuple[int, int] | None:
    """Where the elements that `entries` select begin and how many they are, if they lie one after the other."""
    start, length = 0, 1
    is_run = False
    for entry, n in zip(entries, sides, strict=True):
        if is_run:
            if entry != (0, n, 1):
                return None
            start, length = start * n, length * n
        elif type(entry) is int:
            start = start * n + entry
        else:
            first, length, step = entry
            if step != 1 or length == 0:
                return None
            start = start * n + first
            is_run = True
    return start, length


# --- diagonals -------------------------------------------------------------------------------------------------------


@through("diagonal", "linalg.diagonal")
def _diagonal(node: Node, entries: Entries) -> Way | None:
    """The square around the part of the diagonal that is needed."""
    x = node.args[0]
    offset = node.params["offset"]
    if None in x.shape[-2:]:
        return None
    row, column = max(0, -offset), max(0, offset)
    entry = entries[-1]
    if type(entry) is int:
        return Way([(x, (*entries[:-1], row + entry, column + entry))], only_part)
    if type(entry) is Index or entry[1] == 0:
        inner, rest = without(entries, node.shape, [len(entries) - 1])
        own = (*inner[:-1], *all_of(x.shape[-2:]))
        return None if own == all_of(x.shape) else Way([(x, own)], remade(node, shape_of(inner)), rest)
    own = (*entries[:-1], within((row, 0, 1), entry), within((column, 0, 1), entry))
    return Way([(x, own)], remade(node, shape_of(entries), offset=0))
