"""Kinds of kernels, compiled and interpreted, against NumPy."""

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.numpy.llvm import compiler, runtime
from lazyxp.planning import clear_cache

pytestmark = pytest.mark.skipif(not compiler.is_available(), reason="kernels are interpreted here")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _fresh_plans():
    clear_cache()
    yield
    clear_cache()


@pytest.fixture
def compiled(monkeypatch):
    """How many kernels ran as compiled code so far, in a list; fails the test where one was interpreted instead."""
    runs = []
    run = runtime.Runner.run

    def counted(self, inputs):
        found = run(self, inputs)
        assert found is not None, f"{self._kernel} is not compiled"
        runs.append(self._kernel)
        return found

    monkeypatch.setattr(runtime.Runner, "run", counted)
    return runs


def results(function, *arrays, kernels="always"):
    """What `function` gives for lazy arrays of this data, as a list."""
    with xp.set_options(kernels=kernels):
        found = function(xp, *[xp.asarray(a, copy=False) for a in arrays])
        return xp.compute(*(found if isinstance(found, tuple) else (found,)))


def check(compiled, function, *arrays, rtol=0.0, atol=0.0):
    """Compiled and interpreted kernels give what NumPy gives."""
    got = results(function, *arrays)
    assert compiled
    interpreted = results(function, *arrays, kernels="interpreted")
    expected = function(np, *arrays)
    for a, b, c in zip(got, interpreted, expected if isinstance(expected, tuple) else (expected,), strict=True):
        assert a.dtype == b.dtype == c.dtype
        assert a.shape == b.shape == c.shape
        np.testing.assert_allclose(a, c, rtol=rtol, atol=atol)
        np.testing.assert_allclose(b, c, rtol=rtol, atol=atol)


def data(shape, dtype="float64"):
    return (RNG.random(shape) * 100 - 30).astype(dtype)


# --- tiles -----------------------------------------------------------------------------------------------------------

DTYPES = ["bool", "int8", "uint16", "int32", "float32", "float64", "complex64", "complex128"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_operands_that_lie_across_each_other(compiled, dtype):
    for shape in ((300, 301), (257, 512), (129, 1_000), (2_000, 131)):
        x, y = data(shape, dtype), data(shape[::-1], dtype)
        check(compiled, lambda xp, x, y: (xp.where(x == y.T, x, y.T), x != y.T), x, y)


def test_tiles_among_other_loops(compiled):
    x = data((70, 140, 30))
    for axes in ((2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1), (1, 0, 2)):
        y = data([(70, 140, 30)[axes.index(i)] for i in range(3)])
        check(compiled, lambda xp, x, y, axes=axes: x * 2 - xp.permute_dims(y, axes), x, y)


def test_tiles_of_parts_and_of_several_operands(compiled):
    x, y, z = data((400, 500)), data((500, 400), "float32"), data((1_000, 800), "int8")[::2, 1::2]
    check(compiled, lambda xp, x, y, z: (x + y.T) * z.T + x[::-1, :], x, y, z, rtol=1e-12, atol=1e-12)
    check(compiled, lambda xp, x, y, z: (x[:, 1:] + y.T[:, :-1] - z.T[:, ::-1][:, 1:], x[:, 1:] * 2), x, y, z)
    check(compiled, lambda xp, x, y, z: x * y.T[:, :1] + y.T - z[:1, :].T, x, y, z, rtol=1e-12, atol=1e-12)


def test_results_past_the_cache_in_tiles(compiled):
    for columns in (1_504, 1_501):
        x, y = data((1_500, columns)), data((columns, 1_500))
        check(compiled, lambda xp, x, y: (x + y.T) * x, x, y)
        check(compiled, lambda xp, x, y: (x + y.T, x - y.T), x, y)


# --- narrow rows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "float32", "float64", "complex128"])
@pytest.mark.parametrize("width", [2, 3, 7, 8, 15])
def test_rows_that_are_shorter_than_vectors(compiled, dtype, width):
    for length in (5, 1_000, 40_001):
        x, m = data((length, width), dtype), data(width, dtype)
        check(compiled, lambda xp, x, m: ((x - m) * m, x == m), x, m)
        check(compiled, lambda xp, x, m: (x - m)[::-1, 1:] * 2, x, m)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("length", [7, 1_000, 100_003])
def test_reductions_of_narrow_rows(compiled, axis, length):
    x, m = data((length, 3)), data(3)
    for name in ("sum", "max", "mean", "std", "any"):
        check(compiled, lambda xp, x, m, name=name: getattr(xp, name)((x - m) * m, axis=axis), x, m, rtol=1e-11)


# --- several whole axes ----------------------------------------------------------------------------------------------

NESTED = {
    "planes": lambda xp, x: x / xp.sum(x, axis=(-2, -1), keepdims=True),
    "rows in planes": lambda xp, x: (
        lambda z: z - xp.sum(z / xp.max(abs(z), axis=-1, keepdims=True), axis=(-2, -1), keepdims=True)
    )(x + 1),
    "exponentials of rows in planes": lambda xp, x: (
        lambda e: e / xp.sum(e, axis=(-2, -1), keepdims=True) + xp.max(e, axis=-1, keepdims=True)
    )(xp.exp(x / 100 - xp.max(x, axis=-1, keepdims=True) / 100)),
    "rows, planes and blocks": lambda xp, x: (
        lambda y: (
            lambda z: (
                z,
                xp.mean(z),
                xp.sum(z * y, axis=(1, 2, 3)),
                xp.argmax(z * y, axis=3),
                xp.any(z > 50, axis=(2, 3)),
            )
        )(y - xp.std(y, axis=(-2, -1), keepdims=True))
    )(x - xp.mean(x, axis=-1, keepdims=True)),
    "extremes of sums": lambda xp, x: x - xp.max(xp.sum(x, axis=-1, keepdims=True), axis=(-3, -2), keepdims=True),
    "truth": lambda xp, x: xp.all(x >= xp.min(x, axis=-1, keepdims=True), axis=(-2, -1), keepdims=True) != (x > 0),
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 3, 1, 2)])
@pytest.mark.parametrize("shape", [(3, 2, 4, 5), (1_500, 3, 9, 17), (2, 2, 33, 130)])
def test_reductions_along_several_whole_axes(compiled, name, order, shape):
    x = np.ascontiguousarray(data(shape).transpose(order)).transpose(np.argsort(order))
    check(compiled, NESTED[name], x, rtol=1e-10, atol=1e-9)


# --- cumulative sums and products ------------------------------------------------------------------------------------

SCANS = {
    "between": lambda xp, x: xp.cumulative_sum(x * 2, axis=-1) - 1,
    "products": lambda xp, x: xp.cumulative_prod(x + 1, axis=-1) * x,
    "several": lambda xp, x: (
        lambda c: (c, xp.cumulative_sum(c * c, axis=1), xp.max(c, axis=1), c - xp.min(c, axis=1, keepdims=True))
    )(xp.cumulative_sum(x - 3, axis=1)),
    "of a cast": lambda xp, x: xp.cumulative_sum(x + x, axis=1, dtype=xp.complex128) * 2,
    "of one element": lambda xp, x: xp.cumulative_sum(xp.broadcast_to(x[:, :1] * 2, x.shape), axis=1) + x,
}


@pytest.mark.parametrize("name", SCANS)
@pytest.mark.parametrize("dtype", ["int8", "uint32", "float32", "float64"])
def test_scans_add_up_in_numpys_order(compiled, name, dtype):
    for shape in ((3, 2), (5, 41), (900, 300)):
        x = data(shape, dtype)
        x[0, 0] = 0  # below, its sign is kept
        for operand in (x, -x, np.asfortranarray(x), x[::-1, ::-1]):
            check(compiled, SCANS[name], operand)
        assert all("cumulative" in repr(kernel) for kernel in compiled)
        compiled.clear()


def test_scans_of_zeros_and_of_what_is_not_finite(compiled):
    x = np.array([[-0.0, -0.0, 1.0, -1.0], [np.inf, 1.0, -np.inf, 2.0], [1.0, np.nan, 2.0, 3.0]])
    (got,) = results(lambda xp, x: xp.cumulative_sum(x * 1.0, axis=1) * 1.0, x)
    assert compiled
    np.testing.assert_array_equal(got, np.cumsum(x, axis=1))
    np.testing.assert_array_equal(np.signbit(got[0]), np.signbit(np.cumsum(x[0])))


def test_scans_among_reductions(compiled):
    x = data((40, 7, 50))
    check(
        compiled,
        lambda xp, x: (lambda c: c / xp.sum(c * c, axis=(1, 2), keepdims=True))(
            xp.cumulative_sum(x / xp.max(x, axis=2, keepdims=True), axis=2)
        ),
        x,
        rtol=1e-11,
    )


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: xp.cumulative_sum(x * 2, axis=0) + 1,
        lambda xp, x: xp.cumulative_sum(x * 2, axis=1) + 1,
        lambda xp, x: xp.cumulative_sum(x * 2, axis=2, include_initial=True) + 1,
        lambda xp, x: x / xp.sum(xp.cumulative_sum(x[:, :, 0] * 2, axis=1)[:, :, None] * x, axis=2, keepdims=True),
        lambda xp, x: xp.cumulative_sum(xp.cumulative_sum(x * 2, axis=1) + 1, axis=2) * 3,
    ],
)
def test_scans_that_are_not_along_rows(function):
    x = data((20, 30, 40))
    for kernels in ("always", "interpreted"):
        np.testing.assert_allclose(results(function, x, kernels=kernels)[0], function(np, x), rtol=1e-12)
