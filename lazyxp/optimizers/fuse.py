"""Fusing: groups of ops become kernels, which read their operands once and hold nothing but their results."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lazyxp.kernel import Axes, Instruction, Kernel, kernel_node, reduces, unified
from lazyxp.node import Node, Shape
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.group import Group
from lazyxp.optimizers.grouping import SMALLEST, Grouping
from lazyxp.optimizers.lengths import ALL_KNOWN, lengths_of
from lazyxp.optimizers.roles import TAKE, VIEW, role

FUSED = "fused kernel"
# A kernel of a single one of these is faster than NumPy, which takes them one by one on most processors.
_FUNCTIONS = frozenset(
    (
        *("exp", "expm1", "log", "log1p", "log2", "log10", "logaddexp", "pow", "hypot", "atan2"),
        *("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
    )
)
REWRITES = ((FUSED, "rounding"),)


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    smallest = graph.smallest_kernel
    if smallest is None:
        return graph.roots
    order = graph.order()
    shapes = {node.shape for node in order if type(node.dtype) is not tuple}
    if not _is_large(shapes, smallest):
        return graph.roots
    lengths = lengths_of(order) if any([None in shape for shape in shapes]) else ALL_KNOWN
    smallest_unknown = min(SMALLEST, graph.smallest_single)  # however often it runs: lengths may be others each time
    found = Grouping(graph.roots, order, smallest, graph.fuses, lengths, smallest_unknown)
    return _Emission(graph, found, order).roots()


def _is_large(shapes: Iterable[Shape], smallest: int) -> bool:
    """Whether anything is large enough for a kernel."""
    for shape in shapes:
        size = 1
        for n in shape:
            size *= n or 0
        if size >= smallest:
            return True
    return False


class _Emission:
    """Makes the new graph: kernels of groups, and other nodes on what their arguments became."""

    def __init__(self, graph: Graph, found: Grouping, order: list[Node]) -> None:
        self._graph = graph
        self._found = found
        self._order = order
        self._done: dict[Node, Node] = {}

    def roots(self) -> list[Node]:
        """The new roots."""
        found = self._found
        members: dict[Group, list[Node]] = {}
        # What is computed at each rank: nodes on their own, and groups.
        ranked: list[list[Node | Group]] = [[] for _ in range(found.ranks + 1)]
        fused = False
        for node in self._order:
            groups = found.groups_of(node)
            if node.op.kind == "source":
                self._done[node] = node
            elif not groups:
                ranked[found.rank_of(node)].append(node)
            for group in groups:
                if group.size < self._smallest(group):
                    ranked[group.rank].append(node)
                elif group in members:
                    members[group].append(node)
                else:
                    fused = True
                    members[group] = [node]
                    ranked[group.rank].append(group)
        if not fused:
            return self._graph.roots
        done = self._done
        for entries in reversed(ranked):
            for entry in entries:
                if isinstance(entry, Group):
                    self._emit(entry, members[entry])
                else:
                    done[entry] = self._remade(entry)
        return [done[node] for node in self._graph.roots]

    def _smallest(self, group: Group) -> float:
        """How many elements a group is a kernel for, if there is enough for kernels at all."""
        single = self._graph.smallest_single
        if group.ops > 1 or (single < math.inf and any([one.op.name in _FUNCTIONS for one in group.members])):
            return 0
        return single

    def _remade(self, node: Node) -> Node:
        done = self._done
        return self._graph.remade(node, tuple([done[a] for a in node.args])) if node.args else node

    def _emit(self, group: Group, nodes: list[Node]) -> None:
        """Put what the members of `group` became into `done`; `nodes` are the members, arguments first."""
        done = self._done
        members = group.members
        outside: dict[Node, Node] = {}  # views of what comes from outside are made outside
        inputs: dict[tuple[Node, Axes], int] = {}
        place: dict[Node, int] = {}  # in the body
        operands: list[list[int]] = []  # places in the body, or -1 - the number of an input
        for node in nodes:
            if role(node) == VIEW and node.args[0] not in place:
                outside[node] = self._graph.remade(node, (outside.get(node.args[0]) or done[node.args[0]],))
                done.setdefault(node, outside[node])
                continue
            found = []
            for arg in node.args:
                if arg in place:
                    found.append(place[arg])
                else:
                    key = outside.get(arg) or done[arg], group.operand_axes(node, arg)
                    found.append(-1 - inputs.setdefault(key, len(inputs)))
            operands.append(found)
            place[node] = len(place)
        first = len(inputs)
        body = []
        for node, found in zip(place, operands, strict=True):
            axes, reduced = members[node]
            plain = Node(node.op, (), node.params, node.shape, node.dtype, node.site)
            args = tuple([first + i if i >= 0 else -1 - i for i in found])
            body.append(Instruction(plain, args, axes, reduced if reduces(node) else ()))
        kept = [node for node in place if self._found.leaves(node, group)]
        kernel = Kernel(
            tuple(group.lengths),
            group.cut,
            tuple([axes for _, axes in inputs]),
            tuple(body),
            tuple([first + place[node] for node in kept]),
            *(self._unknown(group, nodes[-1], inputs) if group.most else ()),
        )
        kernel, arguments = unified(kernel, [arg for arg, _ in inputs])
        made = self._graph.intern(kernel_node(kernel, arguments, nodes[-1].site))
        for i, node in enumerate(kept):
            done[node] = self._graph.output(made, i) if len(kept) > 1 else made
        self._graph.fired(FUSED, "rounding", nodes[-1], made)

    def _unknown(self, group: Group, node: Node, inputs: Iterable[tuple[Node, Axes]]) -> tuple[Axes, float]:
        """The axes of a kernel whose lengths are not known, and the smallest work for it; `node` is its last one."""
        axes = {a for arg, axes in inputs for a, n in zip(axes, arg.shape, strict=True) if n is None}
        smallest = 0 if role(node) == TAKE else self._smallest(group)
        return tuple(sorted(axes)), max(smallest, self._found.smallest_unknown)
