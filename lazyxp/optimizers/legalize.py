"""Legalization: ops that an executor lacks are rewritten into ops that it has."""

from __future__ import annotations

from collections.abc import Sequence

from lazyxp import plan
from lazyxp.errors import UnsupportedOperation
from lazyxp.executors.base import Executor, failure, shape_of
from lazyxp.node import SOURCE, Node, Op, describe, walk
from lazyxp.optimizers.decompositions import DECOMPOSITIONS, decompose
from lazyxp.structure import input_node


class Legalizer:
    """Makes graphs fit an executor.

    Attributes
    ----------
    leaves : list of Node
        Where the graph starts. Operands whose shape a decomposition has to know are computed, and become new leaves.
    """

    def __init__(self, executor: Executor, leaves: list[Node], recorded: Sequence[Node]) -> None:
        self.executor = executor
        self.leaves = leaves
        self.recorded = recorded

    def legalize(self, roots: list[Node]) -> list[Node]:
        """`roots` with only ops that the executor supports."""
        order = walk(roots)
        if all(self._is_legal(op) for op in {node.op for node in order}):
            return roots
        done: dict[Node, Node] = {}
        for node in order:
            done[node] = self._legal(node, done)
        return [done[node] for node in roots]

    def _is_legal(self, op: Op) -> bool:
        return op.kind == "source" or self.executor.supports(op)

    def _legal(self, node: Node, done: dict[Node, Node]) -> Node:
        args = tuple(done[a] for a in node.args)
        if self._is_legal(node.op):
            if all(a is b for a, b in zip(args, node.args, strict=True)):
                return node
            return Node(node.op, args, node.params, node.shape, node.dtype, node.site)
        line = plan.line_of(node, self.recorded)
        if node.op.name not in DECOMPOSITIONS or self.executor.refuses(node.op):
            raise UnsupportedOperation(_message(node, self.executor, line))
        args = tuple(self._sized(a) for a in args)
        try:
            replacement, steps = decompose(node, args)
        except Exception as error:
            error.add_note(failure(self.executor.name, node, line))
            raise
        inner: dict[Node, Node] = {a: a for a in args}
        for step in steps:
            inner[step] = self._legal(step, inner)
        return inner[replacement]

    def _sized(self, node: Node) -> Node:
        """`node`, computed if a side is not known: decompositions work with lengths."""
        if node.several or None not in node.shape:
            return node
        (value,) = self.executor.run(plan.build([node]).bound(self.leaves, self.recorded), keep=True)
        leaf = Node(SOURCE, (), {}, shape_of(value), node.dtype, plan.line_of(node, self.recorded), value)
        self.leaves.append(leaf)
        return input_node(len(self.leaves) - 1, leaf, node.site)


def _message(node: Node, executor: Executor, line: str) -> str:
    reason = executor.refuses(node.op)
    operands = " and ".join(describe(a) for a in node.args) or "no arrays"
    return (
        f"backend {executor.name!r} cannot run {node.op.name} on {operands}, recorded at {line}"
        f"{': ' + reason if reason else ''}; compute this part with backend='numpy' (x.persist(backend='numpy')), "
        "or write it with other functions"
    )
