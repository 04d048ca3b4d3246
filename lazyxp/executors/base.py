"""The executor contract: what a backend has to offer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np

from lazyxp.node import Op
from lazyxp.plan import Plan


class Status(NamedTuple):
    """Whether a backend can run here: if not, the reason; if so, its version and devices."""

    available: bool
    reason: str = ""
    version: str | None = None
    devices: tuple[str, ...] = ()


class Executor(ABC):
    """Runs plans on one backend.

    The way of an op: `supports` says whether the executor runs it itself; if not, the graph is rewritten with the
    decomposition of the op, and where there is none `UnsupportedOperation` is raised before anything runs.
    """

    name: str

    @abstractmethod
    def supports(self, op: Op) -> bool:
        """Whether this executor runs `op` without a decomposition."""

    @abstractmethod
    def run(self, plan: Plan, *, keep: bool, **options: Any) -> list[Any]:
        """Run `plan`; one native array for each of its outputs.

        With `keep`, the results will be held by the graph: they may share memory, and stay where the backend keeps
        data. Otherwise they are the caller's: they share memory with nothing, and are in the form that `compute` gives.
        """

    @abstractmethod
    def owns(self, value: Any) -> bool:
        """Whether `value` is a native array of this backend."""

    @abstractmethod
    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A native array as a NumPy array."""

    def refuses(self, op: Op) -> str:
        """Why this executor does not run `op`, where there is more to say than that it lacks it."""
        return ""
