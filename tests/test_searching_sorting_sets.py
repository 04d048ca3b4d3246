"""Searching, sorting, set functions and clip against NumPy: every dtype, special values, every parameter."""

import itertools

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.testing.inputs import DTYPES, REAL, equal, plain, samples, special

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


# --- sorting ---------------------------------------------------------------------------------------------------------


def descending_order(x, axis):
    """The stable descending order with NaN first: that of the ascending one from behind."""
    backwards = np.argsort(np.flip(x, axis), axis=axis, stable=True)
    return x.shape[axis] - 1 - np.flip(backwards, axis)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sort_and_argsort(dtype):
    for x in samples(dtype):
        for axis, descending in itertools.product(range(-x.ndim, x.ndim), (False, True)):
            params = {"axis": axis, "descending": descending}
            order = descending_order(x, axis) if descending else np.argsort(x, axis=axis, stable=True)
            lazy = xp.asarray(x)
            got, values, unstable = xp.compute(
                xp.argsort(lazy, **params), xp.sort(lazy, **params), xp.sort(lazy, stable=False, **params)
            )
            equal(got, order, (x, params))
            equal(values, np.take_along_axis(x, order, axis), (x, params))
            equal(unstable, values, (x, params), rounding=True)
            loose = xp.argsort(lazy, stable=False, **params).compute()
            np.testing.assert_array_equal(np.take_along_axis(x, loose, axis), values)


def test_sort_puts_nan_last_and_first():
    x = xp.asarray([np.nan, 1.0, -0.0, np.inf, 0.0, -np.inf])
    equal(xp.sort(x).compute(), np.array([-np.inf, -0.0, 0.0, 1.0, np.inf, np.nan]))
    equal(xp.sort(x, descending=True).compute(), np.array([np.nan, np.inf, 1.0, -0.0, 0.0, -np.inf]))


def test_sort_is_a_copy():
    x = xp.asarray([2, 1])
    y = xp.sort(x)
    y[0] = 9
    equal(x.compute(), np.array([2, 1]))


# --- searching -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_nonzero(dtype):
    for x in samples(dtype):
        if x.ndim:
            for got, expected in zip(xp.compute(*xp.nonzero(xp.asarray(x))), np.nonzero(x), strict=True):
                equal(got, expected, x)


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(dtype, side):
    for x in (plain((8,), dtype), plain((0,), dtype), *([special((8,), dtype)] if dtype.kind == "f" else [])):
        ordered, sorter = np.sort(x), np.argsort(x)
        for values in samples(dtype):
            expected = np.searchsorted(ordered, values, side=side)
            got, through = xp.compute(
                xp.searchsorted(xp.asarray(ordered), xp.asarray(values), side=side),
                xp.searchsorted(xp.asarray(x), xp.asarray(values), side=side, sorter=xp.asarray(sorter)),
            )
            equal(got, expected)
            equal(through, expected)


def test_searchsorted_scalars():
    x = np.array([1, 3, 200], np.uint8)
    for value in (0, 3, 300, -1, 2.5, True):
        equal(xp.searchsorted(xp.asarray(x), value).compute(), np.searchsorted(x, value), value)
    tenth = xp.asarray([0.1], dtype=xp.float32)
    assert int(xp.searchsorted(tenth, 0.1, side="right")) == 1, "a Python scalar takes the array's dtype"


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations_with_replacement(DTYPES, 2)), ids=str)
def test_where_promotes(first, second):
    condition = np.array([[True], [False]])
    a, b = plain((2, 3), first), plain((3,), second)
    equal(xp.where(xp.asarray(condition), xp.asarray(a), xp.asarray(b)).compute(), np.where(condition, a, b))
    equal(xp.where(xp.asarray(condition), xp.asarray(b), xp.asarray(a)).compute(), np.where(condition, b, a))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_where_with_scalars(dtype):
    for x in samples(dtype):
        condition = x != 0
        for scalar in (True, 2, 2.5, 1j, float("nan")):
            lazy = xp.where(xp.asarray(condition), xp.asarray(x), scalar)
            assert lazy.shape == x.shape
            equal(lazy.compute(), np.where(condition, x, scalar), (x, scalar))
            equal(xp.where(xp.asarray(condition), scalar, xp.asarray(x)).compute(), np.where(condition, scalar, x))


def test_where_leniently():
    mask = xp.asarray([1.0, 0.0, np.nan, -0.0])
    equal(xp.where(mask, 1, 2.5).compute(), np.array([1.0, 2.5, 1.0, 2.5]))
    equal(xp.where([True, False], 1, True).compute(), np.array([1, 1]))
    equal(xp.where(xp.asarray([1j, 0j]), np.float32(1), 0).compute(), np.array([1, 0], np.float32))
    equal(xp.where(True, xp.asarray([1, 2]), 0).compute(), np.array([1, 2]))


# --- sets ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_unique(dtype):
    for x in samples(dtype):
        lazy = xp.asarray(x)
        values, indices, inverse, counts = np.unique_all(x)
        got = xp.unique_all(lazy)
        assert got._fields == ("values", "indices", "inverse_indices", "counts")
        for one, expected in zip(xp.compute(*got), (values, indices, inverse, counts), strict=True):
            equal(one, expected, x)
        for got, expected in (
            (xp.unique_counts(lazy), (values, counts)),
            (xp.unique_inverse(lazy), (values, inverse)),
            ((xp.unique_values(lazy),), (values,)),
        ):
            for one, wanted in zip(xp.compute(*got), expected, strict=True):
                np.testing.assert_array_equal(one, wanted)
                assert one.dtype == wanted.dtype
                assert one.shape == wanted.shape


def test_unique_takes_every_nan_for_itself():
    x = xp.asarray([np.nan, 0.0, -0.0, np.nan])
    equal(xp.unique_counts(x).counts.compute(), np.array([2, 1, 1]))
    assert xp.unique_values(x).shape == (3,)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(DTYPES, DTYPES)), ids=str)
def test_isin(first, second):
    a, b = plain((2, 3), first), plain((2,), second)
    for invert in (False, True):
        lazy = xp.isin(xp.asarray(a), xp.asarray(b), invert=invert)
        assert lazy.shape == a.shape
        equal(lazy.compute(), np.isin(a, b, invert=invert), (a, b))


def test_isin_special():
    x = xp.asarray(np.array([0, 5, 255], np.uint8))
    for value, expected in ((5, [0, 1, 0]), (300, [0, 0, 0]), (-1, [0, 0, 0]), (5.0, [0, 1, 0])):
        equal(xp.isin(x, value).compute(), np.array(expected, bool), value)
    equal(xp.isin(5, x).compute(), np.array(True))
    equal(xp.isin(300, x, invert=True).compute(), np.array(True))
    equal(xp.isin(xp.asarray([np.nan, -0.0]), xp.asarray([np.nan, 0.0])).compute(), np.array([False, True]))
    big = xp.asarray(np.array([2**53 + 1], np.uint64))
    equal(xp.isin(big, xp.asarray([2**53])).compute(), np.array([False]))


# --- clip ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_clip(dtype):
    for x in samples(dtype, ((), (0,), (5,), (2, 3))):
        bounds = [(None, None), (1, None), (None, 2), (0, 2), (2, 1), (1.5, None), (np.array(1, dtype), None)]
        if x.ndim:
            bounds.append((x[..., ::-1], plain(x.shape, dtype)))
        if dtype.kind in "fc":
            bounds += [(np.nan, 2), (-np.inf, np.nan), (0, np.inf), (x[..., ::-1] if x.ndim else x, None)]
        for low, high in bounds:
            lazy = xp.clip(xp.asarray(x), *[xp.asarray(b) if isinstance(b, np.ndarray) else b for b in (low, high)])
            expected = x if low is None and high is None else np.clip(x, low, high)
            assert lazy.shape == np.shape(expected)
            got = lazy.compute()
            if dtype.kind == "f":
                # A number that is a bound may be either: which zero NumPy takes depends on how bounds lie in memory.
                either = (expected == 0) & (np.equal(low, 0) | np.equal(high, 0))
                got, expected = (np.where(either, np.abs(v), v) for v in (got, expected))
            equal(got, expected, (x, low, high))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "uint64"])
def test_clip_beyond_the_dtype(dtype):
    x = np.array([0, 5, 100], dtype)
    for low, high in ((-(2**80), 2**80), (-(2**80), 7), (3, 2**80), (None, 2**80)):
        equal(xp.clip(xp.asarray(x), low, high).compute(), np.clip(x, low, high), (low, high))


def test_clip_broadcasts_and_promotes():
    x = np.array([[1], [200]], np.uint8)
    for low, high in ((np.array([0.5, 9.0, 250.0]), None), (np.zeros(3, np.int16), np.float32(50)), (0.5, 2.5)):
        equal(xp.clip(xp.asarray(x), low, high).compute(), np.clip(x, low, high))
    y = xp.clip(xp.asarray(x), min=3)
    assert y.dtype == xp.uint8


def test_clip_without_bounds_is_a_snapshot():
    x = xp.asarray([1, 2])
    y = xp.clip(x)
    x[0] = 9
    equal(y.compute(), np.array([1, 2]))


# --- unknown sides and errors ----------------------------------------------------------------------------------------


def test_unknown_sides_are_carried():
    x = xp.asarray([3, 0, 1, 3])
    with xp.set_options(materialize="raise"):
        found = xp.unique_values(x)
        for result, shape in (
            (found, (None,)),
            (xp.sort(found), (None,)),
            (xp.argsort(found, descending=True), (None,)),
            (xp.where(found > 0, found, 0), (None,)),
            (xp.clip(found, 1, 2), (None,)),
            (xp.isin(found, x), (None,)),
            (xp.isin(x, found), (4,)),
            (xp.searchsorted(found, x), (4,)),
            (xp.unique_inverse(x).inverse_indices, (4,)),
            (xp.unique_inverse(found).inverse_indices, (None,)),
            (xp.nonzero(x)[0], (None,)),
        ):
            assert result.shape == shape
    equal(xp.searchsorted(found, x).compute(), np.array([2, 0, 1, 2]))
    equal(xp.clip(found, 1, 2).compute(), np.array([1, 1, 2]))


ERRORS = [
    (lambda x: xp.sort(x, axis=2), ValueError, "sort: axis 2 is out of bounds for an array with 2 dimensions"),
    (lambda x: xp.argsort(x[0, 0]), ValueError, "argsort: axis -1 is out of bounds for an array with 0 dimensions"),
    (lambda x: xp.sort(x, axis=None), TypeError, "sort: axis must be an integer"),
    (lambda x: xp.nonzero(x[0, 0]), ValueError, r"nonzero: expected at least 1 dimension, got float64\[\]"),
    (lambda x: xp.searchsorted(x, x), ValueError, r"searchsorted: x1 must be one-dimensional, got float64\[2, 3\]"),
    (lambda x: xp.searchsorted(x[0], x, side="middle"), ValueError, "searchsorted: side must be 'left' or 'right'"),
    (lambda x: xp.searchsorted(x[0], x, sorter=xp.asarray([0, 1])), ValueError, r"x1 and sorter: shape mismatch: .*3"),
    (lambda x: xp.searchsorted(x[0], x, sorter=x[0]), TypeError, r"searchsorted: expected integer data, got float64\["),
    (lambda x: xp.where(x > 0, x, xp.zeros(2)), ValueError, r"where: shape mismatch: cannot broadcast .*\(2,\)"),
    (lambda x: xp.where(x > 0, xp.zeros(3, dtype=xp.int8), 300), OverflowError, "where: Python integer 300 out of"),
    (lambda x: xp.clip(x, xp.zeros(2), 1), ValueError, r"clip: shape mismatch: cannot broadcast \(2, 3\) with \(2,\)"),
    (lambda x: xp.clip(xp.zeros(3, dtype=xp.int8), 300), OverflowError, "clip: Python integer 300 out of bounds"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_come_when_recording(call, error, message):
    with pytest.raises(error, match=message):
        call(xp.asarray(np.arange(6.0).reshape(2, 3)))


X, Z, B, N = xp.asarray([1.0, 2.0]), xp.asarray([1j, 2]), xp.asarray([True, False]), xp.asarray([1, 2])
STRICT = [
    (lambda: xp.sort(Z), "sort: expected real numeric data, got complex128"),
    (lambda: xp.argsort(B), "argsort: expected real numeric data, got bool"),
    (lambda: xp.searchsorted(Z, Z), "searchsorted: expected real numeric data, got complex128"),
    (lambda: xp.searchsorted(N, 1.5), "searchsorted: a Python float cannot be mixed with int64"),
    (lambda: xp.searchsorted(N, X), "searchsorted: the standard defines no promotion of int64 and float64"),
    (lambda: xp.where(X, X, X), "where: expected boolean data, got float64"),
    (lambda: xp.where(B, 1, 2), "where: at least one operand must be an array"),
    (lambda: xp.where(B, N, X), "where: the standard defines no promotion of int64 and float64"),
    (lambda: xp.where(B, N, 2.5), "where: a Python float cannot be mixed with int64"),
    (lambda: xp.where(B, [1.0, 2.0], X), "where: expected a lazyxp array, got list"),
    (lambda: xp.isin(X, X), "isin: expected integer data, got float64"),
    (lambda: xp.isin(1, 2), "isin: at least one operand must be an array"),
    (lambda: xp.clip(Z, 0, 1), "clip: expected real numeric data, got complex128"),
    (lambda: xp.clip(N, 0.5, 1), "clip: a Python float cannot be mixed with int64"),
    (lambda: xp.clip(X, xp.zeros(2, dtype=xp.float32)), "clip: array bounds must have the dtype of x, float64"),
]


@pytest.mark.parametrize(("call", "message"), STRICT)
def test_strict_refuses_what_the_standard_leaves_undefined(call, message):
    call()
    with xp.set_options(strict=True), pytest.raises(TypeError, match=message):
        call()


def test_strict_takes_what_the_standard_defines():
    with xp.set_options(strict=True):
        equal(xp.where(B, N, 0).compute(), np.array([1, 0]))
        equal(xp.clip(X, 1, 1.5).compute(), np.array([1.0, 1.5]))
        equal(xp.isin(N, 2).compute(), np.array([False, True]))
        equal(xp.searchsorted(X, 1).compute(), np.int64(0))
