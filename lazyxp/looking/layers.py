"""Layered drawing, first half: which layer a node stands in, and the order of each layer.

The method is Sugiyama's: nodes are ranked so that every edge goes down, edges that pass layers get a *bend* in each of
them, and the layers are sorted, each by its neighbours, until few edges cross. All edges that leave one node carry the
same value, so they share their bends and look like one line that branches.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Sequence
from math import inf
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

# Edges so long that all bends would be more than this are drawn straight, behind the nodes.
_MAX_BENDS = 10_000
# Each start ends after so many rounds without improvement, or when this many segments have been looked at.
_STARTS, _PATIENCE, _MAX_WORK = 6, 4, 50_000
# A crossing costs this much more than two arguments that reach one box in the wrong order.
_CROSSING = 4
_NUDGE = 1e-3


class Layers:
    """A graph in layers, its vertices numbered: first the nodes in the graph's order, then the bends.

    Attributes
    ----------
    nodes : list
        The graph's nodes; vertex ``i < len(nodes)`` is ``nodes[i]``.
    rank : list of int
        The layer of each vertex.
    rows : list of list of int
        The vertices of each layer from left to right.
    down, up : list of list of (int, float)
        The neighbours in the next and in the previous layer, each with the place at the *lower* end where the edge
        arrives: -0.5 is that vertex's left side, 0 its middle, 0.5 its right side.
    bends : dict
        ``bends[vertex]`` are the shared bends below a node, from top to bottom.
    """

    def __init__(self, graph: nx.MultiDiGraph) -> None:
        self.nodes: list[Hashable] = list(graph)
        vertex = {node: i for i, node in enumerate(self.nodes)}
        ranks = _ranks(graph)
        self.rank = [ranks[node] for node in self.nodes]
        self.down: list[list[tuple[int, float]]] = [[] for _ in self.nodes]
        self.up: list[list[tuple[int, float]]] = [[] for _ in self.nodes]
        self.bends: dict[int, list[int]] = {}
        users = [[vertex[user] for user in graph.succ[node]] for node in self.nodes]
        reach = self._reach(users)
        for source in range(len(self.nodes)):
            self._add_bends(source, users[source], reach)
        for target, node in enumerate(self.nodes):
            arrivals = ports(graph, node)
            for (source_node, _), place in arrivals.items():
                source = vertex[source_node]
                span = self.rank[target] - self.rank[source]
                if span == 1:
                    self._join(source, target, place)
                elif span <= reach:
                    self._join(self.bends[source][span - 2], target, place)
        self.rows: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        for v, rank in enumerate(self.rank):
            self.rows[rank].append(v)

    def _reach(self, users: list[list[int]]) -> int:
        """The longest span that still gets bends."""
        spans = [[self.rank[u] - self.rank[v] for u in its_users] for v, its_users in enumerate(users)]
        reach = max((max(its_spans, default=1) for its_spans in spans), default=1)
        while reach > 1:
            needed = sum(max((span for span in its_spans if span <= reach), default=1) - 1 for its_spans in spans)
            if needed <= _MAX_BENDS:
                break
            reach //= 2
        return reach

    def _add_bends(self, source: int, users: list[int], reach: int) -> None:
        top = self.rank[source]
        last = max((self.rank[u] for u in users if self.rank[u] - top <= reach), default=top)
        self.bends[source] = []
        above = source
        for rank in range(top + 1, last):
            bend = len(self.rank)
            self.rank.append(rank)
            self.down.append([])
            self.up.append([])
            self.bends[source].append(bend)
            self._join(above, bend, 0.0)
            above = bend

    def _join(self, upper: int, lower: int, place: float) -> None:
        self.down[upper].append((lower, place))
        self.up[lower].append((upper, place))

    def is_leaf(self, vertex: int) -> bool:
        """Whether `vertex` begins one edge and ends none, as a constant does."""
        return not self.up[vertex] and len(self.down[vertex]) == 1

    def is_bend(self, vertex: int) -> bool:
        """Whether `vertex` is a bend of long edges and no node."""
        return vertex >= len(self.nodes)


def ports(graph: nx.MultiDiGraph, node: Hashable) -> dict[tuple[Hashable, Hashable], float]:
    """Where each edge (source, key) arrives at `node`, in the order of the arguments: from -0.5 (left) to 0.5."""
    arrivals = sorted((arg, source, key) for source, _, key, arg in graph.in_edges(node, keys=True, data="arg"))
    return {(source, key): (i + 0.5) / len(arrivals) - 0.5 for i, (_, source, key) in enumerate(arrivals)}


def _ranks(graph: nx.MultiDiGraph) -> dict[Hashable, int]:
    """A layer for each node: an output as high as its longest path allows, everything else just above its first user.

    Constants and slices then stand where they are used, and one line leads there from the array that they slice.
    """
    import networkx as nx

    rank: dict[Hashable, int] = {}
    for depth, generation in reversed(list(enumerate(nx.topological_generations(graph)))):
        for node in generation:
            rank[node] = min((rank[user] for user in graph.succ[node]), default=depth + 1) - 1
    return rank


def untangle(layers: Layers) -> None:
    """Sort the rows of `layers` so that few edges cross: the best of several starts, first of them the given order."""
    random = Random(0)
    work = sum(map(len, layers.down)) + 1
    position = [0.0] * len(layers.rank)
    best, fewest = layers.rows, inf
    for start in range(_STARTS):
        rows = [list(row) for row in layers.rows]
        for row in rows:
            if start:
                random.shuffle(row)
            _number(row, position)
        rounds = _MAX_WORK // work if start else max(_PATIENCE, _MAX_WORK // work)
        rows, crossings = _sweep(layers, rows, position, rounds)
        if crossings < fewest:
            best, fewest = rows, crossings
        if not fewest:
            break
    layers.rows = best


def _sweep(layers: Layers, rows: list[list[int]], position: list[float], rounds: int) -> tuple[list[list[int]], float]:
    """The best order of `rows`, as given and on the way down and up, and its crossings."""
    best, fewest = rows, inf
    stale = 0
    for number in range(rounds):
        if number % 2 == 1:
            for row in rows[1:]:
                _sort(row, position, lambda v: _above(layers, v, position))
        elif number:
            for row in reversed(rows[:-1]):
                _sort(row, position, lambda v: [position[u] + place for u, place in layers.down[v]])
        _swap_neighbours(layers, rows, position)
        crossings = _crossings(layers, rows, position)
        stale += 1
        if crossings < fewest:
            best, fewest, stale = [list(row) for row in rows], crossings, 0
        if not fewest or stale == _PATIENCE:
            break
    return best, fewest


def _number(row: Sequence[int], position: list[float]) -> None:
    for i, v in enumerate(row):
        position[v] = float(i)


def _above(layers: Layers, v: int, position: list[float]) -> list[float]:
    """Where the neighbours above `v` are. A leaf has none: it follows the argument that it is combined with."""
    if layers.is_leaf(v):
        user, place = layers.down[v][0]
        others = [(abs(its - place), its, u) for u, its in layers.up[user] if not layers.is_leaf(u)]
        if others:
            _, its_place, companion = min(others)
            return [position[u] + _NUDGE * (place - its_place) for u, _ in layers.up[companion]]
    return [position[u] for u, _ in layers.up[v]]


def _sort(row: list[int], position: list[float], neighbours: Callable[[int], list[float]]) -> None:
    """Sort `row` by the mean position of the neighbours; vertices without neighbours keep their places."""
    slots, movable = [], []
    for slot, v in enumerate(row):
        if places := neighbours(v):
            slots.append(slot)
            movable.append((sum(places) / len(places), v))
    movable.sort(key=lambda pair: pair[0])
    for slot, (_, v) in zip(slots, movable, strict=True):
        row[slot] = v
    _number(row, position)


def _swap_neighbours(layers: Layers, rows: list[list[int]], position: list[float]) -> None:
    """One pass over all rows that swaps neighbours wherever this removes crossings."""
    for row in rows:
        for i in range(len(row) - 1):
            left, right = row[i], row[i + 1]
            now = then = 0
            for sides, weigh in ((layers.up, 0.0), (layers.down, 0.0), (layers.down, 1.0)):
                a = sorted(position[u] + weigh * place for u, place in sides[left])
                b = sorted(position[u] + weigh * place for u, place in sides[right])
                cost = 1 if weigh else _CROSSING
                now += cost * sum(bisect_left(b, x) for x in a)
                then += cost * sum(bisect_left(a, x) for x in b)
            if then < now:
                row[i], row[i + 1] = right, left
                position[left], position[right] = i + 1.0, float(i)


def _crossings(layers: Layers, rows: list[list[int]], position: list[float]) -> int:
    """How many pairs of edges cross; edges that swap at the box where both end count little."""
    total = 0
    for row in rows:
        for weigh, cost in ((0.0, _CROSSING), (1.0, 1)):
            arrived: list[float] = []
            for v in row:
                ends = sorted(position[u] + weigh * place for u, place in layers.down[v])
                total += cost * sum(len(arrived) - bisect_right(arrived, end) for end in ends)
                for end in ends:
                    insort(arrived, end)
    return total
