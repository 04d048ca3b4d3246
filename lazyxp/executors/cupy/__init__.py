"""The CuPy executor, and whether it can run here: it needs the package, a driver and a device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp.executors.base import Status, installed, require

if TYPE_CHECKING:
    from lazyxp.executors.cupy.backend import CuPyExecutor


def executor() -> CuPyExecutor:
    """The executor; BackendUnavailable where CuPy, a driver or a device is missing."""
    with require("cupy", status()):
        from lazyxp.executors.cupy.backend import CuPyExecutor
    return CuPyExecutor()


def status() -> Status:
    """Which of the package, the driver and a device is missing; if none is, the devices."""
    state = installed("cupy", extra="cuda13")
    if not state.available:
        return Status(False, f'{state.reason} (for CUDA 13, or "lazyxp[cuda12]" for CUDA 12)')
    try:
        import cupy

        runtime = cupy.cuda.runtime
        if not runtime.driverGetVersion():
            return Status(False, "there is no NVIDIA driver; CuPy needs one of its CUDA version", cupy.__version__)
        if not cupy.cuda.is_available():
            return Status(False, "the driver offers no CUDA device that CuPy can use", cupy.__version__)
        names = [runtime.getDeviceProperties(i)["name"].decode() for i in range(runtime.getDeviceCount())]
    except Exception as error:  # a broken installation is one more reason why it cannot run
        return Status(False, f"CuPy is installed, but does not work: {type(error).__name__}: {error}", state.version)
    return Status(True, version=cupy.__version__, devices=tuple(f"cuda:{i} ({name})" for i, name in enumerate(names)))
