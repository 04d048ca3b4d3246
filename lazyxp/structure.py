"""The structure of a graph: everything but its data, which is what plans are cached by.

Two graphs of one structure have the same ops, parameters, sharing, and leaves of the same shapes and dtypes. A plan is
made of a *template*, a copy of the graph in which numbered inputs stand for the leaves, so that it holds no data and
serves every graph of its structure.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from lazyxp.node import CONSTANT, INPUT, OUTPUT, SOURCE, Node, Op, SharedParams, walk

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
        The nodes of the graph, scalars as often as they are read; nodes of the template and of the plan have their
        number here as `site`.
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
    if not gc.isenabled():
        return _structure_of(roots)
    gc.disable()  # as `uncollected` does, at a fraction of its cost
    try:
        return _structure_of(roots)
    finally:
        gc.enable()


def _structure_of(roots: Sequence[Node]) -> Structure:
    # What a walk meets, users first: the number of each node's kind, 0 for a node that it met before; `more` holds
    # which that was. Kinds tell how many arguments follow, so that this can be read in one way only. Bytes and few
    # kinds are hashed and compared at a fraction of the cost of a tuple with parts for every node.
    met: list[int] = []
    more: list[int] = []
    kinds: dict[Any, int] = {}
    plain: dict[Op, tuple[int, int]] = {}  # by ops without parameters, how many arguments, and the number of the kind
    number: dict[Node, int] = {}
    recorded: list[Node] = []
    # A scalar that is met again counts as new: whether equal ones share a node depends on what was recorded before.
    met_scalars: dict[Node, tuple[int, int | None]] = {}  # the numbers of their kinds and, if they have any, inputs
    leaves: list[Node] = []
    input_of: dict[Node, int] = {}
    scalars: dict[Any, int] = {}
    stack = list(roots)
    stack.reverse()
    while stack:
        node = stack.pop()
        new = len(recorded)
        place = number.setdefault(node, new)
        if place != new:
            scalar = met_scalars.get(node)
            if scalar is None:
                met.append(0)
                more.append(place)
            else:
                recorded.append(node)
                met.append(scalar[0])
                if scalar[1] is not None:
                    more.append(scalar[1])
            continue
        recorded.append(node)
        op = node.op
        args = node.args
        params = node.params
        if args and not params and node.value is None:
            count = len(args)
            last = plain.get(op)
            if last is None or last[0] != count:
                last = plain[op] = count, kinds.setdefault((op, count), len(kinds) + 1)
            met.append(last[1])
            stack += args[::-1]
            continue
        if (not args and op.kind == "source") or node.value is not None or op is OUTPUT:
            kind, args = _special(node, more, leaves, input_of, scalars)
            if op is CONSTANT and node.value is None:
                met.append(kinds.setdefault(kind, len(kinds) + 1))
                met_scalars[node] = met[-1], input_of.get(node)
                continue
        elif type(params) is SharedParams:
            known = params.kind
            if known is None or known[0] is not op or known[1] != len(args):
                known = params.kind = _kind(op, args, params)
            kind = known
        elif params:
            kind = _kind(op, args, params)
        else:
            kind = (op, len(args))
        met.append(kinds.get(kind) or kinds.setdefault(kind, len(kinds) + 1))
        if args:
            stack += args[::-1]
    key = tuple(kinds), array("I", met).tobytes(), array("I", more).tobytes()
    return Structure(key, leaves, recorded, number, roots, input_of)


def _kind(op: Op, args: tuple[Node, ...], params: dict[str, Any]) -> tuple[Any, ...]:
    """The kind of a node; which parameters it has follows from the op and their number, so that the values suffice."""
    return (op, len(args), *[frozen_value(value) for value in params.values()])


def _special(
    node: Node, more: list[int], leaves: list[Node], input_of: dict[Node, int], scalars: dict[Any, int]
) -> tuple[tuple[Any, ...], tuple[Node, ...]]:
    """The kind of a leaf, a scalar or an output, and the arguments that are part of the graph."""
    leaf = node
    index = len(leaves)
    kind: tuple[Any, ...] = (SOURCE, node.shape, node.dtype)
    if node.op is CONSTANT and node.value is None:
        value = node.params["value"]
        if value in _TELLING:
            return (CONSTANT, type(value), frozen_value(value), node.dtype), ()
        index = scalars.setdefault((type(value), frozen_value(value), node.dtype), index)
        more.append(index)
        kind = (INPUT, node.dtype)
    elif node.value is None and node.op is OUTPUT:
        (whole,) = node.args
        part = node.params["index"]
        if whole.value is None:
            return (OUTPUT, part), node.args
        leaf = Node(SOURCE, (), {}, node.shape, node.dtype, node.site, whole.value[part])
    input_of[node] = index
    if index == len(leaves):
        leaves.append(leaf)
    return kind, ()


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
