"""Decompositions: ops in terms of other ops, for executors that lack them.

Each function has the parameters of its op's node, and records with the public functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import lazyxp as xp
from lazyxp.api.array import Array
from lazyxp.api.recording import current
from lazyxp.dtypes import complex_of
from lazyxp.node import Node, walk
from lazyxp.optimizers.advanced_indexing import gather, scatter
from lazyxp.options import overridden

Axes = tuple[int, ...]


def decompose(node: Node, args: tuple[Node, ...]) -> tuple[Node, list[Node]]:
    """The decomposition of `node` on `args`, and its new nodes in order; they carry the user's line of `node`."""
    with overridden(strict=False, materialize="compute"):
        replacement = current(DECOMPOSITIONS[node.op.name](*[Array(a) for a in args], **node.params))
    new = walk([replacement], known=args)
    for one in new:
        one.site = node.site
    return replacement, new


# --- elementwise -----------------------------------------------------------------------------------------------------


def _complex(real: Array, imag: Array) -> Array:
    """Built from magnitudes, then reflected: nothing here turns an infinity into NaN or loses the sign of a zero."""
    dtype = complex_of(real.dtype)
    height = xp.abs(imag)
    upright = xp.astype(xp.where(xp.isfinite(height), height, 0.0), dtype) * 1j
    upright = xp.where(xp.isinf(height), complex(0, math.inf), upright)
    upright = xp.where(xp.isnan(height), complex(0, math.nan), upright)
    result = xp.astype(xp.abs(real), dtype) + upright
    result = xp.where(xp.signbit(real), -xp.conj(result), result)
    return xp.where(xp.signbit(imag), xp.conj(result), result)


# --- movement, differences and counts --------------------------------------------------------------------------------


def _fftshift(x: Array, *, axes: Axes) -> Array:
    return xp.roll(x, tuple(_side(x, i) // 2 for i in axes), axis=axes)


def _ifftshift(x: Array, *, axes: Axes) -> Array:
    return xp.roll(x, tuple(-(_side(x, i) // 2) for i in axes), axis=axes)


def _side(x: Array, axis: int) -> int:
    side = x.shape[axis]
    if side is None:
        raise ValueError(f"the length of axis {axis} is data-dependent; compute the array first")
    return side


def _diff(x: Array, *, axis: int, n: int) -> Array:
    step = xp.not_equal if x.dtype.kind == "b" else xp.subtract
    side = current(x).shape[axis]
    before = (slice(None),) * axis
    for _ in range(n if side is None else min(n, side)):
        x = step(x[(*before, slice(1, None), ...)], x[(*before, slice(None, -1), ...)])
    return x


def _count_nonzero(x: Array, *, axis: Axes, keepdims: bool) -> Array:
    hit = x if x.dtype.kind == "b" else x != 0
    return xp.sum(xp.astype(hit, xp.int64), axis=axis, dtype=xp.int64, keepdims=keepdims)


# --- linear algebra --------------------------------------------------------------------------------------------------


def _vecdot(x1: Array, x2: Array, *, axis: int) -> Array:
    product = (xp.conj(x1) if x1.dtype.kind == "c" else x1) * x2
    return xp.sum(product, axis=axis, dtype=x1.dtype)


def _outer(x1: Array, x2: Array) -> Array:
    return x1[:, None] * x2[None, :]


def _trace(x: Array, *, offset: int, dtype: np.dtype[Any]) -> Array:
    return xp.sum(xp.linalg.diagonal(x, offset=offset), axis=-1, dtype=dtype)


def _cross(x1: Array, x2: Array, *, axis: int) -> Array:
    a, b = ([xp.moveaxis(x, axis, -1)[..., i] for i in range(3)] for x in (x1, x2))
    parts = [a[i - 2] * b[i - 1] - a[i - 1] * b[i - 2] for i in range(3)]
    return xp.moveaxis(xp.stack(parts, axis=-1), -1, axis)


def _matrix_power(x: Array, *, n: int) -> Array:
    if n == 0:
        return xp.broadcast_to(xp.eye(_side(x, -1), dtype=x.dtype), x.shape)  # type: ignore[arg-type]
    base = xp.linalg.inv(x) if n < 0 else x
    n = abs(n)
    result = None
    while n:
        if n & 1:
            result = base if result is None else result @ base
        n >>= 1
        base = base @ base if n else base
    assert result is not None
    return result


def _vector_norm(x: Array, *, axis: Axes, keepdims: bool, ord: float) -> Array:
    size = xp.abs(x)
    if ord == 0:
        return xp.astype(xp.count_nonzero(size, axis=axis, keepdims=keepdims), size.dtype)
    if ord == math.inf:
        return _largest(size, axis, keepdims)
    if ord == -math.inf:
        return xp.min(size, axis=axis, keepdims=keepdims)
    if ord == 1:
        return xp.sum(size, axis=axis, keepdims=keepdims)
    if ord == 2:
        return xp.sqrt(xp.sum(size * size, axis=axis, keepdims=keepdims))
    return xp.sum(size ** float(ord), axis=axis, keepdims=keepdims) ** (1 / ord)


def _largest(size: Array, axis: Axes, keepdims: bool) -> Array:
    """The largest magnitude, 0 where there is none."""
    empty = 0 in [current(size).shape[i] for i in axis]
    return xp.sum(size, axis=axis, keepdims=keepdims) if empty else xp.max(size, axis=axis, keepdims=keepdims)


def _matrix_norm(x: Array, *, keepdims: bool, ord: float | str) -> Array:
    if ord == "fro":
        return xp.linalg.vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        values, last = xp.linalg.svdvals(x), (-1,)
    else:
        inner = -2 if ord in (1, -1) else -1
        values, last = xp.sum(xp.abs(x), axis=inner), (-1,)
    if ord == "nuc":
        result = xp.sum(values, axis=last)
    elif ord in (1, 2, math.inf):
        result = _largest(values, last, False)
    else:
        result = xp.min(values, axis=last)
    return xp.expand_dims(result, axis=(-2, -1)) if keepdims else result


DECOMPOSITIONS: Mapping[str, Callable[..., Array]] = {
    "complex": _complex,
    "count_nonzero": _count_nonzero,
    "diff": _diff,
    "fft.fftshift": _fftshift,
    "fft.ifftshift": _ifftshift,
    "gather": gather,
    "linalg.cross": _cross,
    "linalg.matrix_norm": _matrix_norm,
    "linalg.matrix_power": _matrix_power,
    "linalg.outer": _outer,
    "linalg.trace": _trace,
    "linalg.vector_norm": _vector_norm,
    "scatter": scatter,
    "vecdot": _vecdot,
}
