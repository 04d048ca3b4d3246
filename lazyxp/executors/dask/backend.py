"""The Dask executor: a plan becomes one Dask graph, which Dask's schedulers run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import dask
import dask.array as da
import numpy as np

from lazyxp.executors import registry
from lazyxp.executors.base import Executor, failure
from lazyxp.executors.dask.blocks import Value, as_dask, is_unknown, source
from lazyxp.executors.dask.lowerings import way
from lazyxp.external import External
from lazyxp.node import CONSTANT, OUTPUT, Node, Op
from lazyxp.plan import Plan
from lazyxp.sources import is_shared

# From here on Dask's own optimization takes longer than what it saves: its cost grows with the square of the depth.
_MANY_STEPS = 500


class DaskExecutor(Executor):
    """Runs plans on Dask: on threads, or on the active `distributed.Client`.

    NumPy sources are cut into chunks of the size that Dask's own option ``array.chunk-size`` says. `compute` gives
    NumPy arrays; `persist` leaves Dask arrays where the scheduler computed them.
    """

    name = "dask"
    whole_arrays = False

    def supports(self, op: Op) -> bool:
        """Whether `op` runs without a decomposition."""
        return op is OUTPUT or way(op) is not None

    def how(self, op: Op) -> str:
        """How `op` runs."""
        found = way(op)
        return found.how if found is not None else ""

    def run(self, plan: Plan, *, keep: bool, scheduler: Any = None, **options: Any) -> list[Any]:
        """Build one Dask graph for all outputs of `plan`, and run it.

        `scheduler` is what Dask takes ("threads", "sync", "processes", a `Client`), or the address of a scheduler; by
        default the active client, else threads.
        """
        if options:
            raise TypeError(f"backend 'dask' takes no option {', '.join(map(repr, options))}; it takes scheduler=")
        if keep and _is_address(scheduler):
            raise ValueError(
                f"persist: results on {scheduler!r} live as long as a client is connected; connect one with "
                "distributed.Client(address) and leave out scheduler="
            )
        if not _is_address(scheduler):
            dask.base.get_scheduler(scheduler=scheduler)  # refuses what is none, before anything runs
        arrays = self._build(plan, keep)
        optimize = len(plan.steps) < _MANY_STEPS
        try:
            with _scheduler(scheduler) as chosen:
                if keep:
                    return _known(dask.persist(*arrays, scheduler=chosen, optimize_graph=optimize), chosen)
                return _own(dask.compute(*arrays, scheduler=chosen, optimize_graph=optimize), plan.shared)
        except Exception as error:
            if plan.steps and not any(note.startswith("lazyxp: ") for note in getattr(error, "__notes__", ())):
                last = plan.steps[-1].node
                error.add_note(f"{failure(self.name, last, plan.line(last))}, or what that needs")
            raise

    def _build(self, plan: Plan, keep: bool = False) -> list[da.Array]:
        buffers: list[Value] = [None] * plan.size
        for slot, leaf in plan.sources:
            buffers[slot] = self._load(plan.leaf(leaf), keep)
        for step in plan.steps:
            node = plan.located(step.node)  # tasks fail elsewhere, without the plan
            try:
                buffers[step.output] = _lower(node, [buffers[i] for i in step.inputs])
            except Exception as error:
                error.add_note(failure(self.name, node))
                raise
            for i in step.frees:
                buffers[i] = None
        return [as_dask(buffers[i]) for i in plan.outputs]

    def _load(self, node: Node, keep: bool) -> Value:
        """A Dask array or what is read later as it is, a constant as a 0-d NumPy value, anything else in chunks.

        Tasks may read them after `persist` has returned, so that it copies what others can change.
        """
        if node.op is CONSTANT:
            return np.asarray(node.params["value"], dtype=node.dtype)
        value = node.value
        if self.owns(value) or type(value) is External:
            return value
        array = registry.owner(value).to_numpy(value)
        return source(array.copy() if keep and is_shared(node) else array)

    def owns(self, value: Any) -> bool:
        """Whether `value` is a Dask array."""
        return isinstance(value, da.Array)

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """The computed array."""
        return np.asarray(value.compute())


def _lower(node: Node, arrays: list[Value]) -> Value:
    """The Dask array (or arrays) of one step."""
    if node.op is OUTPUT:
        return arrays[0][node.params["index"]]
    found = way(node.op)
    assert found is not None, node.op.name
    return found.run(node, *arrays)


def _known(kept: Sequence[da.Array], scheduler: Any) -> list[da.Array]:
    """Persisted arrays, whose lengths can be asked for."""
    unknown = [x for x in kept if is_unknown(x)]
    if unknown:
        with dask.config.set(scheduler=scheduler) if scheduler is not None else nullcontext():
            for x in unknown:
                x.compute_chunk_sizes()
    return list(kept)


def _is_address(scheduler: Any) -> bool:
    return isinstance(scheduler, str) and "://" in scheduler


def _scheduler(scheduler: Any) -> AbstractContextManager[Any]:
    """What Dask takes for `scheduler`; an address is connected to for as long as the context lasts."""
    if not _is_address(scheduler):
        return nullcontext(scheduler)
    from distributed import Client

    client: AbstractContextManager[Any] = Client(scheduler, set_as_default=False)
    return client


def _own(values: Sequence[Any], shared: frozenset[int]) -> list[np.ndarray[Any, Any]]:
    """Arrays of the caller's own: none shares memory with a source or with another one."""
    results: list[np.ndarray[Any, Any]] = []
    for k, value in enumerate(values):
        array = np.asarray(value)
        if k in shared or not array.flags.writeable or any(np.may_share_memory(array, other) for other in results):
            array = array.copy()
        results.append(array)
    return results
