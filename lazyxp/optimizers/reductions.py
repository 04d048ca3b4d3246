"""Reductions of what was sorted, of other reductions, of monotone functions; the ends of what was sorted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from lazyxp.api.indexing import ARRAY
from lazyxp.node import OPS, Node
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.rewrite import Match, Rule, Scalar, any_call, call, rewrite, x

Replacement = Callable[[Match], Node | None]

# What gives the same in whatever order it meets the elements: for every dtype, and for integers and booleans.
_ORDERLESS = "any all count_nonzero"
_ORDERLESS_INTEGERS = "max min sum prod"
_ALL = slice(None)


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    return rewrite(graph, REDUCTIONS)


def _on(kinds: str, replacement: Replacement) -> Replacement:
    """`replacement` where the result is of one of these kinds of dtype."""
    return lambda m: replacement(m) if m.node.dtype.kind in kinds else None


def _reduced(m: Match, node: Node, **changed: Any) -> Node:
    """The matched reduction, of another operand."""
    return m.make(m.node.op, node, **{**m.node.params, **changed})


# --- order -----------------------------------------------------------------------------------------------------------


def _unsorted(m: Match) -> Node | None:
    """Reduce the axis of the sort as it was before."""
    return _reduced(m, m.x) if m.inner.params["axis"] in m.node.params["axis"] else None


# --- reductions of reductions ----------------------------------------------------------------------------------------


def _both(m: Match) -> Node | None:
    """One reduction over the axes of two."""
    inner, outer = m.inner.params, m.node.params
    if inner.get("dtype") != outer.get("dtype") or not inner["axis"] or not outer["axis"]:
        return None
    if inner["keepdims"]:
        axis = tuple(sorted({*inner["axis"], *outer["axis"]}))
        if not outer["keepdims"] and not set(inner["axis"]) <= set(outer["axis"]):
            return None
    elif outer["keepdims"]:
        return None
    else:
        kept = [i for i in range(len(m.x.shape)) if i not in inner["axis"]]
        axis = tuple(sorted({*inner["axis"], *[kept[i] for i in outer["axis"]]}))
    return _reduced(m, m.x, axis=axis)


def _both_means(m: Match) -> Node | None:
    # Where there may be no elements, means are NaN: nothing is gained.
    return _both(m) if all(m.x.shape) else None


def _without_kept_axes(m: Match) -> Node | None:
    inner = m.inner.params
    if not inner["keepdims"] or m.node.params["axis"] != inner["axis"]:
        return None
    return m.make(m.inner.op, m.inner.args[0], **{**inner, "keepdims": False})


def _with_kept_axes(m: Match) -> Node | None:
    inner = m.inner.params
    if inner["keepdims"] or m.node.params["axis"] != inner["axis"]:
        return None
    return m.make(m.inner.op, m.inner.args[0], **{**inner, "keepdims": True})


def _of_one(m: Match) -> Node | None:
    """Reducing axes of length 1 reduces nothing."""
    params = m.node.params
    axis = params["axis"]
    if not axis or any(m.x.shape[i] != 1 for i in axis) or not all(m.x.shape):
        return None
    if m.node.op.name in ("sum", "prod") and m.node.dtype.kind not in "biu":
        return None  # NumPy's sum of -0.0 is 0.0
    values = m.x if m.x.dtype == m.node.dtype else m.make("astype", m.x, dtype=m.node.dtype)
    return values if params["keepdims"] else m.make("squeeze", values, axis=axis)


# --- monotone functions ----------------------------------------------------------------------------------------------


def _term_out(m: Match) -> Node | None:
    """The order of numbers is that of their sums with a constant, rounded."""
    return m.make(m.shifted.op, _reduced(m, m.x), m.c) if m.value("c") and math.isfinite(m.value("c")) else None


def _exp_out(m: Match) -> Node | None:
    return m.make("exp", _reduced(m, m.x))


# --- truth -----------------------------------------------------------------------------------------------------------


def _of_not(other: str) -> Replacement:
    return lambda m: m.make("logical_not", m.make(other, m.x, **m.node.params))


def _of_comparison(m: Match) -> Node | None:
    """NumPy compares with zero and looks at booleans faster than it looks at numbers."""
    if m.x.dtype.kind not in "fc":
        return None
    zero = m.scalar(0.0 if m.x.dtype.kind == "f" else 0j, m.x.dtype)
    return _reduced(m, m.make("not_equal", m.x, zero))


def _counted(m: Match) -> Node | None:
    if m.x.dtype.kind != "b" or m.node.shape or not m.x.shape or m.node.dtype.name != "int64":
        return None
    if not m.graph.supports(OPS["count_nonzero"]):
        return None  # it would be added up all the same
    return m.make("count_nonzero", m.x, axis=m.node.params["axis"], keepdims=False)


# --- sorted data -----------------------------------------------------------------------------------------------------


def _sorted_once(m: Match) -> Node | None:
    outer, inner = m.node.params, m.inner.params
    if outer["axis"] != inner["axis"]:
        return None
    if m.x.dtype.kind in "biu":
        return m.make("sort", m.x, **outer)
    return m.inner if outer == inner and outer["stable"] else None


def _end(m: Match) -> Node | None:
    """The first or last of sorted elements is the smallest or largest."""
    params, key = m.inner.params, m.node.params["key"]
    axis = params["axis"]
    length = m.x.shape[axis]
    if length is None or len(key) != len(m.x.shape) or any(k != _ALL for i, k in enumerate(key) if i != axis):
        return None
    place = key[axis]
    if type(place) is not int or place % length not in (0, length - 1) or m.x.dtype.kind == "c":
        return None
    first = place % length == 0 and length > 1
    name = "min" if first != params["descending"] else "max"
    return m.make(name, m.x, axis=(axis,), keepdims=False)


def _inverse(m: Match) -> Node | None:
    """The order of a permutation is the inverse one, which is written in one go: number i to where it says i."""
    (length,) = m.node.shape if len(m.node.shape) == 1 else (None,)
    if length is None or m.node.params["descending"] or not m.graph.supports(OPS["scatter"]):
        return None
    dtype = m.node.dtype
    base = m.make("full", shape=(length,), fill_value=0, dtype=dtype)
    numbers = m.make("arange", start=0, stop=length, step=1, length=length, dtype=dtype)
    return m.make("scatter", base, numbers, m.inner, key=(ARRAY,))


_SORTED = call("sort", x, name="inner")
_ENDS = call("getitem", _SORTED)

REDUCTIONS = (
    Rule("sort before an orderless reduction", "exact", call(_ORDERLESS, _SORTED), _unsorted),
    Rule("sort before a reduction of integers", "exact", call(_ORDERLESS_INTEGERS, _SORTED), _on("biu", _unsorted)),
    Rule("sort before a sum", "rounding", call("sum mean", _SORTED), _on("fc", _unsorted)),
    *[Rule(f"{name} of {name}", "exact", call(name, call(name, x, name="inner")), _both) for name in ("any", "all")],
    *[
        Rule(f"{name} of {name} of integers", "exact", call(name, call(name, x, name="inner")), _on("biu", _both))
        for name in ("max", "min")
    ],
    *[
        Rule(f"{name} of {name} of integers", "exact", call(name, call(name, x, name="inner")), _on("iu", _both))
        for name in ("sum", "prod")
    ],
    Rule("sum of sum", "rounding", call("sum", call("sum", x, name="inner")), _on("fc", _both)),
    Rule("mean of mean", "rounding", call("mean", call("mean", x, name="inner")), _both_means),
    Rule(
        "reduced axes kept and squeezed",
        "exact",
        call("squeeze", any_call("any all count_nonzero max min sum prod mean std var", name="inner")),
        _without_kept_axes,
    ),
    Rule(
        "reduced axes dropped and restored",
        "exact",
        call("expand_dims", any_call("any all count_nonzero max min sum prod mean std var", name="inner")),
        _with_kept_axes,
    ),
    Rule("reduction over axes of length 1", "exact", call("max min sum prod", x), _of_one),
    Rule(
        "constant term out of an extremum",
        "exact",
        call("max min", call("add subtract", x, Scalar("c"), name="shifted")),
        _on("f", _term_out),
    ),
    Rule("exponential out of an extremum", "rounding", call("max min", call("exp", x)), _on("f", _exp_out)),
    Rule("any of not", "exact", call("any", call("logical_not", x)), _of_not("all")),
    Rule("all of not", "exact", call("all", call("logical_not", x)), _of_not("any")),
    Rule("truth of numbers", "exact", call(_ORDERLESS, x), _of_comparison),
    Rule("sum of booleans", "exact", call("sum", x), _counted),
    Rule("sort of sorted", "exact", call("sort", call("sort", x, name="inner")), _sorted_once),
    Rule("order of an order", "exact", call("argsort", call("argsort", x, name="inner")), _inverse),
    Rule("end of sorted integers", "exact", _ENDS, _on("biu", _end)),
    Rule("end of sorted data", "finite", _ENDS, _on("f", _end)),
)
