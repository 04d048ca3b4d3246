"""The CuPy executor: CuPy's functions through array-api-compat, and lowerings where they depart from the standard."""

from __future__ import annotations

from typing import Any

import array_api_compat.cupy
import cupy
import numpy as np

from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.executors.cupy.lowerings import LOWERINGS, write_into
from lazyxp.plan import Step


class CuPyExecutor(ArrayAPIExecutor):
    """Runs plans on the current CUDA device."""

    lowerings = LOWERINGS

    def __init__(self) -> None:
        super().__init__(array_api_compat.cupy, "cupy")

    def execute(self, step: Step, arrays: list[Any]) -> Any:
        """The result of one step; an assignment overwrites a buffer that nobody else reads."""
        if step.reuses:
            return write_into(self.xp, *arrays, **step.node.params)
        return super().execute(step, arrays)

    def owns(self, value: Any) -> bool:
        """Whether `value` is a CuPy array."""
        return isinstance(value, cupy.ndarray)

    def from_numpy(self, value: np.ndarray[Any, Any]) -> Any:
        """A copy on the current device."""
        return cupy.asarray(value)

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A copy in the host's memory."""
        return np.asarray(value.get())
