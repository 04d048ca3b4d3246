"""How selections go through contractions, reductions, scans, sorting, searches and Fourier transforms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lazyxp.node import Node, Shape
from lazyxp.optimizers.graph import Graph
from lazyxp.optimizers.keys import Entries, Entry, Index, all_of, axis_after, drops, is_all, shape_of
from lazyxp.optimizers.push_ways import Way, aligned, divided, is_integral, remade, through, without

# --- contractions ----------------------------------------------------------------------------------------------------


@through("matmul", "matmul", is_integral)
def _matmul(node: Node, entries: Entries) -> Way | None:
    """Rows of the first, columns of the second, and of both what is stacked."""
    a, b = node.args
    has_rows, has_columns = len(a.shape) > 1, len(b.shape) > 1
    stacked = len(node.shape) - has_rows - has_columns
    changed = {}
    for has_it, x, axis in ((has_rows, a, stacked), (has_columns, b, len(node.shape) - 1)):
        if has_it and len(x.shape) > 2 and drops(entries[axis]):  # a stack of vectors would be seen as a matrix
            changed[axis] = _thick(entries[axis], node.shape[axis])
    inner, rest = divided(entries, changed)
    own = []
    for has_it, x, axis, place in ((has_rows, a, stacked, 0), (has_columns, b, len(node.shape) - 1, 1)):
        if not has_it:
            own.append(all_of(x.shape))
            continue
        stack = aligned(x.shape[:-2], node.shape[:stacked], inner[:stacked])
        if stack is None:
            return None
        k = (0, x.shape[-1 - place], 1)
        own.append((*stack, k, inner[axis]) if place else (*stack, inner[axis], k))
    return _changed(node, own, remade(node, shape_of(inner)), rest)


def _thick(entry: Entry, side: int | None) -> tuple[Entry, Entry]:
    """`entry`, whose axis goes away, in two steps: what keeps the axis, and what then takes it away."""
    return ((entry, 1, 1), 0) if type(entry) is int else ((0, side, 1), entry)


def _changed(node: Node, own: Sequence[Entries], build: Any, rest: Entries | None) -> Way | None:
    """The way, if less than everything is selected of some operand."""
    if all(is_all(e, x.shape) for e, x in zip(own, node.args, strict=True)):
        return None
    return Way(list(zip(node.args, own, strict=True)), build, rest)


@through("tensordot", "tensordot", is_integral)
def _tensordot(node: Node, entries: Entries) -> Way | None:
    own, axes = [], []
    left = iter(entries)
    for x, contracted in zip(node.args, node.params["axes"], strict=True):
        mine = tuple([(0, n, 1) if i in contracted else next(left) for i, n in enumerate(x.shape)])
        own.append(mine)
        axes.append(tuple([axis_after(i, mine) for i in contracted]))
    return _changed(node, own, remade(node, shape_of(entries), axes=tuple(axes)), None)


@through("vecdot", "vecdot", is_integral)
def _vecdot(node: Node, entries: Entries) -> Way | None:
    axis = node.params["axis"]
    behind = -1 - axis
    own = []
    for x in node.args:
        at = len(x.shape) + axis
        mine = aligned(x.shape[:at] + x.shape[at + 1 :], node.shape, entries)
        if mine is None:
            return None
        own.append((*mine[:at], (0, x.shape[at], 1), *mine[at:]))
    left = sum(not drops(e) for e in entries[len(entries) - behind :])
    return _changed(node, own, remade(node, shape_of(entries), axis=-1 - left), None)


def _is_ieee_product(node: Node) -> bool:
    return bool(node.dtype.kind != "c")


@through("outer", "linalg.outer", _is_ieee_product)
def _outer(node: Node, entries: Entries) -> Way | None:
    """Where one operand has no axis left, the product is elementwise."""
    a, b = node.args
    if len(a.shape) != 1 or len(b.shape) != 1:
        return None
    own = [entries[:1], entries[1:]]
    if not any(map(drops, entries)):
        return _changed(node, own, remade(node, shape_of(entries)), None)

    def build(graph: Graph, parts: Sequence[Node]) -> Node:
        return graph.make("multiply", *parts, site=node.site)

    return Way([(a, own[0]), (b, own[1])], build)


@through("cross", "linalg.cross", is_integral)
def _cross(node: Node, entries: Entries) -> Way | None:
    """The components stay together, on the last axis."""
    a, b = node.args
    axis = node.params["axis"]
    last = len(entries) - 1
    if axis not in (-1, last) or a.shape[-1] != 3 or b.shape[-1] != 3 or (axis != -1 and len(a.shape) != len(b.shape)):
        return None
    inner, rest = without(entries, node.shape, [last])
    own = [aligned(x.shape[:-1], node.shape[:-1], inner[:-1]) for x in node.args]
    if own[0] is None or own[1] is None:
        return None
    return _changed(node, [(*own[0], (0, 3, 1)), (*own[1], (0, 3, 1))], remade(node, shape_of(inner), axis=-1), rest)


# --- reductions ------------------------------------------------------------------------------------------------------


def _is_orderless(node: Node) -> bool:
    return node.op.name in ("all", "any", "count_nonzero", "argmax", "argmin") or is_integral(node)


@through(
    "reduction", "all any count_nonzero max min sum prod mean std var linalg.vector_norm argmax argmin", _is_orderless
)
def _reduction(node: Node, entries: Entries) -> Way | None:
    axis = node.params["axis"]
    if axis is None:
        return None
    x = node.args[0]
    axes = (axis,) if type(axis) is int else axis
    own, rest, shape = _over_others(x.shape, entries, node.shape, axes, node.params["keepdims"])
    if is_all(own, x.shape) or 0 in shape:
        return None
    left = tuple([axis_after(i, own) for i in axes])
    return Way([(x, own)], remade(node, shape, axis=left[0] if type(axis) is int else left), rest)


def _over_others(
    sides: Shape, entries: Entries, shape: Shape, axes: Sequence[int], keepdims: bool
) -> tuple[Entries, Entries | None, Shape]:
    """What a reduction of `axes` needs of its operand, what then remains to be selected, and the shape between."""
    if keepdims:
        entries, rest = without(entries, shape, axes)
        own = tuple([(0, n, 1) if i in axes else e for i, (n, e) in enumerate(zip(sides, entries, strict=True))])
        return own, rest, shape_of(entries)
    left = iter(entries)
    return tuple([(0, n, 1) if i in axes else next(left) for i, n in enumerate(sides)]), None, shape_of(entries)


@through("matrix reduction", "linalg.trace linalg.matrix_norm", is_integral)
def _matrix_reduction(node: Node, entries: Entries) -> Way | None:
    x = node.args[0]
    if node.params.get("ord") in (2, -2, "nuc"):
        return None  # raises where the singular values of some matrix cannot be found
    last = range(len(x.shape) - 2, len(x.shape))
    own, rest, shape = _over_others(x.shape, entries, node.shape, last, node.params.get("keepdims", False))
    return None if is_all(own, x.shape) or 0 in shape else Way([(x, own)], remade(node, shape), rest)


# --- along one axis --------------------------------------------------------------------------------------------------


@through("scan", "cumulative_sum cumulative_prod", is_integral)
def _cumulative(node: Node, entries: Entries) -> Way | None:
    """Of the axis that is gone along, nothing is needed behind the last element that is selected."""
    x = node.args[0]
    axis = node.params["axis"]
    entry, n = entries[axis], x.shape[axis]
    needed = n
    if n is not None and type(entry) is not Index:
        last = entry if type(entry) is int else max(entry[0], entry[0] + (entry[1] - 1) * entry[2])
        needed = min(n, last + (not node.params["include_initial"]))
    if needed is None or needed <= 0:
        needed = n
    length = None if needed is None else needed + bool(node.params["include_initial"])
    first: Entry = (0, length, 1)
    inner, rest = divided(entries, {} if entry == first else {axis: (first, entry)})
    own = (*inner[:axis], (0, needed, 1), *inner[axis + 1 :])
    return _changed(node, [own], remade(node, shape_of(inner), axis=axis_after(axis, inner)), rest)


@through("diff", "diff")
def _diff(node: Node, entries: Entries) -> Way | None:
    x = node.args[0]
    axis, n = node.params["axis"], node.params["n"]
    entry = entries[axis]
    if type(entry) is int:
        first: Entry = (entry, 1, 1)
        inner, rest = divided(entries, {axis: (first, 0)})
    elif type(entry) is tuple and entry[2] == 1 and entry[1]:
        first = entry
        inner, rest = entries, None
    else:
        inner, rest = without(entries, node.shape, [axis])
        first = inner[axis]
    start, length, _ = first
    is_whole = length is None or length == 0 or (start, length) == (0, node.shape[axis])
    needed = (0, x.shape[axis], 1) if is_whole else (start, length + n, 1)
    own = (*inner[:axis], needed, *inner[axis + 1 :])
    return _changed(node, [own], remade(node, shape_of(inner), axis=axis_after(axis, inner)), rest)


def _is_sorted_alike(node: Node) -> bool:
    return bool(node.params["stable"]) or node.args[0].dtype.kind in "biu"


@through("sort", "sort argsort", _is_sorted_alike)
def _sort(node: Node, entries: Entries) -> Way | None:
    if node.op.name == "argsort" and not node.params["stable"]:
        return None  # the order of equal elements is open
    return _along(node, entries, (node.params["axis"],), "axis")


@through("fft", "fft.fft fft.ifft fft.rfft fft.irfft fft.hfft fft.ihfft", lambda node: False)
def _fft(node: Node, entries: Entries) -> Way | None:
    return _along(node, entries, (node.params["axis"],), "axis")


@through("fft", "fft.fftn fft.ifftn fft.rfftn fft.irfftn", lambda node: False)
def _fftn(node: Node, entries: Entries) -> Way | None:
    return _along(node, entries, node.params["axes"], "axes")


def _along(node: Node, entries: Entries, axes: Sequence[int], name: str) -> Way | None:
    """What goes along `axes` is needed of whole lines, which are independent of one another."""
    x = node.args[0]
    inner, rest = without(entries, node.shape, axes)
    shape = shape_of(inner)
    if 0 in shape or len(node.args) != 1:
        return None
    own = tuple([(0, n, 1) if i in axes else e for i, (n, e) in enumerate(zip(x.shape, inner, strict=True))])
    moved = tuple([axis_after(i, inner) for i in axes])
    return _changed(node, [own], remade(node, shape, **{name: moved[0] if name == "axis" else moved}), rest)


# --- searches --------------------------------------------------------------------------------------------------------


@through("search", "searchsorted")
def _searchsorted(node: Node, entries: Entries) -> Way | None:
    """Among values that are not sorted, what is found depends on what was looked for before."""
    values = node.args[0]
    if len(node.args) != 2 or values.op.name != "sort" or values.params["descending"]:
        return None
    return Way([(values, all_of(values.shape)), (node.args[1], entries)], remade(node, shape_of(entries)))


@through("search", "isin")
def _isin(node: Node, entries: Entries) -> Way:
    x, elements = node.args
    return Way([(x, entries), (elements, all_of(elements.shape))], remade(node, shape_of(entries)))
