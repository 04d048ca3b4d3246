"""Threads for kernels: how many there may be, and a pool of them that help."""

from __future__ import annotations

import ctypes
import functools
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import cast

from lazyxp import options

Task = Callable[[], None]

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
    return min(options.BLAS_THREADS, cpus())


# --- the pool --------------------------------------------------------------------------------------------------------


class _Pool:
    """Threads that wait for tasks. They are daemons: they end with the interpreter."""

    def __init__(self) -> None:
        self.tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self.size = 0
        self.lock = threading.RLock()  # a signal handler or a finalizer may compute while it is held

    def ask(self, task: Task, count: int, size: int) -> None:
        if self.size < size:
            self._grow(size)
        for _ in range(min(count, self.size) - self.tasks.qsize()):
            self.tasks.put(task)

    def _grow(self, size: int) -> None:
        with self.lock:
            while self.size < size:
                self.size += 1
                try:
                    threading.Thread(target=_serve, args=(self.tasks,), name="lazyxp", daemon=True).start()
                except RuntimeError:  # the system gives no more, or the interpreter is shutting down
                    self.size -= 1
                    return


_pool = _Pool()


def _serve(tasks: queue.SimpleQueue[Task]) -> None:
    while True:
        tasks.get()()


def _forget() -> None:
    """Start again: the threads of a process are not in its forks."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def ask(task: Task, count: int, size: int) -> None:
    """Ask `count` of `size` other threads to call ``task()``; perhaps none does, or later.

    It is always the same task, which must not fail: who has not come yet is not asked again.
    """
    _pool.ask(task, count, size)
