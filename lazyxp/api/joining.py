"""Manipulation functions that make new arrays: joining, splitting into slices, shifting and repeating."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lazyxp.api.array import Array
from lazyxp.api.manipulation import reshape
from lazyxp.api.recording import (
    as_array,
    cast,
    check_tuple,
    common,
    copy_of,
    current,
    known_shape,
    operand,
    record,
)
from lazyxp.dtypes import int64
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import (
    as_index,
    as_shape,
    normalize_axis,
    unify,
    unify_shapes,
)

if TYPE_CHECKING:
    from lazyxp.typing import Axes


def _infer_concat(*arrays: Meta, axis: int) -> Meta:
    total: int | None = 0
    for x in arrays:
        side = x.shape[axis]
        total = None if total is None or side is None else total + side
    rest = unify_shapes("concat", *[x.shape[:axis] + x.shape[axis + 1 :] for x in arrays])
    return Meta((*rest[:axis], total, *rest[axis:]), arrays[0].dtype)


def _infer_stack(*arrays: Meta, axis: int) -> Meta:
    shape = unify_shapes("stack", *[x.shape for x in arrays])
    return Meta((*shape[:axis], len(arrays), *shape[axis:]), arrays[0].dtype)


def _infer_roll(x: Meta, *, shift: tuple[int, ...], axis: tuple[int, ...]) -> Meta:
    return Meta(x.shape, x.dtype)


def _infer_repeat(x: Meta, *repeats: Meta, axis: int, count: int | None) -> Meta:
    side = x.shape[axis]
    side = None if count is None or side is None else side * count
    return Meta((*x.shape[:axis], side, *x.shape[axis + 1 :]), x.dtype)


def _infer_tile(x: Meta, *, repetitions: tuple[int, ...]) -> Meta:
    padded = (1,) * (len(repetitions) - len(x.shape)) + x.shape
    return Meta(tuple(None if n is None else n * r for n, r in zip(padded, repetitions, strict=True)), x.dtype)


CONCAT = Op("concat", "movement", _infer_concat)

STACK = Op("stack", "movement", _infer_stack)

ROLL = Op("roll", "movement", _infer_roll)

REPEAT = Op("repeat", "movement", _infer_repeat)

TILE = Op("tile", "movement", _infer_tile)


def concat(arrays: tuple[Array, ...] | list[Array], /, *, axis: int | None = 0) -> Array:
    """Join arrays along an axis.

    Parameters
    ----------
    arrays : sequence of Array
        Arrays of equal shapes but for `axis`; their dtypes promote.
    axis : int or None, optional
        The axis to join along; None joins the flattened arrays.

    Returns
    -------
    Array
        The arrays one after the other.

    Raises
    ------
    ValueError
        If there is no array, the shapes do not fit, or the axis does not exist.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.concat([xp.arange(2), xp.arange(3)]).compute()
    array([0, 1, 0, 1, 2])
    """
    operands = _sequence(arrays, "concat")
    if axis is None:
        operands = tuple(reshape(x, (-1,)) for x in operands)
        axis = 0
    if operands[0].ndim == 0:
        raise ValueError("concat: 0-d arrays cannot be joined; use stack")
    if len({x.ndim for x in operands}) > 1:
        listed = " and ".join(describe(current(x)) for x in operands)
        raise ValueError(f"concat: the arrays must have one number of dimensions, got {listed}")
    return record(CONCAT, *operands, axis=normalize_axis(axis, operands[0].ndim, "concat"))


def stack(arrays: tuple[Array, ...] | list[Array], /, *, axis: int = 0) -> Array:
    """Join arrays along a new axis.

    Parameters
    ----------
    arrays : sequence of Array
        Arrays of one shape; their dtypes promote.
    axis : int, optional
        Where the new axis is in the result.

    Returns
    -------
    Array
        The arrays side by side.

    Raises
    ------
    ValueError
        If there is no array, the shapes differ, or the axis is out of range.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.stack([xp.arange(2), xp.arange(2)], axis=1).compute()
    array([[0, 0],
           [1, 1]])
    """
    operands = _sequence(arrays, "stack")
    return record(STACK, *operands, axis=normalize_axis(axis, operands[0].ndim + 1, "stack"))


def _sequence(arrays: Any, function: str) -> tuple[Array, ...]:
    operands = [as_array(x, function) for x in arrays]
    if not operands:
        raise ValueError(f"{function}: needs at least one array")
    return common(function, *operands)


def unstack(x: Array, /, *, axis: int = 0) -> tuple[Array, ...]:
    """Split an array into its slices along an axis.

    Parameters
    ----------
    x : Array
        At least one dimension, any dtype.
    axis : int, optional
        The axis that goes away.

    Returns
    -------
    tuple of Array
        One view of `x` for each index of `axis`.

    Raises
    ------
    ValueError
        If the axis does not exist.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> a, b = xp.unstack(xp.asarray([[1, 2], [3, 4]]))
    >>> b.compute()
    array([3, 4])
    """
    x = operand(x, "all", "unstack")
    axis = normalize_axis(axis, x.ndim, "unstack")
    before = (slice(None),) * axis
    return tuple(x[(*before, i, ...)] for i in range(known_shape(x, "unstack")[axis]))


def roll(x: Array, /, shift: int | tuple[int, ...], *, axis: Axes = None) -> Array:
    """Shift elements along axes; what leaves at one end enters at the other.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    shift : int or tuple of int
        By how many places; one for each axis, or one for all.
    axis : int or tuple of int, optional
        The axes; by default `x` is flattened, shifted and given back its shape.

    Returns
    -------
    Array
        The shifted copy.

    Raises
    ------
    ValueError
        If an axis does not exist, or `shift` and `axis` differ in length.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.roll(xp.arange(4), 1).compute()
    array([3, 0, 1, 2])
    """
    x = operand(x, "all", "roll")
    shifts = tuple(shift) if isinstance(shift, Sequence) else (shift,)
    shifts = tuple(as_index(s, "roll: shift") for s in shifts)
    if axis is None:
        if len(shifts) != 1:
            raise ValueError(f"roll: shift {shift} must be one integer where axis is None")
        return reshape(record(ROLL, reshape(x, (-1,)), shift=shifts, axis=(0,)), known_shape(x, "roll"))
    axes = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    axes = tuple(normalize_axis(a, x.ndim, "roll") for a in axes)
    if len(shifts) == 1:
        shifts *= len(axes)
    elif len(axes) == 1:
        axes *= len(shifts)
    if len(shifts) != len(axes):
        raise ValueError(f"roll: shift {shift} and axis {axis} differ in length")
    return record(ROLL, x, shift=shifts, axis=axes) if axes else copy_of(x)


def repeat(x: Array, repeats: int | Array, /, *, axis: int | None = None) -> Array:
    """Repeat each element.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    repeats : int or Array
        How often; an integer array (one count for each index of `axis`) makes the result's length data-dependent.
    axis : int, optional
        The axis along which elements are repeated; by default `x` is flattened.

    Returns
    -------
    Array
        The repeated elements.

    Raises
    ------
    ValueError
        If `repeats` is negative or its length does not fit, or the axis does not exist.
    TypeError
        If `repeats` is no integer.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.repeat(xp.asarray([1, 2]), 2).compute()
    array([1, 1, 2, 2])
    """
    x = operand(x, "all", "repeat")
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis = normalize_axis(axis, x.ndim, "repeat")
    if isinstance(repeats, int):
        if repeats < 0:
            raise ValueError(f"repeat: repeats must not be negative, got {repeats}")
        return record(REPEAT, x, axis=axis, count=int(repeats))
    counts = operand(repeats, "integer", "repeat")
    if counts.ndim > 1:
        raise ValueError(f"repeat: repeats must be an integer or 1-D, got {describe(current(counts))}")
    counts = cast(counts, int64)  # NumPy takes no uint64
    if counts.ndim == 1 and current(counts).shape != (1,):
        unify("repeat", current(x).shape[axis], current(counts).shape[0])
    return record(REPEAT, x, counts, axis=axis, count=None)


def tile(x: Array, repetitions: tuple[int, ...], /) -> Array:
    """Repeat the whole array along each axis.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    repetitions : tuple of int
        How often along each axis; the shorter of it and the shape is padded with ones in front.

    Returns
    -------
    Array
        The tiled copy.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `repetitions` is not a tuple.
    ValueError
        If a repetition is negative.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.tile(xp.asarray([1, 2]), (2,)).compute()
    array([1, 2, 1, 2])
    """
    x = operand(x, "all", "tile")
    check_tuple(repetitions, "tile: repetitions")
    counts = as_shape(repetitions, "tile")
    return record(TILE, x, repetitions=(1,) * (x.ndim - len(counts)) + counts)
