"""How a selection goes through an op: what is selected of its operands instead, and what is then made of them.

A handler, looked up by the name of the op, takes a node and a selection of it. It gives a `Way`, or None where the
selection stays behind the op. Handlers are in the modules ``push_*``, which fill `HANDLERS` as they are imported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.node import Node, Shape
from lazyxp.optimizers.graph import Graph, rounds_alike
from lazyxp.optimizers.keys import Entries, Entry, all_of, drops, shape_of

Build = Callable[[Graph, Sequence[Node]], Node]


class Way(NamedTuple):
    """A way through an op.

    Attributes
    ----------
    parts : sequence of (Node, Entries)
        What is selected of the operands; an operand may occur several times, or not at all.
    build : callable
        ``build(graph, selected)`` makes the result of the parts, which are in the same order.
    rest : Entries, optional
        What remains to be selected of the result.
    """

    parts: Sequence[tuple[Node, Entries]]
    build: Build
    rest: Entries | None = None


class Handler(NamedTuple):
    """What goes through an op, under which name, and whether that changes rounding."""

    family: str
    way: Callable[[Node, Entries], Way | None]
    is_exact: Callable[[Node], bool]


HANDLERS: dict[str, Handler] = {}


def through(
    family: str, names: str, is_exact: Callable[[Node], bool] = lambda node: True
) -> Callable[[Callable[[Node, Entries], Way | None]], Callable[[Node, Entries], Way | None]]:
    """Decorate the handler of the ops `names`."""

    def register(way: Callable[[Node, Entries], Way | None]) -> Callable[[Node, Entries], Way | None]:
        for name in names.split():
            HANDLERS[name] = Handler(family, way, is_exact)
        return way

    return register


def is_integral(node: Node) -> bool:
    """Whether `node` computes with integers alone, for which every order of adding up is the same."""
    return all(d.kind in "biu" for d in (node.dtype, *[a.dtype for a in node.args]))


def is_exact_cast(node: Node) -> bool:
    """Whether a cast gives the same bits wherever its operand lies; integers of NaN or of large floats do not."""
    return node.dtype.kind not in "iu" or node.args[0].dtype.kind in "biu"


def is_placed_cast(node: Node) -> bool:
    """Whether casts of NaN and of large floats differ by place in memory, as NumPy's to uint32 do."""
    return node.op.kind == "cast" and node.dtype == np.uint32 and node.args[0].dtype.kind in "fc"


_RAISING = frozenset(
    ("take", "gather", "scatter", "take_along_axis", "linalg.matrix_norm", "linalg.pinv", "linalg.matrix_rank")
)


def may_raise(node: Node) -> bool:
    """Whether it depends on the data whether `node` can be computed."""
    op = node.op
    if op.kind == "linalg" or op.name in _RAISING:
        return True
    if op.name == "pow":
        return node.dtype.kind in "iu" and not is_natural(node.args[1])
    if op.name == "repeat":
        return len(node.args) > 1
    return len(node.args) > 1 and any(None in a.shape for a in node.args if not a.several)


# --- what handlers are made of ---------------------------------------------------------------------------------------


def divided(entries: Entries, changed: Mapping[int, tuple[Entry, Entry]]) -> tuple[Entries, Entries | None]:
    """`entries` in two steps: for each axis of `changed`, a span that is selected first, and what of it afterwards."""
    if not changed:
        return entries, None
    inner = list(entries)
    rest: list[Entry] = []
    for i, entry in enumerate(entries):
        if i in changed:
            inner[i], after = changed[i]
            rest.append(after)
        else:
            rest += all_of(shape_of((entry,)))
    return tuple(inner), tuple(rest)


def without(entries: Entries, shape: Shape, axes: Sequence[int]) -> tuple[Entries, Entries | None]:
    """`entries` without what they select of `axes`, which is selected afterwards."""
    return divided(entries, {i: ((0, shape[i], 1), entries[i]) for i in axes if entries[i] != (0, shape[i], 1)})


def aligned(side_of: Shape, shape: Shape, entries: Entries) -> Entries | None:
    """What `entries` of a result of `shape` need of an operand that is broadcast to it from `side_of`."""
    if side_of == shape:
        return entries
    own = entries[len(shape) - len(side_of) :]
    found: list[Entry] = []
    for side, n, entry in zip(side_of, shape[len(shape) - len(side_of) :], own, strict=True):
        if side == n:
            found.append(entry)
        elif side == 1:
            found.append(0 if drops(entry) else (0, 1, 1))
        elif entry == (0, n, 1):
            found.append((0, side, 1))
        else:
            return None
    return tuple(found)


def remade(node: Node, shape: Shape, /, **changed: Any) -> Build:
    """Makes `node`'s op on the parts, for a result of `shape`, with some parameters changed."""
    params = {**node.params, **changed} if changed else node.params

    def build(graph: Graph, parts: Sequence[Node]) -> Node:
        return graph.intern(Node(node.op, tuple(parts), params, shape, node.dtype, node.site))

    return build


def movement(name: str, node: Node, **params: Any) -> Build:
    """Makes the movement op `name` of the only part."""

    def build(graph: Graph, parts: Sequence[Node]) -> Node:
        return graph.make(name, *parts, site=node.site, **params)

    return build


def only_part(graph: Graph, parts: Sequence[Node]) -> Node:
    """The only part itself."""
    return parts[0]


# --- elementwise ops -------------------------------------------------------------------------------------------------


def _elementwise(node: Node, entries: Entries) -> Way | None:
    if node.op.name == "pow" and node.dtype.kind in "iu" and not is_natural(node.args[1]):
        return None  # raises where an exponent is negative, wherever that is
    shape = node.shape
    parts = []
    for arg in node.args:
        own = aligned(arg.shape, shape, entries)
        if own is None:
            return None
        parts.append((arg, own))
    return Way(parts, remade(node, shape_of(entries)))


def is_natural(exponent: Node) -> bool:
    """Whether no integer can be raised to a negative power."""
    return exponent.dtype.kind == "u" or (exponent.op.name == "constant" and exponent.params["value"] >= 0)


ELEMENTWISE = Handler("elementwise", _elementwise, rounds_alike)


@through("cast", "astype", is_exact_cast)
def _astype(node: Node, entries: Entries) -> Way | None:
    if is_placed_cast(node):
        return None
    return Way([(node.args[0], entries)], remade(node, shape_of(entries)))


def handler_of(node: Node) -> Handler | None:
    """The handler of `node`'s op."""
    if node.op.kind == "elementwise":
        return ELEMENTWISE
    return None if node.several else HANDLERS.get(node.op.name)
