"""What is installed and what can run here."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from lazyxp.executors.base import Status

# What is asked for, and the distributions that may provide it.
_PACKAGES = {
    "numpy": ("numpy",),
    "array-api-compat": ("array-api-compat",),
    "networkx": ("networkx",),
    "dask": ("dask",),
    "distributed": ("distributed",),
    "sparse": ("sparse",),
    "cupy": ("cupy-cuda13x", "cupy-cuda12x", "cupy"),
    "llvmlite": ("llvmlite",),
}


def show_versions(file: TextIO | None = None) -> None:
    """Print versions, backends, threads and where compiled kernels are kept: what belongs in a bug report.

    Parameters
    ----------
    file : text file, optional
        Where to print; standard output by default.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.show_versions()
    lazyxp...
    python...
    """
    import lazyxp
    from lazyxp import disk_cache

    rows = [("lazyxp", lazyxp.__version__), ("python", platform.python_version()), ("platform", platform.platform())]
    rows += [(package, _version(names)) for package, names in _PACKAGES.items()]
    rows += [("threads", _threads()), ("kernel cache", disk_cache.state())]
    rows += [(f"backend {name}", _state(backend)) for name, backend in lazyxp.backends().items()]
    width = max(len(name) for name, _ in rows)
    for name, text in rows:
        print(f"{name:<{width}}  {text}", file=file or sys.stdout)


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "not installed"


def _state(backend: Status) -> str:
    if not backend.available:
        return f"unavailable: {backend.reason}"
    return ", ".join([backend.version or "version unknown", *backend.devices])


def _threads() -> str:
    """How many threads kernels run on, and how many CPUs there are for them."""
    from lazyxp.executors.numpy import threads

    try:
        return f"{threads.limit()} for kernels, of {threads.cpus()} CPUs"
    except ValueError as error:
        return str(error)
