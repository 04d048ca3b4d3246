"""The push-up pass: broadcasts, transposes and casts move towards the results where less is computed or moved so.

What is broadcast is computed small and broadcast late; operands that are transposed alike are transposed once, later;
casts are made on the side of fewer bytes. What a reduction reads in another order or several times is read plainly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyxp.node import Node, Shape
from lazyxp.optimizers.graph import Graph, rounds_alike, sensitive_nodes, users_of
from lazyxp.optimizers.push_ways import is_exact_cast, is_integral, is_placed_cast
from lazyxp.shapes import broadcast

_NAMES = (
    "broadcast after elementwise",
    "transpose after elementwise",
    "narrowing cast before movement",
    "reduction before broadcast",
    "reduction in another order",
)
REWRITES: tuple[tuple[str, str], ...] = (
    *[(name, "exact") for name in _NAMES],
    *[(f"{name}, inexact", "rounding") for name in _NAMES],
    ("widening cast after movement", "exact"),
)

_IDEMPOTENT = frozenset(("all", "any", "max", "min"))
_REDUCTIONS = frozenset(("all", "any", "max", "min", "sum", "prod", "mean", "count_nonzero", "std", "var"))
# Movement that copies each element once.
_MOVES = frozenset(("concat", "stack", "roll"))
_ORDERS = frozenset(("permute_dims", "flip", "roll", "reshape", "fft.fftshift", "fft.ifftshift"))
_CONCERNED = _MOVES | _ORDERS | {"broadcast_to"}


Rewrite = Callable[[Graph, Node], Node | None]


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    order = graph.order()
    names = {node.op.name for node in order}
    if names.isdisjoint(_CONCERNED):
        return graph.roots
    fixed = set() if "rounding" in graph.allowed else sensitive_nodes(graph.roots, order)
    users = {} if names.isdisjoint(_MOVES) else users_of(graph.roots, order)
    done: dict[Node, Node] = {}
    for node in order:
        args = node.args
        new = graph.remade(node, tuple([done[a] for a in args])) if args else node
        if args and node not in fixed:
            rewrite = _rewrite_of(new)
            # Casts move only where nothing else needs what they leave.
            if rewrite is not None and (rewrite not in _CASTS or all(users[a] == 1 for a in args)):
                new = rewrite(graph, new) or new
        done[node] = new
    return [done[root] for root in graph.roots]


def _rewrite_of(node: Node) -> Rewrite | None:
    """What may be done with `node`, by a look at its operands' ops."""
    kind = node.op.kind
    if kind == "elementwise" or (kind == "cast" and not is_placed_cast(node)):
        for arg in node.args:
            name = arg.op.name
            if name == "broadcast_to":
                return _broadcast_late
            if name == "permute_dims":
                return _transpose_late
            if kind == "cast" and name in _MOVES:
                return _narrow_early
        return None
    name = node.op.name
    if kind == "reduction" and name in _REDUCTIONS:
        return _reduced_early
    if name in _MOVES and all(arg.op.kind == "cast" for arg in node.args):
        return _widen_late
    return None


def _fired(graph: Graph, name: str, is_exact: bool, before: Node, after: Callable[[], Node]) -> Node | None:
    """What `after` makes, unless it rounds otherwise and that is not allowed."""
    if is_exact:
        return graph.fired(name, "exact", before, after())
    return graph.fired(f"{name}, inexact", "rounding", before, after()) if "rounding" in graph.allowed else None


# --- broadcasts and transposes ---------------------------------------------------------------------------------------


def _computes_alike(node: Node) -> bool:
    return is_exact_cast(node) if node.op.kind == "cast" else rounds_alike(node)


def _broadcast_late(graph: Graph, node: Node) -> Node | None:
    """Compute on what was broadcast, if that is smaller together."""
    shape = node.shape
    if None in shape or 0 in shape:
        return None  # of nothing, nothing is computed
    small = [arg.args[0] if arg.op.name == "broadcast_to" else arg for arg in node.args]
    common = broadcast(node.op.name, *[arg.shape for arg in small])
    if common == shape or None in common:
        return None

    def after() -> Node:
        inner = graph.intern(Node(node.op, tuple(small), node.params, common, node.dtype, node.site))
        return graph.make("broadcast_to", inner, site=node.site, shape=shape)

    return _fired(graph, "broadcast after elementwise", _computes_alike(node), node, after)


def _transpose_late(graph: Graph, node: Node) -> Node | None:
    """Compute on what was transposed, if all operands were alike."""
    inner = []
    axes = None
    for arg in node.args:
        if not arg.shape:
            inner.append(arg)
        elif arg.op.name != "permute_dims" or (axes is not None and arg.params["axes"] != axes):
            return None
        else:
            axes = arg.params["axes"]
            inner.append(arg.args[0])
    if axes is None or len(axes) != len(node.shape):
        return None
    shape: list[int | None] = [None] * len(axes)
    for n, axis in zip(node.shape, axes, strict=True):
        shape[axis] = n

    def after() -> Node:
        result = graph.intern(Node(node.op, tuple(inner), node.params, tuple(shape), node.dtype, node.site))
        return graph.make("permute_dims", result, site=node.site, axes=axes)

    return _fired(graph, "transpose after elementwise", _computes_alike(node), node, after)


# --- casts -----------------------------------------------------------------------------------------------------------


def _widen_late(graph: Graph, node: Node) -> Node | None:
    """Move the narrow elements, then cast."""
    inner = [arg.args[0] for arg in node.args]
    dtype = inner[0].dtype
    if any(x.dtype != dtype for x in inner) or dtype.itemsize >= node.dtype.itemsize:
        return None
    if not all(is_exact_cast(arg) for arg in node.args):
        return None
    moved = graph.intern(Node(node.op, tuple(inner), node.params, node.shape, dtype, node.site))
    after = graph.make("astype", moved, site=node.args[0].site, dtype=node.dtype)
    return graph.fired("widening cast after movement", "exact", node, after)


def _narrow_early(graph: Graph, node: Node) -> Node | None:
    """Cast, then move the narrow elements."""
    (moved,) = node.args
    if moved.dtype.itemsize <= node.dtype.itemsize:
        return None

    def after() -> Node:
        cast = [graph.make("astype", x, site=node.site, dtype=node.dtype) for x in moved.args]
        return graph.intern(Node(moved.op, tuple(cast), moved.params, moved.shape, node.dtype, moved.site))

    return _fired(graph, "narrowing cast before movement", is_exact_cast(node), node, after)


_CASTS = frozenset((_widen_late, _narrow_early))


# --- reductions ------------------------------------------------------------------------------------------------------


def _reduced_early(graph: Graph, node: Node) -> Node | None:
    name = node.args[0].op.name
    if name == "broadcast_to":
        return _reduced_small(graph, node)
    return _reduced_in_order(graph, node) if name in _ORDERS else None


def _reduced_small(graph: Graph, node: Node) -> Node | None:
    """Reduce what was broadcast: equal elements give themselves, or themselves times their number."""
    wide = node.args[0]
    (small,) = wide.args
    if node.params["keepdims"] or None in wide.shape or 0 in wide.shape:
        return None
    extra = len(wide.shape) - len(small.shape)
    axes = node.params["axis"]
    copied = [i for i in axes if i < extra or small.shape[i - extra] != wide.shape[i]]
    if not copied or any(
        i >= extra and small.shape[i - extra] != n and i not in axes for i, n in enumerate(wide.shape)
    ):
        return None
    if any(i not in axes for i in range(extra)):
        return None
    count = math.prod(wide.shape[i] for i in copied)
    own = tuple([i - extra for i in axes if i >= extra])
    op = node.op.name
    factor = _factor(op, count, node.dtype)
    if factor is None and op not in _IDEMPOTENT and (op != "mean" or node.dtype.kind != "f"):
        return None

    def after() -> Node:
        result = _reduced(graph, node, small, own)
        if factor is None:
            return result
        return graph.make("multiply", result, graph.constant(factor, node.dtype, node.site), site=node.site)

    return _fired(graph, "reduction before broadcast", node.dtype.kind in "biu", node, after)


def _reduced(graph: Graph, node: Node, x: Node, axes: tuple[int, ...]) -> Node:
    return graph.make(node.op, x, site=node.site, **{**node.params, "axis": axes})


def _factor(op: str, count: int, dtype: np.dtype[Any]) -> int | float | None:
    """What a sum of `count` equal elements multiplies them by, as a number of `dtype`; None where it cannot."""
    if op not in ("sum", "count_nonzero") or dtype.kind not in "iuf":
        return None
    if dtype.kind == "f":
        return float(count) if count <= 2**24 else None
    return count if count <= np.iinfo(dtype).max else None


def _reduced_in_order(graph: Graph, node: Node) -> Node | None:
    """Reduce what was put into another order, if the axes that it was done along all go away."""
    moved = node.args[0]
    (x,) = moved.args
    axes = node.params["axis"]
    new = _axes_before(moved, x.shape, axes, node.params["keepdims"])
    if new is None:
        return None
    is_exact = node.op.name in ("all", "any", "count_nonzero") or is_integral(node)
    return _fired(graph, "reduction in another order", is_exact, node, lambda: _reduced(graph, node, x, new))


def _axes_before(moved: Node, shape: Shape, axes: tuple[int, ...], keepdims: bool) -> tuple[int, ...] | None:
    """The axes of the operand of `moved` that `axes` of its result are."""
    name, params = moved.op.name, moved.params
    if name == "reshape":
        return tuple(range(len(shape))) if len(axes) == len(moved.shape) and not keepdims else None
    if name == "permute_dims":
        found = tuple([params["axes"][i] for i in axes])
        left = [a for i, a in enumerate(params["axes"]) if i not in axes]
        return found if not keepdims and left == sorted(left) else None
    along = params["axes"] if name.startswith("fft.") else params["axis"]
    return axes if all(i in axes for i in along) else None
