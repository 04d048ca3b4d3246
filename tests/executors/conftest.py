"""The backends that the executor suite runs on."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.executors.cupy import lowerings as cupy_lowerings


class Backend(NamedTuple):
    """What `compute` is told, and what it then gives."""

    id: str
    backend: Any
    options: dict[str, Any]
    type: Any

    def compute(self, *arrays: Any) -> tuple[Any, ...]:
        """`xp.compute` on this backend."""
        return xp.compute(*arrays, backend=self.backend, **self.options)

    def as_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """A result of this backend as a NumPy array."""
        assert isinstance(value, self.type), (self.id, type(value))
        for name in ("get", "todense"):
            if hasattr(value, name):
                return np.asarray(getattr(value, name)())
        if self.id == "torch":
            assert not value.is_conj()
            assert not value.is_neg()
        return np.asarray(getattr(value, "_array", value))


class CuPyLowerings(ArrayAPIExecutor):
    """CuPy's lowerings on NumPy's namespace: what can be run of them without a GPU."""

    lowerings = cupy_lowerings.LOWERINGS

    def __init__(self) -> None:
        import array_api_compat.numpy

        super().__init__(array_api_compat.numpy, "cupy-lowerings")

    def execute(self, step: Any, arrays: list[Any]) -> Any:
        arrays = [np.asarray(a) for a in arrays] if not step.node.args or not step.node.args[0].several else arrays
        if step.reuses:
            return cupy_lowerings.write_into(self.xp, *arrays, **step.node.params)
        return super().execute(step, arrays)


IDS = ("numpy", "array_api_strict", "torch", "jax", "dask", "dask-cluster", "sparse", "cupy", "cupy-lowerings")


@pytest.fixture(scope="package")
def cluster():
    """A client of two worker processes, which is not the active one."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as workers,
        distributed.Client(workers, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module", params=IDS)
def backend(request):
    """Each backend that can run here, in turn."""
    name = request.param
    if name == "cupy-lowerings":
        return Backend(name, CuPyLowerings(), {}, (np.ndarray, np.generic))
    if name == "array_api_strict":
        strict = pytest.importorskip(name)
        return Backend(name, name, {}, type(strict.asarray(0)))
    status = xp.backends()[name.partition("-")[0]]
    if not status.available:
        pytest.skip(status.reason)
    if name.startswith("dask"):
        options = {"scheduler": request.getfixturevalue("cluster")} if name == "dask-cluster" else {}
        return Backend(name, "dask", options, np.ndarray)
    native = {"numpy": "ndarray", "cupy": "ndarray", "sparse": "COO", "torch": "Tensor", "jax": "Array"}[name]
    return Backend(name, name, {}, getattr(importlib.import_module(name), native))


@pytest.fixture
def small_chunks():
    """Dask cuts arrays of a few elements into several chunks."""
    dask = pytest.importorskip("dask")
    with dask.config.set({"array.chunk-size": "160B"}):
        yield
