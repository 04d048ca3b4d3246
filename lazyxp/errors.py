"""The errors that are lazyxp's own. Everything else is a TypeError, ValueError or IndexError, as in NumPy."""

from __future__ import annotations


class LazyxpError(Exception):
    """Base class of the errors below."""


class UnsupportedOperation(LazyxpError, NotImplementedError):
    """A backend cannot run an op: it lacks the function, and no decomposition into other ops is known."""


class BackendUnavailable(LazyxpError, ImportError):
    """A backend exists but cannot run here: a package, driver or device is missing."""


class UnknownBackend(LazyxpError, ValueError):
    """No backend, importable module or array namespace has this name."""


class MaterializationError(LazyxpError, TypeError):
    """A value was demanded under ``materialize="raise"``."""


class SourceMutated(LazyxpError, RuntimeError):
    """An array that the graph reads was changed in place after it was recorded."""


class MemoryLimitExceeded(LazyxpError, MemoryError):
    """A graph would take more memory at once than the option `memory_limit` allows."""
