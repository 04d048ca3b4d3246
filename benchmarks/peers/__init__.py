"""The libraries that are compared: one module each, which says how it runs a workload.

A module is only imported in the process of its peer. A workload is prepared before it is timed: arrays are converted to
the peer's own, functions are decorated.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

from benchmarks.workloads import Arrays, Workload

NAMES = ("numpy", "numexpr", "numba", "jax", "torch", "lazyxp")
REFERENCE = "numpy"
OURS = "lazyxp"
# Not a library: the bandwidth of a copy, measured between the others; the bytes that one reads and writes.
COPY = "copy"
COPIED = 160_000_000

# Those that keep what they compiled on disk, and the variable that says where.
CACHES = {
    "lazyxp": "LAZYXP_CACHE_DIR",
    "numba": "NUMBA_CACHE_DIR",
    "jax": "JAX_COMPILATION_CACHE_DIR",
    "torch": "TORCHINDUCTOR_CACHE_DIR",
}
# Those that do so without being asked.
KEEPING = ("lazyxp", "torch")


class Peer(Protocol):
    """What the module of a peer has."""

    VERSION: str
    # Where calls on small data go the way that large data goes; only of those whose memory is measured.
    as_if_large: Callable[[], AbstractContextManager[Any]]

    def call(self, workload: Workload, arrays: Arrays) -> Callable[[], Any] | None:
        """What is timed, which returns when the result is there; None if the peer cannot do the workload."""

    def values(self, result: Any) -> Any:
        """A result, which may be a tuple, as NumPy has it."""


def load(name: str) -> Peer:
    """The module of a peer; ImportError if it is not installed."""
    return cast(Peer, importlib.import_module(f"{__name__}.{name}"))


def threads() -> int:
    """How many threads everybody gets: the CPUs that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment() -> dict[str, str]:
    """The variables of the peers' processes. They count when a library is imported, and so have to be there before."""
    number = str(threads())
    counts = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "NUMBA", "LAZYXP")
    return {
        **{f"{name}_NUM_THREADS": number for name in counts},
        "JAX_ENABLE_X64": "1",
        "JAX_PLATFORMS": "cpu",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
