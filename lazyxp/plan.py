"""Plans: the steps that compute a graph, in order, with the lifetime of every buffer.

A plan is what executors run. Buffers are numbered slots; a step reads slots, writes one, and names those that nobody
reads after it. A plan holds no data: it serves every graph of its structure, whose leaves it is bound to for a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lazyxp.node import INPUT, OUTPUT, Node, Shape, walk
from lazyxp.schedule import SMALLEST, nbytes, scheduled

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
_JOINING = frozenset(("concat", "stack"))
# Kinds of ops whose outputs are arrays of their own.
_SEPARATE = frozenset(("kernel", "linalg"))


class Step(NamedTuple):
    """Run one op on what lies in some slots, and put the result into another.

    Attributes
    ----------
    node : Node
        What to run: its `op`, its static `params`, and the `shape` and `dtype` of the result.
    inputs : tuple of int
        The slots of the operands, in order.
    output : int
        The slot of the result: a tuple of arrays where the op has several outputs, of which steps of the op `output`
        pick one by ``params["index"]``.
    frees : tuple of int
        The slots that nobody reads after this step. An executor that keeps them is right, and holds more memory.
    reuses : bool
        Whether the first input's buffer was made by this run and is read by nobody else: an assignment (`setitem`,
        `scatter`) may overwrite it, or make a new array.
    into : int, optional
        The position of an input whose buffer an elementwise result may overwrite, for the same reason; it has the
        result's shape and dtype.
    """

    node: Node
    inputs: tuple[int, ...]
    output: int
    frees: tuple[int, ...]
    reuses: bool
    into: int | None = None


class Plan(NamedTuple):
    """Sources to load into slots, steps to run, and the slots of the results.

    A step reads slots that sources or steps before it have filled, and each slot is filled once. A buffer may be
    overwritten only as a step's `reuses` and `into` allow: all others are read again, belong to a source, or are shared
    with a view. A result may lie in the memory of its first operand where NumPy's may (`may_alias`); all others lie in
    memory of their own, which plans count on.

    Attributes
    ----------
    sources : list of (int, Node)
        What is loaded into which slot: an input, which stands for one of `leaves` (see `leaf`), or a scalar, which is a
        node of the op `constant` with ``params["value"]``.
    steps : list of Step
        What runs, in order.
    outputs : list of int
        The slots of the results.
    shared : frozenset of int
        The positions of outputs whose memory belongs to a source or to another output as well.
    views : dict of int to int
        The positions of outputs that are a leaf or a view of one, and which.
    size : int
        How many slots there are.
    leaves : sequence of Node
        Where this run's graph starts: the `value` of each is a native array of this backend or of another one, or an
        `External` that an op `read` asks for regions.
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


def build(roots: Sequence[Node], *, as_recorded: bool = False) -> Plan:
    """The plan that computes `roots` of a template: in the order as recorded, or in one that holds less memory."""
    order = walk(roots) if as_recorded else scheduled(roots)
    slot = {node: i for i, node in enumerate(order)}
    outputs = [slot[node] for node in roots]
    owner = list(range(len(order)))
    last_use = [-1] * len(order)
    from_outside = set()
    sources = []
    computed = []
    parts: dict[tuple[int, int], int] = {}
    for i, node in enumerate(order):
        kind = node.op.kind
        if kind == "source":
            from_outside.add(i)
            sources.append((i, node))
            continue
        inputs = tuple([slot[a] for a in node.args])
        computed.append((i, node, inputs))
        for j in inputs:
            last_use[j] = i
        if inputs and may_alias(node):
            if kind == "output" and node.args[0].op.kind in _SEPARATE:
                owner[i] = parts.setdefault((inputs[0], node.params["index"]), i)
            elif len(inputs) == 1 or node.op.name not in _JOINING:
                owner[i] = owner[inputs[0]]
    for i in outputs:
        last_use[i] = len(order)
    group_use = last_use.copy()
    for i, first in enumerate(owner):
        group_use[first] = max(group_use[first], last_use[i])
    large: dict[Shape, bool] = {}
    steps = []
    for i, node, inputs in computed:
        frees = tuple([j for j in dict.fromkeys(inputs) if last_use[j] == i])
        reuses = False
        into = None
        if frees:
            if node.op.kind == "elementwise":
                if not as_recorded and _may_overwrite(node) and _is_large(node, large):
                    for position, (j, arg) in enumerate(zip(inputs, node.args, strict=True)):
                        alike = group_use[j] == i and arg.dtype == node.dtype and arg.shape == node.shape
                        if alike and _is_free(j, inputs, owner, from_outside):
                            into = position
                            break
            elif node.op.name in ("setitem", "scatter"):
                first = inputs[0]
                reuses = group_use[first] == i and _is_free(first, inputs, owner, from_outside)
                reuses = reuses and first not in inputs[1:]
        steps.append(Step(node, inputs, i, frees, reuses, into))
    owners = [owner[i] for i in outputs]
    first_output = {i: k for k, i in reversed(list(enumerate(owners)))}
    shared = frozenset(k for k, i in enumerate(owners) if i in from_outside or first_output[i] != k)
    views = {k: order[i].params["index"] for k, i in enumerate(owners) if order[i].op is INPUT}
    return Plan(sources, steps, outputs, shared, views, len(order))


def may_alias(node: Node) -> bool:
    """Whether the result may lie in the memory of an operand; for other ops, plans count on it that it does not."""
    return node.op.kind == "movement" or node.op.name in _ALIASING


def _is_free(slot: int, inputs: tuple[int, ...], owner: list[int], from_outside: set[int]) -> bool:
    """Whether this run made the buffer in `slot`, and no other input is a view of it."""
    return owner[slot] == slot and slot not in from_outside and all(owner[k] != slot or k == slot for k in inputs)


def _may_overwrite(node: Node) -> bool:
    """Whether results have the same bits where they are written over an operand.

    NumPy multiplies complex numbers in another loop where the result overlaps an operand.
    """
    return not node.params and node.dtype.kind != "c"


def _is_large(node: Node, known: dict[Shape, bool]) -> bool:
    """Whether the result is worth being written where an operand was."""
    shape: Shape = node.shape
    found = known.get(shape)
    if found is None:
        found = known[shape] = nbytes(node) >= SMALLEST
    return found
