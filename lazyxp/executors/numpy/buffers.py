"""Memory for large results: what the user drops is kept, up to a bound, and need not be faulted in again."""

from __future__ import annotations

import contextlib
import ctypes
import math
import mmap
import os
import sys
import threading
import tracemalloc
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.amounts import parse_bytes

Array = np.ndarray[Any, Any]

# From here on the C library may map memory anew for each array; measured, the faults then cost ten times what writing
# the array does, and the pool one microsecond.
SMALLEST = 256 << 10
HUGE = 2 << 20  # a huge page
# What is kept unless the user says otherwise; also no more than a part of the machine's memory.
LARGEST_LIMIT = 1 << 30
PART_OF_MEMORY = 32

# NumPy's own, so that arrays look the same to tracemalloc wherever their memory is from.
TRACE_DOMAIN = 389047
_track: Callable[[int, int, int], int] = ctypes.pythonapi["PyTraceMalloc_Track"]
_track.argtypes = (ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t)  # type: ignore[attr-defined]
_untrack: Callable[[int, int], int] = ctypes.pythonapi["PyTraceMalloc_Untrack"]
_untrack.argtypes = (ctypes.c_uint, ctypes.c_size_t)  # type: ignore[attr-defined]


class Info(NamedTuple):
    """What a pool holds and has done.

    Attributes
    ----------
    limit : int
        The most bytes it holds for later.
    held : int
        The bytes it holds now; the memory of arrays in use is not among them.
    hits, misses : int
        How many large arrays got memory that was held, and how many did not.
    """

    limit: int
    held: int
    hits: int
    misses: int


class Pool:
    """Memory of dropped arrays, kept for arrays to come.

    No call waits for the lock, as the collector of garbage or a signal may call in at any point, also in the middle of
    another call of the same thread. A pool that is busy has no memory to give, and what it is given it sorts in later.

    Parameters
    ----------
    limit : int
        The most bytes to keep; 0 keeps nothing, and every array is NumPy's own.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._owners: dict[int, Any] = {}  # the type of what owns memory, by capacity
        self._hits = self._misses = 0
        self._forget()

    def _forget(self) -> None:
        """Start anew; in a forked process too, where a thread that is no more may have had the lock."""
        self._lock = threading.Lock()
        self._returned: deque[_Block] = deque()  # not sorted in yet
        self._idle: dict[int, deque[_Block]] = {}  # by capacity, the longest idle first
        self._held = 0
        self._clock = 0
        self._latest: _Block | None = None  # idle, and not offered to the system: it may be asked for at once

    def empty(self, shape: Sequence[int], dtype: Any) -> Array:
        """An array of unspecified values, as `numpy.empty` makes them in C order.

        A large one starts at a page at least, and does not own its data: what does is its `base`, and gives the memory
        back when the array and its last view are gone.

        Parameters
        ----------
        shape : sequence of int
            Its shape.
        dtype : dtype
            Its dtype.

        Returns
        -------
        numpy.ndarray
            A new array that may be written to.
        """
        dtype = np.dtype(dtype)
        size = math.prod(shape) * dtype.itemsize
        if size < SMALLEST or size > self._limit or dtype.hasobject:
            return np.empty(shape, dtype)
        capacity = capacity_for(size)
        block = self._take(capacity)
        if block is None:
            try:
                block = _Block(capacity)
            except OSError:
                self.clear()
                return np.empty(shape, dtype)
        owner = self._owner(capacity).from_address(block.address)
        owner.block = block
        if tracemalloc.is_tracing():
            _track(TRACE_DOMAIN, block.address, size)
        return np.ndarray(shape, dtype, owner)

    def clear(self) -> None:
        """Give everything that is held back to the system."""
        self._settle(0, patience=1)

    def info(self) -> Info:
        """What is held, and how often it was of use."""
        return Info(self._limit, self._held, self._hits, self._misses)

    def give_back(self, block: _Block) -> None:
        """Take memory that no array is in any more; called by its owner."""
        if tracemalloc.is_tracing():
            _untrack(TRACE_DOMAIN, block.address)
        self._returned.append(block)
        self._settle(self._limit)

    def _take(self, capacity: int) -> _Block | None:
        """A block of this capacity: the one used last, as the cache may still hold it."""
        lock = self._lock
        if not lock.acquire(blocking=False):
            return None
        try:
            idle = self._idle.get(capacity)
            if idle:
                self._hits += 1
                self._held -= capacity
                block = idle.pop()
                if block is self._latest:
                    self._latest = None
                return block
            self._misses += 1
            return None
        finally:
            lock.release()
            if self._returned:
                self._settle(self._limit)

    def _settle(self, limit: int, patience: float = 0) -> None:
        """Sort in what was returned, and give back to the system what has been idle longest and is over the limit."""
        lock = self._lock
        while self._returned or self._held > limit:
            # Whoever has the lock looks at `_returned` after releasing it.
            if not lock.acquire(timeout=patience):
                return
            freed: list[_Block] = []  # unmapped without the lock
            try:
                while self._returned:
                    block = self._returned.popleft()
                    self._clock += 1
                    block.returned = self._clock
                    self._idle.setdefault(block.capacity, deque()).append(block)
                    self._held += block.capacity
                    if self._latest is not None:
                        self._latest.offer()
                    self._latest = block
                while self._held > limit:
                    oldest = min((idle for idle in self._idle.values() if idle), key=lambda idle: idle[0].returned)
                    # First, as an interrupt in between may make this too little, but not too much.
                    self._held -= oldest[0].capacity
                    freed.append(oldest.popleft())
                    if freed[-1] is self._latest:
                        self._latest = None
            finally:
                lock.release()

    def _owner(self, capacity: int) -> Any:
        """The type of what owns a block of this capacity."""
        found = self._owners.get(capacity)
        if found is None:
            namespace = {"__slots__": ("block",), "pool": self}
            found = self._owners[capacity] = type("Memory", (_Owner, ctypes.c_char * capacity), namespace)
        return found


class _Owner:
    """What an array has as its base; of ctypes, as an `mmap` would look like a file to joblib and others."""

    __slots__ = ()
    pool: Pool
    block: _Block

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        # At exit modules may be empty, and the memory just goes with its owner.
        if not is_finalizing():
            self.pool.give_back(self.block)


class _Block:
    """A piece of memory that is unmapped when nothing refers to it."""

    __slots__ = ("_huge", "_mapping", "_offset", "address", "capacity", "returned")

    def __init__(self, capacity: int) -> None:
        self._huge = capacity // HUGE * HUGE  # a huge page in part would waste memory
        self._mapping = _map(capacity + HUGE if self._huge else capacity)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._mapping))
        self._offset = -start % HUGE if self._huge else 0
        self.address = start + self._offset
        self.capacity = capacity
        self.returned = 0  # when, for those that are idle
        self._advise("MADV_HUGEPAGE")

    def offer(self) -> None:
        """Let the system take pages if it runs short of memory; far cheaper than to fault them in."""
        self._advise("MADV_FREE")

    def _advise(self, name: str) -> None:
        """Advise the system about the huge pages, where it takes this advice."""
        advice = getattr(mmap, name, None)
        if self._huge and advice is not None:
            with contextlib.suppress(OSError):
                self._mapping.madvise(advice, self._offset, self._huge)


def _map(size: int) -> mmap.mmap:
    if sys.platform == "win32":
        return mmap.mmap(-1, size)
    # Private: a forked process must not see what this one writes later.
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def capacity_for(size: int) -> int:
    """The size of a block for `size` bytes: one of eight in each doubling, at most an eighth too large."""
    step = 1 << (size - 1).bit_length() - 4
    return -(-size // step) * step


def _limit() -> int:
    """How much is kept, in bytes: what `LAZYXP_POOL_BYTES` says, else what suits this machine."""
    given = os.environ.get("LAZYXP_POOL_BYTES", "").strip()
    if given:
        try:
            return 0 if given == "0" else parse_bytes(given)
        except ValueError:
            raise ValueError(
                f"LAZYXP_POOL_BYTES={given!r} is no number of bytes (200000000, '2 GB', '512 MiB', 0 for no pool)"
            ) from None
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return LARGEST_LIMIT // 2
    return min(LARGEST_LIMIT, memory // PART_OF_MEMORY)


pool = Pool(_limit())
empty, clear, info = pool.empty, pool.clear, pool.info
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool._forget)
