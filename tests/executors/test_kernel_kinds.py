"""Kinds of kernels, compiled and interpreted, against NumPy."""

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.numpy.llvm import compiler, form, runtime, tiles
from lazyxp.optimizers import group
from lazyxp.planning import clear_cache
from tests.executors.kernel_checks import same_on_threads

pytestmark = pytest.mark.skipif(not compiler.is_available(), reason="kernels are interpreted here")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _fresh_plans_and_numbers():
    clear_cache()
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state  # the same, whichever tests run
    yield
    clear_cache()


@pytest.fixture
def compiled(monkeypatch):
    """How many kernels ran as compiled code so far, in a list; fails the test where one was interpreted instead."""
    runs = []
    run = runtime.Runner.run

    def counted(self, inputs, into=None):
        found = run(self, inputs, into)
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


ACROSS = {
    "between": lambda xp, x: xp.cumulative_sum(x * 2, axis=0) - 1,
    "products": lambda xp, x: xp.cumulative_prod(x + 1, axis=0) * x,
    "of a scan": lambda xp, x: xp.cumulative_sum(xp.cumulative_sum(x - 3, axis=0) * 2, axis=0) + x,
    "several": lambda xp, x: (
        lambda c: (c, c * x, xp.cumulative_prod(x - 3, axis=0) + c, xp.cumulative_sum(c - x, axis=0))
    )(xp.cumulative_sum(x + 1, axis=0)),
    "of a cast": lambda xp, x: xp.cumulative_sum(x + x, axis=0, dtype=xp.complex128) * 2,
    "what is the same in all rows": lambda xp, x: xp.cumulative_sum(xp.broadcast_to(x[:1] * 2, x.shape), axis=0) + x,
    "both ways": lambda xp, x: xp.cumulative_sum(xp.cumulative_sum(x * 2, axis=0) + 1, axis=1) * 3,
    "with sums of it": lambda xp, x: (lambda c: (c - xp.max(c), xp.min(c, axis=0), xp.max(c, axis=1)))(
        xp.cumulative_sum(x * 2, axis=0)
    ),
}


@pytest.mark.parametrize("name", ACROSS)
@pytest.mark.parametrize("dtype", ["int8", "uint32", "float32", "float64"])
def test_rows_are_added_up_in_numpys_order(compiled, name, dtype):
    for shape in ((2, 3), (41, 5), (300, 900), (70_000, 3), (2, 70_001)):
        if name == "both ways" and shape[1] > group.MOST_WHOLE:
            continue  # long rows are added up in groups: tests/executors/test_long_scans.py
        x = data(shape, dtype)
        x[0, 0] = 0  # below, its sign is kept
        for operand in (x, -x, np.asfortranarray(x), x[::-1, ::-1]):
            with np.errstate(all="ignore"):
                check(compiled, ACROSS[name], operand)
        assert any("cumulative" in repr(kernel) for kernel in compiled)
        compiled.clear()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_scans_along_each_axis(compiled, axis, dtype):
    for shape in ((20, 30, 40), (3, 200, 500), (1, 70, 2), (70, 1, 1)):
        x = data(shape, dtype)
        for operand in (x, np.moveaxis(x.copy(), 0, 1), x.T, np.broadcast_to(x[:, :1], shape)):
            if operand.shape[axis] > 1:
                check(compiled, lambda xp, x: xp.cumulative_sum(x + x, axis=axis) - 1, operand)


def test_rows_of_zeros_and_of_what_is_not_finite(compiled):
    x = np.array([[-0.0, -0.0, 0.0, 1.0], [-0.0, np.inf, -0.0, np.nan], [-0.0, -np.inf, -0.0, 1.0]])
    (got,) = results(lambda xp, x: xp.cumulative_sum(x * 1.0, axis=0) * 1.0, x)
    assert compiled
    np.testing.assert_array_equal(got, np.cumsum(x, axis=0))
    zeros = got == 0
    np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(np.cumsum(x, axis=0)[zeros]))
    for y in (x + x, np.array([[complex(1.5, np.inf), 2j], [1.5, complex(np.nan, -0.0)], [complex(-0.0, 1), 3.0]])):
        (got,) = results(lambda xp, x: xp.cumulative_prod(x, axis=0), y)
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(got, np.cumprod(y, axis=0))


def test_scans_across_rows_do_not_depend_on_threads(compiled):
    x = data((1_500, 2_000))
    same_on_threads(lambda: results(ACROSS["several"], x))
    assert compiled


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
        lambda xp, x: (lambda c: c - xp.mean(c, axis=2, keepdims=True))(xp.cumulative_sum(x * 2, axis=2).T),
    ],
)
def test_scans_that_are_not_along_rows(function, compiled):
    x = data((20, 30, 40))
    for kernels in ("always", "interpreted"):
        np.testing.assert_allclose(results(function, x, kernels=kernels)[0], function(np, x), rtol=1e-12, atol=1e-9)


# --- elements by their index -----------------------------------------------------------------------------------------


def indices(n, count, dtype="int64"):
    low = 0 if np.dtype(dtype).kind == "u" else -n
    return RNG.integers(low, n, count).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("index", ["int64", "int8", "uint16", "uint64"])
def test_elements_are_taken_in_kernels(compiled, dtype, index):
    for n, count in ((100, 37), (3, 70_001)):
        x, i, y = data(n, dtype), indices(n, count, index), data(count, dtype)
        check(compiled, lambda xp, x, i, y: (xp.take(x, i) == y, xp.where(y != x[i], x[i], y)), x, i, y)
    assert all("take" in repr(kernel) for kernel in compiled)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("shape", [(4, 5, 6), (30, 50, 70)])
def test_rows_and_columns_are_taken_in_kernels(compiled, axis, order, shape):
    x = np.ascontiguousarray(data(shape).transpose(order)).transpose(np.argsort(order))
    i = indices(shape[axis], 1 + shape[axis] * 2)
    other = list(shape)
    other[axis] = len(i)
    y = data(other)

    def function(xp, x, i, y):
        taken = xp.take(x, i, axis=axis)
        return taken * y, xp.sum(abs(taken) + 1, axis=axis), xp.max(taken - y, axis=2), taken.T * 2

    check(compiled, function, x, i, y, rtol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rows_are_taken_across_others(compiled, axis):
    x, y = data((40, 50, 60)), data((60, 50, 40)).T
    i = indices(x.shape[axis], x.shape[axis])
    for z in (x, y):
        check(compiled, lambda xp, x, y, z, i: xp.take(z, i, axis=axis) * 2 + y - x, x, y, z, i, rtol=1e-12, atol=1e-12)


def test_what_is_indexed_may_be_read_in_other_ways(compiled):
    x, i = data((300, 40)), indices(300, 300)
    check(compiled, lambda xp, x, i: (x[i] * 2 - x, x[i, :] - xp.take(x, i[::-1] - 1, axis=0)), x, i % 300)
    check(compiled, lambda xp, x, i: (x * 2)[i] + xp.take(x + 1, i, axis=0), x, i)
    square = data((70, 70))
    check(compiled, lambda xp, x, i: xp.take(x, i, axis=1) / xp.max(x, axis=1, keepdims=True), square, indices(70, 70))
    check(compiled, lambda xp, x, i: xp.take(x.T, i, axis=0) * x.T + 1, square, indices(70, 70), rtol=1e-12)


def test_indices_may_be_computed(compiled):
    x, labels, centers = data((5_000, 9)), indices(7, 5_000), data((7, 9))
    distance = lambda xp, x, k, c: xp.sum((x - c[k]) ** 2, axis=1)
    check(compiled, distance, x, labels, centers, rtol=1e-12)
    check(compiled, lambda xp, x, k, c: xp.take(c, (k * 3 + 1) % 7, axis=0) * 2, x, labels, centers)
    nearest = lambda xp, x, k, c: x - c[xp.argmin(xp.sum((x[:, None, :] - c) ** 2, axis=2), axis=1)]
    check(compiled, nearest, x, labels, centers)
    table = lambda xp, k, t: xp.cumulative_sum(t[k] * 2, axis=0) + t[t[k]]
    check(compiled, table, labels, np.arange(7)[::-1].copy())


def test_rows_are_normalized_as_they_are_taken(compiled):
    x, i = data((300, 40)), indices(300, 1_000)

    def function(xp, x, i):
        taken = xp.exp(xp.take(x, i, axis=0) / 100)
        return taken / xp.sum(taken, axis=1, keepdims=True), xp.take(x, i, axis=0) - xp.max(x[i], axis=1)[:, None]

    check(compiled, function, x, i, rtol=1e-12)


@pytest.mark.parametrize("kernels", ["always", "interpreted", "never"])
@pytest.mark.parametrize(("count", "place"), [(5, 2), (200_000, 199_999), (200_000, 70_000)])
@pytest.mark.parametrize("wrong", [10, -11, 2**62, -(2**63)])
def test_indices_out_of_bounds_are_errors(kernels, count, place, wrong):
    i = np.zeros(count, np.int64)
    i[place] = wrong
    with pytest.raises(IndexError, match=f"index {wrong} is out of bounds for axis 0 with size 10") as caught:
        results(lambda xp, x, i: xp.take(x * 1, i) * 2 + 1, data(10), i, kernels=kernels)
    (note,) = caught.value.__notes__
    assert "ran take on float64[10] and" in note
    assert "test_kernel_kinds.py" in note


def test_a_jitted_function_refuses_indices_out_of_bounds_each_time():
    take = xp.jit(lambda x, i: xp.take(x, i) * 2)
    x = xp.asarray(np.arange(10.0))
    for _ in range(3):
        np.testing.assert_array_equal(np.asarray(take(x, xp.asarray(np.array([1, -1])))), [2.0, 18.0])
        with pytest.raises(IndexError, match="index 30 is out of bounds"):
            np.asarray(take(x, xp.asarray(np.array([1, 30]))))


# --- all of them together --------------------------------------------------------------------------------------------


def random_step(xp, rng, x, y):
    """A value computed from `x`, and perhaps from `y` of the same shape."""
    axis, last = int(rng.integers(x.ndim)), x.ndim - 1
    index = rng.integers(-x.shape[axis], x.shape[axis], 2 + rng.integers(2 * x.shape[axis]))
    order = tuple(int(i) for i in rng.permutation(x.ndim))
    steps = [
        lambda: x - y * 2,
        lambda: xp.where(x > y, x, y) * 0.5,
        lambda: xp.permute_dims(x, order),
        lambda: xp.permute_dims(x, order) + 1,
        lambda: xp.max(x, axis=axis, keepdims=True),
        lambda: xp.cumulative_sum(x * 0.5, axis=last),
        lambda: xp.take(x, xp.asarray(index), axis=axis),
        lambda: x - xp.mean(x, axis=last, keepdims=True),
        lambda: x / (xp.max(abs(x), axis=(last - 1, last), keepdims=True) + 1),
        lambda: xp.flip(abs(x), axis=axis),
    ]
    return steps[rng.integers(len(steps))]()


def random_values(xp, leaves, seed):
    """Some values computed from arrays, the same for each seed."""
    rng = np.random.default_rng(seed)
    values = list(leaves)
    for _ in range(rng.integers(3, 12)):
        x, y = (values[rng.integers(len(values))] for _ in range(2))
        values.append(random_step(xp, rng, x, y if x.shape == y.shape else x))
    return (*values[-3:], xp.sum(abs(values[-1])))


@pytest.mark.parametrize("seed", range(60))
def test_random_values(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    side = int(rng.choice([8, 16, 24]))
    monkeypatch.setattr(form, "TILE", side)
    monkeypatch.setattr(tiles, "TILE", side)
    monkeypatch.setattr(form, "_TILE_ROWS", 4)
    monkeypatch.setattr(form, "_SHORTEST", 64)
    monkeypatch.setattr(form, "_PIECE", int(rng.choice([20, 300])))
    monkeypatch.setattr(form, "_STREAM", int(rng.choice([64, 1 << 24])))
    shape = tuple(int(n) for n in rng.integers(2, 30, rng.integers(2, 4)))
    orders = [rng.permutation(len(shape)) for _ in range(3)]
    arrays = [np.ascontiguousarray(data([shape[i] for i in order])).transpose(np.argsort(order)) for order in orders]
    expected = random_values(np, arrays, seed)
    got = results(lambda xp, *arrays: random_values(xp, arrays, seed), *arrays)
    for a, b in zip(got, expected, strict=True):
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * np.max(abs(b), initial=1))
