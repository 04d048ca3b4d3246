"""Where NumPy departs from the standard, or from the parameters of a node: what runs instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lazyxp.executors.lowerings import concrete_key, getitem
from lazyxp.executors.numpy.kernels import run_kernel, run_sliding
from lazyxp.executors.numpy.selection import selected

ArrayLike = Any


def write_into(x: Any, value: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    """``x[key] = value`` in `x`'s own memory."""
    target = np.asarray(x)  # NumPy's 0-d results are scalars, which cannot be written to
    target[concrete_key(key, indices)] = value
    return target


def _setitem(xp: Any, x: Any, value: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    return write_into(np.array(x), value, *indices, key=key)


def _gather(xp: Any, x: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    """``x[key]``; with a NumPy scalar as the index it would be a view, with an array it is a copy."""
    found = [np.asarray(i) for i in indices]
    if len(found) == len(key) == 1 and found[0].dtype.kind == "b":
        result = selected(np.asarray(x), found[0])
        if result is not None:
            return result
    return getitem(xp, x, *found, key=key)


def _floor_divide(xp: Any, x1: Any, x2: Any) -> Any:
    """With one infinite operand the standard gives the rounded quotient, NumPy Python's floor."""
    with np.errstate(invalid="ignore"):
        result = np.floor_divide(x1, x2)
        if result.dtype.kind == "f":
            one_infinite = np.isinf(x1) != np.isinf(x2)
            if one_infinite.any():
                known = one_infinite & ~np.isnan(x1) & ~np.isnan(x2) & (x2 != 0)
                result = np.where(known, np.divide(x1, x2, where=known, out=np.zeros_like(result)), result)
    return result


def _expm1(xp: Any, x: Any) -> Any:
    """NumPy's complex expm1 loses the special values that its exp has."""
    if x.dtype.kind != "c":
        return np.expm1(x)
    x = np.asarray(x)
    with np.errstate(invalid="ignore", over="ignore"):
        result = np.asarray(np.expm1(x))
        special = ~np.isfinite(x)
        if special.any():
            result[special] = np.exp(x[special]) - 1
        on_axis = x.imag == 0
        if on_axis.any():
            result.real[on_axis] = np.expm1(x.real[on_axis]) + 0.0
            result.imag[on_axis] = x.imag[on_axis]
    return result


def _tanh(xp: Any, x: Any) -> Any:
    """NumPy's complex tanh gives the imaginary zero at infinity the sign of sin(2y); the standard, that of y."""
    result = np.tanh(x)
    if x.dtype.kind == "c":
        at_infinity = np.isinf(np.real(x)) & np.isfinite(np.imag(x))
        if at_infinity.any():
            result, x = np.asarray(result), np.asarray(x)
            result.real[at_infinity] = np.copysign(1, x.real[at_infinity])
            result.imag[at_infinity] = np.copysign(0, x.imag[at_infinity])
    return result


def _pow(xp: Any, x1: Any, x2: Any) -> Any:
    """NumPy takes the square root where the exponent is one 0.5, which has other special values."""
    if np.ndim(x2) or x2 != 0.5 or np.result_type(x1, x2).kind != "f":
        return np.power(x1, x2)
    result = np.asarray(np.sqrt(x1) + x2.dtype.type(0))
    result[np.isneginf(x1)] = np.inf
    return result


def _sign(xp: Any, x: Any) -> Any:
    """NumPy's complex sign gives 1 or 1j where one part is NaN and the other infinite, and may give a zero a sign."""
    result = np.sign(x)
    if x.dtype.kind == "c":
        result = np.where(np.isnan(x), np.asarray(complex(np.nan, np.nan), dtype=x.dtype), result)
        result = np.where(x == 0, np.asarray(0, dtype=x.dtype), result)
    return result


def _clip(xp: Any, x: Any, *bounds: Any, given: tuple[str, ...]) -> Any:
    limits = dict(zip(given, bounds, strict=True))
    return np.clip(x, limits.get("min"), limits.get("max"))


def _complex(xp: Any, real: Any, imag: Any) -> Any:
    shape = np.broadcast_shapes(np.shape(real), np.shape(imag))
    result = np.empty(shape, np.result_type(real.dtype, np.complex64))
    result.real, result.imag = real, imag
    return result


def _count(x: Any, axis: tuple[int, ...]) -> int:
    return math.prod(x.shape[i] for i in axis)


def _nan(x: Any, axis: tuple[int, ...], keepdims: bool, dtype: Any) -> Any:
    """What a mean or variance without degrees of freedom is: NaN everywhere, without NumPy's warnings."""
    shape = [1 if i in axis else n for i, n in enumerate(x.shape) if keepdims or i not in axis]
    return np.full(shape, complex(np.nan, np.nan) if dtype.kind == "c" else np.nan, dtype)


def _mean(xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """NumPy divides complex sums by a complex count, which lets NaN and infinity leak from one part into the other."""
    count = _count(x, axis)
    if count == 0:
        return _nan(x, axis, keepdims, x.dtype)
    if x.dtype.kind != "c":
        return np.mean(x, axis=axis, keepdims=keepdims)
    total = np.array(np.sum(x, axis=axis, keepdims=keepdims))
    total.real /= count
    total.imag /= count
    return total


def _spread(function: Callable[..., Any]) -> Callable[..., Any]:
    """`np.std` or `np.var`, NaN where the divisor is not positive: NumPy's is never below 0."""

    def lowering(xp: Any, x: Any, *, axis: tuple[int, ...], correction: float, keepdims: bool) -> Any:
        if _count(x, axis) - correction <= 0:
            return _nan(x, axis, keepdims, x.real.dtype)
        return function(x, axis=axis, correction=correction, keepdims=keepdims)

    return lowering


def _count_nonzero(xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """NumPy's fast path is the one for all axes, which it gives as None."""
    if len(axis) == np.ndim(x) and not keepdims:
        return np.asarray(np.count_nonzero(x), np.int64)
    return np.count_nonzero(x, axis=axis, keepdims=keepdims)


def _sort(xp: Any, x: Any, *, axis: int, descending: bool, stable: bool) -> Any:
    # Equal integers cannot be told apart, so they never need NumPy's stable sort.
    stable = stable and x.dtype.kind in "fc"
    if not descending:
        return np.sort(x, axis=axis, stable=stable)
    return np.flip(np.sort(np.flip(x, axis), axis=axis, stable=stable), axis)


def _argsort(xp: Any, x: Any, *, axis: int, descending: bool, stable: bool) -> Any:
    if not descending:
        return np.argsort(x, axis=axis, stable=stable)
    # Sorted and read from behind, so that equal elements keep their order.
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis), axis=axis, stable=stable), axis)


def _unique_values(xp: Any, x: Any) -> Any:
    """NumPy's own leaves the order to its hash table."""
    return np.unique(x, equal_nan=False)


def _irfft(function: Callable[..., Any]) -> Callable[..., Any]:
    """`np.fft.irfft` or `np.fft.hfft`, which read memory that is not theirs where the axis is empty."""

    def lowering(xp: Any, x: Any, *, n: int, axis: int, norm: str) -> Any:
        if x.shape[axis] == 0:
            return np.zeros((*x.shape[:axis], n, *x.shape[axis + 1 :]), x.real.dtype)
        return function(x, n=n, axis=axis, norm=norm)

    return lowering


def _irfftn(xp: Any, x: Any, *, s: tuple[int, ...], axes: tuple[int, ...], norm: Any) -> Any:
    """`np.fft.irfftn`, with the same care for an empty last axis."""
    if x.shape[axes[-1]] == 0:
        lengths = dict(zip(axes, s, strict=True))
        return np.zeros([lengths.get(i, n) for i, n in enumerate(x.shape)], x.real.dtype)
    return np.fft.irfftn(x, s=s, axes=axes, norm=norm)


def _reduction(ufunc: np.ufunc) -> Callable[..., Any]:
    """A reduction by the method of `ufunc` that NumPy's function calls in the end."""

    def lowering(xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool, dtype: Any = None) -> Any:
        return ufunc.reduce(x, axis=axis, dtype=dtype, keepdims=keepdims)

    return lowering


LOWERINGS: Mapping[str, Callable[..., Any]] = {
    "kernel": run_kernel,
    "sliding": run_sliding,
    "setitem": _setitem,
    "read": lambda xp, external, *, shape, key: external[key],
    "scatter": _setitem,
    "gather": _gather,
    "floor_divide": _floor_divide,
    "expm1": _expm1,
    "tanh": _tanh,
    "pow": _pow,
    "sign": _sign,
    "clip": _clip,
    "complex": _complex,
    "real": lambda xp, x: np.real(x),
    "any": _reduction(np.logical_or),
    "all": _reduction(np.logical_and),
    "max": _reduction(np.maximum),
    "min": _reduction(np.minimum),
    "sum": _reduction(np.add),
    "prod": _reduction(np.multiply),
    "mean": _mean,
    "std": _spread(np.std),
    "var": _spread(np.var),
    "count_nonzero": _count_nonzero,
    "sort": _sort,
    "argsort": _argsort,
    "unique_values": _unique_values,
    "linalg.matrix_rank": lambda xp, x, rtol=None: np.linalg.matrix_rank(x, rtol=rtol),
    "fft.irfft": _irfft(np.fft.irfft),
    "fft.hfft": _irfft(np.fft.hfft),
    "fft.irfftn": _irfftn,
    "imag": lambda xp, x: np.imag(x),
}
