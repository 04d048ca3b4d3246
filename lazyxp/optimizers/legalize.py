"""Legalization: ops that an executor lacks are rewritten into ops that it has."""

from __future__ import annotations

from lazyxp import plan
from lazyxp.errors import UnsupportedOperation
from lazyxp.executors.base import Executor, failure, shape_of
from lazyxp.node import CONSTANT, SOURCE, Node, Op, describe
from lazyxp.optimizers.decompositions import DECOMPOSITIONS, decompose


def legalize(roots: list[Node], order: list[Node], executor: Executor) -> list[Node]:
    """`roots`, whose graph `order` lists, with only ops that `executor` supports."""
    if all(_is_legal(node.op, executor) or node.value is not None for node in order):
        return roots
    done: dict[Node, Node] = {}
    for node in order:
        done[node] = _legal(node, done, executor)
    return [done[node] for node in roots]


def _is_legal(op: Op, executor: Executor) -> bool:
    return op is SOURCE or op is CONSTANT or executor.supports(op)


def _legal(node: Node, done: dict[Node, Node], executor: Executor) -> Node:
    if node.value is not None:
        return node
    args = tuple(done[a] for a in node.args)
    if _is_legal(node.op, executor):
        if all(a is b for a, b in zip(args, node.args, strict=True)):
            return node
        return Node(node.op, args, node.params, node.shape, node.dtype, node.site)
    if node.op.name not in DECOMPOSITIONS or executor.refuses(node.op):
        raise UnsupportedOperation(_message(node, executor))
    args = tuple(_sized(a, executor) for a in args)
    try:
        replacement, steps = decompose(node, args)
    except Exception as error:
        error.add_note(failure(executor.name, node))
        raise
    inner: dict[Node, Node] = {a: a for a in args}
    for step in steps:
        inner[step] = _legal(step, inner, executor)
    return inner[replacement]


def _sized(node: Node, executor: Executor) -> Node:
    """`node`, computed if a side is not known: decompositions work with lengths."""
    if node.several or None not in node.shape:
        return node
    (value,) = executor.run(plan.build([node]), keep=True)
    return Node(node.op, (), node.params, shape_of(value), node.dtype, node.site, value)


def _message(node: Node, executor: Executor) -> str:
    reason = executor.refuses(node.op)
    operands = " and ".join(describe(a) for a in node.args) or "no arrays"
    return (
        f"backend {executor.name!r} cannot run {node.op.name} on {operands}, recorded at {node.where}"
        f"{': ' + reason if reason else ''}; compute this part with backend='numpy' (x.persist(backend='numpy')), "
        "or write it with other functions"
    )
