"""Measuring: the peers take turns, one repetition each, every one of them in a process of its own.

Side by side in one process they would slow each other down: the threads of one spin while another one works.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine, peers, worker
from benchmarks.workloads import WORKLOADS, Workload

ROUNDS, QUICK_ROUNDS = 9, 3
FRESH, QUICK_FRESH = 3, 1
"""How many fresh processes measure a first call."""

# Between repetitions: threads of the peer before may still spin.
PAUSE = 0.01
# Seconds after which an answer is given up: nobody waits longer for a first call.
PATIENCE = 120.0

_spawning = multiprocessing.get_context("spawn")


class Process:
    """The process of a peer; where it fails or ends, it answers with a `worker.Failure`."""

    def __init__(self, name: str, quick: bool) -> None:
        self.connection, theirs = _spawning.Pipe()
        self.process = _spawning.Process(target=worker.serve, args=(theirs, name, quick), daemon=True)
        self.process.start()
        theirs.close()
        self.version = self._answer()

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    def ask(self, command: str, *arguments: Any) -> Any:
        """What the process answers to a command, a method of `worker.Worker`."""
        with suppress(OSError):  # the answer says why
            self.connection.send((command, *arguments))
        return self._answer()

    def _answer(self) -> Any:
        try:
            if self.connection.poll(PATIENCE):
                return self.connection.recv()
            self.end()
            return worker.Failure(f"no answer within {PATIENCE:.0f} s")
        except (EOFError, OSError):
            self.process.join()
            return worker.Failure(f"its process ended with status {self.process.exitcode}")

    def end(self) -> None:
        """Let the process end by itself, as it does when nobody is there to ask, or else end it."""
        self.connection.close()
        self.process.join(5)
        self.process.kill()
        self.process.join()


def fresh(task: Callable[..., None], *arguments: Any) -> Any:
    """What `task`, a function of `worker`, sends from a new process."""
    ours, theirs = _spawning.Pipe()
    process = _spawning.Process(target=task, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(PATIENCE) else None
    except EOFError:
        return None
    finally:
        process.join(5)
        process.kill()
        process.join()


@dataclass(frozen=True)
class Settings:
    """What is run."""

    peers: Sequence[str]
    only: Sequence[str] = ()
    quick: bool = False

    def rows(self) -> list[tuple[Workload, str]]:
        """Workloads and dtypes; a quick run has one of them for each workload."""
        wanted = [w for w in WORKLOADS if not self.only or w.name in self.only]
        return [(w, dtype) for w in wanted for dtype in (w.dtypes[:1] if self.quick else w.dtypes)]


def run(settings: Settings, show: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything; what `show` gets says how far it is."""
    with tempfile.TemporaryDirectory() as folder, variables(peers.environment() | caches(folder, *peers.KEEPING)):
        running = {}
        versions = {}
        for name in (*settings.peers, peers.COPY):
            process = Process(name, settings.quick)
            if isinstance(process.version, worker.Failure):
                show(f"{name}: {process.version.text}")
            else:
                running[name] = process
                versions[name] = process.version
        rows = []
        try:
            for workload, dtype in settings.rows():
                show(f"{workload.name} {dtype}")
                rows.append(measure(workload, dtype, running, settings.quick, str(Path(folder, "reference.npz"))))
                for name, process in running.items():
                    if not process.alive:
                        running[name] = Process(name, settings.quick)
        finally:
            for process in running.values():
                process.end()
        for row in rows:
            show(f"{row['workload']} {row['dtype']}: memory")
            row["memory"] = {
                name: fresh(worker.memory, name, row["workload"], row["dtype"], settings.quick)
                for name in (peers.REFERENCE, peers.OURS)
                if name in versions
            }
        first = {}
        if not settings.only or "first-call" in settings.only:
            for name in versions:
                if name != peers.COPY:
                    show(f"{name}: first call")
                    first[name] = first_calls(name, settings.quick)
    del versions[peers.COPY]
    return {
        "machine": machine.describe(),
        "versions": {"python": sys.version.split()[0], **versions},
        "threads": peers.threads(),
        "quick": settings.quick,
        "rows": rows,
        "first_calls": first,
    }


def measure(workload: Workload, dtype: str, running: dict[str, Process], quick: bool, reference: str) -> dict[str, Any]:
    """One row: every peer's first call, its error against NumPy, and its times in turns."""
    results: dict[str, dict[str, Any]] = {}
    moved = (0, 0)
    running[peers.REFERENCE].ask("refer", reference, workload.name, dtype)
    allowed = 1.0
    for name, process in running.items():
        results[name] = prepare(name, process, workload, dtype, reference, allowed)
        if name == peers.REFERENCE:
            moved = process.ask("moved")
            allowed = max(allowed, results[name].get("error", 0.0))
    timed = [name for name, result in results.items() if "first" in result and "failure" not in result]
    for name in timed:
        running[name].ask("calibrate")
    times: dict[str, list[float]] = {name: [] for name in timed}
    for turn in range(QUICK_ROUNDS if quick else ROUNDS):
        for i in range(len(timed)):
            name = timed[(i + turn) % len(timed)]  # none always comes after the same one
            time.sleep(PAUSE)
            answer = running[name].ask("time")
            if isinstance(answer, worker.Failure):
                results[name]["failure"] = answer.text
            else:
                times[name].append(answer)
    for name in timed:
        running[name].ask("drop")
        if "failure" not in results[name]:
            results[name] |= {"median": statistics.median(times[name]), "times": times[name]}
    copied = results.pop(peers.COPY)["median"]
    read, written = moved
    return {
        "workload": workload.name,
        "title": workload.title,
        "size": list(workload.quick if quick else workload.size),
        "dtype": dtype,
        "counts": workload.counts,
        "small": workload.small,
        "memory_bound": workload.memory_bound,
        "bytes_in": read,
        "bytes_out": written,
        "bandwidth": peers.COPIED / copied,
        "floor": (workload.reads * read + written) * copied / peers.COPIED if workload.reads else None,
        "peers": results,
    }


def prepare(
    name: str, process: Process, workload: Workload, dtype: str, reference: str, allowed: float
) -> dict[str, Any]:
    """The seconds of a peer's first call and its error, or what failed; nothing if it cannot do the workload.

    `allowed` is the error that it may have, in tolerances, unless it is NumPy.
    """
    first = process.ask("prepare", workload.name, dtype)
    if isinstance(first, worker.Failure):
        return {"failure": first.text}
    if first is None:
        return {}
    if name == peers.COPY:
        return {"first": first}
    error = process.ask("check", reference, workload.mismatches)
    if isinstance(error, worker.Failure):
        return {"first": first, "failure": error.text}
    if error > allowed and name != peers.REFERENCE:
        return {"first": first, "error": error, "failure": f"inexact: an error of {error:.3g} tolerances"}
    return {"first": first, "error": error}


def first_calls(name: str, quick: bool) -> dict[str, list[float]]:
    """What a kernel that was never seen adds to its first call, and what one adds that another process compiled."""
    seconds: dict[str, list[float]] = {}
    for _ in range(QUICK_FRESH if quick else FRESH):
        with tempfile.TemporaryDirectory() as folder, variables(caches(folder, name)):
            for kind in ("compiled", "from disk") if name in peers.CACHES else ("compiled",):
                added = fresh(worker.first_call, name, quick)
                if added is not None:
                    seconds.setdefault(kind, []).append(added)
    return seconds


def caches(folder: str, *names: str) -> dict[str, str]:
    """Variables that have peers keep what they compile in a folder."""
    return {variable: str(Path(folder, name)) for name, variable in peers.CACHES.items() if name in names}


@contextmanager
def variables(values: dict[str, str]) -> Iterator[None]:
    """Set variables of the environment, for the processes that are started meanwhile."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
