"""Set functions. The number of unique elements is data-dependent: that side of a shape is unknown until computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.mixing import array_or_scalar, holding, typed, weak_dtype
from lazyxp.api.recording import operand, record, record_many
from lazyxp.node import Meta, Op

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike


def _infer_isin(x1: Meta, x2: Meta, *, invert: bool) -> Meta:
    return Meta(x1.shape, dtypes.bool)


def _infer_all(x: Meta) -> tuple[Meta, ...]:
    found = Meta((None,), dtypes.int64)
    return Meta((None,), x.dtype), found, Meta(x.shape, dtypes.int64), found


def _infer_counts(x: Meta) -> tuple[Meta, ...]:
    return Meta((None,), x.dtype), Meta((None,), dtypes.int64)


def _infer_inverse(x: Meta) -> tuple[Meta, ...]:
    return Meta((None,), x.dtype), Meta(x.shape, dtypes.int64)


def _infer_values(x: Meta) -> Meta:
    return Meta((None,), x.dtype)


ISIN = Op("isin", "set", _infer_isin)
UNIQUE_ALL = Op("unique_all", "set", _infer_all)
UNIQUE_COUNTS = Op("unique_counts", "set", _infer_counts)
UNIQUE_INVERSE = Op("unique_inverse", "set", _infer_inverse)
UNIQUE_VALUES = Op("unique_values", "set", _infer_values)


class UniqueAllResult(NamedTuple):
    """What `unique_all` returns."""

    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class UniqueCountsResult(NamedTuple):
    """What `unique_counts` returns."""

    values: Array
    counts: Array


class UniqueInverseResult(NamedTuple):
    """What `unique_inverse` returns."""

    values: Array
    inverse_indices: Array


def isin(x1: ArrayLike, x2: ArrayLike, /, *, invert: bool = False) -> Array:
    """Test for each element of one array whether it occurs in another.

    Parameters
    ----------
    x1, x2 : ArrayLike
        What is looked for, and where: integers, of which one may be a Python int. Other dtypes and two scalars are
        taken as well, refused under ``strict=True``.
    invert : bool
        Whether to test that elements do not occur.

    Returns
    -------
    Array
        Booleans in the shape of `x1`.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is not integer, the dtypes do not promote, or none is an array.

    Notes
    -----
    Elements are compared as by `equal`: NaN occurs nowhere, zeros of both signs are one. A Python int that the other
    array's dtype cannot hold does not occur in it.

    References
    ----------
    Array API standard 2025.12, set functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.isin(xp.asarray([1, 2, 3]), xp.asarray([3, 1])).compute()
    array([ True, False,  True])
    >>> xp.isin(xp.asarray([1, 2, 3]), 2, invert=True).compute()
    array([ True, False,  True])
    """
    category = "integer" if options.current().strict else "all"
    operands = [array_or_scalar(x, category, "isin") for x in (x1, x2)]
    dtype = weak_dtype("isin", *operands)
    arrays = [x if isinstance(x, Array) else typed(x, holding(x, dtype), "isin") for x in operands]
    # Integers that promote to floats would be compared after rounding: those stay as they are.
    if not (dtype.kind == "f" and arrays[0].dtype.kind in "iu" and arrays[1].dtype.kind in "iu"):
        dtype = dtypes.promote(*[x.dtype for x in arrays], function="isin")
        arrays = [typed(x, dtype, "isin") for x in arrays]
    return record(ISIN, *arrays, invert=bool(invert))


def unique_all(x: ArrayLike, /) -> UniqueAllResult:
    """Find the unique elements, where each occurs first, how to rebuild `x` from them, and how often each occurs.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype and shape; they are taken as if `x` were flattened.

    Returns
    -------
    UniqueAllResult
        A named tuple of four Arrays: `values`, one-dimensional, of the dtype of `x`; `indices` of their first
        occurrences in the flattened `x`; `inverse_indices` into `values`, of the shape of `x`; and `counts`. `values`,
        `indices` and `counts` have the same, data-dependent length; all but `values` are int64.

    Notes
    -----
    The values are in ascending order on backends that can sort. Every NaN is an element of its own, zeros of both signs
    are one.

    References
    ----------
    Array API standard 2025.12, set functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> values, indices, inverse_indices, counts = xp.unique_all(xp.asarray([[3, 1], [1, 2]]))
    >>> values.compute(), indices.compute(), counts.compute()
    (array([1, 2, 3]), array([1, 3, 0]), array([2, 1, 1]))
    >>> inverse_indices.compute()
    array([[2, 0],
           [0, 1]])
    """
    return UniqueAllResult(*record_many(UNIQUE_ALL, operand(x, "all", "unique_all")))


def unique_counts(x: ArrayLike, /) -> UniqueCountsResult:
    """Find the unique elements and how often each occurs.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype and shape; they are taken as if `x` were flattened.

    Returns
    -------
    UniqueCountsResult
        A named tuple of two one-dimensional Arrays of the same, data-dependent length: `values`, of the dtype of `x`,
        and their `counts`, int64.

    Notes
    -----
    The values are in ascending order on backends that can sort. Every NaN is an element of its own, zeros of both signs
    are one.

    References
    ----------
    Array API standard 2025.12, set functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> values, counts = xp.unique_counts(xp.asarray([3, 1, 1, 2]))
    >>> values.compute(), counts.compute()
    (array([1, 2, 3]), array([2, 1, 1]))
    """
    return UniqueCountsResult(*record_many(UNIQUE_COUNTS, operand(x, "all", "unique_counts")))


def unique_inverse(x: ArrayLike, /) -> UniqueInverseResult:
    """Find the unique elements and how to rebuild `x` from them.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype and shape; they are taken as if `x` were flattened.

    Returns
    -------
    UniqueInverseResult
        A named tuple of two Arrays: `values`, one-dimensional and of data-dependent length, of the dtype of `x`; and
        `inverse_indices` into them, int64, of the shape of `x`.

    Notes
    -----
    The values are in ascending order on backends that can sort. Every NaN is an element of its own, zeros of both signs
    are one.

    References
    ----------
    Array API standard 2025.12, set functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> values, inverse_indices = xp.unique_inverse(xp.asarray([3, 1, 1, 2]))
    >>> values.compute(), inverse_indices.compute()
    (array([1, 2, 3]), array([2, 0, 0, 1]))
    """
    return UniqueInverseResult(*record_many(UNIQUE_INVERSE, operand(x, "all", "unique_inverse")))


def unique_values(x: ArrayLike, /) -> Array:
    """Find the unique elements.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype and shape; they are taken as if `x` were flattened.

    Returns
    -------
    Array
        The unique elements, one-dimensional and of data-dependent length, of the dtype of `x`.

    Notes
    -----
    The values are in ascending order on backends that can sort. Every NaN is an element of its own, zeros of both signs
    are one.

    References
    ----------
    Array API standard 2025.12, set functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.unique_values(xp.asarray([3, 1, 1, 2])).compute()
    array([1, 2, 3])
    """
    return record(UNIQUE_VALUES, operand(x, "all", "unique_values"))
