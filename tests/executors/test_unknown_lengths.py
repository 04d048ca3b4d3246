"""Kernels on arrays whose length depends on data: on whatever a mask selects, beside NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazyxp as xp
from lazyxp.errors import MemoryLimitExceeded
from lazyxp.executors.numpy import lengths
from lazyxp.executors.numpy.llvm import compiler
from lazyxp.kernel import Kernel
from lazyxp.optimizers import grouping
from lazyxp.testing.inputs import DTYPES
from tests.executors.kernel_checks import close, kernels_of, outside, same_bits, same_on_threads

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

RNG = np.random.default_rng(0)
of_lengths = Kernel.of_lengths
KINDS = ("auto", "always", "interpreted", "never")
# So many of a thousand elements are selected.
COUNTS = (0, 1, 2, 3, 64, 999, 1000)


def values(shape, dtype, rng=RNG):
    """Small numbers of any dtype, exact in all of them."""
    found = rng.integers(0 if np.dtype(dtype).kind in "bu" else -4, 5, shape).astype(dtype)
    return found + (1j * rng.integers(-4, 5, shape)).astype(dtype) if np.dtype(dtype).kind == "c" else found


def mask_of(count, size):
    """A mask that holds for so many elements."""
    found = np.zeros(size, bool)
    found[np.random.default_rng(count).permutation(size)[:count]] = True
    return found


def check(function, *arrays, ulps=0.0):
    """That lazyxp gives what NumPy gives, whatever runs kernels, for the same plan too when it is known."""
    wanted = function(np, *arrays)
    for kind in KINDS:
        with xp.set_options(kernels=kind):
            got = xp.compute(*function(xp, *map(xp.asarray, arrays)))
        for mine, theirs in zip(got, wanted, strict=True):
            close(mine, np.asarray(theirs), ulps, kind)


CHAINS = {
    "arithmetic": lambda np, a, b, m: (a[m] * 2 + 1,),
    "several selections": lambda np, a, b, m: (a[m] * b[m] + a[m],),
    "read twice": lambda np, a, b, m: ((lambda y: (y - 1) * y * 2)(a[m]),),
    "several outputs": lambda np, a, b, m: ((y := a[m]) + 1, y * b[m], y - b[m]),
    "0-d": lambda np, a, b, m: (a[m] * b[0] + a[m] * np.sum(a[:3]),),
    "a cast": lambda np, a, b, m: (np.astype(np.astype(a[m], np.complex64) * 2, np.complex128),),
    "where": lambda np, a, b, m: (np.where(a[m] != b[m], a[m] * 2, b[m]),),
    "positions": lambda np, a, b, m: (np.nonzero(m)[0] * 2 + np.astype(a[m] != 0, np.int64),),
    "elements by index": lambda np, a, b, m: (np.take(a, np.nonzero(m)[0], axis=0) * 2 + b[m],),
    "of a selection": lambda np, a, b, m: ((lambda y: y[y != 0] * 2 + y[y != 0])(a[m]),),
    "differences": lambda np, a, b, m: ((lambda y: (y[1:] * 2 - y[:-1]) * y[1:])(a[m]),),
    "backwards": lambda np, a, b, m: ((lambda y: y[::-1] * 2 + y)(a[m]),),
    "another axis": lambda np, a, b, m: (a[m][:, None] * 2 + np.asarray([[1, 2]], dtype=a.dtype),),
    "all pairs": lambda np, a, b, m: (a[m][:7, None] * 2 + b[m][None, :7],),
    "any of them": lambda np, a, b, m: (np.any(a[m] * b[m] != 0), np.count_nonzero(a[m] * 2 != 2)),
}


SUBTRACTING = ("read twice", "several outputs", "differences")  # which NumPy does not do with booleans


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("chain", CHAINS)
def test_chains(chain, dtype):
    if dtype == np.bool and chain in SUBTRACTING:
        dtype = np.int8
    a, b = values(1000, dtype), values(1000, dtype)
    for count in COUNTS:
        check(CHAINS[chain], a, b, mask_of(count, 1000))


REDUCTIONS = {
    "sum": lambda np, y: (np.sum(y * 2 + 1),),
    "mean": lambda np, y: (np.mean(y * 2, axis=0, keepdims=True),),
    "var and std": lambda np, y: (np.var(y * 2), np.std(y + 1, axis=0)),
    "max and min": lambda np, y: (np.max(y * 2), np.min(y - 1)),
    "what follows": lambda np, y: (np.sum(y * y) * 2 + 1, y * 2 - np.mean(y)),
    "a scan": lambda np, y: (np.cumulative_sum(y * 2) + 1,),
    "product": lambda np, y: (np.prod(np.where(y > 0, 1.0, -1.0)),),
    "normalised": lambda np, y: ((y - np.mean(y)) / np.std(y),),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, dtype):
    a = values(1000, dtype)
    for count in COUNTS:
        if name == "max and min" and count == 0:
            continue
        check(lambda np, a, m: REDUCTIONS[name](np, a[m]), a, mask_of(count, 1000), ulps=8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", range(6))
def test_a_spread_without_degrees_of_freedom_is_nan(kind, count):
    a = np.arange(1000.0)
    y = xp.asarray(a)[xp.asarray(mask_of(count, 1000))] * 2
    with xp.set_options(kernels=kind):
        for got in xp.compute(xp.var(y, correction=3), xp.std(y, axis=0, correction=3)):
            assert np.isnan(got) == (count <= 3)


SHAPES = {
    "rows": ((200, 5), (200,)),
    "elements of a matrix": ((40, 25), (40, 25)),
    "planes": ((100, 3, 4), (100,)),
    "rows of planes": ((20, 50, 3), (20, 50)),
}
OF_ROWS = {
    "chain": lambda np, x, m, k: (x[m] * 2 + k,),
    "two selections": lambda np, x, m, k: (x[m] * (x * 2)[m] + x[m] * k,),
    "sums": lambda np, x, m, k: (np.sum(x[m] * 2, axis=0), np.sum(x[m] + 1, axis=-1), np.sum(x[m] * x[m])),
    "running sums": lambda np, x, m, k: (np.cumulative_sum(x[m] * 2, axis=0), np.cumulative_sum(x[m] + 1, axis=-1)),
    "seen from the largest": lambda np, x, m, k: (x[m] - np.max(x[m], axis=-1, keepdims=True),),
    "transposed": lambda np, x, m, k: (np.permute_dims(x[m], tuple(range(x[m].ndim))[::-1]) * 2 + 1,),
    "joined": lambda np, x, m, k: (np.stack([np.sum(x[m] * 2, axis=0), np.sum(x[m] * 3, axis=0)]),),
}


@pytest.mark.parametrize("dtype", ["int64", "float32"])
@pytest.mark.parametrize("name", OF_ROWS)
@pytest.mark.parametrize("of", SHAPES)
def test_masks_of_leading_axes(of, name, dtype):
    shape, selecting = SHAPES[of]
    x = values(shape, dtype)
    rank = 1 + len(shape) - len(selecting)
    total = int(np.prod(selecting))
    for count in {0, 1, 2, 7, total - 1, total}:
        if name == "seen from the largest" and rank == 1 and count == 0:
            continue  # the largest of nothing is an error
        mask = mask_of(count, total).reshape(selecting)
        check(OF_ROWS[name], x, mask, values(shape[len(selecting) :], dtype))


@given(data=st.data())
def test_any_mask_of_any_array(data):
    rank = data.draw(st.integers(1, 3))
    shape = tuple(data.draw(st.lists(st.integers(0, 4), min_size=rank, max_size=rank)))
    of_mask = shape[: data.draw(st.integers(1, rank))]
    rng = np.random.default_rng(data.draw(st.integers(0, 1_000)))
    one, two = (values(shape, data.draw(st.sampled_from(DTYPES)), rng) for _ in range(2))
    mask = rng.random(of_mask) < data.draw(st.sampled_from((0.0, 0.3, 0.5, 1.0)))
    scalar = data.draw(st.sampled_from((True, 2, -1.5)))

    def function(np, one, two, mask):
        y = one[mask] * two[mask]
        return y, np.where(y != scalar, y, one[mask]), np.any(y * one[mask]), np.astype(y, np.complex128) * 2 + 1

    check(function, one, two, mask)


# --- which ops are in kernels ----------------------------------------------------------------------------------------

A, B = xp.asarray(values(1000, "float64")), xp.asarray(values(1000, "float64"))
M, OTHER = A > 0, B > 0


@pytest.mark.parametrize(
    "chain", [c for c in CHAINS if c not in ("0-d", "all pairs", "another axis", "of a selection")]
)
def test_one_kernel(chain):
    outputs = CHAINS[chain](xp, A, B, M)
    assert outside(*outputs) <= {"greater", "not_equal"}, "the masks are computed before"
    assert len([k for k in kernels_of(*outputs) if k.unknown]) == 1


def test_lengths_that_may_differ_are_in_no_kernel():
    assert not [k for k in kernels_of(A[M] + B[OTHER]) if k.unknown]
    found = [k for k in kernels_of((A[M] * 2) + (B[OTHER] * 3 - 1)) if k.unknown]
    assert {repr(kernel) for kernel in found} == {"multiply", "multiply subtract"}
    assert not [k for k in kernels_of(A[M] + xp.asarray(np.ones(500))) if k.unknown]
    assert not [k for k in kernels_of(xp.diff(A[M]) + A[M]) if len(k.body) > 1]


def test_a_side_that_turns_out_to_be_one_is_dropped():
    columns = xp.asarray(mask_of(7, 10))
    table = xp.reshape(A, (100, 10))
    for count in (0, 1, 2):
        one = table[xp.asarray(mask_of(count, 100))][:, columns]
        for kind in KINDS:
            with xp.set_options(kernels=kind):
                if count == 1:
                    want = np.asarray(table)[mask_of(1, 100)][:, mask_of(7, 10)][0]
                    same_bits((xp.squeeze(one * 2, axis=0) * 2 + 1).compute(), want * 4 + 1)
                else:
                    with pytest.raises(ValueError, match=r"size|one"):
                        (xp.squeeze(one * 2, axis=0) * 2 + 1).compute()


@pytest.mark.parametrize("kind", KINDS)
def test_how_many_differ_is_no_number_of_those_that_hold(kind):
    """The elements that are not zero among different ones, beside all of those."""
    x = np.array([2, 0, 1, 1, 3, 0])
    found = xp.unique_values(xp.asarray(x)) * 2
    (places,) = xp.nonzero(xp.unique_values(xp.asarray(x)))
    with xp.set_options(kernels=kind):
        same_bits((places * 3 + 1).compute(), np.nonzero(np.unique(x))[0] * 3 + 1)
        with pytest.raises(ValueError, match="broadcast"):
            (found + places).compute()


def test_code_never_sees_operands_of_different_lengths():
    (kernel,) = [k for k in kernels_of(A[M] + B[M]) if k.unknown]
    assert lengths.of_these_lengths(kernel, [np.ones(5), np.ones(5)]) is not None
    assert lengths.of_these_lengths(kernel, [np.ones(5), np.ones(4)]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_that_differ_are_refused_as_numpy_does(kind):
    one, two = A[M], B[OTHER]
    failing = (one * 2 + 1) + (two * 3 - 1)  # the line that is named
    with xp.set_options(kernels=kind), pytest.raises(ValueError, match="broadcast") as caught:
        failing.compute()
    assert "failing = " in _line(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 3])
def test_what_differs_may_be_stretched(kind, count):
    one, two = values(1000, "float64"), values(1000, "float64")
    with xp.set_options(kernels=kind):
        single, several = one[mask_of(1, 1000)], two[mask_of(count, 1000)]
        got = xp.asarray(one)[xp.asarray(mask_of(1, 1000))], xp.asarray(two)[xp.asarray(mask_of(count, 1000))]
        same_bits(((got[0] * 2 + got[1]) * 3).compute(), (single * 2 + several) * 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", [xp.max, xp.min, xp.argmax])
def test_the_largest_of_nothing_is_an_error_that_names_the_line(kind, function):
    failing = function(A[A > 100] * 2 + 1)  # the line that is named
    with xp.set_options(kernels=kind), pytest.raises(ValueError, match=r"zero-size|empty") as caught:
        failing.compute()
    assert "failing = " in _line(caught.value)


def _line(error):
    """The user's line that an error names."""
    (place,) = [word for note in error.__notes__ for word in note.split() if word.startswith(f"{__file__}:")]
    number = int(place.rpartition(":")[2].rstrip(","))
    with open(__file__) as text:
        return text.read().splitlines()[number - 1]


# --- running ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("often", [True, False])
def test_lengths_change_from_call_to_call(kind, often):
    def results(np, x, m):
        return x[m] * 2 + 1, np.sum(x[m] * x[m]), np.cumulative_sum(x[m] * 2)

    function = xp.jit(lambda *arrays: results(xp, *arrays)) if often else lambda *arrays: results(xp, *arrays)
    x = values(5000, "float64")
    with xp.set_options(kernels=kind):
        for count in (5, 0, 4000, 1, 2, *range(100, 130), 5000, 5):
            mask = mask_of(count, 5000)
            for got, want in zip(function(xp.asarray(x), xp.asarray(mask)), results(np, x, mask), strict=True):
                np.testing.assert_array_equal(got, want)


def test_few_elements_are_no_work_for_a_kernel(monkeypatch):
    """Under `jit` either, where kernels of known lengths are of any size: another length may come each time."""
    made = []
    monkeypatch.setattr(Kernel, "of_lengths", lambda *args: made.append(args) or of_lengths(*args))
    x = np.random.default_rng(3).standard_normal(2 * grouping.SMALLEST)
    with xp.set_options(kernels="auto"):
        for function in (lambda x, m: x[m] * 2 + 1, xp.jit(lambda x, m: x[m] * 2 + 1)):
            for share in (0.1, 0.49):
                mask = mask_of(int(share * x.size), x.size)
                function(xp.asarray(x), xp.asarray(mask)).compute()
            assert not made
            function(xp.asarray(x), xp.asarray(mask_of(grouping.SMALLEST, x.size))).compute()
            assert len(made) == 1
            made.clear()


def test_large_selections_do_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(1).standard_normal((400_000, 3))
    mask = x[:, 0] > -1
    y = xp.asarray(x)[xp.asarray(mask)] * 3 + 1
    outputs = y, xp.sum(y), xp.var(y, axis=0), xp.sum(y * y, axis=-1), xp.max(y * 2)
    assert sum(1 for k in kernels_of(*outputs) if k.unknown) > 0
    got = same_on_threads(lambda: xp.compute(*outputs))
    want = x[mask] * 3 + 1
    np.testing.assert_allclose(got[0], want, rtol=1e-9)
    np.testing.assert_allclose(got[1], want.sum(), rtol=1e-12)


def test_as_a_known_length_has_it():
    """The bits of a kernel do not depend on whether the length was known before."""
    x = np.random.default_rng(2).standard_normal(1_000_000)
    mask = x > -0.5
    one, other = xp.asarray(x)[xp.asarray(mask)], xp.asarray(x[mask])

    def outputs(y):
        return xp.exp(y) * 2 - y, xp.sum(xp.exp(y) * y), xp.std(y * 3), xp.cumulative_sum(y * 0.1)

    for got, want in zip(xp.compute(*outputs(one)), xp.compute(*outputs(other)), strict=True):
        same_bits(got, want)


def test_results_are_the_callers_own():
    x = values(1000, "complex128")
    for kind in KINDS:
        with xp.set_options(kernels=kind):
            y = xp.asarray(x)[xp.asarray(mask_of(0 if kind == "never" else 900, 1000))] * 2
            results = xp.compute(y, y[None], xp.real(y), xp.imag(y), y[:, None] * 1)
            for i, one in enumerate(results):
                assert one.flags.writeable
                assert not any(np.may_share_memory(one, other) for other in results[:i])


# --- looking ---------------------------------------------------------------------------------------------------------


def test_explain_shows_the_kernel_and_what_is_unknown():
    x = xp.asarray(values(1_000_000, "float64"))
    with xp.set_options(kernels="auto"):
        explained = (x[x > 0] * 2 + 1).explain()
    assert "float64[?]" in str(explained)
    assert "fuses multiply, add" in str(explained)
    assert "at least, as recorded" in str(explained)
    assert "i of ?" in explained.source()
    step = explained.steps[-1]
    assert step.runs.startswith("op by op below 131,072 elements, else ")
    assert (x[x > 0] * 2 + 1).estimate().lower_bound


def test_the_source_is_what_is_compiled():
    pytest.importorskip("llvmlite")
    x = xp.asarray(values(1_000_000, "float64"))
    explained = (x[x > 0] * 2 + 1).explain()
    assert "fmul" in explained.source("llvm")
    assert explained.source("assembly")


def test_memory_limits_hold_for_what_is_known():
    x = xp.asarray(values(1_000_000, "float64"))
    with xp.set_options(memory_limit="8 MB"):
        xp.sum(x[x > 0] * 2 + 1).compute()
        with pytest.raises(MemoryLimitExceeded):
            xp.compute(x * 2 + 1, x[x > 0] * 2 + 1)


def test_without_a_compiler(monkeypatch):
    def missing():
        raise ImportError("no compiler")

    monkeypatch.setattr(compiler, "_target", missing)
    monkeypatch.setattr(compiler, "is_available", lambda: False)
    x = values(2 * grouping.SMALLEST, "float64")
    y = xp.asarray(x)[xp.asarray(x != 3)]
    for got, want in zip(
        xp.compute(y * 7 - 2, xp.sum(y * y)), (x[x != 3] * 7 - 2, np.asarray(np.sum(x[x != 3] ** 2))), strict=True
    ):
        same_bits(got, want)
