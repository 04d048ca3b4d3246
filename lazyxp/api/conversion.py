"""How objects from outside become arrays: NumPy's, other libraries', buffers and nested sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyxp import dtypes, options
from lazyxp.api import views
from lazyxp.api.array import Array
from lazyxp.node import SOURCE, Node, Site
from lazyxp.sources import from_numpy, owned

DType = np.dtype[Any]


def from_object(obj: Any, dtype: DType | None, copy: bool | None, site: Site) -> Array:
    """An Array of `obj`, which is neither an Array nor a Python scalar; `dtype` only guides sequences."""
    if isinstance(obj, np.ma.MaskedArray):
        raise TypeError("asarray: a masked array would lose its mask; pass obj.filled(value), or obj.data and obj.mask")
    if isinstance(obj, (np.ndarray, np.generic)):
        return _from_numpy(np.asarray(obj), copy, site)
    if isinstance(obj, (list, tuple, range)):
        if copy is False:
            raise ValueError(f"asarray: a {type(obj).__name__} cannot become an array without a copy (copy=False)")
        return _from_sequence(obj, dtype, site)
    if hasattr(obj, "__array_namespace__") or _is_native(obj):
        return _from_native(obj, copy, site)
    if hasattr(obj, "__dlpack__"):
        return _from_numpy(np.from_dlpack(obj, copy=copy), copy, site)
    if hasattr(obj, "__array__"):
        return _from_numpy(np.asarray(obj), copy, site)
    try:
        return _from_numpy(np.asarray(memoryview(obj)), copy, site)
    except TypeError:
        raise TypeError(
            f"asarray: {type(obj).__name__} is no array, number, nested sequence or buffer: {obj!r:.60}"
        ) from None


def _is_native(obj: Any) -> bool:
    """Whether `obj` is an array of a backend whose arrays do not name their namespace."""
    return type(obj).__module__.partition(".")[0] in ("dask", "cupy") and hasattr(obj, "dtype")


def _from_numpy(value: np.ndarray[Any, Any], copy: bool | None, site: Site) -> Array:
    dtypes.as_dtype(value.dtype, "asarray")
    if copy is False and not value.dtype.isnative:
        raise ValueError("asarray: an array in another byte order cannot be used without a copy (copy=False)")
    array = Array(from_numpy(value, copy=copy, site=site))
    if not value.flags.writeable and not copy:
        views.found(array, "it was recorded from a read-only NumPy array")
    return array


def _from_native(obj: Any, copy: bool | None, site: Site) -> Array:
    """An array of another library stays what it is, so that its backend can run on it."""
    if copy:
        namespace = obj.__array_namespace__() if hasattr(obj, "__array_namespace__") else None
        obj = obj.copy() if namespace is None else namespace.asarray(obj, copy=True)
    name = getattr(obj.dtype, "name", None) or str(obj.dtype).rpartition(".")[2]
    shape = tuple(None if n is None or n != n else int(n) for n in obj.shape)
    return Array(Node(SOURCE, (), {}, shape, dtypes.as_dtype(name, "asarray"), site, obj))


def _from_sequence(obj: Any, dtype: DType | None, site: Site) -> Array:
    if _holds_array(obj):
        if options.current().strict:
            raise TypeError("asarray: sequences of arrays are not in the standard; use stack (strict=True is set)")
        from lazyxp.api.creation import asarray
        from lazyxp.api.manipulation import stack

        return stack([asarray(x) for x in obj])
    try:
        value = np.asarray(obj, dtype=dtype)
    except ValueError as error:
        raise ValueError(f"asarray: {error}") from None
    if value.dtype == object and all(isinstance(item, int) for item in value.flat):
        raise OverflowError(f"asarray: {obj!r:.60} holds integers that fit no data type")
    dtypes.as_dtype(value.dtype, "asarray")
    return Array(owned(value, site))


def _holds_array(obj: Any) -> bool:
    stack = list(obj) if not isinstance(obj, range) else []
    while stack:
        item = stack.pop()
        if isinstance(item, Array):
            return True
        if isinstance(item, (list, tuple)):
            stack.extend(item)
    return False
