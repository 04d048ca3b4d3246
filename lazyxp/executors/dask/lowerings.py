"""Which op runs how on Dask: block by block, by `dask.array`'s own function, or on data gathered into one chunk.

`dask.array`'s functions are used where they agree with NumPy. Empty arrays, and lengths that are unknown where a
function needs them, take the one-chunk way.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from lazyxp.executors.dask.blocks import (
    Value,
    along,
    as_dask,
    chunks_of,
    each,
    is_unknown,
    loop,
    meta,
    numpy_executor,
    stacked,
    unique,
    whole,
)
from lazyxp.external import External
from lazyxp.kernel import KERNEL
from lazyxp.node import Node, Op

ONE_CHUNK = "one chunk"
ALONG = "one chunk along axis"


class Way(NamedTuple):
    """How an op runs: `run(node, *arrays)`, and what the support matrix calls it."""

    run: Callable[..., Any]
    how: str


def way(op: Op) -> Way | None:
    """How `op` runs; None where it is left to a decomposition."""
    if op.name in _DECOMPOSED or op is KERNEL:  # a kernel would need its operands whole; Dask fuses by itself
        return None
    found = WAYS.get(op.name)
    if found is not None:
        return found
    return Way(each, "lowered") if op.kind in ("elementwise", "cast") else Way(whole, ONE_CHUNK)


def _native(function: Callable[..., Any], *, unknown: Callable[..., bool] = lambda *arrays: False) -> Way:
    """`function(*arrays, **params)`; on one chunk for empty arrays and unknown lengths, unless `unknown` takes them."""

    @functools.wraps(function)
    def run(node: Node, *arrays: Value) -> Any:
        operands = [as_dask(x) for x in arrays]
        if (
            0 in node.shape
            or any(0 in x.shape for x in operands)
            or (any(map(is_unknown, operands)) and not unknown(*operands))
        ):
            return whole(node, *operands)
        return function(*operands, **node.params)

    return Way(run, "native")


def _any_length(*arrays: da.Array) -> bool:
    return True


def _vectors(*arrays: da.Array) -> bool:
    return all(x.ndim == 1 for x in arrays)


# --- creation --------------------------------------------------------------------------------------------------------


def _full(node: Node) -> da.Array:
    value = np.asarray(node.params["fill_value"], node.dtype)
    return da.full(node.shape, value, dtype=node.dtype, chunks=chunks_of(node.shape, node.dtype), name=unique("full"))


def _positions(chunks: tuple[int, ...]) -> da.Array:
    """0, 1, 2, ... in `chunks`."""
    return da.arange(sum(chunks), chunks=(chunks,), dtype=np.int64)


def _in_blocks(node: Node, function: Callable[..., Any], *arguments: Any) -> da.Array:
    """``function(positions, *arguments)`` as a vector."""
    (chunks,) = chunks_of(node.shape, node.dtype)
    name = unique(node.op.name)
    positions = _positions(chunks)
    return positions.map_blocks(function, *arguments, dtype=node.dtype, meta=meta(1, node.dtype), name=name)


def _arange(node: Node) -> da.Array:
    """As NumPy counts: in the result's data type, from its first two values."""
    if len(chunks_of(node.shape, node.dtype)[0]) == 1:
        return whole(node)
    first = node.dtype.type(node.params["start"])
    return _in_blocks(node, _counted, first, node.dtype.type(node.params["start"] + node.params["step"]) - first)


def _counted(positions: Any, first: Any, gap: Any) -> Any:
    return first + positions.astype(first.dtype) * gap


def _linspace(node: Node) -> da.Array:
    start, stop, count = (node.params[key] for key in ("start", "stop", "num"))
    gaps = count - 1 if node.params["endpoint"] else count
    if len(chunks_of(node.shape, node.dtype)[0]) == 1 or start == stop:
        return whole(node)
    return _in_blocks(node, _spaced, start, stop, (stop - start) / gaps, gaps, node.dtype)


def _spaced(positions: Any, start: Any, stop: Any, gap: Any, gaps: int, dtype: np.dtype[Any]) -> Any:
    values = np.where(positions == gaps, stop, positions * gap + start)
    return (np.floor(values) if dtype.kind in "iu" else values).astype(dtype)


def _eye(node: Node) -> da.Array:
    rows, columns = (_positions(chunks) for chunks in chunks_of(node.shape, node.dtype))
    return da.blockwise(
        _diagonal_of_ones,
        (0, 1),
        rows,
        (0,),
        columns,
        (1,),
        k=node.params["k"],
        to=node.dtype,
        dtype=node.dtype,
        meta=meta(2, node.dtype),
        name=unique("eye"),
        align_arrays=False,
    )


def _diagonal_of_ones(rows: Any, columns: Any, k: int, to: np.dtype[Any]) -> Any:
    return np.equal.outer(rows + k, columns).astype(to)


# --- movement and indexing -------------------------------------------------------------------------------------------


def _broadcast_to(x: da.Array, *, shape: tuple[int, ...]) -> da.Array:
    """In chunks of the usual size along the axes that are repeated."""
    more = len(shape) - x.ndim
    kept = [None] * more + [c if m == n else None for c, m, n in zip(x.chunks, x.shape, shape[more:], strict=True)]
    return da.broadcast_to(x, shape, chunks=chunks_of(shape, x.dtype, tuple(kept)))


def _reshape(x: da.Array, *, shape: tuple[int, ...]) -> da.Array:
    """By way of a vector where sides do not split or merge evenly."""
    try:
        return x.reshape(shape)
    except NotImplementedError:
        return x.reshape(-1).reshape(shape)


def _roll(x: da.Array, *, shift: tuple[int, ...], axis: tuple[int, ...]) -> da.Array:
    for by, along_axis in zip(shift, axis, strict=True):
        x = da.roll(x, by, axis=along_axis)
    return x


def _repeat(node: Node, x: Value, *counts: Value) -> Any:
    if counts or not node.params["count"]:
        return whole(node, x, *counts)
    return _native(lambda x, *, axis, count: da.repeat(x, count, axis=axis)).run(node, x)


def _tile(node: Node, x: Value) -> Any:
    if 0 in node.shape:
        return whole(node, x)
    return _native(lambda x, *, repetitions: da.tile(x, repetitions)).run(node, x)


def _gather(node: Node, x: Value, *indices: Value) -> Any:
    """A mask on a vector selects within blocks."""
    x = as_dask(x)
    if node.params["key"] == ("array",) and x.ndim == 1 and indices[0].ndim == 1 and indices[0].dtype == bool:
        mask = as_dask(indices[0])
        if not is_unknown(x) and not is_unknown(mask) and x.shape == mask.shape:
            return x[mask]
    return whole(node, x, *indices)


def _setitem(node: Node, x: Value, value: Value) -> Any:
    """`dask.array` goes wrong where integers meet slices that run backwards: every entry is made a slice forwards."""
    x, value = as_dask(x), as_dask(value)
    if is_unknown(x) or is_unknown(value):
        return whole(node, x, value)
    forwards: list[slice] = []
    seen: list[Any] = []  # how the value has to be looked at
    for entry in node.params["key"]:
        if entry is None:
            seen.append(0)
            continue
        chosen = range(x.shape[len(forwards)])[entry if isinstance(entry, slice) else slice(entry, entry + 1)]
        if not chosen:
            return x.map_blocks(np.array)  # a copy all the same: the result is not to share memory with x
        seen.append(slice(None, None, 1 if chosen.step > 0 else -1) if isinstance(entry, slice) else None)
        chosen = chosen if chosen.step > 0 else chosen[::-1]
        forwards.append(slice(chosen.start, chosen.stop, chosen.step))
    if not forwards:
        return whole(node, x, value)
    result = x.copy()
    axes = sum(entry is not None for entry in seen)
    result[tuple(forwards)] = value[(None,) * (axes - value.ndim)][tuple(seen)]
    return result


def _scatter(node: Node, x: Value, value: Value, *indices: Value) -> Any:
    """A mask of `x`'s shape with one value for all that it selects is a choice within blocks."""
    (mask, *more) = indices
    if (
        node.params["key"] == ("array",)
        and not more
        and mask.shape == x.shape
        and mask.dtype == bool
        and not value.ndim
    ):
        return da.where(as_dask(mask), as_dask(value), as_dask(x))
    return whole(node, x, value, *indices)


def _take(node: Node, x: Value, indices: Value) -> Any:
    """Every block of indices takes from all of the axis."""
    x, indices = as_dask(x), as_dask(indices)
    axis, more = node.params["axis"], indices.ndim - 1
    labels = tuple(-1 if i == axis else i if i < axis else i + more for i in range(x.ndim))
    return loop(node, [x, indices], [labels, tuple(range(axis, axis + indices.ndim))], ())


def _take_along_axis(node: Node, x: Value, indices: Value) -> Any:
    if is_unknown(x) or is_unknown(indices):
        return whole(node, x, indices)
    every = tuple(range(x.ndim))
    axis = node.params["axis"]
    return loop(node, [as_dask(x), as_dask(indices)], [(*every[:axis], -1, *every[axis + 1 :]), every], ())


# --- reductions and contractions -------------------------------------------------------------------------------------


def _product(function: Callable[..., Any]) -> Way:
    """`dask.array` adds up the chunks of small integers in wider ones."""
    return _native(functools.wraps(function)(lambda a, b, **params: function(a, b, **params).astype(a.dtype)))


def _position(function: Callable[..., Any]) -> Way:
    """`dask.array` looks at blocks one after the other; only along one axis is that the order of the elements."""

    def run(x: da.Array, *, axis: int | None, keepdims: bool) -> da.Array:
        if axis is not None:
            return function(x, axis=axis, keepdims=keepdims)
        result = function(x.reshape(-1), axis=0)
        return result.reshape((1,) * x.ndim) if keepdims else result

    return _native(functools.wraps(function)(run))


def _mean(x: da.Array, *, axis: tuple[int, ...], keepdims: bool) -> da.Array:
    """The parts of complex numbers by themselves, so that NaN in one does not get into the other."""
    if x.dtype.kind != "c":
        return da.mean(x, axis=axis, keepdims=keepdims)
    parts = [da.mean(part(x), axis=axis, keepdims=keepdims) for part in (da.real, da.imag)]
    return da.map_blocks(_assembled, *parts, dtype=x.dtype, meta=meta(parts[0].ndim, x.dtype))


def _assembled(real: Any, imag: Any) -> Any:
    implementation = numpy_executor().implementation("complex")
    assert implementation is not None
    return implementation(real, imag)


def _spread(function: Callable[..., Any]) -> Way:
    def run(x: da.Array, *, axis: tuple[int, ...], correction: float, keepdims: bool) -> da.Array:
        result = function(x, axis=axis, ddof=correction, keepdims=keepdims)
        count = math.prod(x.shape[i] for i in axis)
        return result if count - correction > 0 else da.full_like(result, np.nan)

    return _native(functools.wraps(function)(run))


def _sort_axis(node: Node, x: Value) -> Any:
    return along(node, as_dask(x), axes=(node.params["axis"],))


def _transform(node: Node, x: Value) -> Any:
    axes = node.params["axes"] if "axes" in node.params else (node.params["axis"],)
    return along(node, as_dask(x), axes=axes)


def _searchsorted(node: Node, x1: Value, x2: Value, *sorter: Value) -> Any:
    """Every block of values is searched for in all of the sorted vector."""
    sorted_labels = [(-2 - i,) for i in range(len(sorter))]
    return loop(
        node, [as_dask(x1), as_dask(x2), *map(as_dask, sorter)], [(-1,), tuple(range(x2.ndim)), *sorted_labels], ()
    )


def _isin(node: Node, x1: Value, x2: Value) -> Any:
    return along(node, as_dask(x1), as_dask(x2), axes=())


def _cross(node: Node, x1: Value, x2: Value) -> Any:
    if is_unknown(x1) or is_unknown(x2):
        return whole(node, x1, x2)
    ndim, axis = len(node.shape), node.params["axis"] % len(node.shape)
    labels = []
    for k, x in enumerate((x1, x2)):
        labels.append(tuple(-1 - k if i == axis else i for i in range(ndim - x.ndim, ndim)))
    return loop(node, [as_dask(x1), as_dask(x2)], labels, (axis,))


def _read(node: Node, external: External) -> Any:
    """Each task reads a block of the region that is needed."""
    array = da.from_array(external, external.wanted_chunks, name=unique("read"), meta=meta(external.ndim, node.dtype))
    return array[node.params["key"]]


WAYS: Mapping[str, Way] = {
    "read": Way(_read, "native"),
    "full": Way(_full, "native"),
    "arange": Way(_arange, "lowered"),
    "linspace": Way(_linspace, "lowered"),
    "eye": Way(_eye, "lowered"),
    "tril": _native(da.tril),
    "triu": _native(da.triu),
    "permute_dims": _native(da.transpose, unknown=_any_length),
    "reshape": _native(_reshape),
    "expand_dims": _native(da.expand_dims, unknown=_any_length),
    "squeeze": _native(da.squeeze),
    "flip": _native(da.flip),
    "broadcast_to": _native(_broadcast_to),
    "concat": _native(lambda *x, axis: da.concatenate(x, axis, allow_unknown_chunksizes=True), unknown=_vectors),
    "stack": _native(lambda *x, axis: da.stack(x, axis)),
    "roll": _native(_roll),
    "repeat": Way(_repeat, "native"),
    "tile": Way(_tile, "native"),
    "linalg.diagonal": _native(lambda x, *, offset: da.diagonal(x, offset, -2, -1)),
    "getitem": _native(lambda x, *, key: x[key]),
    "setitem": Way(_setitem, "native"),
    "gather": Way(_gather, ONE_CHUNK),
    "scatter": Way(_scatter, ONE_CHUNK),
    "take": Way(_take, ALONG),
    "take_along_axis": Way(_take_along_axis, ALONG),
    **{name: _native(getattr(da, name), unknown=_any_length) for name in ("all", "any", "sum", "prod")},
    **{name: _native(getattr(da, name)) for name in ("max", "min")},
    "mean": _native(_mean),
    **{name: _spread(getattr(da, name)) for name in ("std", "var")},
    **{name: _position(getattr(da, name)) for name in ("argmax", "argmin")},
    **{name: Way(_sort_axis, ALONG) for name in ("sort", "argsort", "cumulative_sum", "cumulative_prod")},
    **{f"fft.{name}": Way(_transform, ALONG) for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")},
    **{f"fft.{name}": Way(_transform, ALONG) for name in ("fftn", "ifftn", "rfftn", "irfftn")},
    "searchsorted": Way(_searchsorted, "lowered"),
    "isin": Way(_isin, "lowered"),
    "matmul": _product(da.matmul),
    "tensordot": _product(da.tensordot),
    "linalg.cross": Way(_cross, ALONG),
    **{
        f"linalg.{name}": Way(stacked, "one chunk of matrices")
        for name in (
            *("cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv"),
            *("matrix_rank", "pinv", "qr", "slogdet", "svd", "svdvals"),
        )
    },
}
_DECOMPOSED = frozenset(
    (
        "count_nonzero",
        "diff",
        "fft.fftshift",
        "fft.ifftshift",
        "linalg.matrix_norm",
        "linalg.matrix_power",
        "linalg.outer",
        "linalg.trace",
        "linalg.vector_norm",
        "vecdot",
    )
)
