"""What is known of a kernel before it runs: whether it will be compiled, how its results lie, and its memory."""

from __future__ import annotations

import importlib.util
import math
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

from lazyxp import options
from lazyxp.executors.numpy import interpreter, lengths, threads
from lazyxp.executors.numpy.kernels import reports_errors
from lazyxp.executors.numpy.llvm import compiler, runtime
from lazyxp.executors.numpy.llvm.course import course_of, inputs_of, operands_of
from lazyxp.executors.numpy.llvm.lower import Unprintable
from lazyxp.executors.numpy.llvm.printer import scratch_bytes
from lazyxp.executors.numpy.memory_order import empty_in_order, memory_order
from lazyxp.kernel import Joined, Kernel
from lazyxp.sliding import Sliding
from lazyxp.strides import Layout, layout_of, new

# A kernel is looked at for so many ways in which its operands lie in memory; then it begins anew.
_MOST = 64
# Putting the parts of a variance together takes so many times the bytes of their squares: of real numbers, and complex.
_REAL, _COMPLEX = 5, 7


class Outlook(NamedTuple):
    """How a kernel will run.

    Attributes
    ----------
    interpreted : str
        Why it is not compiled; empty if it is.
    held : int
        The bytes that a run takes on top of its results, for all threads together.
    each : int
        The bytes that each thread takes on top of that.
    threads : int
        The most threads that it runs on, where they take memory of their own.
    """

    interpreted: str
    held: int
    each: int = 0
    threads: int = 1


def outlook(kernel: Kernel, operands: Sequence[Layout], joined: Joined | None = None) -> Outlook:
    """How a kernel will run on such operands, as the options are now; unknown lengths count as 0."""
    reason = why_interpreted()
    known = _known.setdefault(kernel, {})
    key = bool(reason), tuple([x.strides for x in operands]), joined
    found = known.get(key)
    if found is None:
        if len(known) >= _MOST:
            known.clear()
        if kernel.unknown:
            found = Outlook(outlook(*lengths.stand_in(kernel, operands)).interpreted, 0)
        else:
            found = _interpreted(kernel, operands) if reason else _compiled(kernel, operands, joined)
        known[key] = found
    return found._replace(interpreted=reason) if reason else found


def why_interpreted() -> str:
    """Why no kernel is compiled, whatever it computes; empty if kernels are."""
    if options.current().kernels == "interpreted":
        return "kernels='interpreted' is set"
    if reports_errors():
        return "NumPy is set to raise or report floating-point errors, which compiled code does not notice"
    return why_no_code()


def why_no_code() -> str:
    """Why there is no code for any kernel here; empty if there is."""
    if compiler.is_available():
        return ""
    missing = importlib.util.find_spec("llvmlite") is None
    return "llvmlite is not installed (pip install llvmlite)" if missing else "llvmlite does not work on this machine"


def sliding_outlook(sliding: Sliding, operands: Sequence[Layout]) -> Outlook:
    """How kernels will run together on such operands, as the options are now; `each` is 0 if they do not."""
    course = None if why_interpreted() else course_of(sliding, operands)
    if course is not None:
        parts = sum([math.prod(shape) * dtype.itemsize for part in course.parts for shape, dtype in part.case.partials])
        each = sum(course.buffers)
        each += sum([_scratch(part.case) for part in course.parts])
        return Outlook("", parts, each, course.portions)
    own, _ = operands_of(sliding, operands)
    passed_on, most, reason = 0, 0, ""
    for stage, arrays in zip(sliding.stages, own, strict=True):
        found = outlook(stage.kernel, inputs_of(stage, arrays))
        most, reason = max(most, passed_on + workspace(found)), reason or found.interpreted
        passed_on += sum([x.nbytes for x in arrays[len(stage.reads) :]])
    return Outlook(reason, most)


def sliding_results(sliding: Sliding, operands: Sequence[Layout]) -> Any:
    """How each result lies in memory, or the only one."""
    own, _ = operands_of(sliding, operands)
    made = [layout_of(x) for x in own[-1][len(sliding.stages[-1].reads) :]]
    return tuple(made) if len(made) > 1 else made[0]


def workspace(found: Outlook) -> int:
    """The bytes that a run takes at a time on top of its results."""
    return found.held + found.each * min(found.threads, threads.limit() if found.threads > 1 else 1)


def results(kernel: Kernel, operands: Sequence[Layout], joined: Joined | None) -> Any:
    """How each result lies in memory, or the only one; in C order, without elements, where a length is unknown."""
    nodes = kernel.kept
    if kernel.unknown:
        kernel, operands = lengths.stand_in(kernel, operands)
    order = memory_order(kernel, operands)
    kept = [kernel.body[number - len(kernel.inputs)] for number in kernel.outputs]
    made = [
        layout_of(empty_in_order(one.node.shape, one.axes, order, one.node.dtype, runtime.no_memory))
        if None not in node.shape
        else new(node.shape, node.dtype)
        for one, node in zip(kept, nodes, strict=True)
    ]
    if joined is not None:
        own = {place.result: one for place, one in zip(joined.places, made, strict=True) if place.axis is None}
        made = [own.get(r) or new(one.shape, one.dtype) for r, one in enumerate(joined.results)]
    return tuple(made) if len(made) > 1 else made[0]


def stand_ins(joined: Joined | None) -> list[Any] | None:
    """Arrays that lie as the parts of joined arrays do that outputs are written into; None for other outputs."""
    if joined is None:
        return None
    whole = [runtime.no_memory(one.shape, one.dtype) for one in joined.results]  # type: ignore[arg-type]
    return [None if place.axis is None else whole[place.result][place.key] for place in joined.places]


# Forgotten with the kernels, which nothing here refers to.
_known: weakref.WeakKeyDictionary[Kernel, dict[Any, Outlook]] = weakref.WeakKeyDictionary()


def _interpreted(kernel: Kernel, operands: Sequence[Layout], reason: str = "") -> Outlook:
    return Outlook(reason, interpreter.scratch(kernel, operands))


def _compiled(kernel: Kernel, operands: Sequence[Layout], joined: Joined | None) -> Outlook:
    try:
        case = runtime.case_of(kernel, operands, stand_ins(joined))
        scratch = _scratch(case)
    except Unprintable as error:
        return _interpreted(kernel, operands, f"there is no code for {error}")
    parts = [math.prod(shape) * dtype.itemsize for shape, dtype in case.partials]
    finishing = 0
    for finish in case.lowered.finishes:
        first, last = finish.partials[0], finish.partials[-1]
        if finish.instruction.node.op.name in ("var", "std"):
            needed = parts[last] * (_COMPLEX if case.partials[first][1].kind == "c" else _REAL)
        else:
            needed = parts[first] // 2
        finishing = max(finishing, needed)
    return Outlook("", sum(parts) + finishing, scratch, case.pieces if case.is_shared and scratch else 1)


def _scratch(case: runtime.Case) -> int:
    """The bytes that each thread keeps values in."""
    return sum(scratch_bytes(runtime.printed_kernel(case.lowered).scratch, case.lowered.form, case.space))
