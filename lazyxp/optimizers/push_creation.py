"""How selections go through ops that make arrays of parameters, and through triangles: only the part is made."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from lazyxp.node import Node
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.keys import Entries, Entry, Index, all_of, shape_of
from lazyxp.optimizers.push_ways import Build, Way, divided, through

# The digits of floats: up to these powers of two, integers are exact.
_EXACT = {"float32": 2**24, "float64": 2**53, "complex64": 2**24, "complex128": 2**53}


def _creation(name: str, node: Node, **params: Any) -> Build:
    def build(graph: Graph, parts: Sequence[Node]) -> Node:
        return graph.make(name, *parts, site=node.site, **params)

    return build


def _has_index(entries: Entries) -> bool:
    return any(type(e) is Index for e in entries)


@through("full", "full")
def _full(node: Node, entries: Entries) -> Way | None:
    if _has_index(entries):
        return None
    return Way([], _creation("full", node, **{**node.params, "shape": shape_of(entries)}))


@through("arange", "arange")
def _arange(node: Node, entries: Entries) -> Way | None:
    """Only where every value, and every distance between two, is exact."""
    (entry,) = entries
    p = node.params
    if type(entry) is Index or not _is_exact(p["start"], p["step"], p["length"], node.dtype):
        return None
    if type(entry) is int:
        value = p["start"] + entry * p["step"]
        return Way([], _creation("full", node, shape=(), fill_value=_plain(value, node.dtype), dtype=node.dtype))
    first, length, by = entry
    if length == 0:
        return None
    start, step = p["start"] + first * p["step"], p["step"] * by
    stop = start + length * step
    if not _is_exact(start, step, length, node.dtype):
        return None
    return Way([], _creation("arange", node, start=start, stop=stop, step=step, length=length, dtype=node.dtype))


def _plain(value: Any, dtype: np.dtype[Any]) -> Any:
    return int(value) if dtype.kind in "iu" else float(value) if dtype.kind == "f" else value


def _is_exact(start: Any, step: Any, length: int, dtype: np.dtype[Any]) -> bool:
    """Whether ``start + i * step`` neither rounds nor overflows, for each `i` and both ends (multiples of 2**-16)."""
    if not (math.isfinite(start) and math.isfinite(step)) or type(start) is bool or type(step) is bool:
        return False
    ends = [Fraction(start), Fraction(start) + Fraction(step) * length]
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        is_whole = type(start) is int and type(step) is int
        return is_whole and abs(step) <= info.max and all(info.min <= end <= info.max for end in ends)
    if dtype.name not in _EXACT:
        return False
    most = Fraction(_EXACT[dtype.name], 2**16)
    return all((part * 2**16).denominator == 1 and abs(part) < most for part in (*ends, Fraction(step)))


@through("linspace", "linspace")
def _linspace(node: Node, entries: Entries) -> Way | None:
    """The steps that NumPy takes, for those points that are wanted; the last one is not computed as the others are."""
    (entry,) = entries
    p = node.params
    start, stop, num = p["start"], p["stop"], p["num"]
    if any(isinstance(end, complex) or abs(end) > 2**1000 for end in (start, stop)):
        return None
    divisor = num - 1 if p["endpoint"] else num
    if type(entry) is not tuple or node.dtype.kind != "f" or divisor < 1:
        return None
    first, length, by = entry
    last = max(first, first + (length - 1) * by)
    low, high = float(start), float(stop)
    step = (high - low) / divisor
    if length == 0 or not math.isfinite(step) or step == 0 or (p["endpoint"] and last == num - 1):
        return None
    double = np.dtype(np.float64)

    def build(graph: Graph, parts: Sequence[Node]) -> Node:
        site = node.site
        end = first + length * by
        i = graph.make("arange", site=site, start=first, stop=end, step=by, length=length, dtype=double)
        y = graph.make("multiply", i, graph.constant(step, double, site), site=site)
        y = graph.make("add", y, graph.constant(low, double, site), site=site)
        return y if node.dtype == double else graph.make("astype", y, site=site, dtype=node.dtype)

    return Way([], build)


@through("eye", "eye")
def _eye(node: Node, entries: Entries) -> Way | None:
    p = node.params
    if _has_index(entries):
        return None
    rows, columns = entries
    if type(rows) is int and type(columns) is int:
        one: Any = float(columns - rows == p["k"])
        value = bool(one) if node.dtype.kind == "b" else int(one) if node.dtype.kind in "iu" else one
        return Way([], _creation("full", node, shape=(), fill_value=value, dtype=node.dtype))
    found = _window(entries)
    if found is None:
        return None
    inner, rest = found
    (top, height, _), (left, width, _) = inner
    if height == 0 or width == 0 or (height, width) == node.shape:
        return None
    k = p["k"] + top - left
    return Way([], _creation("eye", node, n_rows=height, n_cols=width, k=k, dtype=node.dtype), rest)


def _window(entries: Entries) -> tuple[Entries, Entries | None] | None:
    """The last two of `entries` as runs of rows and of columns, ints being runs of one; None if they are not."""
    changed: dict[int, tuple[Entry, Entry]] = {}
    for i in (len(entries) - 2, len(entries) - 1):
        entry = entries[i]
        if type(entry) is int:
            changed[i] = ((entry, 1, 1), 0)
        elif type(entry) is Index or entry[2] != 1:
            return None
    return divided(entries, changed)


@through("triangle", "tril triu")
def _triangle(node: Node, entries: Entries) -> Way | None:
    found = _window(entries)
    if found is None:
        return None
    inner, rest = found
    if inner == all_of(node.shape):
        return None
    k = node.params["k"] + inner[-2][0] - inner[-1][0]
    return Way([(node.args[0], inner)], _creation(node.op.name, node, k=k), rest)
