"""Where array_api_strict departs from the standard: its results made right, case by case of the standard's text.

Each of CORRECTIONS takes the result and the call's arguments as plain NumPy arrays, and gives the corrected result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict as strict
import numpy as np

from tests.differential.calls import find
from tests.differential.strategies import NDArray


def diff(
    result: NDArray, x: NDArray, *, axis: int = -1, n: int = 1, prepend: Any = None, append: Any = None
) -> NDArray:
    """ "The final size must be M + N1 + N2 - n": with n = 0, NumPy forgets what is to be prepended and appended."""
    return result if n else np.concatenate([p for p in (prepend, x, append) if p is not None], axis=axis)


def power(result: NDArray, x1: Any, x2: Any) -> NDArray:
    """NumPy takes a square root where the exponent is a single 0.5.

    "If x1_i is -infinity, x2_i is greater than 0, and x2_i is not an odd integer value, the result is +infinity"; "If
    x1_i is -0, x2_i is greater than 0, and x2_i is not an odd integer value, the result is +0."
    """
    if result.dtype.kind != "f":
        return result
    x1, x2 = np.broadcast_arrays(np.asarray(x1, result.dtype), np.asarray(x2, result.dtype))
    result = result.copy()
    result[(x1 == -np.inf) & (x2 == 0.5)] = np.inf
    result[(x1 == 0) & (x2 == 0.5)] = 0.0
    return result


def floor_divide(result: NDArray, x1: Any, x2: Any) -> NDArray:
    """With one infinite operand NumPy pairs ``//`` with ``%`` as Python does; the standard takes ``floor(x1 / x2)``.

    "If x1_i is +infinity and x2_i is a positive finite number, the result is +infinity", and so on for all signs; "If
    x1_i is a positive finite number and x2_i is -infinity, the result is -0", and so on. An infinity over a zero is an
    infinity for NumPy too.
    """
    if result.dtype.kind != "f":
        return result
    x1, x2 = np.broadcast_arrays(np.asarray(x1, result.dtype), np.asarray(x2, result.dtype))
    result = result.copy()
    negative = np.signbit(x1) != np.signbit(x2)
    infinite = np.isinf(x1) & np.isfinite(x2) & (x2 != 0)
    result[infinite] = np.where(negative, -np.inf, np.inf)[infinite]
    vanishing = np.isfinite(x1) & np.isinf(x2)
    result[vanishing] = np.where(negative, -0.0, 0.0)[vanishing]
    return result


def expm1(result: NDArray, x: NDArray) -> NDArray:
    """NumPy's complex expm1 is made of sines and cosines that turn special values into NaN."""
    if x.dtype.kind != "c":
        return result
    result = result.copy()
    for index, value in np.ndenumerate(x):
        special = _expm1_special(value.real, value.imag)
        if special is not None:
            result.real[index], result.imag[index] = special
    return result


def _expm1_special(a: float, b: float) -> tuple[float, float] | None:
    """The standard's special cases of ``expm1(a + bj)``; for negative b, ``expm1(conj(x))`` is ``conj(expm1(x))``."""
    if np.signbit(b):
        special = _expm1_special(a, -b)
        return None if special is None else (special[0], -special[1])
    if a == 0 and b == 0:
        return 0.0, 0.0
    if np.isfinite(a):
        return None if np.isfinite(b) else (np.nan, np.nan)
    if np.isnan(a):
        return (np.nan, 0.0) if b == 0 else (np.nan, np.nan)
    if a > 0:
        if b == 0:
            return np.inf, 0.0
        return (np.inf * np.cos(b), np.inf * np.sin(b)) if np.isfinite(b) else (np.inf, np.nan)
    return (-1.0, 0.0 * np.sin(b)) if np.isfinite(b) else (-1.0, 0.0)


def sign(result: NDArray, x: NDArray) -> NDArray:
    """array_api_strict divides by the absolute value as if it were complex, and keeps what zeros and NaN become.

    A quotient by a real number is "(a/c) + (b/c)j"; those of infinities are left to implementations: NumPy's. "If a is
    either -0 or +0 and b is either -0 or +0, the result is 0 + 0j. If a is NaN or b is NaN, the result is NaN + NaN j."
    """
    if x.dtype.kind != "c":
        return result
    result = result.copy()
    result.real, result.imag = x.real / np.abs(x), x.imag / np.abs(x)
    result[np.isinf(x)] = np.sign(x[np.isinf(x)])
    result[x == 0] = 0
    result[np.isnan(x)] = complex(np.nan, np.nan)
    return result


def tanh(result: NDArray, x: NDArray) -> NDArray:
    """ "If a is +infinity and b is a positive finite number, the result is 1 + 0j"; tanh is odd, and conjugates.

    NumPy takes the sign of the zero from sin(2b).
    """
    if x.dtype.kind != "c":
        return result
    result = result.copy()
    limit = np.isinf(x.real) & np.isfinite(x.imag)
    result.real[limit] = np.copysign(1.0, x.real)[limit]
    result.imag[limit] = np.copysign(0.0, x.imag)[limit]
    return result


def isin(result: NDArray, x1: Any, x2: Any, *, invert: bool = False) -> NDArray:
    """array_api_strict ignores `invert`."""
    return np.asarray(~result) if invert else result


def spread(result: NDArray, x: NDArray, *, axis: Any = None, correction: float = 0, keepdims: bool = False) -> NDArray:
    """ "If M - correction is less than or equal to 0, the standard deviation must be NaN"; NumPy then divides by 0."""
    count = x.size if axis is None else np.prod([x.shape[i] for i in np.atleast_1d(np.asarray(axis, int))])
    return np.full_like(result, np.nan) if count - correction <= 0 else result


def mean(result: NDArray, x: NDArray, *, axis: Any = None, keepdims: bool = False) -> NDArray:
    """ "For complex floating-point operands, real-valued floating-point special cases must independently apply to the
    real and imaginary component operations"; NumPy divides by a complex count, and infinities become NaN.
    """
    if x.dtype.kind != "c":
        return result
    parts = [np.mean(part, axis=axis, keepdims=keepdims) for part in (x.real, x.imag)]
    result = result.copy()
    result.real, result.imag = parts
    return result


def sort(result: NDArray, x: NDArray, *, axis: int = -1, descending: bool = False, stable: bool = True) -> NDArray:
    """array_api_strict turns an ascending result round, which turns equal elements round as well."""
    if not (descending and stable):
        return result
    backwards = np.flip(x, axis)
    order = np.flip(np.argsort(backwards, axis=axis, stable=True), axis)
    return np.take_along_axis(backwards, order, axis)


def unless_0d(name: str) -> Callable[..., Any]:
    """Calls the function `name`; for array_api_strict, a 0-d array, which NumPy cannot roll, stays what it is."""

    def call(xp: Any, x: Any, *args: Any, **keywords: Any) -> Any:
        return x if xp is strict and x.ndim == 0 else find(xp, name)(x, *args, **keywords)

    return call


CORRECTIONS: dict[str, Callable[..., Any]] = {
    "diff": diff,
    "expm1": expm1,
    "floor_divide": floor_divide,
    "isin": isin,
    "mean": mean,
    "pow": power,
    "sign": sign,
    "sort": sort,
    "std": spread,
    "tanh": tanh,
    "var": spread,
}
