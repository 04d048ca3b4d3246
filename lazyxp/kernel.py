"""Kernels: many ops as one step, computed block by block so that nothing but results is ever held whole.

A kernel says what is computed and along which axes it may be cut into blocks; executors decide how. Its axes are those
of all its values together: each value names the axis of each of its dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from lazyxp.node import Inferred, Meta, Node, Op, Shape

# The axis of dimensions of length 1, which are the same in every block.
NO_AXIS = -1

# For each dimension of a value, the axis that it lies along.
Axes = tuple[int, ...]


class Instruction(NamedTuple):
    """One op of a kernel's body.

    Attributes
    ----------
    node : Node
        The op, its parameters, and the shape and dtype of the whole result.
    args : tuple of int
        The numbers of the values it works on: inputs come first, then the results of the body in order.
    axes : tuple of int
        The axes of the result's dimensions.
    reduced : tuple of int
        The axes that a reduction reduces.
    """

    node: Node
    args: tuple[int, ...]
    axes: Axes
    reduced: Axes


class Kernel:
    """Several ops that run as one step.

    Every value has all axes of `cut` but those that a reduction has reduced, and such a value is an output that nothing
    in the body reads: blocks are independent of each other, up to the reductions' combination, and up to scans along
    axes of `cut`, which go on in each block from where the one before has come to.

    Attributes
    ----------
    lengths : tuple of int
        The length of each axis, outermost first; the most that it can be where that depends on data.
    cut : tuple of int
        The axes that may be cut; the others are whole in every block.
    inputs : tuple of (tuple of int)
        The axes of each operand's dimensions.
    body : tuple of Instruction
        What is computed, in order.
    outputs : tuple of int
        The numbers of the values that are kept.
    unknown : tuple of int
        The axes whose lengths are not known before the kernel runs; nodes then have shapes in which they are None.
    smallest : float
        With fewer elements it is better to run the ops of a kernel of unknown lengths one by one.
    runner : Any
        What an executor has made of it, to be forgotten with it.
    """

    __slots__ = ("__weakref__", "body", "cut", "inputs", "lengths", "outputs", "runner", "smallest", "unknown")

    def __init__(
        self,
        lengths: tuple[int, ...],
        cut: Axes,
        inputs: tuple[Axes, ...],
        body: tuple[Instruction, ...],
        outputs: tuple[int, ...],
        unknown: Axes = (),
        smallest: float = 0,
    ) -> None:
        self.lengths = lengths
        self.cut = cut
        self.inputs = inputs
        self.body = body
        self.outputs = outputs
        self.unknown = unknown
        self.smallest = smallest
        self.runner: Any = None

    def __repr__(self) -> str:
        names = [instruction.node.op.name for instruction in self.body]
        return " ".join(names if len(names) <= 8 else [*names[:3], f"... {len(names) - 6} more ...", *names[-3:]])

    @property
    def looked_up(self) -> tuple[int, ...]:
        """The axes that operands are indexed along: no value lies along them."""
        walked = {a for one in self.body for a in (*one.axes, *one.reduced)}
        return tuple([a for a in range(len(self.lengths)) if a not in walked])

    @property
    def scanned_on(self) -> frozenset[int]:
        """The axes of `cut` that scans go along, from one block to the next."""
        return frozenset([a for one in self.body for a in scanned(one)]).intersection(self.cut)

    @property
    def kept(self) -> tuple[Node, ...]:
        """The nodes whose values are the outputs, in order."""
        first = len(self.inputs)
        return tuple(self.body[number - first].node for number in self.outputs)

    def largest(self, lengths: tuple[int, ...] | None = None) -> int:
        """How many elements the largest value of the kernel, or of one of these lengths, would have if it were held."""
        lengths = self.lengths if lengths is None else lengths
        walked = {(one.axes, one.reduced) for one in self.body}
        return max([math.prod([lengths[a] for a in (*x, *y) if a != NO_AXIS]) for x, y in walked], default=0)

    def of_lengths(self, lengths: tuple[int, ...]) -> Kernel:
        """This kernel, when it is known that its axes have these lengths."""
        body = []
        for one in self.body:
            node, shape = one.node, tuple([1 if a == NO_AXIS else lengths[a] for a in one.axes])
            plain = Node(node.op, node.args, node.params, shape, node.dtype, node.site)
            body.append(one._replace(node=plain))
        return Kernel(lengths, self.cut, self.inputs, tuple(body), self.outputs)


class Place(NamedTuple):
    """Where an output of a kernel goes: which result, and which part of it if `axis` is given.

    The part is what lies from `start` to before `stop` along that axis, or at the index `start` if `stop` is None.
    """

    result: int
    axis: int | None = None
    start: int = 0
    stop: int | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """The key of the part: it gives a view, even where that is 0-d."""
        if self.axis is None:
            return (...,)
        return (*[slice(None)] * self.axis, self.start if self.stop is None else slice(self.start, self.stop), ...)


class Joined(NamedTuple):
    """How the outputs of a kernel are parts of arrays that it shares with others.

    Attributes
    ----------
    results : tuple of Meta
        The arrays.
    places : tuple of Place
        Where each output goes.
    begun : int
        So many of the results, the first, are arguments after the kernel's inputs: other parts are there already.
    """

    results: tuple[Meta, ...]
    places: tuple[Place, ...]
    begun: int


# Ops that find where something is along one axis, and are reductions in kernels.
POSITIONS = frozenset(("argmax", "argmin"))


def reduces(node: Node) -> bool:
    """Whether `node` is a reduction of its operand in a kernel."""
    return node.op.kind == "reduction" or node.op.name in POSITIONS


def reduced_dims(node: Node, ndim: int) -> tuple[int, ...]:
    """The dimensions of its operand that a reduction reduces."""
    axis = node.params["axis"]
    if node.op.name not in POSITIONS:
        return tuple(axis)
    return tuple(range(ndim)) if axis is None else (axis,)


def is_along_rows(scan: Node) -> bool:
    """Whether a scan goes along the last axis, but for those of length 1."""
    _, *others = scan.shape[scan.params["axis"] :]
    return set(others) <= {1}


def scanned(one: Instruction) -> Axes:
    """The axis along which an instruction adds up all that comes before each element."""
    return (one.axes[one.node.params["axis"]],) if one.node.op.kind == "scan" else ()


def operand_axes(one: Instruction, position: int, operand: Axes) -> Axes:
    """The axes that `one` takes the dimensions of an operand with these axes to lie along."""
    kind, name = one.node.op.kind, one.node.op.name
    if operand == one.axes and kind in ("elementwise", "cast"):
        return operand
    if name == "take":
        place = one.node.params["axis"]
        return (one.axes[place],) if position else (*one.axes[:place], operand[place], *one.axes[place + 1 :])
    if reduces(one.node):
        params = one.node.params
        along = reduced_dims(one.node, len(operand))
        kept, gone = iter(one.axes), iter(one.reduced)
        found = []
        for i, axis in enumerate(operand):
            inside = i in along
            own = next(kept) if params["keepdims"] or not inside else NO_AXIS
            found.append((NO_AXIS if axis == NO_AXIS else next(gone)) if inside else own)
        return tuple(found)
    if name == "permute_dims":
        place = dict(zip(one.node.params["axes"], one.axes, strict=True))
        return tuple([place[i] for i in range(len(operand))])
    if kind in ("elementwise", "cast") or name == "broadcast_to":
        axes = one.axes[len(one.axes) - len(operand) :]
        return tuple([NO_AXIS if own == NO_AXIS else a for a, own in zip(axes, operand, strict=True)])
    rest = iter([a for a in one.axes if a != NO_AXIS])
    return tuple([NO_AXIS if own == NO_AXIS else next(rest) for own in operand])


def unified(kernel: Kernel, args: Sequence[Node]) -> tuple[Kernel, tuple[Node, ...]]:
    """A kernel and its arguments with one axis for dimensions that are the same in all blocks.

    A reduction along whole axes has axes of its own for them, and what it reduces has them again where something else
    reads it. An argument that is then read along the same axes twice is one argument.
    """
    values = [*kernel.inputs, *[one.axes for one in kernel.body]]
    own = [
        pair
        for one in kernel.body
        for position, number in enumerate(one.args)
        for pair in zip(values[number], operand_axes(one, position, values[number]), strict=True)
    ]
    first: dict[Node, Axes] = {}
    apart = {*kernel.cut, *kernel.looked_up}
    read_again = [
        pair
        for arg, axes in zip(args, kernel.inputs, strict=True)
        for pair in zip(first.setdefault(arg, axes), axes, strict=True)
        if apart.isdisjoint(pair)
    ]
    found = _renamed(kernel, [*own, *read_again]) or _renamed(kernel, own) or kernel
    return _without_copies(found, args)


def _renamed(kernel: Kernel, pairs: Sequence[tuple[int, int]]) -> Kernel | None:
    """The kernel with one axis for each two that are the same; None if a value has both."""
    same: dict[int, int] = {}

    def root(axis: int) -> int:
        while axis in same:
            axis = same[axis]
        return axis

    for pair in pairs:
        a, b = map(root, pair)
        if a != b:
            same[max(a, b)] = min(a, b)
    if not same:
        return kernel
    kept = [a for a in range(len(kernel.lengths)) if a not in same]
    names = {a: kept.index(root(a)) for a in range(len(kernel.lengths))} | {NO_AXIS: NO_AXIS}

    def renamed(axes: Axes) -> Axes:
        return tuple([names[a] for a in axes])

    body = tuple([Instruction(one.node, one.args, renamed(one.axes), renamed(one.reduced)) for one in kernel.body])
    for axes in [*map(renamed, kernel.inputs), *[(*one.axes, *one.reduced) for one in body]]:
        present = [a for a in axes if a != NO_AXIS]
        if len(present) != len(set(present)):
            return None
    return Kernel(
        tuple([kernel.lengths[a] for a in kept]),
        tuple([names[a] for a in kernel.cut]),
        tuple(map(renamed, kernel.inputs)),
        body,
        kernel.outputs,
        tuple(dict.fromkeys(renamed(kernel.unknown))),
        kernel.smallest,
    )


def _without_copies(kernel: Kernel, args: Sequence[Node]) -> tuple[Kernel, tuple[Node, ...]]:
    """The kernel with one input for each argument and each way in which it is read."""
    inputs: dict[tuple[Node, Axes], int] = {}
    place = [inputs.setdefault(pair, len(inputs)) for pair in zip(args, kernel.inputs, strict=True)]
    gone = len(args) - len(inputs)
    if not gone:
        return kernel, tuple(args)

    def number(old: int) -> int:
        return place[old] if old < len(place) else old - gone

    body = tuple([Instruction(one.node, tuple(map(number, one.args)), one.axes, one.reduced) for one in kernel.body])
    outputs = tuple(map(number, kernel.outputs))
    own = tuple([axes for _, axes in inputs])
    made = Kernel(kernel.lengths, kernel.cut, own, body, outputs, kernel.unknown, kernel.smallest)
    return made, tuple([arg for arg, _ in inputs])


_FAILED = "lazyxp_instruction"


def blame(error: Exception, one: Instruction) -> None:
    """Note that `one` raised `error`; see `failed_node`."""
    vars(error)[_FAILED] = one


def failed_node(node: Node, error: Exception) -> Node:
    """What raised `error` when `node` ran: `node`, or the op in the body of a kernel."""
    one: Instruction | None = vars(error).pop(_FAILED, None)
    if one is None or node.op.kind != KERNEL.kind:
        return node
    kernel, inputs = (
        (node.params["kernel"], node.args) if node.op is KERNEL else node.params["sliding"].stage_of(one, node)
    )
    values = [*inputs[: len(kernel.inputs)], *[other.node for other in kernel.body]]
    plain = one.node
    return Node(plain.op, tuple([values[a] for a in one.args]), plain.params, plain.shape, plain.dtype, plain.site)


def _infer(*args: Meta, kernel: Kernel, joined: Joined | None = None) -> Inferred:
    metas = tuple(Meta(node.shape, node.dtype) for node in kernel.kept) if joined is None else joined.results
    return metas if len(metas) > 1 else metas[0]


KERNEL = Op("kernel", "kernel", _infer)


def kernel_node(kernel: Kernel, args: tuple[Node, ...], site: Any) -> Node:
    """The node that runs `kernel`; it has several outputs only where the kernel has."""
    kept = kernel.kept
    shapes: tuple[Shape, ...] = tuple(node.shape for node in kept)
    dtypes = tuple(node.dtype for node in kept)
    several = len(kept) > 1
    return Node(
        KERNEL, args, {"kernel": kernel}, shapes if several else shapes[0], dtypes if several else dtypes[0], site
    )
