"""From a recorded graph to the plan that runs: template, passes, legalization, and the cache of plans."""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import Any, NamedTuple

from lazyxp import options, plan, plan_files
from lazyxp.executors.base import Executor
from lazyxp.kernel import KERNEL
from lazyxp.node import graph_lock
from lazyxp.optimizers import grouping, pipeline
from lazyxp.optimizers.graph import ALLOWED, Graph
from lazyxp.optimizers.legalize import Legalizer
from lazyxp.structure import Structure, template, uncollected

# Bounds on what the cache holds: plans, and nodes of their templates together.
MOST_PLANS = 1_000
MOST_NODES = 500_000


class Planned(NamedTuple):
    """What planning gives.

    Attributes
    ----------
    plan : Plan
        Bound to the graph that it was asked for.
    hit : bool
        Whether it was in the cache, or on disk.
    graph : Graph or None
        The optimized graph, which is not kept.
    """

    plan: plan.Plan
    hit: bool
    graph: Graph | None = None


class CacheInfo(NamedTuple):
    """How the plan cache did so far."""

    hits: int
    misses: int
    plans: int
    nodes: int


_plans: OrderedDict[Any, tuple[plan.Plan, int]] = OrderedDict()
_hits = _misses = _nodes = 0


def plan_for(structure: Structure, executor: Executor, level: str, *, often: bool = False) -> Planned:
    """The plan that computes a graph on `executor` at a level of `optimize`; called under `graph_lock`.

    A plan that is run `often` has kernels for small arrays as well, where that pays.
    """
    global _hits, _misses
    kernels = options.current().kernels
    key = (structure.key, executor, level, pipeline.version, kernels, often)
    found = _plans.get(key)
    if found is not None:
        _hits += 1
        _plans.move_to_end(key)
        return Planned(found[0].bound(structure.leaves, structure.recorded), True)
    on_disk = None
    if "rounding" in ALLOWED[level] and not pipeline.is_extended():  # else there are no kernels, or not only our passes
        on_disk = plan_files.key_of(structure, executor, _smallest_kernel(executor, often), level, kernels, often)
    made = None if on_disk is None else plan_files.load(on_disk)
    if made is not None:
        _hits += 1
        _keep(key, made, len(structure.recorded))
        return Planned(made.bound(structure.leaves, structure.recorded), True)
    _misses += 1
    graph, made = make_plan(structure, executor, level, often=often)
    if len(made.leaves) == len(structure.leaves):  # else some data was computed, and the plan is for that data
        unbound = made.bound((), ())
        _keep(key, unbound, len(structure.recorded))
        if on_disk is not None:
            plan_files.store(on_disk, unbound)
    return Planned(made, False, graph)


def _keep(key: Any, made: plan.Plan, size: int) -> None:
    """Keep a plan of so many recorded nodes in memory."""
    global _nodes
    _plans[key] = made, size
    _nodes += size
    while len(_plans) > MOST_PLANS or _nodes > MOST_NODES:
        _nodes -= _plans.popitem(last=False)[1][1]


def make_plan(structure: Structure, executor: Executor, level: str, *, often: bool = False) -> tuple[Graph, plan.Plan]:
    """The optimized graph and the plan, made anew."""
    leaves = list(structure.leaves)
    with options.overridden(strict=False, materialize="compute"), uncollected():
        graph = optimized_graph(structure, executor, level, often=often)
        roots = Legalizer(executor, leaves, structure.recorded).legalize(graph.roots)
    made = plan.build(roots, as_recorded=level == "none")
    return graph, made.bound(leaves, structure.recorded)


def optimized_graph(structure: Structure, executor: Executor, level: str, *, often: bool = False) -> Graph:
    """The graph after every pass that `level` allows, with the trace of what was rewritten."""
    graph = Graph(
        ALLOWED[level],
        executor.supports,
        whole_arrays=executor.whole_arrays,
        every_element=executor.every_element,
        fuses=executor.fuses,
        smallest_kernel=_smallest_kernel(executor, often),
        smallest_single=_smallest_single(executor),
    )
    if level == "none":
        graph.roots = template(structure)
        return graph
    graph.roots = template(structure, intern=graph.intern)
    pipeline.optimize(graph)
    return graph


def _smallest_kernel(executor: Executor, often: bool) -> int | None:
    """How many elements the smallest kernels work on; None where there are no kernels."""
    kernels = options.current().kernels
    if kernels == "never" or not executor.supports(KERNEL):
        return None
    if kernels != "auto" or (often and executor.compiles()):
        return 1
    return grouping.SMALLEST


def _smallest_single(executor: Executor) -> float:
    """How many elements the smallest kernels of a single op work on."""
    if options.current().kernels != "auto":
        return 1
    return grouping.SMALLEST_SINGLE if executor.compiles() else math.inf


def cache_info() -> CacheInfo:
    """Hits and misses of the plan cache, and what it holds in memory."""
    with graph_lock:
        return CacheInfo(_hits, _misses, len(_plans), _nodes)


def clear_cache() -> None:
    """Forget every plan in memory."""
    global _nodes
    with graph_lock:
        _plans.clear()
        _nodes = 0
