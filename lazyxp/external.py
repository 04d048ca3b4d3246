"""Sources that are read when the graph runs: files and stores, of which only the parts that are needed are read.

A node of `READ` stands for a part of such a source. The optimizer's push-down makes that part smaller; the executor
then asks the `External`, which is the only one to index the user's object.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyxp import dtypes
from lazyxp.api.array import Array
from lazyxp.api.indexing import selected
from lazyxp.node import SOURCE, Meta, Node, Op, make, user_site
from lazyxp.shapes import as_shape

# Libraries whose objects give a new array each time they are indexed, which nobody else can write to.
_READERS = frozenset(("zarr", "h5py"))


def _infer_read(external: Meta, *, shape: tuple[int, ...], key: tuple[Any, ...]) -> Meta:
    return Meta(selected(shape, key, ()), external.dtype)


READ = Op("read", "read", _infer_read)


class External:
    """An object of the user's that is read region by region.

    Attributes
    ----------
    obj : object
        What is read.
    shape, dtype : tuple of int, dtype
        Those of the arrays that are made of it; the dtype is in native byte order.
    wanted_chunks : int, tuple, dict or str
        The chunks that Dask is to read, as the user said.
    """

    def __init__(self, obj: Any, shape: tuple[int, ...], dtype: np.dtype[Any], wanted_chunks: Any = "auto") -> None:
        self.obj = obj
        self.shape = shape
        self.dtype = dtype
        self.wanted_chunks = wanted_chunks

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    @property
    def chunks(self) -> Any:
        """How the object itself is chunked, which Dask keeps to where it can."""
        return getattr(self.obj, "chunks", None)

    def __getitem__(self, key: tuple[Any, ...]) -> np.ndarray[Any, Any]:
        """The region that a basic key (ints and slices) selects, as an array that belongs to the caller.

        The object is asked for slices with positive steps: all that the least of them can do.
        """
        asked: list[slice] = []
        after: list[Any] = []
        for entry, n in zip(key, self.shape, strict=True):
            read = range(*entry.indices(n)) if isinstance(entry, slice) else range(entry, entry + 1)
            is_reversed = read.step < 0
            forward = read[::-1] if is_reversed else read
            stop = forward[-1] + 1 if forward else forward.start
            asked.append(slice(forward.start, stop, None if forward.step == 1 else forward.step))
            after.append(slice(None, None, -1) if is_reversed else slice(None) if isinstance(entry, slice) else 0)
        sides = tuple(len(range(*s.indices(n))) for s, n in zip(asked, self.shape, strict=True))
        if 0 in sides:
            return np.asarray(np.empty(sides, self.dtype)[tuple(after)])
        return np.asarray(self._read(tuple(asked), sides)[tuple(after)])

    def _read(self, key: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
        part: Any = self.obj[key]
        is_new = type(self.obj).__module__.partition(".")[0] in _READERS and type(part) is np.ndarray
        result: Any = np.asarray(part) if is_new else np.array(part)
        if result.shape != shape or result.dtype.newbyteorder("=") != self.dtype:
            raise ValueError(
                f"from_source: {type(self.obj).__name__}[{_show(key)}] gave {result.dtype}{list(result.shape)} where "
                f"its shape and dtype promise {self.dtype}{list(shape)}"
            )
        return np.asarray(result, self.dtype)

    def __reduce__(self) -> tuple[Any, ...]:
        obj = self.obj
        base: Any = getattr(obj, "base", None)  # a part of a mapped file does not know where it begins
        if isinstance(obj, np.memmap) and isinstance(base, mmap.mmap) and obj.filename is not None:
            order = "C" if obj.flags.c_contiguous else "F"
            opened = (str(obj.filename), obj.dtype, obj.offset, obj.shape, order)
            return _reopened, (*opened, self.dtype, self.wanted_chunks)
        return External, (obj, self.shape, self.dtype, self.wanted_chunks)


def _reopened(
    filename: str, dtype: Any, offset: int, shape: tuple[int, ...], order: Any, native: Any, chunks: Any
) -> External:
    """A mapped file, opened anew where the pickle is read: the file travels by its name."""
    return External(np.memmap(filename, dtype, "r", offset, shape, order), shape, native, chunks)


def _show(key: Sequence[slice]) -> str:
    return ", ".join(f"{s.start}:{s.stop}" + (f":{s.step}" if s.step else "") for s in key)


def from_source(obj: Any, /, *, chunks: int | tuple[Any, ...] | dict[int, Any] | str = "auto") -> Array:
    """An Array whose values lie in a file or store, and are read when it is computed.

    Parameters
    ----------
    obj : object
        Anything with `shape`, `dtype` and `__getitem__`: arrays of zarr and h5py, `numpy.memmap`, a class of your own.
        It is indexed with one slice for each axis, of positive step and within bounds, and has to give an array of the
        region's shape and of its own dtype.
    chunks : int, tuple, dict or str, optional
        How Dask cuts it into tasks, in the ways that `dask.array.from_array` takes. "auto" (the default): chunks of
        Dask's usual size, along `obj`'s own chunks where it has some. Other backends read each region at once.

    Returns
    -------
    Array
        Of `obj`'s shape and dtype. Only the part that a result needs is read: ``from_source(f)[:10] * 2`` reads ten
        rows.

    Raises
    ------
    TypeError
        If `obj` lacks one of the three, its dtype is not one of the standard's, or `chunks` is no such thing.
    ValueError
        If the shape has a negative side; when the graph runs, if `obj` gives something else than its shape and dtype
        promise.

    Notes
    -----
    What `obj` holds when the graph runs is what counts, and each `compute` reads it anew; `persist` keeps what was
    read. Nothing is written to it: an assignment to the Array changes the Array.

    With ``optimize="none"`` all of it is read. With ``optimize="exact"`` so it is where a part of it is added up in
    floating point, as the last bits of a sum depend on how what is summed lies in memory.

    Examples
    --------
    >>> import numpy as np
    >>> import lazyxp as xp
    >>> class Squares:
    ...     shape, dtype = (1_000_000,), np.dtype("int64")
    ...     def __getitem__(self, key):
    ...         print("read", key)
    ...         return np.arange(1_000_000)[key] ** 2
    >>> x = xp.from_source(Squares())
    >>> (x + 1)[10:13].compute()
    read (slice(10, 13, None),)
    array([101, 122, 145])
    """
    missing = [name for name in ("shape", "dtype", "__getitem__") if not hasattr(obj, name)]
    if missing:
        raise TypeError(f"from_source: {type(obj).__name__} has no {' and no '.join(missing)}")
    if isinstance(obj, Array):
        raise TypeError("from_source: an Array is no source; it can be used as it is")
    if not isinstance(chunks, (int, tuple, list, dict, str)):
        raise TypeError(f"from_source: chunks must be an int, tuple, dict or str, got {chunks!r}")
    shape = as_shape(obj.shape, "from_source")
    dtype = dtypes.as_dtype(np.dtype(obj.dtype).newbyteorder("="), "from_source")
    site = user_site()
    leaf = Node(SOURCE, (), {}, (), dtype, site, External(obj, shape, dtype, chunks))
    return Array(make(READ, leaf, site=site, shape=shape, key=(slice(None),) * len(shape)))
