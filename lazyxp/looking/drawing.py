"""A graph as a file, or as a picture in a notebook."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lazyxp.looking.formats import dot, mermaid, node_link
from lazyxp.looking.svg import svg

if TYPE_CHECKING:
    import networkx as nx

_FORMATS = {".svg": svg, ".dot": dot, ".mmd": mermaid, ".json": node_link}


class Picture(str):
    """The text of an SVG picture, which notebooks show as the picture itself."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)

    def __repr__(self) -> str:
        return f"<SVG picture, {len(self):,} characters>"


def draw(graph: nx.MultiDiGraph, filename: str | os.PathLike[str] | None) -> str:
    """Draw `graph`, as `to_networkx` gives it.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        What to draw.
    filename : str or path, optional
        Where to write it. The suffix chooses the format: ``.svg`` a picture, ``.dot`` Graphviz, ``.mmd`` Mermaid,
        ``.json`` networkx's node-link data. The file is replaced in one step. None writes no file and draws SVG.

    Returns
    -------
    str
        The text of the file. SVG text is a `Picture`, which notebooks show.

    Raises
    ------
    ValueError
        If the suffix is none of these, or the graph is too large for a picture.
    """
    if filename is None:
        return Picture(svg(graph))
    path = Path(filename)
    suffix = path.suffix.lower()
    if suffix not in _FORMATS:
        raise ValueError(f"cannot draw to {str(path)!r}: the file name must end in one of {', '.join(_FORMATS)}")
    text = _FORMATS[suffix](graph)
    _replace(path, text)
    return Picture(text) if suffix == ".svg" else text


def _replace(path: Path, text: str) -> None:
    """Write `path` so that a reader sees the old file or the whole new one."""
    if not path.parent.is_dir():
        raise FileNotFoundError(f"cannot write {str(path)!r}: there is no directory {str(path.parent)!r}")
    with tempfile.TemporaryDirectory(prefix=".lazyxp-", dir=path.parent) as scratch:
        new = Path(scratch) / path.name  # a plain new file, so that its permissions follow the umask
        new.write_text(text, encoding="utf-8", newline="\n")
        new.replace(path)
