"""Looking at graphs: export to networkx, pictures as SVG, and text for Graphviz, Mermaid and JSON readers."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

    from lazyxp.api.array import Array
    from lazyxp.looking.drawing import Picture

# No optimizer pass rewrites a graph before its backend is known, so both stages are the graph as recorded.
_STAGES = ("recorded", "optimized")


def to_networkx(*arrays: Array, stage: str = "recorded") -> nx.MultiDiGraph:
    """Export the graph of arrays.

    Parameters
    ----------
    *arrays : Array
        The outputs of the graph.
    stage : {"recorded", "optimized"}
        The graph as it was recorded, or as the optimizer leaves it (which is the same, as long as it has no passes).

    Returns
    -------
    networkx.MultiDiGraph
        One graph node for each call, numbered from 0 with arguments before users, and one edge for each argument, from
        the argument to its user. Graph nodes carry `op`, `kind`, `shape`, `dtype`, `params`, `line` (the user's line),
        `nbytes` (None where a side is unknown), `output` and `label`; edges carry the argument's position `arg`.

    Raises
    ------
    ValueError
        If there is no such stage.

    Examples
    --------
    >>> import lazyxp as xp
    >>> graph = xp.to_networkx(xp.arange(3) + 1)
    >>> [graph.nodes[n]["op"] for n in graph]
    ['arange', 'constant', 'add']
    """
    from lazyxp.api.recording import as_array, current
    from lazyxp.looking.graph import to_networkx as export

    if stage not in _STAGES:
        raise ValueError(f"stage={stage!r} is none of {', '.join(map(repr, _STAGES))}")
    return export([current(as_array(x, "to_networkx")) for x in arrays])


def visualize(*arrays: Array, filename: str | PathLike[str] | None = None, stage: str = "optimized") -> str | Picture:
    """Draw the graph of arrays.

    Parameters
    ----------
    *arrays : Array
        The outputs of the graph.
    filename : path, optional
        Where to write; the suffix says what: ``.svg`` (self-contained), ``.dot`` (Graphviz), ``.mmd`` (Mermaid) or
        ``.json`` (networkx's node-link data).
    stage : {"recorded", "optimized"}
        The graph as it was recorded, or as the optimizer leaves it (which is the same, as long as it has no passes).

    Returns
    -------
    str or Picture
        The text that was written; without `filename` the SVG, which notebooks show.

    Raises
    ------
    ValueError
        If the suffix or the stage is unknown, or the graph is too large for a picture.

    Examples
    --------
    >>> import lazyxp as xp
    >>> picture = xp.visualize(xp.arange(3) + 1)
    >>> str(picture).startswith("<svg")
    True
    """
    from lazyxp.looking.drawing import draw

    return draw(to_networkx(*arrays, stage=stage), filename)
