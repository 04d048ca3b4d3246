"""Plans on disk: of a graph that another process has planned, the plan is read instead of made.

Only plans with kernels are kept: what they are compiled to is kept as well, and all others are made in less time than
files are written.
"""

from __future__ import annotations

import io
import math
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import EllipsisType, NoneType
from typing import Any

import numpy as np

import lazyxp
from lazyxp import disk_cache
from lazyxp.dtypes import canonical
from lazyxp.executors.base import Executor
from lazyxp.kernel import Kernel
from lazyxp.node import Node, Op, walk
from lazyxp.optimizers.roles import VIEW, role
from lazyxp.plan import Plan
from lazyxp.sliding import Sliding
from lazyxp.structure import Structure, uncollected

# Graphs of more nodes have plans that would fill the disk.
MOST_NODES = 20_000


def _files(folder: str) -> Iterator[tuple[str, int, int]]:
    """The path, size and time of change of each source file in a folder."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            elif entry.name.endswith(".py"):
                status = entry.stat()
                yield entry.path, status.st_size, status.st_mtime_ns


# What makes plans, as of now: later, somebody may have installed another version under the process. Empty where there
# are no files, as in a frozen application; then nothing is kept.
_MAKER = repr(sorted(_files(str(Path(__file__).parent)))) if os.path.exists(__file__) else ""
_VERSIONS = f"{lazyxp.__version__} {sys.implementation.cache_tag} {np.__version__} {_MAKER}"


def key_of(structure: Structure, executor: Executor, smallest: int | None, *settings: object) -> str | None:
    """What a plan of a graph is kept by, if it is.

    Parameters
    ----------
    structure : Structure
        The graph.
    executor : Executor
        What runs the plan.
    smallest : int or None
        How many elements the smallest kernels work on; None if there are none.
    *settings : object
        What else the plan depends on, each with a `repr` that says all.
    """
    if smallest is None or not _MAKER or len(structure.recorded) > MOST_NODES:
        return None
    if not any(_may_begin_a_kernel(node, smallest) for node in structure.recorded):
        return None  # without asking the executor, which might load its compiler to answer
    maker = executor.identity()
    if maker is None:
        return None
    kinds, *numbers = structure.key
    try:
        graph = _text(kinds)
    except TypeError:
        return None
    order = [sys.byteorder, *[part.hex() for part in numbers]]
    return disk_cache.key_of(_VERSIONS, maker, repr(settings), graph, *order)


def _may_begin_a_kernel(node: Node, smallest: int) -> bool:
    """Whether `node` computes, or reduces, so many elements in a way that kernels can."""
    if node.value is not None or role(node) in (0, VIEW):
        return False
    return any([_elements(one) >= smallest for one in (node, *node.args)])


def _elements(node: Node) -> float:
    """How many elements the largest result of `node` has; infinite where that is not known."""
    shapes = node.shape if node.several else (node.shape,)
    return max([math.inf if None in shape else math.prod(shape) for shape in shapes])


_PLAIN = frozenset((int, bool, float, complex, str, bytes, NoneType, EllipsisType))
_TYPES = frozenset((int, bool, float, complex))


def _text(value: Any) -> str:
    """A part of a structure's key as text that no other part has; `TypeError` where it means nothing elsewhere."""
    kind = type(value)
    if kind is tuple:
        return f"({','.join(map(_text, value))})"
    if kind in _PLAIN:
        return repr(value)
    if kind is Op:
        return f"op {value.name}"
    if isinstance(value, np.dtype) and canonical(value) is value and value.kind in "biufc":
        return f"dtype {value.str}"
    if value in _TYPES:
        return f"type {value.__name__}"
    raise TypeError(f"{value!r} means nothing to another process")


def load(key: str) -> Plan | None:
    """The plan that was stored under `key`, bound to no graph."""
    content = disk_cache.load(key, disk_cache.PLAN)
    if content is None:
        return None
    with uncollected():
        _, plan = pickle.loads(content)
    return plan  # type: ignore[no-any-return]


def store(key: str, plan: Plan) -> None:
    """Keep a plan that is bound to no graph, if it has kernels."""
    if not any([step.node.op.kind == "kernel" for step in plan.steps]):
        return
    file = io.BytesIO()
    try:
        # Arguments first: what nodes refer to is then in the file already, and pickling does not recurse.
        order = walk([*[node for _, node in plan.sources], *[step.node for step in plan.steps]])
        _Pickler(file, pickle.HIGHEST_PROTOCOL).dump((order, plan))
    except (pickle.PicklingError, TypeError, AttributeError):
        return  # a parameter that only this process has
    disk_cache.store(key, disk_cache.PLAN, file.getvalue())


class _Pickler(pickle.Pickler):
    """Nodes as they are in plans, kernels without what was made of them, and dtypes as graphs know them."""

    def reducer_override(self, x: Any) -> Any:
        kind = type(x)
        if kind is Node:
            if x.value is not None:
                raise pickle.PicklingError("a plan that holds data")
            return Node, (x.op, x.args, x.params, x.shape, x.dtype, x.site)
        if kind is Kernel:
            return Kernel, (x.lengths, x.cut, x.inputs, x.body, x.outputs, x.unknown, x.smallest)
        if kind is Sliding:
            return Sliding, (x.stages,)
        if isinstance(x, np.dtype):
            return _dtype, (x.str,)
        return NotImplemented


def _dtype(text: str) -> np.dtype[Any]:
    return canonical(np.dtype(text))
