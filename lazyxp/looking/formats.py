"""Graphs as text for other programs: Graphviz, Mermaid and JSON readers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from lazyxp.looking import style

if TYPE_CHECKING:
    import networkx as nx


def dot(graph: nx.MultiDiGraph) -> str:
    """`graph` in the language of Graphviz."""
    names = _names(graph)
    lines = [
        "digraph lazyxp {",
        '  node [shape=box, style="rounded,filled", fontname="monospace", fontsize=11];',
        '  edge [color="#64748b", arrowsize=0.6];',
    ]
    for node, attributes in graph.nodes(data=True):
        fill, stroke = style.colours(attributes["kind"])
        values = {
            "label": f"{style.title(attributes)}\n{style.result(attributes)}",
            "tooltip": style.tooltip(attributes),
            "fillcolor": fill,
            "color": stroke,
            "peripheries": "2" if attributes["output"] else "1",
        }
        lines.append(f"  {names[node]} [{', '.join(f'{key}={_quoted(text)}' for key, text in values.items())}];")
    for source, target, position in graph.edges(data="arg"):
        lines.append(f'  {names[source]} -> {names[target]} [tooltip="argument {position}"];')
    return "\n".join([*lines, "}", ""])


def _quoted(text: str) -> str:
    """`text` as a Graphviz string, in which backslashes and HTML entities would have a meaning."""
    for plain, escaped in (("\\", "\\\\"), ("&", "&amp;"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


def mermaid(graph: nx.MultiDiGraph) -> str:
    """`graph` as a Mermaid flowchart."""
    names = _names(graph)
    lines = ["flowchart TD"]
    for node, attributes in graph.nodes(data=True):
        label = f"{_entities(style.title(attributes))}<br/>{_entities(style.result(attributes))}"
        opening, closing = ("[[", "]]") if attributes["output"] else ("(", ")")
        lines.append(f'  {names[node]}{opening}"{label}"{closing}')
    lines += [f"  {names[source]} --> {names[target]}" for source, target in graph.edges()]
    for number, kind in enumerate(style.kinds(graph)):
        fill, stroke = style.colours(kind)
        members = ",".join(names[node] for node, its_kind in graph.nodes(data="kind") if its_kind == kind)
        lines += [f"  classDef k{number} fill:{fill},stroke:{stroke},color:#0f172a", f"  class {members} k{number}"]
    return "\n".join([*lines, ""])


def _entities(text: str) -> str:
    """`text` with everything that Mermaid or HTML could read as markup written as a character code."""
    return re.sub(r"[^\w \[\](),.=+-]", lambda found: f"#{ord(found[0])};", text)


def node_link(graph: nx.MultiDiGraph) -> str:
    """`graph` as networkx's node-link JSON."""
    import networkx as nx

    return json.dumps(nx.node_link_data(graph, edges="edges"), default=str) + "\n"


def _names(graph: nx.MultiDiGraph) -> dict[object, str]:
    return {node: f"n{number}" for number, node in enumerate(graph)}
