"""Looking at graphs: export to networkx, pictures as SVG, and text for Graphviz, Mermaid and JSON readers."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import networkx as nx

    from lazyxp.api.array import Array
    from lazyxp.looking.drawing import Picture

_STAGES = ("recorded", "optimized", "plan")


def to_networkx(*arrays: Array, stage: str = "recorded") -> nx.MultiDiGraph:
    """Export the graph of arrays, at one of the stages from what was recorded to what runs.

    Parameters
    ----------
    *arrays : Array
        The outputs of the graph.
    stage : {"recorded", "optimized", "plan"}
        The graph as it was recorded; as the optimizer leaves it, for the backend and the level that the options say; or
        the steps of the plan that runs, each with the buffer that it writes.

    Returns
    -------
    networkx.MultiDiGraph
        One graph node for each call, numbered from 0 with arguments before users, and one edge for each argument, from
        the argument to its user. Graph nodes carry `op`, `kind`, `shape`, `dtype`, `params`, `line` (the user's line),
        `nbytes` (None where a side is unknown), `output` and `label`; those of a plan also `buffer`, the number of the
        buffer that holds the result (None where it is a source's). Edges carry the argument's position `arg`.

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
    from lazyxp.looking.stages import at_stage

    if stage not in _STAGES:
        raise ValueError(f"stage={stage!r} is none of {', '.join(map(repr, _STAGES))}")
    nodes = [current(as_array(x, "to_networkx")) for x in arrays]
    return export(nodes) if stage == "recorded" else at_stage(nodes, stage)


def visualize(*arrays: Array, filename: str | PathLike[str] | None = None, stage: str = "optimized") -> str | Picture:
    """Draw the graph of arrays.

    Parameters
    ----------
    *arrays : Array
        The outputs of the graph.
    filename : path, optional
        Where to write; the suffix says what: ``.svg`` (self-contained), ``.dot`` (Graphviz), ``.mmd`` (Mermaid) or
        ``.json`` (networkx's node-link data).
    stage : {"recorded", "optimized", "plan"}
        The graph as it was recorded; as the optimizer leaves it, for the backend and the level that the options say; or
        the steps of the plan that runs, each with the buffer that it writes.

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
