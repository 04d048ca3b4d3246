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
    """Whether a backend can run here.

    Attributes
    ----------
    available : bool
        Whether it can.
    reason : str
        Why not, where it cannot.
    version : str, optional
        The version of the library that runs the ops.
    devices : tuple of str
        What it runs on.
    """

    available: bool
    reason: str = ""
    version: str | None = None
    devices: tuple[str, ...] = ()


def shape_of(value: Any) -> Shape:
    """The shape of a native array, None for sides that its library does not know."""
    return tuple(None if n is None or n != n else int(n) for n in value.shape)


def failure(backend: str, node: Node, line: str | None = None) -> str:
    """The note on an error that `node` caused while it ran; `line` is where the user recorded it (`Plan.line`)."""
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

    A subclass has to have a `name` and the four abstract methods: `supports`, `run`, `owns` and `to_numpy`. All else is
    optional. Whoever has an Array API namespace starts from `ArrayAPIExecutor`, which has them all.

    The way of an op: `supports` says whether the executor runs it itself; if not, the graph is rewritten with the
    decomposition of the op, and where there is none `UnsupportedOperation` is raised before anything runs, with what
    `refuses` says.

    Attributes
    ----------
    name : str
        The backend's name in messages.
    whole_arrays : bool
        Whether a run holds whole arrays in memory, as NumPy does; else the option `memory_limit` does not count.
    every_element : bool
        Whether arrays store every element. If not, the elements that are not stored have one value, the fill value, and
        ops may refuse operands for it.
    departures : mapping of str to str
        Ops whose values are not NumPy's where an operand has infinities or NaN, or where a cast does not fit, and why.
        The acceptance suite lists them; shapes, data types and ordinary values have to be right all the same.

    Notes
    -----
    One executor runs plans of several threads at a time: what a run needs is kept in its local variables.
    """

    name: str
    whole_arrays: ClassVar[bool] = True
    every_element: ClassVar[bool] = True
    departures: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def supports(self, op: Op) -> bool:
        """Whether this executor runs `op` without a decomposition.

        The same answer each time: plans are kept and run again. The op `output`, which picks one of several results,
        has to be supported; `kernel` and `read` (from `from_source`) need not be.
        """

    @abstractmethod
    def run(self, plan: Plan, *, keep: bool, **options: Any) -> list[Any]:
        """Run `plan`.

        Parameters
        ----------
        plan : Plan
            What to run. It belongs to the cache of plans, and is not written to.
        keep : bool
            Whether the results will be held by the graph (`persist`, and values that recorded code demands). They may
            then share memory with sources and each other, except with a source that others may write to, and stay
            where the backend keeps data. Otherwise they are the caller's, in the form that `compute` gives: they share
            memory with nothing, and can be written to if the backend's arrays can.
        **options
            What the user gave `compute` besides.

        Returns
        -------
        list
            One native array for each of ``plan.outputs``, of the shape and dtype of its node.

        Raises
        ------
        TypeError
            If it does not take one of `options`; the message names it.
        UnsupportedOperation
            If it does not take the data, with the reason.
        Exception
            What an op raises goes through as it is, with one note of the op and of the user's line: see `failure`. An
            index out of bounds raises IndexError.
        """

    @abstractmethod
    def owns(self, value: Any) -> bool:
        """Whether `value` is a native array of this backend; False for anything else."""

    @abstractmethod
    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A native array as a NumPy array of its shape and dtype, which may share its memory."""

    def refuses(self, op: Op) -> str:
        """Why this executor does not run `op`; "" for an op that it runs, or that it leaves to a decomposition.

        With a reason, the op is refused also where there is a decomposition.
        """
        return ""

    def how(self, op: Op) -> str:
        """How this executor runs an `op` that it supports, in a few words for tables."""
        return "native"

    def status(self) -> Status:
        """What `backends()` tells of this backend, which can run here."""
        return Status(True)

    def fuses(self, node: Node) -> bool:
        """Whether `node` may be a part of a kernel; asked only where the op `kernel` is supported."""
        return True

    def compiles(self) -> bool:
        """Whether kernels are compiled: single ops then gain, and so do small arrays where a plan is run many times."""
        return False

    def identity(self) -> str | None:
        """What is true of executors whose plans are this one's, in any process, as text: then plans are kept on disk.

        Versions belong to it, and whatever else `supports`, `fuses` and `compiles` answer by. None: nothing is kept.
        """
        return None

    def shortcut(self, plan: Plan, arguments: Sequence[tuple[int, int]]) -> Shortcut | None:
        """What runs a plan on native arrays in fewer steps, where `jit` runs it many times; None if nothing does.

        Each of `arguments` is a leaf of the plan and the number of the array that it stands for; no array is kept.
        """
        return None
