"""Reading and writing through index arrays, decomposed into `take`, sorting and searching of flat positions."""

from __future__ import annotations

import math

import lazyxp as xp
from lazyxp.api.array import Array
from lazyxp.api.indexing import Key
from lazyxp.api.recording import current


def gather(x: Array, *indices: Array, key: Key) -> Array:
    """``x[key]``."""
    layout = _Layout(x, key, indices)
    if layout.positions.ndim == 1:
        return layout.arrange(xp.take(layout.flat, layout.positions, axis=0))
    taken = xp.take(layout.flat, xp.reshape(layout.positions, (-1,)), axis=0)
    return layout.arrange(xp.reshape(taken, (*_sides(layout.positions), *layout.rest)))


def scatter(x: Array, value: Array, *indices: Array, key: Key) -> Array:
    """`x` after ``x[key] = value``; where several values go to one place, the last one stays."""
    choice = _choice(x, value, indices, key)
    if choice is not None:
        return choice
    layout = _Layout(x, key, indices)
    count = layout.count
    if 0 in (count, *_sides(layout.positions)):
        return x
    values = layout.values(value)
    # Taking the positions refuses those out of bounds. The row in front stands for "no value": there may be none.
    positions = xp.take(xp.arange(count), xp.reshape(layout.positions, (-1,)))
    order = xp.argsort(positions)
    ordered = xp.concat([xp.asarray([-1]), xp.take(positions, order)])
    order = xp.concat([xp.asarray([0]), order + 1])
    values = xp.concat([layout.flat[:1, ...], values])
    here = xp.arange(count)
    last = xp.searchsorted(ordered, here, side="right") - 1
    hit = xp.reshape(xp.take(ordered, last) == here, (count,) + (1,) * len(layout.rest))
    written = xp.where(hit, xp.take(values, xp.take(order, last), axis=0), layout.flat)
    return layout.put_back(x, written)


def _choice(x: Array, value: Array, indices: tuple[Array, ...], key: Key) -> Array | None:
    """A mask as the only index, with the same value wherever it selects: `where`."""
    place = next(i for i, entry in enumerate(key) if type(entry) is str)
    others = key[:place] + key[place + 1 :]
    behind = len(key) - place - 1
    if len(indices) > 1 or indices[0].dtype.kind != "b" or any(e != slice(None) for e in others):
        return None
    (mask,) = indices
    if mask.ndim == 0 or _sides(mask) != _sides(x)[place : place + mask.ndim]:
        return None
    if value.ndim > behind:
        sides = _sides(value)
        at = value.ndim - behind - 1
        if sides[at] != 1:
            return None
        value = xp.reshape(value, (*sides[:at], *(1,) * mask.ndim, *sides[at + 1 :]))
    return xp.where(xp.reshape(mask, (*_sides(mask), *(1,) * behind)), value, x)


def _sides(x: Array) -> tuple[int, ...]:
    """The shape, with -1 for a length that is not known yet."""
    return tuple(-1 if n is None else n for n in current(x).shape)


class _Layout:
    """How a key with index arrays sees `x`: the indexed axes in front as one flat axis, the other axes behind.

    Attributes
    ----------
    flat, count : Array, int
        `x` in that form, and the length of its flat axis.
    positions : Array
        Which elements of the flat axis are selected; its shape is that of the index arrays, broadcast.
    rest : tuple of int
        The other sides of the result.
    """

    def __init__(self, x: Array, key: Key, indices: tuple[Array, ...]) -> None:
        arrays = iter(indices)
        advanced: list[tuple[int | None, Array]] = []  # the axis that is indexed, None for one that is not there
        basic: list[slice] = []  # the slices, by which `x` is cut first
        places: list[int] = []  # of the entries that index
        new: list[int] = []  # which of the kept axes are new ones
        kept = first = 0
        for place, entry in enumerate(key):
            if entry is Ellipsis:
                continue
            if entry is None or isinstance(entry, slice):
                if entry is None:
                    new.append(kept)
                else:
                    basic.append(entry)
                kept += 1
                continue
            first = first if places else kept
            places.append(place)
            index = xp.asarray(entry) if isinstance(entry, int) else next(arrays)
            if index.dtype.kind == "b" and index.ndim == 0:
                advanced.append((None, xp.nonzero(xp.reshape(index, (1,)))[0]))
                continue
            for one in xp.nonzero(index) if index.dtype.kind == "b" else [index]:
                advanced.append((len(basic), one))
                basic.append(slice(None))
        self.key = tuple(basic)
        viewed = x[self.key] if self.key else x
        sides = _sides(viewed)
        front = tuple(axis for axis, _ in advanced if axis is not None)
        self.order = (*front, *[axis for axis in range(viewed.ndim) if axis not in front])
        behind = iter(sides[axis] for axis in self.order[len(front) :])
        self.rest = tuple(1 if i in new else next(behind) for i in range(kept))
        self.front = tuple(sides[axis] for axis in self.order)
        moved = xp.permute_dims(viewed, self.order) if front else viewed
        self.count = math.prod(self.front[: len(front)])
        self.flat = xp.reshape(moved, (self.count, *self.rest))
        self.positions = self._flatten(advanced, sides)
        self.at = first if places == list(range(places[0], places[-1] + 1)) else 0

    def _flatten(self, advanced: list[tuple[int | None, Array]], sides: tuple[int, ...]) -> Array:
        """Flat positions; where an index is out of bounds, one that no array has, for `take` to refuse."""
        positions, valid = xp.asarray(0), xp.asarray(True)
        for axis, index in advanced:
            side = 1 if axis is None else sides[axis]
            wide = xp.astype(index, xp.int64)
            wide = xp.where(wide < 0, wide + side, wide)
            positions = positions * side + wide
            valid = xp.logical_and(valid, xp.logical_and(wide >= 0, wide < side))
        return xp.where(valid, positions, math.prod(sides) + 1)

    def arrange(self, x: Array) -> Array:
        """From positions in front to positions where NumPy puts them."""
        n = self.positions.ndim
        return xp.moveaxis(x, tuple(range(n)), tuple(range(self.at, self.at + n)))

    def values(self, value: Array) -> Array:
        """`value`, which broadcasts to ``x[key]``, as rows for the flattened positions."""
        n = self.positions.ndim
        sides = _sides(self.positions)
        padded = xp.reshape(value, (*(1,) * (n + len(self.rest) - value.ndim), *_sides(value)))
        moved = xp.moveaxis(padded, tuple(range(self.at, self.at + n)), tuple(range(n)))
        if -1 not in sides:
            return xp.reshape(xp.broadcast_to(moved, (*sides, *self.rest)), (math.prod(sides), *self.rest))
        rows = xp.reshape(self.positions >= 0, (*sides, *(1,) * len(self.rest)))
        wide = xp.where(xp.logical_and(rows, xp.full(self.rest, True)), moved, moved)
        return wide if n == 1 else xp.reshape(wide, (-1, *self.rest))

    def put_back(self, x: Array, flat: Array) -> Array:
        """`x` with the elements of `flat` where they belong."""
        back = tuple(self.order.index(axis) for axis in range(len(self.order)))
        moved = xp.permute_dims(xp.reshape(flat, self.front), back)
        if all(entry == slice(None) for entry in self.key) and len(self.key) == x.ndim:
            return moved
        result = xp.asarray(x, copy=True)
        result[self.key] = moved
        return result
