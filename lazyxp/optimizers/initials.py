"""Scans with their initial value become what is joined of that and of the scan, which kernels write in place.

Elementwise ops that read such a scan alone are done with both parts, so that they are in the scan's kernel.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lazyxp.node import Node
from lazyxp.optimizers.graph import Graph, users_of

APART = "initial value apart"
REWRITES = ((APART, "rounding"),)


class _Parts(NamedTuple):
    """What is at the index 0 along an axis, and what comes behind."""

    axis: int
    first: Node
    rest: Node


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    smallest = graph.smallest_kernel
    order = graph.order()
    if smallest is None or not any(_has_initial(node) for node in order):
        return graph.roots
    users = users_of(graph.roots, order)
    done: dict[Node, Node] = {}
    parts: dict[Node, _Parts] = {}
    for node in order:
        args = tuple([done[a] for a in node.args])
        if _has_initial(node) and _is_large(node, smallest):
            found = _apart(graph, node, args[0])
        else:
            found = _through(graph, node, args, [parts.get(a) if users[a] == 1 else None for a in node.args])
        if found is None:
            done[node] = graph.remade(node, args) if args else node
        else:
            parts[node] = found
            joined = graph.make("concat", found.first, found.rest, site=node.site, axis=found.axis)
            done[node] = graph.fired(APART, "rounding", node, joined)
    return [done[node] for node in graph.roots]


def _has_initial(node: Node) -> bool:
    return node.op.kind == "scan" and bool(node.params.get("include_initial"))


def _is_large(node: Node, smallest: int) -> bool:
    """Whether there is more than one element to add up, and enough of them for a kernel."""
    sides = [n or 0 for n in node.args[0].shape]
    return math.prod(sides) >= smallest and sides[node.params["axis"]] > 1


def _apart(graph: Graph, node: Node, x: Node) -> _Parts | None:
    """The initial value, and the scan without it."""
    axis = node.params["axis"]
    rest = graph.make(node.op, x, site=node.site, **{**node.params, "include_initial": False})
    if not graph.fuses(rest):
        return None
    shape = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    identity = graph.constant(node.op.identity, node.dtype, node.site)
    return _Parts(axis, graph.make("broadcast_to", identity, site=node.site, shape=shape), rest)


def _through(graph: Graph, node: Node, args: tuple[Node, ...], apart: list[_Parts | None]) -> _Parts | None:
    """An elementwise op of operands that are apart, and of others, in two parts as well."""
    known = [(one, len(arg.shape)) for one, arg in zip(apart, args, strict=True) if one is not None]
    if node.op.kind not in ("elementwise", "cast") or not known or not graph.fuses(node):
        return None
    if len({ndim - one.axis for one, ndim in known}) > 1 or any(ndim < len(node.shape) for _, ndim in known):
        return None
    axis = known[0][0].axis
    sides: list[list[Node]] = [[], []]
    for arg, one in zip(args, apart, strict=True):
        if one is not None:
            found = one.first, one.rest
        elif _varies(arg, axis - len(node.shape)):
            before = (slice(None),) * (axis - len(node.shape) + len(arg.shape))
            after = (slice(None),) * (len(node.shape) - axis - 1)
            n = arg.shape[len(before)]
            keys = [(*before, part, *after) for part in (slice(0, 1, 1), slice(1, n, 1))]
            one_side, other = [graph.make("getitem", arg, site=node.site, key=key) for key in keys]
            found = one_side, other
        else:
            found = arg, arg
        for side, part in zip(sides, found, strict=True):
            side.append(part)
    first, rest = [graph.make(node.op, *side, site=node.site, **node.params) for side in sides]
    return _Parts(axis, first, rest) if first.dtype == rest.dtype == node.dtype else None


def _varies(x: Node, axis: int) -> bool:
    """Whether `x` has several elements along an axis, counted from the last one."""
    return len(x.shape) >= -axis and x.shape[axis] != 1
