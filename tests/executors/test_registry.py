"""Which executor runs: names, modules, plugins, the data; and why one cannot."""

import importlib
import importlib.machinery
import sys
import types

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import BackendUnavailable, UnknownBackend
from lazyxp.executors import cupy, registry, sparse
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.testing.inputs import equal


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch):
    monkeypatch.setattr(registry, "_made", {})
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))


# --- names and modules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["numpy", np, "array_api_strict", "array_api_compat.numpy", NumPyExecutor()])
def test_names_modules_namespaces_and_executors(backend):
    if backend == "array_api_strict":
        pytest.importorskip(backend)
    result = (xp.asarray([1, 2]) + 1).compute(backend=backend)
    equal(np.asarray(getattr(result, "_array", result)), np.array([2, 3]))


def test_unknown_names_get_a_hint():
    with pytest.raises(UnknownBackend, match=r"there is no backend 'nunpy': did you mean 'numpy'\?"):
        xp.asarray(1).compute(backend="nunpy")
    with pytest.raises(UnknownBackend, match="'cupy', 'dask', 'jax', 'numpy', 'sparse', 'torch'"):
        xp.asarray(1).compute(backend="zzz")
    with pytest.raises(UnknownBackend, match="no backend 'math'"):
        xp.asarray(1).compute(backend="math")  # a module, but no array namespace
    with pytest.raises(TypeError, match="backend must be a name, a module or an array namespace, got 3"):
        xp.asarray(1).compute(backend=3)


def test_a_module_that_fails_to_import(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import surely_not_installed")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendUnavailable, match="surely_not_installed"):
        xp.asarray(1).compute(backend="needs_more")


def test_registered_executors():
    class Mine(NumPyExecutor):
        name = "mine"

    xp.register_executor("mine", Mine)
    assert xp.backends()["mine"].available
    equal((xp.asarray([1]) + 1).compute(backend="mine"), np.array([2]))
    xp.register_executor("broken", lambda: 1 / 0)
    assert "ZeroDivisionError" in xp.backends()["broken"].reason
    with pytest.raises(TypeError, match="expected a name and a factory"):
        xp.register_executor("mine", 3)


def test_plugins_are_found_by_their_entry_point(tmp_path, monkeypatch):
    info = tmp_path / "lazyxp_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lazyxp-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lazyxp.executors]\nplugged = lazyxp_plugin:executor\n")
    (tmp_path / "lazyxp_plugin.py").write_text("from lazyxp.executors.numpy import NumPyExecutor as executor\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert xp.backends()["plugged"].available
    equal((xp.asarray([1]) + 1).compute(backend="plugged"), np.array([2]))


# --- following the data -----------------------------------------------------------------------------------------------


def test_two_backends_in_one_graph():
    da, sparse_package = pytest.importorskip("dask.array"), pytest.importorskip("sparse")
    x, y = xp.asarray(da.ones(3)), xp.asarray(sparse_package.COO.from_numpy(np.ones(3)))
    with pytest.raises(TypeError, match=r"several backends: dask \(recorded at .*\), sparse \(recorded at .*backend="):
        (x + y).compute()
    equal((x + y).compute(backend="numpy"), np.full(3, 2.0))
    equal((x + y).compute(backend="dask"), np.full(3, 2.0))
    z = (xp.asarray(np.ones(3)) + x).compute()
    equal(z, np.full(3, 2.0))


class Box:
    """An array of a library that knows nothing of the standard."""

    def __init__(self, value):
        self.value = value
        self.shape = value.shape


class Boxing(NumPyExecutor):
    """Runs on NumPy, and gives boxes."""

    def load(self, node):
        return node.value.value if self.owns(node.value) else super().load(node)

    def owns(self, value):
        return isinstance(value, Box)

    def to_numpy(self, value):
        return value.value

    def hold(self, value):
        return Box(np.asarray(value))

    def deliver(self, value, shared):
        return Box(super().deliver(value, shared))


def test_arrays_without_a_namespace_belong_to_who_made_them():
    xp.register_executor("boxing", Boxing)
    (kept,) = xp.persist(xp.asarray([1, 2]) + 1, backend="boxing")
    assert type((kept * 2).compute()) is Box
    equal((kept * 2).compute().value, np.array([4, 6]))
    equal(np.asarray(kept), np.array([2, 3]))
    equal((kept * 2).compute(backend="numpy"), np.array([4, 6]))


# --- what is missing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dask", "jax", "sparse", "torch"])
def test_missing_packages(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    status = xp.backends()[name]
    assert not status.available
    assert f'pip install "lazyxp[{name}]"' in status.reason
    with pytest.raises(BackendUnavailable, match="is not installed; pip install"):
        xp.asarray(1).compute(backend=name)
    with pytest.raises(BackendUnavailable):
        importlib.import_module(f"lazyxp.executors.{name}").executor()


def test_a_package_that_does_not_import(monkeypatch):
    pytest.importorskip("sparse")
    monkeypatch.setitem(sys.modules, "lazyxp.executors.sparse.backend", None)
    with pytest.raises(BackendUnavailable, match="backend 'sparse' cannot be imported"):
        sparse.executor()


def fake_cupy(monkeypatch, *, driver, devices, error=None):
    """A package called cupy whose CUDA runtime answers so."""

    def driver_version():
        if error:
            raise error
        return driver

    runtime = types.SimpleNamespace(
        driverGetVersion=driver_version,
        getDeviceCount=lambda: len(devices),
        getDeviceProperties=lambda i: {"name": devices[i].encode()},
    )
    package = types.ModuleType("cupy")
    package.__spec__ = importlib.machinery.ModuleSpec("cupy", None)
    package.__version__ = "14.2.0"
    package.cuda = types.SimpleNamespace(runtime=runtime, is_available=lambda: bool(devices))
    monkeypatch.setitem(sys.modules, "cupy", package)


def test_cupy_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert 'pip install "lazyxp[cuda13]"' in cupy.status().reason
    fake_cupy(monkeypatch, driver=0, devices=[])
    assert "no NVIDIA driver" in cupy.status().reason
    fake_cupy(monkeypatch, driver=13000, devices=[])
    assert "no CUDA device" in cupy.status().reason
    fake_cupy(monkeypatch, driver=0, devices=[], error=RuntimeError("libcuda.so.1 is broken"))
    assert "RuntimeError: libcuda.so.1 is broken" in cupy.status().reason
    with pytest.raises(BackendUnavailable, match=r"backend 'cupy' cannot run here: .*libcuda"):
        xp.asarray(1).compute(backend="cupy")
    fake_cupy(monkeypatch, driver=13000, devices=["One", "Two"])
    assert cupy.status() == (True, "", "14.2.0", ("cuda:0 (One)", "cuda:1 (Two)"))


@pytest.mark.parametrize("name", ["", ".numpy", "no.such.module"])
def test_names_that_cannot_be_imported(name):
    with pytest.raises(UnknownBackend, match="there is no backend"):
        xp.zeros(1).compute(backend=name)


def test_odd_namespaces():
    x = xp.arange(3)
    assert x.compute(backend=types.SimpleNamespace(**vars(np))).tolist() == [0, 1, 2]
    with pytest.raises(TypeError, match="lazyxp records"):
        x.compute(backend="lazyxp")
    xp.register_executor("five", lambda: 5)
    try:
        assert not xp.backends()["five"].available
        with pytest.raises(TypeError, match="backend 'five' returned 5"):
            x.compute(backend="five")
    finally:
        registry._registered.pop("five")


def test_a_module_and_its_name_are_one_backend():
    da = pytest.importorskip("dask.array")
    assert registry.get("dask.array") is registry.get(da) is registry.get("dask")
