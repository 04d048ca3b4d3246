"""Graphs as self-contained SVG pictures."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from lazyxp.looking import style
from lazyxp.looking.layout import Box, Layout, Point, layout

if TYPE_CHECKING:
    import networkx as nx

MAX_NODES, MAX_EDGES = 2_000, 20_000

_FONT_SIZE, _SMALL = 12.0, 11.0
_CHARACTER = 0.605  # width of a monospace character, as a share of the font size
_LONGEST_LINE = 38
_PADDING = 10.0
_BOX_HEIGHT, _PILL_HEIGHT = 40.0, 22.0
_RING = 3.5
_MARGIN = 20.0
_ARROW = 6.0

_CSS = """
.lxp-page{fill:#ffffff} .lxp-picture text{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.lxp-picture text{fill:#0f172a;font-size:12px;text-anchor:middle} .lxp-op{font-weight:700}
.lxp-picture .lxp-small{fill:#475569;font-size:11px} .lxp-picture .lxp-start{text-anchor:start}
.lxp-edge{fill:none;stroke:#94a3b8;stroke-width:1.3} .lxp-head{fill:#64748b}
.lxp-box{stroke-width:1.2} .lxp-picture .lxp-ring{fill:none;stroke-width:1.6} .lxp-node:hover .lxp-box{stroke-width:2.4}
"""
_DARK_CSS = """
.lxp-page{fill:#0f172a} .lxp-picture text{fill:#f1f5f9} .lxp-picture .lxp-small{fill:#a8b5c7}
.lxp-edge{stroke:#64748b} .lxp-head{fill:#94a3b8}
"""


def svg(graph: nx.MultiDiGraph) -> str:
    """`graph` as the text of an SVG picture.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        A graph as `to_networkx` gives it.

    Returns
    -------
    str
        The picture: a box for each node and a line for each edge, in the colours that the reader's system prefers.

    Raises
    ------
    ValueError
        If the graph has more nodes or edges than anyone can read.
    """
    if len(graph) > MAX_NODES or graph.number_of_edges() > MAX_EDGES:
        raise ValueError(
            f"a graph of {_counts(graph)} is too large for an SVG picture (at most {MAX_NODES:,} and {MAX_EDGES:,}): "
            "write it as .dot or .json for a program that explores large graphs, or draw an intermediate array instead"
        )
    sizes = {node: _size(attributes) for node, attributes in graph.nodes(data=True)}
    placed = layout(graph, sizes)
    kinds = style.kinds(graph)
    legend, legend_width, legend_height = _legend(graph, kinds, placed.width)
    width = 2 * _MARGIN + max(placed.width, legend_width)
    height = 3 * _MARGIN + legend_height + placed.height
    shift = ((width - placed.width) / 2, 2 * _MARGIN + legend_height)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="lxp-picture" role="img" width="{width:.0f}"'
            f' height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
            f"<title>lazyxp graph of {_counts(graph)}</title>",
            f"<style>{_CSS}{_kind_css(kinds, dark=False)}",
            f"@media (prefers-color-scheme:dark){{{_DARK_CSS}{_kind_css(kinds, dark=True)}}}</style>",
            '<defs><marker id="lxp-arrow" viewBox="0 0 6 6" refX="0" refY="3" markerWidth="6" markerHeight="6"'
            ' markerUnits="userSpaceOnUse" orient="auto"><path class="lxp-head" d="M0,0L6,3L0,6z"/></marker></defs>',
            '<rect class="lxp-page" width="100%" height="100%"/>',
            *legend,
            f'<g transform="translate({shift[0]:.1f},{shift[1]:.1f})">',
            *_edges(graph, placed),
            *(_node(node, attributes, placed.boxes[node]) for node, attributes in graph.nodes(data=True)),
            "</g>",
            "</svg>",
            "",
        ]
    )


def _counts(graph: nx.MultiDiGraph) -> str:
    nodes, edges = len(graph), graph.number_of_edges()
    return f"{nodes:,} node{'s' * (nodes != 1)} and {edges:,} edge{'s' * (edges != 1)}"


def _kind_css(kinds: list[str], *, dark: bool) -> str:
    rules = []
    for kind in kinds:
        fill, stroke = style.colours(kind, dark)
        rules.append(f".{_kind_class(kind)}{{fill:{fill};stroke:{stroke}}}")
    return "".join(rules)


def _kind_class(kind: str) -> str:
    return "lxp-kind-" + re.sub(r"\W", "-", kind, flags=re.ASCII)


def _columns(text: str) -> int:
    """How many monospace columns `text` takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


def _is_pill(attributes: Mapping[str, Any]) -> bool:
    """Whether a node is drawn small, as one line: a constant has little to say."""
    return bool(attributes["op"] == "constant")


def _size(attributes: Mapping[str, Any]) -> tuple[float, float]:
    width = _columns(_shorten(style.title(attributes))) * _FONT_SIZE * _CHARACTER
    height = _PILL_HEIGHT
    if not _is_pill(attributes):
        width = max(width, _columns(_shorten(style.result(attributes))) * _SMALL * _CHARACTER, 40)
        height = _BOX_HEIGHT
    ring = 2 * _RING if attributes["output"] else 0.0
    return width + 2 * _PADDING + ring, height + ring


def _node(node: Hashable, attributes: Mapping[str, Any], box: Box) -> str:
    colour = _kind_class(attributes["kind"])
    x, y, width, height = box.x, box.y, box.width, box.height
    ring = ""
    if attributes["output"]:
        ring = f'<rect class="{colour} lxp-ring" {_rectangle(x, y, width, height, 9)}/>'
        x, y, width, height = x + _RING, y + _RING, width - 2 * _RING, height - 2 * _RING
    radius = height / 2 if _is_pill(attributes) else 6
    middle = x + width / 2
    title, result = _shorten(style.title(attributes)), _shorten(style.result(attributes))
    if _is_pill(attributes):
        text = f'<text x="{middle:.1f}" y="{y + 15:.1f}">{escape(title)}</text>'
    else:
        op = style.one_line(attributes["op"])
        bold = op if title.startswith(op) else title
        text = (
            f'<text x="{middle:.1f}" y="{y + 17:.1f}"><tspan class="lxp-op">{escape(bold)}</tspan>'
            f'{escape(title[len(bold) :])}</text><text class="lxp-small" x="{middle:.1f}" y="{y + 32:.1f}">'
            f"{escape(result)}</text>"
        )
    return (
        f'<g class="lxp-node" data-node="{_attribute(node)}"><title>{escape(style.tooltip(attributes))}</title>{ring}'
        f'<rect class="{colour} lxp-box" {_rectangle(x, y, width, height, radius)}/>{text}</g>'
    )


def _rectangle(x: float, y: float, width: float, height: float, radius: float) -> str:
    return f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'


def _attribute(value: object) -> str:
    return escape(style.clean(value), {'"': "&quot;"})


def _edges(graph: nx.MultiDiGraph, placed: Layout) -> list[str]:
    paths = []
    for source, target, key, position in graph.edges(keys=True, data="arg"):
        ends = f'data-from="{_attribute(source)}" data-to="{_attribute(target)}" data-arg="{_attribute(position)}"'
        path = _path(placed.routes[source, target, key])
        paths.append(f'<path class="lxp-edge" {ends} marker-end="url(#lxp-arrow)" d="{path}"/>')
    return paths


def _path(route: list[Point]) -> str:
    """Vertical lines and the curves between them, which end vertically too; the arrow head takes the last bit."""
    (x, y), *rest = route
    end_x, end_y = rest[-1][0], rest[-1][1] - _ARROW
    rest[-2:] = [(end_x, min(rest[-2][1], end_y - 2)), (end_x, end_y)]
    steps = [f"M{x:.1f},{y:.1f}"]
    for i, (to_x, to_y) in enumerate(rest):
        if i % 2 == 0 or abs(to_x - x) < 0.05:
            steps.append(f"L{x:.1f},{to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            steps.append(f"C{x:.1f},{middle:.1f} {to_x:.1f},{middle:.1f} {to_x:.1f},{to_y:.1f}")
            x = to_x
        y = to_y
    return "".join(steps)


def _legend(graph: nx.MultiDiGraph, kinds: list[str], width: float) -> tuple[list[str], float, float]:
    """One swatch for each kind, in rows not much wider than the picture; also their width and height."""
    entries = [(kind, f"lxp-box {_kind_class(kind)}") for kind in kinds]
    if any(output for _, output in graph.nodes(data="output")):
        entries.append(("output", ""))
    parts = []
    x, y, widest = 0.0, 0.0, 0.0
    for text, css in entries:
        label = style.one_line(text)
        needed = 18 + _columns(label) * _SMALL * _CHARACTER
        if x and x + needed > max(width, 420):
            x, y = 0.0, y + 20
        left, top = _MARGIN + x, _MARGIN + y
        swatch = f'<rect class="{css}" {_rectangle(left, top, 12, 12, 3)}/>'
        if not css:
            swatch = (
                f'<rect class="lxp-edge" {_rectangle(left, top, 12, 12, 4)}/>'
                f'<rect class="lxp-edge" {_rectangle(left + 3, top + 3, 6, 6, 1)}/>'
            )
        parts.append(
            f'{swatch}<text class="lxp-small lxp-start" x="{left + 18:.1f}" y="{top + 10:.1f}">{escape(label)}</text>'
        )
        widest = max(widest, x + needed)
        x += needed + 18
    return parts, widest, y + 12
