"""Kernels of unknown lengths: made for the lengths that they meet when they run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.executors import registry
from lazyxp.executors.numpy.llvm import compiler
from lazyxp.executors.numpy.llvm.lower import Lowered
from lazyxp.executors.numpy.llvm.runtime import Runner
from lazyxp.kernel import Kernel, blame
from lazyxp.strides import Layout, new

Array = np.ndarray[Any, Any]

# A kernel is kept for so many different lengths; then it begins anew.
_MOST = 16
# Where there is no data yet, unknown lengths together stand for at most 2 to this power of elements.
_STAND_IN = 40


class _Made(NamedTuple):
    """What was made of a kernel: those by lengths, None for few elements, and what they were lowered to."""

    known: dict[tuple[int, ...], Kernel | None]
    lowered: dict[Any, Lowered]


def of_these_lengths(kernel: Kernel, inputs: Sequence[Array]) -> Kernel | None:
    """The kernel for inputs of these lengths; None where its ops had better run one by one.

    With one element or none, operands are stretched and reductions fail as NumPy has it.
    """
    met: dict[int, int] = dict.fromkeys(kernel.unknown, -1)
    for x, axes in zip(inputs, kernel.inputs, strict=True):
        for n, axis in zip(x.shape, axes, strict=True):
            if axis in met:
                if met[axis] not in (-1, n):
                    return None  # what code would read is not there
                met[axis] = n
    if kernel.runner is None:
        kernel.runner = _Made({}, {})
    made: _Made = kernel.runner
    key = tuple(met.values())
    try:
        return made.known[key]
    except KeyError:
        if len(made.known) >= _MOST:
            made.known.clear()
        lengths = tuple([met.get(a, n) for a, n in enumerate(kernel.lengths)])
        found = None
        if min(key) > 1 and kernel.largest(lengths) >= kernel.smallest:
            found = kernel.of_lengths(lengths)
            if compiler.is_available():
                found.runner = Runner(found, made.lowered)
        made.known[key] = found
        return found


def one_by_one(kernel: Kernel, inputs: Sequence[Array], into: Sequence[Array | None] | None) -> list[Array]:
    """The outputs of a kernel, each written `into` memory where that is given, whose ops NumPy runs one by one."""
    implementation = registry.get("numpy").implementation  # type: ignore[attr-defined]
    values: list[Any] = [*inputs]
    last = {a: i for i, one in enumerate(kernel.body) for a in one.args}
    for i, one in enumerate(kernel.body):
        node = one.node
        try:
            values.append(implementation(node.op.name)(*[values[a] for a in one.args], **node.params))
        except Exception as error:
            blame(error, one)
            raise
        for a in one.args:
            if last[a] == i and a >= len(inputs) and a not in kernel.outputs:
                values[a] = None
    outputs: list[Array] = []
    for number, given in zip(kernel.outputs, into or [None] * len(kernel.outputs), strict=True):
        output = np.asarray(values[number])
        if given is not None:
            given[...] = output
            output = given
        elif not output.flags.owndata or any([output is other for other in values[:number]]):
            output = output.copy()  # what views show belongs to somebody else
        outputs.append(output)
    return outputs


def stand_in(kernel: Kernel, operands: Sequence[Layout]) -> tuple[Kernel, list[Layout]]:
    """A kernel and its operands of lengths such as it may meet."""
    most = 1 << _STAND_IN // len(kernel.unknown)
    lengths = tuple([min(n, most) if a in kernel.unknown else n for a, n in enumerate(kernel.lengths)])
    made = []
    for x, axes in zip(operands, kernel.inputs, strict=True):
        found = any([a in kernel.unknown for a in axes])
        made.append(new([lengths[a] if a >= 0 else 1 for a in axes], x.dtype) if found else x)
    return kernel.of_lengths(lengths), made
