"""Plans: the steps that compute a graph, in order, with the lifetime of every buffer.

A plan is what executors run. Buffers are numbered slots; a step reads slots, writes one, and names those that nobody
reads after it. A plan holds no data: it serves every graph of its structure, whose leaves it is bound to for a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lazyxp.node import INPUT, OUTPUT, Node, walk

# Ops whose NumPy result may share memory with their first operand.
_ALIASING = frozenset(
    (
        "getitem",
        "real",
        "imag",
        "astype",
        "conj",
        "positive",
        "ceil",
        "floor",
        "round",
        "trunc",
        "linalg.matrix_power",
        OUTPUT.name,
    )
)


class Step(NamedTuple):
    """Run `node`'s op on the slots `inputs` and put the result into slot `output`, then drop the slots `frees`.

    `reuses` says that the first input's buffer belongs to this run and is read by nobody else: it may be overwritten.
    """

    node: Node
    inputs: tuple[int, ...]
    output: int
    frees: tuple[int, ...]
    reuses: bool


class Plan(NamedTuple):
    """Sources to load into slots, steps to run, and the slots of the results.

    Attributes
    ----------
    sources : list of (int, Node)
        What is loaded into which slot: an input, which stands for one of `leaves`, or a scalar.
    steps : list of Step
        What runs, in order.
    outputs : list of int
        The slots of the results.
    shared : frozenset of int
        The positions of outputs whose memory belongs to a source or to another output as well.
    views : dict of int to int
        The positions of outputs that are views of a leaf, and which.
    size : int
        How many slots there are.
    leaves : sequence of Node
        Where this run's graph starts; see `bound`.
    recorded : sequence of Node
        The nodes of this run's graph: the `site` of a node in the plan is the place here of what it comes from.
    """

    sources: list[tuple[int, Node]]
    steps: list[Step]
    outputs: list[int]
    shared: frozenset[int]
    views: dict[int, int]
    size: int
    leaves: Sequence[Node] = ()
    recorded: Sequence[Node] = ()

    def bound(self, leaves: Sequence[Node], recorded: Sequence[Node]) -> Plan:
        """This plan for the graph that has these leaves and nodes."""
        return Plan(self.sources, self.steps, self.outputs, self.shared, self.views, self.size, leaves, recorded)

    def leaf(self, source: Node) -> Node:
        """What a source of the plan stands for."""
        return self.leaves[source.params["index"]] if source.op is INPUT else source

    def line(self, node: Node) -> str:
        """The user's line that recorded what `node` comes from."""
        return line_of(node, self.recorded)

    def located(self, node: Node) -> Node:
        """`node` with the user's line as its site."""
        return Node(node.op, node.args, node.params, node.shape, node.dtype, self.line(node))


def line_of(node: Node, recorded: Sequence[Node]) -> str:
    """The user's line that recorded what `node` of a template comes from."""
    return recorded[node.site].where if isinstance(node.site, int) else node.where


def build(roots: Sequence[Node]) -> Plan:
    """The plan that computes `roots` of a template."""
    order = walk(roots)
    slot = {node: i for i, node in enumerate(order)}
    outputs = [slot[node] for node in roots]
    owner = list(range(len(order)))
    last_use = [-1] * len(order)
    from_outside = set()
    sources = []
    computed = []
    for i, node in enumerate(order):
        if node.op.kind == "source":
            from_outside.add(i)
            sources.append((i, node))
            continue
        inputs = tuple([slot[a] for a in node.args])
        computed.append((i, node, inputs))
        for j in inputs:
            last_use[j] = i
        if inputs and (node.op.kind == "movement" or node.op.name in _ALIASING):
            owner[i] = owner[inputs[0]]
    for i in outputs:
        last_use[i] = len(order)
    group_use = last_use.copy()
    for i, first in enumerate(owner):
        group_use[first] = max(group_use[first], last_use[i])
    steps = []
    for i, node, inputs in computed:
        frees = tuple([j for j in dict.fromkeys(inputs) if last_use[j] == i])
        reuses = (
            node.op.name in ("setitem", "scatter")
            and owner[inputs[0]] == inputs[0]
            and inputs[0] not in from_outside
            and group_use[inputs[0]] == i
            and all(owner[j] != inputs[0] for j in inputs[1:])
        )
        steps.append(Step(node, inputs, i, frees, reuses))
    owners = [owner[i] for i in outputs]
    first_output = {i: k for k, i in reversed(list(enumerate(owners)))}
    shared = frozenset(k for k, i in enumerate(owners) if i in from_outside or first_output[i] != k)
    views = {k: order[i].params["index"] for k, i in enumerate(owners) if order[i].op is INPUT and outputs[k] != i}
    return Plan(sources, steps, outputs, shared, views, len(order))
