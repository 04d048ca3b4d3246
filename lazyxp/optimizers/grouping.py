"""Which nodes run together: groups that become kernels, found in one walk from the results to the sources.

Every group and every node that is in none has a *rank*, higher than those of all that use it. A node joins the group of
its users where that keeps ranks so, and hence no path leaves a group and comes back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from lazyxp.kernel import NO_AXIS, Axes, is_along_rows, reduced_dims
from lazyxp.node import INPUT, Node, Shape
from lazyxp.optimizers.group import Group, current_group, fits, reduces_rows
from lazyxp.optimizers.lengths import ALL_KNOWN, Lengths
from lazyxp.optimizers.roles import MAP, REDUCTION, SCAN, TAKE, VIEW, combines, role

# Kernels are for at least this many elements: fewer stay in the cache between one call of NumPy and the next.
SMALLEST = 131_072
# And a single op for this many, where it gains from several threads and from memory that is there already.
SMALLEST_SINGLE = 1 << 20
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
            return groups if groups[0].merged is None else (current_group(groups[0]),)
        return list(dict.fromkeys(map(current_group, groups)))

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
                if group not in mine and current_group(group) not in mine:
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
                    group = current_group(group)
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
            if axes is None or group.is_full:
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
                if not fits(group.lengths, group.whole, group.spaces):
                    return None
            elif 0 < len(reduced) == len(group.lengths) - min(reduced) and reduces_rows(space, along):
                group.whole.update(reduced)
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
