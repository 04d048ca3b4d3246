"""Which nodes run together: groups that become kernels, found in one walk from the results to the sources.

Every group and every node that is in none has a *rank*, higher than those of all that use it. A node joins the group of
its users where that keeps ranks so, and hence no path leaves a group and comes back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from lazyxp.kernel import NO_AXIS, Axes, is_along_rows, reduced_dims, reduces
from lazyxp.node import INPUT, Node, Shape
from lazyxp.optimizers.lengths import ALL_KNOWN, Lengths
from lazyxp.optimizers.roles import MAP, REDUCTION, SCAN, TAKE, VIEW, combines, role

# Kernels are for at least this many elements: fewer stay in the cache between one call of NumPy and the next.
SMALLEST = 131_072
# And a single op for this many, where it gains from several threads and from memory that is there already.
SMALLEST_SINGLE = 1 << 20
# At most this many elements lie along the axes that are whole in every block, so that blocks fit the cache.
MOST_WHOLE = 32_768
# A kernel has at most this many ops: more take long to compile, and gain nothing.
MOST_OPS = 1_000
# A value that costs at most this many ops may be computed in several kernels instead of being kept.
MOST_AGAIN = 8

_MAKING = frozenset((MAP, SCAN, TAKE))
_CHEAP = frozenset(
    (
        *("add", "subtract", "multiply", "negative", "abs", "square", "maximum", "minimum", "astype", "where", "conj"),
        *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or"),
        *("logical_not", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "isnan"),
    )
)


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
            return _input_axes(user, node, axes, reduced)
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
        if self.ops >= MOST_OPS:
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
        if self.on is None and _fits(self.lengths, whole, self.spaces):
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
        space = _input_axes(node, x, axes, reduced)
        whole = self.whole.union(reduced, set(self.cut).difference(axes))
        lengths = self.lengths + new
        if not _fits(lengths, whole, self.spaces | {space}):
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
        if not _fits(lengths, whole, spaces):
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


def _input_axes(node: Node, x: Node, axes: Axes, reduced: Axes) -> Axes:
    """The axes of the operand of a reduction with these axes."""
    along, keepdims = reduced_dims(node, len(x.shape)), node.params["keepdims"]
    kept, gone = iter(axes), iter(reduced)
    found = []
    for i, n in enumerate(x.shape):
        inside = i in along
        axis = next(kept) if keepdims or not inside else NO_AXIS
        found.append((next(gone) if n != 1 else NO_AXIS) if inside else axis)
    return tuple(found)


def _fits(lengths: Sequence[int], whole: set[int], spaces: Iterable[Axes]) -> bool:
    """Whether there is an axis to cut, and blocks of the smallest length along it fit the cache."""
    return len(whole) < len(lengths) and all(
        math.prod([lengths[a] for a in space if a in whole]) <= MOST_WHOLE for space in spaces
    )


class Grouping:
    """The groups of a graph.

    Attributes
    ----------
    ranks : int
        How many ranks there are.
    smallest_unknown : float
        How many elements the smallest kernels of unknown lengths work on.
    """

    def __init__(
        self,
        roots: Sequence[Node],
        order: Sequence[Node],
        smallest: int,
        fuses: Callable[[Node], bool],
        lengths: Lengths = ALL_KNOWN,
        smallest_unknown: float = SMALLEST,
    ) -> None:
        self.ranks = 0
        self.smallest_unknown = smallest_unknown
        self._smallest = smallest
        self._fuses = fuses
        self._most, self._apart = lengths
        self._roots = set(roots)
        self._placed: dict[Node, list[Group]] = {}
        self._rank: dict[Node, int] = {}
        self._sizes: dict[Shape, int] = {}
        self._users: dict[Node, list[Node]] = {}
        users = self._users
        for node in order:
            for arg in node.args:
                if arg in users:
                    if users[arg][-1] is not node:
                        users[arg].append(node)
                else:
                    users[arg] = [node]
        for node in reversed(order):
            if node.shape or node.args:
                self._place(node)

    def groups_of(self, node: Node) -> Sequence[Group]:
        """The groups that `node` is computed in."""
        groups = self._placed.get(node, ())
        if len(groups) == 1:
            return groups if groups[0].merged is None else (_current(groups[0]),)
        return list(dict.fromkeys(map(_current, groups)))

    def rank_of(self, node: Node) -> int:
        """The rank of a node that is in no group."""
        return self._rank.get(node, self.ranks)

    def leaves(self, node: Node, group: Group) -> bool:
        """Whether somebody outside `group` needs the value of its member `node`."""
        if node in self._roots:
            return True
        placed = self._placed
        mine = self.groups_of(node)
        for user in self._users[node]:
            groups = placed.get(user)
            if groups is None:
                return True
            for group in groups:
                if group not in mine and _current(group) not in mine:
                    return True
        return False

    def size(self, node: Node) -> int:
        """How many elements `node` has, or can have at most; 0 if it has several results."""
        if type(node.dtype) is tuple:
            return 0
        shape: Shape = node.shape
        found = self._sizes.get(shape)
        if found is None:
            if None in shape:
                return math.prod(self._most[node])
            found = self._sizes[shape] = math.prod(shape)  # type: ignore[arg-type]
        return found

    def _place(self, node: Node) -> None:
        placed = self._placed
        using: dict[Group, list[Node]] = {}
        top = lone = -1
        for user in self._users.get(node, ()):
            groups = placed.get(user)
            if groups is None:
                lone = max(lone, self._rank[user])
            else:
                for group in groups:
                    group = _current(group)
                    if group in using:
                        using[group].append(user)
                    else:
                        using[group] = [user]
                        if group.rank > top:
                            top = group.rank
        if len(using) > 1 and self.size(node) >= self._smallest:
            self._join_neighbours(node, using)
        what = role(node)
        if what and what != VIEW and not self._fuses(node):
            what = 0
        if what and (node in self._apart or not all(map(self.size, node.args))):
            what = 0  # lengths that are found while it runs have to agree as a whole
        if what and lone < top and self._join(node, what, using, top, inside=lone < 0 and node not in self._roots):
            return
        rank = max(top, lone) + 1
        self.ranks = max(self.ranks, rank + 1)
        new = self._start(node, what, rank) if what else None
        if new is None:
            self._rank[node] = rank
        else:
            placed[node] = [new]

    def _join_neighbours(self, node: Node, using: dict[Group, list[Node]]) -> None:
        """Merge groups that read `node`, none of which needs another: it is read once."""
        first: dict[int, tuple[Group, Axes]] = {}
        for group in list(using):
            axes = group.axes_for(node, using[group])
            if axes is None or group.ops >= MOST_OPS:
                continue
            big, mine = group, axes
            if group.rank in first:
                small, theirs = first[group.rank]
                if len(big.members) < len(small.members):
                    big, mine, small, theirs = small, theirs, big, mine
                if big.merge(small, mine, theirs):
                    using[big] += using.pop(small)
                else:
                    big, mine = group, axes
            first[group.rank] = big, mine
        if len(first) > 1:
            # What a group of lower rank reads must be there before those of higher rank: nothing but `node` and leaves.
            (_, (top, mine)), *others = sorted(first.items(), reverse=True)
            for _, (group, axes) in others:
                if _reads_only(group, node) and top.merge(group, mine, axes):
                    using[top] += using.pop(group)

    def _join(self, node: Node, what: int, using: dict[Group, list[Node]], top: int, *, inside: bool) -> bool:
        """Make `node` a member of its users' groups: of the one with the highest rank, or of all if it is cheap."""
        highest = [group for group in using if group.rank == top]
        if len(using) == 1 and inside:
            if not highest[0].accept(node, what, using[highest[0]]):
                return False
            self._placed[node] = highest
            return True
        again = inside and len(using) > 1 and what == MAP and self._is_cheap(node)
        if len(highest) > 1 and not again:
            return False
        joined = [group for group in (using if again else highest) if group.accept(node, what, using[group])]
        if again and len(joined) < len(using):
            for group in joined:
                del group.members[node]
                group.ops -= 1
            joined = []
            if len(highest) == 1 and highest[0].accept(node, what, using[highest[0]]):
                joined = highest
        if not joined:
            return False
        if (not again or len(joined) < len(using)) and what in _MAKING and node not in self._roots:
            joined[0].heavy, joined[0].reader = True, None
        self._placed[node] = joined
        return True

    def _start(self, node: Node, what: int, rank: int) -> Group | None:
        """A group of `node` alone, if there is enough work."""
        if what == VIEW:
            return None
        space = node.args[0] if what == REDUCTION else node
        if self.size(space) < (self.smallest_unknown if None in space.shape else self._smallest):
            return None
        group = Group(rank, self._most)
        group.size = self.size(space)
        axes = []
        for n, most in zip(space.shape, group.shape(space), strict=True):
            axes.append(NO_AXIS if n == 1 else len(group.lengths))
            if n != 1:
                group.lengths.append(most)
        reduced: Axes = ()
        group.spaces.add(tuple(axes))
        if what == REDUCTION:
            along = reduced_dims(node, len(space.shape))
            reduced = tuple([a for i, a in enumerate(axes) if i in along and a != NO_AXIS])
            if not combines(node):
                group.whole.update(reduced)
                if not _fits(group.lengths, group.whole, group.spaces):
                    return None
            if node.params["keepdims"]:
                axes = [NO_AXIS if i in along else a for i, a in enumerate(axes)]
            else:
                axes = [a for i, a in enumerate(axes) if i not in along]
        if what == SCAN:
            group.across = not is_along_rows(node)
            if group.across:
                group.whole.add(axes[node.params["axis"]])
            else:
                group._scans(axes[node.params["axis"]])
        if what == TAKE:
            reduced = group._indexed(node)
        group.heavy = what in _MAKING and node not in self._roots
        users = self._users.get(node, ())
        group.reader = users[0] if len(users) == 1 and users[0] not in self._placed else None
        group.add(node, what, tuple(axes), reduced)
        return group

    def _is_cheap(self, node: Node) -> bool:
        """Whether it is better to compute `node` again than to keep it: what it is made of is there anyway."""
        if node.op.name not in _CHEAP:
            return False
        todo, ops = [node], 0
        leaves: set[Node] = set()
        while todo:
            one = todo.pop()
            if one.op.name in _CHEAP and role(one) == MAP and one.dtype.kind != "c":
                ops += 1
                todo += [a for a in one.args if a.shape]
            else:
                leaves.add(one)
            if ops > MOST_AGAIN or len(leaves) > 2:
                return False
        return all(a.op is INPUT for a in leaves) or (
            len(leaves) == 1 and next(iter(leaves)).dtype.itemsize <= node.dtype.itemsize
        )


def _reads_only(group: Group, node: Node) -> bool:
    """Whether all that the members of `group` read is each other, `node` and leaves."""
    members = group.members
    return all(arg is node or arg in members or arg.op.kind == "source" for one in members for arg in one.args)


def _current(group: Group) -> Group:
    """The group that `group` has become part of."""
    while group.merged is not None:
        if group.merged.merged is not None:
            group.merged = group.merged.merged
        group = group.merged
    return group
