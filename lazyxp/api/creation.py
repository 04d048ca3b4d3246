"""Creation functions that compute their values: ranges, grids, the identity and triangles."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.conversion import scalar_dtype
from lazyxp.api.info import check_device
from lazyxp.api.manipulation import BROADCAST_TO, RESHAPE
from lazyxp.api.recording import SCALARS, at_least, current, known_shape, operand, record
from lazyxp.node import Meta, Op, describe, make, user_site
from lazyxp.shapes import as_index, as_shape

if TYPE_CHECKING:
    from lazyxp.typing import Device, DType, DTypeLike, Scalar


def _infer_arange(*, start: float, stop: float, step: float, length: int, dtype: DType) -> Meta:
    return Meta((length,), dtype)


def _infer_linspace(*, start: Scalar, stop: Scalar, num: int, endpoint: bool, dtype: DType) -> Meta:
    return Meta((num,), dtype)


def _infer_eye(*, n_rows: int, n_cols: int, k: int, dtype: DType) -> Meta:
    return Meta((n_rows, n_cols), dtype)


def _infer_triangle(x: Meta, *, k: int) -> Meta:
    return Meta(x.shape, x.dtype)


ARANGE = Op("arange", "creation", _infer_arange)

LINSPACE = Op("linspace", "creation", _infer_linspace)

EYE = Op("eye", "creation", _infer_eye)

TRIL = Op("tril", "creation", _infer_triangle, zero_preserving=True)

TRIU = Op("triu", "creation", _infer_triangle, zero_preserving=True)


def arange(
    start: int | float,
    /,
    stop: int | float | None = None,
    step: int | float = 1,
    *,
    dtype: DTypeLike | None = None,
    device: Device | None = None,
) -> Array:
    """Evenly spaced values in the half-open interval ``[start, stop)``.

    Parameters
    ----------
    start : int or float
        The first value; the end of the interval where `stop` is not given, which then begins at 0.
    stop : int or float, optional
        The end of the interval.
    step : int or float, optional
        The distance between values.
    dtype : dtype, optional
        The data type; int64 if all arguments are ints, else float64.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        A 1-D array of ``ceil((stop - start) / step)`` values.

    Raises
    ------
    ValueError
        If `step` is zero or the length is not finite.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.arange(1, 7, 2).compute()
    array([1, 3, 5])
    """
    check_device(device, "arange")
    first, last = (0, start) if stop is None else (start, stop)
    first, last, step = (_number(v, "arange") for v in (first, last, step))
    if any(isinstance(v, complex) for v in (first, last, step)):
        raise TypeError(f"arange: expected real numbers, got {first}, {last} and {step}")
    if step == 0:
        raise ValueError("arange: step must not be zero")
    integers = all(isinstance(v, int) for v in (first, last, step))
    if dtype is not None:
        target = dtypes.as_dtype(dtype, "arange")
    else:
        target = scalar_dtype(max(first, last)) if integers else dtypes.float64
    if integers:
        length = max(0, -((first - last) // step))
    else:
        exact = (last - first) / step
        if not math.isfinite(exact):
            raise ValueError(f"arange: the length of [{first}, {last}) by {step} is not finite")
        length = max(0, math.ceil(exact))
    return record(ARANGE, start=first, stop=last, step=step, length=length, dtype=target)


def _number(value: Any, function: str) -> Any:
    """A scalar argument as a Python number; 0-d arrays are computed."""
    if type(value) in SCALARS:
        return value
    if isinstance(value, (Array, np.generic, np.ndarray)) and value.ndim == 0:
        kind = value.dtype.kind
        return complex(value) if kind == "c" else float(value) if kind == "f" else int(value)
    raise TypeError(f"{function}: expected a number, got {value!r}")


def linspace(
    start: int | float | complex,
    stop: int | float | complex,
    /,
    num: int,
    *,
    dtype: DTypeLike | None = None,
    device: Device | None = None,
    endpoint: bool = True,
) -> Array:
    """Evenly spaced values over an interval.

    Parameters
    ----------
    start, stop : int, float or complex
        The ends of the interval.
    num : int
        How many values.
    dtype : dtype, optional
        The data type; float64 by default, complex128 if an end is complex.
    device : str, optional
        "cpu" or None.
    endpoint : bool, optional
        Whether `stop` is the last value.

    Returns
    -------
    Array
        A 1-D array of `num` values.

    Raises
    ------
    ValueError
        If `num` is negative.
    TypeError
        If an end is complex and `dtype` is not.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linspace(0, 1, 5).compute()
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    check_device(device, "linspace")
    count = as_index(num, "linspace: num")
    if count < 0:
        raise ValueError(f"linspace: num must not be negative, got {count}")
    first, last = _number(start, "linspace"), _number(stop, "linspace")
    is_complex = isinstance(first, complex) or isinstance(last, complex)
    target = (
        (dtypes.complex128 if is_complex else dtypes.float64) if dtype is None else dtypes.as_dtype(dtype, "linspace")
    )
    if is_complex and target.kind != "c":
        raise TypeError(f"linspace: complex ends need a complex dtype, got {target}")
    return record(LINSPACE, start=first, stop=last, num=count, endpoint=bool(endpoint), dtype=target)


def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: DTypeLike | None = None,
    device: Device | None = None,
) -> Array:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Parameters
    ----------
    n_rows : int
        The number of rows.
    n_cols : int, optional
        The number of columns; `n_rows` by default.
    k : int, optional
        The diagonal: 0 the main one, positive above it, negative below.
    dtype : dtype, optional
        The data type; float64 by default.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        Shape ``(n_rows, n_cols)``.

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
    >>> xp.eye(2, dtype=xp.int64).compute()
    array([[1, 0],
           [0, 1]])
    """
    check_device(device, "eye")
    rows, columns = as_shape((n_rows, n_rows if n_cols is None else n_cols), "eye")
    target = dtypes.float64 if dtype is None else dtypes.as_dtype(dtype, "eye")
    return record(EYE, n_rows=rows, n_cols=columns, k=as_index(k, "eye: k"), dtype=target)


def meshgrid(*arrays: Array, indexing: Literal["xy", "ij"] = "xy") -> tuple[Array, ...]:
    """Coordinate arrays from coordinate vectors.

    Parameters
    ----------
    *arrays : Array
        1-D arrays of one dtype.
    indexing : {"xy", "ij"}, optional
        Cartesian (the first two axes swapped) or matrix order.

    Returns
    -------
    tuple of Array
        One N-dimensional array for each vector.

    Raises
    ------
    ValueError
        If an array has more than one dimension, `indexing` is neither, or (under ``strict=True``) the dtypes differ.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x, y = xp.meshgrid(xp.arange(3), xp.arange(2))
    >>> y.compute()
    array([[0, 0, 0],
           [1, 1, 1]])
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    vectors = [operand(x, "all", "meshgrid") for x in arrays]
    if any(v.ndim > 1 for v in vectors):
        listed = ", ".join(describe(current(v)) for v in vectors)
        raise ValueError(f"meshgrid: expected 1-D arrays, got {listed}")
    if options.current().strict and len({v.dtype for v in vectors}) > 1:
        raise ValueError("meshgrid: the arrays must have one dtype (strict=True is set)")
    axes = list(range(len(vectors)))
    if indexing == "xy" and len(axes) > 1:
        axes[:2] = 1, 0
    lengths = [1] * len(axes)
    for axis, vector in zip(axes, vectors, strict=True):
        lengths[axis] = (known_shape(vector, "meshgrid") or (1,))[0]
    site = user_site()
    grids = []
    for axis, vector in zip(axes, vectors, strict=True):
        sides = tuple(-1 if i == axis else 1 for i in range(len(axes)))
        column = make(RESHAPE, current(vector), site=site, shape=sides)
        grids.append(Array(make(BROADCAST_TO, column, site=site, shape=tuple(lengths))))
    return tuple(grids)


def tril(x: Array, /, *, k: int = 0) -> Array:
    """The lower triangle of each matrix in a stack; zeros above it.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, any dtype.
    k : int, optional
        The last diagonal that is kept: 0 the main one, positive above it, negative below.

    Returns
    -------
    Array
        A copy of `x` with zeros above diagonal `k`.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.tril(xp.ones((2, 2))).compute()
    array([[1., 0.],
           [1., 1.]])
    """
    x = at_least(operand(x, "all", "tril"), 2, "tril")
    return record(TRIL, x, k=as_index(k, "tril: k"))


def triu(x: Array, /, *, k: int = 0) -> Array:
    """The upper triangle of each matrix in a stack; zeros below it.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, any dtype.
    k : int, optional
        The first diagonal that is kept: 0 the main one, positive above it, negative below.

    Returns
    -------
    Array
        A copy of `x` with zeros below diagonal `k`.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.triu(xp.ones((2, 2))).compute()
    array([[1., 1.],
           [0., 1.]])
    """
    x = at_least(operand(x, "all", "triu"), 2, "triu")
    return record(TRIU, x, k=as_index(k, "triu: k"))
