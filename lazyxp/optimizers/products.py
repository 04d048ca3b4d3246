"""Nodes for the product of two factors of a network, in the form that runs fastest.

A term is a node whose axes have distinct labels; axes of length 1 have none, and are gone.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.node import Node, Op
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.networks import Factor

# BLAS adds up a dot product in a few running sums: over millions of elements in single precision that loses digits
# which NumPy's sums keep.
_LONGEST_DOT = 4096


def is_single(dtype: np.dtype[Any]) -> bool:
    """Whether `dtype` is of single precision."""
    return dtype.char in "fF"


class Term(NamedTuple):
    """An array, and the label of each of its axes."""

    node: Node
    labels: tuple[int, ...]


class Builder:
    """Makes the nodes that replace `root`, of numbers of one dtype."""

    def __init__(self, graph: Graph, root: Node, lengths: Sequence[int], inverses: frozenset[Node]) -> None:
        self.graph = graph
        self.transposes = "finite" in graph.allowed
        self.site = root.site
        self.dtype = root.dtype
        self.lengths = lengths
        # Inverses that nobody else needs.
        self.inverses = inverses
        # Whether equations are solved, and those of a transposed matrix.
        self.solves = self.solves_transposed = False

    def make(self, op: str | Op, *args: Node, **params: Any) -> Node:
        """The node of `op`, recorded where the root was."""
        return self.graph.make(op, *args, site=self.site, **params)

    # --- one term ----------------------------------------------------------------------------------------------------

    def term(self, factor: Factor, node: Node) -> Term:
        """`factor` as a term, `node` being what its node became."""
        axes = list(factor.labels)
        for label in {i for i in axes if i is not None and axes.count(i) > 1}:
            while axes.count(label) > 1:
                i = axes.index(label)
                j = axes.index(label, i + 1)
                rest = [k for k in range(len(axes)) if k not in (i, j)]
                node = self.make("linalg.diagonal", self.permuted(node, (*rest, i, j)), offset=0)
                axes = [*[axes[k] for k in rest], label]
        units = tuple([i for i, label in enumerate(axes) if label is None])
        if units:
            node = self.make("squeeze", node, axis=units)
        if factor.conjugate:
            node = self.make("conj", node)
        return Term(node, tuple([label for label in axes if label is not None]))

    def summed(self, term: Term, over: set[int]) -> Term:
        """`term` summed over labels."""
        axes = tuple([i for i, label in enumerate(term.labels) if label in over])
        if not axes:
            return term
        node = self.make("sum", term.node, axis=axes, dtype=self.dtype, keepdims=False)
        return Term(node, tuple([label for label in term.labels if label not in over]))

    def permuted(self, node: Node, axes: tuple[int, ...]) -> Node:
        """The axes of `node` in another order."""
        if axes == tuple(range(len(axes))):
            return node
        if node.op.name == "permute_dims":
            inner = node.params["axes"]
            return self.permuted(node.args[0], tuple([inner[i] for i in axes]))
        return self.make("permute_dims", node, axes=axes)

    def ordered(self, term: Term, labels: Sequence[int]) -> Node:
        """`term` with its axes in the order of `labels`."""
        return self.permuted(term.node, tuple([term.labels.index(label) for label in labels]))

    def reshaped(self, node: Node, *groups: Sequence[int]) -> Node:
        """`node` with one axis for each group of labels."""
        shape = tuple([math.prod([self.lengths[label] for label in group]) for group in groups])
        return node if shape == node.shape else self.make("reshape", node, shape=shape)

    # --- two terms ---------------------------------------------------------------------------------------------------

    def product(self, a: Term, b: Term, kept: set[int], want: Sequence[int] = ()) -> Term:
        """The product of two terms, summed over the labels that are not `kept`; `want` is an order that would suit."""
        a = self.summed(a, {*a.labels} - {*b.labels} - kept)
        b = self.summed(b, {*b.labels} - {*a.labels} - kept)
        shared = [label for label in a.labels if label in b.labels]
        over = [label for label in shared if label not in kept]
        if not over:
            return self._elementwise(a, b, want)
        stack = [label for label in shared if label in kept]
        rows = [label for label in a.labels if label not in b.labels]
        columns = [label for label in b.labels if label not in a.labels]
        if not rows and not columns:
            return self._dot(a, b, over, stack)
        for one, other in ((a, b), (b, a)):
            if one.node in self.inverses and is_solvable(one.labels, other.labels, kept, self.transposes):
                return self._solved(one, other, over[0])
        if self._other_way_round(a, b, over, rows, columns, want):
            a, b, rows, columns = b, a, columns, rows
        if stack:
            return self._stacked(a, b, over, stack, rows, columns)
        if len(over) == 1:
            if len(rows) <= 1 and len(columns) <= 1:
                left, right = self.ordered(a, [*rows, *over]), self.ordered(b, [*over, *columns])
                return Term(self.make("matmul", left, right), (*rows, *columns))
            # One matrix against a stack whose matrices lie as they are needed: nothing is copied.
            if len(rows) == 1 and b.labels[-2:-1] == tuple(over):
                return Term(
                    self.make("matmul", self.ordered(a, [*rows, *over]), b.node), (*columns[:-1], *rows, columns[-1])
                )
            if len(columns) == 1 and a.labels[-1:] == tuple(over):
                return Term(self.make("matmul", a.node, self.ordered(b, [*over, *columns])), (*rows, *columns))
        axes = tuple([a.labels.index(i) for i in over]), tuple([b.labels.index(i) for i in over])
        return Term(self.make("tensordot", a.node, b.node, axes=axes), (*rows, *columns))

    def _other_way_round(
        self, a: Term, b: Term, over: list[int], rows: list[int], columns: list[int], want: Sequence[int]
    ) -> bool:
        """Whether ``b @ a`` suits better: in the order of the result, or else in the order of the operands' axes."""
        if not rows or not columns:
            return False
        if want:
            return want.index(columns[0]) < want.index(rows[0])
        return a.labels[-1] not in over and b.labels[-1] in over

    def _elementwise(self, a: Term, b: Term, want: Sequence[int]) -> Term:
        union = {*a.labels, *b.labels}
        if want and union == set(want):
            labels = list(want)
        else:
            first, second = (a, b) if len(a.labels) >= len(b.labels) else (b, a)
            labels = [*[i for i in second.labels if i not in first.labels], *first.labels]
        return Term(self.make("multiply", *[self.spread(t, labels) for t in (a, b)]), tuple(labels))

    def spread(self, term: Term, labels: Sequence[int]) -> Node:
        """`term` with axes that broadcast to those of `labels`."""
        node = self.ordered(term, [label for label in labels if label in term.labels])
        first = next((i for i, label in enumerate(labels) if label in term.labels), len(labels))
        new = tuple([i - first for i, label in enumerate(labels) if i >= first and label not in term.labels])
        return self.make("expand_dims", node, axis=new) if new else node

    def _dot(self, a: Term, b: Term, over: list[int], stack: list[int]) -> Term:
        right = self.ordered(b, a.labels)
        chunked = not self.graph.whole_arrays  # a vector of what is cut along several axes is made of other chunks
        # A vector of what lies otherwise would be a copy: dot products along one axis, and their sum, need none.
        views = right is b.node or not self.graph.every_element
        along = over if views else [max(over, key=lambda label: self.lengths[label])]
        if stack or chunked or (is_single(self.dtype) and math.prod([self.lengths[i] for i in along]) > _LONGEST_DOT):
            both = Term(self.make("multiply", a.node, right), a.labels)
            return self.summed(both, set(over))
        if views:
            return Term(self.make("matmul", self.reshaped(a.node, over), self.reshaped(right, over)), ())
        rest = [label for label in over if label not in along]
        return self.summed(self._stacked(a, b, along, rest, [], []), set(rest))

    def _stacked(
        self, a: Term, b: Term, over: list[int], stack: list[int], rows: list[int], columns: list[int]
    ) -> Term:
        alone = [[label] for label in stack]
        left = self.reshaped(self.ordered(a, [*stack, *rows, *over]), *alone, rows, over)
        right = self.reshaped(self.ordered(b, [*stack, *over, *columns]), *alone, over, columns)
        labels = (*stack, *rows, *columns)
        return Term(self.reshaped(self.make("matmul", left, right), *[[label] for label in labels]), labels)

    def _solved(self, inverse: Term, other: Term, over: int) -> Term:
        """The product with an inverse, as the solution of equations."""
        self.solves = True
        matrix = inverse.node.args[0]
        *stack, row, column = inverse.labels
        if column != over:
            n = len(matrix.shape)
            matrix = self.permuted(matrix, (*range(n - 2), n - 1, n - 2))
            row = column
            self.solves_transposed = True
        more = [label for label in other.labels if label not in inverse.labels]
        common = [label for label in stack if label in other.labels]
        right = self.ordered(other, [*common, over, *more])
        if more or common:
            right = self.reshaped(right, *[[label] for label in common], [over], more)
        labels = (*stack, row, *more)
        return Term(self.reshaped(self.make("linalg.solve", matrix, right), *[[i] for i in labels]), labels)


def is_solvable(inverse: Sequence[int], other: Container[int], kept: set[int], transposed: bool) -> bool:
    """Whether the product of inverses with the axes `inverse` and `other`, summed to `kept`, solves equations.

    Whether they may be those of the `transposed` matrices, which rounding may make singular where the matrices are not.
    """
    if len(inverse) < 2 or not (transposed or inverse[-1] in other):
        return False
    *stack, row, column = inverse
    over = [label for label in (row, column) if label in other and label not in kept]
    free = [label for label in (row, column) if label not in other and label in kept]
    common = [label for label in stack if label in other]
    return len(over) == len(free) == 1 and len(common) in (0, len(stack)) and all(label in kept for label in stack)
