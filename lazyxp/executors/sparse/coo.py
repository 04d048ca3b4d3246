"""Coordinate arrays: building them, and the parts of ops that several lowerings share.

Every array has its coordinates in C order without duplicates, and one fill value for all that is not stored. A 0-d
array is its fill value.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sparse

from lazyxp.errors import UnsupportedOperation

COO = sparse.COO


def refuse(op: str, reason: str) -> UnsupportedOperation:
    """The error for data that `op` cannot take, though it takes other data."""
    return UnsupportedOperation(
        f"backend 'sparse' cannot run {op} here: {reason}; compute this part with backend='numpy' "
        "(x.persist(backend='numpy')), or write it with other functions"
    )


def from_numpy(value: Any) -> Any:
    """A NumPy array or scalar with all its nonzero elements stored."""
    return COO.from_numpy(np.asarray(value))


def build(coords: Any, data: Any, shape: tuple[int, ...], fill: Any) -> Any:
    """An array of these elements, whose coordinates come in any order; what equals `fill` is not stored."""
    kept = ~same(data, fill)
    return COO(
        np.asarray(coords)[:, kept].reshape(len(shape), -1),
        data[kept],
        shape=shape,
        has_duplicates=False,
        fill_value=data.dtype.type(fill),
    )


def same(x: Any, y: Any) -> Any:
    """Whether elements are equal, NaN to NaN included."""
    return (x == y) | ((x != x) & (y != y))


def linear(x: Any) -> Any:
    """The positions of the stored elements in the flattened array, ascending."""
    if not x.ndim:
        return np.zeros(x.nnz, np.int64)
    return np.ravel_multi_index(tuple(x.coords), x.shape).astype(np.int64)


def missing(x: Any) -> int:
    """How many elements are not stored."""
    return int(math.prod(x.shape)) - int(x.nnz)


def from_linear(positions: Any, data: Any, shape: tuple[int, ...], fill: Any) -> Any:
    """An array of elements at positions in the flattened array."""
    if not shape:
        return from_numpy(data[0] if len(data) else data.dtype.type(fill))
    return build(np.stack(np.unravel_index(positions, shape)), data, shape, fill)


def restate(x: Any, fill: Any) -> Any:
    """`x`, which is not 0-d, with another fill value: everything that differs from it is stored."""
    if same(x.fill_value, fill):
        return COO(x.coords, x.data, shape=x.shape, has_duplicates=False, sorted=True, fill_value=fill)
    data = np.full(math.prod(x.shape), x.fill_value)
    data[linear(x)] = x.data
    return from_linear(np.arange(data.size), data, x.shape, fill)


def commonest(arrays: Any) -> Any:
    """The fill value of the array with the most elements that are not stored."""
    return max(arrays, key=missing).fill_value


def rows(x: Any, axis: int) -> Any:
    """`x` as a matrix with `axis` along its columns."""
    others = [i for i in range(x.ndim) if i != axis]
    count = math.prod(x.shape[i] for i in others)
    return x.transpose([*others, axis]).reshape((count, x.shape[axis]))


def first_gap(positions: Any) -> int:
    """The first of 0, 1, 2, ... that is not among ascending `positions`."""
    away = np.flatnonzero(positions != np.arange(len(positions)))
    return int(away[0]) if len(away) else len(positions)


def as_index(x: Any) -> Any:
    """An array of positions as NumPy's: a list of where elements are, not data to keep sparse."""
    return x.todense()
