"""Reductions, scans and differences against NumPy: every dtype, awkward shapes, special values, every parameter."""

import itertools

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.testing.inputs import DTYPES, NUMERIC, axes_of, equal, samples

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def compare(calls, *, rounding=False):
    """Record all `calls` (label, lazy function, NumPy function), compute them at once, and compare with NumPy.

    Where NumPy raises ValueError, recording has to.
    """
    recorded, expected = [], []
    for label, lazy, oracle in calls:
        try:
            value = oracle()
        except ValueError:
            with pytest.raises(ValueError, match=r"\w+: "):
                lazy()
            continue
        result = lazy()
        assert result.dtype == np.asarray(value).dtype, label
        assert result.shape == np.asarray(value).shape, label
        recorded.append((label, result))
        expected.append(value)
    for (label, _), got, value in zip(recorded, xp.compute(*[r for _, r in recorded]), expected, strict=True):
        equal(got, value, label, rounding=rounding)


def mean_oracle(x, **params):
    if x.dtype.kind != "c":
        return np.mean(x, **params)
    real, imag = np.mean(x.real, **params), np.mean(x.imag, **params)
    result = np.empty(np.shape(real), x.dtype)
    result.real, result.imag = real, imag
    return result


def spread_oracle(function):
    def oracle(x, *, axis, correction, keepdims):
        result = function(x, axis=axis, ddof=correction, keepdims=keepdims)
        count = np.sum(np.ones(x.shape), axis=axis, keepdims=keepdims)
        return np.where(count - correction <= 0, np.nan, result).astype(np.asarray(result).dtype)

    return oracle


ORACLES = {
    **{name: getattr(np, name) for name in ("max", "min", "sum", "prod", "all", "any", "count_nonzero")},
    "mean": mean_oracle,
    "std": spread_oracle(np.std),
    "var": spread_oracle(np.var),
}
OPTIONS = {
    "sum": [{}, {"dtype": np.dtype("float64")}, {"dtype": np.dtype("int16")}, {"dtype": np.dtype("complex64")}],
    "prod": [{}, {"dtype": np.dtype("float32")}, {"dtype": np.dtype("uint64")}],
    "std": [{"correction": c} for c in (0, 1, 0.5, 3.0)],
    "var": [{"correction": c} for c in (0, 1, -1.5, 3.0)],
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ORACLES)
def test_reductions(name, dtype):
    calls = []
    for x, options in itertools.product(samples(dtype), OPTIONS.get(name, [{}])):
        target = options.get("dtype", x.dtype)
        if (x.dtype.kind == "c" > target.kind) or (target.kind in "iu" and not np.all(np.isfinite(x))):
            continue  # NumPy warns of lost imaginary parts, and integers have no NaN
        if x.dtype.kind == "f" and target.kind == "u" and np.any(x < 0):
            continue  # C leaves the cast open: each compiler and processor has its own
        if name == "count_nonzero" and not x.ndim:
            axes = [None]
        else:
            axes = axes_of(x.ndim)
        lazy = xp.asarray(x)
        for axis, keepdims in itertools.product(axes, (False, True)):
            params = {"axis": axis, "keepdims": keepdims, **options}
            calls.append(
                (
                    (name, x.shape, params),
                    lambda lazy=lazy, params=params: getattr(xp, name)(lazy, **params),
                    lambda x=x, params=params: ORACLES[name](x, **params),
                )
            )
    compare(calls, rounding=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions(name, dtype):
    calls = []
    for x in samples(dtype):
        lazy = xp.asarray(x)
        for axis, keepdims in itertools.product((None, *range(-x.ndim, x.ndim)), (False, True)):
            params = {"axis": axis, "keepdims": keepdims}
            calls.append(
                (
                    (name, x.shape, params),
                    lambda lazy=lazy, params=params: getattr(xp, name)(lazy, **params),
                    lambda x=x, params=params: getattr(np, name)(x, **params),
                )
            )
    compare(calls)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ["cumulative_sum", "cumulative_prod"])
def test_scans(name, dtype):
    calls = []
    targets = (None, np.dtype("complex128")) if dtype.kind == "c" else (None, np.dtype("float32"))
    for x in samples(dtype):
        lazy = xp.asarray(x)
        axes = [*range(-x.ndim, x.ndim), *([None] if x.ndim < 2 else [])]
        for axis, target, initial in itertools.product(axes, targets, (False, True)):
            params = {"axis": axis, "dtype": target, "include_initial": initial}
            calls.append(
                (
                    (name, x.shape, params),
                    lambda lazy=lazy, params=params: getattr(xp, name)(lazy, **params),
                    lambda x=x, params=params: getattr(np, name)(x, **params),
                )
            )
    compare(calls, rounding=True)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_diff(dtype):
    calls = []
    for x in samples(dtype):
        lazy = xp.asarray(x)
        for axis, n in itertools.product(range(-x.ndim, x.ndim), (0, 1, 2, 9)):
            edge = np.take(np.concatenate([x, np.ones_like(x)], axis=axis), [0], axis=axis) if x.shape[axis] else None
            edges = [{}]
            if edge is not None:
                edges += [{"prepend": edge}, {"append": edge}, {"prepend": edge, "append": x}]
            for extra in edges:
                if n == 0 and extra:
                    continue  # NumPy ignores them then, the standard does not
                params = {"axis": axis, "n": n}
                calls.append(
                    (
                        ("diff", x.shape, params, list(extra)),
                        lambda lazy=lazy, params=params, extra=extra: xp.diff(
                            lazy, **params, **{k: xp.asarray(v) for k, v in extra.items()}
                        ),
                        lambda x=x, params=params, extra=extra: np.diff(x, **params, **extra),
                    )
                )
    compare(calls, rounding=True)


def test_diff_edges():
    x = xp.asarray(np.array([1, 4, 9], np.uint8))
    equal(xp.diff(x, prepend=0).compute(), np.diff(np.array([1, 4, 9], np.uint8), prepend=0))
    equal(xp.diff(x, append=xp.asarray([1.5])).compute(), np.array([3.0, 5.0, -7.5]))
    equal(xp.diff(x, n=0, prepend=x).compute(), np.array([1, 4, 9, 1, 4, 9], np.uint8))
    grid = np.arange(6.0).reshape(2, 3)
    equal(xp.diff(xp.asarray(grid), axis=0, append=2.0).compute(), np.diff(grid, axis=0, append=2.0))


def test_result_is_a_snapshot():
    x = xp.asarray([1.0, 2.0, 3.0])
    whole, total = xp.diff(x, n=0), xp.sum(x)
    x[0] = 100.0
    equal(whole.compute(), np.array([1.0, 2.0, 3.0]))
    assert float(total) == 6.0
    y = xp.asarray(1.0)
    scanned = xp.cumulative_sum(y)
    y[...] = 5.0
    equal(scanned.compute(), np.array([1.0]))


def test_lists_and_scalars_are_taken():
    assert int(xp.sum([[1, 2], [3, 4]])) == 10
    assert float(xp.mean(np.arange(4))) == 1.5
    assert bool(xp.all(True))


def test_unknown_sides_are_carried():
    with xp.set_options(materialize="raise"):
        x = xp.asarray([[3.0, 1.0], [0.0, 2.0]])
        found = x[x > 0]
        for result, shape in (
            (xp.sum(found), ()),
            (xp.max(found, keepdims=True), (1,)),
            (xp.argmax(found), ()),
            (xp.cumulative_sum(found, include_initial=True), (None,)),
            (xp.diff(found), (None,)),
            (xp.diff(found, prepend=0.0), (None,)),
            (xp.any(xp.expand_dims(found, axis=0), axis=0), (None,)),
            (xp.var(found, correction=1), ()),
        ):
            assert result.shape == shape
    equal(xp.diff(found, prepend=0.0).compute(), np.array([3.0, -2.0, 1.0]))
    equal(xp.var(found, correction=1).compute(), np.float64(1.0))
    equal(xp.cumulative_sum(found, include_initial=True).compute(), np.array([0.0, 3.0, 4.0, 6.0]))


X = np.arange(6.0).reshape(2, 3)
ERRORS = [
    (lambda x: xp.max(x[:0]), ValueError, r"max: float64\[0, 3\] has no elements along axis \(0, 1\)"),
    (lambda x: xp.min(x[:, :0], axis=1), ValueError, r"min: float64\[2, 0\] has no elements"),
    (lambda x: xp.argmax(x[:, :0], axis=1), ValueError, r"argmax: float64\[2, 0\] has no elements along axis 1"),
    (lambda x: xp.argmin(x[:0]), ValueError, r"argmin: float64\[0, 3\] has no elements to search"),
    (lambda x: xp.sum(x, axis=2), ValueError, "sum: axis 2 is out of bounds for an array with 2 dimensions"),
    (lambda x: xp.sum(x, axis=-3), IndexError, "sum: axis -3 is out of bounds"),
    (lambda x: xp.mean(x, axis=(0, -2)), ValueError, "mean: an axis is repeated"),
    (lambda x: xp.any(x, axis=1.0), TypeError, "any: axis must be an integer"),
    (lambda x: xp.argmax(x, axis=(0,)), TypeError, "argmax: axis must be an integer"),
    (lambda x: xp.sum(x, dtype="U3"), TypeError, "sum: data type .* is not one of the standard's"),
    (lambda x: xp.std(x, correction="1"), TypeError, "std: correction must be a real number, not '1'"),
    (lambda x: xp.var(x, correction=1j), TypeError, "var: correction must be a real number"),
    (lambda x: xp.cumulative_sum(x), ValueError, "cumulative_sum: 2 dimensions need an axis"),
    (lambda x: xp.cumulative_prod(x, axis=2), ValueError, "cumulative_prod: axis 2 is out of bounds"),
    (lambda x: xp.diff(x, n=-1), ValueError, "diff: n must not be negative, got -1"),
    (lambda x: xp.diff(x, n=1.5), TypeError, "diff: n must be an integer"),
    (lambda x: xp.diff(x, axis=2), ValueError, "diff: axis 2 is out of bounds"),
    (lambda x: xp.diff(x[0, 0]), ValueError, r"diff: expected at least 1 dimensions, got float64\[\]"),
    (lambda x: xp.diff(x, prepend=x[:1]), ValueError, r"diff: shape mismatch: prepend float64\[1, 3\] must have"),
    (lambda x: xp.diff(x, append=x[0]), ValueError, r"diff: shape mismatch: append float64\[3\] must have"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS)
def test_errors_come_when_recording(call, error, message):
    with pytest.raises(error, match=message):
        call(xp.asarray(X))


STRICT = [
    *[(name, np.dtype("bool")) for name in ("max", "min", "sum", "prod", "mean", "std", "var", "argmax", "diff")],
    *[(name, np.dtype("complex64")) for name in ("max", "min", "std", "var", "argmax", "argmin")],
    *[(name, np.dtype("int32")) for name in ("mean", "std", "var")],
]


@pytest.mark.parametrize(("name", "dtype"), STRICT)
def test_strict_refuses_other_dtypes(name, dtype):
    x = xp.asarray(np.ones(3, dtype))
    getattr(xp, name)(x)
    with xp.set_options(strict=True), pytest.raises(TypeError, match=f"{name}: expected .* got {dtype}"):
        getattr(xp, name)(x)


def test_strict_refuses_what_the_standard_leaves_undefined():
    x, z = xp.asarray([1, 2]), xp.asarray([1j])
    with xp.set_options(strict=True):
        with pytest.raises(TypeError, match="sum: int64 data cannot be accumulated in bool"):
            xp.sum(x, dtype=xp.bool)
        with pytest.raises(TypeError, match="prod: complex128 data cannot be accumulated in float64"):
            xp.prod(z, dtype=xp.float64)
        with pytest.raises(ValueError, match="cumulative_sum: expected at least 1 dim"):
            xp.cumulative_sum(x[0])
        with pytest.raises(ValueError, match="diff: shape mismatch"):
            xp.diff(x, prepend=x[0])
        with pytest.raises(TypeError, match="diff: the standard defines no promotion"):
            xp.diff(x, prepend=xp.asarray([1.0]))
        for dtype in NUMERIC:
            assert xp.sum(xp.zeros(2, dtype=dtype), dtype=dtype).dtype == dtype
