"""Where CuPy departs from the standard, or from NumPy, or from the parameters of a node: what runs instead.

Each lowering takes the namespace, so that NumPy's can stand in for CuPy's where there is no GPU. CuPy wraps positions
that are out of bounds around.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from lazyxp.executors.bounds import check_key, gather, last_values, take, take_along_axis
from lazyxp.executors.lowerings import concrete_key

Key = tuple[Any, ...]


def _is_complex(xp: Any, x: Any) -> bool:
    return bool(xp.isdtype(x.dtype, "complex floating"))


def _complex(xp: Any, real: Any, imag: Any) -> Any:
    dtype = xp.complex64 if real.dtype == xp.float32 else xp.complex128
    result = xp.empty(xp.broadcast_shapes(real.shape, imag.shape), dtype=dtype)
    result.real, result.imag = real, imag
    return result


def _real(xp: Any, x: Any) -> Any:
    return x.real if _is_complex(xp, x) else x


def _imag(xp: Any, x: Any) -> Any:
    return x.imag if _is_complex(xp, x) else xp.zeros_like(x)


# --- elementwise -----------------------------------------------------------------------------------------------------


def _floor_divide(xp: Any, x1: Any, x2: Any) -> Any:
    """With one infinite operand the standard gives the rounded quotient."""
    result = xp.floor_divide(x1, x2)
    if not xp.isdtype(result.dtype, "real floating"):
        return result
    known = (xp.isinf(x1) != xp.isinf(x2)) & ~xp.isnan(x1) & ~xp.isnan(x2) & (x2 != 0)
    return xp.where(known, x1 / xp.where(x2 != 0, x2, xp.ones_like(x2)), result)


def _expm1(xp: Any, x: Any) -> Any:
    """Complex `exp` has the special values, and real `expm1` those of the real axis."""
    if not _is_complex(xp, x):
        return xp.expm1(x)
    result = xp.where(xp.isfinite(x), xp.expm1(x), xp.exp(x) - 1)
    on_axis = x.imag == 0
    real = xp.where(on_axis, xp.expm1(x.real) + 0.0, result.real)
    return _complex(xp, real, xp.where(on_axis, x.imag, result.imag))


def _tanh(xp: Any, x: Any) -> Any:
    """At infinity the imaginary zero has the sign of the imaginary part."""
    result = xp.tanh(x)
    if not _is_complex(xp, x):
        return result
    at_infinity = xp.isinf(x.real) & xp.isfinite(x.imag)
    real = xp.where(at_infinity, xp.copysign(xp.ones_like(x.real), x.real), result.real)
    return _complex(xp, real, xp.where(at_infinity, xp.copysign(xp.zeros_like(x.imag), x.imag), result.imag))


def _sign(xp: Any, x: Any) -> Any:
    """Complex numbers over their magnitude: zeros have no sign, and one infinite part outweighs the other."""
    if not _is_complex(xp, x):
        return xp.sign(x)
    infinite = [xp.isinf(part) for part in (x.real, x.imag)]
    one = infinite[0] != infinite[1]
    parts = [
        xp.where(one, xp.where(by, xp.copysign(xp.ones_like(part), part), xp.zeros_like(part)), part)
        for by, part in zip(infinite, (x.real, x.imag), strict=True)
    ]
    number = _complex(xp, *parts)
    result = xp.where(x == 0, xp.zeros_like(x), number / xp.abs(number))
    return xp.where(xp.isnan(x), xp.asarray(complex(math.nan, math.nan), dtype=x.dtype), result)


def _clip(xp: Any, x: Any, *bounds: Any, given: tuple[str, ...]) -> Any:
    limits = dict(zip(given, bounds, strict=True))
    if "min" in limits:
        x = xp.maximum(x, limits["min"])
    return xp.minimum(x, limits["max"]) if "max" in limits else x


# --- indexing --------------------------------------------------------------------------------------------------------


def _setitem(xp: Any, x: Any, value: Any, *indices: Any, key: Key) -> Any:
    return write_into(xp, xp.asarray(x, copy=True), value, *indices, key=key)


def write_into(xp: Any, x: Any, value: Any, *indices: Any, key: Key) -> Any:
    """``x[key] = value`` in `x`'s own memory; where several values go to one place, the last one stays."""
    check_key(xp, x, indices, key)
    concrete = concrete_key(key, indices)
    if value.ndim == 0 or all(xp.isdtype(index.dtype, "bool") for index in indices):
        x[concrete] = value
        return x
    positions, values = last_values(xp, x, value, indices, key)
    flat = xp.reshape(xp.asarray(x, copy=True), (-1,))
    flat[positions] = values
    x[...] = xp.reshape(flat, x.shape)
    return x


# --- the rest --------------------------------------------------------------------------------------------------------


def _linspace(xp: Any, *, start: Any, stop: Any, num: int, endpoint: bool, dtype: Any) -> Any:
    """The parts of complex numbers by themselves."""
    if not isinstance(start, complex) and not isinstance(stop, complex):
        return xp.linspace(start, stop, num, dtype=dtype, endpoint=endpoint)
    parts = [xp.linspace(getattr(start, p), getattr(stop, p), num, endpoint=endpoint) for p in ("real", "imag")]
    return xp.astype(_complex(xp, *parts), dtype)


def _repeat(xp: Any, x: Any, *counts: Any, axis: int, count: int | None) -> Any:
    """CuPy takes no array of counts: each place in the result searches for its element among their running total."""
    if not counts:
        return xp.repeat(x, count, axis=axis)
    ends = xp.cumulative_sum(xp.broadcast_to(counts[0], (x.shape[axis],)))
    if bool(xp.any(counts[0] < 0)):
        raise ValueError("repeat: the numbers of repetitions must not be negative")
    total = int(ends[-1]) if x.shape[axis] else 0
    return xp.take(x, xp.searchsorted(ends, xp.arange(total), side="right"), axis=axis)


def _mean(xp: Any, x: Any, *, axis: tuple[int, ...], keepdims: bool) -> Any:
    """The parts of complex numbers by themselves, so that NaN in one does not get into the other."""
    if not _is_complex(xp, x):
        return xp.mean(x, axis=axis, keepdims=keepdims)
    return _complex(xp, *[xp.asarray(xp.mean(part, axis=axis, keepdims=keepdims)) for part in (x.real, x.imag)])


def _roll(xp: Any, x: Any, *, shift: tuple[int, ...], axis: tuple[int, ...]) -> Any:
    for by, along in zip(shift, axis, strict=True):
        x = xp.roll(x, by, axis=along)
    return x


def _solve(xp: Any, x1: Any, x2: Any) -> Any:
    """Stacks of matrices that broadcast, or one vector."""
    right = x2[:, None] if x2.ndim == 1 else x2
    stack = xp.broadcast_shapes(x1.shape[:-2], right.shape[:-2])
    matrices = [xp.broadcast_to(x, (*stack, *x.shape[-2:])) for x in (x1, right)]
    result = xp.linalg.solve(*matrices)
    return result[..., 0] if x2.ndim == 1 else result


LOWERINGS: Mapping[str, Callable[..., Any]] = {
    "clip": _clip,
    "complex": _complex,
    "expm1": _expm1,
    "floor_divide": _floor_divide,
    "gather": gather,
    "imag": _imag,
    "linalg.solve": _solve,
    "linspace": _linspace,
    "mean": _mean,
    "real": _real,
    "repeat": _repeat,
    "roll": _roll,
    "scatter": _setitem,
    "setitem": _setitem,
    "sign": _sign,
    "take": take,
    "take_along_axis": take_along_axis,
    "tanh": _tanh,
}
