"""CuPy's lowerings where there is no GPU: the same functions, on NumPy's namespace; and the executor on a stand-in."""

import importlib
import sys
import types

import array_api_compat.numpy as xp_numpy
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.cupy.lowerings import LOWERINGS
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.testing.inputs import equal, special

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
NUMPY = NumPyExecutor()
EDGES = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.0, -2.5, 3.0])
PAIRS = np.array(np.meshgrid(EDGES, EDGES)).reshape(2, -1)


def run(name, *arrays, **params):
    return LOWERINGS[name](xp_numpy, *arrays, **params)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values_are_those_of_the_numpy_executor(dtype):
    x, y = PAIRS.astype(dtype)
    equal(run("floor_divide", x, y), NUMPY.implementation("floor_divide")(x, y))
    z = NUMPY.implementation("complex")(x, y)
    equal(run("complex", x, y), z)
    for name in ("expm1", "tanh", "sign"):
        wanted = NUMPY.implementation(name)(z)
        got = run(name, z)
        equal(got.real, wanted.real, name, rounding=name == "sign")
        equal(got.imag, wanted.imag, name, rounding=name == "sign")
        equal(run(name, x), NUMPY.implementation(name)(x))
    for part in ("real", "imag"):
        equal(run(part, z), NUMPY.implementation(part)(z))
        equal(run(part, x), np.asarray(NUMPY.implementation(part)(x)))
    columns = z.reshape(8, 8)
    equal(
        run("mean", columns, axis=(0,), keepdims=False),
        NUMPY.implementation("mean")(columns, axis=(0,), keepdims=False),
    )


def test_integers_have_no_special_values():
    x = np.array([7, -7, 5])
    equal(run("floor_divide", x, np.array([2, 2, -3])), x // np.array([2, 2, -3]))
    equal(run("sign", x), np.sign(x))


def test_clip():
    x = special((8,), np.dtype("float64"))
    for given in (("min",), ("max",), ("min", "max")):
        bounds = [np.asarray({"min": -1.0, "max": 1.0}[name]) for name in given]
        equal(run("clip", x, *bounds, given=given), NUMPY.implementation("clip")(x, *bounds, given=given))


def test_positions_out_of_bounds_are_refused():
    x = np.arange(6.0).reshape(2, 3)
    for name, indices, params in (
        ("take", [np.array([0, 3])], {"axis": 1}),
        ("take", [np.array([-3])], {"axis": 0}),
        ("take_along_axis", [np.array([[0], [4]])], {"axis": 1}),
        ("gather", [np.array([1, 2])], {"key": ("array", slice(None))}),
        ("gather", [np.array([0, -4])], {"key": (slice(None), "array")}),
    ):
        with pytest.raises(IndexError, match="out of bounds for axis"):
            run(name, x, *indices, **params)
    with pytest.raises(IndexError, match="out of bounds for axis 0"):
        run("scatter", x, np.asarray(1.0), np.array([5]), key=("array", slice(None)))


def test_the_last_of_several_values_stays():
    x = np.zeros(4)
    got = run("scatter", x, np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), key=("array",))
    equal(got, np.array([2.0, 0.0, 3.0, 0.0]))
    assert not x.any()


def test_repeat_by_counts():
    x = np.arange(6.0).reshape(3, 2)
    for counts in ([2, 0, 1], [3], [0, 0, 0]):
        got = run("repeat", x, np.array(counts), axis=0, count=None)
        equal(got, np.repeat(x, counts, axis=0))
    with pytest.raises(ValueError, match="must not be negative"):
        run("repeat", x, np.array([1, -1, 1]), axis=0, count=None)


class DeviceArray(np.ndarray):
    """NumPy's array, with the method that brings CuPy's to the host."""

    def get(self):
        return self.view(np.ndarray).copy()


def test_the_executor_on_a_stand_in(monkeypatch):
    package = types.ModuleType("cupy")
    package.ndarray = DeviceArray
    package.asarray = lambda value: np.asarray(value).view(DeviceArray)
    monkeypatch.setitem(sys.modules, "cupy", package)
    monkeypatch.setitem(sys.modules, "array_api_compat.cupy", xp_numpy)
    monkeypatch.setattr("array_api_compat.cupy", xp_numpy, raising=False)
    monkeypatch.delitem(sys.modules, "lazyxp.executors.cupy.backend", raising=False)
    executor = importlib.import_module("lazyxp.executors.cupy.backend").CuPyExecutor()
    monkeypatch.delitem(sys.modules, "lazyxp.executors.cupy.backend")
    x = xp.asarray(np.zeros((2, 3))) + 1.0
    x[0] = 5.0
    got = x.compute(backend=executor)
    assert executor.owns(got)
    equal(executor.to_numpy(got), np.array([[5.0, 5.0, 5.0], [1.0, 1.0, 1.0]]))
    assert not executor.owns(np.zeros(3))
