"""Data type functions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.complex import REAL
from lazyxp.api.info import check_device
from lazyxp.api.recording import SCALARS, copy_of, current, operand, record
from lazyxp.node import Meta, Op, describe

if TYPE_CHECKING:
    from lazyxp.typing import Device, DType, DTypeLike, Scalar


class FInfo(NamedTuple):
    """The limits of a floating-point dtype; see `finfo`."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: np.dtype[Any]


class IInfo(NamedTuple):
    """The limits of an integer dtype; see `iinfo`."""

    bits: int
    max: int
    min: int
    dtype: np.dtype[Any]


def _infer_astype(x: Meta, *, dtype: DType) -> Meta:
    return Meta(x.shape, dtype)


ASTYPE = Op("astype", "cast", _infer_astype, zero_preserving=True)


def astype(x: Array, dtype: DTypeLike, /, *, copy: bool = True, device: Device | None = None) -> Array:
    """Cast `x` to another data type.

    Parameters
    ----------
    x : Array
        Any shape, any dtype.
    dtype : dtype
        The data type of the result.
    copy : bool, optional
        With False, `x` itself is returned where it has the dtype already.
    device : str, optional
        The device of the result: `x`'s own.

    Returns
    -------
    Array
        The elements of `x` as `dtype`.

    Raises
    ------
    TypeError
        If `dtype` is no numeric or boolean dtype; under ``strict=True``, if complex data would become real.

    Warns
    -----
    numpy.exceptions.ComplexWarning
        If complex data becomes real: the imaginary parts are lost.

    References
    ----------
    Array API standard 2025.12, data type functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.astype(xp.asarray([1.7, -1.7]), xp.int64).compute()
    array([ 1, -1])
    """
    x = operand(x, "all", "astype")
    check_device(device, "astype")
    target = dtypes.as_dtype(dtype, "astype")
    if x.dtype == target:
        return copy_of(x) if copy else x
    if x.dtype.kind == "c" and target.kind not in "cb":
        if options.current().strict:
            raise TypeError(f"astype: {describe(current(x))} cannot become {target}; take real(x) or imag(x)")
        warnings.warn(
            f"astype: casting {x.dtype} to {target} discards the imaginary part",
            np.exceptions.ComplexWarning,
            stacklevel=2,
        )
        x = record(REAL, x)
    return record(ASTYPE, x, dtype=target)


def can_cast(from_: DTypeLike | Array, to: DTypeLike, /) -> bool:
    """Whether a value of one data type can become another without loss of kind or range.

    Parameters
    ----------
    from_ : dtype or Array
        What is cast.
    to : dtype
        What it becomes.

    Returns
    -------
    bool
        Whether the cast is safe; under ``strict=True`` only if the standard promotes the two dtypes at all, which it
        does not do for int32 and float64.

    Raises
    ------
    TypeError
        If an argument is no data type.

    References
    ----------
    Array API standard 2025.12, data type functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.can_cast(xp.int32, xp.float64), xp.can_cast(xp.float64, xp.int32)
    (True, False)
    """
    source, target = _dtype_of(from_, "can_cast"), _dtype_of(to, "can_cast")
    if options.current().strict and not dtypes.same_kind(source, target):
        return False
    return bool(np.can_cast(source, target))


def finfo(type: DTypeLike | Array, /) -> FInfo:
    """The limits of a floating-point data type.

    Parameters
    ----------
    type : dtype or Array
        A real or complex floating-point dtype (the limits are those of the components), or an array of one.

    Returns
    -------
    FInfo
        `bits`, `eps`, `max`, `min`, `smallest_normal` as Python numbers, and `dtype`.

    Raises
    ------
    TypeError
        If the dtype is not floating-point.

    References
    ----------
    Array API standard 2025.12, data type functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.finfo(xp.float64).eps
    2.220446049250313e-16
    """
    dtype = _dtype_of(type, "finfo")
    if dtype.kind not in "fc":
        raise TypeError(f"finfo: {dtype} is not a floating-point data type; see iinfo")
    limits = np.finfo(dtype)
    eps, largest, smallest, normal = (float(n) for n in (limits.eps, limits.max, limits.min, limits.smallest_normal))
    return FInfo(int(limits.bits), eps, largest, smallest, normal, dtypes.real_of(dtype))


def iinfo(type: DTypeLike | Array, /) -> IInfo:
    """The limits of an integer data type.

    Parameters
    ----------
    type : dtype or Array
        An integer dtype, or an array of one.

    Returns
    -------
    IInfo
        `bits`, `max`, `min` as Python ints, and `dtype`.

    Raises
    ------
    TypeError
        If the dtype is not an integer one.

    References
    ----------
    Array API standard 2025.12, data type functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.iinfo(xp.int8).max
    127
    """
    dtype = _dtype_of(type, "iinfo")
    if dtype.kind not in "iu":
        raise TypeError(f"iinfo: {dtype} is not an integer data type; see finfo")
    limits = np.iinfo(dtype)
    return IInfo(int(limits.bits), int(limits.max), int(limits.min), dtype)


def isdtype(dtype: DTypeLike, kind: DTypeLike | str | tuple[DTypeLike | str, ...]) -> bool:
    """Whether a data type is of a kind.

    Parameters
    ----------
    dtype : dtype
        The data type.
    kind : dtype, str or tuple of them
        A dtype; one of "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating",
        "numeric"; or several of these, of which one has to hold.

    Returns
    -------
    bool
        The answer.

    Raises
    ------
    ValueError
        If there is no such kind.
    TypeError
        If an argument is neither dtype nor kind.

    References
    ----------
    Array API standard 2025.12, data type functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.isdtype(xp.float32, "real floating"), xp.isdtype(xp.float32, (xp.int8, "integral"))
    (True, False)
    """
    tested = _dtype_of(dtype, "isdtype")
    for one in kind if isinstance(kind, tuple) else (kind,):
        if isinstance(one, str):
            if one not in dtypes.KINDS:
                raise ValueError(f"isdtype: {one!r} is no kind; the kinds are {', '.join(dtypes.KINDS)}")
            if tested.kind in dtypes.KINDS[one]:
                return True
        elif tested == dtypes.as_dtype(one, "isdtype"):
            return True
    return False


def result_type(*arrays_and_dtypes: DTypeLike | Array | Scalar) -> DType:
    """The data type that an operation on the arguments has.

    Parameters
    ----------
    *arrays_and_dtypes : Array, dtype or Python scalar
        At least one array or dtype; scalars take the dtype of the arrays that they meet.

    Returns
    -------
    dtype
        The promoted data type.

    Raises
    ------
    ValueError
        If there is no argument.
    TypeError
        If an argument is none of these; under ``strict=True``, if the standard defines no promotion.

    References
    ----------
    Array API standard 2025.12, data type functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.result_type(xp.int8, xp.int16)
    dtype('int16')
    """
    scalars = [x for x in arrays_and_dtypes if type(x) in SCALARS]
    arrays = [_dtype_of(x, "result_type") for x in arrays_and_dtypes if type(x) not in SCALARS]
    if not arrays:
        if not scalars or options.current().strict:
            raise ValueError("result_type: needs at least one array or dtype")
        return np.result_type(*scalars)
    dtype = dtypes.promote(*arrays)
    if options.current().strict:
        for value in scalars:
            if not dtypes.scalar_fits(type(value), dtype):
                raise TypeError(f"result_type: a Python {type(value).__name__} cannot be mixed with {dtype} data")
    return np.result_type(dtype, *scalars)


def _dtype_of(x: Any, function: str) -> DType:
    if isinstance(x, Array):
        return x.dtype
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype
    if x is None:  # NumPy would take it for float64
        raise TypeError(f"{function}: {x!r} is neither an array nor a data type")
    return dtypes.as_dtype(x, function)
