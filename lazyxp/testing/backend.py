"""The backend that the acceptance suite asks: what `compute` is told, and what it then gives."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

import lazyxp as xp
from lazyxp.executors import registry
from lazyxp.executors.base import Executor


class Backend(NamedTuple):
    """A backend under test.

    Attributes
    ----------
    id : str
        Its name in reports.
    backend : str, module or Executor
        What `compute` and `persist` are told.
    options : dict
        What else they are told.
    type : type or tuple of types, optional
        What `compute` gives; by default native arrays of the executor, or NumPy's.
    may_refuse : collection of str, optional
        The ops that it may refuse, with a reason; by default any, and data types as well.
    most_cases : int, optional
        How many cases of an op are enough, where each takes long: a selection of all.
    """

    id: str
    backend: Any
    options: dict[str, Any] = {}  # noqa: RUF012 - nobody writes to it
    type: Any = None
    may_refuse: Collection[str] | None = None
    most_cases: int | None = None

    @property
    def executor(self) -> Executor:
        """What runs its plans."""
        return registry.get(self.backend)

    def compute(self, *arrays: xp.Array, **options: Any) -> tuple[Any, ...]:
        """`xp.compute` on this backend."""
        return xp.compute(*arrays, backend=self.backend, **self.options, **options)

    def persist(self, *arrays: xp.Array) -> tuple[xp.Array, ...]:
        """`xp.persist` on this backend."""
        return xp.persist(*arrays, backend=self.backend, **self.options)

    def as_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A result of this backend as a NumPy array."""
        if self.type is not None:
            assert isinstance(value, self.type), (self.id, type(value))
        if self.executor.owns(value):
            converted = self.executor.to_numpy(value)
            assert isinstance(converted, np.ndarray), f"to_numpy gave {type(converted)}"
            return converted
        assert isinstance(value, np.ndarray), f"compute gave {type(value)}, which {self.id!r} does not own"
        return value
