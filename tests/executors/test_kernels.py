"""Kernels on NumPy: the values of single steps, whatever the blocks, and no more memory than results need."""

from __future__ import annotations

import gc
import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.executors.numpy import interpreter
from lazyxp.kernel import Kernel
from lazyxp.node import walk
from lazyxp.optimizers import group, grouping
from lazyxp.planning import clear_cache, optimized_graph
from lazyxp.structure import structure_of
from tests.differential import strategies
from tests.differential.compare import near, same_kind, same_specials, same_values
from tests.differential.strategies import examples
from tests.executors.kernel_checks import kernels_in

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::numpy.exceptions.ComplexWarning")


@pytest.fixture(autouse=True)
def _fresh_plans():
    clear_cache()
    yield
    clear_cache()


@pytest.fixture
def forced(monkeypatch):
    """Interpreted kernels for arrays of any size, in blocks of a few elements."""
    monkeypatch.setattr(interpreter, "CACHE", 150)
    with xp.set_options(kernels="interpreted"):
        yield


def kernels_of(*arrays):
    """The kernels of the optimized graph."""
    graph = optimized_graph(structure_of([current(a) for a in arrays]), registry.get("numpy"), "default")
    return [kernel for node in walk(graph.roots) for kernel in kernels_in(node)]


def ops_of(kernel):
    """The names of the ops in the body, sorted."""
    return sorted(one.node.op.name for one in kernel.body)


def softmax(x):
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def normalized(x):
    return (x - xp.mean(x, axis=-1, keepdims=True)) / xp.sqrt(xp.var(x, axis=-1, keepdims=True) + 1)


# --- values ----------------------------------------------------------------------------------------------------------

# Nothing is added up across blocks: the very bits, on arrays in C order.
WHOLE = {
    "chain": lambda x, y: xp.where(x > y, x * 2 - y, y / 3 + x),
    "two outputs": lambda x, y: (x + y, x * y - x),
    "casts": lambda x, y: xp.astype(x + y, xp.float32) * 2,
    "largest": lambda x, y: (xp.max(x * y), xp.min(x - y, axis=0), xp.max(abs(x), axis=1, keepdims=True)),
    "truth": lambda x, y: (xp.any(x > y), xp.all(x != y, axis=0), xp.count_nonzero(x < y, axis=1)),
    "softmax": lambda x, y: softmax(x + y),
    "normalized": lambda x, y: normalized(x) * y,
    "restored axes": lambda x, y: x - xp.expand_dims(xp.max(x * y, axis=1), axis=1),
    "new axes": lambda x, y: (x + y)[:, None] * (y - 1)[:, None],
    "transposed": lambda x, y: (x * y + 1).T * 2,
    "sums of rows": lambda x, y: xp.sqrt(abs(xp.sum(x * y - 1, axis=1))) + 1,
    "with themselves": lambda x, y: (x + 1) * (x + 1) - (y * y) * (y * y),
    "clipped": lambda x, y: xp.clip(x * 2, -1, 1) + xp.round(y) * xp.sign(x),
}
# What is added up block by block.
ACROSS = {
    "sums": lambda x, y: (xp.sum(x * y), xp.sum(x + y, axis=0), xp.sum(x - y, axis=1, keepdims=True)),
    "moments": lambda x, y: (xp.mean(x), xp.std(x), xp.var(x, axis=0, correction=1), xp.std(x + y, axis=1)),
    "centered": lambda x, y: (x * 2 + y) - xp.mean(x * 2 + y),
}


def compared(function, x, y, optimize="default"):
    """The results with and without kernels."""
    recorded = function(*[xp.asarray(a, copy=False if a.dtype.isnative else None) for a in (x, y)])
    recorded = recorded if isinstance(recorded, tuple) else (recorded,)
    assert kernels_of(*recorded)
    return list(zip(xp.compute(*recorded, optimize=optimize), xp.compute(*recorded, optimize="none"), strict=True))


@pytest.mark.parametrize("name", WHOLE)
def test_the_bits_of_single_steps(forced, name):
    rng = np.random.default_rng(1)
    for shape in ((7, 5), (40, 3), (2, 60)):
        x, y = rng.normal(size=shape), rng.normal(size=shape)
        x[0, 0], x[1, 1], y[1, 2] = np.nan, np.inf, -0.0
        for got, expected in compared(WHOLE[name], x, y):
            same_kind(got, expected)
            same_values(got, expected, zeros=name != "largest")


@pytest.mark.parametrize("name", [*WHOLE, *ACROSS])
def test_every_layout_and_dtype(forced, name):
    function = {**WHOLE, **ACROSS}[name]

    @examples(15)
    @given(st.data())
    def run(data):
        dtypes = [np.dtype(d) for d in ("float64", "float32", "int64", "int8", "uint16")]
        shape = data.draw(st.sampled_from([(7, 5), (33, 2), (3, 41), (1, 9), (6, 1)]))
        x = strategies.array(data.draw, dtypes, shape, "moderate")
        y = strategies.array(data.draw, dtypes, shape, "moderate")
        size = 20 * max(largest_of(x), largest_of(y)) ** 2
        for got, expected in compared(function, x, y):
            same_kind(got, expected)
            if expected.dtype.kind in "biu":
                same_values(got, expected)
                continue
            if name not in ("normalized", "moments"):  # where a variance is zero but for rounding
                same_specials(got, expected)
            finite = np.isfinite(expected) & np.isfinite(got)
            near(got[finite], expected[finite], 64, size)

    run()


def largest_of(x):
    finite = np.abs(x[np.isfinite(x)].astype(float)) if x.dtype.kind == "f" else np.abs(x.astype(float))
    return float(np.max(finite, initial=1.0))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "bool"])
def test_integers_wrap_and_keep_their_dtypes(forced, dtype):
    x = np.random.default_rng(2).integers(0, 120, (31, 4)).astype(dtype)

    def sums(x, y):
        z = x * y
        return (
            xp.sum(z),
            xp.sum(z, axis=0, dtype=xp.int8),
            xp.prod(z, axis=0),
            xp.prod(z + y),
            xp.sum(z, dtype=xp.float32),
        )

    for got, expected in compared(sums, x, x):
        same_kind(got, expected)
        np.testing.assert_array_equal(got, expected)


def test_complex_numbers(forced):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(9, 8)) + 1j * rng.normal(size=(9, 8))
    x[0, 0] = complex(np.inf, 1)

    def build(x, y):
        z = x * y + 1
        return (
            z,
            xp.real(z) + xp.imag(z),
            xp.mean(z, axis=0),
            xp.mean(z),
            xp.var(z[1:]),
            abs(xp.conj(z)),
            xp.std(y[:, 1:]),
        )

    for got, expected in compared(build, x, x):
        same_kind(got, expected)
        same_specials(got, expected)
        finite = np.isfinite(expected)
        near(got[finite], expected[finite], 64, 10)


def test_sums_are_as_accurate_as_numpys():
    rng = np.random.default_rng(4)
    x = rng.normal(size=3_000_000) + 1e4
    total = math.fsum(x)
    got = xp.sum(xp.asarray(x) * 1.0 + 0.0).compute()
    assert abs(got - total) <= 2 * abs(np.sum(x) - total) + 4 * np.spacing(total)


@pytest.mark.parametrize("shift", [0.0, 1e6, -1e9])
def test_variances_do_not_cancel(shift):
    x = np.random.default_rng(5).normal(size=(700, 1_000)) + shift
    lazy = xp.asarray(x)
    for axis in (None, 0, 1):
        got = xp.compute(xp.var(lazy, axis=axis), xp.mean(lazy, axis=axis))
        wide = x.astype(np.longdouble)
        error, other = (np.max(np.abs(v - np.var(wide, axis=axis))) for v in (got[0], np.var(x, axis=axis)))
        assert error <= 4 * other + 1e-14
        np.testing.assert_allclose(got[1], np.mean(wide, axis=axis).astype(float), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e9 + 0.1, -7.3e-5])
@pytest.mark.parametrize("axis", [0, None])
@pytest.mark.parametrize("kernels", ["auto", "interpreted"])
@pytest.mark.parametrize("factor", [1, 0.7 - 0.3j])
def test_constant_data_has_no_infinite_scores(value, axis, kernels, factor):
    """The standard deviation is that from the mean as it is rounded, so that a score is never large."""
    x = xp.asarray(np.full((100_003, 3), value * factor))
    with xp.set_options(kernels=kernels):
        score = (x - xp.mean(x, axis=axis)) / xp.std(x, axis=axis)
        assert kernels_of(score)
        assert not np.isinf(score.compute()).any()
        np.testing.assert_array_less(xp.std(x, axis=axis).compute(), 1e-12 * max(1, abs(value)))


@pytest.mark.parametrize("kernels", ["always", "interpreted"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_repeated_rows_have_no_infinite_scores(monkeypatch, kernels, dtype):
    monkeypatch.setattr(interpreter, "CACHE", 40)
    rng = np.random.default_rng(0)
    row = (rng.normal(size=(1, 200)) + 1j * rng.normal(size=(1, 200))).astype(dtype)
    x = xp.asarray(np.repeat(row, 3, axis=0))
    with xp.set_options(kernels=kernels):
        score = (x - xp.mean(x, axis=0)) / xp.std(x, axis=0)
        assert not np.isinf(score.compute()).any()


# --- what is fused ---------------------------------------------------------------------------------------------------

BIG = xp.asarray(np.linspace(0, 1, 2 * grouping.SMALLEST).reshape(-1, 64))


def test_reductions_of_the_same_data_are_one_kernel():
    (kernel,) = kernels_of(xp.mean(BIG), xp.std(BIG), xp.min(BIG), xp.max(BIG), xp.any(BIG > 2), xp.all(BIG > -1))
    assert len(kernel.inputs) == 3  # the data and two constants
    assert len(kernel.outputs) == 6


def test_data_is_read_once_by_reductions_that_are_used_one_after_the_other():
    x = xp.asarray(np.random.default_rng(0).standard_normal((1000, 200)))
    standardized = (x - xp.mean(x, axis=0)) / xp.std(x, axis=0)
    nested = xp.mean(xp.abs(x - xp.max(x, axis=0)), axis=0) + xp.sum(x - xp.min(x, axis=0), axis=0)
    for y, count in ((standardized, 2), (nested, 2)):
        assert len(kernels_of(y)) == count
        np.testing.assert_allclose(y.compute(), y.compute(optimize="none"), rtol=1e-12, atol=1e-14)


def test_what_one_op_reads_is_one_kernel():
    x, y = xp.asarray(np.linspace(1, 2, 2 * grouping.SMALLEST)), xp.asarray(np.linspace(3, 4, 2 * grouping.SMALLEST))
    parts = [x * y + 1, x / y - x, xp.exp(x) + y]
    joined = xp.stack(parts, axis=-1)
    assert len(kernels_of(joined)) == 1
    np.testing.assert_allclose(joined.compute(), joined.compute(optimize="none"), rtol=1e-14)
    # What different ops read one after the other need not be held at the same time.
    apart = sum(xp.sort(part)[-1] for part in parts)
    assert len(kernels_of(apart)) == 3


def test_any_number_may_be_a_condition():
    condition = np.arange(2 * grouping.SMALLEST) % 3.0
    x = xp.asarray(condition)
    y = xp.where(x, x * 2, -1.0)
    assert len(kernels_of(y)) == 1
    np.testing.assert_array_equal(y.compute(), np.where(condition, condition * 2, -1))


def test_small_work_and_single_ops_are_no_kernels():
    small = xp.asarray(np.ones(1_000))
    assert not kernels_of(xp.sqrt(small * 2) + 1)
    assert not kernels_of(xp.sqrt(BIG))
    assert not kernels_of(xp.sum(BIG))
    assert not kernels_of((BIG @ BIG.T)[0, :])


def test_lengths_that_are_not_known_to_be_the_same_are_not_fused():
    found, others = BIG[BIG > 0.5], BIG[BIG < 0.25]
    assert len(kernels_of(xp.sqrt(found * 2) + 1)) == 1
    assert not kernels_of(found + others)


def test_no_path_leaves_a_kernel_and_comes_back(forced):
    x = xp.asarray(np.arange(12.0).reshape(4, 3))
    y = x * 2 + 1
    z = xp.cumulative_sum(y, axis=0)
    w = (y - z) * xp.sum(z * y)
    np.testing.assert_array_equal(w.compute(), w.compute(optimize="none"))


def test_cheap_values_are_computed_again_and_dear_ones_kept():
    cheap = BIG * 2 + 1
    first, second = kernels_of(cheap - xp.mean(cheap))
    assert ops_of(first) == ["add", "mean", "multiply"]
    assert ops_of(second) == ["add", "multiply", "subtract"]
    dear = xp.exp(BIG) * 2
    assert sum(ops_of(kernel).count("exp") for kernel in kernels_of(dear - xp.mean(dear))) == 1


def test_large_graphs_are_cut():
    y = BIG
    for _ in range(group.MOST_OPS + 10):
        y = xp.sqrt(y) + BIG
    found = kernels_of(y)
    assert len(found) == 3
    assert all(len(kernel.body) <= group.MOST_OPS + 2 for kernel in found)


def test_other_executors_see_no_kernels():
    pytest.importorskip("array_api_strict")
    np.testing.assert_array_equal(
        np.from_dlpack((xp.sqrt(BIG) * 2).compute(backend="array_api_strict")), np.sqrt(np.asarray(BIG)) * 2
    )


def test_errors_name_the_op_and_the_line():
    negative = xp.asarray(np.full(2 * grouping.SMALLEST, -1))
    with pytest.raises(ValueError, match="negative integer powers") as caught:
        ((negative + 1 - 1) ** (negative * 1)).compute()
    assert any("pow" in note and "test_kernels.py" in note for note in caught.value.__notes__)


# --- memory ----------------------------------------------------------------------------------------------------------


def peak(function):
    """The most bytes that were held while `function` ran."""
    function()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_distances_are_never_held_by_component():
    n, k, d = 20_000, 32, 16
    rng = np.random.default_rng(6)
    x, c = xp.asarray(rng.random((n, d))), xp.asarray(rng.random((k, d)))
    distances = xp.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=-1)
    assert peak(distances.compute) < 8 * n * k + 4 * interpreter.CACHE


def test_moments_hold_nothing():
    x = xp.asarray(np.random.default_rng(7).random(2_000_000))
    y = x * 2 + 1
    assert peak(lambda: xp.compute(xp.mean(y), xp.std(y), xp.min(y), xp.max(y))) < 4 * interpreter.CACHE


def test_centering_holds_the_result_only():
    x = xp.asarray(np.random.default_rng(8).random(2_000_000))
    y = x * 2 + 1
    assert peak((y - xp.mean(y)).compute) < 16_000_000 + 4 * interpreter.CACHE


def test_wide_sums_hold_few_parts():
    x = xp.asarray(np.random.default_rng(9).random((1_000, 20_000)))
    assert peak(xp.sum(x * x, axis=0).compute) < 160_000 + 8 * interpreter.CACHE


@pytest.mark.parametrize("kernels", ["always", "interpreted"])
def test_kernels_are_forgotten_with_their_plans(kernels):
    def alive():
        gc.collect()
        return sum(type(x) is Kernel for x in gc.get_objects())

    clear_cache()
    before = alive()
    x = xp.asarray(np.ones(1_000))
    with xp.set_options(kernels=kernels):
        xp.sum(xp.exp(x) * 2 + x).compute()
    assert alive() > before
    clear_cache()
    assert alive() == before


def test_errors_name_the_op_in_the_kernel_and_its_line():
    def record():
        x = xp.asarray(np.ones(200_000))
        y = x / (x - x)  # here
        return xp.sum(y * 2 + x)

    line = record.__code__.co_firstlineno + 2
    for _ in range(2):  # the plan is made, and comes from the cache
        with np.errstate(all="raise"), pytest.raises(FloatingPointError) as caught:
            record().compute()
        (note,) = caught.value.__notes__
        assert "ran divide on float64[200000] and float64[200000]" in note
        assert f"test_kernels.py:{line} in record" in note
