"""Elementwise ops in compiled kernels: NumPy's values for every op, dtype, special value, size and memory layout."""

from __future__ import annotations

import functools
import itertools

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lazyxp as xp
from lazyxp.executors.numpy.llvm import complex_functions, functions
from lazyxp.node import OPS
from lazyxp.testing.inputs import DTYPES
from tests.differential.strategies import pool
from tests.executors.kernel_checks import close, compiled, kernels_of, outside, plain, same_bits, shared

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::numpy.exceptions.ComplexWarning")

# Not functions of one or two arrays.
OTHERS = {"where", "clip", "complex"}
NAMES = [name for name, op in OPS.items() if op.kind == "elementwise" and name not in OTHERS]
# Complex numbers have no order: where NumPy has one, it runs these ops.
NOT_COMPLEX = {"less", "less_equal", "greater", "greater_equal", "maximum", "minimum"}
# The standard leaves open which of two equal zeros is the larger.
ANY_ZERO = {"maximum", "minimum"}
# Rounded more than once; every other result has the bits of NumPy's.
ULPS = {name: 4 for name in functions.NAMES}
COMPLEX_ULPS = {
    name: 8 for name in ("multiply", "divide", "square", "reciprocal", "abs", "sign", *complex_functions.NAMES)
}
# Where the result is nearly zero, that of 1: NumPy loses digits there as well.
LOSES_DIGITS = {"logaddexp"}
# The body of the loop in vectors, and what is left over.
SIZES = (1, 7, 8, 9, 63, 64, 65, 257)

by_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=str)


@functools.cache
def values(dtype, count=48):
    """NaN, infinities, zeros of both signs, subnormal numbers, extremes; and a few ordinary numbers."""
    found = pool(dtype, "any")
    bits = found.view(np.void).reshape(-1) if dtype.kind != "b" else found
    first = sorted(np.unique(bits, return_index=True)[1])
    return found[first[:count]]


@functools.cache
def pairs(dtype, other=None):
    """Each value with each."""
    x, y = np.meshgrid(values(dtype), values(other or dtype))
    return x.ravel(), y.ravel()


def recorded(name, arrays):
    """The call, or None where these dtypes are refused."""
    try:
        return getattr(xp, name)(*arrays)
    except TypeError:
        return None


def is_tried(name, dtype):
    return name != "pow" or dtype.kind in "fc"  # negative integer powers raise


def calls(dtype):
    """For each op that takes this dtype, a function of two arrays."""
    probe = xp.asarray(np.ones(2, dtype))
    for name in NAMES:
        if recorded(name, [probe]) is not None:
            yield name, lambda x, y, name=name: getattr(xp, name)(x)
        elif is_tried(name, dtype) and recorded(name, [probe, probe]) is not None:
            yield name, lambda x, y, name=name: getattr(xp, name)(x, y)


def check(name, dtype, got, want):
    """Compare what an op gave with what NumPy gives."""
    ulps = COMPLEX_ULPS.get(name, 0) if dtype.kind == "c" else ULPS.get(name, 0)
    if ulps and want.dtype.kind in "fc":
        close(got, want, ulps, name, size=float(name in LOSES_DIGITS))
    else:
        same_bits(got, want, name, zeros=name not in ANY_ZERO)


def with_code(dtype):
    """The ops of the standard that are found in kernels of this dtype."""
    here = {name for name in functions.NAMES if all(functions.available(name, e) for e in ("float", "double"))}
    with xp.set_options(strict=True):
        names = {name for name, _ in calls(dtype)}
    if dtype.kind != "c":
        return names - (set(functions.NAMES) - here)
    return names - NOT_COMPLEX - (set() if complex_functions.available() else complex_functions.NAMES)


def test_every_op_is_tried():
    tried = {name for dtype in DTYPES for name, _ in calls(dtype)}
    assert tried == set(NAMES)


@by_dtype
def test_values_of_every_op(dtype):
    """NumPy's values; and the same bits in vectors and in what is left over, from any place of the memory on."""
    x, y = pairs(dtype)
    names, functions_of = zip(*calls(dtype), strict=True)

    def outputs(first, last):
        return [function(shared(x[first:last]), shared(y[first:last])) for function in functions_of]

    whole = outputs(0, x.size)
    assert not outside(*whole) & with_code(dtype)
    results = compiled(*whole)
    for name, got, want in zip(names, results, plain(*whole), strict=True):
        check(name, dtype, got, want)
    for i, n in enumerate(SIZES):
        start = 191 * i % (x.size - n)
        for name, got, want in zip(names, compiled(*outputs(start, start + n)), results, strict=True):
            same_bits(got, want[start : start + n], (name, start, n))


@pytest.mark.slow
@by_dtype
def test_every_op_on_its_own(dtype):
    """In a kernel that does nothing else, and on single numbers."""
    x, y = pairs(dtype)
    for name, function in calls(dtype):
        (got,) = compiled(function(shared(x), shared(y)))
        (want,) = plain(function(shared(x), shared(y)))
        check(name, dtype, got, want)
        for i in range(0, x.size, 97):
            (one,) = compiled(function(shared(x[i : i + 1].reshape(())), shared(y)))
            (want,) = plain(function(shared(x[i : i + 1].reshape(())), shared(y)))
            check(name, dtype, one, want)


@by_dtype
def test_casts(dtype):
    x = values(dtype, 256)
    for target in DTYPES:
        source = x
        if dtype.kind in "fc" and target.kind in "iu":  # what is beyond the range is open
            limits = np.iinfo(target)
            real = x.real.astype(np.longdouble)
            source = x[(real > limits.min - 1) & (real < float(limits.max))]
        for size in (source.size, 1, 9):
            cast = xp.astype(shared(source[:size]), target)
            assert dtype == target or len(kernels_of(cast)) == 1
            same_bits(compiled(cast)[0], source[:size].astype(target), (target, size))


@by_dtype
def test_operands_of_two_dtypes(dtype):
    """Promotion, and comparisons of numbers that have no common dtype."""
    for other in DTYPES:
        x, y = shared(pairs(dtype, other)[0]), shared(pairs(dtype, other)[1])
        found = {}
        for name in ("add", "multiply", "divide", "floor_divide", "less", "greater_equal", "equal", "not_equal"):
            found[name] = recorded(name, [x, y])
        found["logical_xor"] = recorded("logical_xor", [x, y])
        found["where"] = recorded("where", [x > 0 if dtype.kind in "iuf" else x != 0, x, y])
        found = {name: value for name, value in found.items() if value is not None}
        for name, got, want in zip(found, compiled(*found.values()), plain(*found.values()), strict=True):
            result = np.result_type(dtype, other)
            check(name, result, got, want)


@by_dtype
def test_any_dtype_is_a_condition(dtype):
    x = values(dtype)
    y = np.arange(float(x.size))
    (got,) = compiled(xp.where(shared(x), shared(y), -1.5))
    same_bits(got, np.where(x.astype(bool), y, -1.5))


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind in "iu"], ids=str)
def test_shifts_to_the_last_bit_and_beyond(dtype):
    bits = 8 * dtype.itemsize
    counts = [
        0,
        1,
        bits - 1,
        bits,
        bits + 1,
        2 * bits - 1,
        2 * bits,
        *([-1, -bits, -bits - 1] if dtype.kind == "i" else []),
    ]
    limits = np.iinfo(dtype)
    x, count = (
        a.ravel() for a in np.meshgrid(*[np.array(v, dtype) for v in ([limits.min, limits.max, 1, 85], counts)])
    )
    for shift in (xp.bitwise_left_shift, xp.bitwise_right_shift):
        for n in (x.size, 3):
            result = shift(shared(x[:n]), shared(count[:n]))
            same_bits(compiled(result)[0], plain(result)[0], shift)
        for number in counts:
            result = shift(shared(x), xp.asarray(np.asarray(number, dtype)))
            same_bits(compiled(result)[0], plain(result)[0], (shift, number))


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind in "iuf"], ids=str)
def test_clip(dtype):
    x, low = pairs(dtype)
    high = np.roll(low, 1000)
    X, L, H = shared(x), shared(low), shared(high)
    outputs = [xp.clip(X, L, H), xp.clip(X, L), xp.clip(X, max=H), xp.clip(X, 0, 100), xp.clip(X, 3, 1)]
    assert not outside(*outputs)
    for got, want in zip(compiled(*outputs), plain(*outputs), strict=True):
        same_bits(got, want, zeros=False)


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d.kind != "b"], ids=str)
def test_scalars(dtype):
    """Python numbers, and 0-d arrays on either side."""
    x = values(dtype)
    X = shared(x)
    made = []
    with np.errstate(all="ignore"):
        for other in (2, 1, 0) if dtype.kind in "iu" else (2, 0.5, 0.0, -1.5, np.inf, np.nan):
            for zero_d in (other, xp.asarray(np.asarray(other, dtype))):
                made += [X + zero_d, zero_d - X, X * zero_d, zero_d == X]
                if dtype.kind in "iuf":
                    made += [X // zero_d, zero_d // X, X % zero_d, zero_d % X, zero_d < X]
                if dtype.kind == "f":
                    made += [X / zero_d, zero_d / X, X**zero_d, xp.atan2(zero_d, X)]
        for got, want in zip(compiled(*made), plain(*made), strict=True):
            close(got, want, 4)


# --- how operands lie in memory ---------------------------------------------------------------------------------------


def strided(rows, columns):
    """Elements that lie several rows and columns apart; negative steps go backwards."""

    def lay(x):
        held = np.full((x.shape[0] * abs(rows), x.shape[1] * abs(columns)), 77).astype(x.dtype)
        view = held[::rows, ::columns]
        view[...] = x
        return view

    return lay


def offset(x):
    held = np.full((x.shape[0] + 5, x.shape[1] + 7), 77).astype(x.dtype)
    held[3:-2, 5:-2] = x
    return held[3:-2, 5:-2]


def unaligned(x):
    return np.frombuffer(b"?" + x.tobytes(), x.dtype, offset=1).reshape(x.shape)


def unaligned_columns(x):
    record = np.zeros(x.shape, [("before", "u1"), ("x", x.dtype)])
    record["x"] = x
    return record["x"]


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


LAYOUTS = {
    "C": np.array,
    "F": np.asfortranarray,
    "rows backwards": strided(-1, 1),
    "columns backwards": strided(1, -1),
    "backwards": strided(-1, -1),
    "F backwards": lambda x: strided(-1, -1)(x.T).T,
    "every second column": strided(1, 2),
    "every third column": strided(1, 3),
    "every second row": strided(2, 1),
    "every third row and second column": strided(3, -2),
    "transposed, every second": lambda x: strided(2, 2)(x.T).T,
    "offset": offset,
    "unaligned": unaligned,
    "unaligned columns": unaligned_columns,
    "read-only": read_only,
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "one row": lambda x: np.broadcast_to(x[0].copy(), x.shape),
    "one column": lambda x: np.broadcast_to(x[:, :1].copy(), x.shape),
    "one element": lambda x: np.broadcast_to(x[0, 0].copy(), x.shape),
    "overlapping": lambda x: np.lib.stride_tricks.sliding_window_view(
        np.resize(x, x.shape[0] + x.shape[1] - 1), x.shape[1]
    ),
}


def expressions(x, y):
    """Ops whose results are the same bits everywhere; several sizes of elements together."""
    return x + y, xp.where(x != y, x, y - x), xp.astype(x == y, xp.int8), xp.negative(x)


def sample(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 9, shape)
    return np.asarray(x + 1j * rng.integers(0, 9, shape) if dtype.kind == "c" else x).astype(dtype)


def check_layouts(x, y):
    """Compare results on arrays that lie in memory in some way with those of NumPy."""
    outputs = expressions(shared(x), shared(y))
    native = [shared(np.array(a, a.dtype.newbyteorder("="))) for a in (x, y)]
    for got, want in zip(compiled(*outputs), plain(*expressions(*native)), strict=True):
        same_bits(got, want, (x.strides, y.strides, x.shape, y.shape))


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "int16", "complex64"])
def test_layouts(name, dtype):
    dtype = np.dtype(dtype)
    lay = LAYOUTS[name]
    x, y = sample((7, 37), dtype), sample((7, 37), dtype, 1)
    check_layouts(lay(x), lay(y))
    check_layouts(lay(x), y)
    check_layouts(np.asfortranarray(x), lay(y))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES[1:], ids=str)
def test_pairs_of_layouts(dtype):
    for shape in ((7, 37), (1, 37), (37, 1), (33, 3), (1, 1)):
        x, y = sample(shape, dtype), sample(shape, dtype, 1)
        for one, other in itertools.product(LAYOUTS.values(), repeat=2):
            check_layouts(one(x), other(y))


@pytest.mark.parametrize("dtype", ["float32", "uint8", "complex128"])
def test_broadcast_operands(dtype):
    dtype = np.dtype(dtype)
    shapes = [((5, 19), (19,)), ((5, 19), (5, 1)), ((5, 19), ()), ((19,), (5, 1)), ((1, 1), (5, 19)), ((), ())]
    shapes += [
        ((3, 1, 9), (4, 1)),
        ((1, 4, 9), (3, 1, 1)),
        ((2, 1, 4, 1), (3, 1, 9)),
        ((1,), (1, 1, 1)),
        ((3, 1, 1), (1, 9)),
    ]
    for one, other in shapes:
        check_layouts(sample(one, dtype), sample(other, dtype, 1))
        check_layouts(sample(other, dtype), sample(one, dtype, 1))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 5)])
def test_empty_arrays(shape):
    check_layouts(np.ones(shape), np.ones(shape[-1:]))


def test_axes_in_any_order():
    """Views of several dimensions, each with its own order and direction of axes."""
    rng = np.random.default_rng(3)
    for _ in range(25):
        ndim = int(rng.integers(3, 5))
        shape = tuple(rng.integers(1, 8, ndim).tolist())

        def view(shape=shape, ndim=ndim):
            order = rng.permutation(ndim)
            steps = rng.choice([1, 1, -1, 2, -3], ndim)
            held = rng.integers(0, 9, [shape[i] * abs(steps[i]) for i in order]).astype(np.float32)
            return held[tuple(slice(None, None, steps[i]) for i in order)].transpose(np.argsort(order))

        check_layouts(view(), view())


@pytest.mark.parametrize("shape", [(70_001,), (301, 300), (3, 40_000), (40_000, 3), (50, 40, 60)])
def test_layouts_of_arrays_that_are_cut(shape):
    x, y = sample(shape, np.dtype("float64")), sample(shape, np.dtype("float64"), 1)
    flat = [(a.reshape(shape[0], -1)) for a in (x, y)]
    for name in ("C", "F", "backwards", "every third row and second column", "one row", "one column"):
        one = LAYOUTS[name](flat[0])
        check_layouts(one, flat[1])
        check_layouts(one, LAYOUTS[name](flat[1]))
    check_layouts(x.T, y.T)


@pytest.mark.parametrize("shape", [(1_200, 2_000), (2_401, 1_001), (2_400_003,)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_results_that_are_larger_than_the_cache(shape, order):
    x = np.random.default_rng(0).standard_normal(shape)
    lies = np.array(x, order=order)
    for count in (1, 2):
        outputs = (shared(lies) + 1, xp.abs(shared(lies)))[:count]
        for got, want in zip(compiled(*outputs), (x + 1, np.abs(x)), strict=False):
            same_bits(got, want, (shape, order, count))


def test_slices_of_one_array():
    x = np.random.default_rng(1).standard_normal((40, 53))
    X = shared(x)
    stencil = X[1:-1, 1:-1] - X[:-2, 1:-1] - X[2:, 1:-1] - X[1:-1, :-2] - X[1:-1, 2:]
    want = x[1:-1, 1:-1] - x[:-2, 1:-1] - x[2:, 1:-1] - x[1:-1, :-2] - x[1:-1, 2:]
    assert len(kernels_of(stencil)) == 1
    same_bits(compiled(stencil)[0], want)
    mixed = X[::-1] - X, X[:, ::-2][:, :20] + X[:, 3:43:2], X[:40, :40] - X[:40, :40].T, X[1:, None] - X[None, 1:]
    wanted = x[::-1] - x, x[:, ::-2][:, :20] + x[:, 3:43:2], x[:40, :40] - x[:40, :40].T, x[1:, None] - x[None, 1:]
    for got, want in zip(compiled(*mixed), wanted, strict=True):
        same_bits(got, want)


def test_sources_are_never_written():
    x = np.arange(100.0).reshape(4, 25)
    for lay in LAYOUTS.values():
        held = lay(x)
        before = held.tobytes()
        results = compiled(shared(held) + 1, xp.positive(shared(held)), -shared(held), shared(held) * 1)
        assert held.tobytes() == before
        for result in results:
            assert not np.may_share_memory(result, held)
            assert result.flags.writeable


# --- rows whose last vector reaches back ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["int8", "uint16", "float32", "int64", "float64", "complex64", "complex128"])
def test_rows_of_all_lengths(dtype):
    """With a broadcast row, so that they are no single row; rows shorter than a vector among them."""
    rng = np.random.default_rng(3)
    for n in (*range(1, 70), 95, 127, 128, 129, 130, 191, 255, 257):
        x = (rng.standard_normal((5, n + 2)) * 9).astype(dtype)[:, 1:-1]
        row = (rng.standard_normal(n) * 9).astype(dtype)
        X, R = shared(x), shared(row)
        results = X + R, (X - R) * 3, xp.stack([X + R, X], axis=-1), xp.concat([X * 2, X - R], axis=1)
        for got, want in zip(compiled(*results), plain(*results), strict=True):
            same_bits(got, want, (dtype, n))


@pytest.mark.parametrize("size", [65_537, 81_921, 98_303, 131_073, 300_001])
@pytest.mark.parametrize("threads", [1, 3])
def test_pieces_shorter_than_a_vector(size, threads):
    """The last vector of such a piece reaches back into the piece before it."""
    x = np.random.default_rng(4).standard_normal(size)
    for dtype in ("float32", "float64", "int8"):
        X = shared((x * 9).astype(dtype))
        results = X * 2 + 1, xp.where(X > 0, X, X * X)
        with xp.set_options(num_threads=threads):
            for got, want in zip(compiled(*results), plain(*results), strict=True):
                same_bits(got, want, (dtype, size))
