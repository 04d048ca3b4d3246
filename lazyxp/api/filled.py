"""Creation functions that fill an array with one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.conversion import scalar_dtype
from lazyxp.api.info import check_device
from lazyxp.api.manipulation import BROADCAST_TO
from lazyxp.api.recording import SCALARS, cast, current, known_shape, operand, record
from lazyxp.node import Meta, Op, Shape, describe
from lazyxp.shapes import as_shape

if TYPE_CHECKING:
    from lazyxp.typing import Device, DType, DTypeLike, Scalar


def _infer_full(*, shape: Shape, fill_value: Scalar, dtype: DType) -> Meta:
    return Meta(shape, dtype)


FULL = Op("full", "creation", _infer_full)


def full(
    shape: int | tuple[int, ...], fill_value: Scalar, *, dtype: DTypeLike | None = None, device: Device | None = None
) -> Array:
    """An array of one value.

    Parameters
    ----------
    shape : int or tuple of int
        The shape.
    fill_value : bool, int, float or complex
        The value; a 0-d array too, unless ``strict=True``.
    dtype : dtype, optional
        The data type; by default the default one for the kind of `fill_value`.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array whose elements all are `fill_value`.

    Raises
    ------
    TypeError, OverflowError
        If `fill_value` does not fit `dtype`.
    ValueError
        If a side is negative.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.full((2, 2), 7).compute()
    array([[7, 7],
           [7, 7]])
    """
    check_device(device, "full")
    return _full(as_shape(shape, "full"), fill_value, dtype, "full")


def _full(shape: Shape, fill_value: Any, dtype: DTypeLike | None, function: str) -> Array:
    target = None if dtype is None else dtypes.as_dtype(dtype, function)
    if type(fill_value) not in SCALARS:
        value = operand(fill_value, "all", function)
        if options.current().strict or value.ndim:
            raise TypeError(f"{function}: fill_value must be a Python scalar, got {describe(current(value))}")
        return record(BROADCAST_TO, value if target is None else cast(value, target), shape=shape)
    target = target or scalar_dtype(fill_value)
    return record(FULL, shape=shape, fill_value=dtypes.check_scalar(fill_value, target, function), dtype=target)


def _like(x: Array, fill_value: Any, dtype: DTypeLike | None, device: Device | None, function: str) -> Array:
    check_device(device, function)
    x = operand(x, "all", function)
    return _full(known_shape(x, function), fill_value, x.dtype if dtype is None else dtype, function)


def full_like(
    x: Array, /, fill_value: Scalar, *, dtype: DTypeLike | None = None, device: Device | None = None
) -> Array:
    """An array of one value with the shape (and dtype) of another.

    Parameters
    ----------
    x : Array
        Gives the shape, and the dtype by default.
    fill_value : bool, int, float or complex
        The value.
    dtype : dtype, optional
        The data type.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array whose elements all are `fill_value`.

    Raises
    ------
    TypeError, OverflowError
        If `fill_value` does not fit the dtype.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.full_like(xp.asarray([1.5, 2.5]), 3).compute()
    array([3., 3.])
    """
    return _like(x, fill_value, dtype, device, "full_like")


def zeros(shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """An array of zeros.

    Parameters
    ----------
    shape : int or tuple of int
        The shape.
    dtype : dtype, optional
        The data type; float64 by default.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array of zeros.

    Raises
    ------
    ValueError
        If a side is negative.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.zeros(2).compute()
    array([0., 0.])
    """
    check_device(device, "zeros")
    return _full(as_shape(shape, "zeros"), 0, dtypes.float64 if dtype is None else dtype, "zeros")


def zeros_like(x: Array, /, *, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """An array of zeros with the shape (and dtype) of another.

    Parameters
    ----------
    x : Array
        Gives the shape, and the dtype by default.
    dtype : dtype, optional
        The data type.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array of zeros.

    Raises
    ------
    TypeError
        If `dtype` is no data type.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.zeros_like(xp.asarray([1, 2])).compute()
    array([0, 0])
    """
    return _like(x, 0, dtype, device, "zeros_like")


def ones(shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """An array of ones.

    Parameters
    ----------
    shape : int or tuple of int
        The shape.
    dtype : dtype, optional
        The data type; float64 by default.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array of ones.

    Raises
    ------
    ValueError
        If a side is negative.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.ones(2).compute()
    array([1., 1.])
    """
    check_device(device, "ones")
    return _full(as_shape(shape, "ones"), 1, dtypes.float64 if dtype is None else dtype, "ones")


def ones_like(x: Array, /, *, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """An array of ones with the shape (and dtype) of another.

    Parameters
    ----------
    x : Array
        Gives the shape, and the dtype by default.
    dtype : dtype, optional
        The data type.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array of ones.

    Raises
    ------
    TypeError
        If `dtype` is no data type.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.ones_like(xp.asarray([1, 2])).compute()
    array([1, 1])
    """
    return _like(x, 1, dtype, device, "ones_like")


def empty(shape: int | tuple[int, ...], *, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """An array whose elements are not specified; they are zeros, so that computing it twice gives the same.

    Parameters
    ----------
    shape : int or tuple of int
        The shape.
    dtype : dtype, optional
        The data type; float64 by default.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array of the shape.

    Raises
    ------
    ValueError
        If a side is negative.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.empty((2, 3)).shape
    (2, 3)
    """
    check_device(device, "empty")
    return _full(as_shape(shape, "empty"), 0, dtypes.float64 if dtype is None else dtype, "empty")


def empty_like(x: Array, /, *, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """An array with the shape (and dtype) of another, whose elements are not specified.

    Parameters
    ----------
    x : Array
        Gives the shape, and the dtype by default.
    dtype : dtype, optional
        The data type.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        An array of the shape.

    Raises
    ------
    TypeError
        If `dtype` is no data type.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.empty_like(xp.asarray([1, 2])).dtype
    dtype('int64')
    """
    return _like(x, 0, dtype, device, "empty_like")
