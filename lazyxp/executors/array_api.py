"""The generic executor: runs a plan step by step on any Array API namespace."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np

from lazyxp.errors import UnsupportedOperation
from lazyxp.executors import registry
from lazyxp.executors.base import Executor, failure
from lazyxp.executors.lowerings import GENERIC, NOT_STANDARD, OPERATORS
from lazyxp.external import External
from lazyxp.kernel import failed_node
from lazyxp.node import CONSTANT, OUTPUT, Node, Op
from lazyxp.plan import Plan, Step
from lazyxp.sources import is_shared

Lowering = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])


def only_calls(execute: F) -> F:
    """Mark an `execute` that calls the implementation, and no more, where nothing has parameters or is overwritten.

    Such steps, of which graphs of many small arrays are made, run without it; what a subclass has instead is no such.
    """
    execute.at_once = True  # type: ignore[attr-defined]
    return execute


class ArrayAPIExecutor(Executor):
    """Runs plans on an Array API namespace, made complete by array-api-compat where that knows it.

    Subclasses put the ops that they run in their own way into `lowerings`: op name to ``f(xp, *arrays, **params)``.

    Parameters
    ----------
    namespace : module or namespace
        The functions of the backend.
    name : str, optional
        The backend's name in messages; the namespace's own by default.
    """

    lowerings: ClassVar[Mapping[str, Lowering]] = {}
    refused: ClassVar[Mapping[str, str]] = {}

    def __init__(self, namespace: Any, name: str | None = None) -> None:
        self.xp = namespace if _is_complete(namespace) else _with_compat(namespace)
        self.name = name or str(getattr(namespace, "__name__", type(namespace).__name__))
        self._found: dict[str, Lowering | None] = {}

    # --- resolving ops -----------------------------------------------------------------------------------------------

    def supports(self, op: Op) -> bool:
        """Whether there is a lowering of `op`, or a function of its name in the namespace."""
        return op is OUTPUT or self.implementation(op.name) is not None

    def refuses(self, op: Op) -> str:
        """Why this executor does not run `op`, if a reason is known."""
        return self.refused.get(op.name, "")

    def how(self, op: Op) -> str:
        """Whether `op` is "lowered", run in this executor's own way, or a "native" function of the namespace."""
        return "lowered" if op.name in self.lowerings else "native"

    def implementation(self, name: str) -> Lowering | None:
        """What runs the op called `name`, as ``f(*arrays, **params)``."""
        try:
            return self._found[name]
        except KeyError:
            found = self._found[name] = self._find(name)
            return found

    def _find(self, name: str) -> Lowering | None:
        if name in self.refused:
            return None
        own = self.lowerings.get(name)
        if own is not None:
            return functools.partial(own, self.xp)
        if name in NOT_STANDARD:
            return None
        function: Any = self.xp
        for part in name.split("."):
            function = getattr(function, part, None)
        if name in GENERIC:
            has_it = function is not None or name in OPERATORS
            return functools.partial(GENERIC[name], self.xp) if has_it else None
        return function  # type: ignore[no-any-return]

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self, plan: Plan, *, keep: bool, **options: Any) -> list[Any]:
        """Run the steps of `plan` one after the other, dropping each buffer after its last use."""
        if options:
            raise TypeError(f"backend {self.name!r} takes no option {', '.join(map(repr, options))}")
        buffers: list[Any] = [None] * plan.size
        for slot, source in plan.sources:
            buffers[slot] = self.load(plan.leaf(source))
        at_once = self._found if hasattr(self.execute, "at_once") else {}
        for step in plan.steps:
            node, inputs, output, frees, reuses, into = step
            try:
                function = None if node.params or reuses or into is not None else at_once.get(node.op.name)
                if function is None:
                    buffers[output] = self.execute(step, [buffers[i] for i in inputs])
                elif len(inputs) == 2:
                    first, second = inputs
                    buffers[output] = function(buffers[first], buffers[second])
                else:
                    buffers[output] = function(*[buffers[i] for i in inputs])
            except Exception as error:
                failed = failed_node(node, error)
                error.add_note(failure(self.name, failed, plan.line(failed)))
                raise
            for i in frees:
                buffers[i] = None
        return [
            self.hold(buffers[i])
            if keep and not self._is_watched(plan, k)
            else self.deliver(buffers[i], k in plan.shared)
            for k, i in enumerate(plan.outputs)
        ]

    def _is_watched(self, plan: Plan, position: int) -> bool:
        """Whether an output lies in the memory of an array that others may change."""
        if position not in plan.shared:
            return False
        index = plan.views.get(position)
        return index is not None and is_shared(plan.leaves[index])

    @only_calls
    def execute(self, step: Step, arrays: list[Any]) -> Any:
        """The result of one step."""
        node = step.node
        params = node.params
        if node.op is OUTPUT:
            return arrays[0][params["index"]]
        implementation = self.implementation(node.op.name)
        assert implementation is not None, node.op.name
        if not params:
            return implementation(*arrays)
        if "dtype" in params:
            params = {**params, "dtype": self.dtype(params["dtype"], node)}
        return implementation(*arrays, **params)

    def load(self, node: Node) -> Any:
        """The native array of a source or constant."""
        if node.op is CONSTANT:
            return self.xp.asarray(node.params["value"], dtype=self.dtype(node.dtype, node))
        value = node.value
        if self.owns(value) or type(value) is External:
            return value
        self.dtype(node.dtype, node)
        return self.from_numpy(registry.owner(value).to_numpy(value))

    def dtype(self, dtype: np.dtype[Any], node: Node) -> Any:
        """The namespace's own dtype object."""
        found = getattr(self.xp, dtype.name, None)
        if found is None:
            line = "" if isinstance(node.site, int) else f" recorded at {node.where}"  # of a step, a note tells it
            raise UnsupportedOperation(
                f"backend {self.name!r} has no data type {dtype}, which {node.op.name}{line} needs; "
                "cast with astype, or compute on 'numpy'"
            )
        return found

    # --- values ------------------------------------------------------------------------------------------------------

    def owns(self, value: Any) -> bool:
        """Whether `value` is an array of this namespace."""
        return isinstance(value, self._array_type)

    @functools.cached_property
    def _array_type(self) -> type:
        return type(self.xp.asarray(0))

    def from_numpy(self, value: np.ndarray[Any, Any]) -> Any:
        """A NumPy array as a native one."""
        if value.dtype.isnative and hasattr(self.xp, "from_dlpack") and value.flags.writeable:
            try:
                return self.xp.from_dlpack(value)
            except (BufferError, TypeError, ValueError, RuntimeError):
                pass  # not every namespace takes every layout; asarray copies
        return self.xp.asarray(value)

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A native array as a NumPy array."""
        try:
            return np.from_dlpack(value)
        except (AttributeError, BufferError, TypeError, RuntimeError):
            return np.asarray(value)

    def hold(self, value: Any) -> Any:
        """A result in the form that the graph holds."""
        return value

    def deliver(self, value: Any, shared: bool) -> Any:
        """A result in the form that `compute` gives; a copy where its memory is `shared`."""
        return self.xp.asarray(value, copy=True) if shared else value


def _is_complete(namespace: Any) -> bool:
    return getattr(namespace, "__name__", "").startswith(("array_api_compat", "array_api_strict", "jax"))


def _with_compat(namespace: Any) -> Any:
    """array-api-compat's wrapper of `namespace` where it has one."""
    import array_api_compat

    try:
        return array_api_compat.array_namespace(namespace.asarray(0))
    except (TypeError, AttributeError):
        return namespace
