"""Running kernels: compiled where llvmlite is installed, interpreted where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lazyxp import options
from lazyxp.executors.base import Shortcut
from lazyxp.executors.numpy import interpreter, lengths
from lazyxp.executors.numpy.llvm import compiler, runtime
from lazyxp.executors.numpy.llvm import sliding as llvm_sliding
from lazyxp.kernel import KERNEL, Joined, Kernel
from lazyxp.node import CONSTANT, INPUT, OUTPUT
from lazyxp.plan import Plan
from lazyxp.sliding import Sliding, Window


def run_kernel(xp: Any, *arrays: Any, kernel: Kernel, joined: Joined | None = None) -> Any:
    """The outputs of `kernel`, or the arrays that they are parts of; the lowering of its op."""
    inputs = [np.asarray(a) for a in arrays]
    if joined is None:
        results = _outputs(kernel, inputs, None)
        return results if len(results) > 1 else results[0]
    count = len(kernel.inputs)
    whole = {p.result for p in joined.places if p.axis is None}
    held = [
        inputs[count + r] if r < joined.begun else None if r in whole else runtime.on_line(one.shape, one.dtype)  # type: ignore[arg-type]
        for r, one in enumerate(joined.results)
    ]
    into = [None if p.axis is None else held[p.result][p.key] for p in joined.places]  # type: ignore[index]
    for place, output in zip(joined.places, _outputs(kernel, inputs[:count], into), strict=True):
        if place.axis is None:
            held[place.result] = output
    return tuple(held) if len(held) > 1 else held[0]


def run_sliding(xp: Any, *arrays: Any, sliding: Sliding) -> Any:
    """The outputs of kernels that run together; the lowering of their op."""
    inputs = [np.asarray(a) for a in arrays]
    results: Sequence[Any] | None = None
    if _compiles():
        results = llvm_sliding.runner(sliding).run(inputs)
    if results is None:
        results = _one_after_the_other(sliding, inputs)
    return results if len(results) > 1 else results[0]


def _one_after_the_other(sliding: Sliding, inputs: Sequence[Any]) -> Sequence[Any]:
    """The outputs of the last kernel; what the others pass on is held whole."""
    made: list[Sequence[Any]] = []
    for kernel, reads in sliding.stages:
        own = [made[read.stage][read.output][read.key] if isinstance(read, Window) else inputs[read] for read in reads]
        made.append(_outputs(kernel, own, None))
    return made[-1]


def _compiles() -> bool:
    """Whether kernels are compiled as things are."""
    return options.current().kernels != "interpreted" and compiler.is_available() and not reports_errors()


def _outputs(kernel: Kernel, inputs: Sequence[Any], into: Sequence[Any] | None) -> Sequence[Any]:
    """The outputs of `kernel`, written `into` memory where that is given."""
    if kernel.unknown:
        found = lengths.of_these_lengths(kernel, inputs)
        if found is None:
            return lengths.one_by_one(kernel, inputs, into)
        kernel = found
    if _compiles():
        results = runtime.runner(kernel).run(inputs, into)
        if results is not None:
            return results
    return interpreter.run(kernel, inputs, into)


def reports_errors() -> bool:
    """Whether NumPy is set to do more than to warn of division by zero and the like: compiled code does not notice."""
    global _seen
    setting = None if _setting is None else _setting.get()
    if setting is None or setting is not _seen[0]:
        _seen = setting, not _QUIET.issuperset(np.geterr().values())
    return _seen[1]


_QUIET = frozenset(("ignore", "warn"))
# Where NumPy holds what it is set to, an object that is another one after every change: to ask it takes longer than a
# small kernel. None where it holds that somewhere else.
_setting = getattr(getattr(getattr(np, "_core", None), "umath", None), "_extobj_contextvar", None)
_seen: tuple[Any, bool] = None, False


def kernel_shortcut(plan: Plan, arguments: Mapping[int, int]) -> Shortcut | None:
    """What runs a plan that is one kernel of arguments and scalars, and gives all its outputs once.

    `arguments` are the numbers of the arrays that leaves of the plan stand for.
    """
    if not plan.steps or plan.shared:
        return None
    first, *rest = plan.steps
    if first.node.op is not KERNEL or any(step.node.op is not OUTPUT for step in rest):
        return None
    if "joined" in first.node.params:
        return None
    kernel = first.node.params["kernel"]
    if kernel.unknown:
        return None
    held: dict[int, Any] = {}
    place: dict[int, int] = {}
    for slot, source in plan.sources:
        leaf = plan.leaf(source)
        if source.op is INPUT and source.params["index"] in arguments:
            place[slot] = arguments[source.params["index"]]
        elif leaf.op is CONSTANT:
            held[slot] = np.asarray(leaf.params["value"], dtype=leaf.dtype)
        elif type(leaf.value) is np.ndarray:
            held[slot] = leaf.value
        else:
            return None
    produced = {first.output: 0} if len(kernel.outputs) == 1 else {s.output: s.node.params["index"] for s in rest}
    if any(slot not in produced for slot in plan.outputs):
        return None
    chosen = [produced[slot] for slot in plan.outputs]
    runner = runtime.runner(kernel)
    from_arrays = [(i, place[slot]) for i, slot in enumerate(first.inputs) if slot in place]
    template: list[Any] = [held.get(slot) for slot in first.inputs]

    def run(arrays: Sequence[Any]) -> list[Any]:
        inputs = template.copy()
        for i, number in from_arrays:
            inputs[i] = arrays[number]
        results = None if reports_errors() else runner.run(inputs)
        if results is None:
            results = interpreter.run(kernel, inputs)
        return [results[k] for k in chosen]

    return run
