"""The sparse executor, and whether it can run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp.executors.base import Status, installed, require

if TYPE_CHECKING:
    from lazyxp.executors.sparse.backend import SparseExecutor


def executor() -> SparseExecutor:
    """The executor; BackendUnavailable where PyData/sparse or SciPy cannot be imported."""
    with require("sparse", status()):
        from lazyxp.executors.sparse.backend import SparseExecutor
    return SparseExecutor()


def status() -> Status:
    """Whether PyData/sparse is installed, and SciPy, which multiplies matrices."""
    states = [installed(package, extra="sparse") for package in ("sparse", "scipy")]
    missing = next((state for state in states if not state.available), None)
    return missing or states[0]._replace(devices=("cpu",))
