"""NumPy arrays on the storage of lazy ones: what is written to them, the lazy arrays see.

`np.asarray(x)` gives an array that NumPy code may write to (an ``output=`` argument). While it is alive, each use of
`x` looks whether it was written to, and graphs read a copy, so that what is recorded stays what it is; a value that
belongs to `x` alone is exported without a copy. A write to the lazy array is not seen by arrays exported before.
"""

from __future__ import annotations

import sys
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyxp.api import views
from lazyxp.api.array import Array
from lazyxp.node import OPS, graph_lock, make, user_site
from lazyxp.sources import is_shared, owned

if TYPE_CHECKING:
    from lazyxp.api.views import Cell, View

Memory = np.ndarray[Any, Any]


class Guard:
    """What exported arrays and all views of them keep alive: somebody may write to `memory`."""

    __slots__ = ("__array_interface__", "__weakref__", "memory")

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.__array_interface__ = memory.__array_interface__


class Export:
    """Exported memory, what it held after how many writes to the storage, and the view whose elements these are."""

    __slots__ = ("guard", "known", "memory", "view", "writes")

    def __init__(self, guard: Guard, known: Memory, view: View | None, writes: int) -> None:
        self.guard = weakref.ref(guard)
        self.memory = guard.memory
        self.known = known
        self.view = view
        self.writes = writes

    def is_storage(self) -> bool:
        """Whether the memory is that of the storage itself."""
        return self.memory is self.known


def exported(x: Array) -> Memory:
    """The value of `x` as a NumPy array, which may be written to unless `x` is read-only."""
    from lazyxp.evaluate import demand_numpy

    there = _exported_already(x)
    if there is not None:
        return there
    demand_numpy(views.current(x), "__array__")
    with graph_lock:
        value = demand_numpy(views.current(x), "__array__")  # there already, unless another thread wrote to x
        if views.why_readonly(x):
            value = value.view()
            value.flags.writeable = False
            return value
        cell = x._cell if x._cell is not None else views.found(x)
        if x._view is None and type(x._node.value) is np.ndarray:
            del value
            if not _is_alone(x):
                views.put(cell, None, owned(x._node.value.copy(order="K"), x._node.site), x._node.site)
            memory = known = views.current(x).value
        else:
            memory, known = value.copy(order="K"), value
        guard = Guard(memory)
        cell.exports.append(Export(guard, known, x._view, cell.writes))
        cell.version = views.WATCHED
        return np.asarray(guard)


def _exported_already(x: Array) -> Memory | None:
    """The elements of `x` in memory that is exported already, and up to date."""
    cell = x._cell
    if cell is None:
        return None
    with graph_lock:
        if len(cell.exports) > 1:
            settle(cell)
        for export in cell.exports:
            guard = export.guard()
            steps = views.steps_since(export.view, x._view)
            if guard is not None and steps is not None and export.writes == cell.writes:
                return views.seen_through(steps, np.asarray(guard))  # type: ignore[no-any-return]
    return None


def _is_alone(x: Array) -> bool:
    """Whether nothing but base `x` refers to its value, so that a write is seen through `x` only."""
    if is_shared(x._node) or not x._node.value.flags.writeable or isinstance(x._node.value.base, np.ndarray):
        return False
    return _references(x) == _ALONE


def _references(x: Array) -> tuple[int, int]:
    return sys.getrefcount(x._node), sys.getrefcount(x._node.value)


def _alone() -> tuple[int, int]:
    x = Array(owned(np.empty(1), None))
    views.found(x)
    return _references(x)


_ALONE = _alone()


def settle(cell: Cell) -> None:
    """Let `cell` hold what was written to exported memory; called under `graph_lock` before each use of it."""
    for export in sorted(cell.exports, key=Export.is_storage, reverse=True):
        alive = export.guard() is not None
        if not alive:
            cell.exports.remove(export)
        if alive if export.is_storage() else not _same_bits(export.memory, export.known):
            _put(cell, export)
    cell.version = views.WATCHED if cell.exports else cell.writes


def _put(cell: Cell, export: Export) -> None:
    """Let `cell` hold a copy of exported memory: of what changed in it, where the storage was written to otherwise."""
    site = user_site()
    held = export.memory.copy(order="K")
    node = owned(held, site)
    behind = export.writes != cell.writes
    if behind:
        changed = owned(_changed(held, export.known), site)
        node = make(OPS["where"], changed, node, views.replayed(cell.node, export.view), site=site)
    views.put(cell, export.view, node, site)
    export.known = held
    if not behind:
        export.writes = cell.writes


def _same_bits(one: Memory, two: Memory) -> bool:
    bits = [x.ravel(order="K").view(f"u{min(x.itemsize, 8)}") for x in (one, two)]
    return np.array_equal(bits[0], bits[1])


def _changed(one: Memory, two: Memory) -> Memory:
    """Where the bits differ."""
    alike = [np.asarray(x, order="C")[..., None].view(f"u{min(x.itemsize, 8)}") for x in (one, two)]
    return np.any(np.not_equal(*alike), axis=-1)  # type: ignore[no-any-return]
