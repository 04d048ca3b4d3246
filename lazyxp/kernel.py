"""Kernels: many ops as one step, computed block by block so that nothing but results is ever held whole.

A kernel says what is computed and along which axes it may be cut into blocks; executors decide how. Its axes are those
of all its values together: each value names the axis of each of its dimensions.
"""

from __future__ import annotations

import math
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
    in the body reads: blocks are independent of each other, up to the reductions' combination.

    Attributes
    ----------
    lengths : tuple of int
        The length of each axis, outermost first.
    cut : tuple of int
        The axes that may be cut; the others are whole in every block.
    inputs : tuple of (tuple of int)
        The axes of each operand's dimensions.
    body : tuple of Instruction
        What is computed, in order.
    outputs : tuple of int
        The numbers of the values that are kept.
    """

    __slots__ = ("__weakref__", "body", "cut", "inputs", "lengths", "outputs")

    def __init__(
        self,
        lengths: tuple[int, ...],
        cut: Axes,
        inputs: tuple[Axes, ...],
        body: tuple[Instruction, ...],
        outputs: tuple[int, ...],
    ) -> None:
        self.lengths = lengths
        self.cut = cut
        self.inputs = inputs
        self.body = body
        self.outputs = outputs

    def __repr__(self) -> str:
        names = [instruction.node.op.name for instruction in self.body]
        return " ".join(names if len(names) <= 8 else [*names[:3], f"... {len(names) - 6} more ...", *names[-3:]])

    @property
    def kept(self) -> tuple[Node, ...]:
        """The nodes whose values are the outputs, in order."""
        first = len(self.inputs)
        return tuple(self.body[number - first].node for number in self.outputs)

    def largest(self) -> int:
        """How many elements the largest value of the kernel would have if it were held."""
        sizes = [math.prod(self.lengths[a] for a in (*i.axes, *i.reduced) if a != NO_AXIS) for i in self.body]
        return max(sizes, default=0)


_FAILED = "lazyxp_instruction"


def blame(error: Exception, one: Instruction) -> None:
    """Note that `one` raised `error`; see `failed_node`."""
    vars(error)[_FAILED] = one


def failed_node(node: Node, error: Exception) -> Node:
    """What raised `error` when `node` ran: `node`, or the op in the body of a kernel."""
    one: Instruction | None = vars(error).pop(_FAILED, None)
    if one is None or node.op is not KERNEL:
        return node
    values = [*node.args, *[other.node for other in node.params["kernel"].body]]
    plain = one.node
    return Node(plain.op, tuple([values[a] for a in one.args]), plain.params, plain.shape, plain.dtype, plain.site)


def _infer(*args: Meta, kernel: Kernel) -> Inferred:
    metas = tuple(Meta(node.shape, node.dtype) for node in kernel.kept)
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
