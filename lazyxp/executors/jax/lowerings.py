"""Where JAX departs from the standard, or from NumPy, or from the parameters of a node: what runs instead.

JAX clamps positions that are out of bounds, and its arrays are immutable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax.lax

from lazyxp.executors.bounds import check_key, gather, last_values, take, take_along_axis
from lazyxp.executors.lowerings import concrete_key

Key = tuple[Any, ...]


def _complex(xp: Any, real: Any, imag: Any) -> Any:
    return jax.lax.complex(*xp.broadcast_arrays(real, imag))


def _setitem(xp: Any, x: Any, value: Any, *indices: Any, key: Key) -> Any:
    """Where several values go to one place, JAX does not say which one stays."""
    check_key(xp, x, indices, key)
    if value.ndim == 0 or all(xp.isdtype(index.dtype, "bool") for index in indices):
        return x.at[concrete_key(key, indices)].set(value)
    positions, values = last_values(xp, x, value, indices, key)
    return xp.reshape(xp.reshape(x, (-1,)).at[positions].set(values), x.shape)


def _searchsorted(xp: Any, x1: Any, x2: Any, *sorter: Any, side: str) -> Any:
    """Positions are int32 in JAX."""
    return xp.astype(xp.searchsorted(x1, x2, side=side, sorter=sorter[0] if sorter else None), xp.int64)


def _matrix_rank(xp: Any, x: Any, rtol: Any = None) -> Any:
    """By the largest singular value of each matrix; JAX takes the largest of the stack."""
    values = xp.linalg.svdvals(x)
    if not math.prod(values.shape[-1:]):
        return xp.zeros(values.shape[:-1], dtype=xp.int64)
    if rtol is None:
        rtol = max(x.shape[-2:]) * float(xp.finfo(x.dtype).eps)
    limit = xp.max(values, axis=-1, keepdims=True) * xp.asarray(rtol)[..., None]
    return xp.sum(values > limit, axis=-1)


LOWERINGS: Mapping[str, Callable[..., Any]] = {
    "complex": _complex,
    "gather": gather,
    "linalg.matrix_rank": _matrix_rank,
    "scatter": _setitem,
    "searchsorted": _searchsorted,
    "setitem": _setitem,
    "take": take,
    "take_along_axis": take_along_axis,
}
