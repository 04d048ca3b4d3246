"""The structure of a graph: everything but its data, which is what plans are cached by.

Two graphs of one structure have the same ops, parameters, sharing, and leaves of the same shapes and dtypes. A plan is
made of a *template*, a copy of the graph in which numbered inputs stand for the leaves, so that it holds no data and
serves every graph of its structure.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from lazyxp.node import CONSTANT, INPUT, OUTPUT, SOURCE, Node, walk

# Scalars that rewrites ask about are part of the structure: halves of small integers, and powers of two. Others are
# data, so that a loop with another factor in each round finds its plan again.
_TELLING = frozenset([k / 2 for k in range(-128, 129)] + [s * 2.0**e for e in range(-1074, 1024) for s in (1, -1)])


class Structure(NamedTuple):
    """What `structure_of` finds.

    Attributes
    ----------
    key : tuple
        Equal for graphs of one structure.
    leaves : list of Node
        Where the graph starts: sources, scalars, and inputs of a function that is being traced, in the order of the
        template's inputs.
    recorded : list of Node
        The nodes of the graph; nodes of the template and of the plan have their number here as `site`.
    """

    key: tuple[Any, ...]
    leaves: list[Node]
    recorded: list[Node]
    number: dict[Node, int]
    roots: Sequence[Node]
    input_of: dict[Node, int]


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection: walks over graphs make many objects, all of which stay."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def structure_of(roots: Sequence[Node]) -> Structure:
    """The structure of the graph that computes `roots`; called under `graph_lock`."""
    with uncollected():
        return _structure_of(roots)


def _structure_of(roots: Sequence[Node]) -> Structure:
    number: dict[Node, int] = {}
    stack = list(roots)
    stack.reverse()
    while stack:
        node = stack.pop()
        if node not in number:
            number[node] = len(number)
            if node.args:
                stack += node.args[::-1]
    key: list[Any] = [number[node] for node in roots]
    leaves: list[Node] = []
    input_of: dict[Node, int] = {}
    scalars: dict[Any, int] = {}
    add = key.append
    for node in number:
        op = node.op
        args = node.args
        if (not args and op.kind == "source") or node.value is not None or op is OUTPUT:
            _add_special(node, number, key, leaves, input_of, scalars)
        else:
            add(op)
            for arg in args:
                add(number[arg])
            # Which parameters there are follows from the op and their number, so that the values tell everything.
            for value in node.params.values():
                add(frozen_value(value))
    return Structure(tuple(key), leaves, list(number), number, roots, input_of)


def _add_special(
    node: Node,
    number: dict[Node, int],
    key: list[Any],
    leaves: list[Node],
    input_of: dict[Node, int],
    scalars: dict[Any, int],
) -> None:
    """Add a leaf, a scalar or an output to the key, which reads in one way only."""
    leaf = node
    index = len(leaves)
    if node.value is not None or node.op is INPUT:
        if node.several:  # only its outputs are read
            key.append(None)
            return
        key += (SOURCE, node.shape, node.dtype)
    elif node.op is CONSTANT:
        value = node.params["value"]
        if value in _TELLING:
            key += (CONSTANT, type(value), frozen_value(value), node.dtype)
            return
        index = scalars.setdefault((type(value), frozen_value(value), node.dtype), index)
        key += (INPUT, index, node.dtype)
    else:
        (whole,) = node.args
        if whole.value is None:
            key += (OUTPUT, node.params["index"], number[whole])
            return
        leaf = Node(SOURCE, (), {}, node.shape, node.dtype, node.site, whole.value[node.params["index"]])
        key += (SOURCE, node.shape, node.dtype)
    input_of[node] = index
    if index == len(leaves):
        leaves.append(leaf)


def frozen(params: dict[str, Any]) -> Hashable:
    """Node parameters as something hashable that is equal only for parameters that mean the same."""
    return tuple([frozen_value(v) for v in params.values()])


def frozen_value(value: Any) -> Hashable:
    """One parameter; 0.0 and -0.0 differ."""
    freeze = _FREEZE.get(type(value))
    return value if freeze is None else freeze(value)


def _frozen_tuple(value: tuple[Any, ...]) -> tuple[Any, ...]:
    for entry in value:
        if type(entry) in _FREEZE:
            return tuple([frozen_value(e) for e in value])
    return value


_FREEZE: dict[type, Callable[[Any], Hashable]] = {
    float: lambda v: v or repr(v),
    complex: repr,
    slice: lambda v: (v.start, v.stop, v.step),
    tuple: _frozen_tuple,
    list: lambda v: tuple([frozen_value(e) for e in v]),
}


def template(structure: Structure, *, intern: Callable[[Node], Node] | None = None) -> list[Node]:
    """The roots of a copy of the graph in which inputs stand for its leaves.

    `intern` is called with each new node and may give an equal one that exists already.
    """
    copies: dict[Node, Node] = {}
    inputs: dict[int, Node] = {}
    for node in walk(structure.roots):
        index = structure.input_of.get(node)
        if index is not None:
            if index not in inputs:
                inputs[index] = input_node(index, node, structure.number[node])
            copies[node] = inputs[index]
        elif node.value is None:
            args = tuple([copies[a] for a in node.args])
            new = Node(node.op, args, node.params, node.shape, node.dtype, structure.number[node])
            copies[node] = new if intern is None else intern(new)
    return [copies[node] for node in structure.roots]


def input_node(index: int, leaf: Node, site: Any) -> Node:
    """The template's input number `index`, which stands for `leaf`."""
    return Node(INPUT, (), {"index": index}, leaf.shape, leaf.dtype, site)
