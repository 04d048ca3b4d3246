"""The JAX executor, and whether it can run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp.executors.base import Status, installed, require

if TYPE_CHECKING:
    from lazyxp.executors.jax.backend import JAXExecutor


def executor() -> JAXExecutor:
    """The executor; BackendUnavailable where JAX is missing."""
    with require("jax", status()):
        from lazyxp.executors.jax.backend import JAXExecutor
    return JAXExecutor()


def status() -> Status:
    """Whether JAX is installed; it is not imported to say so."""
    return installed("jax", extra="jax")
