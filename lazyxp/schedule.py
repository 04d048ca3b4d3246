"""The order in which a plan computes its nodes: one that holds little memory at a time.

Of the arguments of a node, those that need more room while they are computed than they leave behind go first (Sethi and
Ullman's order, with bytes for registers). What is shared makes that a heuristic: the order as recorded stays where the
new one is no better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lazyxp.node import OUTPUT, Node, Shape, walk

# Results below this many bytes are not worth another order, nor being overwritten.
SMALLEST = 65_536

# Ops whose results are views: they hold their first operand and nothing of their own.
_VIEWS = frozenset(
    ("getitem", "permute_dims", "reshape", "expand_dims", "squeeze", "flip", "broadcast_to", "linalg.diagonal")
)


def scheduled(roots: Sequence[Node]) -> list[Node]:
    """Every node that `roots` need, arguments before users."""
    order = walk(roots)
    if not any_large(order):
        return order
    size = [_held(node) for node in order]
    new = _by_need(roots, order, size)
    if new == order:
        return order
    number = {node: i for i, node in enumerate(order)}
    held = {node: size[i] for node, i in number.items()}
    return new if _peak(roots, new, held) < _peak(roots, order, held) else order


def any_large(order: Sequence[Node]) -> bool:
    """Whether two results or more are large: else no order is better than another."""
    large: dict[Shape, bool] = {}
    count = 0
    for node in order:
        shape = node.shape
        found = large.get(shape)
        if found is None:
            found = large[shape] = _is_large(node)
        if found and node.args:
            count += 1
            if count > 2:
                return True
    return False


def _is_large(node: Node) -> bool:
    shapes = node.shape if node.several else (node.shape,)
    return any(16 * math.prod([n or 0 for n in shape]) >= SMALLEST for shape in shapes)


def nbytes(node: Node) -> int:
    """The bytes of the result of `node`; a side that is not known counts as 0."""
    if type(node.dtype) is tuple:
        return sum([math.prod([n or 0 for n in s]) * d.itemsize for s, d in zip(node.shape, node.dtype, strict=True)])
    size: int = node.dtype.itemsize
    for n in node.shape:
        size *= n or 0
    return size


def _held(node: Node) -> int:
    """The bytes that `node` adds to what is held already."""
    if node.op.kind == "source" or node.op is OUTPUT or node.op.name in _VIEWS:
        return 0
    return nbytes(node)


def _by_need(roots: Sequence[Node], order: Sequence[Node], size: list[int]) -> list[Node]:
    """The nodes depth first, the arguments with the largest excess of need over result before the others."""
    need: dict[Node, int] = {}
    left: dict[Node, int] = {}  # what stays when a node is computed; a view keeps what it shows
    ranked: dict[Node, Sequence[Node]] = {}
    for node, own in zip(order, size, strict=True):
        args: Sequence[Node] = node.args
        if not args:
            need[node] = left[node] = own
            continue
        if len(args) > 1:
            # Stable: ties stay as recorded.
            args = ranked[node] = sorted(dict.fromkeys(args), key=lambda a: left[a] - need[a])
        before = most = 0
        for arg in args:
            most = max(most, before + need[arg])
            before += left[arg]
        need[node] = max(most, before + own)
        left[node] = own or left[node.args[0]]
    new: list[Node] = []
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [
        (root, False) for root in sorted(dict.fromkeys(roots), key=lambda r: left[r] - need[r], reverse=True)
    ]
    while stack:
        node, ready = stack.pop()
        if ready:
            new.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            for arg in reversed(ranked.get(node) or node.args):
                if arg not in seen:
                    stack.append((arg, False))
    return new


def _peak(roots: Sequence[Node], order: Sequence[Node], held: dict[Node, int]) -> int:
    """The most bytes that are held at a time when nodes are computed in this order."""
    owner: dict[Node, Node] = {}
    uses: dict[Node, int] = {}
    for node in order:
        whose = owner[node] = owner[node.args[0]] if node.args and not held[node] else node
        uses.setdefault(whose, 0)
        for arg in node.args:
            uses[owner[arg]] += 1  # users of a view use what it shows
    for root in roots:
        uses[owner[root]] += 1
    live = peak = 0
    for node in order:
        own = held[node]
        live += own
        peak = max(peak, live)
        for arg in node.args:
            whose = owner[arg]
            uses[whose] -= 1
            if not uses[whose]:
                live -= held[whose]
    return peak
