"""What runs in the process of a peer: it prepares, times and compares, and tells the harness over a connection."""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import peers
from benchmarks.workloads import BY_NAME

# What one repetition takes at least; less is repeated.
SECONDS, QUICK_SECONDS = 0.05, 0.002
TOLERANCE = {4: 1e-4, 8: 1e-9}
"""By the size of a real number: the error that is allowed, relative to the value and to the mean magnitude."""


class Failure(NamedTuple):
    """What went wrong in a worker."""

    text: str


def serve(connection: Connection, name: str, quick: bool) -> None:
    """Do what the harness asks, until it has gone."""
    try:
        worker = Worker(peers.load(name), quick)
    except ImportError as error:
        connection.send(Failure(f"not installed: {error}"))
        return
    connection.send(worker.peer.VERSION)
    while True:
        try:
            command, *arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send(getattr(worker, command)(*arguments))
        except Exception as error:
            connection.send(Failure(f"{type(error).__name__}: {error}"))


class Worker:
    """A peer with the workload that it is at."""

    def __init__(self, peer: peers.Peer, quick: bool) -> None:
        self.peer = peer
        self.quick = quick
        self.call: Callable[[], Any] | None = None
        self.calls = 1
        self.sizes = (0, 0)

    def prepare(self, name: str, dtype: str) -> float | None:
        """Make the data and call once: the seconds of that. None if the peer cannot do it."""
        self.drop()
        arrays = BY_NAME[name].arrays(dtype, self.quick)
        self.sizes = (sum(a.nbytes for a in arrays), 0)
        self.call = self.peer.call(BY_NAME[name], arrays)
        return None if self.call is None else self._seconds(1)

    def refer(self, path: str, name: str, dtype: str) -> None:
        """Write what is right to a file: the result of data in twice the precision, where there is that."""
        wide = {"float32": np.float64, "complex64": np.complex128}.get(dtype, dtype)
        call = self.peer.call(BY_NAME[name], tuple(a.astype(wide) for a in BY_NAME[name].arrays(dtype, self.quick)))
        assert call is not None
        np.savez(path, *self._arrays(call()))

    def check(self, path: str, mismatches: float) -> float:
        """The largest error of the result against that file, in tolerances, but for a fraction of the elements."""
        assert self.call is not None
        arrays = self._arrays(self.call())
        self.sizes = (self.sizes[0], sum(a.nbytes for a in arrays))
        with np.load(path) as wanted:
            pairs = zip(arrays, (wanted[name] for name in wanted.files), strict=True)
            return max(error(got, right, mismatches) for got, right in pairs)

    def _arrays(self, result: Any) -> list[Any]:
        result = self.peer.values(result)
        return [np.asarray(a) for a in (result if isinstance(result, tuple) else (result,))]

    def moved(self) -> tuple[int, int]:
        """The bytes of the inputs, and those of the result."""
        return self.sizes

    def calibrate(self) -> int:
        """Find how many calls a repetition has, after one that does not count."""
        self._seconds(1)
        self.calls = max(1, math.ceil((QUICK_SECONDS if self.quick else SECONDS) / max(self._seconds(1), 1e-9)))
        if self.calls > 10:  # a single call says little
            once = self._seconds(self.calls // 10) / (self.calls // 10)
            self.calls = max(1, math.ceil((QUICK_SECONDS if self.quick else SECONDS) / once))
        return self.calls

    def time(self) -> float:
        """The seconds of a call, over one repetition."""
        return self._seconds(self.calls) / self.calls

    def drop(self) -> None:
        """Let go of data and results."""
        self.call = None
        self.calls = 1

    def _seconds(self, calls: int) -> float:
        call = self.call
        assert call is not None
        start = time.perf_counter()
        for _ in range(calls):
            call()  # the result is freed in the time that counts, as it is for who calls in a loop
        return time.perf_counter() - start


def error(got: Any, wanted: Any, mismatches: float) -> float:
    """The largest error in tolerances, but for a fraction of the elements; infinity where shapes differ."""
    if got.shape != wanted.shape:
        return math.inf
    if wanted.size == 0:
        return 0.0
    if np.issubdtype(wanted.dtype, np.inexact):
        size = np.abs(wanted)
        limit = TOLERANCE[got.real.itemsize] * (size + np.mean(size))
    else:
        limit = np.full(wanted.shape, 0.5)
    with np.errstate(all="ignore"):
        away = np.abs(got - wanted) / limit
    away = np.where((got == wanted) | (np.isnan(got) & np.isnan(wanted)), 0.0, away).ravel()
    away[np.isnan(away)] = np.inf
    rank = math.ceil(away.size * (1 - mismatches)) - 1
    return float(np.partition(away, rank)[rank])


# --- in a process of its own -----------------------------------------------------------------------------------------


def memory(connection: Connection, name: str, workload: str, dtype: str, quick: bool) -> None:
    """Send the bytes that calls add at most to the memory of the process, result included.

    A small call comes before, so that what is imported and compiled does not count.
    """
    peer = peers.load(name)
    small = peer.call(BY_NAME[workload], BY_NAME[workload].arrays(dtype, quick=True))
    if small is not None:
        with peer.as_if_large():
            small()
    call = peer.call(BY_NAME[workload], BY_NAME[workload].arrays(dtype, quick))
    before = reset_peak()
    if call is None or before is None:
        connection.send(None)
        return
    for _ in range(3):  # what is kept from one call to the next counts as well
        call()
    connection.send(max(0, _status("VmHWM") - before))


def reset_peak() -> int | None:
    """Let the peak of this process start anew: its memory now. None where the system cannot do that."""
    if sys.platform != "linux":
        return None
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def first_call(connection: Connection, name: str, quick: bool) -> None:
    """Send what a new kernel adds to its first call in a process that has run another: first call less later ones."""
    try:
        worker = Worker(peers.load(name), quick)
    except ImportError:
        connection.send(None)
        return
    worker.prepare("warming", "float64")
    worker.calibrate()
    first = worker.prepare("new", "float64")
    if first is None:
        connection.send(None)
        return
    connection.send(first - statistics.median(worker._seconds(1) for _ in range(5)))
