"""Manipulation functions: the shape changes, the elements stay.

What NumPy returns as a view is a view here (`record_view`): a write to it is seen in the base, and the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lazyxp import options
from lazyxp.api import views
from lazyxp.api.array import Array
from lazyxp.api.recording import at_least, check_tuple, current, known_shape, operand, record, record_view
from lazyxp.node import Meta, Op, Shape, describe
from lazyxp.shapes import (
    as_shape,
    broadcast,
    broadcasts_to,
    fill_in,
    normalize_axes,
    show,
)

if TYPE_CHECKING:
    from lazyxp.typing import Axes


def _infer_permute_dims(x: Meta, *, axes: tuple[int, ...]) -> Meta:
    return Meta(tuple(x.shape[i] for i in axes), x.dtype)


def _infer_reshape(x: Meta, *, shape: tuple[int, ...]) -> Meta:
    return Meta(fill_in(shape, x.shape, "reshape"), x.dtype)


def _infer_expand_dims(x: Meta, *, axis: tuple[int, ...]) -> Meta:
    rest = iter(x.shape)
    return Meta(tuple(1 if i in axis else next(rest) for i in range(len(x.shape) + len(axis))), x.dtype)


def _infer_squeeze(x: Meta, *, axis: tuple[int, ...]) -> Meta:
    for i in axis:
        if x.shape[i] not in (1, None):
            raise ValueError(f"squeeze: axis {i} of {describe(x)} has length {x.shape[i]}; only length 1 can go")
    return Meta(tuple(n for i, n in enumerate(x.shape) if i not in axis), x.dtype)


def _infer_flip(x: Meta, *, axis: tuple[int, ...]) -> Meta:
    return Meta(x.shape, x.dtype)


def _infer_broadcast_to(x: Meta, *, shape: Shape) -> Meta:
    if not broadcasts_to(x.shape, shape):
        raise ValueError(f"broadcast_to: shape mismatch: cannot broadcast {describe(x)} to {show(shape)}")
    return Meta(shape, x.dtype)


PERMUTE_DIMS = Op("permute_dims", "movement", _infer_permute_dims)

RESHAPE = Op("reshape", "movement", _infer_reshape)

EXPAND_DIMS = Op("expand_dims", "movement", _infer_expand_dims)

SQUEEZE = Op("squeeze", "movement", _infer_squeeze)

FLIP = Op("flip", "movement", _infer_flip)

BROADCAST_TO = Op("broadcast_to", "movement", _infer_broadcast_to)


def permute_dims(x: Array, /, axes: tuple[int, ...]) -> Array:
    """Permute the axes of `x`.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    axes : tuple of int
        A permutation of ``0 ... x.ndim - 1``: axis ``i`` of the result is axis ``axes[i]`` of `x`.

    Returns
    -------
    Array
        A view of `x`.

    Raises
    ------
    ValueError
        If `axes` is no permutation of the axes.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.permute_dims(xp.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    x = operand(x, "all", "permute_dims")
    order = normalize_axes(axes, x.ndim, "permute_dims")
    if axes is None or len(order) != x.ndim:
        raise ValueError(f"permute_dims: {axes} is no permutation of the axes of {describe(current(x))}")
    return record_view(PERMUTE_DIMS, x, axes=order)


def transpose(x: Array) -> Array:
    """`x` with its axes reversed; under ``strict=True`` only in two dimensions."""
    if options.current().strict and x.ndim != 2:
        raise ValueError(f"x.T needs two dimensions, got {describe(current(x))}; use x.mT or permute_dims")
    return record_view(PERMUTE_DIMS, x, axes=tuple(range(x.ndim))[::-1])


def matrix_transpose(x: Array, /) -> Array:
    """Transpose each matrix in a stack.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, any dtype.

    Returns
    -------
    Array
        A view of `x` of shape ``(..., N, M)``.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions.

    References
    ----------
    Array API standard 2025.12, linear algebra functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.matrix_transpose(xp.zeros((5, 2, 3))).shape
    (5, 3, 2)
    """
    x = at_least(operand(x, "all", "matrix_transpose"), 2, "matrix_transpose")
    n = x.ndim
    return record_view(PERMUTE_DIMS, x, axes=(*range(n - 2), n - 1, n - 2))


def moveaxis(x: Array, source: int | tuple[int, ...], destination: int | tuple[int, ...], /) -> Array:
    """Move axes to new positions; the other axes keep their order.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    source, destination : int or tuple of int
        The axes to move, and where each of them goes.

    Returns
    -------
    Array
        A view of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist or is repeated, or the two tuples differ in length.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.moveaxis(xp.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = operand(x, "all", "moveaxis")
    old = normalize_axes(source, x.ndim, "moveaxis")
    new = normalize_axes(destination, x.ndim, "moveaxis")
    if len(old) != len(new):
        raise ValueError(f"moveaxis: {source} and {destination} differ in length")
    order = [i for i in range(x.ndim) if i not in old]
    for target, axis in sorted(zip(new, old, strict=True)):
        order.insert(target, axis)
    return record_view(PERMUTE_DIMS, x, axes=tuple(order))


def reshape(x: Array, /, shape: tuple[int, ...], *, copy: bool | None = None) -> Array:
    """Give `x` another shape with the same elements in C order.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    shape : tuple of int
        The new shape; one side may be -1 and follows from the others.
    copy : bool, optional
        True: never a view. False: a view or a ValueError. None: a view wherever NumPy could give one.

    Returns
    -------
    Array
        The elements of `x` in the new shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `shape` is not a tuple.
    ValueError
        If the sizes differ, or ``copy=False`` and `x`'s memory cannot be seen in this shape.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.reshape(xp.arange(6), (2, -1)).compute()
    array([[0, 1, 2],
           [3, 4, 5]])
    """
    x = operand(x, "all", "reshape")
    check_tuple(shape, "reshape: shape")
    filled = fill_in(shape, current(x).shape, "reshape")
    in_place = views.reshapes_in_place(x, filled)
    if in_place is None and not copy and options.current().materialize != "raise":
        for handle in (Array(x._cell.node), x) if x._cell is not None else (x,):
            known_shape(handle, "reshape")
        filled = fill_in(shape, current(x).shape, "reshape")
        in_place = views.reshapes_in_place(x, filled)
    sides = tuple(-1 if n is None else n for n in filled)
    if copy:
        return record(RESHAPE, x, shape=sides)
    if in_place:
        return record_view(RESHAPE, x, shape=sides)
    if copy is False:
        raise ValueError(f"reshape: {describe(current(x))} cannot become {show(filled)} without a copy (copy=False)")
    result = record(RESHAPE, x, shape=sides)
    if in_place is None:
        views.found(result, "whether this reshape shares memory depends on lengths that are not known")
    return result


def expand_dims(x: Array, /, axis: int | tuple[int, ...]) -> Array:
    """Insert axes of length 1.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    axis : int or tuple of int
        Where the new axes are in the result.

    Returns
    -------
    Array
        A view of `x`.

    Raises
    ------
    ValueError, IndexError
        If a position is out of range or repeated.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.expand_dims(xp.zeros(3), axis=0).shape
    (1, 3)
    """
    x = operand(x, "all", "expand_dims")
    count = len(axis) if isinstance(axis, Sequence) else 1
    return record_view(EXPAND_DIMS, x, axis=normalize_axes(axis, x.ndim + count, "expand_dims"))


def squeeze(x: Array, /, axis: int | tuple[int, ...]) -> Array:
    """Remove axes of length 1.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    axis : int or tuple of int
        The axes to remove.

    Returns
    -------
    Array
        A view of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist, is repeated, or is longer than 1.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.squeeze(xp.zeros((1, 3)), axis=0).shape
    (3,)
    """
    x = operand(x, "all", "squeeze")
    if axis is None:
        raise ValueError("squeeze: axis must be given as an int or a tuple of ints")
    return record_view(SQUEEZE, x, axis=normalize_axes(axis, x.ndim, "squeeze"))


def flip(x: Array, /, *, axis: Axes = None) -> Array:
    """Reverse the order of the elements along axes.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    axis : int or tuple of int, optional
        The axes to reverse; all of them by default.

    Returns
    -------
    Array
        A view of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist or is repeated.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.flip(xp.arange(3)).compute()
    array([2, 1, 0])
    """
    x = operand(x, "all", "flip")
    return record_view(FLIP, x, axis=normalize_axes(axis, x.ndim, "flip"))


def broadcast_to(x: Array, /, shape: tuple[int, ...]) -> Array:
    """Broadcast `x` to a shape.

    Parameters
    ----------
    x : Array
        Any shape that broadcasts to `shape`, any dtype.
    shape : tuple of int
        The shape of the result.

    Returns
    -------
    Array
        A read-only view of `x`.

    Raises
    ------
    ValueError
        If `x` does not broadcast to `shape`.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.broadcast_to(xp.asarray([1, 2]), (2, 2)).compute()
    array([[1, 2],
           [1, 2]])
    """
    x = operand(x, "all", "broadcast_to")
    return record_view(BROADCAST_TO, x, shape=as_shape(shape, "broadcast_to"))


def broadcast_shapes(*shapes: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The shape that `shapes` broadcast to.

    Parameters
    ----------
    *shapes : tuple of int or None
        Shapes; None is an unknown side.

    Returns
    -------
    tuple of int or None
        The common shape.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    return broadcast("broadcast_shapes", *[tuple(s) for s in shapes])


def broadcast_arrays(*arrays: Array) -> tuple[Array, ...]:
    """Broadcast arrays to their common shape.

    Parameters
    ----------
    *arrays : Array
        Arrays of shapes that broadcast, any dtypes.

    Returns
    -------
    tuple of Array
        Read-only views of the common shape; the arrays themselves where they already have it.

    Raises
    ------
    ValueError
        If the shapes do not broadcast.

    References
    ----------
    Array API standard 2025.12, manipulation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> [x.shape for x in xp.broadcast_arrays(xp.zeros((2, 1)), xp.zeros(3))]
    [(2, 3), (2, 3)]
    """
    operands = [operand(x, "all", "broadcast_arrays") for x in arrays]
    shapes = [known_shape(x, "broadcast_arrays") for x in operands]
    shape = broadcast("broadcast_arrays", *shapes)
    return tuple(
        x if s == shape else record_view(BROADCAST_TO, x, shape=shape) for x, s in zip(operands, shapes, strict=True)
    )
