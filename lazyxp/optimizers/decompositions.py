"""Decompositions: ops in terms of other ops, for executors that lack them.

Each function has the parameters of its op's node, and records with the public functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import lazyxp as xp
from lazyxp.api.array import Array
from lazyxp.api.indexing import ARRAY, Key
from lazyxp.api.recording import current
from lazyxp.node import Node, walk


def decompose(node: Node, args: tuple[Node, ...]) -> Node:
    """The decomposition of `node` on `args`; its new nodes carry the user's line of `node`."""
    replacement = current(DECOMPOSITIONS[node.op.name](*[Array(a) for a in args], **node.params))
    old = set(args)
    for new in walk([replacement]):
        if new not in old and new.value is None and new.op is not node.op:
            new.site = node.site
    return replacement


# --- advanced indexing -----------------------------------------------------------------------------------------------


def _gather(x: Array, *indices: Array, key: Key) -> Array:
    """Basic part first; then the indexed axes in front, flattened, taken from, and put where NumPy puts them."""
    layout = _Layout(x, key, indices)
    taken = xp.take(layout.flat, xp.reshape(layout.positions, (-1,)), axis=0)
    shape = (*layout.positions.shape, *layout.rest)
    return layout.arrange(xp.reshape(taken, shape))


def _scatter(x: Array, value: Array, *indices: Array, key: Key) -> Array:
    """The inverse: for each flat position the last value written to it, found by sorting the positions."""
    layout = _Layout(x, key, indices)
    target = (*layout.positions.shape, *layout.rest)
    values = layout.disarrange(xp.broadcast_to(value, layout.arranged_shape))
    values = xp.reshape(xp.broadcast_to(values, target), (-1, *layout.rest))
    positions = xp.reshape(layout.positions, (-1,))
    count = layout.flat.shape[0]
    if positions.shape[0] == 0 or count == 0:
        return x
    order = xp.argsort(positions, stable=True)
    ordered = xp.take(positions, order)
    here = xp.arange(count)
    last = xp.searchsorted(ordered, here, side="right") - 1
    found = xp.maximum(last, 0)
    hit = xp.logical_and(last >= 0, xp.take(ordered, found) == here)
    written = xp.take(values, xp.take(order, found), axis=0)
    hit = xp.reshape(hit, (count,) + (1,) * len(layout.rest))
    whole = xp.reshape(xp.where(hit, written, layout.flat), layout.front_shape)
    moved = xp.permute_dims(whole, layout.back)
    if layout.basic == (slice(None),) * x.ndim:
        return moved
    result = xp.asarray(x, copy=True)
    result[layout.basic] = moved
    return result


class _Layout:
    """How a key with index arrays sees `x`: indexed axes in front as one flat axis, the other axes behind."""

    def __init__(self, x: Array, key: Key, indices: tuple[Array, ...]) -> None:
        arrays = iter(indices)
        advanced: list[tuple[int, Array]] = []  # axis of the basic result -> positions along it
        basic: list[Any] = []
        axis = kept = 0
        places: list[int] = []
        news: list[int] = []
        for place, entry in enumerate(key):
            if entry is None:
                news.append(kept)
                kept += 1
            elif type(entry) is str:
                index = next(arrays)
                places.append(place)
                if not places[1:]:
                    first = kept
                expanded = xp.nonzero(index) if index.dtype.kind == "b" and index.ndim else [index]
                if index.dtype.kind == "b" and index.ndim == 0:
                    advanced.append((-1, xp.nonzero(xp.reshape(index, (1,)))[0]))
                    continue
                for one in expanded:
                    advanced.append((axis, one))
                    basic.append(slice(None))
                    axis += 1
            elif isinstance(entry, int):
                places.append(place)
                if not places[1:]:
                    first = kept
                advanced.append((axis, xp.asarray(entry)))
                basic.append(slice(None))
                axis += 1
            else:
                basic.append(entry)
                axis += 1
                kept += 1
        self.basic = tuple(basic)
        viewed = x[self.basic] if self.basic else x
        sides = viewed.shape
        front = [a for a, _ in advanced if a >= 0]
        others = [a for a in range(viewed.ndim) if a not in front]
        self.front_shape = tuple(sides[a] for a in (*front, *others))
        order = (*front, *others)
        self.back = tuple(order.index(a) for a in range(viewed.ndim))
        moved = xp.permute_dims(viewed, order) if order else viewed
        rest = tuple(sides[a] for a in others)
        self.flat = xp.reshape(moved, (math.prod(sides[a] for a in front), *rest))
        self.positions = self._flatten(advanced, sides)
        self.rest = self._insert_new(rest, news, first, kept)
        self.flat = xp.reshape(self.flat, (self.flat.shape[0], *self.rest))
        apart = places != list(range(places[0], places[-1] + 1))
        self.at = 0 if apart else first

    def _flatten(self, advanced: list[tuple[int, Array]], sides: tuple[Any, ...]) -> Array:
        """The flat position of each selected element, negative indices counted from the front."""
        positions: Array | None = None
        for axis, index in advanced:
            if axis < 0:
                wide, side = index * 0, 1
            else:
                side = sides[axis]
                wide = xp.astype(index, xp.int64)
                wide = xp.where(wide < 0, wide + side, wide)
            positions = wide if positions is None else positions * side + wide
        assert positions is not None
        return positions

    def _insert_new(self, rest: tuple[int, ...], news: list[int], first: int, kept: int) -> tuple[int, ...]:
        sides = iter(rest)
        return tuple(1 if i in news else next(sides) for i in range(kept))

    @property
    def arranged_shape(self) -> tuple[int, ...]:
        """The shape of ``x[key]``."""
        return (*self.rest[: self.at], *self.positions.shape, *self.rest[self.at :])

    def arrange(self, x: Array) -> Array:
        """From positions in front to positions where NumPy puts them."""
        n = self.positions.ndim
        return xp.moveaxis(x, tuple(range(n)), tuple(range(self.at, self.at + n)))

    def disarrange(self, x: Array) -> Array:
        """The inverse of `arrange`."""
        n = self.positions.ndim
        return xp.moveaxis(x, tuple(range(self.at, self.at + n)), tuple(range(n)))


DECOMPOSITIONS: Mapping[str, Callable[..., Array]] = {
    "gather": _gather,
    "scatter": _scatter,
}
assert ARRAY == "array"
