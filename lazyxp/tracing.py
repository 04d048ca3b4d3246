"""Tracing a function once, and running its plan from then on."""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from lazyxp import options, sources
from lazyxp.api.array import Array
from lazyxp.api.recording import as_array, current
from lazyxp.errors import MaterializationError
from lazyxp.evaluate import check_memory, demand, executor_for
from lazyxp.executors import registry
from lazyxp.executors.base import Executor, Shortcut, shape_of
from lazyxp.node import INPUT, NO_PARAMS, SOURCE, Node, Site, format_site, graph_lock, user_site
from lazyxp.optimizers import pipeline
from lazyxp.plan import Plan
from lazyxp.planning import plan_for
from lazyxp.structure import structure_of

P = ParamSpec("P")
R = TypeVar("R")

# Traces that one function keeps: one for each combination of shapes, dtypes and static arguments.
MOST_TRACES = 128

# Whether a function is being traced: jitted functions that it calls are then part of its trace.
_tracing: ContextVar[bool] = ContextVar("lazyxp_tracing", default=False)


class _Place:
    """Where result number `index` goes in the containers that the function returned."""

    __slots__ = ("index",)

    def __init__(self, index: int) -> None:
        self.index = index


class _Trace(NamedTuple):
    """What one call recorded.

    `places` holds which of the plan's leaves are which arguments, `watched` the arrays that the function closed over
    and that others may change, `tree` the containers that it returned.
    """

    executor: Executor
    plan: Plan
    places: list[tuple[int, int]]
    watched: list[Node]
    tree: Any
    dtypes: list[Any]
    records: bool
    shortcut: Shortcut | None


def jit(function: Callable[P, R], *, backend: Any = None, optimize: str | None = None) -> Callable[P, R]:
    """Make `function` record once, and run its plan directly from then on.

    The function is called with arrays that have a shape and a dtype but no values; what it records is optimized and
    planned. Later calls with arguments of the same shapes and dtypes run the plan, without calling the function.

    Parameters
    ----------
    function : callable
        A function of arrays, written with lazyxp. Its arguments and results are arrays, tuples, lists and dicts of them
        in any nesting, and *static* values: anything else, which has to be hashable.
    backend : str, module or None
        What runs the plan, see `Array.compute`. None follows the data.
    optimize : {"none", "exact", "default", "fast"}, optional
        How far the optimizer may go; the option `optimize` if not given.

    Returns
    -------
    callable
        It takes what `function` takes. Given lazyxp arrays, it returns arrays that hold their values; given the arrays
        of a backend only (NumPy's, ...), it returns the backend's.

    Raises
    ------
    MaterializationError
        At the first call, if the function demands a value (``float(x)``, ``if x > 0``, a data-dependent shape), which
        a trace has none of.
    TypeError
        If `function` cannot be called, a static argument cannot be hashed, or the function writes to one of its
        arguments.
    ValueError
        If `optimize` is no such level.
    SourceMutated
        If a large array that is shared with the caller, as argument or closed over, was changed since it was recorded.

    Notes
    -----
    Another shape, dtype, static value, number of arguments, option, pass or executor traces again; the latest 128
    traces are kept.
    Python scalars are static; a 0-d array is not. Arrays that the function closes over are those of the time of the
    trace. A jitted function that is called while another one is traced becomes part of that trace.

    Examples
    --------
    >>> import numpy as np
    >>> import lazyxp as xp
    >>> @xp.jit
    ... def normalized(x):
    ...     return (x - xp.mean(x)) / xp.std(x)
    >>> normalized(np.asarray([1.0, 3.0]))
    array([-1.,  1.])
    """
    if not callable(function):
        raise TypeError(f"jit: expected a function, got {function!r}")
    options.check_level(optimize)
    traces: dict[Any, _Trace] = {}
    latest: tuple[list[Any], _Trace] | None = None
    lock = threading.Lock()

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal latest
        if _tracing.get():
            return function(*_mapped(args, _recorded), **_mapped(kwargs, _recorded))
        arrays: list[Any] = []
        key: list[Any] = [len(args)]  # or a last dict would look like keyword arguments
        for x in args:
            if type(x) is np.ndarray:
                arrays.append(x)
                key += (np.ndarray, x.shape, x.dtype)
            else:
                _add(x, arrays, key)
        if kwargs:
            _add(kwargs, arrays, key)
        o = options.current()
        key += (o.backend, o.optimize, o.strict, o.memory_limit, o.kernels, pipeline.version, registry.version)
        before = latest
        if before is not None and before[0] == key:  # most calls are as the one before them
            result: R = _run(before[1], arrays)
            return result
        try:
            trace = traces.get(tuple(key))
        except TypeError as error:
            raise TypeError(
                f"jit: {_name(function)} was given a static argument that cannot be hashed: {error}"
            ) from None
        if trace is None:
            trace = _traced(function, args, kwargs, arrays, backend, optimize, user_site())
            with lock:
                traces[tuple(key)] = trace
                while len(traces) > MOST_TRACES:
                    del traces[next(iter(traces))]
        latest = key, trace
        result = _run(trace, arrays)
        return result

    return call


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))


# --- arguments and results -------------------------------------------------------------------------------------------


def _add(x: Any, arrays: list[Any], key: list[Any]) -> None:
    """Add the arrays in `x` to `arrays`, and what a trace depends on to `key`."""
    kind = type(x)
    if kind is np.ndarray:
        arrays.append(x)
        key += (kind, x.shape, x.dtype)
    elif kind is Array:
        node = current(x)
        if node.value is None:
            demand(node, "a jitted function")
        else:
            sources.verify(node)
        arrays.append(x)
        key += (kind, type(node.value), node.shape, node.dtype)
    elif isinstance(x, (tuple, list)):
        key += (kind, len(x))
        for item in x:
            _add(item, arrays, key)
    elif isinstance(x, dict):
        key += (kind, len(x))
        for name, item in x.items():
            key.append(name)
            _add(item, arrays, key)
    elif _is_array(x):
        arrays.append(x)
        key += (kind, shape_of(x), x.dtype)
    elif kind is slice:  # without a hash before Python 3.12
        key += (kind, x.start, x.stop, x.step)
    else:
        key += (kind, repr(x) if isinstance(x, (float, complex)) else x)  # 0.0 and -0.0 differ


def _is_array(x: Any) -> bool:
    if isinstance(x, type):  # NumPy's scalar types, the standard's data types among them
        return False
    return hasattr(x, "dtype") and hasattr(x, "shape") and (hasattr(x, "__array__") or hasattr(x, "__dlpack__"))


def _recorded(x: Any) -> Any:
    """`x`, as an Array if it is an array."""
    return as_array(x, "jit") if type(x) is not Array and _is_array(x) else x


def _mapped(x: Any, take: Callable[[Any], Any]) -> Any:
    """`x` with ``take(item)`` for each array or static value in it."""
    if isinstance(x, (tuple, list)):
        items = [_mapped(item, take) for item in x]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, dict):
        made = copy.copy(x)  # what else a dict of another type has, such as a default
        for name, item in x.items():
            made[name] = _mapped(item, take)
        return made
    return take(x)


# --- tracing ---------------------------------------------------------------------------------------------------------


def _traced(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    arrays: list[Any],
    backend: Any,
    optimize: str | None,
    site: Site,
) -> _Trace:
    """Call `function` on stand-ins for `arrays`, and plan what it records."""
    stand_ins: list[Array] = []
    inputs: list[Node] = []

    def stand_in(x: Any) -> Any:
        if type(x) is not Array and not _is_array(x):
            return x
        node = current(as_array(x, "jit"))
        inputs.append(Node(INPUT, (), {"index": len(inputs)}, node.shape, node.dtype, site))
        stand_ins.append(Array(inputs[-1]))
        return stand_ins[-1]

    traced = _tracing.set(True)
    with options.overridden(materialize="raise"):
        try:
            result = function(*_mapped(tuple(args), stand_in), **_mapped(kwargs, stand_in))
        except MaterializationError as error:
            raise MaterializationError(
                f"{error}\nlazyxp: jit traces {_name(function)} at {format_site(site)} without values; choose between "
                "values with xp.where instead of `if`, keep the shape with xp.where(mask, x, 0) instead of x[mask], or "
                "pass what decides as a Python value, which is static"
            ) from error
        finally:
            _tracing.reset(traced)
    for i, (x, node) in enumerate(zip(stand_ins, inputs, strict=True)):
        if current(x) is not node:
            raise TypeError(
                f"jit: {_name(function)} writes to its array argument number {i}, which its plan would not do; "
                "write to a copy (xp.asarray(x, copy=True)) and return it"
            )
    found: list[Array] = []

    def place(x: Any) -> Any:
        if isinstance(x, np.ndarray):
            x = as_array(x, "jit")  # else every call would give the same one
        if type(x) is not Array:
            return x
        found.append(x)
        return _Place(len(found) - 1)

    tree = _mapped(result, place)
    return _planned([current(x) for x in found], tree, inputs, arrays, backend, optimize)


def _planned(
    nodes: list[Node], tree: Any, inputs: list[Node], arrays: list[Any], backend: Any, optimize: str | None
) -> _Trace:
    """The trace whose results are `nodes`, recorded on `inputs`, which stand for `arrays`."""
    records = any(type(x) is Array for x in arrays)
    number = {node: i for i, node in enumerate(inputs)}
    with graph_lock:
        structure = structure_of(nodes)
        values = [_leaf(arrays[number[n]], records) if n in number else n for n in structure.leaves]
        executor = executor_for(values, backend)
        plan = plan_for(structure, executor, optimize or options.current().optimize, often=True).plan
    check_memory(executor, plan)
    places = [(i, number[n]) for i, n in enumerate(plan.leaves) if n in number]
    watched = [n for n in plan.leaves if n not in number and sources.is_shared(n)]
    plain = not records and not watched and all(type(x) is np.ndarray and x.dtype.isnative for x in arrays)
    shortcut = executor.shortcut(plan, places) if plain else None
    return _Trace(executor, plan, places, watched, tree, [n.dtype for n in nodes], records, shortcut)


def _leaf(x: Any, records: bool) -> Node:
    """What the plan reads for argument `x`; where results are held, so is what they may share memory with."""
    if type(x) is np.ndarray and not records and x.dtype.isnative:
        return Node(SOURCE, (), NO_PARAMS, x.shape, x.dtype, None, x)
    return current(as_array(x, "jit"))


def _run(trace: _Trace, arrays: list[Any]) -> Any:
    """The results for `arrays`, in the containers that the function returned."""
    for node in trace.watched:
        sources.verify(node)
    if trace.shortcut is not None:
        results = trace.shortcut(arrays)
    else:
        plan = trace.plan
        leaves = list(plan.leaves)
        for place, i in trace.places:
            leaves[place] = _leaf(arrays[i], trace.records)
        results = trace.executor.run(plan.bound(leaves, plan.recorded), keep=trace.records)
    if trace.records:
        results = [
            Array(Node(SOURCE, (), NO_PARAMS, shape_of(x), dtype, None, x))
            for x, dtype in zip(results, trace.dtypes, strict=True)
        ]
    tree = trace.tree
    if type(tree) is _Place:
        return results[0]
    if type(tree) is tuple and all([type(x) is _Place for x in tree]):
        return tuple([results[x.index] for x in tree])
    return _mapped(tree, lambda x: results[x.index] if type(x) is _Place else x)
