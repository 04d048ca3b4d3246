"""Searching functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lazyxp import dtypes, options
from lazyxp.api.mixing import array_or_scalar, holding, typed, weak_dtype
from lazyxp.api.recording import cast, operand, record, record_many
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import broadcast, normalize_axes, normalize_axis, reduced, size_of, unify_shapes

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike, Axes


# --- where the extremes are ------------------------------------------------------------------------------------------


def _infer_position(function: str, x: Meta, axis: int | None, keepdims: bool) -> Meta:
    axes = normalize_axes(axis, len(x.shape), function)
    if size_of(tuple(x.shape[i] for i in axes)) == 0:
        along = "" if axis is None else f" along axis {axis}"
        raise ValueError(f"{function}: {describe(x)} has no elements{along} to search; give it at least one")
    return Meta(reduced(x.shape, axes, keepdims), dtypes.int64)


def _infer_argmax(x: Meta, *, axis: int | None, keepdims: bool) -> Meta:
    return _infer_position("argmax", x, axis, keepdims)


def _infer_argmin(x: Meta, *, axis: int | None, keepdims: bool) -> Meta:
    return _infer_position("argmin", x, axis, keepdims)


ARGMAX = Op("argmax", "search", _infer_argmax)
ARGMIN = Op("argmin", "search", _infer_argmin)


def argmax(x: ArrayLike, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Find where the largest element is, its first occurrence.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans and complex numbers are compared as in NumPy (complex numbers by real part, then by
        imaginary part), refused under ``strict=True``.
    axis : int, optional
        The axis to search along, a negative one counts from the last. If None, the flattened array is searched.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        Indices along `axis`, or into the flattened array, int64, in the shape of `x` without the reduced axes.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not real and numeric.
    ValueError
        If the axis is out of bounds, or if there are no elements to search.

    Notes
    -----
    NaN counts as the largest: its first occurrence is found.

    References
    ----------
    Array API standard 2025.12, searching functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([[1.0, 7.0], [5.0, 3.0]])
    >>> int(xp.argmax(x))
    1
    >>> xp.argmax(x, axis=1).compute()
    array([1, 0])
    """
    return _position(ARGMAX, x, axis, keepdims)


def argmin(x: ArrayLike, /, *, axis: int | None = None, keepdims: bool = False) -> Array:
    """Find where the smallest element is, its first occurrence.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans and complex numbers are compared as in NumPy (complex numbers by real part, then by
        imaginary part), refused under ``strict=True``.
    axis : int, optional
        The axis to search along, a negative one counts from the last. If None, the flattened array is searched.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        Indices along `axis`, or into the flattened array, int64, in the shape of `x` without the reduced axes.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not real and numeric.
    ValueError
        If the axis is out of bounds, or if there are no elements to search.

    Notes
    -----
    NaN counts as the smallest: its first occurrence is found.

    References
    ----------
    Array API standard 2025.12, searching functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.argmin(xp.asarray([[1.0, 7.0], [5.0, 3.0]]), axis=0, keepdims=True).compute()
    array([[0, 1]])
    """
    return _position(ARGMIN, x, axis, keepdims)


def _position(op: Op, x: ArrayLike, axis: int | None, keepdims: bool) -> Array:
    x = operand(x, "real numeric", op.name)
    if axis is not None:
        axis = normalize_axis(axis, x.ndim, op.name)
    return record(op, x, axis=axis, keepdims=bool(keepdims))


# --- what is not zero ------------------------------------------------------------------------------------------------


def _infer_count_nonzero(x: Meta, *, axis: tuple[int, ...], keepdims: bool) -> Meta:
    return Meta(reduced(x.shape, axis, keepdims), dtypes.int64)


def _infer_nonzero(x: Meta) -> tuple[Meta, ...]:
    if not x.shape:
        raise ValueError(f"nonzero: expected at least 1 dimension, got {describe(x)}; reshape it to (1,) first")
    return (Meta((None,), dtypes.int64),) * len(x.shape)


COUNT_NONZERO = Op("count_nonzero", "reduction", _infer_count_nonzero)
NONZERO = Op("nonzero", "search", _infer_nonzero)


def count_nonzero(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Count the elements that are not zero along axes.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The counts, int64, in the shape of `x` without the reduced axes.

    Raises
    ------
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    NaN is not zero, -0.0 and False are; a complex number is if both of its parts are.

    References
    ----------
    Array API standard 2025.12, searching functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.count_nonzero(xp.asarray([[0, 3], [1, 4]]), axis=0).compute()
    array([1, 2])
    """
    x = operand(x, "all", "count_nonzero")
    return record(COUNT_NONZERO, x, axis=normalize_axes(axis, x.ndim, "count_nonzero"), keepdims=bool(keepdims))


def nonzero(x: ArrayLike, /) -> tuple[Array, ...]:
    """Find where the elements are that are not zero.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype, in at least one dimension.

    Returns
    -------
    tuple of Array
        For each dimension of `x` the indices along it, int64, in row-major order; their number is data-dependent.

    Raises
    ------
    ValueError
        If `x` is 0-d.

    Notes
    -----
    NaN is not zero, -0.0 and False are; a complex number is if both of its parts are.

    References
    ----------
    Array API standard 2025.12, searching functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> rows, columns = xp.nonzero(xp.asarray([[0, 3], [1, 4]]))
    >>> rows.compute(), columns.compute()
    (array([0, 1, 1]), array([1, 0, 1]))
    """
    return record_many(NONZERO, operand(x, "all", "nonzero"))


# --- where values belong, and choosing between them ------------------------------------------------------------------


def _infer_searchsorted(x1: Meta, x2: Meta, sorter: Meta | None = None, *, side: str) -> Meta:
    if len(x1.shape) != 1:
        raise ValueError(f"searchsorted: x1 must be one-dimensional, got {describe(x1)}")
    if sorter is not None:
        unify_shapes("searchsorted: x1 and sorter", x1.shape, sorter.shape)
    return Meta(x2.shape, dtypes.int64)


def _infer_where(condition: Meta, x1: Meta, x2: Meta) -> Meta:
    return Meta(broadcast("where", condition.shape, x1.shape, x2.shape), x1.dtype)


SEARCHSORTED = Op("searchsorted", "search", _infer_searchsorted)
WHERE = Op("where", "elementwise", _infer_where)


def searchsorted(
    x1: ArrayLike,
    x2: ArrayLike,
    /,
    *,
    side: Literal["left", "right"] = "left",
    sorter: ArrayLike | None = None,
) -> Array:
    """Find where values would have to be inserted into a sorted array to keep it sorted.

    Parameters
    ----------
    x1 : ArrayLike
        Real numbers in one dimension, in ascending order (after taking `sorter`, if given).
    x2 : ArrayLike
        The values to place: real numbers of any shape, or a Python scalar. Booleans and complex numbers are ordered as
        in NumPy, refused under ``strict=True``.
    side : {"left", "right"}
        Whether a value goes before or after elements equal to it.
    sorter : ArrayLike, optional
        Integer indices that sort `x1`, such as `argsort` gives, in the shape of `x1`.

    Returns
    -------
    Array
        Indices from 0 to the length of `x1`, int64, in the shape of `x2`.

    Raises
    ------
    TypeError
        If `sorter` is not integer; under ``strict=True``, if an operand is not real and numeric, or the dtypes do not
        promote.
    ValueError
        If `x1` is not one-dimensional, `sorter` is not of its shape, or `side` is neither "left" nor "right".

    Notes
    -----
    NaN is placed as `sort` orders it, after every number. A Python int that the dtype of `x1` cannot hold is compared
    in a wider one.

    References
    ----------
    Array API standard 2025.12, searching functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.searchsorted(xp.asarray([1.0, 2.0, 2.0, 3.0]), xp.asarray([0.0, 2.0, 9.0])).compute()
    array([0, 1, 4])
    >>> int(xp.searchsorted(xp.asarray([1, 2, 2, 3]), 2, side="right"))
    3
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', not {side!r}")
    x1 = operand(x1, "real numeric", "searchsorted")
    values = array_or_scalar(x2, "real numeric", "searchsorted")
    dtype = holding(values, weak_dtype("searchsorted", x1, values))
    operands = [cast(x1, dtype), typed(values, dtype, "searchsorted")]
    if sorter is not None:
        operands.append(operand(sorter, "integer", "searchsorted"))
    return record(SEARCHSORTED, *operands, side=side)


def where(condition: ArrayLike, x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Take elements from one array where a condition holds and from another elsewhere.

    Parameters
    ----------
    condition : ArrayLike
        Booleans. Numbers are true unless they are zero as in NumPy, refused under ``strict=True``.
    x1, x2 : ArrayLike
        What to take where `condition` is true, and where it is false: arrays of any dtype, or a Python scalar for one
        of them (for both unless ``strict=True``). The three shapes broadcast.

    Returns
    -------
    Array
        The chosen elements, in the broadcast shape and the dtype that `x1` and `x2` promote to.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `condition` is not boolean, `x1` and `x2` do not promote, or neither is an array.
    ValueError
        If the shapes do not broadcast.
    OverflowError
        If a Python int does not fit the dtype of the result.

    References
    ----------
    Array API standard 2025.12, searching functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([-1.0, 2.0, -3.0])
    >>> xp.where(x > 0, x, 0.0).compute()
    array([0., 2., 0.])
    """
    condition = operand(condition, "boolean" if options.current().strict else "all", "where")
    values = [array_or_scalar(x, "all", "where") for x in (x1, x2)]
    dtype = weak_dtype("where", *values)
    return record(WHERE, cast(condition, dtypes.bool), *[typed(x, dtype, "where") for x in values])
