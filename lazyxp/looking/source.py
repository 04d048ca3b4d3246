"""The source of kernels: a listing that belongs to no backend, LLVM IR, and assembly."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from lazyxp.errors import BackendUnavailable
from lazyxp.kernel import NO_AXIS, Axes, Joined, Kernel, reduces
from lazyxp.looking.wording import call, params_of
from lazyxp.strides import Layout

# Axes are i, j, k ... as people write sums; e and o are left out, which look like numbers.
_LETTERS = "ijklmnpqrstuvwxyzabcdfgh"


class KernelStep(NamedTuple):
    """A kernel of a plan.

    Attributes
    ----------
    heading : str
        The step.
    interpreted : str
        Why it is not compiled; empty if it is.
    kernel : Kernel
        What it computes.
    joined : Joined or None
        The arrays that its outputs are parts of.
    names : tuple of str
        What the step calls its operands.
    operands : list of Layout
        How they lie in memory.
    into : list of array, optional
        Arrays that lie as the buffers do that outputs are written into.
    """

    heading: str
    interpreted: str
    kernel: Kernel
    joined: Joined | None
    names: tuple[str, ...]
    operands: list[Layout]
    into: list[Any] | None = None

    @property
    def runs(self) -> str:
        """Whether it is compiled, and why not."""
        how = f"interpreted, as {self.interpreted}" if self.interpreted else "compiled"
        if not self.kernel.unknown:
            return how
        return f"op by op below {max(2, self.kernel.smallest):,} elements, else {how}"


def source(steps: Sequence[KernelStep], form: str) -> str:
    """The source of kernels, each with the step as its heading."""
    if form not in _FORMS:
        raise ValueError(f"source: form={form!r} is none of {', '.join(map(repr, _FORMS))}")
    comment, write = _FORMS[form]
    return "\n".join([f"{comment}{step.heading}\n{comment}{step.runs}\n{write(step)}" for step in steps])


# --- a listing -------------------------------------------------------------------------------------------------------


def _listing(step: KernelStep) -> str:
    kernel = step.kernel
    lines = [f"  axes: {', '.join([_axis(kernel, a) for a in range(len(kernel.lengths))]) or 'none'}", "  inputs:"]
    for i, (name, axes, x) in enumerate(zip(step.names, kernel.inputs, step.operands, strict=False)):
        given = f"{name} of the plan" if name.startswith("%") else name
        lines.append(f"    %{i} = {given}  {_described(x.dtype, axes)}{_lies(x)}")
    lines.append("  body:")
    for i, one in enumerate(kernel.body, len(kernel.inputs)):
        params = params_of(one.node)
        if reduces(one.node):
            params = {k: v for k, v in params.items() if k not in ("axis", "keepdims")}
        over = f" over {', '.join(map(_letter, one.reduced))}" if one.reduced else ""
        called = call(one.node.op.name, [f"%{a}" for a in one.args], params)
        lines.append(f"    %{i} = {called}{over}  {_described(one.node.dtype, one.axes)}")
    lines.append(f"  outputs: {', '.join([f'%{number}{_placed(step, k)}' for k, number in enumerate(kernel.outputs)])}")
    return "\n".join(lines) + "\n"


def _placed(step: KernelStep, output: int) -> str:
    """Which part of a joined array an output is."""
    place = None if step.joined is None else step.joined.places[output]
    if place is None or place.axis is None:
        return ""
    key = [str(place.start) if place.stop is None else f"{place.start}:{place.stop}"]
    return f" in result {place.result}[{', '.join([*[':'] * place.axis, *key])}]"


def _axis(kernel: Kernel, axis: int) -> str:
    whole = "" if axis in kernel.cut else " (never cut)"
    length = "?" if axis in kernel.unknown else f"{kernel.lengths[axis]:,}"
    return f"{_letter(axis)} of {length}{whole}"


def _letter(axis: int) -> str:
    if axis == NO_AXIS:
        return "1"
    turn, place = divmod(axis, len(_LETTERS))
    return f"{_LETTERS[place]}{turn or ''}"


def _described(dtype: object, axes: Axes) -> str:
    return f"{dtype}[{', '.join(map(_letter, axes))}]"


def _lies(x: Layout) -> str:
    """How an operand lies in memory, where there is something to say."""
    if math.prod(x.shape) < 2:
        return ""
    if x.in_rows:
        return "  in C order"
    if x.in_columns:
        return "  in Fortran order"
    return f"  strides of {', '.join(map(str, x.strides))} bytes"


# --- code ------------------------------------------------------------------------------------------------------------


def _code(step: KernelStep, form: str) -> str:
    """The LLVM IR; empty where there is none."""
    from lazyxp.executors.numpy import lengths
    from lazyxp.executors.numpy.llvm import runtime
    from lazyxp.executors.numpy.llvm.lower import Unprintable
    from lazyxp.executors.numpy.outlook import stand_ins, why_no_code

    reason = why_no_code()
    if reason:
        raise BackendUnavailable(f"source: {form!r} is what kernels are compiled from or to, and {reason}")
    kernel, operands = step.kernel, step.operands
    if kernel.unknown:
        kernel, operands = lengths.stand_in(kernel, operands)
    try:
        case = runtime.case_of(kernel, operands, step.into or stand_ins(step.joined), streams=not step.into)
        return runtime.printed_kernel(case.lowered).text
    except Unprintable:
        return ""


def _assembly(step: KernelStep) -> str:
    from lazyxp.executors.numpy.llvm import compiler

    text = _code(step, "assembly")
    return compiler.assembly(text) if text else ""


# For each form, what comments begin with, and what writes it.
_FORMS: Mapping[str, tuple[str, Callable[[KernelStep], str]]] = {
    "text": ("", _listing),
    "llvm": ("; ", lambda step: _code(step, "llvm")),
    "assembly": ("# ", _assembly),
}
