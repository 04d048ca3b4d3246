"""The Dask executor, and whether it can run here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from lazyxp.executors.base import Status, installed, require

if TYPE_CHECKING:
    from lazyxp.executors.dask.backend import DaskExecutor


def executor() -> DaskExecutor:
    """The executor; BackendUnavailable where Dask cannot be imported."""
    with require("dask", status()):
        from lazyxp.executors.dask.backend import DaskExecutor
    return DaskExecutor()


def status() -> Status:
    """Whether Dask is installed, and what it runs on."""
    state = installed("dask", extra="dask")
    return state._replace(devices=(_active_client() or "threads",)) if state.available else state


def _active_client() -> str:
    """The client that Dask computes on, if one is active."""
    if "distributed" not in sys.modules:
        return ""
    from distributed import default_client

    try:
        return repr(default_client())
    except ValueError:
        return ""
