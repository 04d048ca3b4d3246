"""Shape rules. An unknown, data-dependent side is None; rules carry it along and check what is known."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from numpy.exceptions import AxisError

from lazyxp.node import Shape


def show(shape: Shape) -> str:
    """`shape` as messages print it, unknown sides as ``?``."""
    inner = ", ".join("?" if n is None else str(n) for n in shape)
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def as_index(value: Any, what: str) -> int:
    """`value` as an int; TypeError that says `what` was expected to be one."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{what} must be an integer, not {value!r}") from None


def as_shape(shape: Any, function: str) -> tuple[int, ...]:
    """A shape argument (an int or a sequence of them) as a tuple of non-negative ints."""
    sides = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    result = tuple(as_index(n, f"{function}: each side of the shape") for n in sides)
    if any(n < 0 for n in result):
        raise ValueError(f"{function}: negative sides are not allowed in the shape {result}")
    return result


def normalize_axis(axis: Any, ndim: int, function: str) -> int:
    """`axis` counted from the front; AxisError (a ValueError and an IndexError) when there is no such axis."""
    number = as_index(axis, f"{function}: axis")
    if not -ndim <= number < ndim:
        raise AxisError(f"{function}: axis {number} is out of bounds for an array with {ndim} dimensions")
    return number % ndim


def normalize_axes(axis: Any, ndim: int, function: str) -> tuple[int, ...]:
    """`axis` (None for all, an int or a sequence) as a tuple of distinct axes counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    axes = tuple(axis) if isinstance(axis, Iterable) else (axis,)
    result = tuple(normalize_axis(a, ndim, function) for a in axes)
    if len(set(result)) != len(result):
        raise ValueError(f"{function}: an axis is repeated in {axis}")
    return result


def broadcast(function: str, *shapes: Shape) -> Shape:
    """The shape that `shapes` broadcast to; ValueError when they do not.

    An unknown side meets a known one other than 1 as if it were equal; running the graph finds out.
    """
    if len(shapes) == 2:
        first, second = shapes
        if first == second or not second:
            return first
        if not first:
            return second
    ndim = max(map(len, shapes), default=0)
    result: list[int | None] = [1] * ndim
    for shape in shapes:
        for i, side in enumerate(shape, ndim - len(shape)):
            if side != result[i] and side != 1:
                if result[i] == 1 or result[i] is None:
                    result[i] = side
                elif side is not None:
                    listed = " with ".join(show(s) for s in shapes)
                    raise ValueError(f"{function}: shape mismatch: cannot broadcast {listed}")
    return tuple(result)


def broadcasts_to(shape: Shape, target: Shape) -> bool:
    """Whether an array of `shape` can be broadcast to `target`, as far as their sides are known."""
    if len(shape) > len(target):
        return False
    pairs = zip(reversed(shape), reversed(target), strict=False)
    return all(n == m or n == 1 or n is None or m is None for n, m in pairs)


def reduced(shape: Shape, axes: Sequence[int], keepdims: bool) -> Shape:
    """The shape left when `axes` are reduced."""
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def unify(function: str, *sides: int | None) -> int | None:
    """The one length that `sides` have, None if all are unknown; ValueError when they differ."""
    known = {n for n in sides if n is not None}
    if len(known) > 1:
        raise ValueError(f"{function}: shape mismatch: the lengths {', '.join(map(str, sorted(known)))} must be equal")
    return known.pop() if known else None


def unify_shapes(function: str, *shapes: Shape) -> Shape:
    """The one shape that `shapes` have; ValueError when they differ."""
    if len({len(s) for s in shapes}) > 1:
        raise ValueError(f"{function}: shape mismatch: {' and '.join(show(s) for s in shapes)} must be equal")
    try:
        return tuple(unify(function, *sides) for sides in zip(*shapes, strict=True))
    except ValueError:
        listed = " and ".join(show(s) for s in shapes)
        raise ValueError(f"{function}: shape mismatch: {listed} must be equal") from None


def size_of(shape: Shape) -> int | None:
    """The number of elements, None when a side is unknown (unless another side is 0)."""
    known = [n for n in shape if n is not None]
    total = math.prod(known)
    return total if len(known) == len(shape) or total == 0 else None


def fill_in(shape: Any, old: Shape, function: str) -> Shape:
    """The new shape of a reshape from `old`, its one -1 filled in where the sizes are known."""
    given = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    sides = tuple(as_index(n, f"{function}: each side of the shape") for n in given)
    if sides.count(-1) > 1 or any(n < -1 for n in sides):
        raise ValueError(f"{function}: the shape {sides} may hold at most one -1 and no other negative side")
    size = size_of(old)
    rest = math.prod(n for n in sides if n != -1)
    if size is None:
        return tuple(None if n == -1 else n for n in sides)
    if -1 in sides and rest != 0 and size % rest == 0:
        return tuple(size // rest if n == -1 else n for n in sides)
    if -1 in sides or rest != size:
        raise ValueError(f"{function}: cannot reshape {show(old)}, which has {size} elements, into {show(sides)}")
    return sides
