"""Plans: the steps that compute a graph, in order, with the lifetime of every buffer.

A plan is what executors run. Buffers are numbered slots; a step reads slots, writes one, and names those that nobody
reads after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lazyxp.node import CONSTANT, OUTPUT, SOURCE, Node, walk
from lazyxp.sources import is_shared

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

    `shared` holds the positions of outputs whose memory belongs to a source or to another output as well, `borrowed`
    those of views of an array that belongs to the user.
    """

    sources: list[tuple[int, Node]]
    steps: list[Step]
    outputs: list[int]
    shared: frozenset[int]
    borrowed: frozenset[int]
    size: int


def build(roots: Sequence[Node]) -> Plan:
    """The plan that computes `roots`."""
    order = walk(roots)
    slot = {node: i for i, node in enumerate(order)}
    outputs = [slot[node] for node in roots]
    owner = list(range(len(order)))
    last_use = [-1] * len(order)
    from_outside = set()
    sources = []
    computed = []
    for i, node in enumerate(order):
        if node.value is not None or node.op is CONSTANT:
            from_outside.add(i)
            if not node.several:
                sources.append((i, node))
            continue
        if node.op is OUTPUT and node.args[0].value is not None:
            from_outside.add(i)
            sources.append((i, _known_output(node)))
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
    borrowed = frozenset(k for k, i in enumerate(owners) if is_shared(order[i]) and outputs[k] != i)
    return Plan(sources, steps, outputs, shared, borrowed, len(order))


def _known_output(node: Node) -> Node:
    """The source that an output is once the results of its op are known."""
    value = node.args[0].value[node.params["index"]]
    return Node(SOURCE, (), {}, node.shape, node.dtype, node.site, value)
