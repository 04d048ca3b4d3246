"""Views: handles that share memory in NumPy share a storage cell here.

The first view of an array gives it a `Cell`, which holds the node of the whole storage and a version number. A view
knows the chain of movement ops that leads to it. A write through any handle puts a new node into the cell; the other
handles notice the new version and replay their chain on it. Handles that were never viewed have no cell.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lazyxp.node import OPS, SOURCE, Node, Op, Shape, Site, describe, graph_lock, make

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.api.exports import Export

Strides = tuple[int, ...]


class Cell:
    """The storage that a base and its views share.

    `writes` counts what was written to it. `version` is the same number, or `WATCHED` while somebody may write to its
    exported memory. `strides` are those that NumPy's array would have. `synced` refers to the handles whose node is
    that of the current version: a write makes them let it go, or each old version of the storage would stay in memory.
    """

    __slots__ = ("exports", "node", "readonly", "strides", "synced", "version", "writes")

    def __init__(self, node: Node, readonly: str = "") -> None:
        self.node = node
        self.writes = 0
        self.version: float = 0
        self.readonly = readonly
        self.strides = _strides_of(node)
        self.synced: list[weakref.ref[Array]] = []
        self.exports: list[Export] = []


# The version that no handle is of.
WATCHED = math.nan


class View:
    """One step from the base to a view: `op` with `params` on `parent` (None: the base itself)."""

    __slots__ = ("op", "params", "parent", "site")

    def __init__(self, parent: View | None, op: Op, params: dict[str, Any], site: Site) -> None:
        self.parent = parent
        self.op = op
        self.params = params
        self.site = site


def current(x: Array) -> Node:
    """The node that handle `x` stands for now, after every write to its storage."""
    cell, node = x._cell, x._node
    # A write in another thread changes the version, then the nodes of handles, then the version of its own handle: the
    # node is up to date if it is the same before and after the versions are seen to be equal.
    if cell is None or (x._version == cell.version and x._node is node):
        return node
    with graph_lock:
        if cell.exports:
            from lazyxp.api.exports import settle

            settle(cell)
        if x._version != cell.writes:
            x._node, x._version = replayed(cell.node, x._view), cell.writes
            _note(cell, x)
        return x._node


def replayed(node: Node, view: View | None) -> Node:
    """The elements of `view` of the storage that `node` is."""
    for step in _chain(view):
        node = make(step.op, node, site=step.site, **step.params)
    return node


def attach(x: Array, view: Array, op: Op, params: dict[str, Any], site: Site) -> None:
    """Make handle `view`, just recorded by `op` on `x`, a view of `x`."""
    with graph_lock:
        cell = x._cell if x._cell is not None else found(x)
        view._cell = cell
        # Unless another thread has written to x since the view was recorded, it is up to date.
        view._version = x._version if x._node is view._node.args[0] else -1
        view._view = _joined(x._view, op, params, site, x._node)
        _note(cell, view)


def found(x: Array, readonly: str = "") -> Cell:
    """Give handle `x` a storage cell, of which it is the base."""
    cell = x._cell = Cell(x._node, readonly)
    x._version = 0
    x._view = None
    _note(cell, x)
    return cell


def _note(cell: Cell, handle: Array) -> None:
    """Count `handle` among those that are of the current version; those that are gone are let go now and then."""
    synced = cell.synced
    synced.append(weakref.ref(handle))
    count = len(synced)
    if count >= 32 and count & (count - 1) == 0:
        synced[:] = [ref for ref in synced if ref() is not None]


def write(x: Array, node: Node, site: Site) -> None:
    """Let `node`, of `x`'s shape and dtype, be what `x` holds, and let every handle on its storage see it."""
    cell = x._cell
    if cell is None:
        if not _is_laid_out(x._node):
            x._node = node
            return
        cell = found(x)
    _check_writeable(cell, _chain(x._view))
    put(cell, x._view, node, site)
    x._node = node
    x._version = cell.writes
    cell.synced = [weakref.ref(x)]


def put(cell: Cell, view: View | None, node: Node, site: Site) -> None:
    """Let `node` be what the elements of `view` hold, and outdate every handle."""
    steps = _chain(view)
    parents = [cell.node]
    for step in steps[:-1]:
        parents.append(make(step.op, parents[-1], site=step.site, **step.params))
    whole = node
    for step in reversed(steps):
        whole = _PUT[step.op.name](parents.pop(), step.params, whole, site)
    cell.node = whole
    cell.writes += 1
    cell.version = WATCHED if cell.exports else cell.writes
    for handle in [ref() for ref in cell.synced]:
        if handle is not None:
            handle._node = _outline(handle._node)
    cell.synced = []


def _outline(node: Node) -> Node:
    """What an outdated handle keeps: the shape and dtype of its node, but not its value or arguments."""
    return Node(node.op, (), node.params, node.shape, node.dtype, node.site)


def check_writeable(x: Array) -> None:
    """Raise ValueError, as NumPy does, when `x` may not be written to."""
    if x._cell is not None:
        _check_writeable(x._cell, _chain(x._view))


def why_readonly(x: Array) -> str:
    """Why `x` may not be written to; nothing where it may be."""
    return _why_readonly(x._cell, _chain(x._view)) if x._cell is not None else ""


def _why_readonly(cell: Cell, steps: list[View]) -> str:
    reason = cell.readonly
    for step in steps:
        if step.op.name not in _PUT:
            reason = f"it is the result of {step.op.name}, whose elements may share memory"
    return reason


def _check_writeable(cell: Cell, steps: list[View]) -> None:
    reason = _why_readonly(cell, steps)
    if reason:
        raise ValueError(
            f"assignment destination is read-only: {reason}; write to a copy instead: asarray(x, copy=True)"
        )


def _chain(view: View | None) -> list[View]:
    steps = []
    while view is not None:
        steps.append(view)
        view = view.parent
    steps.reverse()
    return steps


def steps_since(ancestor: View | None, view: View | None) -> list[View] | None:
    """What leads from `ancestor` to `view`; None if `view` is no view of it."""
    steps = _chain(view)
    if ancestor is None:
        return steps
    return steps[steps.index(ancestor) + 1 :] if ancestor in steps else None


# --- memory layout ---------------------------------------------------------------------------------------------------


def _is_laid_out(node: Node) -> bool:
    """Whether `node` is a NumPy array whose elements are not in C order, which its handle has to remember."""
    return node.op is SOURCE and isinstance(node.value, np.ndarray) and not node.value.flags.c_contiguous


def _strides_of(node: Node) -> Strides | None:
    """The strides of a source; None for C order, in which the results of all other ops count as being."""
    return node.value.strides if _is_laid_out(node) else None


# Views of a row of memory that are rows of memory, of whatever lengths.
_IN_ORDER = frozenset(("reshape", "expand_dims", "squeeze"))


def reshapes_in_place(x: Array, shape: Shape) -> bool | None:
    """Whether NumPy would reshape `x` without a copy: asked of NumPy itself, on memory that is never touched.

    None where that depends on lengths that are not known.
    """
    steps = [] if x._cell is None else _chain(x._view)
    base = x._node if x._cell is None else x._cell.node
    strides = _strides_of(base) if x._cell is None else x._cell.strides
    in_order = strides is None and all(step.op.name in _IN_ORDER for step in steps)
    if in_order or x._node.shape == shape:
        return True
    if None in base.shape or None in shape:
        return None
    itemsize = base.dtype.itemsize
    if strides is None:
        strides = tuple(int(s) for s in np.cumprod((itemsize, *base.shape[:0:-1]))[::-1][: len(base.shape)])
    ghost: Any = as_strided(np.empty((), base.dtype), base.shape, strides)
    ghost = seen_through(steps, ghost)
    try:
        ghost.reshape(shape, copy=False)
    except ValueError:
        return False
    return True


def seen_through(steps: list[View], base: Any) -> Any:
    """The elements of the NumPy array `base` that `steps` lead to."""
    for step in steps:
        base = _GHOST[step.op.name](base, **step.params)
    return base


# --- chains ----------------------------------------------------------------------------------------------------------


def _joined(last: View | None, op: Op, params: dict[str, Any], site: Site, node: Node) -> View | None:
    """The chain `last` with one more step on `node`, written shorter where it can be: chains are replayed."""
    if op.name == "reshape" and params["shape"] == node.shape:
        return last
    if last is not None and last.op is op:
        if op.name == "reshape":
            return View(last.parent, op, params, site)
        if op.name == "permute_dims":
            axes = tuple(last.params["axes"][i] for i in params["axes"])
            return last.parent if axes == tuple(range(len(axes))) else View(last.parent, op, {"axes": axes}, site)
        if op.name == "flip":
            axis = tuple(sorted({*last.params["axis"]} ^ {*params["axis"]}))
            return View(last.parent, op, {"axis": axis}, site) if axis else last.parent
    return View(last, op, params, site)


# --- how a view's new value is put back into its parent --------------------------------------------------------------


def _put_getitem(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    from lazyxp.api.indexing import put

    return put(parent, params["key"], value, site)


def _put_permute_dims(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    axes = params["axes"]
    return make(OPS["permute_dims"], value, site=site, axes=tuple(axes.index(i) for i in range(len(axes))))


def _put_flip(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    return make(OPS["flip"], value, site=site, axis=params["axis"])


def _put_expand_dims(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    return make(OPS["squeeze"], value, site=site, axis=params["axis"])


def _put_squeeze(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    return make(OPS["expand_dims"], value, site=site, axis=params["axis"])


def _put_reshape(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    unknown = parent.shape.count(None)
    if unknown > 1:
        raise ValueError(f"a write through a reshape of {describe(parent)} needs its shape; call persist() on it first")
    return make(OPS["reshape"], value, site=site, shape=tuple(-1 if n is None else n for n in parent.shape))


def _put_real(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    return make(OPS["complex"], value, make(OPS["imag"], parent, site=site), site=site)


def _put_imag(parent: Node, params: dict[str, Any], value: Node, site: Site) -> Node:
    return make(OPS["complex"], make(OPS["real"], parent, site=site), value, site=site)


_PUT: dict[str, Callable[[Node, dict[str, Any], Node, Site], Node]] = {
    "getitem": _put_getitem,
    "permute_dims": _put_permute_dims,
    "flip": _put_flip,
    "expand_dims": _put_expand_dims,
    "squeeze": _put_squeeze,
    "reshape": _put_reshape,
    "real": _put_real,
    "imag": _put_imag,
}
_GHOST: dict[str, Callable[..., Any]] = {
    "getitem": lambda x, key: x[(*key, ...)],
    "permute_dims": lambda x, axes: x.transpose(axes),
    "flip": lambda x, axis: np.flip(x, axis),
    "expand_dims": lambda x, axis: np.expand_dims(x, axis),
    "squeeze": lambda x, axis: np.squeeze(x, axis),
    "reshape": lambda x, shape: x.reshape(shape),
    "real": lambda x: x.real,
    "imag": lambda x: x.imag,
    "broadcast_to": lambda x, shape: np.broadcast_to(x, shape),
    "linalg.diagonal": lambda x, offset: np.linalg.diagonal(x, offset=offset),
}
