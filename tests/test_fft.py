"""The Fourier transform extension against NumPy: dtypes, lengths, axes, modes, errors, unknown sides."""

import inspect
import itertools

import array_api_strict
import numpy as np
import pytest

import lazyxp as xp

FLOATING = tuple(np.dtype(name) for name in ("float32", "float64", "complex64", "complex128"))
NORMS = ("backward", "ortho", "forward")
REAL_ONLY = ("rfft", "ihfft", "rfftn")
ONE_DIM = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
MANY_DIMS = ("fftn", "ifftn", "rfftn", "irfftn")


def numbers(shape, dtype):
    """Ordinary numbers."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-2, 2, shape)
    return (values + 1j * rng.uniform(-2, 2, shape) if dtype.kind == "c" else values).astype(dtype)


def compare(calls):
    """Record all (label, lazy function, NumPy function), check what was inferred, compute once, compare with NumPy."""
    calls = [(label, lazy(), oracle()) for label, lazy, oracle in calls]
    for (label, lazy, expected), got in zip(calls, xp.compute(*[lazy for _, lazy, _ in calls]), strict=True):
        assert lazy.dtype == got.dtype == expected.dtype, label
        assert lazy.shape == got.shape == expected.shape, label
        tolerance = 64 * float(np.finfo(expected.dtype).eps)
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=str(label))


def call(name, x, **kw):
    """One row for `compare`."""
    lazy, oracle = getattr(xp.fft, name), getattr(np.fft, name)
    return (name, x.shape, x.dtype, kw), lambda: lazy(xp.asarray(x), **kw), lambda: oracle(x, **kw)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", ONE_DIM)
def test_one_dim(name, dtype):
    x = numbers((2, 3, 4), dtype)
    if name in REAL_ONLY and dtype.kind == "c":
        with pytest.raises(TypeError, match=rf"fft\.{name}: expected real floating-point data, got complex"):
            getattr(xp.fft, name)(x)
        return
    choices = itertools.product((None, 1, 2, 3, 7, np.int64(4)), (0, 1, -1, -2), NORMS)
    compare([call(name, x, n=n, axis=axis, norm=norm) for n, axis, norm in choices])
    compare([call(name, numbers(shape, dtype)) for shape in ((2,), (5,), (0, 4), (3, 0, 2))])
    compare([call(name, numbers(shape, dtype), n=3) for shape in ((0,), (1,), (2, 0))])


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", MANY_DIMS)
def test_many_dims(name, dtype):
    x = numbers((2, 3, 4), dtype)
    if name in REAL_ONLY and dtype.kind == "c":
        with pytest.raises(TypeError, match=rf"fft\.{name}: expected real floating-point data, got complex"):
            getattr(xp.fft, name)(x)
        return
    compare([call(name, numbers(shape, dtype), norm=norm) for shape in ((4,), (2, 3), (2, 3, 4)) for norm in NORMS])
    for axes in ((0, 1), (-1,), (2, 0), [1, -1], (-1, 0, 1)):
        lengths = (None, (3, 2, 5)[: len(axes)], [4] * len(axes), (-1, 3, 4)[: len(axes)] if len(axes) > 1 else (1,))
        compare([call(name, x, s=s, axes=axes, norm=norm) for s in lengths for norm in NORMS])


@pytest.mark.parametrize("name", MANY_DIMS)
def test_lengths_without_axes_take_the_last_ones(name):
    x = numbers((2, 3, 4), np.dtype("float64"))
    got = getattr(xp.fft, name)(x, s=(2, 5)).compute()
    np.testing.assert_allclose(got, getattr(np.fft, name)(x, s=(2, 5), axes=(-2, -1)))


@pytest.mark.parametrize("name", ["fftn", "ifftn"])
@pytest.mark.parametrize("dtype", FLOATING, ids=str)
def test_no_axes_change_nothing(name, dtype):
    for x, axes in ((numbers((), dtype), None), (numbers((2, 3), dtype), ())):
        got = getattr(xp.fft, name)(x, axes=axes)
        assert got.dtype == np.result_type(dtype, np.complex64)
        np.testing.assert_array_equal(got.compute(), x)


def test_minus_one_takes_the_whole_half_spectrum():
    x = numbers((2, 3, 4), np.dtype("complex128"))
    got = xp.fft.irfftn(x, s=(3, -1), axes=(0, 2))
    assert got.shape == (3, 3, 6)
    np.testing.assert_allclose(got.compute(), np.fft.irfftn(x, s=(3, 6), axes=(0, 2)))


@pytest.mark.parametrize("forward", ["fft", "fftn"])
def test_round_trips(forward):
    for norm, dtype in itertools.product(NORMS, FLOATING):
        x = numbers((3, 4), dtype)
        tolerance = 64 * float(np.finfo(dtype).eps)
        back = getattr(xp.fft, f"i{forward}")(getattr(xp.fft, forward)(x, norm=norm), norm=norm)
        np.testing.assert_allclose(back.compute(), x, atol=tolerance)
        if dtype.kind == "f":
            back = getattr(xp.fft, f"ir{forward}")(getattr(xp.fft, f"r{forward}")(x, norm=norm), norm=norm)
            assert back.dtype == dtype
            np.testing.assert_allclose(back.compute(), x, atol=tolerance)
    x = numbers((3, 4), np.dtype("float64"))
    np.testing.assert_allclose(xp.fft.hfft(xp.fft.ihfft(x)).compute(), x)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64"])
@pytest.mark.parametrize("name", [*ONE_DIM, *MANY_DIMS])
def test_integers_become_floats(name, dtype):
    x = np.array([[1, 0, 1], [0, 1, 1]], dtype=dtype)
    compare([call(name, x)])
    with (
        xp.set_options(strict=True),
        pytest.raises(TypeError, match=rf"fft\.{name}: expected .*floating-point.*{dtype}"),
    ):
        getattr(xp.fft, name)(xp.asarray(x))


@pytest.mark.parametrize("name", ["fftfreq", "rfftfreq"])
def test_frequencies(name):
    function, oracle = getattr(xp.fft, name), getattr(np.fft, name)
    for n, d, dtype in itertools.product(
        (1, 2, 5, 8, np.int32(7)), (1.0, 0.25, 3, -2.0), (None, xp.float32, xp.float64)
    ):
        result = function(n, d=d, dtype=dtype, device="cpu")
        expected = oracle(n, d).astype(dtype)
        assert result.dtype == expected.dtype
        assert result.shape == expected.shape
        np.testing.assert_array_equal(result.compute(), expected)
    np.testing.assert_array_equal(function(6).compute(), oracle(6))


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
def test_shifts(name):
    function, oracle = getattr(xp.fft, name), getattr(np.fft, name)
    for dtype, shape in itertools.product(
        (*FLOATING, np.dtype("int8")), ((4,), (5,), (0,), (3, 4), (2, 0, 3), (2, 3, 5))
    ):
        x, n = numbers(shape, dtype), len(shape)
        for axes in (None, 0, -1, (0,), [-1], tuple(range(n)), tuple(range(-n, 0))):
            result = function(xp.asarray(x), axes=axes)
            assert (result.shape, result.dtype) == (shape, dtype)
            np.testing.assert_array_equal(result.compute(), oracle(x, axes=axes))
    for x, axes in ((np.float64(3), None), (np.arange(3.0), ())):
        np.testing.assert_array_equal(function(x, axes=axes).compute(), x)


@pytest.mark.parametrize("name", ["fftshift", "ifftshift"])
@pytest.mark.parametrize("axes", [None, ()])
def test_shifts_are_copies(name, axes):
    x = xp.asarray([1.0, 2.0])
    shifted = getattr(xp.fft, name)(x, axes=axes)
    before = shifted.compute()
    x[...] = 0.0
    np.testing.assert_array_equal(shifted.compute(), before)
    shifted[...] = 5.0
    np.testing.assert_array_equal(x.compute(), [0.0, 0.0])


@pytest.mark.parametrize("name", xp.fft.__all__)
def test_signatures_are_the_standards(name):
    def parameters(function):
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]

    assert parameters(getattr(xp.fft, name)) == parameters(getattr(array_api_strict.fft, name))


class TestUnknownSides:
    """Rows chosen by a mask: their number is unknown until something is computed."""

    @pytest.fixture
    def x(self):
        return numbers((4, 3), np.dtype("float64"))

    @pytest.fixture
    def rows(self, x):
        with xp.set_options(materialize="raise"):
            yield xp.asarray(x)[xp.asarray([True, True, False, True])]

    @pytest.mark.parametrize("name", ONE_DIM)
    def test_one_dim(self, x, rows, name):
        function, oracle = getattr(xp.fft, name), getattr(np.fft, name)
        columns = oracle(x[0]).shape[0]
        for kw, shape in (({"axis": 0}, (None, 3)), ({"axis": 1}, (None, columns)), ({"n": 1, "axis": 0}, (1, 3))):
            result = function(rows, **kw)
            assert result.shape == shape
            np.testing.assert_allclose(result.compute(), oracle(x[[0, 1, 3]], **kw))

    @pytest.mark.parametrize("name", MANY_DIMS)
    def test_many_dims(self, x, rows, name):
        function, oracle = getattr(xp.fft, name), getattr(np.fft, name)
        columns = {"rfftn": 2, "irfftn": 4}.get(name, 3)
        cases = [
            ({}, (None, columns)),
            ({"axes": (1, 0)}, (None, None) if name == "never" else (3, None)),
            ({"s": (-1, 3), "axes": (0, 1)}, (None, 2 if name == "rfftn" else 3)),
            ({"s": (2, 3), "axes": (0, 1)}, (2, 2 if name == "rfftn" else 3)),
        ]
        for kw, shape in cases:
            result = function(rows, **kw)
            assert result.shape == shape
            np.testing.assert_allclose(result.compute(), oracle(x[[0, 1, 3]], **kw), atol=1e-12)

    def test_an_unknown_half_spectrum_needs_its_length(self, rows):
        with pytest.raises(ValueError, match=r"fft\.irfftn: s\[-1\] must be a length, not -1, where .*\[\?, 3\]"):
            xp.fft.irfftn(rows, s=(2, -1), axes=(1, 0))

    def test_shift(self, x, rows):
        result = xp.fft.fftshift(rows)
        assert result.shape == (None, 3)
        np.testing.assert_array_equal(result.compute(), np.fft.fftshift(x[[0, 1, 3]]))


def _ones(*shape, dtype=np.complex128):
    return xp.ones(shape, dtype=np.dtype(dtype))


ERRORS = [
    *[
        (lambda f=f: getattr(xp.fft, f)(_ones(2, 3, dtype=float), **kw), error, rf"fft\.{f}: {message}")
        for f in ONE_DIM
        for kw, error, message in (
            ({"n": 0}, ValueError, r"cannot transform 0 points along axis 1 of \w+\[2, 3\]"),
            ({"n": -3}, ValueError, "cannot transform -3 points"),
            ({"n": 2.0}, TypeError, "n must be an integer, not 2.0"),
            ({"axis": 2}, ValueError, "axis 2 is out of bounds for an array with 2 dimensions"),
            ({"axis": None}, TypeError, "axis must be an integer"),
            ({"norm": "foo"}, ValueError, "norm must be one of 'backward', 'ortho', 'forward', not 'foo'"),
        )
    ],
    *[
        (lambda f=f, kw=kw: getattr(xp.fft, f)(_ones(2, 3, dtype=float), **kw), error, rf"fft\.{f}: {message}")
        for f in MANY_DIMS
        for kw, error, message in (
            ({"s": (0, 3), "axes": (0, 1)}, ValueError, "cannot transform 0 points along axis 0"),
            ({"s": (2, -2), "axes": (0, 1)}, ValueError, "cannot transform -2 points along axis 1"),
            ({"s": (2.5,), "axes": (0,)}, TypeError, "each length in s must be an integer, not 2.5"),
            ({"s": 4, "axes": (0,)}, TypeError, "s must be a sequence of integers, not 4"),
            ({"s": (2,), "axes": (0, 1)}, ValueError, r"s=\(2,\) and axes=\(0, 1\) must be equally long"),
            ({"s": (2, 2, 2)}, ValueError, "axis -3 is out of bounds"),
            ({"axes": (0, 2)}, ValueError, "axis 2 is out of bounds"),
            ({"axes": (0, -2)}, ValueError, "an axis is repeated"),
            ({"norm": 1}, ValueError, "norm must be one of"),
        )
    ],
    *[
        (lambda f=f: getattr(xp.fft, f)(_ones(dtype=float)), ValueError, rf"fft\.{f}: axis -1 is out of bounds")
        for f in ONE_DIM
    ],
    *[
        (
            lambda f=f, kw=kw: getattr(xp.fft, f)(_ones(3)[:n].real, **kw),
            ValueError,
            rf"fft\.{f}: cannot transform {m} ",
        )
        for f, n, kw, m in (("fft", 0, {}, 0), ("irfft", 1, {}, 0), ("hfft", 0, {}, -2), ("irfftn", 1, {}, 0))
    ],
    (lambda: xp.fft.rfftn(_ones(dtype=float)), ValueError, r"fft\.rfftn: expected at least one axis .*float64\[\]"),
    (lambda: xp.fft.irfftn(_ones(2), axes=()), ValueError, r"fft\.irfftn: expected at least one axis"),
    (lambda: xp.fft.fftshift(_ones(2), axes=(0, 0)), ValueError, r"fft\.fftshift: an axis is repeated"),
    (lambda: xp.fft.ifftshift(_ones(2), axes=1), ValueError, r"fft\.ifftshift: axis 1 is out of bounds"),
    *[
        (lambda f=f, a=args, kw=kw: getattr(xp.fft, f)(*a, **kw), error, rf"fft\.{f}: {message}")
        for f in ("fftfreq", "rfftfreq")
        for args, kw, error, message in (
            ((0,), {}, ValueError, "n must be at least 1, not 0"),
            ((-2,), {}, ValueError, "n must be at least 1, not -2"),
            ((2.0,), {}, TypeError, "n must be an integer"),
            ((2,), {"d": 0}, ValueError, "d, .* must not be 0"),
            ((2,), {"d": 1j}, TypeError, "d must be a real number, not 1j"),
            ((2,), {"dtype": np.dtype("complex64")}, TypeError, "dtype must be real floating-point, not complex64"),
            ((2,), {"dtype": np.dtype("int32")}, TypeError, "dtype must be real floating-point, not int32"),
            ((2,), {"device": "moon"}, ValueError, ".*moon"),
        )
    ],
]


@pytest.mark.parametrize(("record", "error", "message"), ERRORS)
def test_errors_when_recording(record, error, message):
    with pytest.raises(error, match=message):
        record()


STRICT = [
    *[
        (
            lambda f=f: getattr(xp.fft, f)(_ones(2, dtype=float)),
            TypeError,
            rf"fft\.{f}: expected complex floating-point",
        )
        for f in ("fft", "ifft", "fftn", "ifftn", "irfft", "irfftn", "hfft")
    ],
    (lambda: xp.fft.fftn(_ones(2, 2), s=(2,)), ValueError, r"fft\.fftn: s=\(2,\) needs axes"),
    (lambda: xp.fft.fft(_ones(2), norm=None), ValueError, r"fft\.fft: norm must be one of"),
    (lambda: xp.fft.fftshift(_ones(2, dtype=int)), TypeError, r"fft\.fftshift: expected floating-point"),
]


@pytest.mark.parametrize(("record", "error", "message"), STRICT)
def test_strict_refuses(record, error, message):
    with xp.set_options(strict=True), pytest.raises(error, match=message):
        record()


def test_norm_none_is_backward():
    x = numbers((4,), np.dtype("float64"))
    np.testing.assert_array_equal(xp.fft.fft(x, norm=None).compute(), np.fft.fft(x))
