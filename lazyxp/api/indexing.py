"""Indexing: keys are parsed once, into a canonical form with one entry for each axis.

A canonical key is a tuple of ints, slices, None (a new axis) and `ARRAY`, which stands for the next index array among
the node's operands. Basic keys (no arrays) give views; mask and integer-array keys give copies, as in NumPy.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyxp import dtypes, options
from lazyxp.api import views
from lazyxp.api.array import Array
from lazyxp.api.recording import SCALARS, as_array, constant, current, operand, record
from lazyxp.node import Meta, Node, Op, Shape, SharedParams, Site, describe, make, user_site
from lazyxp.shapes import broadcast, broadcasts_to, normalize_axis, show

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike

ARRAY = "array"
Key = tuple[Any, ...]


def selected(shape: Shape, key: Key, indices: tuple[Meta, ...]) -> Shape:
    """The shape that canonical `key` selects from an array of `shape` (NumPy's rule for advanced indexing)."""
    arrays = iter(indices)
    kept: list[int | None] = []
    picked: list[Shape] = []
    first = last = None
    apart = False
    axis = 0
    for position, entry in enumerate(key):
        if entry is Ellipsis:
            continue
        if entry is None:
            kept.append(1)
            continue
        is_array = type(entry) is str
        if is_array or (indices and isinstance(entry, int)):
            apart = apart or (last is not None and position != last + 1)
            first = len(kept) if first is None else first
            last = position
        if is_array:
            index = next(arrays)
            if index.dtype.kind == "b":
                picked.append((None,))
                axis += len(index.shape)
                continue
            picked.append(index.shape)
        elif isinstance(entry, slice):
            kept.append(_slice_length(entry, shape[axis]))
        axis += 1
    if first is None:
        return tuple(kept)
    try:
        middle = broadcast("indexing", *picked)
    except ValueError as error:
        raise IndexError(str(error)) from None
    at = 0 if apart else first
    return (*kept[:at], *middle, *kept[at:])


def _slice_length(entry: slice, side: int | None) -> int | None:
    return None if side is None else len(range(*entry.indices(side)))


def _infer_getitem(x: Meta, *indices: Meta, key: Key) -> Meta:
    return Meta(selected(x.shape, key, indices), x.dtype)


def _infer_setitem(x: Meta, value: Meta, *indices: Meta, key: Key) -> Meta:
    target = selected(x.shape, key, indices)
    if not broadcasts_to(value.shape, target):
        raise ValueError(f"assignment: shape mismatch: {describe(value)} does not broadcast to {show(target)}")
    return Meta(x.shape, x.dtype)


def _infer_take(x: Meta, indices: Meta, *, axis: int) -> Meta:
    return Meta((*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]), x.dtype)


def _infer_take_along_axis(x: Meta, indices: Meta, *, axis: int) -> Meta:
    rest = [s[:axis] + s[axis + 1 :] for s in (x.shape, indices.shape)]
    common = broadcast("take_along_axis", *rest)
    return Meta((*common[:axis], indices.shape[axis], *common[axis:]), x.dtype)


GETITEM = Op("getitem", "indexing", _infer_getitem)
GATHER = Op("gather", "indexing", _infer_getitem)
SETITEM = Op("setitem", "indexing", _infer_setitem)
SCATTER = Op("scatter", "indexing", _infer_setitem)
TAKE = Op("take", "indexing", _infer_take)
TAKE_ALONG_AXIS = Op("take_along_axis", "indexing", _infer_take_along_axis)


# What keys of ints, slices and None select, by the key and the shape: nodes then share their parameters, which makes
# recording and comparing them cheap.
_known: dict[tuple[Key, Shape], tuple[SharedParams, Shape, bool]] = {}
_MOST_KNOWN = 10_000
_PLAIN = frozenset((int, type(None)))


def getitem(x: Array, key: Any) -> Array:
    """``x[key]``."""
    node = current(x)
    params, arrays, shape, single = _parsed(x, node, key)
    site = user_site()
    if arrays:
        return Array(Node(GATHER, (node, *[current(a) for a in arrays]), params, shape, node.dtype, site))
    result = Array(Node(GETITEM, (node,), params, shape, node.dtype, site))
    if not single:
        views.attach(x, result, GETITEM, params, site)
    return result


def _parsed(x: Array, node: Node, key: Any, *, writes: bool = False) -> tuple[SharedParams, list[Array], Shape, bool]:
    """The parameters of an op on `x` with `key`, its index arrays, what it selects, and whether that is one element."""
    plain = None if options.current().strict else _plain(key)
    known = None if plain is None else _known.get((plain, node.shape))
    if known is not None:
        params, shape, single = known
        return params, [], shape, single
    canonical, arrays, single = _parse(x, key, writes=writes)
    params = SharedParams({"key": canonical})
    shape = selected(node.shape, canonical, tuple(current(a) for a in arrays))  # type: ignore[misc]
    if plain is not None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[plain, node.shape] = params, shape, single
    return params, arrays, shape, single


def _plain(key: Any) -> Key | None:
    """`key` as something hashable; None where it holds anything else than ints, slices of them, None and Ellipsis."""
    if type(key) is not tuple:
        key = (key,)
    plain: list[Any] = []
    for entry in key:
        if type(entry) is slice:
            start, stop, step = entry.start, entry.stop, entry.step
            if not (type(start) in _PLAIN and type(stop) in _PLAIN and type(step) in _PLAIN):
                return None
            plain.append((start, stop, step))
        elif type(entry) in _PLAIN or entry is Ellipsis:
            plain.append(entry)
        else:
            return None
    return tuple(plain)


def assigned(x: Array, key: Any, value: ArrayLike) -> Node:
    """The node of `x` after ``x[key] = value``."""
    site = user_site()
    node = current(x)
    params, arrays, target, _ = _parsed(x, node, key, writes=True)
    if type(value) in SCALARS:
        if options.current().strict and not dtypes.scalar_fits(type(value), node.dtype):
            raise TypeError(f"assignment: a Python {type(value).__name__} cannot go into {node.dtype} (strict=True)")
        values = constant(value, node.dtype, "assignment", site)  # type: ignore[arg-type]
    else:
        values = _fit_value(as_array(value, "assignment"), node.dtype, site)
    extra = len(values.shape) - len(target)
    if extra > 0 and all(n == 1 for n in values.shape[:extra]):
        from lazyxp.api.manipulation import SQUEEZE

        values = make(SQUEEZE, values, site=site, axis=tuple(range(extra)))
    if arrays:
        return make(SCATTER, node, values, *[current(a) for a in arrays], site=site, **params)
    if None not in params["key"] and (not values.shape or values.shape == target):
        return Node(SETITEM, (node, values), params, node.shape, node.dtype, site)
    return put(node, params["key"], values, site)


def put(x: Node, key: Key, value: Node, site: Site) -> Node:
    """The node of `x` after a write through basic `key`; new axes are taken out of the key, as they select nothing."""
    if None in key:
        target = selected(x.shape, key, ())
        from lazyxp.api.manipulation import SQUEEZE

        entries = [e for e in key if e is None or isinstance(e, slice)]
        missing = len(target) - len(value.shape)
        new = tuple(i - missing for i, e in enumerate(entries) if e is None and i >= missing)
        value = make(SQUEEZE, value, site=site, axis=new)
        key = tuple(e for e in key if e is not None)
    return make(SETITEM, x, value, site=site, key=key)


def _fit_value(value: Array, dtype: np.dtype[Any], site: Any) -> Node:
    from lazyxp.api.data_types import astype

    if value.dtype == dtype:
        return current(value)
    if options.current().strict and dtypes.promote(value.dtype, dtype, function="assignment") != dtype:
        raise TypeError(f"assignment: {describe(current(value))} cannot go into {dtype} (strict=True is set)")
    return current(astype(value, dtype))


# --- parsing ---------------------------------------------------------------------------------------------------------


def _parse(x: Array, key: Any, *, writes: bool = False) -> tuple[Key, list[Array], bool]:
    """The canonical key, its index arrays, and whether ints alone select one element (in NumPy a scalar)."""
    node = current(x)
    entries = list(key) if type(key) is tuple else [key]
    arrays: list[Array] = []
    used = 0
    for i, entry in enumerate(entries):
        if entry is None or entry is Ellipsis or type(entry) is slice:
            used += type(entry) is slice
        elif isinstance(entry, int) and not isinstance(entry, bool):
            used += 1
        else:
            entries[i], array = _parse_index(entry, node)
            if array is None:
                used += 1
            else:
                arrays.append(array)
                used += array.ndim if array.dtype.kind == "b" else 1
    single = not arrays and used == len(node.shape) and all(isinstance(e, int) for e in entries)
    if used > len(node.shape):
        raise IndexError(f"too many indices: {used} for {describe(node)}")
    if options.current().strict:
        _check_standard_key(key, entries, arrays, writes)
        if used < len(node.shape) and ... not in entries and not _has_mask(arrays):
            raise IndexError(f"{used} indices for {describe(node)}; add an ellipsis (strict=True is set)")
    entries = _expand_ellipsis(entries, len(node.shape) - used, bool(arrays))
    return _check_bounds(entries, arrays, node), arrays, single


def _parse_index(entry: Any, node: Node) -> tuple[Any, Array | None]:
    """An entry that is no int, slice, None or Ellipsis: an index array, or something with ``__index__``."""
    if isinstance(entry, (bool, np.bool_)):
        return ARRAY, Array(constant(bool(entry), dtypes.bool, "indexing", user_site()))
    if not isinstance(entry, Array):
        if isinstance(entry, np.integer) or (not hasattr(entry, "__len__") and hasattr(type(entry), "__index__")):
            return operator.index(entry), None
        if isinstance(entry, (str, bytes)) or (not hasattr(entry, "__len__") and not hasattr(entry, "__dlpack__")):
            raise IndexError(
                f"only integers, slices, ellipsis, None and integer or boolean arrays index an array; got {entry!r} "
                f"for {describe(node)}"
            )
        entry = as_array(_index_list(entry) if isinstance(entry, (list, tuple)) else entry, "indexing")
    if entry.dtype.kind not in "biu":
        raise IndexError(f"index arrays must be of integer or boolean type, got {describe(current(entry))}")
    return ARRAY, entry


def _index_list(entry: Any) -> Array:
    """A list in a key as an array; an empty one holds integers, as in NumPy."""
    from lazyxp.api.conversion import asarray

    index = asarray(entry)
    return asarray(index, dtype=dtypes.int64) if index.size == 0 else index


def _expand_ellipsis(entries: list[Any], missing: int, advanced: bool) -> list[Any]:
    dots = [i for i, e in enumerate(entries) if e is Ellipsis]
    if len(dots) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    at = dots[0] if dots else len(entries)
    before, after = entries[:at], entries[at + len(dots) :]
    if advanced and missing == 0 and any(map(_is_index, before)) and any(map(_is_index, after)):
        return entries  # even an ellipsis that stands for no axis sets index arrays apart
    return [*before, *[slice(None)] * missing, *after]


def _is_index(entry: Any) -> bool:
    return isinstance(entry, (int, str))


def _has_mask(arrays: list[Array]) -> bool:
    return any(a.dtype.kind == "b" for a in arrays)


def _check_standard_key(key: Any, entries: list[Any], arrays: list[Array], writes: bool) -> None:
    """Refuse the keys that the standard does not define."""
    if sum(isinstance(e, Array) for e in (key if type(key) is tuple else (key,))) != len(arrays):
        raise IndexError("index arrays and masks must be lazyxp arrays (strict=True is set)")
    if _has_mask(arrays):
        if len(entries) > 1:
            raise IndexError("a boolean mask must be the only index (strict=True is set)")
    elif arrays and any(e is None or e is Ellipsis or isinstance(e, slice) for e in entries):
        raise IndexError("integer arrays may be combined with integers only, one for each axis (strict=True is set)")
    elif writes and (arrays or None in entries):
        raise IndexError("integers, slices, an ellipsis or a mask select what is written to (strict=True is set)")


def _check_bounds(entries: list[Any], arrays: list[Array], node: Node) -> Key:
    """Check each entry against the axis that it selects from, and write ints and slices in one way."""
    index = iter(arrays)
    nothing = any(0 in current(a).shape for a in arrays)  # NumPy then checks no index
    axis = 0
    key: list[Any] = []
    for entry in entries:
        if entry is None or entry is Ellipsis:
            key.append(entry)
            continue
        if type(entry) is str:
            array = next(index)
            key.append(entry)
            if array.dtype.kind == "b":
                _check_mask(array, node, axis)
                axis += array.ndim
                continue
            if not nothing:
                _check_known_indices(current(array).value, node, axis)
        elif type(entry) is slice:
            key.append(_canonical_slice(entry, node.shape[axis]))
        else:
            side = node.shape[axis]
            if side is not None and not -side <= entry < side:
                raise IndexError(f"index {entry} is out of bounds for axis {axis} of {describe(node)}")
            key.append(entry % side if side else int(entry))
        axis += 1
    return tuple(key)


def _canonical_slice(entry: slice, side: int | None) -> slice:
    start, stop, step = (None if p is None else operator.index(p) for p in (entry.start, entry.stop, entry.step))
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if options.current().strict and side is not None and any(p is not None and abs(p) > side for p in (start, stop)):
        raise IndexError(f"slice {start}:{stop} ends outside of an axis of length {side} (strict=True is set)")
    if side is None or (start is None and stop is None and step in (None, 1)):
        return slice(start, stop, step)
    first, after, step = slice(start, stop, step).indices(side)
    if not range(first, after, step):
        return slice(0, 0, 1)
    return slice(first, None if after < 0 else after, step)


def _check_known_indices(indices: Any, node: Node, axis: int) -> None:
    """Refuse index arrays out of bounds where their values are at hand; others are checked when the graph runs."""
    side = node.shape[axis]
    if isinstance(indices, np.ndarray) and indices.size and side is not None:
        lowest, highest = int(indices.min()), int(indices.max())
        if not -side <= lowest <= highest < side:
            wrong = lowest if lowest < -side else highest
            raise IndexError(f"index {wrong} is out of bounds for axis {axis} of {describe(node)}")


def _check_mask(mask: Array, node: Node, axis: int) -> None:
    for i, side in enumerate(current(mask).shape):
        length = node.shape[axis + i]
        if side is not None and length is not None and side not in (length, 0):
            raise IndexError(
                f"boolean index {describe(current(mask))} does not match {describe(node)} along axis {axis + i}"
            )


# --- the standard's indexing functions -------------------------------------------------------------------------------


def take(x: Array, indices: Array, /, *, axis: int | None = None) -> Array:
    """Take elements along an axis by their indices.

    Parameters
    ----------
    x : Array
        At least one dimension, any dtype.
    indices : Array
        Integers; negative ones count from the end. Any shape, 1-D in the standard.
    axis : int, optional
        The axis to take along; needed unless `x` is 1-D.

    Returns
    -------
    Array
        A copy, `x`'s shape with `axis` replaced by the shape of `indices`.

    Raises
    ------
    TypeError
        If `indices` are not integers.
    ValueError
        If the axis does not exist, or is not given for an array of several dimensions.
    IndexError
        When the graph runs, if an index is out of bounds.

    References
    ----------
    Array API standard 2025.12, indexing functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.take(xp.asarray([10, 20, 30]), xp.asarray([2, 0])).compute()
    array([30, 10])
    """
    x = operand(x, "all", "take")
    index = operand(indices, "integer", "take")
    if options.current().strict and index.ndim != 1:
        raise ValueError(f"take: indices must be 1-D, got {describe(current(index))} (strict=True is set)")
    if axis is None:
        if x.ndim != 1:
            raise ValueError(f"take: axis must be given for {describe(current(x))}")
        axis = 0
    return record(TAKE, x, index, axis=normalize_axis(axis, x.ndim, "take"))


def take_along_axis(x: Array, indices: Array, /, *, axis: int = -1) -> Array:
    """Take from each 1-D slice of `x` the elements that the matching slice of `indices` names.

    Parameters
    ----------
    x : Array
        At least one dimension, any dtype.
    indices : Array
        Integers, with `x`'s number of dimensions; the other axes broadcast with `x`'s.
    axis : int, optional
        The axis to take along; the last by default.

    Returns
    -------
    Array
        A copy of the broadcast shape.

    Raises
    ------
    TypeError
        If `indices` are not integers.
    ValueError
        If the numbers of dimensions differ, the shapes do not fit, or the axis does not exist.
    IndexError
        When the graph runs, if an index is out of bounds.

    References
    ----------
    Array API standard 2025.12, indexing functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([[3, 1, 2]])
    >>> xp.take_along_axis(x, xp.argsort(x)).compute()
    array([[1, 2, 3]])
    """
    x = operand(x, "all", "take_along_axis")
    index = operand(indices, "integer", "take_along_axis")
    if index.ndim != x.ndim:
        raise ValueError(
            f"take_along_axis: {describe(current(x))} and indices {describe(current(index))} must have "
            "one number of dimensions"
        )
    return record(TAKE_ALONG_AXIS, x, index, axis=normalize_axis(axis, x.ndim, "take_along_axis"))
