"""Scans of rows too long for one piece of work, and scans with their initial value, in kernels and against NumPy.

Numbers are such that NumPy adds them up without rounding, unless a test is about rounding: bits must be NumPy's then.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.numpy import interpreter
from lazyxp.executors.numpy.llvm import compiler, form
from tests.executors.kernel_checks import (
    compiled,
    interpreted,
    kernels_of,
    planned,
    same_bits,
    same_on_threads,
    shared,
)

pytestmark = [
    pytest.mark.skipif(not compiler.is_available(), reason="kernels are interpreted here"),
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

DTYPES = ("bool", "int8", "uint16", "int64", "uint64", "float32", "float64", "complex64", "complex128")
# One piece, several ones, and one with a rest of all lengths that are treated in other ways.
LENGTHS = (2, 63, 64, 1_000, 65_536, 65_537, 3 * form._ON, 5 * form._ON + 3 * 64 + 5)
LAYOUTS: dict[str, Any] = {
    "rows": lambda x: x,
    "reversed": lambda x: x[::-1],
    "every third": lambda x: np.repeat(x, 3)[1::3],
    "every other from behind": lambda x: np.repeat(x, 2)[::-2],
    "one element": lambda x: np.broadcast_to(x[1:2], x.shape),
}
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _the_same_numbers():
    RNG.bit_generator.state = np.random.default_rng(0).bit_generator.state


def numbers(n, dtype):
    """Small integers, whose sums have exact floats."""
    dtype = np.dtype(dtype)
    if dtype.kind == "c":
        return (numbers(n, "int8") + 1j * numbers(n, "int8")).astype(dtype)
    return RNG.integers(0 if dtype.kind in "bu" else -3, 2 if dtype.kind == "b" else 4, n).astype(dtype)


def factors(n, dtype):
    """Powers of two, whose products have exact floats until they overflow."""
    dtype = np.dtype(dtype)
    found = np.exp2(RNG.integers(-1, 2, n)) * RNG.choice([-1, 1], n)
    return found * RNG.choice([1, 1j], n).astype(dtype) if dtype.kind == "c" else found.astype(dtype)


def agrees(function, *arrays):
    """Compiled and interpreted kernels that hold the scans give NumPy's bits."""
    got = function(xp, *map(shared, arrays))
    got = got if isinstance(got, tuple) else (got,)
    want = function(np, *arrays)
    want = want if isinstance(want, tuple) else (want,)
    assert not {node.op.name for node in planned(*got) if node.op.kind == "scan"}
    for a, b, c in zip(compiled(*got), interpreted(*got), want, strict=True):
        same_bits(a, np.asarray(c), "compiled")
        same_bits(b, np.asarray(c), "interpreted")


SUMS = {
    "of what is computed": lambda xp, x, y: xp.cumulative_sum(x * y + y),
    "what is computed of it": lambda xp, x, y: xp.where(xp.cumulative_sum(x * x) > 5, y, y * y),
    "of a cast": lambda xp, x, y: xp.cumulative_sum(x * y, dtype=xp.complex128),
    "of a small type": lambda xp, x, y: xp.cumulative_sum(x * y, dtype=xp.int8) if x.dtype.kind in "iu" else x * y,
    "of a sum": lambda xp, x, y: xp.cumulative_sum(xp.cumulative_sum(xp.astype(x[:], xp.int64)) * 2 + 1),
    "several": lambda xp, x, y: (
        xp.cumulative_sum(x * y),
        xp.cumulative_sum(y * 1) - x,
        xp.sum(x * y),
        xp.count_nonzero(x * y),
    ),
    "in a matrix": lambda xp, x, y: xp.cumulative_sum(xp.stack([x, y, x * y]), axis=1) * 1,
    "of a column": lambda xp, x, y: xp.cumulative_sum(x[:, None] * y[:, None], axis=0)[None] * 1,
    "turned": lambda xp, x, y: xp.permute_dims(xp.cumulative_sum(xp.stack([x, y]) * 1, axis=-1), (1, 0)) * 1,
    "with its initial value": lambda xp, x, y: xp.cumulative_sum(x * y, include_initial=True),
    "of one with its initial value": lambda xp, x, y: xp.cumulative_sum(
        xp.astype(xp.cumulative_sum(x * y, include_initial=True)[1:], xp.complex128) - y, include_initial=True
    ),
}


@pytest.mark.parametrize("name", SUMS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums(name, dtype):
    for n in LENGTHS:
        agrees(SUMS[name], numbers(n, dtype) if dtype != "bool" else numbers(n, "int8"), numbers(n, dtype))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_views(layout, dtype):
    for n in (65_537, 3 * form._ON + 5):
        x, y = numbers(n, dtype), LAYOUTS[layout](numbers(n, dtype))
        agrees(lambda xp, x, y: (xp.cumulative_sum(y), xp.cumulative_sum(x * y)), x, y)


PRODUCTS = {
    "plain": lambda xp, x: xp.cumulative_prod(x),
    "in a chain": lambda xp, x: xp.abs(xp.cumulative_prod(x * x) * 2),
    "with its initial value": lambda xp, x: xp.cumulative_prod(x * 1, include_initial=True) - 1,
    "rows": lambda xp, x: xp.cumulative_prod(xp.stack([x, x * 2]), axis=1) * 1,
}


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.parametrize("dtype", DTYPES[1:])
def test_products(name, dtype):
    for n in LENGTHS:
        x = factors(n, dtype) if dtype[0] in "fc" else numbers(n, dtype) * 2 + 1
        if dtype[0] == "c":
            x = x.real + 0j  # NumPy's own products of complex numbers round in vectors as they do not alone
        agrees(PRODUCTS[name], x.astype(dtype))


def test_a_product_goes_on_where_parts_of_it_overflow():
    x = np.ones(5 * form._ON)
    x[: 2 * form._ON : 70] = 0.5  # 2 to the power of -937
    x[2 * form._ON : 3 * form._ON : 30] = 2.0  # of 1093
    assert np.isfinite(np.cumulative_prod(x)[3 * form._ON])
    agrees(lambda xp, x: xp.cumulative_prod(x * 1), x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("place", [0, 1, 7, 8, 63, 64, form._ON - 1, form._ON, 2 * form._ON + 77, 3 * form._ON + 4])
def test_what_is_not_finite_is_seen_from_there_on(dtype, place):
    for special in (np.inf, -np.inf, np.nan):
        x = numbers(3 * form._ON + 5, dtype)
        x[place] = special
        agrees(lambda xp, x: xp.cumulative_sum(x * 1), x)
        x[min(place + 9, len(x) - 1)] = -special
        agrees(lambda xp, x: xp.cumulative_sum(x * 1), x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_zeros_keep_their_sign(dtype):
    x = np.full(3 * form._ON + 5, -0.0, dtype)
    if dtype == "complex64":
        x.imag = -0.0
    agrees(lambda xp, x: xp.cumulative_sum(x), x)
    agrees(lambda xp, x: xp.cumulative_sum(x, include_initial=True), x)
    x[2 * form._ON + 70] = 0.0
    agrees(lambda xp, x: xp.cumulative_sum(x), x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_sums_are_as_accurate_as_numpys(dtype):
    for n in (70_000, 1_000_000):
        x = (RNG.random(n) * 10.0 ** RNG.integers(-6, 6, n)).astype(dtype)
        exact = np.cumulative_sum(x.astype(np.clongdouble if dtype[0] == "c" else np.longdouble))
        (got,) = compiled(xp.cumulative_sum(shared(x)))
        mine, numpys = (np.max(np.abs(found - exact) / np.abs(exact)) for found in (got, np.cumulative_sum(x)))
        assert mine <= numpys


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sums_of_what_is_not_negative_never_fall(dtype):
    x = (RNG.random(700_000) * 10.0 ** RNG.integers(-9, 3, 700_000)).astype(dtype)
    x[RNG.random(700_000) < 0.3] = 0
    (got,) = compiled(xp.cumulative_sum(shared(x)))
    steps = np.diff(got)
    assert np.all(steps >= 0)
    assert np.all(steps[x[1:] == 0] == 0)


@pytest.mark.parametrize("dtype", ["int16", "float32", "float64", "complex64"])
def test_bits_do_not_depend_on_threads(dtype):
    x = (RNG.random(1_234_567) * 100 - 30).astype(dtype)
    c = xp.cumulative_sum(shared(x) * 3)
    outputs = (c * 2, xp.cumulative_prod(shared(x) + 1), xp.cumulative_sum(c * c + 1), xp.sum(c))
    same_on_threads(lambda: compiled(*outputs), (1, 2, 3, 5))


def test_many_threads_scan_at_once():
    x = RNG.random(400_000)
    with xp.set_options(num_threads=1):
        (want,) = compiled(xp.cumulative_sum(shared(x) * 3) * 2)
    found = []

    def work():
        for _ in range(10):
            with xp.set_options(num_threads=3, kernels="always"):
                found.append((xp.cumulative_sum(shared(x) * 3) * 2).compute().tobytes() == want.tobytes())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert found == [True] * 40


@pytest.mark.parametrize("cache", [1, 1_000, 50_000])
def test_interpreted_scans_go_on_in_numpys_order(monkeypatch, cache):
    monkeypatch.setattr(interpreter, "CACHE", cache)
    x, y = RNG.standard_normal((3, 700)), RNG.standard_normal(2_000)
    monkeypatch.setattr("lazyxp.optimizers.group.MOST_WHOLE", 100)
    for array, axis in ((x, 1), (np.asfortranarray(x), 1), (y, 0), (y + 1j, 0)):
        want = np.cumulative_sum(array - 1, axis=axis), np.cumulative_prod(array - 1, axis=axis) + 1
        a = shared(array) - 1
        got = interpreted(xp.cumulative_sum(a, axis=axis), xp.cumulative_prod(a, axis=axis) + 1)
        same_bits(got[0], want[0])
        same_bits(got[1], want[1])


# --- what is in one kernel -------------------------------------------------------------------------------------------

TOGETHER = {
    "what is scanned, and what reads it": lambda x, y: xp.cumulative_sum(x * y + 1) * 2 - y,
    "two of the same": lambda x, y: (xp.cumulative_sum(x), xp.cumulative_sum(x * x) + 1),
    "one of another": lambda x, y: xp.cumulative_sum(xp.cumulative_sum(x * y) * y),
    "reductions of it": lambda x, y: (lambda c: (c, xp.sum(c), xp.max(c * y)))(xp.cumulative_sum(x * y)),
    "what is taken": lambda x, y: xp.cumulative_sum(xp.take(x, xp.astype(y, xp.int64))) + 1,
    "its initial value": lambda x, y: xp.cumulative_sum(x * y, include_initial=True) * 2,
    "rows": lambda x, y: xp.cumulative_sum(xp.stack([x, y]), axis=1) * xp.asarray([[2.0], [3.0]]),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_one_kernel_does_it(name):
    x, y = (shared(numbers(100_000, "uint8").astype("float64")) for _ in range(2))
    outputs = TOGETHER[name](x, y)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    kernels = kernels_of(*outputs)
    assert [len(kernel.scanned_on) for kernel in kernels] == ([0, 1] if name == "its initial value" else [1])
    for got, want in zip(compiled(*outputs), xp.compute(*outputs, optimize="none"), strict=True):
        same_bits(got, want)


def test_what_walks_over_its_data_twice_is_apart():
    x = shared(numbers(100_000, "float64"))
    c = xp.cumulative_sum(x * 2)
    outputs = (c, xp.var(c), c - xp.mean(c), xp.argmax(c))
    for got, want in zip(compiled(*outputs), xp.compute(*outputs, optimize="none"), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-9)


def test_scans_of_windows():
    """What long rows add up is not computed a few rows at a time: each piece waits for the one before it."""

    def function(xp, x):
        c = x * 2 - 1
        return xp.cumulative_sum(c[1:] - c[:-1] * 2, axis=-1)

    for x in (numbers((60, 70_001), "float32"), numbers(300_000, "int64")):
        agrees(function, x)
        assert "sliding" not in {node.op.name for node in planned(function(xp, shared(x)))}


# --- initial values --------------------------------------------------------------------------------------------------

INITIAL = {
    "plain": lambda xp, x, y, **at: xp.cumulative_sum(x, **at),
    "in a chain": lambda xp, x, y, **at: 1 - xp.cumulative_sum(x * x, **at) * 2,
    "beside as many": lambda xp, x, y, **at: y - xp.real(-xp.cumulative_sum(x * x, **at) * y),
    "two": lambda xp, x, y, **at: xp.cumulative_sum(x * 2, **at) - xp.cumulative_prod(x * 0 + 1, **at),
    "read twice": lambda xp, x, y, **at: (lambda c: (c, c * 2, xp.sum(c * y)))(xp.cumulative_sum(x * 2, **at)),
    "from the first on": lambda xp, x, y, **at: xp.cumulative_sum(x * 2, **at)[..., 1:] * 2,
    "broadcast": lambda xp, x, y, **at: xp.cumulative_sum(x * 2, **at)[None] * xp.stack([y, y + 1]),
    "a cast": lambda xp, x, y, **at: xp.cumulative_sum(x * 2, dtype=xp.complex128, **at) + 1,
}


@pytest.mark.parametrize("name", INITIAL)
@pytest.mark.parametrize("dtype", ["int8", "float32", "float64", "complex128"])
def test_initial_values(name, dtype):
    for shape in ((2,), (9,), (70_001,), (5, 7), (7, 40_000), (40, 50, 6), (1, 300, 1), (0, 4), (4, 0), (3, 1)):
        for axis in range(len(shape)):
            longer = [n + (i == axis) for i, n in enumerate(shape)]
            x, y = numbers(shape, dtype), numbers(longer, dtype)
            for a, b in ((x, y), (np.asfortranarray(x)[::-1], np.asfortranarray(y))):
                function = INITIAL[name]
                got = function(xp, shared(a), shared(b), axis=axis, include_initial=True)
                want = function(np, a, b, axis=axis, include_initial=True)
                pairs = zip(got, want, strict=True) if isinstance(got, tuple) else ((got, want),)
                for lazy, expected in pairs:
                    for run in (compiled, interpreted):
                        same_bits(run(lazy)[0], np.asarray(expected), (shape, axis, run))
                    if lazy.size and 0 not in shape and shape[axis] > 1:
                        assert not {"cumulative_sum", "cumulative_prod"} & {node.op.name for node in planned(lazy)}


def test_a_zero_that_is_the_first_element_keeps_its_sign():
    for dtype in ("float64", "complex64"):
        x = np.full((3, 5), -0.0, dtype)
        for axis in (0, 1):
            agrees(lambda xp, x, axis=axis: xp.cumulative_sum(x, axis=axis, include_initial=True), x)


def test_truth_values_are_added_up_as_numpy_does():
    x = numbers((300, 400), "bool")
    for axis in (0, 1):
        agrees(lambda xp, x, axis=axis: xp.cumulative_sum(x, axis=axis, dtype=np.dtype(bool)), x)
        agrees(lambda xp, x, axis=axis: xp.sum(x & x, axis=axis, dtype=np.dtype(bool)), x)
    agrees(lambda xp, x: xp.cumulative_sum(x, dtype=np.dtype(bool)), numbers(70_001, "bool"))
    agrees(lambda xp, x: xp.sum(x & x, dtype=np.dtype(bool)), numbers(200_000, "bool"))
