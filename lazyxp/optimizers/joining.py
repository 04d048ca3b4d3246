"""Joining in place: kernels write the parts of a `concat` or `stack` where the joined array has them.

The first kernel that has a part makes the joined array, the others are given it; what no kernel computes is copied in.
"""

from __future__ import annotations

from typing import NamedTuple

from lazyxp.kernel import KERNEL, Joined, Kernel, Place
from lazyxp.node import OUTPUT, Meta, Node
from lazyxp.optimizers.graph import Graph, users_of

_ALL = slice(None)
_JOINING = frozenset(("concat", "stack"))
JOINED = "joined in place"
REWRITES = ((JOINED, "rounding"),)


class _Part(NamedTuple):
    """A part of what `join` gives: from `start` to before `stop` along its axis; the index `start` if that is None."""

    join: Node
    start: int
    stop: int | None

    def place(self, result: int) -> Place:
        return Place(result, self.join.params["axis"], self.start, self.stop)

    @property
    def key(self) -> tuple[int | slice, ...]:
        axis = self.join.params["axis"]
        at = self.start if self.stop is None else slice(self.start, self.stop, 1)
        return (*[_ALL] * axis, at, *[_ALL] * (len(self.join.shape) - axis - 1))


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    order = graph.order()
    if not any(node.op is KERNEL for node in order):
        return graph.roots
    users = users_of(graph.roots, order)
    # For each value that a kernel writes into a joined array: which part of it that is.
    part_of: dict[Node, _Part] = {}
    for node in order:
        if node.op.name in _JOINING:
            parts = _parts(node)
            part_of |= {arg: part for arg, part in parts if _is_of_kernel(arg) and users[arg] == 1}
    if not part_of:
        return graph.roots
    return _Rewriting(graph, order, part_of).roots()


def _parts(node: Node) -> list[tuple[Node, _Part]]:
    """What `node` joins, and which part each becomes; nothing where that is not known yet."""
    if None in node.shape:
        return []
    parts = []
    start = 0
    for arg in node.args:
        stop = start + (1 if node.op.name == "stack" else arg.shape[node.params["axis"]] or 0)
        parts.append((arg, _Part(node, start, None if node.op.name == "stack" else stop)))
        start = stop
    return parts


def _is_of_kernel(node: Node) -> bool:
    return node.op is KERNEL or (node.op is OUTPUT and node.args[0].op is KERNEL)


class _Rewriting:
    def __init__(self, graph: Graph, order: list[Node], part_of: dict[Node, _Part]) -> None:
        self._graph = graph
        self._order = order
        self._part_of = part_of
        self._done: dict[Node, Node] = {}
        # The joined arrays, as the kernels so far have left them.
        self._written: dict[Node, Node] = {}

    def roots(self) -> list[Node]:
        """The new roots."""
        done = self._done
        values: dict[Node, dict[int, Node]] = {}  # of each kernel, by number
        for node in self._order:
            if node.op is OUTPUT and node.args[0].op is KERNEL:
                values.setdefault(node.args[0], {})[node.params["index"]] = node
        for node in self._order:
            args = tuple([done[a] for a in node.args if a in done])
            mine = values.get(node, {0: node}) if node.op is KERNEL else {}
            if any(value in self._part_of for value in mine.values()):
                self._kernel(node, args, mine)
            elif node in self._written:
                done[node] = self._graph.fired(JOINED, "rounding", node, self._filled(node))
            elif node not in done and node not in self._part_of:
                done[node] = self._graph.remade(node, args) if args else node
        return [done[node] for node in self._graph.roots]

    def _kernel(self, node: Node, args: tuple[Node, ...], values: dict[int, Node]) -> None:
        """Have a kernel write those of its values that are parts into the joined arrays."""
        kernel: Kernel = node.params["kernel"]
        parts = {i: self._part_of[value] for i, value in values.items() if value in self._part_of}
        joins = list(dict.fromkeys([part.join for part in parts.values()]))
        joins.sort(key=lambda join: join not in self._written)
        begun = [self._written[join] for join in joins if join in self._written]
        results = [Meta(join.shape, join.dtype) for join in joins]
        places = []
        for i, one in enumerate(kernel.kept):
            if i in parts:
                places.append(parts[i].place(joins.index(parts[i].join)))
            else:
                places.append(Place(len(results)))
                results.append(Meta(one.shape, one.dtype))
        params = {"kernel": kernel, "joined": Joined(tuple(results), tuple(places), len(begun))}
        shapes, dtypes = tuple([r.shape for r in results]), tuple([r.dtype for r in results])
        one_result = len(results) == 1
        shape, dtype = (shapes[0], dtypes[0]) if one_result else (shapes, dtypes)
        made = self._graph.intern(Node(KERNEL, (*args, *begun), params, shape, dtype, node.site))
        given = [made] if one_result else [self._graph.output(made, r) for r in range(len(results))]
        for i, value in values.items():
            if i not in parts:
                self._done[value] = given[places[i].result]
        self._written |= dict(zip(joins, given, strict=False))

    def _filled(self, join: Node) -> Node:
        """The joined array, with what no kernel has written copied in."""
        found = self._written[join]
        for arg, part in _parts(join):
            if arg not in self._part_of:
                found = self._graph.make("setitem", found, self._done[arg], site=join.site, key=part.key)
        return found
