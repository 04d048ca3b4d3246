"""The expression graph as a networkx graph: what every picture is drawn from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lazyxp.kernel import KERNEL
from lazyxp.node import CONSTANT, OUTPUT, SOURCE, Node, graph_lock, short, walk
from lazyxp.sliding import SLIDING

if TYPE_CHECKING:
    import networkx as nx

_LABEL_LENGTH = 40
_CONSTANT_LENGTH = 8


def to_networkx(nodes: Sequence[Node]) -> nx.MultiDiGraph:
    """The graph that computes `nodes`, as networkx sees it.

    Parameters
    ----------
    nodes : sequence of Node
        The outputs.

    Returns
    -------
    networkx.MultiDiGraph
        One graph node for each `Node`, numbered from 0 in topological order (arguments before users), and one edge
        for each argument: from the argument to its user, with the argument's position as key and as attribute `arg`.
        Graph nodes carry `op`, `kind`, `shape`, `dtype`, `params` (short text by name), `line` (the user's line),
        `nbytes` (None where a dimension is unknown), `output` (whether it is one of `nodes`) and `label` (short text).
        Where an op has several outputs, its `shape` and `dtype` are tuples of shapes and of dtypes.
    """
    import networkx as nx

    graph = nx.MultiDiGraph()
    outputs = set(nodes)
    lines: dict[Any, str] = {}
    with graph_lock:
        order = walk(nodes)
        number = {node: i for i, node in enumerate(order)}
        graph.add_nodes_from((i, _attributes(node, node in outputs, lines)) for i, node in enumerate(order))
        graph.add_edges_from(
            (number[arg], i, position, {"arg": position})
            for i, node in enumerate(order)
            for position, arg in enumerate(node.args)
        )
    return graph


def _attributes(node: Node, output: bool, lines: dict[Any, str]) -> dict[str, Any]:
    params = short(node.params)
    if (line := lines.get(node.site)) is None:
        line = lines[node.site] = node.where
    return {
        "op": node.op.name,
        "kind": _kind(node),
        "shape": node.shape,
        "dtype": tuple(map(str, node.dtype)) if node.several else str(node.dtype),
        "params": params,
        "line": line,
        "nbytes": _nbytes(node),
        "output": output,
        "label": _label(node, params),
    }


def _kind(node: Node) -> str:
    """The kind of what has to be done for `node`: an output only picks a result of the op that did the work."""
    if node.value is not None:
        return SOURCE.kind
    return node.args[0].op.kind if node.op is OUTPUT else node.op.kind


def _nbytes(node: Node) -> int | None:
    total = 0
    for shape, dtype in zip(node.shape, node.dtype, strict=True) if node.several else [(node.shape, node.dtype)]:
        if None in shape:
            return None
        total += math.prod(shape) * dtype.itemsize
    return int(total)


def _label(node: Node, params: dict[str, str]) -> str:
    """The op with the parameters that matter: those that are neither switched off nor told by dtype and shape."""
    if node.op is CONSTANT:
        value = node.params["value"]
        exact = params["value"]
        return f"{value:.6g}" if isinstance(value, float) and len(exact) > _CONSTANT_LENGTH else exact
    if node.value is not None:
        known = type(node.value).__name__
        return known if node.op is SOURCE else f"{node.op.name} {known}"
    if node.op is OUTPUT:
        return f"{node.args[0].op.name} output {params['index']}"
    if node.op is KERNEL:
        return f"kernel: {params['kernel']}"
    if node.op is SLIDING:
        return f"sliding: {params['sliding']}"
    told = ("None", "False", str(node.dtype), str(node.shape))
    words = [node.op.name]
    for name, text in params.items():
        if name == "key":
            words.append(f"[{_key(node.params['key'], node.args[0].shape)}]")
        elif text not in told:
            words.append(f"{name}={text}")
    label = " ".join(words)
    return label if len(label) <= _LABEL_LENGTH else label[: _LABEL_LENGTH - 1] + "…"


def _key(key: Iterable[Any], shape: Sequence[int | None]) -> str:
    """An index as people write it: without ends and steps that say nothing."""
    sides = iter(shape)
    words = []
    for entry in key:
        side = None if entry is None else next(sides, None)
        if isinstance(entry, slice):
            words.append(_slice(entry, side))
        else:
            words.append(str(entry))
            if isinstance(entry, str):  # an index array, and a mask takes any number of axes
                sides = iter(())
    while len(words) > 1 and words[-1] == ":":
        words.pop()
    return ", ".join(words)


def _slice(entry: slice, side: int | None) -> str:
    step = 1 if entry.step is None else entry.step
    start = "" if entry.start is None or (step > 0 and entry.start == 0) else entry.start
    stop = "" if entry.stop is None or (step > 0 and entry.stop == side) else entry.stop
    return f"{start}:{stop}" if step == 1 else f"{start}:{stop}:{step}"
