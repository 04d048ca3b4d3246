"""Ops by positions, for libraries that wrap or clamp what is out of bounds: there they are checked first.

The values of positions are looked at for it, and a device is waited for.
"""

from __future__ import annotations

import math
from typing import Any

from lazyxp.executors.lowerings import concrete_key

Key = tuple[Any, ...]


def _check(xp: Any, index: Any, side: int, axis: int) -> None:
    if math.prod(index.shape) and bool(xp.any((index < -side) | (index >= side))):
        raise IndexError(f"an index is out of bounds for axis {axis}, whose length is {side}")


def check_key(xp: Any, x: Any, indices: tuple[Any, ...], key: Key) -> None:
    """Raise IndexError where an index array of `key` points outside of `x`."""
    arrays = iter(indices)
    axis = 0
    for entry in key:
        if type(entry) is str:
            index = next(arrays)
            if xp.isdtype(index.dtype, "bool"):
                axis += index.ndim
                continue
            _check(xp, index, x.shape[axis], axis)
        axis += entry is not None


def gather(xp: Any, x: Any, *indices: Any, key: Key) -> Any:
    """``x[key]``."""
    check_key(xp, x, indices, key)
    return x[concrete_key(key, indices)]


def take(xp: Any, x: Any, indices: Any, *, axis: int) -> Any:
    """The standard's `take`."""
    _check(xp, indices, x.shape[axis], axis)
    return xp.take(x, indices, axis=axis)


def take_along_axis(xp: Any, x: Any, indices: Any, *, axis: int) -> Any:
    """The standard's `take_along_axis`; the other axes broadcast."""
    _check(xp, indices, x.shape[axis], axis)
    shapes = [s[:axis] + s[axis + 1 :] for s in (x.shape, indices.shape)]
    rest = xp.broadcast_shapes(*shapes)
    wide = [xp.broadcast_to(a, (*rest[:axis], a.shape[axis], *rest[axis:])) for a in (x, indices)]
    return xp.take_along_axis(*wide, axis=axis)


def last_values(xp: Any, x: Any, value: Any, indices: tuple[Any, ...], key: Key) -> tuple[Any, Any]:
    """Where in the flat `x` ``x[key] = value`` writes what; of several values for one place, the last one stays."""
    positions = xp.reshape(xp.arange(math.prod(x.shape)), x.shape)[concrete_key(key, indices)]
    values = xp.reshape(xp.broadcast_to(value, positions.shape), (-1,))
    positions = xp.reshape(positions, (-1,))
    order = xp.argsort(positions, stable=True)
    positions = positions[order]
    others = positions[1:] != positions[:-1]
    last = xp.concat((others, xp.ones(positions.shape, dtype=xp.bool)[:1]))
    return positions[last], values[order[last]]
