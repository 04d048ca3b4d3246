"""Options: what holds for every call until it is set otherwise."""

from __future__ import annotations

import dataclasses
import os
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

LEVELS = ("none", "exact", "default", "fast")
_CHOICES: dict[str, tuple[Any, ...]] = {
    "optimize": LEVELS,
    "materialize": ("compute", "warn", "raise"),
    "strict": (False, True),
}


@dataclasses.dataclass(frozen=True)
class Options:
    """The options in force."""

    backend: Any = None
    optimize: str = "default"
    materialize: str = "compute"
    strict: bool = False


_default = Options(backend=os.environ.get("LAZYXP_BACKEND") or None)
_local: ContextVar[Options | None] = ContextVar("lazyxp_options", default=None)


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
        global _default
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
        self._options = options
        self._before = _default
        self._token: Token[Options | None] | None = None
        _default = dataclasses.replace(_default, **options)

    def __enter__(self) -> Self:
        global _default
        self._token = _local.set(dataclasses.replace(current() if _local.get() else self._before, **self._options))
        _default = self._before
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _local.reset(self._token)
            self._token = None


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
