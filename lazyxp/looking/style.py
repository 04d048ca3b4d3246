"""What a graph node says and which colour it has, for every format."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lazyxp.node import Meta, describe

if TYPE_CHECKING:
    import networkx as nx

# Hue in degrees and saturation of each kind, in the order of the legend.
_KINDS = {
    "source": (215, 0.15),
    "creation": (160, 0.45),
    "elementwise": (212, 0.75),
    "cast": (188, 0.65),
    "movement": (46, 0.80),
    "indexing": (27, 0.80),
    "reduction": (356, 0.70),
    "scan": (330, 0.65),
    "contraction": (272, 0.60),
    "linalg": (250, 0.65),
    "fft": (300, 0.55),
    "sort": (140, 0.50),
    "search": (105, 0.45),
    "set": (75, 0.55),
    "kernel": (15, 0.85),
}
_UNKNOWN_KIND = (0, 0.0)

# XML cannot hold these characters, not even escaped, and UTF-8 has no lone surrogates.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def kinds(graph: nx.MultiDiGraph) -> list[str]:
    """The kinds present in `graph`, in the order of the legend."""
    present = {kind for _, kind in graph.nodes(data="kind")}
    return [kind for kind in _KINDS if kind in present] + sorted(present - _KINDS.keys())


def colours(kind: str, dark: bool = False) -> tuple[str, str]:
    """Fill and stroke of `kind`, as ``#rrggbb``."""
    hue, saturation = _KINDS.get(kind, _UNKNOWN_KIND)
    fill, stroke = ((0.19, 0.40), (0.58, 0.75)) if dark else ((0.95, 0.95), (0.50, 0.80))
    return _hex(hue, *fill, saturation), _hex(hue, *stroke, saturation)


def _hex(hue: int, lightness: float, strength: float, saturation: float) -> str:
    rgb = colorsys.hls_to_rgb(hue / 360, lightness, saturation * strength)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def clean(text: object) -> str:
    """`text` without the characters that no file can hold."""
    return _UNWRITABLE.sub("\ufffd", str(text))


def one_line(text: object) -> str:
    """`text` as one line."""
    return " ".join(clean(text).split())


def title(attributes: Mapping[str, Any]) -> str:
    """The first line of a node: its op with the parameters that matter."""
    return one_line(attributes["label"])


def result(attributes: Mapping[str, Any]) -> str:
    """The second line of a node: dtype and shape of its result."""
    return one_line(describe(Meta(attributes["shape"], attributes["dtype"])))


def tooltip(attributes: Mapping[str, Any]) -> str:
    """Everything about a node, in a few lines."""
    lines = [f"{attributes['op']} ({attributes['kind']}) -> {result(attributes)}"]
    lines += [f"{name} = {value}" for name, value in attributes["params"].items()]
    lines += [attributes["line"], _size(attributes["nbytes"])]
    if attributes.get("buffer") is not None:
        lines.append(f"in buffer {attributes['buffer']}")
    if attributes["output"]:
        lines.append("output")
    return "\n".join(map(one_line, lines))


def _size(nbytes: int | None) -> str:
    if nbytes is None:
        return "size not known yet"
    size, units = float(nbytes), ["kB", "MB", "GB", "TB"]
    if size < 1000:
        return f"{nbytes} bytes"
    while size >= 1000 and units:
        size, unit = size / 1000, units.pop(0)
    return f"{size:.3g} {unit}"
