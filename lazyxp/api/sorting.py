"""Sorting functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp import dtypes
from lazyxp.api.recording import operand, record, same
from lazyxp.node import Meta, Op
from lazyxp.shapes import normalize_axis

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


def _infer_argsort(x: Meta, *, axis: int, descending: bool, stable: bool) -> Meta:
    return Meta(x.shape, dtypes.int64)


ARGSORT = Op("argsort", "sort", _infer_argsort)
SORT = Op("sort", "sort", same)


def argsort(x: ArrayLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """Give the indices that sort along an axis.

    Parameters
    ----------
    x : ArrayLike
        Real numbers, in at least one dimension. Booleans and complex numbers are ordered as in NumPy (complex numbers
        by real part, then by imaginary part), refused under ``strict=True``.
    axis : int
        The axis to sort along; a negative one counts from the last.
    descending : bool
        Whether the largest element comes first.
    stable : bool
        Whether equal elements are sure to keep their order.

    Returns
    -------
    Array
        Indices along `axis`, int64, in the shape of `x`.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not real and numeric.
    ValueError
        If there is no such axis, as in a 0-d array.

    Notes
    -----
    NaNs count as larger than every number: they come last, with `descending` first.

    References
    ----------
    Array API standard 2025.12, sorting functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([3.0, 1.0, 2.0, 1.0])
    >>> xp.argsort(x).compute()
    array([1, 3, 2, 0])
    >>> xp.argsort(x, descending=True).compute()
    array([0, 2, 1, 3])
    """
    return _sort(ARGSORT, x, axis, descending, stable)


def sort(x: ArrayLike, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Array:
    """Sort the elements along an axis.

    Parameters
    ----------
    x : ArrayLike
        Real numbers, in at least one dimension. Booleans and complex numbers are ordered as in NumPy (complex numbers
        by real part, then by imaginary part), refused under ``strict=True``.
    axis : int
        The axis to sort along; a negative one counts from the last.
    descending : bool
        Whether the largest element comes first.
    stable : bool
        Whether equal elements, zeros of both signs for instance, are sure to keep their order.

    Returns
    -------
    Array
        The sorted elements, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not real and numeric.
    ValueError
        If there is no such axis, as in a 0-d array.

    Notes
    -----
    NaNs count as larger than every number: they come last, with `descending` first.

    References
    ----------
    Array API standard 2025.12, sorting functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.sort(xp.asarray([[3, 1, 2], [9, 8, 7]])).compute()
    array([[1, 2, 3],
           [7, 8, 9]])
    >>> xp.sort(xp.asarray([3, 1, 2]), descending=True).compute()
    array([3, 2, 1])
    """
    return _sort(SORT, x, axis, descending, stable)


def _sort(op: Op, x: ArrayLike, axis: int, descending: bool, stable: bool) -> Array:
    x = operand(x, "real numeric", op.name)
    axis = normalize_axis(axis, x.ndim, op.name)
    return record(op, x, axis=axis, descending=bool(descending), stable=bool(stable))
