"""Graphs at later stages than the recorded one: as the optimizer leaves them, and as they run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lazyxp import planning
from lazyxp.evaluate import prepare
from lazyxp.looking.graph import to_networkx
from lazyxp.memory import usage
from lazyxp.node import INPUT, Node, graph_lock, walk
from lazyxp.plan import Plan

if TYPE_CHECKING:
    import networkx as nx


def at_stage(nodes: Sequence[Node], stage: str) -> nx.MultiDiGraph:
    """The graph of `nodes` after the optimizer, or its plan, for the backend and the level that the options say."""
    with graph_lock:
        executor, structure, planned, level = prepare(list(nodes), None, None)
        if stage == "optimized":
            roots = planning.optimized_graph(structure, executor, level).roots
            bound = _bound(walk(roots), planned.plan.bound(structure.leaves, structure.recorded))
            return to_networkx([bound[root] for root in roots])
        return _of_plan(planned.plan)


def _bound(order: Iterable[Node], plan: Plan) -> dict[Node, Node]:
    """For each node of a template the same on the leaves that it stands for, with the user's line."""
    found: dict[Node, Node] = {}
    for node in order:
        if node.op is INPUT:
            found[node] = plan.leaf(node)
        else:
            site = plan.recorded[node.site].site if isinstance(node.site, int) else node.site
            args = tuple([found[a] for a in node.args])
            found[node] = Node(node.op, args, node.params, node.shape, node.dtype, site)
    return found


def _of_plan(plan: Plan) -> nx.MultiDiGraph:
    """The steps of `plan` in order, and what they read."""
    by_slot = dict(plan.sources)
    by_slot.update((step.output, step.node) for step in plan.steps)
    bound = _bound(by_slot.values(), plan)
    graph = to_networkx([bound[by_slot[slot]] for slot in plan.outputs])
    used = usage(plan)
    held = {bound[node]: used.buffers[slot] for slot, node in by_slot.items()}
    for number, node in enumerate(walk([bound[by_slot[slot]] for slot in plan.outputs])):
        buffers = held[node]
        graph.nodes[number]["buffer"] = ", ".join(map(str, buffers)) if buffers else None
    return graph
