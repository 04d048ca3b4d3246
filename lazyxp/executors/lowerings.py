"""How ops whose parameters differ from the standard's signatures are called on an Array API namespace.

Each takes the namespace, the native operands and the node's parameters. Ops that are not here are the namespace's
function of the same name, called with the node's parameters as keywords.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any


def concrete_key(key: tuple[Any, ...], indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """A canonical key with the index arrays in their places."""
    arrays = iter(indices)
    return tuple(next(arrays) if type(entry) is str else entry for entry in key)


def getitem(xp: Any, x: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    """``x[key]``."""
    return x[concrete_key(key, indices)]


def _setitem(xp: Any, x: Any, value: Any, *indices: Any, key: tuple[Any, ...]) -> Any:
    result = xp.asarray(x, copy=True)
    result[concrete_key(key, indices)] = value
    return result


def _arange(xp: Any, *, start: float, stop: float, step: float, length: int, dtype: Any) -> Any:
    return xp.arange(start, stop, step, dtype=dtype)


def _linspace(xp: Any, *, start: Any, stop: Any, num: int, endpoint: bool, dtype: Any) -> Any:
    return xp.linspace(start, stop, num, dtype=dtype, endpoint=endpoint)


def _searchsorted(xp: Any, x1: Any, x2: Any, *sorter: Any, side: str) -> Any:
    return xp.searchsorted(x1, x2, side=side, sorter=sorter[0] if sorter else None)


def _clip(xp: Any, x: Any, *bounds: Any, given: tuple[str, ...]) -> Any:
    return xp.clip(x, **dict(zip(given, bounds, strict=True)))


def _isin(xp: Any, x1: Any, x2: Any, *, invert: bool) -> Any:
    found = xp.isin(x1, x2)
    return xp.logical_not(found) if invert else found


def _frequencies(name: str) -> Callable[..., Any]:
    return lambda xp, *, n, d, dtype: getattr(xp.fft, name)(n, d=d, dtype=dtype)


def _complex_transform(name: str) -> Callable[..., Any]:
    """The standard's complex transforms take complex data only; many namespaces take real data, and gain by it."""

    def transform(xp: Any, x: Any, **params: Any) -> Any:
        function = getattr(xp.fft, name)
        try:
            return function(x, **params)
        except TypeError:
            if xp.isdtype(x.dtype, "complex floating"):
                raise
            return function(xp.astype(x, xp.complex64 if x.dtype == xp.float32 else xp.complex128), **params)

    return transform


def nan_where_no_freedom(name: str) -> Callable[..., Any]:
    """`std` or `var`: NaN where the divisor is not positive, as the standard has it."""

    def spread(xp: Any, x: Any, *, axis: tuple[int, ...], correction: float, keepdims: bool) -> Any:
        if math.prod(x.shape[i] for i in axis) - correction > 0:
            return getattr(xp, name)(x, axis=axis, correction=correction, keepdims=keepdims)
        shape = tuple(1 if i in axis else n for i, n in enumerate(x.shape) if keepdims or i not in axis)
        return xp.full(shape, xp.nan, dtype=xp.abs(x).dtype)

    return spread


# Ops that the standard does not have: what a namespace has under their names is something else, as in PyTorch.
NOT_STANDARD = frozenset(("gather", "scatter", "kernel", "sliding"))
# Ops that are operators of the array object, not functions of the namespace.
OPERATORS = frozenset(("getitem", "setitem", "matmul", "read"))
GENERIC: Mapping[str, Callable[..., Any]] = {
    "getitem": getitem,
    **{name: nan_where_no_freedom(name) for name in ("std", "var")},
    **{f"fft.{name}": _complex_transform(name) for name in ("fft", "ifft", "fftn", "ifftn")},
    "setitem": _setitem,
    "read": lambda xp, external, *, shape, key: xp.asarray(external[key]),
    "arange": _arange,
    "linspace": _linspace,
    "concat": lambda xp, *arrays, axis: xp.concat(arrays, axis=axis),
    "stack": lambda xp, *arrays, axis: xp.stack(arrays, axis=axis),
    "matmul": lambda xp, a, b: a @ b,
    "searchsorted": _searchsorted,
    "clip": _clip,
    "isin": _isin,
    "astype": lambda xp, x, *, dtype: xp.astype(x, dtype),
    "full": lambda xp, *, shape, fill_value, dtype: xp.full(shape, fill_value, dtype=dtype),
    "eye": lambda xp, *, n_rows, n_cols, k, dtype: xp.eye(n_rows, n_cols, k=k, dtype=dtype),
    "tile": lambda xp, x, *, repetitions: xp.tile(x, repetitions),
    "tensordot": lambda xp, a, b, *, axes: xp.tensordot(a, b, axes=axes),
    "linalg.matrix_power": lambda xp, x, *, n: xp.linalg.matrix_power(x, n),
    "linalg.pinv": lambda xp, x, rtol=None: xp.linalg.pinv(x, rtol=rtol),
    "linalg.matrix_rank": lambda xp, x, rtol=None: xp.linalg.matrix_rank(x, rtol=rtol),
    "fft.fftfreq": _frequencies("fftfreq"),
    "fft.rfftfreq": _frequencies("rfftfreq"),
    "repeat": lambda xp, x, *counts, axis, count: xp.repeat(x, counts[0] if counts else count, axis=axis),
}
