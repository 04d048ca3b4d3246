"""Reductions in compiled kernels: along any axes, in one piece or many, alone or between other ops."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lazyxp as xp
from tests.differential.compare import same_kind
from tests.differential.strategies import pool
from tests.executors.kernel_checks import close, compiled, interpreted, kernels_of, outside, plain, same_bits, shared

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::numpy.exceptions.ComplexWarning")

REDUCTIONS = ("sum", "prod", "max", "min", "any", "all", "count_nonzero", "mean", "var", "std")
ROUNDED = ("sum", "prod", "mean", "var", "std")


def slow(*values):
    """Parameters that are left out where time is short."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


DTYPES = ["float64", "float32", "int8", "bool", "complex64", *slow("uint16", "int64", "complex128")]


def sample(shape, dtype, seed=0):
    """Numbers whose products stay in range."""
    rng = np.random.default_rng(seed)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return rng.uniform(-1.5, 1.5, shape).astype(dtype)
    if dtype.kind == "c":
        return (rng.uniform(-1.5, 1.5, shape) + 1j * rng.uniform(-1.5, 1.5, shape)).astype(dtype)
    low = 0 if dtype.kind in "bu" else -4
    return rng.integers(low, 2 if dtype.kind == "b" else 9, shape).astype(dtype)


def possible(dtype):
    """The reductions that the standard has for a dtype, and those that NumPy adds to them."""
    kind = np.dtype(dtype).kind
    return [
        name
        for name in REDUCTIONS
        if not (name in ("max", "min") and kind == "c") and not (name in ("mean", "var", "std") and kind not in "fc")
    ]


def reduced(x, axis, dtype, keepdims):
    """Each reduction of `x`, and what it is called."""
    return {name: getattr(xp, name)(x, axis=axis, keepdims=keepdims) for name in possible(dtype)}


def exact(name, x, axis, like):
    """What a reduction gives in a longer format, as an array of the shape and dtype of `like`; NumPy's own is crude."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(axis) % x.ndim)
    kept = [i for i in range(x.ndim) if i not in axes]
    wide = np.clongdouble if x.dtype.kind == "c" else np.longdouble
    rows = x.transpose([*kept, *axes]).reshape(like.size, -1).astype(wide)
    if name == "mean" and x.dtype.kind == "c":  # NaN in one part of a complex number leaves the other alone
        result = np.empty(like.size, wide)
        result.real, result.imag = rows.real.mean(axis=1), rows.imag.mean(axis=1)
    else:
        result = getattr(np, name)(rows, axis=1)
    return result.astype(like.dtype).reshape(like.shape)


def compare(outputs, x, axis):
    """Compare compiled code with NumPy: the same bits, or within what rounding explains."""
    size = np.max(np.abs(x.astype(np.clongdouble)[np.isfinite(x)]), initial=1)
    count = x.size if axis is None else math.prod(np.shape(x)[a] for a in np.atleast_1d(axis))
    for name, got, want in zip(outputs, compiled(*outputs.values()), plain(*outputs.values()), strict=True):
        if name in ROUNDED and want.dtype.kind in "fc":
            terms = {"sum": size * math.sqrt(count), "prod": 0.0, "var": size**2, "std": size}.get(name, size)
            same_kind(got, want)
            close(got, exact(name, x, axis, want), 256 + count * (name == "prod"), (name, axis, x.shape), float(terms))
        else:
            same_bits(got, want, (name, axis, x.shape), zeros=False)


def subsets(ndim):
    """None, and every set of axes."""
    return [None, *itertools.chain(*[itertools.combinations(range(ndim), n) for n in range(1, ndim + 1)])]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(9,), (257,), (5, 19), (4, 5, 9), (3, 2, 4, 5), (1, 7, 1)])
def test_along_any_axes(shape, dtype):
    x = sample(shape, dtype)
    for i, axis in enumerate(subsets(len(shape))):
        outputs = reduced(shared(x), axis, dtype, keepdims=bool(i % 2))
        assert not outside(*outputs.values()) - {"prod"} or 1 in shape
        compare(outputs, x, axis)


# Cut along what is kept, along what is reduced, and both.
LARGE = [(70_001,), (301, 300), (3, 40_000), (40_000, 3), (9_000, 12), (50, 40, 60), (2, 40_000, 2)]


@pytest.mark.parametrize("dtype", ["float64", "int8", "complex64", *slow("float32", "bool")])
@pytest.mark.parametrize("shape", LARGE)
def test_in_several_pieces(shape, dtype):
    x = sample(shape, dtype)
    if np.dtype(dtype).kind in "fc":
        x = (x / np.abs(x)).astype(dtype)  # products stay in range
    for i, axis in enumerate(subsets(len(shape))):
        compare(reduced(shared(x), axis, dtype, keepdims=bool(i % 2)), x, axis)


LAYOUTS = {
    "F": np.asfortranarray,
    "backwards": lambda x: np.flip(np.flip(x).copy()),
    "every second": lambda x: np.repeat(np.repeat(x, 2, 0), 3, 1)[::2, ::3],
    "one row": lambda x: np.broadcast_to(x[0], x.shape),
    "one column": lambda x: np.broadcast_to(x[:, :1], x.shape),
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "unaligned": lambda x: np.frombuffer(b"?" + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
}


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex64", "int16", "bool"])
@pytest.mark.parametrize("length", [5, 8, 16, 19, 32, 67, 1_100])
def test_rows_added_up_are_each_added_once(length, dtype):
    for rows in (1, 2, 3, 4, 5, 7, 8, 70_000 // length + 3, 150_000 // length + 1):
        x = np.arange(rows * length).reshape(rows, length) % 7 - 2
        x = x.astype(dtype)  # small integers: sums are exact, whatever their order
        a = xp.asarray(x)
        found = {"sum": xp.sum(a, axis=0), "all": xp.all(a, axis=0), "count_nonzero": xp.count_nonzero(a, axis=0)}
        if x.dtype.kind != "c":
            found |= {"max": xp.max(a, axis=0), "min": xp.min(2 * a[::-1], axis=0)}
        for name, got in zip(found, compiled(*found.values()), strict=True):
            want = np.min(2 * x, axis=0) if name == "min" else getattr(np, name)(x, axis=0)
            same_bits(got, want)
            same_bits(compiled(found[name])[0], want)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", *slow("int16", "complex64")])
@pytest.mark.parametrize("shape", [(7, 37), (420, 163)])
def test_layouts(shape, dtype, layout):
    x = LAYOUTS[layout](sample(shape, dtype))
    names = [name for name in possible(dtype) if name != "prod"]
    for axis in (None, 0, 1):
        compare({name: getattr(xp, name)(shared(x), axis=axis) for name in names}, x, axis)


def test_sums_between_other_ops():
    """Ops before and after reductions, several reductions of one array, reductions of what was reduced."""
    for shape in ((6, 35), (300, 257), (3, 30_000), (30_000, 3)):
        x, y = sample(shape, "float64"), sample(shape, "float64", 1)
        X, Y = shared(x), shared(y)
        outputs = {}
        for axis in (None, 0, 1, (0, 1)):
            outputs[axis] = (
                xp.sqrt(xp.sum(X * Y + 1, axis=axis) ** 2 + 1),
                xp.max(xp.abs(X - Y), axis=axis) - xp.min(X + Y, axis=axis),
                xp.mean(xp.where(X > Y, X, Y), axis=axis) / xp.std(X, axis=axis),
                xp.sum(X, axis=axis),
                xp.var(X * 2 + Y, axis=axis),
                xp.count_nonzero(X > Y, axis=axis) + xp.sum(xp.astype(X < Y, xp.int64), axis=axis),
                X * 2 + Y,
            )
        nested = (
            xp.sum(xp.max(X, axis=1) * 2),
            xp.max(xp.sum(X * Y, axis=0)) + xp.sum(Y),
            xp.mean(xp.std(X, axis=1)),
            xp.sum(xp.exp(X) - xp.max(xp.exp(X), axis=1, keepdims=True), axis=0),
        )
        outputs = [*itertools.chain(*outputs.values()), *nested]
        for got, want in zip(compiled(*outputs), plain(*outputs), strict=True):
            close(got, want, 256, shape, math.sqrt(x.size) if want.ndim == 0 else math.sqrt(x.size / want.size))


def softmax(x, axis):
    e = xp.exp(x - xp.max(x, axis=axis, keepdims=True))
    return e / xp.sum(e, axis=axis, keepdims=True)


def logsumexp(x, axis):
    most = xp.max(x, axis=axis, keepdims=True)
    return xp.squeeze(most, axis=axis) + xp.log(xp.sum(xp.exp(x - most), axis=axis))


def standardized(x, axis=None):
    return (x - xp.mean(x, axis=axis, keepdims=True)) / xp.std(x, axis=axis, keepdims=True)


def normalized(x, axis):
    return x / xp.sqrt(xp.sum(x * x, axis=axis, keepdims=True))


def positions(x, axis):
    return xp.argmax(x * 2, axis=axis) - xp.argmin(x + 1, axis=axis)


def ranged(x, axis):
    low, high = xp.min(x, axis=axis, keepdims=True), xp.max(x, axis=axis, keepdims=True)
    return (x - low) / (high - low)


ROWS = (softmax, logsumexp, standardized, normalized, positions, ranged)


@pytest.mark.parametrize("function", ROWS)
@pytest.mark.parametrize("shape", [(8, 30), (4, 5, 33), (500, 200), (3, 30_000), (70, 20, 60)])
def test_rows_that_are_read_again(shape, function):
    for dtype, order in (("float64", "C"), ("float32", "C"), ("float64", "F")):
        x = np.array(sample(shape, dtype), order=order)
        for axis in range(-1, len(shape) - 1):
            result = function(shared(x), axis)
            assert kernels_of(result)
            (got,), (want,) = compiled(result), plain(result)
            if function is positions:
                same_bits(got, want)
            else:
                close(got, want, 64, (function, axis, shape), 1.0)


@pytest.mark.parametrize("axis", [(0, 1), (1, 2), (0, 2)])
def test_rows_along_two_axes(axis):
    x = sample((6, 7, 35), "float64")
    for function in (softmax, standardized, normalized, ranged):
        (got,), (want,) = compiled(function(shared(x), axis)), plain(function(shared(x), axis))
        close(got, want, 64, (function, axis), 1.0)


@pytest.mark.parametrize("shape", [(6,), (2, 3), (4, 6)])
def test_corrections(shape):
    """NaN where nothing is left to divide by."""
    x = shared(sample(shape, "float64"))
    for name, axis, correction in itertools.product(("var", "std"), (None, -1), (0, 1, 2.5, 3, 5, 6, 7, 24)):
        result = getattr(xp, name)(x, axis=axis, correction=correction)
        (got,), (want,) = compiled(result * 1.5), plain(result * 1.5)
        close(got, want, 16, (name, axis, correction))


# --- special values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "complex128", *slow("float32")])
@pytest.mark.parametrize("shape", [(40, 13), (1_300, 70), *slow((13, 40), (70, 1_300))])
def test_nan_and_infinities(shape, dtype):
    """They spread over their own results only, wherever they are."""
    rng = np.random.default_rng(5)
    x = sample(shape, dtype)
    wild = [np.nan, np.inf, -np.inf]
    for i in range(0, shape[0], 6):
        x[i, rng.integers(shape[1])] = wild[i // 6 % 3]
    x[-1, :3] = np.inf, -np.inf, 1
    x[1, -1] = -np.inf
    if dtype == "complex128":
        x[2, 3] = complex(1, np.nan)
        x[3, 4] = complex(-np.inf, 2)
    for axis in (None, 0, 1):
        for part in (x, x[:, ::-1], np.asfortranarray(x)):
            # An infinity times another number is NaN or not, which hangs on the order of the factors.
            names = [
                name for name in possible(dtype) if name != "prod" and not (name in ("var", "std") and axis is None)
            ]
            outputs = {name: getattr(xp, name)(shared(part), axis=axis) for name in names}
            compare(outputs, part, axis)


def test_an_infinite_sum_is_no_nan():
    """What is lost by rounding is not added to an infinity."""
    for dtype in ("float64", "float32"):
        most = np.finfo(dtype).max
        for n in (300, 5_000, 100_000):
            x = np.full(n, most)
            for value, want in ((x, np.inf), (-x, -np.inf)):
                assert compiled(xp.sum(shared(value.astype(dtype)) * 1.5))[0] == want


@pytest.mark.parametrize("name", ["max", "min", "argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "uint64", "bool"])
def test_extremes(name, dtype):
    """NaN wins, the first of equal ones counts, and no number is lost among the limits of a dtype."""
    dtype = np.dtype(dtype)
    values = pool(dtype, "any")
    rng = np.random.default_rng(6)
    for shape in ((1,), (8, 5), (5, 67), (40, 300)):
        for among in (values, values[~np.isnan(values)] if dtype.kind == "f" else values, values[:3]):
            x = rng.choice(among, shape)
            for axis in range(-1, len(shape) - 1):
                result = getattr(xp, name)(shared(x), axis=axis)
                (got,), (want,) = compiled(result), plain(result)
                same_bits(got, want, (name, shape, axis), zeros=False)
        for value in (values.min(), values.max()) if dtype.kind != "f" else (np.inf, -np.inf):
            x = np.full(shape, value, dtype)
            for axis in range(-1, len(shape) - 1):
                result = getattr(xp, name)(shared(x), axis=axis)
                same_bits(compiled(result)[0], plain(result)[0])


@pytest.mark.parametrize("dtype", ["float64", "float32", "int8", "uint64", "complex64"])
@pytest.mark.parametrize("points", [1, 3, 8, 21, 47, 100])
def test_reductions_of_reduced_rows(points, dtype):
    """Several vectors of points are reduced at once, and then fewer: nearest centres, and the like."""
    rng = np.random.default_rng(points)
    dtype = np.dtype(dtype)
    values = pool(np.dtype("float32") if dtype.kind == "c" else dtype, "any")
    for width, among in itertools.product((1, 5, 24), (np.arange(4), values, np.full(1, values.max()))):
        x, c = (shared(rng.choice(among, (n, width)).astype(dtype)) for n in (60, points))
        away = x[:, None, :] - c[None]
        for apart in (xp.abs(away), xp.real(away * away) if dtype.kind == "c" else away * away):
            found = (xp.max(apart, axis=-1), xp.min(apart, axis=-1)) if among is values else (xp.sum(apart, axis=-1),)
            exact = ("argmin", "argmax", "max", "min")
            for each, name in itertools.product(found, exact if among is values else (*exact, "sum", "mean", "std")):
                each = each if name in exact or each.dtype.kind == "f" else xp.astype(each, xp.float64)
                result = getattr(xp, name)(each, axis=1)
                got, want = compiled(result)[0], plain(result)[0]
                if name in exact:
                    same_bits(got, want, (name, width), zeros=False)
                else:
                    close(got, want, 16, (name, width), 100.0)


def test_extremes_of_all_elements():
    """Along several loops: what lies in memory in another order, or is read from a smaller array."""
    values = np.array([np.inf, np.inf, np.nan, 1.0, -np.inf, -np.inf])
    for some, shape in itertools.product(range(1, 7), ((7, 9), (3, 40), (40, 70))):
        x = np.random.default_rng(some).choice(values[:some], shape)
        row = x[:1]
        for X in (shared(x) * 1.0, shared(x.T) * 1.0, shared(x) + shared(row), shared(x.T) + shared(row.T)):
            for name in ("argmin", "argmax"):
                result = getattr(xp, name)(X)
                same_bits(compiled(result)[0], plain(result)[0], (name, some))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64", "uint64", "bool"])
@pytest.mark.parametrize("shape", [(31, 7), (900, 90)])
def test_integers_wrap(shape, dtype):
    rng = np.random.default_rng(2)
    dtype = np.dtype(dtype)
    x = (
        rng.integers(0, 2, shape).astype(bool)
        if dtype.kind == "b"
        else rng.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    )
    X = shared(x)
    for axis in (None, 0, 1):
        outputs = [
            xp.sum(X, axis=axis),
            xp.sum(X, axis=axis, dtype=xp.int8),
            xp.sum(X, axis=axis, dtype=xp.uint16),
            xp.prod(X | True, axis=axis),
            xp.prod(X, axis=axis, dtype=xp.int8),
            xp.sum(X * X, axis=axis),
            xp.sum(X, axis=axis, dtype=xp.complex64),
        ]
        for got, want in zip(compiled(*outputs), plain(*outputs), strict=True):
            close(got, want, 64, size=len(x) ** 0.5 * (1.0 if dtype.kind == "b" else float(np.iinfo(dtype).max)))


def test_empty_axes_are_kept():
    for shape, axis in (((0, 3), 1), ((3, 0), 0), ((2, 0, 3), 0), ((2, 0, 3), (0, 2))):
        x = shared(np.ones(shape))
        outputs = reduced(x * 2, axis, "float64", keepdims=False)
        for name, got in zip(outputs, compiled(*outputs.values()), strict=True):
            assert got.size == 0, name
            assert got.shape == tuple(np.sum(np.ones(shape), axis=axis).shape)
    for shape, axis in (((0,), 0), ((0, 3), 0), ((3, 0), 1), ((0, 0), None)):
        x = shared(np.ones(shape))
        outputs = [xp.sum(x * 2, axis=axis), xp.any(x > 2, axis=axis), xp.all(x > 2, axis=axis), xp.mean(x, axis=axis)]
        for got, want in zip(compiled(*outputs), plain(*outputs), strict=True):
            same_bits(got, want)


# --- accuracy ---------------------------------------------------------------------------------------------------------


def hard(kind, n, dtype):
    rng = np.random.default_rng(11)
    if kind == "shifted":
        x = rng.standard_normal(n) + 1e4
    elif kind == "cancelling":  # to nearly nothing beside its terms
        x = rng.standard_normal(n // 2) * 10.0 ** rng.uniform(0, 6, n // 2)
        x = rng.permutation(np.concatenate([x, -x * (1 + 1e-7)]))
    elif kind == "many sizes":
        x = rng.standard_normal(n) * 10.0 ** rng.uniform(-12, 12, n)
    else:  # the same number, whose errors have the same sign
        x = np.full(n, 0.1)
    return x.astype(dtype)


@pytest.mark.parametrize("kind", ["shifted", "cancelling", "many sizes", "constant"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(1_000_000,), (60_000,), (1_000, 1_000), (3_000, 20), (20, 3_000)])
def test_sums_are_as_accurate_as_numpys(shape, dtype, kind):
    x = hard(kind, math.prod(shape), dtype).reshape(shape)
    eps = float(np.finfo(dtype).eps)
    for axis in (None, 0, 1)[: 1 if x.ndim == 1 else 3]:
        X = shared(x)
        results = [*compiled(xp.sum(X, axis=axis), xp.mean(X, axis=axis)), np.asarray(np.sum(x, axis=axis))]
        lines = x.reshape(1, -1) if axis is None else np.moveaxis(x, axis, 1)
        some = range(0, len(lines), max(1, len(lines) // 20))
        exact = np.array([math.fsum(lines[i]) for i in some])
        terms = np.array([math.fsum(np.abs(lines[i])) for i in some])
        total, mean, numpys = (v.reshape(-1)[some].astype(np.float64) for v in results)
        # The rounding of each term and that of the result are lost in any case.
        bound = 2 * np.max(np.abs(numpys - exact)) + eps * np.abs(exact) + eps * terms
        assert np.all(np.abs(total - exact) <= bound)
        assert np.all(np.abs(mean * lines.shape[1] - exact) <= bound + eps * np.abs(exact))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n", [60_000, 250_000])
def test_errors_of_the_same_sign_do_not_add_up(n, dtype):
    """What is lost in a run of additions is as little as in NumPy's, and what runs lose beside each other is kept."""
    for value in np.random.default_rng(0).uniform(1, 2, 40):
        x = np.full(n, value, dtype)
        exact = float(Fraction(float(x[0])) * n)
        assert abs(float(compiled(xp.sum(shared(x)))[0]) - exact) <= 5.5 * np.spacing(x.dtype.type(exact))


@pytest.mark.parametrize("shift", [0.0, 1e6, -1e9])
@pytest.mark.parametrize("shape", [(700, 1_000), (20_000, 9)])
def test_variances_do_not_cancel(shape, shift):
    x = np.random.default_rng(5).normal(size=shape) + shift
    wide = x.astype(np.longdouble)
    for axis in (None, 0, 1):
        (got,) = compiled(xp.var(shared(x), axis=axis))
        error, other = (np.max(np.abs(v - np.var(wide, axis=axis))) for v in (got, np.var(x, axis=axis)))
        assert error <= 4 * other + 1e-14


@pytest.mark.parametrize(("start", "offset"), [(0.01, 1e9), (0.06, -1e9), (0.5, 1e7), (1e-5, 1e12)])
@pytest.mark.parametrize("axis", [None, 0])
def test_variances_of_data_that_starts_far_from_the_rest(start, offset, axis):
    """What a piece of work is seen from is the mean of its start."""
    x = np.random.default_rng(5).standard_normal((200_000, 3))
    for rows in np.split(x, 8):
        rows[: int(start * len(rows))] += offset
    wide = x.astype(np.longdouble)
    for name in ("var", "std"):
        (got,) = compiled(getattr(xp, name)(shared(x), axis=axis))
        want = getattr(np, name)(wide, axis=axis)
        assert np.all(np.abs(got - want) <= 64 * np.finfo(np.float64).eps * want), name


@pytest.mark.parametrize("run", [compiled, interpreted])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("shape", [(700, 1_000), (200_000, 3), (3, 200_000)])
def test_variances_beyond_the_largest_number_are_infinite(shape, dtype, run):
    """Infinities of both signs do not meet where parts are put together; NaN and infinite data stay NaN."""
    real = np.dtype(dtype).type(0).real.dtype
    x = (np.random.default_rng(5).standard_normal(shape) * np.sqrt(np.finfo(real).max) * real.type(1e3)).astype(dtype)
    some = x.copy()
    some[1, 2], some[2, 1] = np.nan, np.inf
    for data, axis, name in itertools.product((x, some), (None, 0, 1), ("var", "std")):
        (got,) = run(getattr(xp, name)(shared(data), axis=axis))
        np.testing.assert_array_equal(got, getattr(np, name)(data, axis=axis), f"{name} along {axis}")


@pytest.mark.parametrize("kernels", ["always", "interpreted"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(700, 1_000), (200_000, 3), (3, 200_000)])
def test_variances_whose_means_are_infinite(shape, dtype, kernels):
    """Of finite elements they are infinite, and NaN if an element is infinite: their sums do not tell which."""
    some = np.random.default_rng(6).random(shape).astype(dtype)
    x = some * np.finfo(dtype).max
    half = x.copy()
    half[: len(half) // 2] = 1
    some[1, 2] = np.inf
    for data, axis, name in itertools.product((x, -x, half, some), (None, 0, 1), ("var", "std")):
        with xp.set_options(kernels=kernels):
            got = getattr(xp, name)(shared(data), axis=axis).compute()
        want = getattr(np, name)(data, axis=axis)
        np.testing.assert_allclose(got, want, rtol=1e-4, err_msg=f"{name} along {axis}")


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e9 + 0.1, -7.3e-5])
@pytest.mark.parametrize("axis", [0, 1, None])
def test_constant_data_has_no_infinite_scores(value, axis):
    for shape in ((100_003, 3), (30, 40)):
        x = shared(np.full(shape, value))
        (score,) = compiled((x - xp.mean(x, axis=axis, keepdims=True)) / xp.std(x, axis=axis, keepdims=True))
        assert not np.isinf(score).any()
        assert np.all(compiled(xp.std(x, axis=axis))[0] < 1e-12 * max(1, abs(value)))


def test_the_interpreter_gives_the_same():
    """Two implementations of the same kernels."""
    x = sample((260, 300), "float64")
    X = shared(x)
    for axis in (None, 0, 1):
        outputs = [xp.sum(xp.exp(X) * 2, axis=axis), standardized(X, axis), xp.var(X - 1, axis=axis)]
        for got, want in zip(compiled(*outputs), interpreted(*outputs), strict=True):
            close(got, want, 64, axis, 1.0)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_products_begin_with_one(dtype):
    """1 times a complex infinity has a NaN in it, for rows of one element as well."""
    x = np.array([[complex(np.inf, 0)], [complex(0, np.inf)], [complex(np.inf, np.nan)], [2 - 3j]], dtype)
    for row in (x, np.concatenate([x, x], axis=1)):
        product = xp.prod(shared(row), axis=1)
        assert not outside(product)
        for got, want in zip(compiled(product, product * 2), (row.prod(1), row.prod(1) * 2), strict=True):
            same_bits(got, want, row.shape)
