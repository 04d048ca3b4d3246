"""A backend of lazyxp that runs on NumPy, and tallies the calls, bytes and seconds of every op."""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

import array_api_compat.numpy
import numpy as np

from lazyxp.executors import ArrayAPIExecutor, Status, Step


class Tally(NamedTuple):
    """What the calls of one op came to: how many, the bytes of their results, and the seconds that they took."""

    calls: int = 0
    bytes: int = 0
    seconds: float = 0.0


_tallies: dict[str, Tally] = {}
_lock = threading.Lock()  # plans of several threads run at a time


def tallies() -> dict[str, Tally]:
    """The tally of each op since the last `reset`, the slowest first."""
    with _lock:
        return dict(sorted(_tallies.items(), key=lambda item: -item[1].seconds))


def reset() -> None:
    """Start again from nothing."""
    with _lock:
        _tallies.clear()


class TallyExecutor(ArrayAPIExecutor):
    """Runs plans on NumPy, step by step."""

    def __init__(self) -> None:
        super().__init__(array_api_compat.numpy, "tally")

    def execute(self, step: Step, arrays: list[Any]) -> Any:
        """The result of one step, which is added to the tally of its op."""
        start = time.perf_counter()
        result = super().execute(step, arrays)
        seconds = time.perf_counter() - start
        size = sum(np.asarray(r).nbytes for r in result) if isinstance(result, tuple) else np.asarray(result).nbytes
        with _lock:
            calls, nbytes, total = _tallies.get(step.node.op.name, Tally())
            _tallies[step.node.op.name] = Tally(calls + 1, nbytes + size, total + seconds)
        return result

    def owns(self, value: Any) -> bool:
        """NumPy's arrays, and its scalars: what its functions give instead of 0-d arrays."""
        return isinstance(value, (np.ndarray, np.generic))

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """The array itself."""
        return np.asarray(value)

    def hold(self, value: Any) -> Any:
        """A result that the graph holds: an array also where NumPy gave a scalar."""
        return np.asarray(value)

    def deliver(self, value: Any, shared: bool) -> Any:
        """A result of the caller's own, who may write to it."""
        array = np.asarray(value)
        return array.copy() if shared or not array.flags.writeable else array

    def status(self) -> Status:
        """What `xp.backends()` shows."""
        return Status(True, version=np.__version__, devices=("cpu",))
