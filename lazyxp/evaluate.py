"""Computing: the one place that sees the graph, the optimizers and the executors."""

from __future__ import annotations

import math
import sys
import warnings
import weakref
from typing import Any, NamedTuple

import numpy as np

from lazyxp import estimate, options, plan, sources
from lazyxp.api.array import Array
from lazyxp.api.recording import as_array, current
from lazyxp.cost import VIEWS, is_unknown
from lazyxp.errors import MaterializationError
from lazyxp.executors import registry
from lazyxp.executors.base import Executor, shape_of
from lazyxp.node import INPUT, SOURCE, Node, describe, format_site, graph_lock, output, user_site, walk
from lazyxp.planning import Planned, plan_for
from lazyxp.schedule import nbytes
from lazyxp.structure import Structure, structure_of


def compute(
    *arrays: Array, backend: Any = None, optimize: str | None = None, **executor_options: Any
) -> tuple[Any, ...]:
    """Compute arrays together; what they share is computed once.

    Parameters
    ----------
    *arrays : Array
        What to compute.
    backend : str, module or None
        See `Array.compute`.
    optimize : {"none", "exact", "default", "fast"}, optional
        How far the optimizer may go.
    **executor_options
        What the backend takes, such as ``scheduler=`` on Dask.

    Returns
    -------
    tuple
        The backend's native arrays, in the order of the arguments.

    Raises
    ------
    UnknownBackend, BackendUnavailable, UnsupportedOperation
        See `Array.compute`.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.arange(3)
    >>> xp.compute(x + 1, x * 2)
    (array([1, 2, 3]), array([0, 2, 4]))
    """
    nodes = [current(as_array(x, "compute")) for x in arrays]
    executor, prepared = _prepare(nodes, backend, optimize)
    return tuple(executor.run(prepared, keep=False, **executor_options))


def persist(
    *arrays: Array, backend: Any = None, optimize: str | None = None, **executor_options: Any
) -> tuple[Array, ...]:
    """Compute arrays together, and return Arrays that hold the results.

    Parameters and errors are those of `compute`.

    Returns
    -------
    tuple of Array
        Arrays whose values are known, in the order of the arguments. With ``backend="dask"`` the values stay on the
        cluster.

    Examples
    --------
    >>> import lazyxp as xp
    >>> (y,) = xp.persist(xp.arange(3) * 2)
    >>> (y + 1).compute()
    array([1, 3, 5])
    """
    nodes = [current(as_array(x, "persist")) for x in arrays]
    missing = [node for node in nodes if not _is_there(node, backend)]
    executor, prepared = _prepare(missing, backend, optimize)
    values = iter(executor.run(prepared, keep=True, **executor_options))
    results = []
    for node in nodes:
        there = _is_there(node, backend)
        value = node.value if there else next(values)
        held = Node(node.op, (), node.params, shape_of(value), node.dtype, node.site, value)
        sources.note_device(held)
        if there and sources.is_shared(node):
            sources.verify(node)
            sources.share(held)
        results.append(Array(held))
    return tuple(results)


def _is_there(node: Node, backend: Any) -> bool:
    """Whether `node` holds its value where `backend` would have it."""
    if node.value is None:
        return False
    chosen = backend if backend is not None else options.current().backend
    return chosen is None or registry.get(chosen).owns(node.value)


class Prepared(NamedTuple):
    """What will compute some nodes: an executor, the structure of their graph, its plan, and the level of that."""

    executor: Executor
    structure: Structure
    planned: Planned
    level: str


def prepare(nodes: list[Node], backend: Any, optimize: str | None) -> Prepared:
    """What will compute `nodes`; nothing runs."""
    options.check_level(optimize)
    with graph_lock:
        structure = structure_of(nodes)
        for leaf in structure.leaves:
            if leaf.value is not None:
                sources.verify(leaf)
            elif leaf.op is INPUT:
                raise MaterializationError(
                    f"the graph reads an argument of a function that jit traces, called at {leaf.where}, which has no "
                    "values; return what is to be computed, or leave jit out"
                )
        executor = executor_for(structure.leaves, backend)
        level = optimize or options.current().optimize
        return Prepared(executor, structure, plan_for(structure, executor, level), level)


def _prepare(nodes: list[Node], backend: Any, optimize: str | None) -> tuple[Executor, plan.Plan]:
    """The executor and the plan that compute `nodes`, if there is the memory for it."""
    executor, _, planned, _ = prepare(nodes, backend, optimize)
    check_memory(executor, planned.plan)
    return executor, planned.plan


def check_memory(executor: Executor, prepared: plan.Plan) -> None:
    """Refuse a plan that takes more memory than the option `memory_limit` allows."""
    limit = options.current().memory_limit
    if limit is not None and executor.whole_arrays:
        estimate.check_memory(prepared, limit)


def executor_for(leaves: list[Node], backend: Any) -> Executor:
    """The executor of `backend`; where that is None, of the option `backend`, or else of the data in `leaves`."""
    chosen = backend if backend is not None else options.current().backend
    return registry.get(chosen) if chosen is not None else registry.follow(leaves)


# --- values that recorded code demands -------------------------------------------------------------------------------


def demand(node: Node, what: str) -> Any:
    """The native value of `node`, computed as the option `materialize` says and remembered.

    Nodes on the way that someone still holds are remembered as well, and the next demand starts from them; but not
    where the value costs far less without them, as an element of a large array does.
    """
    if node.value is not None:
        sources.verify(node)
        return node.value
    policy = options.current().materialize
    if policy != "compute":
        message = (
            f"{what} demands the value of {describe(node)} ({node.op.name}, recorded at {node.where}) "
            f"at {format_site(user_site())}"
        )
        if policy == "raise":
            raise MaterializationError(f'{message}, but materialize="raise" is set; call compute() or persist()')
        warnings.warn(message, stacklevel=4)
    known = [node, *_held(node)]
    executor, prepared = _prepare(_all_parts(known), None, None)
    large = [n for n in known if not n.several and nbytes(n) >= _LARGE]
    if large:
        alone = _prepare(_parts(node), None, None)
        if _is_far_cheaper(alone[1], prepared, large):
            known, (executor, prepared) = [node], alone
    values = iter(executor.run(prepared, keep=True))
    for n in known:
        if n.several:
            parts = tuple(next(values) for _ in n.dtype)
            n.remember(parts, tuple(shape_of(v) for v in parts))
        else:
            value = next(values)
            n.remember(value, shape_of(value))
            sources.note_device(n)
    return node.value


# From this size on, what is held by the way is computed only where it costs little more.
_LARGE = 1 << 20
# How many times less the demanded value has to cost, what a run costs besides its work (as many operations or bytes as
# take as long), and what was spent on values that were computed without the large nodes below them.
_FAR, _RUN = 3, 500_000
_spent: weakref.WeakKeyDictionary[Node, float] = weakref.WeakKeyDictionary()


def _is_far_cheaper(alone: plan.Plan, together: plan.Plan, large: list[Node]) -> bool:
    """Whether `alone` costs far less than `together`, also with all that was spent so before."""
    total = _work(together)
    now = _work(alone) + _RUN
    if math.isinf(now):
        return False
    spent = now + max([_spent.get(n, 0) for n in large])
    if now * _FAR > total or spent > total:
        return False
    for n in large:
        _spent[n] = _spent.get(n, 0) + now
    return True


def _work(prepared: plan.Plan) -> float:
    """The operations on elements and the bytes read and written; infinite where lengths are not known."""
    if any(is_unknown(step.node) for step in prepared.steps):
        return math.inf
    return sum([sum(estimate.cost_of_step(step)) for step in prepared.steps])


def _all_parts(nodes: list[Node]) -> list[Node]:
    return [part for node in nodes for part in _parts(node)]


def _parts(node: Node) -> list[Node]:
    """The outputs of `node`."""
    return [output(node, i) for i in range(len(node.dtype))] if node.several else [node]


def demand_numpy(node: Node, what: str) -> np.ndarray[Any, Any]:
    """`demand` as a NumPy array."""
    value = demand(node, what)
    return value if type(value) is np.ndarray else registry.owner(value).to_numpy(value)


def _held(root: Node) -> list[Node]:
    """The nodes below `root` that something outside its graph refers to: handles, storage cells, other graphs.

    Views of what is known cost nothing again, and are not among them.
    """
    if all([arg.value is not None or arg.op.kind == "source" for arg in root.args]):
        return []
    nodes = walk([root])
    counts = _outside_references(nodes)
    free: set[Node] = set()
    held = []
    for n, count in zip(nodes, counts, strict=True):
        if n.value is not None or n.op.kind == "source" or (n.op.name in VIEWS and n.args[0] in free):
            free.add(n)
        elif count > 0 and n is not root:
            held.append(n)
    return held


def _outside_references(nodes: list[Node]) -> list[int]:
    """For each node, how many references to it are neither an argument in this graph nor made by counting."""
    uses = dict.fromkeys(nodes, 0)
    for arg in (arg for node in nodes for arg in node.args):
        uses[arg] += 1
    return [sys.getrefcount(node) - uses[node] - _BY_COUNTING for node in nodes]


_BY_COUNTING = 0
_BY_COUNTING = _outside_references([Node(SOURCE, (), {}, (), None) for _ in range(2)])[0]
