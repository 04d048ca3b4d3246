"""The linear algebra extension against NumPy: dtypes, stacks, empty matrices, parameters, errors, unknown sides."""

import inspect
import itertools
from functools import partial

import array_api_strict
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.testing.inputs import NUMERIC

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

FLOATING = tuple(np.dtype(name) for name in ("float32", "float64", "complex64", "complex128"))
STACKS = ((), (1,), (3,), (0,), (2, 3))
SIDES = ((0, 0), (0, 3), (3, 0), (1, 1), (2, 2), (4, 2), (2, 4), (3, 3))
SHAPES = [(*stack, *side) for stack, side in itertools.product(STACKS, SIDES)]
SQUARE = [s for s in SHAPES if s[-1] == s[-2]]
OFFSETS = (0, 1, -2, 9)


def matrices(shape, dtype, seed=0):
    """Ordinary numbers."""
    rng = np.random.default_rng(seed)
    if dtype.kind in "iub":
        return rng.integers(0, 2 if dtype.kind == "b" else 9, shape).astype(dtype)
    values = rng.uniform(-2, 2, shape)
    return (values + 1j * rng.uniform(-2, 2, shape) if dtype.kind == "c" else values).astype(dtype)


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def regular(shape, dtype):
    """Matrices that are far from singular."""
    return (matrices(shape, dtype) + 4 * np.eye(*shape[-2:])).astype(dtype)


def hermitian(shape, dtype):
    x = matrices(shape, dtype)
    return x + adjoint(x)


def positive(shape, dtype):
    x = regular(shape, dtype)
    return x @ adjoint(x)


def deficient(shape, dtype):
    """Matrices of rank 1 or 0."""
    x = matrices(shape, dtype)
    return x if 0 in shape[-2:] else x[..., :, :1] @ x[..., :1, :]


def close(got, expected, label, factor=200):
    """Assert dtype, shape, and values up to rounding."""
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.dtype == expected.dtype, (label, got.dtype, expected.dtype)
    assert got.shape == expected.shape, (label, got.shape, expected.shape)
    if expected.dtype.kind in "fc":
        tolerance = factor * float(np.finfo(expected.dtype).eps)
        np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=str(label))
    else:
        np.testing.assert_array_equal(got, expected, err_msg=str(label))


def case(name, *args, **kw):
    """A row for `compare`: a label, the lazy call and NumPy's."""
    label = (name, *[(a.dtype, a.shape) if isinstance(a, np.ndarray) else a for a in args], kw)
    return label, partial(getattr(xp.linalg, name), *args, **kw), partial(getattr(np.linalg, name), *args, **kw)


def compare(cases):
    """Make all the calls, check what was inferred, compute once, compare with NumPy."""
    rows = []
    for label, lazy, oracle in cases:
        result, expected = lazy(), oracle()
        pairs = zip(result, expected, strict=True) if isinstance(expected, tuple) else [(result, expected)]
        rows += [(label, got, np.asarray(want)) for got, want in pairs]
    for (label, lazy, expected), got in zip(rows, xp.compute(*[lazy for _, lazy, _ in rows]), strict=True):
        assert (lazy.dtype, lazy.shape) == (expected.dtype, expected.shape), label
        close(got, expected, label)


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
class TestValues:
    @pytest.mark.parametrize("name", ["det", "inv", "slogdet"])
    def test_of_regular_matrices(self, name, dtype):
        compare(case(name, regular(shape, dtype)) for shape in SQUARE)

    def test_cholesky(self, dtype):
        compare(case("cholesky", positive(s, dtype), upper=u) for s, u in itertools.product(SQUARE, (False, True)))

    def test_eigvalsh(self, dtype):
        compare(case("eigvalsh", hermitian(shape, dtype)) for shape in SQUARE)

    def test_svdvals(self, dtype):
        compare(case("svdvals", matrices(shape, dtype)) for shape in SHAPES)

    def test_matrix_power(self, dtype):
        powers = (0, 1, 2, 3, 5, -1, -2, np.int64(2))
        compare(case("matrix_power", regular(s, dtype), n) for s, n in itertools.product(SQUARE, powers))

    def test_diagonals(self, dtype):
        for shape, offset in itertools.product(SHAPES, OFFSETS):
            x = matrices(shape, dtype)
            compare([case("diagonal", x, offset=offset), case("trace", x, offset=offset)])
            compare([case("trace", x, offset=offset, dtype=np.dtype("complex128"))])

    def test_matrix_norm(self, dtype):
        for shape in SHAPES:
            x, (rows, columns) = matrices(shape, dtype), shape[-2:]
            orders = ["fro", None, "nuc", 1, 2, 2.0, np.inf, np.float32(1)]
            # The smallest column sum, singular value or row sum needs one.
            orders += [-1] * (columns > 0) + [-2] * (min(rows, columns) > 0) + [-np.inf] * (rows > 0)
            compare([case("matrix_norm", x, ord=o, keepdims=k) for o, k in itertools.product(orders, (False, True))])
            compare([case("matrix_norm", x)])

    def test_vector_norm(self, dtype):
        for shape in ((), (0,), (3,), (2, 3), (0, 3), (2, 0, 3), (2, 3, 4)):
            x, n = matrices(shape, dtype), len(shape)
            axes = [None, (), *range(-n, n), *itertools.permutations(range(n), 2), *([(-1, 0)] if n > 1 else [])]
            for axis, order in itertools.product(axes, (0, 1, 2, 3, 0.5, -1, -2, 2.0, np.inf, -np.inf)):
                reduced = range(n) if axis is None else (axis,) if isinstance(axis, int) else axis
                if order != -np.inf or all(shape[i] > 0 for i in reduced):
                    compare([case("vector_norm", x, axis=axis, ord=order, keepdims=k) for k in (False, True)])

    @pytest.mark.parametrize("name", ["matrix_rank", "pinv"])
    def test_tolerances(self, name, dtype):
        for make, shape in itertools.product((deficient, matrices), SHAPES):
            x = make(shape, dtype)
            compare([case(name, x, rtol=rtol) for rtol in (None, 0.3, np.float32(0.5))])
            assert getattr(xp.linalg, name)(x).dtype == (np.int64 if name == "matrix_rank" else dtype)
        x = matrices((2, 3, 4, 3), dtype)
        for shape in ((), (1,), (3,), (2, 1), (2, 3)):
            compare([case(name, x, rtol=np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape))])

    def test_solve(self, dtype):
        shapes = [
            ((3, 3), (3,)),
            ((3, 3), (3, 2)),
            ((3, 3), (3, 0)),
            ((0, 0), (0,)),
            ((0, 0), (0, 2)),
            ((2, 3, 3), (3,)),
            ((2, 1, 3, 3), (4, 3, 2)),
            ((3, 3), (1, 3, 1)),
            ((0, 3, 3), (3, 1)),
            ((3, 3, 3), (3, 3)),
        ]
        for (s1, s2), other in itertools.product(shapes, FLOATING):
            compare([case("solve", regular(s1, dtype), matrices(s2, other))])


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
class TestFactors:
    """Factors are unique only up to signs and phases: what they multiply to is compared."""

    @pytest.mark.parametrize("mode", ["reduced", "complete"])
    def test_qr(self, dtype, mode):
        for shape in SHAPES:
            x = matrices(shape, dtype)
            q, r = self.computed(xp.linalg.qr(xp.asarray(x), mode=mode), np.linalg.qr(x, mode=mode), ("Q", "R"))
            close(q @ r, x, shape)
            identity = np.broadcast_to(np.eye(q.shape[-1], dtype=dtype), (*shape[:-2], *q.shape[-1:] * 2))
            close(adjoint(q) @ q, identity, shape)
            close(np.triu(r), r, shape)

    @pytest.mark.parametrize("full", [True, False])
    def test_svd(self, dtype, full):
        for shape in SHAPES:
            x = matrices(shape, dtype)
            lazy, like = xp.linalg.svd(xp.asarray(x), full_matrices=full), np.linalg.svd(x, full_matrices=full)
            u, s, vh = self.computed(lazy, like, ("U", "S", "Vh"))
            k = s.shape[-1]
            close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x, shape)
            close(s, np.linalg.svdvals(x), shape)

    def test_eigh(self, dtype):
        for shape in SQUARE:
            x = hermitian(shape, dtype)
            like = np.linalg.eigh(x)
            values, vectors = self.computed(xp.linalg.eigh(xp.asarray(x)), like, ("eigenvalues", "eigenvectors"))
            close(values, like.eigenvalues, shape)
            close((vectors * values[..., None, :]) @ adjoint(vectors), x, shape)

    def test_eig(self, dtype):
        wide = np.result_type(dtype, np.complex64)
        for shape, make in itertools.product(SQUARE, (matrices, hermitian)):
            x = make(shape, dtype)
            like = [part.astype(wide) for part in np.linalg.eig(x)]  # NumPy's are real where all of them are
            values, vectors = self.computed(xp.linalg.eig(xp.asarray(x)), like, ("eigenvalues", "eigenvectors"))
            close(x.astype(wide) @ vectors, vectors * values[..., None, :], shape)
            alone = xp.linalg.eigvals(xp.asarray(x))
            assert (alone.dtype, alone.shape) == (wide, shape[:-1])
            close(np.sort_complex(alone.compute()), np.sort_complex(values), shape, factor=2000)

    def computed(self, lazy, like, fields):
        """The computed factors, after a look at their names, shapes and dtypes."""
        assert type(lazy)._fields == fields
        results = xp.compute(*lazy)
        for factor, got, expected in zip(lazy, results, like, strict=True):
            assert factor.shape == got.shape == expected.shape
            assert factor.dtype == got.dtype == expected.dtype
        return results


@pytest.mark.parametrize("dtype", NUMERIC, ids=str)
class TestProducts:
    def test_outer(self, dtype):
        for (n, m), other in itertools.product(((3, 4), (0, 4), (1, 1)), NUMERIC):
            compare([case("outer", matrices((n,), dtype), matrices((m,), other))])

    def test_cross(self, dtype):
        rows = [
            ((3,), (3,), -1),
            ((4, 3), (3,), -1),
            ((3, 4), (2, 3, 1), -2),
            ((0, 3), (1, 3), -1),
            ((3, 2), (3, 2), 0),
            ((3, 5), (3, 4, 5), 0),
            ((2, 3), (4, 3, 1), 1),
        ]
        for s1, s2, axis in rows:
            compare([case("cross", matrices(s1, dtype), matrices(s2, dtype, seed=1), axis=axis)])


@pytest.mark.parametrize("dtype", [np.dtype(bool), *NUMERIC], ids=str)
def test_trace_accumulates_as_sum_does(dtype):
    x = matrices((2, 3, 4), dtype)
    compare([case("trace", x), case("trace", x, dtype=np.dtype("complex64"))])


def test_trace_of_complex_data_as_real_warns():
    x = matrices((2, 2), np.dtype("complex64"))
    with pytest.warns(np.exceptions.ComplexWarning):
        got = xp.linalg.trace(x, dtype=xp.float32)
    close(got.compute(), np.trace(x).real, "")


INTEGERS = np.array([[2, 1], [1, 3]], dtype=np.int8)


@pytest.mark.parametrize(
    "name", ["cholesky", "det", "eigvalsh", "inv", "matrix_norm", "pinv", "slogdet", "svdvals", "vector_norm"]
)
def test_integers_become_floats(name):
    compare([case(name, INTEGERS)])
    with xp.set_options(strict=True), pytest.raises(TypeError, match=rf"linalg\.{name}: .*floating-point.*int8"):
        getattr(xp.linalg, name)(xp.asarray(INTEGERS))


def test_mixed_operands_are_promoted():
    compare([case("solve", INTEGERS, [1.0, 2.0]), case("solve", INTEGERS.astype("float32"), INTEGERS)])


def test_integer_powers_stay_integers():
    compare([case("matrix_power", INTEGERS, n) for n in (0, 1, 3, -1)])
    compare([case("matrix_power", INTEGERS > 1, n) for n in (0, 2)])


def test_slogdet_of_singular_matrices():
    sign, logabsdet = xp.linalg.slogdet(xp.zeros((2, 2), dtype=xp.complex64))
    close(sign.compute(), np.complex64(0), "sign")
    close(logabsdet.compute(), np.float32(-np.inf), "logabsdet")


class TestDiagonal:
    def test_sees_writes_and_takes_none(self):
        x = xp.asarray(np.zeros((2, 3)))
        d = xp.linalg.diagonal(x, offset=1)
        x[0, 1] = 5.0
        np.testing.assert_array_equal(d.compute(), [5.0, 0.0])
        with pytest.raises(ValueError, match="read-only"):
            d[0] = 1.0

    def test_any_dtype(self):
        np.testing.assert_array_equal(xp.linalg.diagonal(np.eye(2, dtype=bool)).compute(), [True, True])


def test_aliases_of_the_main_namespace():
    for name in ("matmul", "matrix_transpose", "tensordot", "vecdot"):
        assert getattr(xp.linalg, name) is getattr(xp, name)


@pytest.mark.parametrize("name", xp.linalg.__all__)
def test_signatures_are_the_standards(name):
    def parameters(function):
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]

    assert parameters(getattr(xp.linalg, name)) == parameters(getattr(array_api_strict.linalg, name))


def test_a_failed_factorization_names_the_line():
    singular = xp.linalg.inv(xp.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        singular.compute()
    assert any("linalg.inv" in note and "test_linalg.py" in note for note in caught.value.__notes__)


UNKNOWN = {
    "cholesky": [(3, 3)],
    "det": [()],
    "diagonal": [(None,)],
    "eig": [(3,), (3, 3)],
    "eigh": [(3,), (3, 3)],
    "eigvals": [(3,)],
    "eigvalsh": [(3,)],
    "inv": [(3, 3)],
    "matrix_norm": [()],
    "matrix_rank": [()],
    "pinv": [(3, None)],
    "qr": [(None, None), (None, 3)],
    "slogdet": [(), ()],
    "svd": [(None, None), (None,), (3, 3)],
    "svdvals": [(None,)],
    "trace": [()],
    "vector_norm": [()],
}


class TestUnknownSides:
    """Rows chosen by a mask: their number is unknown until something is computed."""

    @pytest.fixture
    def x(self):
        return np.insert(positive((3, 3), np.dtype("float64")), 2, -1.0, axis=0)

    @pytest.fixture
    def rows(self, x):
        with xp.set_options(materialize="raise"):
            yield xp.asarray(x)[xp.asarray([True, True, False, True])]

    @pytest.mark.parametrize("name", UNKNOWN)
    def test_known_sides_are_kept(self, x, rows, name):
        result, expected = getattr(xp.linalg, name)(rows), getattr(np.linalg, name)(x[[0, 1, 3]])
        results, expected = (r if isinstance(r, tuple) else (r,) for r in (result, expected))
        assert [r.shape for r in results] == UNKNOWN[name]
        for got, want in zip(xp.compute(*results), expected, strict=True):
            np.testing.assert_allclose(np.abs(got), np.abs(want), atol=1e-12)

    def test_two_operands(self, x, rows):
        solution, product = xp.linalg.solve(rows, rows), xp.linalg.cross(rows, rows[::-1])
        assert (solution.shape, product.shape) == ((3, 3), (None, 3))
        np.testing.assert_allclose(solution.compute(), np.eye(3), atol=1e-12)
        np.testing.assert_allclose(product.compute(), np.linalg.cross(x[[0, 1, 3]], x[[3, 1, 0]]))

    def test_integer_power(self, x, rows):
        result = xp.linalg.matrix_power(rows, 2)
        assert result.shape == (3, 3)
        np.testing.assert_allclose(result.compute(), np.linalg.matrix_power(x[[0, 1, 3]], 2))

    def test_known_sides_are_checked(self, rows):
        with pytest.raises(ValueError, match=r"linalg\.solve: shape mismatch: float64\[\?, 3\] and float64\[4\]"):
            xp.linalg.solve(rows, xp.ones(4))


def A(*shape, dtype="float64"):  # noqa: N802 - short, for the tables
    return xp.ones(shape, dtype=np.dtype(dtype))


FACTORED = ("cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "slogdet")
STACKED = ("diagonal", "matrix_norm", "matrix_rank", "pinv", "qr", "svd", "svdvals", "trace")

# A function, its arguments, and the error with what its message says after the function's name.
ERRORS = [
    *[(f, [A(2, 3)], {}, ValueError, r"expected square matrices, got float64\[2, 3\]") for f in FACTORED],
    *[(f, [A(3)], {}, ValueError, r"expected at least 2 .*float64\[3\]") for f in (*FACTORED, *STACKED)],
    *[(f, [A(2, 2, dtype="float16")], {}, TypeError, r"float16.*cast .*float32, float64") for f in (*FACTORED, "qr")],
    ("qr", [A(2, 2)], {"mode": "raw"}, ValueError, "mode must be 'reduced' or 'complete', not 'raw'"),
    ("qr", [A(2, 2)], {"mode": ["x"]}, ValueError, "mode must be"),
    ("matrix_norm", [A(2, 2)], {"ord": 3}, ValueError, "ord must be one of 'fro', 'nuc', 1, -1, .* not 3"),
    ("matrix_norm", [A(2, 2)], {"ord": "f"}, ValueError, "ord must be one of .* not 'f'"),
    ("matrix_norm", [A(2, 2)], {"ord": 1j}, TypeError, "ord must be a real number, not 1j"),
    ("matrix_norm", [A(3, 0)], {"ord": -1}, ValueError, r"empty matrices .*ord=-1, got float64\[3, 0\]"),
    ("matrix_norm", [A(2, 2, dtype="float16")], {"ord": 2}, TypeError, "float16"),
    ("vector_norm", [A(2, 2)], {"axis": 2}, ValueError, "axis 2 is out of bounds"),
    ("vector_norm", [A(2, 2)], {"axis": (0, -2)}, ValueError, "an axis is repeated"),
    ("vector_norm", [A(2, 2)], {"axis": 0.5}, TypeError, "axis must be an integer"),
    ("vector_norm", [A(2)], {"ord": "2"}, TypeError, "ord must be a real number, not '2'"),
    ("vector_norm", [A(2, 0)], {"axis": 1, "ord": -np.inf}, ValueError, r"empty vectors .*float64\[2, 0\]"),
    ("matrix_power", [A(2, 3), 2], {}, ValueError, r"expected square matrices, got float64\[2, 3\]"),
    ("matrix_power", [A(2, 2), 0.5], {}, TypeError, "n must be an integer, not 0.5"),
    ("matrix_power", [A(2, 2, dtype="float16"), -1], {}, TypeError, "float16"),
    ("outer", [A(2), A(2, 3)], {}, ValueError, r"one-dimensional operands, got float64\[2\] and float64\[2, 3\]"),
    ("cross", [A(3), A(2)], {}, ValueError, r"axis -1 must have length 3, got float64\[3\] and float64\[2\]"),
    ("cross", [A(3, 3), A(1, 3)], {"axis": -2}, ValueError, "axis -2 must have length 3"),
    ("cross", [A(3), A(2, 3)], {"axis": -2}, ValueError, "axis -2 is out of bounds"),
    ("cross", [A(4, 3), A(5, 3)], {}, ValueError, r"shape mismatch: cannot broadcast \(4, 3\) with \(5, 3\)"),
    ("cross", [A(), A(3)], {}, ValueError, "axis -1 is out of bounds"),
    ("cross", [A(3, dtype="bool"), A(3, dtype="bool")], {}, TypeError, r"expected numeric data, got bool\[3\]"),
    ("solve", [A(2, 3), A(2)], {}, ValueError, r"expected square matrices, got float64\[2, 3\]"),
    ("solve", [A(2, 2), A(3)], {}, ValueError, r"shape mismatch: float64\[2, 2\] and float64\[3\]; expected"),
    ("solve", [A(2, 2), A(3, 2)], {}, ValueError, r"shape mismatch: .*\(..., M, K\)"),
    ("solve", [A(4, 2, 2), A(3, 2, 1)], {}, ValueError, "shape mismatch: .*broadcast"),
    ("solve", [A(2, 2), A()], {}, ValueError, "expected at least 1 dim"),
    ("pinv", [A(3, 2, 2)], {"rtol": A(2)}, ValueError, r"shape mismatch: rtol float64\[2\] .*float64\[3, 2, 2\]"),
    ("pinv", [A(2, 2)], {"rtol": A(1)}, ValueError, "shape mismatch: rtol"),
    ("pinv", [A(2, 2)], {"rtol": A(dtype="complex64")}, TypeError, "rtol: expected real .*complex64"),
    ("matrix_rank", [A(2, 2)], {"rtol": A(3, 1)}, ValueError, "shape mismatch: rtol"),
    ("trace", [A(2, 2)], {"offset": 0.5}, TypeError, "offset must be an integer, not 0.5"),
    ("trace", [A(2, 2)], {"dtype": "U3"}, TypeError, "data type <U3"),
    ("diagonal", [A(2, 2)], {"offset": None}, TypeError, "offset must be an integer, not None"),
]


@pytest.mark.parametrize(("name", "args", "kw", "error", "message"), ERRORS)
def test_errors_when_recording(name, args, kw, error, message):
    with pytest.raises(error, match=rf"^linalg\.{name}: .*{message}"):
        getattr(xp.linalg, name)(*args, **kw)


STRICT = [
    ("cross", [A(3, 2), A(3, 2)], {"axis": 0}, ValueError, "axis must be negative, from -2 to -1, not 0"),
    ("trace", [A(2, 2)], {"dtype": np.dtype("bool")}, TypeError, "dtype must be numeric, not bool"),
    ("trace", [A(2, 2, dtype="bool")], {}, TypeError, "expected numeric data"),
    ("outer", [A(2, dtype="int64"), A(2)], {}, TypeError, "no promotion of int64 and float64"),
    ("matrix_power", [A(2, 2, dtype="int64"), 2], {}, TypeError, "expected floating-point data"),
    ("inv", [np.eye(2)], {}, TypeError, "expected a lazyxp array, got ndarray"),
]


@pytest.mark.parametrize(("name", "args", "kw", "error", "message"), STRICT)
def test_strict_refuses(name, args, kw, error, message):
    with xp.set_options(strict=True), pytest.raises(error, match=rf"^linalg\.{name}: .*{message}"):
        getattr(xp.linalg, name)(*args, **kw)
