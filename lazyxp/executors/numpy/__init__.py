"""The NumPy executor."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyxp import options
from lazyxp.executors.array_api import ArrayAPIExecutor, only_calls
from lazyxp.executors.base import Shortcut, Status
from lazyxp.executors.numpy.kernels import kernel_shortcut
from lazyxp.executors.numpy.llvm import compiler
from lazyxp.executors.numpy.llvm.lower import printable
from lazyxp.executors.numpy.lowerings import LOWERINGS, write_into
from lazyxp.kernel import is_along_rows
from lazyxp.node import CONSTANT, Node
from lazyxp.plan import Plan, Step


class NumPyExecutor(ArrayAPIExecutor):
    """Runs plans on NumPy: the default, and the oracle of the others."""

    lowerings = LOWERINGS

    def __init__(self) -> None:
        import array_api_compat.numpy

        super().__init__(array_api_compat.numpy, "numpy")

    def fuses(self, node: Node) -> bool:
        """Whether the compiler of kernels knows `node`; the interpreter knows all but is slow at some."""
        if compiler.is_available():
            return printable(node)
        return node.op.kind != "scan" or is_along_rows(node)  # NumPy is quick along the others, and blocks are not

    def compiles(self) -> bool:
        """Whether kernels are compiled."""
        return compiler.is_installed()

    def identity(self) -> str | None:
        """The versions of NumPy and of the compiler, and the processor; None where kernels are not compiled."""
        if type(self) is not NumPyExecutor or not compiler.is_available():
            return None
        import array_api_compat

        return f"numpy {np.__version__} {array_api_compat.__version__} {compiler.target_name()}"

    def shortcut(self, plan: Plan, arguments: Sequence[tuple[int, int]]) -> Shortcut | None:
        """What runs a plan that is one kernel."""
        compiles = options.current().kernels != "interpreted" and compiler.is_available()
        return kernel_shortcut(plan, dict(arguments)) if compiles else None

    def run(self, plan: Plan, *, keep: bool, **options: Any) -> list[Any]:
        """Run `plan`; where results may be views of sources, as reshapes may, only those that are get copied."""
        if keep or not plan.shared:
            return super().run(plan, keep=keep, **options)
        results = super().run(plan._replace(shared=frozenset()), keep=False, **options)
        for k in plan.shared:
            others = [leaf.value for leaf in plan.leaves] + results[:k] + results[k + 1 :]
            if any(x is not None and _may_share(results[k], x) for x in others):
                results[k] = results[k].copy()
        return results

    @only_calls
    def execute(self, step: Step, arrays: list[Any]) -> Any:
        """The result of one step; it overwrites a buffer that nobody else reads where it can."""
        node, _, _, _, reuses, into = step
        if reuses:
            return write_into(*arrays, **node.params)
        if into is not None:
            function = self.implementation(node.op.name)
            if isinstance(function, np.ufunc) and _lie_alike(arrays, arrays[into]):
                return function(*arrays, out=arrays[into])
        return super().execute(step, arrays)

    def load(self, node: Node) -> Any:
        """The array of a source or constant."""
        if node.op is CONSTANT:
            return np.asarray(node.params["value"], dtype=node.dtype)
        return node.value if type(node.value) is np.ndarray else super().load(node)

    def dtype(self, dtype: np.dtype[Any], node: Node) -> Any:
        """NumPy's dtypes are the recorded ones."""
        return dtype

    def owns(self, value: Any) -> bool:
        """Whether `value` is a NumPy array or scalar."""
        return isinstance(value, (np.ndarray, np.generic))

    def from_numpy(self, value: np.ndarray[Any, Any]) -> Any:
        """`value` itself."""
        return value

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """`value` itself."""
        return np.asarray(value)

    def hold(self, value: Any) -> Any:
        """The result as an array: NumPy's 0-d results are scalars."""
        return np.asarray(value)

    def deliver(self, value: Any, shared: bool) -> Any:
        """The result as an array of the caller's own."""
        array = np.asarray(value)
        return array.copy() if shared or not array.flags.writeable else array


def _may_share(array: Any, other: Any) -> bool:
    """Whether memory of `array` is that of `other`, as far as NumPy knows the memory of that."""
    return not isinstance(other, np.ndarray) or np.may_share_memory(array, other)


def _lie_alike(arrays: list[Any], target: Any) -> bool:
    """Whether all are scalars or lie in memory as `target`, in rows: then bits do not depend on where results go."""
    if not isinstance(target, np.ndarray) or not target.flags.writeable:
        return False
    return all(np.ndim(a) == 0 or (a.shape == target.shape and a.flags.c_contiguous) for a in arrays)


def executor() -> NumPyExecutor:
    """The executor."""
    return NumPyExecutor()


def status() -> Status:
    """NumPy is always there."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Status(True, version=np.__version__, devices=(f"cpu ({cores} cores)",))
