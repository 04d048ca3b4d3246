"""Sliding: a kernel whose results are only read as windows by one other kernel runs together with that one."""

from __future__ import annotations

from lazyxp.kernel import KERNEL, reduces
from lazyxp.node import OUTPUT, Node
from lazyxp.optimizers.graph import Graph
from lazyxp.sliding import SLIDING, Sliding, Stage, Window, sliding_node

SLID = "sliding windows"
REWRITES = ((SLID, "rounding"),)

# More stages than this take long to look at, and hold many rows.
_MOST_STAGES = 16


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    order = graph.order()
    if not graph.supports(SLIDING) or [node.op for node in order].count(KERNEL) < 2:
        return graph.roots
    together = _together(graph, order)
    if not together:
        return graph.roots
    done: dict[Node, Node] = {}
    left_out = {node for kernels in together.values() for node in kernels[:-1]}
    for node in order:
        if node in together:
            done[node] = graph.fired(SLID, "rounding", node, _emitted(graph, together[node], done))
        elif node not in left_out and all(a in done for a in node.args):  # windows are left out, too
            done[node] = graph.remade(node, tuple([done[a] for a in node.args])) if node.args else node
    return [done[node] for node in graph.roots]


def _together(graph: Graph, order: list[Node]) -> dict[Node, list[Node]]:
    """The kernels that run together, in order, for the last one of them."""
    users: dict[Node, list[Node]] = {}
    for node in order:
        for arg in node.args:
            users.setdefault(arg, []).append(node)
    roots = set(graph.roots)
    last: dict[Node, Node] = {}
    found: dict[Node, list[Node]] = {}
    for node in reversed(order):
        if node.op is not KERNEL:
            continue
        kernels = _readers(node, users, roots)
        after = {last[kernel] for kernel in kernels or ()}
        if len(after) == 1 and _is_stage(node):
            (end,) = after
            longer = [node, *found[end]]
            if len(longer) <= _MOST_STAGES and _slides(longer):
                last[node], found[end] = end, longer
                continue
        last[node], found[node] = node, [node]
    return {end: kernels for end, kernels in found.items() if len(kernels) > 1}


def _readers(kernel: Node, users: dict[Node, list[Node]], roots: set[Node]) -> set[Node] | None:
    """The kernels that read what `kernel` computes, or windows of it; None if anything else does."""
    found: set[Node] = set()
    todo = [kernel]
    while todo:
        node = todo.pop()
        if node in roots:
            return None
        for user in users[node]:
            if user.op is KERNEL and "joined" not in user.params:
                found.add(user)
            elif user.op is OUTPUT or _starts(user) is not None:
                todo.append(user)
            else:
                return None
    return found


def _is_stage(node: Node) -> bool:
    """Whether each element that a kernel computes depends on nothing but the elements at its place."""
    return "joined" not in node.params and all(
        one.node.op.kind != "scan" and not reduces(one.node) for one in node.params["kernel"].body
    )


def _slides(kernels: list[Node]) -> bool:
    if any(kernel.params["kernel"].unknown for kernel in kernels):
        return False
    sliding = Sliding(tuple(_stages(kernels)[0]))
    if sliding.kernel.scanned_on:
        return False  # each piece waits for the one before it
    return any(sliding.reaches(axis) is not None for axis in sliding.kernel.cut)


def _starts(node: Node) -> tuple[int, ...] | None:
    """Where a window of its argument begins; None if `node` is no window."""
    if node.op.name != "getitem" or len(node.args) > 1 or None in node.args[0].shape:
        return None
    (x,) = node.args
    key = node.params["key"]
    if len(node.shape) != len(x.shape) or any(type(e) is not slice or e.step not in (None, 1) for e in key):
        return None
    starts = [e.indices(n)[0] for e, n in zip(key, x.shape, strict=False) if n is not None]
    return (*starts, *[0] * (len(x.shape) - len(starts)))


def _stages(kernels: list[Node]) -> tuple[list[Stage], list[Node]]:
    """The stages that kernels are, and their arguments."""
    number = {kernel: i for i, kernel in enumerate(kernels)}
    arguments: dict[Node, int] = {}
    stages = []
    for kernel in kernels:
        reads: list[int | Window] = []
        for arg in kernel.args:
            node, starts = arg, (0,) * len(arg.shape)
            while (more := _starts(node)) is not None:
                node, starts = node.args[0], tuple([a + b for a, b in zip(starts, more, strict=True)])
            output = 0
            if node.op is OUTPUT:
                node, output = node.args[0], node.params["index"]
            if node in number:
                reads.append(Window(number[node], output, starts, arg.shape))
            else:
                reads.append(arguments.setdefault(arg, len(arguments)))
        stages.append(Stage(kernel.params["kernel"], tuple(reads)))
    return stages, list(arguments)


def _emitted(graph: Graph, kernels: list[Node], done: dict[Node, Node]) -> Node:
    """The node that kernels become which run together."""
    stages, arguments = _stages(kernels)
    return graph.intern(sliding_node(stages, tuple([done[arg] for arg in arguments]), kernels[-1]))
