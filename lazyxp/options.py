"""Options: what holds for every call until it is set otherwise."""

from __future__ import annotations

import dataclasses
import operator
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

from lazyxp.amounts import parse_bytes

LEVELS = ("none", "exact", "default", "fast")
_CHOICES: dict[str, tuple[Any, ...]] = {
    "optimize": LEVELS,
    "materialize": ("compute", "warn", "raise"),
    "strict": (False, True),
    "kernels": ("auto", "always", "interpreted", "never"),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """The options in force."""

    backend: Any = None
    optimize: str = "default"
    materialize: str = "compute"
    strict: bool = False
    num_threads: int | None = None
    memory_limit: int | None = None
    kernels: str = "auto"


def check_level(optimize: Any) -> None:
    """Refuse what is no value of ``optimize=``; None stands for the option."""
    if optimize is not None and optimize not in LEVELS:
        raise ValueError(f"optimize={optimize!r} is none of {', '.join(map(repr, LEVELS))}")


def _threads(given: Any) -> int:
    """A number of threads."""
    try:
        number = 0 if isinstance(given, bool) else operator.index(given)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"set_options: num_threads={given!r} is no number of threads, such as 4, and not None")
    return number


def _from_environment() -> Options:
    kernels = os.environ.get("LAZYXP_KERNELS") or "auto"
    if kernels not in _CHOICES["kernels"]:
        raise ValueError(f"LAZYXP_KERNELS={kernels!r} is none of {', '.join(map(repr, _CHOICES['kernels']))}")
    return Options(backend=os.environ.get("LAZYXP_BACKEND") or None, kernels=kernels)


def _blas_threads() -> int:
    """How many threads the environment gives BLAS, or the most that the OpenBLAS of NumPy's wheels takes."""
    for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        first = os.environ.get(name, "").split(",")[0].strip()
        if first.isdecimal() and int(first):
            return int(first)
    return 64


# From when lazyxp is imported: Dask, for one, sets the variables later, for the processes that it starts.
BLAS_THREADS = _blas_threads()
_initial = _from_environment()
# What was set for the whole process, in order. A ``with`` block takes its own entry out again when it is entered, so
# that blocks of several threads do not get in each other's way.
_applied: list[dict[str, Any]] = []
_MANY = 64
_default = _initial
_lock = threading.Lock()
_local: ContextVar[Options | None] = ContextVar("lazyxp_options", default=None)


def _apply(*, add: dict[str, Any] | None = None, drop: dict[str, Any] | None = None) -> None:
    """Add or take out what a `set_options` sets for the whole process."""
    global _default, _initial
    with _lock:
        if drop is not None:
            _applied[:] = [options for options in _applied if options is not drop]
        if add is not None:
            _applied.append(add)
        if len(_applied) > _MANY:
            _initial = dataclasses.replace(_initial, **_applied.pop(0))
        _default = dataclasses.replace(_initial, **{k: v for options in _applied for k, v in options.items()})


def current() -> Options:
    """The options in force: those of the innermost ``with`` block of this thread or task, else the process's."""
    return _local.get() or _default


class set_options:  # noqa: N801 - reads as a function, and is a context manager as well
    """Set options: for the whole process, or in a ``with`` block for this thread or task only.

    Parameters
    ----------
    backend : str, module, namespace or None
        What `compute` runs on when it is not told. None follows the data.
    optimize : {"none", "exact", "default", "fast"}
        How far the optimizer may go: not at all; same bits; rounding may change; finite values assumed.
    materialize : {"compute", "warn", "raise"}
        What happens when recorded code demands a value (``bool(x)``, ``float(x)``, an unknown ``x.shape``, ...):
        compute it, compute it with a warning, or raise.
    strict : bool
        Refuse what the standard leaves undefined, instead of doing what NumPy does.
    num_threads : int or None
        How many threads a kernel may run on. None follows the environment variable ``LAZYXP_NUM_THREADS``, or else the
        CPUs that the process may use and the number of threads that NumPy's BLAS runs on. A limit that threadpoolctl
        sets on that BLAS holds in any case. Results do not depend on it.
    memory_limit : int, float, str or None
        Bytes that one run may take, on top of the arrays that it reads: a number, or text such as "2 GB" or "512 MiB".
        A run that needs more is refused with `MemoryLimitExceeded` before it starts. None is no limit; Dask has limits
        of its own.
    kernels : {"auto", "always", "interpreted", "never"}
        Which work becomes fused kernels on NumPy, at levels of `optimize` that allow rounding: that on large arrays,
        and what `jit` traces; work of any size; the same, but interpreted by NumPy instead of compiled; or none. At
        first, what the environment variable ``LAZYXP_KERNELS`` says, or else "auto".

    Raises
    ------
    TypeError
        For an option that does not exist.
    ValueError
        For a value that an option cannot take; `UnknownBackend` is one.

    Examples
    --------
    >>> import lazyxp as xp
    >>> with xp.set_options(strict=True):
    ...     xp.get_options()["strict"]
    True
    """

    def __init__(self, **options: Any) -> None:
        names = [f.name for f in dataclasses.fields(Options)]
        for name, value in options.items():
            if name not in names:
                raise TypeError(f"set_options: there is no option {name!r}; the options are {', '.join(names)}")
            choices = _CHOICES.get(name)
            if choices is not None and not any(value is c or (type(value) is str and value == c) for c in choices):
                raise ValueError(f"set_options: {name}={value!r} is none of {', '.join(map(repr, choices))}")
        if options.get("backend") is not None:
            from lazyxp.executors.registry import check_known

            check_known(options["backend"])
        if options.get("num_threads") is not None:
            options["num_threads"] = _threads(options["num_threads"])
        if options.get("memory_limit") is not None:
            try:
                options["memory_limit"] = parse_bytes(options["memory_limit"])
            except ValueError:
                raise ValueError(
                    f"set_options: memory_limit={options['memory_limit']!r} is no number of bytes (2_000_000_000, "
                    "'2 GB', '512 MiB') and not None"
                ) from None
        self._options = options
        self._token: Token[Options | None] | None = None
        _apply(add=options)

    def __enter__(self) -> Self:
        _apply(drop=self._options)
        self._token = _local.set(dataclasses.replace(current(), **self._options))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _local.reset(self._token)
            self._token = None


@contextmanager
def overridden(**values: Any) -> Iterator[None]:
    """Other options for this thread or task; `set_options` would show them to the other threads for a moment."""
    token = _local.set(dataclasses.replace(current(), **values))
    try:
        yield
    finally:
        _local.reset(token)


def get_options() -> dict[str, Any]:
    """The options in force, as a dict.

    Returns
    -------
    dict
        Option names and values; changing it changes nothing.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.get_options()["materialize"]
    'compute'
    """
    return {f.name: getattr(current(), f.name) for f in dataclasses.fields(Options)}
