"""What masks select as kernels read it.

Reductions of a selection read all elements, with neutral ones for those that the mask leaves out: the selection is
never written, and what makes the mask may be in the same kernel. Ops between the two are done with elements that nobody
asked for, so that there may be none that ever warns. Rows or columns for which a mask holds are taken by their index.
"""

from __future__ import annotations

import math

import numpy as np

from lazyxp.api.indexing import ARRAY
from lazyxp.node import Node
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.roles import TAKE, role

NEUTRAL = "neutral where not selected"
TAKEN = "rows of a mask by their index"
REWRITES = ((NEUTRAL, "rounding"), (TAKEN, "rounding"))

# What changes no result of a reduction; a mean is a sum over a count.
_NEUTRAL = {"sum": 0, "mean": 0, "count_nonzero": 0, "any": 0, "all": 1}
_ALL = slice(None)
# Ops that warn of no element, whatever it is; and those that do not where it is no float.
_QUIET = frozenset(
    (
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "where"),
        *("logical_and", "logical_or", "logical_xor", "logical_not", "isfinite", "isinf", "isnan", "signbit"),
        *("negative", "real", "imag", "conj"),
    )
)
_QUIET_OF_INTEGERS = frozenset(
    ("abs", "add", "subtract", "multiply", "square", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert")
)


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    smallest = graph.smallest_kernel
    order = graph.order()
    if smallest is None or not any(node.op.name == "gather" for node in order):
        return graph.roots
    mask_of = _masks(graph, order, smallest)
    unwritten = _unwritten(graph, order, mask_of)
    done: dict[Node, Node] = {}
    whole: dict[Node, Node] = {}  # what is selected from
    for node in order:
        args = tuple([done[a] for a in node.args])
        rule, found = NEUTRAL, None
        if node in unwritten:
            parts = [whole.get(a) or done[a] for a in node.args]
            is_selection = node.op.name == "gather"
            whole[node] = parts[0] if is_selection else graph.make(node.op, *parts, site=node.site, **node.params)
        elif node.args and node.args[0] in unwritten and _is_reduction(node, mask_of):
            x = node.args[0]
            found = _reduced(graph, node, whole[x], done[mask_of[x]])
        elif _selects_rows(node, smallest):
            rule, found = TAKEN, _taken(graph, node, args)
        if found is None:
            done[node] = graph.remade(node, args) if args else node
        else:
            done[node] = graph.fired(rule, "rounding", node, found)
    return [done[node] for node in graph.roots]


def _is_selection(node: Node, smallest: int) -> bool:
    """Whether a mask selects along the first axes of an array that is large enough for a kernel."""
    if node.op.name != "gather" or len(node.args) > 2:
        return False
    x, mask = node.args
    first, *others = node.params["key"]
    if mask.dtype.kind != "b" or not mask.shape or first != ARRAY or any(e != _ALL for e in others):
        return False
    return None not in x.shape and x.shape[: len(mask.shape)] == mask.shape and math.prod(x.shape) >= smallest


def _masks(graph: Graph, order: list[Node], smallest: int) -> dict[Node, Node]:
    """What is selected, and what quiet ops make of what one mask selects, with the mask."""
    found: dict[Node, Node] = {}
    for node in order:
        if _is_selection(node, smallest):
            found[node] = node.args[1]
        elif any(a in found for a in node.args) and _is_quiet(node) and graph.fuses(node):
            masks = {found[a] for a in node.args if a in found}
            if len(masks) == 1 and all(_fits(a, node, a in found) for a in node.args):
                (found[node],) = masks
    return found


def _fits(x: Node, user: Node, selected: bool) -> bool:
    """Whether an operand has the axis of `user` that is selected along, or is the same all along it."""
    if selected:
        return len(x.shape) == len(user.shape)
    return None not in x.shape and (len(x.shape) < len(user.shape) or x.shape[0] == 1)


def _is_quiet(node: Node) -> bool:
    dtypes = [node.dtype, *[a.dtype for a in node.args if not a.several]]
    if node.op.kind == "cast":
        new, old = dtypes
        return old.kind in "biu" or new.kind == "b" or np.can_cast(old, new)
    if node.op.name in _QUIET_OF_INTEGERS:
        return all(dtype.kind in "biu" for dtype in dtypes)
    return node.op.name in _QUIET


def _unwritten(graph: Graph, order: list[Node], mask_of: dict[Node, Node]) -> set[Node]:
    """The nodes of `mask_of` that nothing but reductions needs in the end, and that are made of such nodes."""
    needed = {node for node in graph.roots if node in mask_of}
    for node in reversed(order):
        if not (_is_reduction(node, mask_of) or (node in mask_of and node not in needed)):
            needed.update([a for a in node.args if a in mask_of])
    found: set[Node] = set()
    for node in order:
        if node in mask_of and node not in needed and all(a in found for a in node.args if a in mask_of):
            found.add(node)
    return found


def _is_reduction(node: Node, mask_of: dict[Node, Node]) -> bool:
    """Whether a reduction goes along the axis that is selected along, and has a neutral element."""
    if node.op.name not in _NEUTRAL or node.args[0] not in mask_of:
        return False
    if node.op.name == "mean" and node.dtype.kind != "f":
        return False  # infinity in one part of a quotient leaks into the other
    return 0 in node.params["axis"] and not (node.params["keepdims"] and len(mask_of[node.args[0]].shape) > 1)


def _reduced(graph: Graph, node: Node, x: Node, mask: Node) -> Node | None:
    """The reduction of all of `x`, with neutral elements where the mask does not hold; None if that is no kernel."""
    ndim, site = len(mask.shape), node.site
    behind = len(x.shape) - ndim
    wide = graph.make("getitem", mask, site=site, key=(_ALL,) * ndim + (None,) * behind) if behind else mask
    neutral = graph.constant(_NEUTRAL[node.op.name], x.dtype, site)
    masked = graph.make("where", wide, x, neutral, site=site)
    axis = (*range(ndim), *[a + ndim - 1 for a in node.params["axis"] if a])
    params = {**node.params, "axis": axis}
    if node.op.name != "mean":
        found = graph.make(node.op, masked, site=site, **params)
        return found if graph.fuses(masked) and graph.fuses(found) else None
    total = graph.make("sum", masked, site=site, dtype=node.dtype, **params)
    count = graph.make("count_nonzero", mask, site=site, axis=tuple(range(ndim)), keepdims=False)
    times = math.prod([x.shape[a] or 0 for a in axis[ndim:]])
    number = graph.make("multiply", count, graph.constant(times, count.dtype, site), site=site) if times > 1 else count
    number = graph.make("astype", number, site=site, dtype=node.dtype)
    # The mean of nothing is NaN, without a division that warns.
    nan, none = graph.constant(math.nan, node.dtype, site), graph.constant(0, count.dtype, site)
    number = graph.make("where", graph.make("equal", count, none, site=site), nan, number, site=site)
    if not all(map(graph.fuses, (masked, total, count))):
        return None
    return graph.make("divide", total, number, site=site)


def _selects_rows(node: Node, smallest: int) -> bool:
    """Whether a mask selects along one of several axes of an array that is large enough for a kernel."""
    if node.op.name != "gather" or len(node.args) > 2:
        return False
    x, mask = node.args
    key = node.params["key"]
    if mask.dtype.kind != "b" or len(mask.shape) != 1 or None in x.shape or any(e not in (_ALL, ARRAY) for e in key):
        return False
    sides = list(x.shape)
    length = sides.pop(key.index(ARRAY))
    return bool(mask.shape == (length,)) and math.prod(sides) > 1 and length * math.prod(sides) >= smallest


def _taken(graph: Graph, node: Node, args: tuple[Node, ...]) -> Node | None:
    """The rows or columns that a mask selects by their index; None if that is no kernel, or is not compiled."""
    x, mask = args
    index = graph.output(graph.make("nonzero", mask, site=node.site), 0)
    found = graph.make("take", x, index, site=node.site, axis=node.params["key"].index(ARRAY))
    return found if graph.smallest_single < math.inf and graph.fuses(found) and role(found) == TAKE else None
