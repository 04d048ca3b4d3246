"""The PyTorch executor, and whether it can run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp.executors.base import Status, installed, require

if TYPE_CHECKING:
    from lazyxp.executors.torch.backend import TorchExecutor


def executor() -> TorchExecutor:
    """The executor; BackendUnavailable where PyTorch is missing."""
    with require("torch", status()):
        from lazyxp.executors.torch.backend import TorchExecutor
    return TorchExecutor()


def status() -> Status:
    """Whether PyTorch is installed; it is not imported to say so."""
    return installed("torch", extra="torch")
