"""Finding executors: by name, by module or namespace, and by the data that a graph reads."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Callable, Iterable
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

import numpy as np

from lazyxp.errors import BackendUnavailable, UnknownBackend
from lazyxp.executors.base import Executor, Status
from lazyxp.node import Node

GROUP = "lazyxp.executors"
_BUILTIN = {
    "numpy": "lazyxp.executors.numpy",
    "dask": "lazyxp.executors.dask",
    "sparse": "lazyxp.executors.sparse",
    "cupy": "lazyxp.executors.cupy",
    "torch": "lazyxp.executors.torch",
    "jax": "lazyxp.executors.jax",
}
_registered: dict[str, Callable[[], Executor]] = {}
_made: dict[Any, tuple[Executor, Any]] = {}
# Goes up with every executor that is registered: what was traced for others is traced again.
version = 0


def register_executor(name: str, factory: Callable[[], Executor]) -> None:
    """Make a backend known under `name`.

    Parameters
    ----------
    name : str
        What `compute(backend=name)` selects.
    factory : callable
        Called without arguments when the backend is first used; returns an `Executor`.

    Raises
    ------
    TypeError
        If `name` is no string or `factory` cannot be called.

    Notes
    -----
    A package registers its backend without being imported through the entry-point group ``lazyxp.executors``.

    Examples
    --------
    >>> import lazyxp as xp
    >>> from lazyxp.executors.numpy import NumPyExecutor
    >>> xp.register_executor("my-numpy", NumPyExecutor)
    >>> xp.zeros(2).compute(backend="my-numpy")
    array([0., 0.])
    """
    if not isinstance(name, str) or not callable(factory):
        raise TypeError(f"register_executor: expected a name and a factory, got {name!r} and {factory!r}")
    global version
    _registered[name] = factory
    _made.clear()
    version += 1


def get(backend: Any) -> Executor:
    """The executor of a backend: a name, a module, a namespace or an `Executor`."""
    if isinstance(backend, str) and backend in _made:
        return _made[backend][0]
    if isinstance(backend, Executor):
        return backend
    _check_type(backend)
    key = backend if isinstance(backend, str) else id(backend)
    if key not in _made:
        _made[key] = _make(backend), backend  # with the namespace itself, or its id might be used again
    return _made[key][0]


def check_known(backend: Any) -> None:
    """Refuse a backend that `get` could not find, without importing it."""
    if isinstance(backend, Executor):
        return
    _check_type(backend)
    if isinstance(backend, str) and backend not in _factories() and not _is_importable(backend):
        raise _unknown(backend)


def _check_type(backend: Any) -> None:
    if not isinstance(backend, (str, ModuleType)) and not hasattr(backend, "asarray"):
        raise TypeError(f"backend must be a name, a module or an array namespace, got {backend!r}")


def _is_importable(name: str) -> bool:
    try:
        return bool(name) and importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _make(backend: Any) -> Executor:
    from lazyxp.executors.array_api import ArrayAPIExecutor

    if not isinstance(backend, str):
        name = str(getattr(backend, "__name__", "")).removeprefix("array_api_compat.")
        name = name.removesuffix(".array").removesuffix(".numpy")  # dask.array, jax.numpy
        if name == "lazyxp":
            raise TypeError("lazyxp records, it cannot be a backend; name the namespace that is to run the graph")
        return get(name) if name in _BUILTIN else ArrayAPIExecutor(backend)
    factory = _factories().get(backend)
    if factory is not None:
        return _call(backend, factory)
    if not _is_importable(backend):
        raise _unknown(backend)
    try:
        module = importlib.import_module(backend)
    except ImportError as error:
        if error.name not in (backend, backend.partition(".")[0]):
            raise BackendUnavailable(f"backend {backend!r} cannot be imported: {error}") from error
    else:
        if hasattr(module, "asarray"):
            return get(module)
    raise _unknown(backend)


def _unknown(backend: str) -> UnknownBackend:
    near = difflib.get_close_matches(backend, _factories(), 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(map(repr, sorted(_factories())))}"
    return UnknownBackend(
        f"there is no backend {backend!r}: {hint} (or the name of an importable Array API namespace, a module, or a "
        "name given to register_executor)"
    )


def _call(name: str, factory: Callable[[], Executor]) -> Executor:
    executor = factory()
    if not isinstance(executor, Executor):
        raise TypeError(f"the factory of backend {name!r} returned {executor!r}, which is no Executor")
    return executor


def _factories() -> dict[str, Callable[[], Executor]]:
    plugins = {point.name: _loader(point) for point in entry_points(group=GROUP)}
    builtin = {name: _builtin_factory(module) for name, module in _BUILTIN.items()}
    return builtin | plugins | _registered


def _builtin_factory(module: str) -> Callable[[], Executor]:
    return lambda: importlib.import_module(module).executor()


def _loader(point: Any) -> Callable[[], Executor]:
    return lambda: point.load()()


def follow(nodes: Iterable[Node]) -> Executor:
    """The executor of the data that a graph reads: the one backend other than NumPy, else NumPy."""
    found: dict[Any, Node] = {}
    for node in nodes:
        value = node.value[0] if node.value is not None and node.several else node.value
        if value is not None and type(value) is not np.ndarray:
            module = type(value).__module__.partition(".")[0]
            if module not in ("numpy", "lazyxp"):  # what is read from files runs anywhere
                found.setdefault(_backend_of(value, module), node)
    if not found:
        return get("numpy")
    if len(found) > 1:
        listed = ", ".join(f"{get(b).name} (recorded at {n.where})" for b, n in found.items())
        raise TypeError(f"the graph reads arrays of several backends: {listed}; say which one runs it: backend=...")
    return get(next(iter(found)))


def _backend_of(value: Any, module: str) -> Any:
    if module in _BUILTIN:
        return module
    namespace = getattr(value, "__array_namespace__", None)
    if namespace is not None:
        return namespace()
    return next((executor for executor, _ in list(_made.values()) if executor.owns(value)), "numpy")


def owner(value: Any) -> Executor:
    """The executor whose native array `value` is."""
    module = type(value).__module__.partition(".")[0]
    return get("numpy" if module == "numpy" else _backend_of(value, module))


def backends() -> dict[str, Status]:
    """The backends and whether they can run here.

    Returns
    -------
    dict of str to Status
        For each name: `available`; the `reason` if not; `version` and `devices` if so.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.backends()["numpy"].available
    True
    """
    return {name: _status(name, factory) for name, factory in sorted(_factories().items())}


def _status(name: str, factory: Callable[[], Executor]) -> Status:
    builtin = _BUILTIN.get(name) if name not in _registered else None
    try:
        if builtin is not None:
            status: Status = importlib.import_module(builtin).status()
            return status
        return _call(name, factory).status()
    except Exception as error:  # a broken plugin must not hide the other backends
        return Status(False, f"{type(error).__name__}: {error}")
