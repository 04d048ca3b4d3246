"""Where the boxes and edges of a graph go on a page."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

from lazyxp.looking.columns import columns
from lazyxp.looking.layers import Layers, ports, untangle

if TYPE_CHECKING:
    import networkx as nx

Edge = tuple[Hashable, Hashable, Hashable]
Point = tuple[float, float]

_BETWEEN_BOXES = 22.0
_BETWEEN_LINES = 14.0
_BETWEEN_PARTS = 40.0
_BETWEEN_PORTS = 16.0
_PORTS_SHARE = 0.7  # of a box's width
_LEAST_DROP, _MOST_DROP, _SLOPE = 26.0, 90.0, 0.07


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class Layout:
    """Boxes of nodes, and for each edge the points where it changes between a curve and a vertical line.

    A route begins at the bottom of a box. Its points come in pairs: a vertical line leads from the first to the second,
    and a curve from there to the next pair.
    """

    boxes: dict[Hashable, Box] = field(default_factory=dict)
    routes: dict[Edge, list[Point]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0

    def put(self, part: Layout, x: float, y: float) -> None:
        """Add `part` with its corner at (x, y)."""
        for node, box in part.boxes.items():
            self.boxes[node] = Box(box.x + x, box.y + y, box.width, box.height)
        for edge, route in part.routes.items():
            self.routes[edge] = [(px + x, py + y) for px, py in route]
        self.width = max(self.width, x + part.width)
        self.height = max(self.height, y + part.height)


def layout(graph: nx.MultiDiGraph, sizes: Mapping[Hashable, tuple[float, float]]) -> Layout:
    """Place boxes of the given `sizes` (width, height) and route the edges of `graph`, all of them downwards.

    Parts that no edge connects stand beside each other, in as many rows as a page of usual shape takes.
    """
    import networkx as nx

    parts = [_connected(graph.subgraph(nodes), sizes) for nodes in nx.weakly_connected_components(graph)]
    area = sum((part.width + _BETWEEN_PARTS) * (part.height + _BETWEEN_PARTS) for part in parts)
    page = max([1.5 * sqrt(area), *(part.width for part in parts)])
    whole = Layout()
    x = y = 0.0
    for part in parts:
        if x and x + part.width > page:
            x, y = 0.0, whole.height + _BETWEEN_PARTS
        whole.put(part, x, y)
        x += part.width + _BETWEEN_PARTS
    return whole


def _connected(graph: nx.MultiDiGraph, sizes: Mapping[Hashable, tuple[float, float]]) -> Layout:
    layers = Layers(graph)
    untangle(layers)
    width = [sizes[node][0] for node in layers.nodes] + [0.0] * (len(layers.rank) - len(layers.nodes))

    def gap(u: int, v: int) -> float:
        between = _BETWEEN_LINES if layers.is_bend(u) or layers.is_bend(v) else _BETWEEN_BOXES
        return (width[u] + width[v]) / 2 + between

    x = columns(layers, gap)
    left = min(place - width[v] / 2 for v, place in enumerate(x))
    x = [place - left for place in x]
    tops, bottoms = _rows(layers, x, sizes)
    drawn = Layout(width=max(place + width[v] / 2 for v, place in enumerate(x)), height=bottoms[-1])
    for v, node in enumerate(layers.nodes):
        w, h = sizes[node]
        middle = (tops[layers.rank[v]] + bottoms[layers.rank[v]]) / 2
        drawn.boxes[node] = Box(x[v] - w / 2, middle - h / 2, w, h)
    _route(graph, layers, x, tops, bottoms, drawn)
    return drawn


def _rows(
    layers: Layers, x: list[float], sizes: Mapping[Hashable, tuple[float, float]]
) -> tuple[list[float], list[float]]:
    """Top and bottom of each row; flat edges get more room below them."""
    tops, bottoms = [], []
    y = 0.0
    for row in layers.rows:
        tops.append(y)
        y += max((sizes[layers.nodes[v]][1] for v in row if not layers.is_bend(v)), default=0.0)
        bottoms.append(y)
        widest = max((abs(x[u] - x[v]) for v in row for u, _ in layers.down[v]), default=0.0)
        y += min(_MOST_DROP, _LEAST_DROP + _SLOPE * widest)
    return tops, bottoms


def _route(
    graph: nx.MultiDiGraph, layers: Layers, x: list[float], tops: list[float], bottoms: list[float], drawn: Layout
) -> None:
    vertex = {node: v for v, node in enumerate(layers.nodes)}
    for target, node in enumerate(layers.nodes):
        end = drawn.boxes[node]
        routes = []
        for source_node, _ in ports(graph, node):
            source, start = vertex[source_node], drawn.boxes[source_node]
            rank, between = layers.rank[source], layers.rank[target] - layers.rank[source] - 1
            route = [(x[source], start.y + start.height), (x[source], bottoms[rank])]
            if len(layers.bends[source]) >= between:
                for below, bend in enumerate(layers.bends[source][:between], rank + 1):
                    if x[bend] == route[-1][0]:
                        route[-1] = (x[bend], bottoms[below])
                    else:
                        route += [(x[bend], tops[below]), (x[bend], bottoms[below])]
            routes.append(route)
        arrivals = _arrivals([route[-1][0] for route in routes], x[target], end.width)
        for (source_node, key), route, arrival in zip(ports(graph, node), routes, arrivals, strict=True):
            drawn.routes[source_node, node, key] = [*route, (arrival, tops[layers.rank[target]]), (arrival, end.y)]


def _arrivals(origins: list[float], middle: float, width: float) -> list[float]:
    """Where edges from above, in the order of the arguments, reach a box: each below its origin if the order allows it.

    This is isotonic regression (pool adjacent violators) with a least distance between neighbours.
    """
    distance = min(_BETWEEN_PORTS, _PORTS_SHARE * width / max(len(origins), 1))
    least, most = middle - _PORTS_SHARE * width / 2, middle + _PORTS_SHARE * width / 2
    pools: list[tuple[float, int]] = []
    for i, origin in enumerate(origins):
        place, size = min(max(origin, least), most) - i * distance, 1
        while pools and pools[-1][0] > place:
            its_place, its_size = pools.pop()
            place, size = (place * size + its_place * its_size) / (size + its_size), size + its_size
        pools.append((place, size))
    most -= (len(origins) - 1) * distance
    places = [min(max(place, least), most) for place, size in pools for _ in range(size)]
    return [place + i * distance for i, place in enumerate(places)]
