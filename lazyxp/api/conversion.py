"""How objects from outside become arrays: `asarray` and `from_dlpack`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lazyxp import dtypes, options
from lazyxp.api import views
from lazyxp.api.array import Array
from lazyxp.api.info import check_device
from lazyxp.api.recording import SCALARS, constant, copy_of, current
from lazyxp.node import SOURCE, Node, Site, describe, user_site
from lazyxp.sources import SNAPSHOT_BYTES, from_numpy, note_device, owned

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike, Device, DType, DTypeLike, Scalar


def asarray(
    obj: ArrayLike | Any, /, *, dtype: DTypeLike | None = None, device: Device | None = None, copy: bool | None = None
) -> Array:
    """Make `obj` an Array.

    Parameters
    ----------
    obj : array, scalar, nested sequence or buffer
        Arrays of any library (by `__array_namespace__`, DLPack, `__array__` or the buffer protocol), Python scalars,
        and nested sequences of scalars or (unless ``strict=True``) of arrays.
    dtype : dtype, optional
        The data type; by default `obj`'s own, or the default one of its kind of Python scalar.
    device : str, optional
        "cpu" or None.
    copy : bool, optional
        True: always copy. False: never, or ValueError. None: NumPy arrays up to 64 KiB are copied, larger ones are
        shared and must not change before the graph has run (a change raises `SourceMutated` if it shows in a sample of
        the elements).

    Returns
    -------
    Array
        `obj` itself where it is an Array that needs no change. An Array on a read-only NumPy array is read-only.

    Raises
    ------
    TypeError
        If `obj` is or holds something that is not a number or a bool.
    ValueError
        If nested sequences are ragged, or ``copy=False`` cannot be met.
    OverflowError
        If a Python integer does not fit the dtype.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.asarray([1, 2, 3]).dtype
    dtype('int64')
    """
    check_device(device, "asarray")
    target = None if dtype is None else dtypes.as_dtype(dtype, "asarray")
    site = user_site()
    if isinstance(obj, SCALARS) and type(obj) in SCALARS:
        if copy is False:
            raise ValueError("asarray: a Python scalar cannot become an array without a copy (copy=False)")
        return Array(constant(obj, target or scalar_dtype(obj), "asarray", site))
    if not isinstance(obj, Array):
        obj = _from_object(obj, target, copy, site)
        copy = False if copy is False else None
    if target is not None and obj.dtype != target:
        if copy is False:
            raise ValueError(f"asarray: {describe(current(obj))} cannot become {target} without a copy (copy=False)")
        from lazyxp.api.data_types import astype

        return astype(obj, target)
    return copy_of(obj) if copy else obj


def scalar_dtype(value: Scalar) -> DType:
    """The default dtype for a Python scalar; integers too large for int64 are uint64, as in NumPy."""
    if type(value) is int and value > np.iinfo(np.int64).max:
        return dtypes.uint64
    return dtypes.default_of(type(value))


def from_dlpack(x: object, /, *, device: Device | None = None, copy: bool | None = None) -> Array:
    """Make an array of another library an Array through DLPack.

    Parameters
    ----------
    x : object
        An object with `__dlpack__` and `__dlpack_device__`.
    device : str, optional
        "cpu" or None.
    copy : bool, optional
        True: always copy. False: never, or an error. None: only where necessary.

    Returns
    -------
    Array
        The data of `x`.

    Raises
    ------
    TypeError
        If `x` does not speak DLPack.
    BufferError
        If the data cannot be exported as asked for.

    References
    ----------
    Array API standard 2025.12, creation functions.

    Examples
    --------
    >>> import numpy as np
    >>> import lazyxp as xp
    >>> xp.from_dlpack(np.asarray([1, 2])).compute()
    array([1, 2])
    """
    check_device(device, "from_dlpack")
    if isinstance(x, Array):
        return copy_of(x) if copy else x
    if not hasattr(x, "__dlpack__"):
        raise TypeError(f"from_dlpack: {type(x).__name__} has no __dlpack__ method; use asarray")
    if hasattr(x, "__array_namespace__") and not isinstance(x, np.ndarray) and not copy:
        return asarray(x)
    return asarray(np.from_dlpack(x, copy=copy))


def _from_object(obj: Any, dtype: DType | None, copy: bool | None, site: Site) -> Array:
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
            f"asarray: {type(obj).__name__} is no array, number, nested sequence or buffer. Value {obj!r:.60}"
        ) from None


def _is_native(obj: Any) -> bool:
    """Whether `obj` is an array of a backend whose arrays do not name their namespace."""
    return type(obj).__module__.partition(".")[0] in ("dask", "cupy", "torch") and hasattr(obj, "dtype")


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
    library = type(obj).__module__.partition(".")[0]
    if library == "dask":
        obj = obj.copy()  # of the graph, not of the data: an assignment to the user's array is not seen here
    elif library == "sparse":
        obj = obj.asformat("coo") if type(obj).__name__ == "DOK" else obj
        obj = obj.copy() if copy or (copy is None and obj.nbytes <= SNAPSHOT_BYTES) else obj
    elif copy:
        namespace = obj.__array_namespace__() if hasattr(obj, "__array_namespace__") else None
        if namespace is not None:
            obj = namespace.asarray(obj, copy=True)
        else:
            obj = obj.clone() if library == "torch" else obj.copy()
    name = getattr(obj.dtype, "name", None) or str(obj.dtype).rpartition(".")[2]
    shape = tuple(None if n is None or n != n else int(n) for n in obj.shape)
    node = Node(SOURCE, (), {}, shape, dtypes.as_dtype(name, "asarray"), site, obj)
    note_device(node)
    return Array(node)


def _from_sequence(obj: Any, dtype: DType | None, site: Site) -> Array:
    if _holds_array(obj):
        if options.current().strict:
            raise TypeError("asarray: sequences of arrays are not in the standard; use stack (strict=True is set)")
        from lazyxp.api.joining import stack

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
