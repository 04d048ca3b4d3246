"""Statistical functions: reductions over axes, and cumulative sums and products along one."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

from lazyxp import dtypes, options
from lazyxp.api import manipulation
from lazyxp.api.recording import at_least, cast, copy_of, operand, record
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import normalize_axes, normalize_axis, reduced, size_of

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike, Axes, DType, DTypeLike


# --- largest and smallest --------------------------------------------------------------------------------------------


def _infer_extremum(function: str, x: Meta, axis: tuple[int, ...], keepdims: bool) -> Meta:
    if 0 in [x.shape[i] for i in axis] and size_of(reduced(x.shape, axis, False)) not in (0, None):
        raise ValueError(
            f"{function}: {describe(x)} has no elements along axis {axis}, so there is no {function}imum; "
            "reduce other axes or give it at least one element"
        )
    return Meta(reduced(x.shape, axis, keepdims), x.dtype)


def _infer_max(x: Meta, *, axis: tuple[int, ...], keepdims: bool) -> Meta:
    return _infer_extremum("max", x, axis, keepdims)


def _infer_min(x: Meta, *, axis: tuple[int, ...], keepdims: bool) -> Meta:
    return _infer_extremum("min", x, axis, keepdims)


MAX = Op("max", "reduction", _infer_max)
MIN = Op("min", "reduction", _infer_min)


def max(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Find the largest element along axes.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans and complex numbers are compared as in NumPy (complex numbers by real part, then by
        imaginary part), refused under ``strict=True``.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The maxima, in the dtype of `x` and in its shape without the reduced axes.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not real and numeric.
    ValueError
        If an axis is out of bounds or repeated, or if there are no elements to choose from.

    Notes
    -----
    The result is NaN where any element is. Of zeros of both signs either may be returned.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([[1.0, 7.0], [5.0, 3.0]])
    >>> float(xp.max(x))
    7.0
    >>> xp.max(x, axis=1).compute()
    array([7., 5.])
    """
    x = operand(x, "real numeric", "max")
    return record(MAX, x, axis=normalize_axes(axis, x.ndim, "max"), keepdims=bool(keepdims))


def min(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Find the smallest element along axes.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans and complex numbers are compared as in NumPy (complex numbers by real part, then by
        imaginary part), refused under ``strict=True``.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The minima, in the dtype of `x` and in its shape without the reduced axes.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not real and numeric.
    ValueError
        If an axis is out of bounds or repeated, or if there are no elements to choose from.

    Notes
    -----
    The result is NaN where any element is. Of zeros of both signs either may be returned.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([[1.0, 7.0], [5.0, 3.0]])
    >>> xp.min(x, axis=0, keepdims=True).compute()
    array([[1., 3.]])
    """
    x = operand(x, "real numeric", "min")
    return record(MIN, x, axis=normalize_axes(axis, x.ndim, "min"), keepdims=bool(keepdims))


# --- sums and products -----------------------------------------------------------------------------------------------


def _infer_accumulation(x: Meta, *, axis: tuple[int, ...], dtype: DType, keepdims: bool) -> Meta:
    return Meta(reduced(x.shape, axis, keepdims), dtype)


def _infer_cumulative(x: Meta, *, axis: int, dtype: DType, include_initial: bool) -> Meta:
    side = x.shape[axis]
    length = side + 1 if include_initial and side is not None else side
    return Meta((*x.shape[:axis], length, *x.shape[axis + 1 :]), dtype)


SUM = Op("sum", "reduction", _infer_accumulation, identity=0)
PROD = Op("prod", "reduction", _infer_accumulation, identity=1)
CUMULATIVE_SUM = Op("cumulative_sum", "scan", _infer_cumulative, identity=0)
CUMULATIVE_PROD = Op("cumulative_prod", "scan", _infer_cumulative, identity=1)


def _accumulator(x: Array, dtype: DTypeLike | None, function: str) -> DType:
    """The dtype in which `x` is accumulated: the one asked for, or the default for `x`."""
    if dtype is None:
        return dtypes.accumulator(x.dtype)
    result = dtypes.as_dtype(dtype, function)
    if options.current().strict and (result.kind == "b" or (x.dtype.kind == "c") > (result.kind == "c")):
        raise TypeError(f"{function}: {x.dtype} data cannot be accumulated in {result} (strict=True is set)")
    return result


def sum(x: ArrayLike, /, *, axis: Axes = None, dtype: DTypeLike | None = None, keepdims: bool = False) -> Array:
    """Add up the elements along axes.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans count as 0 and 1 as in NumPy, refused under ``strict=True``.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    dtype : dtype, optional
        What the elements are cast to before they are added, and the dtype of the result. If None, the dtype of `x`,
        but int64 for booleans and signed integers and uint64 for unsigned ones.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The sums, in the shape of `x` without the reduced axes.

    Raises
    ------
    TypeError
        If `dtype` is not a dtype of numbers; under ``strict=True``, if `x` or `dtype` is boolean, or if `dtype` would
        drop imaginary parts.
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    The sum of no elements is 0. Integers wrap around on overflow.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([[1, 2], [3, 4]], dtype=xp.int8)
    >>> int(xp.sum(x))
    10
    >>> xp.sum(x, axis=0, dtype=xp.float32).compute()
    array([4., 6.], dtype=float32)
    """
    x = operand(x, "numeric", "sum")
    axis = normalize_axes(axis, x.ndim, "sum")
    return record(SUM, x, axis=axis, dtype=_accumulator(x, dtype, "sum"), keepdims=bool(keepdims))


def prod(x: ArrayLike, /, *, axis: Axes = None, dtype: DTypeLike | None = None, keepdims: bool = False) -> Array:
    """Multiply the elements along axes.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans count as 0 and 1 as in NumPy, refused under ``strict=True``.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    dtype : dtype, optional
        What the elements are cast to before they are multiplied, and the dtype of the result. If None, the dtype of
        `x`, but int64 for booleans and signed integers and uint64 for unsigned ones.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The products, in the shape of `x` without the reduced axes.

    Raises
    ------
    TypeError
        If `dtype` is not a dtype of numbers; under ``strict=True``, if `x` or `dtype` is boolean, or if `dtype` would
        drop imaginary parts.
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    The product of no elements is 1. Integers wrap around on overflow.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.prod(xp.asarray([[1.5, 2.0], [3.0, 4.0]]), axis=1).compute()
    array([ 3., 12.])
    >>> float(xp.prod(xp.asarray([])))
    1.0
    """
    x = operand(x, "numeric", "prod")
    axis = normalize_axes(axis, x.ndim, "prod")
    return record(PROD, x, axis=axis, dtype=_accumulator(x, dtype, "prod"), keepdims=bool(keepdims))


def cumulative_sum(
    x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Array:
    """Add up the elements along one axis, and keep every partial sum.

    Parameters
    ----------
    x : ArrayLike
        Numbers, in at least one dimension. Booleans count as 0 and 1, and a 0-d array as one of length 1, as in NumPy;
        both are refused under ``strict=True``.
    axis : int, optional
        The axis to go along, a negative one counts from the last; it may be left out if there is only one.
    dtype : dtype, optional
        What the elements are cast to before they are added, and the dtype of the result. If None, the dtype of `x`,
        but int64 for booleans and signed integers and uint64 for unsigned ones.
    include_initial : bool
        Whether the sum of no elements, 0, comes first.

    Returns
    -------
    Array
        The partial sums, in the shape of `x`; longer by one along `axis` with `include_initial`.

    Raises
    ------
    TypeError
        If `dtype` is not a dtype of numbers; under ``strict=True``, if `x` or `dtype` is boolean, or if `dtype` would
        drop imaginary parts.
    ValueError
        If the axis is out of bounds, or left out for an array of several dimensions; under ``strict=True``, if `x` is
        0-d.

    Notes
    -----
    From the first NaN on, every partial sum is NaN.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.cumulative_sum(xp.asarray([1, 2, 3])).compute()
    array([1, 3, 6])
    >>> xp.cumulative_sum(xp.asarray([1, 2, 3]), include_initial=True).compute()
    array([0, 1, 3, 6])
    """
    return _cumulative(CUMULATIVE_SUM, x, axis, dtype, include_initial)


def cumulative_prod(
    x: ArrayLike, /, *, axis: int | None = None, dtype: DTypeLike | None = None, include_initial: bool = False
) -> Array:
    """Multiply the elements along one axis, and keep every partial product.

    Parameters
    ----------
    x : ArrayLike
        Numbers, in at least one dimension. Booleans count as 0 and 1, and a 0-d array as one of length 1, as in NumPy;
        both are refused under ``strict=True``.
    axis : int, optional
        The axis to go along, a negative one counts from the last; it may be left out if there is only one.
    dtype : dtype, optional
        What the elements are cast to before they are multiplied, and the dtype of the result. If None, the dtype of
        `x`, but int64 for booleans and signed integers and uint64 for unsigned ones.
    include_initial : bool
        Whether the product of no elements, 1, comes first.

    Returns
    -------
    Array
        The partial products, in the shape of `x`; longer by one along `axis` with `include_initial`.

    Raises
    ------
    TypeError
        If `dtype` is not a dtype of numbers; under ``strict=True``, if `x` or `dtype` is boolean, or if `dtype` would
        drop imaginary parts.
    ValueError
        If the axis is out of bounds, or left out for an array of several dimensions; under ``strict=True``, if `x` is
        0-d.

    Notes
    -----
    From the first NaN on, every partial product is NaN.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.cumulative_prod(xp.asarray([[1.0, 2.0], [3.0, 4.0]]), axis=1).compute()
    array([[ 1.,  2.],
           [ 3., 12.]])
    """
    return _cumulative(CUMULATIVE_PROD, x, axis, dtype, include_initial)


def _cumulative(op: Op, x: ArrayLike, axis: int | None, dtype: DTypeLike | None, include_initial: bool) -> Array:
    x = operand(x, "numeric", op.name)
    if options.current().strict:
        at_least(x, 1, op.name)
    if x.ndim == 0:
        x = manipulation.expand_dims(copy_of(x), axis=0)
    if axis is None:
        if x.ndim > 1:
            raise ValueError(f"{op.name}: {x.ndim} dimensions need an axis to go along; pass axis=0 ... {x.ndim - 1}")
        axis = 0
    axis = normalize_axis(axis, x.ndim, op.name)
    return record(op, x, axis=axis, dtype=_accumulator(x, dtype, op.name), include_initial=bool(include_initial))


# --- moments ---------------------------------------------------------------------------------------------------------


def _infer_mean(x: Meta, *, axis: tuple[int, ...], keepdims: bool) -> Meta:
    return Meta(reduced(x.shape, axis, keepdims), x.dtype)


def _infer_spread(x: Meta, *, axis: tuple[int, ...], correction: float, keepdims: bool) -> Meta:
    return Meta(reduced(x.shape, axis, keepdims), dtypes.real_of(x.dtype))


MEAN = Op("mean", "reduction", _infer_mean)
STD = Op("std", "reduction", _infer_spread)
VAR = Op("var", "reduction", _infer_spread)


def mean(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Compute the arithmetic mean along axes.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans are cast to float64 as in NumPy, refused under ``strict=True``.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The means, in the shape of `x` without the reduced axes; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    The mean of no elements is NaN, and so is a mean over any NaN; real and imaginary parts are independent.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> float(xp.mean(xp.asarray([1.0, 2.0, 6.0])))
    3.0
    """
    x = operand(x, "floating-point", "mean")
    x = cast(x, dtypes.as_floating(x.dtype))
    return record(MEAN, x, axis=normalize_axes(axis, x.ndim, "mean"), keepdims=bool(keepdims))


def std(x: ArrayLike, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """Compute the standard deviation, the square root of the variance, along axes.

    Parameters
    ----------
    x : ArrayLike
        Real floating-point numbers. Integers and booleans are cast to float64, and complex numbers deviate by their
        distance from the mean, as in NumPy; both are refused under ``strict=True``.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    correction : float
        What is subtracted from the number of elements to give the divisor: 0 for a whole population, 1 (Bessel's) for
        a sample of it.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The deviations, real, in the precision of `x` and in its shape without the reduced axes.

    Raises
    ------
    TypeError
        If `correction` is not a real number; under ``strict=True``, if `x` is not real floating-point.
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    The result is NaN where any element is, and where the divisor is not positive.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.std(xp.asarray([[1.0, 3.0], [2.0, 8.0]]), axis=1).compute()
    array([1., 3.])
    """
    return _spread(STD, x, axis, correction, keepdims)


def var(x: ArrayLike, /, *, axis: Axes = None, correction: float = 0.0, keepdims: bool = False) -> Array:
    """Compute the variance, the mean squared distance from the mean, along axes.

    Parameters
    ----------
    x : ArrayLike
        Real floating-point numbers. Integers and booleans are cast to float64, and complex numbers deviate by their
        distance from the mean, as in NumPy; both are refused under ``strict=True``.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    correction : float
        What is subtracted from the number of elements to give the divisor: 0 for a whole population, 1 (Bessel's) for
        a sample of it.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        The variances, real, in the precision of `x` and in its shape without the reduced axes.

    Raises
    ------
    TypeError
        If `correction` is not a real number; under ``strict=True``, if `x` is not real floating-point.
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    The result is NaN where any element is, and where the divisor is not positive.

    References
    ----------
    Array API standard 2025.12, statistical functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([1.0, 2.0, 3.0])
    >>> float(xp.var(x, correction=1))
    1.0
    """
    return _spread(VAR, x, axis, correction, keepdims)


def _spread(op: Op, x: ArrayLike, axis: Axes, correction: Any, keepdims: bool) -> Array:
    x = operand(x, "real floating-point" if options.current().strict else "floating-point", op.name)
    x = cast(x, dtypes.as_floating(x.dtype))
    if not isinstance(correction, Real):
        raise TypeError(f"{op.name}: correction must be a real number, not {correction!r}")
    axes = normalize_axes(axis, x.ndim, op.name)
    return record(op, x, axis=axes, correction=float(correction), keepdims=bool(keepdims))
