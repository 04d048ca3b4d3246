"""The Fourier transform extension against NumPy: dtypes, lengths, axes, modes, errors, unknown sides."""

import inspect
import itertools
from functools import partial

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


def compare(cases):
    """Make all the calls, check what was inferred, compute once, compare with NumPy."""
    rows = [(label, lazy(), oracle()) for label, lazy, oracle in cases]
    for (label, lazy, expected), got in zip(rows, xp.compute(*[lazy for _, lazy, _ in rows]), strict=True):
        assert lazy.dtype == got.dtype == expected.dtype, label
        assert lazy.shape == got.shape == expected.shape, label
        tolerance = 64 * float(np.finfo(expected.dtype).eps)
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=str(label))


def case(name, x, **kw):
    """A row for `compare`: a label, the lazy call and NumPy's."""
    label = (name, x.shape, x.dtype, kw)
    return label, partial(getattr(xp.fft, name), x, **kw), partial(getattr(np.fft, name), x, **kw)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", ONE_DIM)
def test_one_dim(name, dtype):
    x = numbers((2, 3, 4), dtype)
    if name in REAL_ONLY and dtype.kind == "c":
        with pytest.raises(TypeError, match=rf"fft\.{name}: expected real floating-point data, got complex"):
            getattr(xp.fft, name)(x)
        return
    choices = itertools.product((None, 1, 2, 3, 7, np.int64(4)), (0, 1, -1, -2), NORMS)
    compare([case(name, x, n=n, axis=axis, norm=norm) for n, axis, norm in choices])
    compare([case(name, numbers(shape, dtype)) for shape in ((2,), (5,), (0, 4), (3, 0, 2))])
    compare([case(name, numbers(shape, dtype), n=3) for shape in ((1,), (2, 1))])


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", MANY_DIMS)
def test_many_dims(name, dtype):
    x = numbers((2, 3, 4), dtype)
    if name in REAL_ONLY and dtype.kind == "c":
        with pytest.raises(TypeError, match=rf"fft\.{name}: expected real floating-point data, got complex"):
            getattr(xp.fft, name)(x)
        return
    compare([case(name, numbers(shape, dtype), norm=norm) for shape in ((4,), (2, 3), (2, 3, 4)) for norm in NORMS])
    for axes in ((0, 1), (-1,), (2, 0), [1, -1], (-1, 0, 1)):
        lengths = (None, (3, 2, 5)[: len(axes)], [4] * len(axes), (-1, 3, 4)[: len(axes)] if len(axes) > 1 else (1,))
        compare([case(name, x, s=s, axes=axes, norm=norm) for s in lengths for norm in NORMS])


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
@pytest.mark.parametrize("name", [*ONE_DIM, *MANY_DIMS])
def test_nothing_is_padded_with_zeros(name, dtype):
    if name in REAL_ONLY and dtype.kind == "c":
        return
    for shape in ((0,), (2, 0)):
        kw = {"n": 5} if name in ONE_DIM else {"s": (5,), "axes": (-1,)}
        got = getattr(xp.fft, name)(numbers(shape, dtype), **kw)
        np.testing.assert_array_equal(got.compute(), np.zeros(got.shape, got.dtype))


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
    compare([case(name, x)])
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


def A(*shape, dtype="float64"):  # noqa: N802 - short, for the tables
    return xp.ones(shape, dtype=np.dtype(dtype))


# A function, its arguments, and the error with what its message says after the function's name.
ERRORS = [
    *[
        (f, [A(2, 3)], kw, error, message)
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
    *[(f, [A()], {}, ValueError, "axis -1 is out of bounds for an array with 0 dimensions") for f in ONE_DIM],
    *[
        (f, [A(2, 3)], kw, error, message)
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
    ("fft", [A(2, 0)], {}, ValueError, "cannot transform 0 points"),
    ("irfft", [A(1)], {}, ValueError, "cannot transform 0 points"),
    ("hfft", [A(0)], {}, ValueError, "cannot transform -2 points"),
    ("irfftn", [A(2, 1)], {}, ValueError, "cannot transform 0 points along axis 1"),
    ("rfftn", [A()], {}, ValueError, r"expected at least one axis to transform, got float64\[\]"),
    ("irfftn", [A(2)], {"axes": ()}, ValueError, "expected at least one axis"),
    ("fftshift", [A(2)], {"axes": (0, 0)}, ValueError, "an axis is repeated"),
    ("ifftshift", [A(2)], {"axes": 1}, ValueError, "axis 1 is out of bounds"),
    *[
        (f, args, kw, error, message)
        for f in ("fftfreq", "rfftfreq")
        for args, kw, error, message in (
            ([0], {}, ValueError, "n must be at least 1, not 0"),
            ([-2], {}, ValueError, "n must be at least 1, not -2"),
            ([2.0], {}, TypeError, "n must be an integer"),
            ([2], {"d": 0}, ValueError, "d, .* must not be 0"),
            ([2], {"d": 1j}, TypeError, "d must be a real number, not 1j"),
            ([2], {"dtype": np.dtype("complex64")}, TypeError, "dtype must be real floating-point, not complex64"),
            ([2], {"dtype": np.dtype("int32")}, TypeError, "dtype must be real floating-point, not int32"),
            ([2], {"device": "moon"}, ValueError, ".*moon"),
        )
    ],
]


@pytest.mark.parametrize(("name", "args", "kw", "error", "message"), ERRORS)
def test_errors_when_recording(name, args, kw, error, message):
    with pytest.raises(error, match=rf"^fft\.{name}: {message}"):
        getattr(xp.fft, name)(*args, **kw)


COMPLEX = ("fft", "ifft", "fftn", "ifftn", "irfft", "irfftn", "hfft")
STRICT = [
    *[(f, [A(2)], {}, TypeError, r"expected complex floating-point data, got float64\[2\]") for f in COMPLEX],
    ("fftn", [A(2, 2, dtype="complex64")], {"s": (2,)}, ValueError, r"s=\(2,\) needs axes"),
    ("fft", [A(2, dtype="complex64")], {"norm": None}, ValueError, "norm must be one of"),
    ("fftshift", [A(2, dtype="int64")], {}, TypeError, "expected floating-point"),
]


@pytest.mark.parametrize(("name", "args", "kw", "error", "message"), STRICT)
def test_strict_refuses(name, args, kw, error, message):
    with xp.set_options(strict=True), pytest.raises(error, match=rf"^fft\.{name}: {message}"):
        getattr(xp.fft, name)(*args, **kw)


def test_norm_none_is_backward():
    x = numbers((4,), np.dtype("float64"))
    np.testing.assert_array_equal(xp.fft.fft(x, norm=None).compute(), np.fft.fft(x))
