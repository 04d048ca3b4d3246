"""Sliding windows: kernels that read windows of what others compute run together, a few rows of each at a time.

An image is blurred, and then the differences of neighbours are taken: the second kernel needs three rows of what the
first one computes. Instead of the whole blurred image, those rows are held that are still needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from lazyxp.kernel import Axes, Instruction, Kernel, scanned
from lazyxp.node import Inferred, Meta, Node, Op


class Window(NamedTuple):
    """A part of what an earlier stage computes: from `starts` on, as large as `shape`."""

    stage: int
    output: int
    starts: tuple[int, ...]
    shape: tuple[int, ...]

    @property
    def key(self) -> tuple[slice, ...]:
        """The key of the part."""
        return tuple([slice(start, start + n) for start, n in zip(self.starts, self.shape, strict=True)])


class Stage(NamedTuple):
    """A kernel, and for each of its inputs the number of an argument, or a window of an earlier stage."""

    kernel: Kernel
    reads: tuple[int | Window, ...]


class Reach(NamedTuple):
    """The rows of a stage that some rows of the last stage need, and that are along `axis` of the stage's kernel.

    For the rows from `i` to before `k`, those from ``i + low`` to before ``k + high``.
    """

    axis: int
    low: int
    high: int


class Sliding:
    """Kernels that run together; the outputs are those of the last one.

    Attributes
    ----------
    stages : tuple of Stage
        Each comes after those that it reads. All but the last one compute element by element.
    runner : Any
        What an executor has made of it, to be forgotten with it.
    """

    __slots__ = ("__weakref__", "runner", "stages")

    def __init__(self, stages: tuple[Stage, ...]) -> None:
        self.stages = stages
        self.runner: Any = None

    def __repr__(self) -> str:
        return "; ".join([repr(stage.kernel) for stage in self.stages])

    @property
    def kernel(self) -> Kernel:
        """The last kernel."""
        return self.stages[-1].kernel

    def stage_of(self, one: Instruction, node: Node) -> tuple[Kernel, list[Node]]:
        """The kernel that has this instruction, and what it reads where `node` runs the stages."""
        kernel, reads = next(stage for stage in self.stages if any(own is one for own in stage.kernel.body))
        found = []
        for read in reads:
            if isinstance(read, Window):
                plain = self.stages[read.stage].kernel.kept[read.output]
                found.append(Node(plain.op, (), plain.params, read.shape, plain.dtype, plain.site))
            else:
                found.append(node.args[read])
        return kernel, found

    def reaches(self, axis: int) -> list[Reach] | None:
        """What each stage computes for rows along an axis of the last kernel; None if windows do not go along it."""
        if any(axis in scanned(one) for one in self.kernel.body):
            return None
        found: list[Reach | None] = [*[None] * (len(self.stages) - 1), Reach(axis, 0, 0)]
        for number in reversed(range(len(found))):
            own, (kernel, reads) = found[number], self.stages[number]
            if own is None:
                return None
            for axes, read in zip(kernel.inputs, reads, strict=True):
                if isinstance(read, int):
                    continue
                along = self._axis_of(read, axes, own.axis)
                if along is None:
                    return None
                start = read.starts[axes.index(own.axis)]
                reach, known = Reach(along, own.low + start, own.high + start), found[read.stage]
                if known is not None and known.axis != along:
                    return None
                found[read.stage] = reach if known is None else _both(known, reach)
        return [one for one in found if one is not None]

    def _axis_of(self, window: Window, axes: Axes, axis: int) -> int | None:
        """The axis along which a stage computes what is read along `axis` in a window with these axes."""
        if axis not in axes:
            return None
        kernel = self.stages[window.stage].kernel
        along = kernel.body[kernel.outputs[window.output] - len(kernel.inputs)].axes[axes.index(axis)]
        return along if along in kernel.cut else None


def _both(one: Reach, other: Reach) -> Reach:
    return Reach(one.axis, min(one.low, other.low), max(one.high, other.high))


def _infer(*args: Meta, sliding: Sliding) -> Inferred:
    metas = tuple([Meta(node.shape, node.dtype) for node in sliding.kernel.kept])
    return metas if len(metas) > 1 else metas[0]


SLIDING = Op("sliding", "kernel", _infer)


def sliding_node(stages: Sequence[Stage], args: tuple[Node, ...], last: Node) -> Node:
    """The node that runs these stages and gives what the kernel `last` does."""
    return Node(SLIDING, args, {"sliding": Sliding(tuple(stages))}, last.shape, last.dtype, last.site)
