"""Lengths that depend on data: which of them are the same, and how long they are at most."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lazyxp.kernel import reduced_dims
from lazyxp.node import OUTPUT, Node
from lazyxp.optimizers.roles import REDUCTION, SCAN, TAKE, VIEW, role

# Lengths: those that are known, and minus the number of each that is not: -1, -2, ...
Sides = tuple[int, ...]

# What stands for the most that a length can be that has no bound.
_UNBOUNDED = 1 << 28


class Lengths(NamedTuple):
    """What is known of lengths that depend on data.

    Attributes
    ----------
    most : dict of Node to tuple of int
        For each node with a side of unknown length, its shape where such lengths are the most that they can be.
    apart : frozenset of Node
        The nodes whose operands have sides that have to agree, and are not known to.
    """

    most: Mapping[Node, tuple[int, ...]]
    apart: frozenset[Node]


ALL_KNOWN = Lengths({}, frozenset())


def lengths_of(order: Sequence[Node]) -> Lengths:
    """What is known of the lengths of these nodes; arguments come first."""
    found = _Lengths()
    apart = frozenset([node for node in order if not node.several and not found.add(node)])
    return Lengths({node: tuple(map(found.most, sides)) for node, sides in found.sides.items()}, apart)


class _Lengths:
    def __init__(self) -> None:
        self.sides: dict[Node, Sides] = {}  # of nodes with an unknown side
        self._bounds: list[int] = []
        self._known: dict[Any, int] = {}

    def add(self, node: Node) -> bool:
        """Look at `node`, whose arguments have been looked at; whether it is known that their lengths agree."""
        unknown = None in node.shape
        if not unknown and not any([a in self.sides for a in node.args]):
            return True
        found = _rule(node)(self, node)
        agrees = found is not None and all(n in (own, None) for n, own in zip(node.shape, found, strict=True))
        if unknown:
            self.sides[node] = found if agrees and found else tuple([self._new(n) for n in node.shape])
        return agrees

    def of(self, node: Node) -> Sides:
        """The sides of a node with one result."""
        return self.sides.get(node) or node.shape

    def most(self, side: int) -> int:
        """The most that a length can be."""
        return side if side >= 0 else self._bounds[-1 - side]

    def length(self, key: Any, bound: int) -> int:
        """The unknown length of what `key` says, which is the same each time, and this at most."""
        found = self._known.get(key)
        if found is None:
            self._bounds.append(min(bound, _UNBOUNDED))
            found = self._known[key] = -len(self._bounds)
        return found

    def size(self, node: Node) -> int:
        """The most elements that `node` can have."""
        return math.prod(map(self.most, self.of(node)))

    def _new(self, n: int | None) -> int:
        return self.length(len(self._bounds), _UNBOUNDED) if n is None else n


# --- rules: the sides of a node; None where operands are not known to agree ------------------------------------------


def _broadcast(known: _Lengths, node: Node) -> Sides | None:
    result: list[int | None] = list(node.shape)
    for sides in map(known.of, node.args):
        for i, n in enumerate(sides, len(result) - len(sides)):
            if result[i] is None and n != 1:
                result[i] = n
            elif n not in (1, result[i]):
                return None
    return None if None in result else tuple(result)  # type: ignore[arg-type]


def _view(known: _Lengths, node: Node) -> Sides | None:
    sides = known.of(node.args[0])
    if node.op.name == "broadcast_to":
        return _broadcast(known, node)
    if node.op.name == "permute_dims":
        return tuple([sides[i] for i in node.params["axes"]])
    rest = [n for n in sides if n != 1]  # new and dropped sides are 1
    if len(rest) != len([n for n in node.shape if n != 1]):
        return None
    kept = iter(rest)
    return tuple([1 if n == 1 else next(kept) for n in node.shape])


def _reduction(known: _Lengths, node: Node) -> Sides | None:
    sides = known.of(node.args[0])
    along = reduced_dims(node, len(sides))
    kept = [(1 if i in along else n) for i, n in enumerate(sides) if node.params["keepdims"] or i not in along]
    return tuple(kept)


def _alike(known: _Lengths, node: Node) -> Sides | None:
    return known.of(node.args[0]) if node.shape == node.args[0].shape else None


def _take(known: _Lengths, node: Node) -> Sides | None:
    x, index = map(known.of, node.args)
    axis = node.params["axis"]
    return (*x[:axis], *index, *x[axis + 1 :])


def _gather(known: _Lengths, node: Node) -> Sides | None:
    """What masks select is as long as they hold, and what is read by index as the indices."""
    x, *indices = node.args
    lengths = set()
    for index in indices:
        if index.dtype.kind == "b":
            lengths.add(_selected(known, index))
        else:
            lengths.update([n for n in known.of(index) if n < 0])
    is_whole = len(indices) == 1 and len(indices[0].shape) == len(x.shape)
    if len(lengths) != 1 or (None in x.shape and not is_whole):
        return None
    (length,) = lengths
    return tuple([length if n is None else n for n in node.shape])


def _selected(known: _Lengths, node: Node) -> int:
    """How many elements of `node` are not zero."""
    return known.length(node, known.size(node))


def _found(known: _Lengths, node: Node) -> Sides | None:
    """The results of what finds elements of its operand, or one of them."""
    finds = node.args[0] if node.op is OUTPUT else node
    if finds.op.name == "nonzero":
        length = _selected(known, finds.args[0])
    elif finds.op.kind == "set":
        length = known.length((finds,), known.size(finds.args[0]))
    else:
        return None
    return tuple([length if n is None else n for n in node.shape])


def _sliced(known: _Lengths, node: Node) -> Sides | None:
    """Slices that leave out so many elements in the front and at the end, or none."""
    if len(node.args) > 1:
        return None
    sides = iter(known.of(node.args[0]))
    found = []
    for entry in node.params["key"]:
        n = 1 if entry is None else next(sides)
        if type(entry) is slice:
            start, stop = entry.start or 0, entry.stop or 0
            if n >= 0:
                n = len(range(*entry.indices(n)))
            elif entry not in (slice(None), slice(None, None, -1)):
                if entry.step not in (None, 1) or start < 0 or stop > 0 or entry.stop == 0:
                    return None
                n = known.length((n, start - stop), known.most(n)) if start - stop else n
        elif entry is not None:
            continue
        found.append(n)
    return (*found, *sides)


def _unknown(known: _Lengths, node: Node) -> Sides | None:
    return None


_Rule = Callable[[_Lengths, Node], Sides | None]
_ROLES: Mapping[int, _Rule] = {VIEW: _view, REDUCTION: _reduction, TAKE: _take, SCAN: _alike}
_KINDS: Mapping[str, _Rule] = {
    **dict.fromkeys(("elementwise", "cast"), _broadcast),
    "sort": _alike,
    **dict.fromkeys(("output", "set"), _found),
}
_NAMES: Mapping[str, _Rule] = {
    **dict.fromkeys(("flip", "roll", "setitem", "scatter", "isin"), _alike),
    "gather": _gather,
    "getitem": _sliced,
}


def _rule(node: Node) -> _Rule:
    return _ROLES.get(role(node)) or _NAMES.get(node.op.name) or _KINDS.get(node.op.kind) or _unknown
