"""The order in which to multiply the factors of networks, found once for all networks of one form.

What loops record are networks that differ in their factors only: the labels, and which factors are the same array, are
their form, on which the order depends.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from lazyxp.node import Node
from lazyxp.optimizers.chains import Order, chain_of
from lazyxp.optimizers.networks import INVERT, LOOP, Labels, Network, is_loop
from lazyxp.optimizers.orders import best_order
from lazyxp.optimizers.products import is_single, is_solvable


class _Part(NamedTuple):
    """A factor, as far as the form goes: `first` is the first one that is the same array."""

    labels: Labels
    first: int
    conjugate: bool
    loop: bool


class Ordered:
    """How the factors of a network are multiplied.

    Attributes
    ----------
    cost : float
        What that costs.
    order : list of (int, int)
        The pairs.
    before : list of set
        The labels over which each factor is summed first.
    """

    def __init__(
        self,
        cost: float,
        order: Order,
        before: list[set[int]],
        factors: list[frozenset[int]],
        out: frozenset[int],
        lengths: Sequence[int],
    ) -> None:
        self.cost = cost
        self.order = order
        self.before = before
        self._factors = factors
        self._out = out
        self._lengths = lengths

    @property
    def kept(self) -> list[set[int]]:
        """The labels of the product of each pair."""
        return self._followed[1]

    @property
    def operands(self) -> list[frozenset[int]]:
        """The labels of the factors once they are summed, and of the products."""
        return self._followed[0]

    @cached_property
    def _followed(self) -> tuple[list[frozenset[int]], list[set[int]]]:
        needed = dict.fromkeys(self._out, 1)
        for some in self._factors:
            for label in some:
                needed[label] = needed.get(label, 0) + 1
        operands = list(self._factors)
        kept: list[set[int]] = []
        for i, j in self.order:
            for label in (*operands[i], *operands[j]):
                needed[label] -= 1
            result = frozenset([label for label in operands[i] | operands[j] if needed[label]])
            for label in result:
                needed[label] += 1
            operands.append(result)
            kept.append(set(result))
        return operands, kept

    @cached_property
    def between(self) -> int:
        """How many elements there are between the factors and the result."""
        return sum([math.prod([self._lengths[label] for label in kept]) for kept in self.kept[:-1]])

    @cached_property
    def narrowest(self) -> int:
        """The shortest side of a chain of matrices that goes from one axis of the result to the other; else 0."""
        if any(self.before) or any(len(labels) != 2 for labels in self._factors) or len(self._out) != 2:
            return 0
        ends = [label for labels in self._factors for label in labels if label in self._out]
        if len(ends) != 2 or chain_of(self._factors, self._out) is None:
            return 0
        return min([self._lengths[label] for labels in self._factors for label in labels])


class Orders:
    """Finds how to multiply the factors of networks."""

    def __init__(self) -> None:
        self._known: dict[Any, Ordered | None] = {}

    def of(self, net: Network) -> Ordered | None:
        """How to multiply the factors of `net`; None where there is no way, or too many to choose from."""
        if len(net.factors) < 2:
            return None
        first: dict[Node, int] = {}
        parts = tuple(
            [
                _Part(labels, first.setdefault(node, i), conjugate, is_loop(node))
                for i, (node, labels, conjugate) in enumerate(net.factors)
            ]
        )
        dot = 2 * LOOP if is_single(net.dtype) else 2
        form = parts, net.out, (*net.lengths,), dot
        try:
            found = self._known[form]
        except KeyError:
            found = self._known[form] = _ordered(*form)
        return found if found is None or not net.inverses else _with_inverses(net, found)


def _ordered(parts: Sequence[_Part], out_labels: Labels, lengths: Sequence[int], dot: int) -> Ordered | None:
    labels = [frozenset([i for i in part.labels if i is not None]) for part in parts]
    count: dict[int, int] = {}
    for some in labels:
        for label in some:
            count[label] = count.get(label, 0) + 1
    if len(count) < len(lengths):  # what is repeated, or summed over, along an axis that no factor has
        return None
    out = frozenset([i for i in out_labels if i is not None])
    before = [{i for i in some if count[i] == 1 and i not in out} for some in labels]
    cost = 0.0
    stored: set[int] = set()
    loops = []
    for part, some, over in zip(parts, labels, before, strict=True):
        if over:
            cost += LOOP * math.prod([lengths[label] for label in some])
        made = not over and part.first not in stored and (part.conjugate or part.loop)
        if made:
            stored.add(part.first)
        loops.append(made)
    rest = [some - over for some, over in zip(labels, before, strict=True)]
    found = best_order(rest, out, lengths, loops, _kin(parts), dot)
    return None if found is None else Ordered(cost + found[0], found[1], before, rest, out, lengths)


def _kin(parts: Sequence[_Part]) -> dict[tuple[int, int], float]:
    """The pairs of factors that are a matrix and its transpose, whose product BLAS computes at half the cost."""
    seen: dict[int, list[int]] = {}
    for i, part in enumerate(parts):
        if len(part.labels) > 1 and not part.conjugate:
            seen.setdefault(part.first, []).append(i)
    kin = {}
    for same in seen.values():
        for i, j in itertools.pairwise(same):
            a, b = parts[i].labels, parts[j].labels
            if a[:-2] == b[:-2] and (a[-1] == b[-1]) != (a[-2] == b[-2]):
                kin[i, j] = 0.5
    return kin


def _with_inverses(net: Network, how: Ordered) -> Ordered:
    """`how`, at the cost of the inverses that are computed: those of which no equations are solved instead."""
    inverses = {factor.node for factor in net.factors} & set(net.inverses)
    transposed = "finite" in net.graph.allowed
    extra = 0.0
    for (i, j), over in zip(how.order, how.kept, strict=True):
        for one, other in ((i, j), (j, i)):
            if one < len(net.factors) and (inverse := net.factors[one]).node in inverses:
                axes = [label for label in inverse.labels if label is not None]
                if len(axes) < len(inverse.labels) or not is_solvable(axes, how.operands[other], over, transposed):
                    extra += INVERT * inverse.node.shape[-1] * math.prod(inverse.node.shape)
    found = copy.copy(how)
    found.cost += extra
    return found
