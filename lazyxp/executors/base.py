"""The executor contract: what a backend has to offer."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any, ClassVar, NamedTuple

import numpy as np

from lazyxp.errors import BackendUnavailable
from lazyxp.node import Node, Op, Shape, describe
from lazyxp.plan import Plan

# What runs a plan on arrays, and gives the arrays of its outputs.
Shortcut = Callable[[Sequence[Any]], list[Any]]


class Status(NamedTuple):
    """Whether a backend can run here: if not, the reason; if so, its version and devices."""

    available: bool
    reason: str = ""
    version: str | None = None
    devices: tuple[str, ...] = ()


def shape_of(value: Any) -> Shape:
    """The shape of a native array, None for sides that its library does not know."""
    return tuple(None if n is None or n != n else int(n) for n in value.shape)


def failure(backend: str, node: Node, line: str | None = None) -> str:
    """The note on an error that `node`, recorded at `line`, caused while it ran."""
    operands = " and ".join(describe(a) for a in node.args) or "no arrays"
    return f"lazyxp: while {backend} ran {node.op.name} on {operands}, recorded at {line or node.where}"


def installed(package: str, *, extra: str) -> Status:
    """Whether `package` is installed, without importing it; `extra` is lazyxp's extra that installs it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return Status(False, f'the package {package!r} is not installed; pip install "lazyxp[{extra}]"')
    try:
        return Status(True, version=metadata.version(package))
    except metadata.PackageNotFoundError:
        return Status(True)


@contextmanager
def require(backend: str, status: Status) -> Iterator[None]:
    """Import what `backend` needs in this context; BackendUnavailable says why it cannot run here."""
    if not status.available:
        raise BackendUnavailable(f"backend {backend!r} cannot run here: {status.reason}")
    try:
        yield
    except ImportError as error:
        raise BackendUnavailable(f"backend {backend!r} cannot be imported: {error}") from error


class Executor(ABC):
    """Runs plans on one backend.

    The way of an op: `supports` says whether the executor runs it itself; if not, the graph is rewritten with the
    decomposition of the op, and where there is none `UnsupportedOperation` is raised before anything runs.
    """

    name: str
    # Whether a run holds whole arrays in memory, as NumPy does.
    whole_arrays: ClassVar[bool] = True
    # Whether arrays store every element. If not, the elements that are not stored have one value, the fill value, and
    # ops may refuse operands for it.
    every_element: ClassVar[bool] = True
    # Ops that depart from NumPy for infinities, NaN, signed zeros and casts that do not fit, and why.
    departures: ClassVar[Mapping[str, str]] = {}

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

    def fuses(self, node: Node) -> bool:
        """Whether `node` may be a part of a kernel; asked only where kernels are run at all."""
        return True

    def compiles(self) -> bool:
        """Whether kernels are compiled: single ops then gain, and so do small arrays where a plan is run many times."""
        return False

    def shortcut(self, plan: Plan, arguments: Sequence[tuple[int, int]]) -> Shortcut | None:
        """What runs a plan on native arrays in fewer steps, for a plan that is run many times; None if nothing does.

        Each of `arguments` is a leaf of the plan and the number of the array that it stands for; no array is kept.
        """
        return None

    def refuses(self, op: Op) -> str:
        """Why this executor does not run `op`, where there is more to say than that it lacks it."""
        return ""

    def how(self, op: Op) -> str:
        """How this executor runs an `op` that it supports, in a few words for the support matrix."""
        return "native"

    def status(self) -> Status:
        """What `backends()` tells of this backend, which can run here."""
        return Status(True)
