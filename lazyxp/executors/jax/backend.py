"""The JAX executor: JAX's functions with its 64-bit types, and lowerings where they depart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import jax
import jax.numpy
import numpy as np

from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.executors.jax.lowerings import LOWERINGS
from lazyxp.plan import Plan


class JAXExecutor(ArrayAPIExecutor):
    """Runs plans on JAX, op by op."""

    lowerings = LOWERINGS
    departures: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(
            ("acosh", "asinh", "atan", "divide", "exp", "reciprocal"),
            "complex infinities, NaN and signed zeros are JAX's",
        ),
        "astype": "the standard leaves open what becomes of values out of an integer's range",
    }

    def __init__(self) -> None:
        super().__init__(jax.numpy, "jax")

    def run(self, plan: Plan, *, keep: bool, **options: Any) -> list[Any]:
        """Run the steps of `plan`, on the device of the arrays that it reads, and wait for the results.

        Without its 64-bit types, JAX would give other data types than were recorded. Without waiting, it would go on
        reading sources that their owners may change.
        """
        devices = {leaf.value.device for leaf in plan.leaves if self.owns(leaf.value)}
        with jax.enable_x64(True), jax.default_device(devices.pop() if len(devices) == 1 else None):
            return [jax.block_until_ready(result) for result in super().run(plan, keep=keep, **options)]

    def owns(self, value: Any) -> bool:
        """Whether `value` is an array of JAX."""
        return isinstance(value, jax.Array)

    def from_numpy(self, value: np.ndarray[Any, Any]) -> Any:
        """An array on the memory of `value` where JAX takes that, which is aligned and dense; else on a copy."""
        host = jax.devices("cpu")[0]
        device = jax.config.jax_default_device or jax.devices()[0]
        if device == host and value.flags.writeable and value.flags.forc:
            return jax.numpy.from_dlpack(value)
        return jax.numpy.array(value)

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """The memory of an array on the CPU; a copy of others."""
        return np.asarray(value)

    def deliver(self, value: Any, shared: bool) -> Any:
        """A result; a copy where its memory is `shared`."""
        return jax.numpy.array(value) if shared else value
