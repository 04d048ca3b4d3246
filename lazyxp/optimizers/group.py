"""One group of nodes that becomes a kernel: the axes of its members, and what may join it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from lazyxp.kernel import NO_AXIS, Axes, is_along_rows, reduced_dims, reduces
from lazyxp.node import Node
from lazyxp.optimizers.roles import MAP, REDUCTION, SCAN, TAKE, VIEW, role

# At most this many elements lie along the axes that are whole in every block, so that blocks fit the cache.
MOST_WHOLE = 32_768
# A kernel has at most this many ops: more take long to compile, and gain nothing.
MOST_OPS = 1_000


class Group:
    """Nodes that become one kernel.

    Attributes
    ----------
    rank : int
        Higher than the rank of all that uses the group.
    lengths : list of int
        The length of each axis, or the most that it can be.
    whole : set of int
        The axes that are not cut into blocks.
    members : dict of Node to (tuple of int, tuple of int)
        The axes of each node's dimensions, and those that it reduces, or the one that its operand is indexed along.
    spaces : set of (tuple of int)
        The axes of the largest values.
    ops : int
        How many members compute something.
    across : bool
        Whether there are scans that add rows to those before. Nothing else goes along their axis.
    on : int or None
        The axis that scans go along from one block to the next. None but indexed axes are whole then.
    size : int
        How many elements the first member has, or reduces.
    heavy : bool
        Whether the group writes arrays that are no results of the graph: those of two such groups need not be held at
        the same time.
    reader : Node or None
        The one node, in no group, that reads all of those arrays: arrays of the same reader are held at the same time.
    most : dict of Node to tuple of int
        The shapes of nodes with unknown lengths: see `Lengths.most`.
    """

    __slots__ = (
        *("across", "heavy", "lengths", "members", "merged", "most", "on", "ops"),
        *("rank", "reader", "size", "spaces", "whole"),
    )

    def __init__(self, rank: int, most: Mapping[Node, tuple[int, ...]]) -> None:
        self.rank = rank
        self.most = most
        self.lengths: list[int] = []
        self.whole: set[int] = set()
        self.members: dict[Node, tuple[Axes, Axes]] = {}
        self.spaces: set[Axes] = set()
        self.ops = 0
        self.size = 0
        self.heavy = False
        self.reader: Node | None = None
        self.across = False
        self.on: int | None = None
        self.merged: Group | None = None

    @property
    def cut(self) -> Axes:
        """The axes along which blocks are cut."""
        return tuple([a for a in range(len(self.lengths)) if a not in self.whole])

    @property
    def is_full(self) -> bool:
        """Whether no more ops may join."""
        return self.ops >= MOST_OPS

    def add(self, node: Node, what: int, axes: Axes, reduced: Axes) -> None:
        """Make `node` a member."""
        self.members[node] = axes, reduced
        if what != VIEW:
            self.ops += 2 if node.op.name in ("var", "std") else 1

    def shape(self, node: Node) -> tuple[int, ...]:
        """The shape of `node`, or the most that its sides can be."""
        return self.most.get(node) or node.shape

    def axes_for(self, node: Node, users: Sequence[Node]) -> Axes | None:
        """The axes of `node`'s dimensions as its users in the group have it; None where they disagree.

        What is indexed is not computed where it is indexed.
        """
        if any(user.op.name == "take" and user.args[0] is node for user in users):
            return None
        axes = self.operand_axes(users[0], node)
        for user in users[1:]:
            other = self.operand_axes(user, node)
            if other != axes and any(
                a != b and not (a in self.whole and b in self.whole) for a, b in zip(axes, other, strict=True)
            ):
                return None
        return axes

    def operand_axes(self, user: Node, node: Node) -> Axes:
        """The axes of the dimensions of `node`, an operand of the member `user`."""
        axes, reduced = self.members[user]
        kind = user.op.kind
        if kind == "elementwise" or kind == "cast" or user.op.name == "broadcast_to":
            if node.shape == user.shape:
                return axes
            axes = axes[len(axes) - len(node.shape) :]
            return tuple([NO_AXIS if n == 1 else a for a, n in zip(axes, node.shape, strict=True)])
        if reduces(user):
            return input_axes(user, node, axes, reduced)
        params = user.params
        if user.op.name == "take":
            place = params["axis"]
            return (axes[place],) if node is user.args[1] else (*axes[:place], *reduced, *axes[place + 1 :])
        if user.op.name == "permute_dims":
            found = dict(zip(params["axes"], axes, strict=True))
            return tuple([found[i] for i in range(len(axes))])
        rest = iter([a for a, n in zip(axes, user.shape, strict=True) if n != 1])  # new and dropped sides are 1
        return tuple([NO_AXIS if n == 1 else next(rest) for n in node.shape])

    def accept(self, node: Node, what: int, users: Sequence[Node]) -> bool:
        """Make `node`, which these members use, a member if it can be one."""
        if self.is_full:
            return False
        axes = self.axes_for(node, users)
        if axes is None:
            return False
        if what == REDUCTION:
            return self._accept_reduction(node, axes)
        if axes not in self.spaces and not set(self.cut) <= set(axes):
            return False  # it would be computed again for each block
        if self.across and what == TAKE:
            return False
        if what == SCAN and not is_along_rows(node):
            return self._accept_across(node, axes)
        if what == SCAN and not self._scans(axes[node.params["axis"]]):
            return False
        self.add(node, what, axes, self._indexed(node) if what == TAKE else ())
        return True

    def _scans(self, axis: int) -> bool:
        """Have rows along an axis added up, if that can be done: whole rows, or from one block to the next."""
        if self.across or self._reduces_for_each(axis):
            return False
        whole = {*self.whole, axis}
        if self.on is None and fits(self.lengths, whole, self.spaces):
            self.whole = whole
        elif self.on == axis or (self.on is None and self._is_walked_once()):
            self.on = axis
        else:
            return False
        return True

    def _is_walked_once(self) -> bool:
        """Whether blocks need nothing whole, and are walked once."""
        return not self.whole and not any(node.op.name in ("var", "std") for node in self.members)

    def _accept_across(self, node: Node, axes: Axes) -> bool:
        """A scan that adds rows to those before: what the group has besides is elementwise, or such a scan as well."""
        axis = axes[node.params["axis"]]
        if not self.across and (self.whole or any(role(one) not in (MAP, VIEW) for one in self.members)):
            return False
        if self.whole.difference((axis,)) or len(self.lengths) < 2:
            return False
        self.whole, self.across = {axis}, True
        self.add(node, SCAN, axes, ())
        return True

    def _reduces_for_each(self, axis: int) -> bool:
        """Whether rows are reduced for each element of an axis: what goes along it is not in rows then."""
        return any(
            reduces(node) and axis in kept and self.whole.issuperset(gone)
            for node, (kept, gone) in self.members.items()
        )

    def _indexed(self, node: Node) -> Axes:
        """A new axis, that the first operand of `node` is indexed along."""
        axis = len(self.lengths)
        self.lengths = [*self.lengths, self.shape(node.args[0])[node.params["axis"]]]
        self.whole = {*self.whole, axis}
        return (axis,)

    def _accept_reduction(self, node: Node, axes: Axes) -> bool:
        """A reduction whose result the group reads: what it reduces must be whole in each block."""
        (x,) = node.args
        along = reduced_dims(node, len(x.shape))
        kept = [i for i, n in enumerate(x.shape) if n != 1 and i not in along]
        if self.across or self.on is not None or not kept or kept[-1] > min(along):
            return False  # blocks would be cut across the rows in memory
        scans = [self.members[one][0][one.params["axis"]] for one in self.members if one.op.kind == "scan"]
        if set(scans).intersection(axes):
            return False  # scans go along rows
        first = len(self.lengths)
        new = [most for i, (n, most) in enumerate(zip(x.shape, self.shape(x), strict=True)) if n != 1 and i in along]
        reduced = tuple(range(first, first + len(new)))
        space = input_axes(node, x, axes, reduced)
        whole = self.whole.union(reduced, set(self.cut).difference(axes))
        lengths = self.lengths + new
        if not fits(lengths, whole, self.spaces | {space}):
            return False
        self.lengths, self.whole = lengths, whole
        self.spaces.add(space)
        self.add(node, REDUCTION, axes, reduced)
        return True

    def merge(self, other: Group, mine: Axes, theirs: Axes) -> bool:
        """Take in the members of `other`, in which `theirs` are the axes that are `mine` here, if that can be done."""
        if self.ops + other.ops > MOST_OPS:
            return False
        if self.heavy and other.heavy and (self.reader is None or self.reader is not other.reader):
            return False
        if self.across or other.across:
            return False
        on = {*[a for a, b in zip(mine, theirs, strict=True) if b == other.on], *[self.on]} - {None}
        if on and not (len(on) == 1 and self._is_walked_once() and other._is_walked_once()):
            return False
        if not (set(self.cut) <= set(mine) and set(other.cut) <= set(theirs)):
            return False
        pairs = [(a, b) for a, b in zip(mine, theirs, strict=True) if a != NO_AXIS or b != NO_AXIS]
        renamed = {b: a for a, b in pairs}
        if len(renamed) < len(pairs) or len(set(renamed.values())) < len(pairs):
            return False
        lengths = list(self.lengths)
        for axis, n in enumerate(other.lengths):
            if axis not in renamed:
                renamed[axis] = len(lengths)
                lengths.append(n)
        renamed[NO_AXIS] = NO_AXIS
        whole = self.whole.union([renamed[a] for a in other.whole])
        spaces = self.spaces.union([tuple([renamed[a] for a in space]) for space in other.spaces])
        if not fits(lengths, whole, spaces):
            return False
        self.lengths, self.whole, self.spaces = lengths, whole, spaces
        (self.on,) = on or {None}
        for node, (axes, reduced) in other.members.items():
            self.members[node] = tuple([renamed[a] for a in axes]), tuple([renamed[a] for a in reduced])
        self.ops += other.ops
        if not self.heavy:
            self.heavy, self.reader = other.heavy, other.reader
        other.merged = self
        return True


def input_axes(node: Node, x: Node, axes: Axes, reduced: Axes) -> Axes:
    """The axes of the operand of a reduction with these axes."""
    along, keepdims = reduced_dims(node, len(x.shape)), node.params["keepdims"]
    kept, gone = iter(axes), iter(reduced)
    found = []
    for i, n in enumerate(x.shape):
        inside = i in along
        axis = next(kept) if keepdims or not inside else NO_AXIS
        found.append((next(gone) if n != 1 else NO_AXIS) if inside else axis)
    return tuple(found)


def fits(lengths: Sequence[int], whole: set[int], spaces: Iterable[Axes]) -> bool:
    """Whether there is an axis to cut, and blocks of the smallest length along it fit the cache."""
    return len(whole) < len(lengths) and all(
        math.prod([lengths[a] for a in space if a in whole]) <= MOST_WHOLE for space in spaces
    )


def reduces_rows(x: Node, along: Sequence[int]) -> bool:
    """Whether each element of `x` is made of a row, and these axes reduce few enough for all rows to be whole."""
    while role(x) == MAP:
        alike = [a for a in x.args if a.shape == x.shape]
        if len(alike) != 1:
            return False
        (x,) = alike
    if role(x) != REDUCTION or len(along) == len(x.shape) or None in x.args[0].shape:
        return False
    kept = math.prod([n for i, n in enumerate(x.shape) if i not in along])
    return bool(math.prod(x.args[0].shape) <= MOST_WHOLE * kept)


def current_group(group: Group) -> Group:
    """The group that `group` has become part of."""
    while group.merged is not None:
        if group.merged.merged is not None:
            group.merged = group.merged.merged
        group = group.merged
    return group
