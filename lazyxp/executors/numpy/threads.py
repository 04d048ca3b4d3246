"""Threads for kernels: how many there may be, and a pool that works through the pieces of a task.

A task must release the interpreter's lock (compiled code called through ctypes does), or threads gain nothing.
"""

from __future__ import annotations

import ctypes
import functools
import os
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import cast

from lazyxp import options

Task = Callable[[int], None]

VARIABLE = "LAZYXP_NUM_THREADS"

# --- how many --------------------------------------------------------------------------------------------------------


def limit() -> int:
    """How many threads a kernel may run on now, the calling one included.

    The option `num_threads`, or else the environment variable, or else the CPUs of this process. What threadpoolctl
    limits BLAS to is the limit here too.
    """
    asked = options.current().num_threads or _from_environment()
    blas = _blas()()
    if asked is None:
        asked = cpus()
    elif blas >= _usual():
        return asked
    return blas if 0 < blas < asked else asked


_cpus = 1
_look_again = 0.0


def cpus() -> int:
    """The CPUs that this process may use; a change is seen within a second."""
    global _cpus, _look_again
    now = time.monotonic()
    if now >= _look_again:  # asking the system takes longer than all the rest of `limit`
        _cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _look_again = now + 1
    return _cpus


@functools.cache
def _from_environment() -> int | None:
    text = os.environ.get(VARIABLE, "").strip()
    if text and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError(f"the environment variable {VARIABLE} is {text!r}, and not a number of threads, such as 4")
    return int(text) if text else None


# Who may be asked how many threads BLAS runs on: threadpoolctl knows shared libraries only, and sets them all together.
_GETTERS = (
    *(f"{a}openblas_get_num_threads{b}" for a in ("", "scipy_") for b in ("", "64_", "_64")),
    "MKL_Get_Max_Threads",
    "bli_thread_get_num_threads",
    "omp_get_max_threads",
)


@functools.cache
def _blas() -> Callable[[], int]:
    """What gives the number of threads of NumPy's BLAS, or 0 where it cannot be asked (Accelerate; on Windows)."""
    path = getattr(sys.modules.get("numpy._core._multiarray_umath"), "__file__", None)
    try:
        # The module that is linked to BLAS also leads to its functions. PyDLL, as they only read a number.
        library = ctypes.PyDLL(path) if path else None
    except OSError:
        library = None
    getters = [getattr(library, name) for name in _GETTERS if hasattr(library, name)]
    if len(getters) == 1:
        return cast(Callable[[], int], getters[0])
    return lambda: min([n for getter in getters if (n := getter()) > 0], default=0)


@functools.cache
def _usual() -> int:
    """How many threads BLAS takes if nobody limits it later: fewer are a limit even where more were asked for."""
    for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        first = os.environ.get(name, "").split(",")[0].strip()
        if first.isdigit() and int(first):
            return min(int(first), cpus())
    return min(cpus(), 64)  # the most that OpenBLAS is built for in NumPy's wheels


# --- the pool --------------------------------------------------------------------------------------------------------


class _Job:
    """The pieces of one task, and who is at work on them."""

    __slots__ = ("ended", "error", "helpers", "lock", "pieces", "task")

    def __init__(self, task: Task, count: int) -> None:
        self.task: Task | None = task
        self.pieces = deque(range(count))
        self.lock = threading.Lock()
        self.helpers = 0
        self.ended = threading.Lock()
        self.ended.acquire()
        self.error: BaseException | None = None

    def work(self) -> None:
        """Run pieces until there are none left."""
        task = self.task
        while True:
            try:
                piece = self.pieces.popleft()
            except IndexError:
                return
            try:
                task(piece)  # type: ignore[misc]  # it is there as long as there are pieces
            except BaseException as error:
                self.fail(error)

    def help(self) -> None:
        """Take part, in a thread of the pool; whoever comes too late touches nothing."""
        with self.lock:
            if not self.pieces:
                return
            self.helpers += 1
        try:
            self.work()
        finally:
            with self.lock:
                self.helpers -= 1
                if not self.helpers:  # and no pieces: nobody joins any more
                    self.ended.release()

    def fail(self, error: BaseException) -> None:
        """Hand out no more pieces; the first error counts, but no interrupt is lost."""
        self.pieces.clear()
        if self.error is None or not isinstance(error, Exception):
            self.error = error

    def wait(self) -> None:
        """Wait until nobody runs a piece."""
        if self.helpers:
            self.ended.acquire()


class _Pool:
    """Threads that wait for jobs. They are daemons: they end with the interpreter."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self.size = 0
        self.lock = threading.RLock()  # a signal handler or a finalizer may compute while it is held

    def call(self, job: _Job, helpers: int) -> None:
        """Ask so many threads to help."""
        if self.size < helpers:
            self._grow(helpers)
        for _ in range(min(helpers, self.size)):
            self.jobs.put(job)

    def _grow(self, size: int) -> None:
        with self.lock:
            while self.size < size:
                self.size += 1
                try:
                    threading.Thread(target=_serve, args=(self.jobs,), name="lazyxp", daemon=True).start()
                except RuntimeError:  # the system gives no more, or the interpreter is shutting down
                    self.size -= 1
                    return


class _Here(threading.local):
    """Whether this thread is at work on a job."""

    busy = False


_pool = _Pool()
_here = _Here()


def _serve(jobs: queue.SimpleQueue[_Job]) -> None:
    _here.busy = True
    while True:
        jobs.get().help()


def _forget() -> None:
    """Start again: the threads of a process are not in its forks."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def run(task: Task, count: int, threads: int) -> None:
    """Call ``task(0)`` ... ``task(count - 1)``, each once, on so many threads at most, this one included.

    Whoever is free takes the next piece. The first exception is raised here when no piece is running any more; pieces
    that have not begun by then are left out. Inside a task, pieces run one after the other.
    """
    helpers = min(threads, count) - 1
    if helpers < 1 or _here.busy:
        for piece in range(count):
            task(piece)
        return
    job = _Job(task, count)
    try:
        _here.busy = True
        _pool.call(job, helpers)
        job.work()
    except BaseException as error:  # an interrupt between two pieces
        job.fail(error)
    finally:
        _here.busy = False
    while True:  # helpers write to the caller's memory: not even an interrupt lets it go on before they end
        try:
            job.wait()
            break
        except BaseException as error:
            job.fail(error)
    job.task = None  # it would be kept until a busy pool has seen this job
    if job.error is not None:
        try:
            raise job.error
        finally:
            job.error = None  # which refers to this frame
