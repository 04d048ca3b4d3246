"""Ops as Dask tasks that run NumPy's implementation on blocks: `blockwise` with its meta given, so nothing is inferred.

Labels say which blocks meet in a task, as in `dask.array.blockwise`: an axis of an operand has the number of the output
axis that it runs along, or a negative label of its own if every task needs all of that axis.
"""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import dask.array as da
import numpy as np
from dask.array.core import normalize_chunks, slices_from_chunks

from lazyxp.executors.base import failure
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.node import Node

Labels = tuple[int, ...]
# What steps read and write: Dask arrays, or 0-d NumPy values where only constants are involved.
Value = Any


@functools.cache
def numpy_executor() -> NumPyExecutor:
    """Whose implementations tasks run."""
    return NumPyExecutor()


class Body:
    """What a task runs. An error in it says which op failed and where the user recorded it, on whatever machine."""

    __slots__ = ("name", "note", "params")

    def __init__(self, node: Node) -> None:
        self.name = node.op.name
        self.params = node.params
        self.note = failure("dask", node)

    def __call__(self, *arrays: Any) -> Any:
        """NumPy's result as an array, or as a tuple of them."""
        implementation = numpy_executor().implementation(self.name)
        assert implementation is not None, self.name
        try:
            result = implementation(*arrays, **self.params)
        except Exception as error:
            error.add_note(self.note)
            raise
        return tuple(map(np.asarray, result)) if isinstance(result, tuple) else np.asarray(result)


class Item:
    """Takes one of several outputs."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index

    def __call__(self, results: tuple[Any, ...]) -> Any:
        """Output number `index`."""
        return results[self.index]


def unique(name: str) -> str:
    """A name for the keys of a new Dask array: equal calls stay apart, as nothing has to be hashed."""
    return f"{name}-{uuid.uuid4().hex}"


def meta(ndim: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """What Dask needs to know of blocks: an empty one."""
    return np.empty((0,) * ndim, dtype)


def chunks_of(shape: tuple[int, ...], dtype: np.dtype[Any], kept: tuple[Any, ...] = ()) -> Any:
    """Chunks of the usual size; as in `kept` along the axes where that is not None."""
    if 0 in shape:
        return tuple((n,) for n in shape)
    wanted = tuple("auto" if c is None else c for c in kept) if kept else "auto"
    return normalize_chunks(wanted, shape, dtype=dtype)


def source(value: Any, name: str = "source") -> da.Array:
    """A NumPy array as a Dask array of views: `da.from_array` would copy and, to name it, hash the data."""
    value = np.asarray(value)
    chunks = chunks_of(value.shape, value.dtype)
    name = unique(name)
    keys = itertools.product([name], *[range(len(sides)) for sides in chunks])
    blocks = [np.asarray(value[region]) for region in slices_from_chunks(chunks)]
    return da.Array(dict(zip(keys, blocks, strict=True)), name, chunks, meta=meta(value.ndim, value.dtype))


def as_dask(value: Value) -> da.Array:
    """A constant as a Dask array; Dask arrays as they are."""
    return value if isinstance(value, da.Array) else source(value, "constant")


def is_unknown(x: Value) -> bool:
    """Whether a side of `x` is data-dependent."""
    return any(n != n for n in x.shape)


# --- strategies ------------------------------------------------------------------------------------------------------


def loop(node: Node, arrays: Sequence[Value], labels: Sequence[Labels], made: Iterable[int]) -> Any:
    """One task for each combination of blocks along the output axes that labels name.

    The output axes in `made` are in one chunk each; of a node with several outputs, those behind the labelled ones are.
    """
    looped = [i for label in labels for i in label if i >= 0]
    operands: list[Any] = []
    for x, label in zip(arrays, labels, strict=True):
        operands += [x, label] if isinstance(x, da.Array) else [x, None]
    if node.several:
        return _loop_several(node, operands, tuple(sorted(looped)))
    return da.blockwise(
        Body(node),
        tuple(range(len(node.shape))),
        *operands,
        name=unique(node.op.name),
        new_axes={i: _side(node.shape[i]) for i in made},
        align_arrays=len(set(looped)) < len(looped),  # Dask warns where operands without a common axis have many blocks
        concatenate=True,
        dtype=node.dtype,
        meta=meta(len(node.shape), node.dtype),
    )


def _loop_several(node: Node, operands: list[Any], looped: Labels) -> tuple[da.Array, ...]:
    """Blocks of tuples first, then one array for each output; all of them have the one operand with labelled axes."""
    tuples = da.blockwise(
        Body(node),
        looped,
        *operands,
        name=unique(node.op.name),
        align_arrays=False,
        concatenate=True,
        dtype=object,
        meta=meta(len(looped), np.dtype(object)),
    )
    return tuple(
        da.blockwise(
            Item(index),
            tuple(range(len(shape))),
            tuples,
            looped,
            name=unique(f"{node.op.name}-{index}"),
            new_axes={i: _side(n) for i, n in enumerate(shape) if i not in looped},
            dtype=dtype,
            meta=meta(len(shape), dtype),
        )
        for index, (shape, dtype) in enumerate(zip(node.shape, node.dtype, strict=True))
    )


def _side(n: int | None) -> float:
    return np.nan if n is None else n


def whole(node: Node, *arrays: Value) -> Any:
    """One task on the operands gathered into one chunk each."""
    labels = []
    free = -1
    for x in arrays:
        labels.append(tuple(range(free, free - x.ndim, -1)))
        free -= x.ndim
    return loop(node, arrays, labels, () if node.several else range(len(node.shape)))


def each(node: Node, *arrays: Value) -> Value:
    """One task for each block: elementwise ops."""
    dask = [x for x in arrays if isinstance(x, da.Array)]
    if not dask:
        return Body(node)(*arrays)
    if len([x for x in dask if x.ndim]) > 1 and any(map(is_unknown, dask)):
        return whole(node, *arrays)  # blocks of unknown lengths might not fit together
    ndim = len(node.shape)
    return loop(node, arrays, [tuple(range(ndim - x.ndim, ndim)) for x in arrays], ())


def along(node: Node, x: da.Array, *others: Value, axes: Sequence[int]) -> Any:
    """One task for each block of `x` across `axes`; every task has all of `axes`, and all of the other operands."""
    labels = [tuple(-1 - i if i in axes else i for i in range(x.ndim))]
    free = -1 - x.ndim
    for other in others:
        labels.append(tuple(range(free, free - other.ndim, -1)))
        free -= other.ndim
    return loop(node, [x, *others], labels, axes)


def stacked(node: Node, x: da.Array, *others: Value) -> Any:
    """One task for each block of a stack of whole matrices."""
    if others:
        return whole(node, x, *others)
    stack = x.ndim - 2
    ndim = 0 if node.several else len(node.shape)
    return loop(node, [x], [(*range(stack), -1, -2)], range(stack, ndim))
