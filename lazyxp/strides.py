"""How values will lie in memory: what NumPy makes of shapes and strides, asked before there is any data."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.kernel import reduced_dims
from lazyxp.node import Node

Array = np.ndarray[Any, Any]


class Layout(NamedTuple):
    """How an array lies in memory.

    Attributes
    ----------
    shape, dtype, strides
        Those of the array.
    memory : Hashable
        What it is a view of, if that is known: it begins `start` bytes later than that.
    start : int
        See `memory`.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    strides: tuple[int, ...]
    memory: Hashable = None
    start: int = 0

    @property
    def in_rows(self) -> bool:
        """Whether elements lie in C order, one after the other."""
        return _stand_in(self).flags.c_contiguous

    @property
    def in_columns(self) -> bool:
        """Whether elements lie in Fortran order, one after the other."""
        return _stand_in(self).flags.f_contiguous


def layout_of(x: Array) -> Layout:
    """How an array lies."""
    return Layout(x.shape, x.dtype, x.strides)


def data_address(x: Array) -> int:
    """Where the first element of an array is."""
    return int(x.__array_interface__["data"][0])


def new(shape: Sequence[int | None], dtype: np.dtype[Any]) -> Layout:
    """New memory in C order; an unknown side has length 0."""
    known = tuple([n or 0 for n in shape])
    strides, stride = [], dtype.itemsize
    for n in reversed(known):
        strides.append(stride)
        stride *= max(1, n)
    return Layout(known, dtype, tuple(reversed(strides)))


def computed(node: Node, operands: Sequence[Layout]) -> Layout:
    """The result of `node` as a new array, which NumPy lays out as operands are laid out where it loops over them."""
    made = new(node.shape, node.dtype)
    ndim = len(made.shape)
    if node.op.kind == "reduction" and not node.op.name.startswith("linalg."):
        sides = range(len(operands[0].shape))
        kept = [d for d in sides if node.params["keepdims"] or d not in reduced_dims(node, len(sides))]
        order = [kept.index(d) for d in _outermost_first(operands, len(sides)) if d in kept]
    elif node.op.kind in ("elementwise", "scan"):
        order = _outermost_first(operands, ndim)
    elif node.op.kind == "cast" or node.op.name in _COPIES:
        order = _outermost_first(operands, ndim, copies=True)
    else:
        return made
    if order == sorted(order):
        return made
    moved = new([made.shape[d] for d in order], node.dtype)
    return layout_of(_stand_in(moved).transpose(np.argsort(order)))


# What NumPy makes as copies of operands.
_COPIES = frozenset(("sort", "concat", "roll"))


def _outermost_first(operands: Sequence[Layout], ndim: int, *, copies: bool = False) -> list[int]:
    """The dimensions in the order of the loops that NumPy runs over arrays; where they differ, C order wins.

    Along an axis of length 1 an array has no say, and along one that it is stretched along only where it is copied.
    """
    says: list[list[int | None]] = [
        [
            *[None] * (ndim - len(x.shape)),
            *[None if n == 1 or not (s or copies) else abs(s) for s, n in zip(x.strides, x.shape, strict=True)],
        ]
        for x in operands
    ]
    order = list(range(ndim))[::-1]
    for i in range(1, ndim):
        place = i
        for j in reversed(range(i)):
            pairs = [
                (outer, inner)
                for s in says
                if (outer := s[order[i]]) is not None and (inner := s[order[j]]) is not None
            ]
            if any(inner <= outer for outer, inner in pairs):
                break
            if pairs:
                place = j
        order.insert(place, order.pop(i))
    return order[::-1]


def view_of(node: Node, x: Layout) -> Layout | None:
    """The result of `node` on `x` if that is a view, else None."""
    if None in node.shape or None in node.args[0].shape:
        return new(node.shape, node.dtype)
    whole = _stand_in(x)
    found = _VIEWS[node.op.name](whole, **node.params)
    if found is None:
        return None
    return layout_of(found)._replace(memory=x.memory, start=x.start + data_address(found) - data_address(whole))


def _stand_in(x: Layout) -> Array:
    """An array that lies so. There is nothing behind it: reading an element, printing it too, may crash."""
    return np.lib.stride_tricks.as_strided(np.empty(1, x.dtype), x.shape, x.strides)


def _getitem(x: Array, *, key: tuple[Any, ...]) -> Array:
    return x[(*key, ...)]  # with the dots, not even one element is read


def _reshape(x: Array, *, shape: tuple[int, ...]) -> Array | None:
    try:
        return np.reshape(x, shape, copy=False)
    except ValueError:
        return None


def _flip(x: Array, *, axis: Any) -> Array:
    return np.flip(x, axis) if x.ndim else x


def _permute_dims(x: Array, *, axes: tuple[int, ...]) -> Array:
    return x.transpose(axes)


# The functions of NumPy whose results are views, in ways that read no element.
_VIEWS: Mapping[str, Callable[..., Array | None]] = {
    "getitem": _getitem,
    "reshape": _reshape,
    "permute_dims": _permute_dims,
    "expand_dims": np.expand_dims,
    "squeeze": np.squeeze,
    "flip": _flip,
    "broadcast_to": np.broadcast_to,
    "linalg.diagonal": np.linalg.diagonal,
    "real": lambda x: x.real,
    "imag": lambda x: x.imag if x.dtype.kind == "c" else None,
}
