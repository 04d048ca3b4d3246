"""The backends that the executor suite runs on."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.executors.cupy import lowerings as cupy_lowerings
from lazyxp.testing.backend import Backend


class CuPyLowerings(ArrayAPIExecutor):
    """CuPy's lowerings on NumPy's namespace: what can be run of them without a GPU."""

    lowerings = cupy_lowerings.LOWERINGS

    def __init__(self) -> None:
        import array_api_compat.numpy

        super().__init__(array_api_compat.numpy, "cupy-lowerings")

    def execute(self, step: Any, arrays: list[Any]) -> Any:
        arrays = [np.asarray(a) if isinstance(a, np.generic) else a for a in arrays]
        if step.reuses:
            return cupy_lowerings.write_into(self.xp, *arrays, **step.node.params)
        return super().execute(step, arrays)

    def owns(self, value: Any) -> bool:
        return isinstance(value, (np.ndarray, np.generic))  # NumPy's 0-d results are scalars

    def to_numpy(self, value: Any) -> Any:
        return np.asarray(value)


IDS = ("numpy", "array_api_strict", "torch", "jax", "dask", "dask-cluster", "sparse", "cupy", "cupy-lowerings")

# PyTorch has no kernels for these ops on uint64 or complex numbers.
REFUSED_BY_TORCH = (
    *("bitwise_right_shift", "floor_divide", "pow", "remainder"),
    *("unique_all", "unique_counts", "unique_inverse", "unique_values"),
)


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
        yield Backend(name, CuPyLowerings(), type=(np.ndarray, np.generic), may_refuse=())
        return
    if name == "array_api_strict":
        strict = pytest.importorskip(name)
        yield Backend(name, name, type=type(strict.asarray(0)))
        return
    status = xp.backends()[name.partition("-")[0]]
    if not status.available:
        pytest.skip(status.reason)
    if name == "dask":
        import dask

        with dask.config.set({"array.chunk-size": "160B"}):  # cuts arrays of a few elements into several chunks
            yield Backend(name, name, type=np.ndarray, may_refuse=())
    elif name == "dask-cluster":
        # A task on the cluster takes milliseconds, and what can go wrong there is pickling.
        client = request.getfixturevalue("cluster")
        with client.as_current():  # what stays there is asked for without naming it
            yield Backend(name, "dask", {"scheduler": client}, type=np.ndarray, may_refuse=(), most_cases=1)
    else:
        native = {"numpy": "ndarray", "cupy": "ndarray", "sparse": "COO", "torch": "Tensor", "jax": "Array"}[name]
        may_refuse = {"sparse": None, "torch": REFUSED_BY_TORCH}.get(name, ())
        most_cases = 50 if name == "jax" else None  # it compiles each op for each data type and shape
        kind = getattr(importlib.import_module(name), native)
        yield Backend(name, name, type=kind, may_refuse=may_refuse, most_cases=most_cases)
