"""The linear algebra extension against NumPy: dtypes, stacks, empty matrices, every parameter, errors, unknown sides."""

import inspect
import itertools

import array_api_strict
import numpy as np
import pytest

import lazyxp as xp
from tests.inputs import NUMERIC

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

FLOATING = tuple(np.dtype(name) for name in ("float32", "float64", "complex64", "complex128"))
STACKS = ((), (1,), (3,), (0,), (2, 3))
SIDES = ((0, 0), (0, 3), (3, 0), (1, 1), (2, 2), (4, 2), (2, 4), (3, 3))
SQUARE = tuple(s for s in SIDES if s[0] == s[1])


def matrices(shape, dtype, seed=0):
    """Ordinary numbers."""
    rng = np.random.default_rng(seed)
    if dtype.kind in "iub":
        return rng.integers(0, 2 if dtype.kind == "b" else 9, shape).astype(dtype)
    values = rng.uniform(-2, 2, shape)
    return (values + 1j * rng.uniform(-2, 2, shape) if dtype.kind == "c" else values).astype(dtype)


def regular(shape, dtype):
    """Matrices that are far from singular."""
    return (matrices(shape, dtype) + 4 * np.eye(*shape[-2:])).astype(dtype)


def adjoint(x):
    return np.conj(np.swapaxes(x, -1, -2))


def hermitian(shape, dtype):
    x = matrices(shape, dtype)
    return x + adjoint(x)


def positive(shape, dtype):
    x = regular(shape, dtype)
    return x @ adjoint(x)


def deficient(shape, dtype):
    """Matrices of rank 1 or less."""
    x = matrices(shape, dtype)
    return x[..., :, :1] @ x[..., :1, :] if 0 not in shape[-2:] else x


def shapes(sides=SIDES):
    return [(*stack, *side) for stack, side in itertools.product(STACKS, sides)]


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


def compare(calls):
    """Record all (label, lazy function, NumPy function), check what was inferred, compute once, compare with NumPy."""
    recorded, expected = [], []
    for label, lazy, oracle in calls:
        result, value = lazy(), oracle()
        pairs = zip(result, value, strict=True) if isinstance(value, tuple) else [(result, value)]
        for got, want in pairs:
            assert got.dtype == np.asarray(want).dtype, label
            assert got.shape == np.asarray(want).shape, label
            recorded.append((label, got))
            expected.append(want)
    for (label, _), got, want in zip(recorded, xp.compute(*[r for _, r in recorded]), expected, strict=True):
        close(got, want, label)


def unary(name, inputs, options=({},), oracle=None, lazy=None):
    """The calls of ``linalg.name`` on every input with every choice of options."""
    lazy, like = lazy or getattr(xp.linalg, name), oracle or getattr(np.linalg, name)
    for x, kw in itertools.product(inputs, options):
        yield (
            (name, x.shape, x.dtype, kw),
            lambda x=x, kw=kw: lazy(xp.asarray(x), **kw),
            lambda x=x, kw=kw: like(x, **kw),
        )


ORDERS = ("fro", None, "nuc", 1, -1, 2, -2, np.inf, -np.inf, 2.0)


def _has_norm(x, order):
    """Whether the smallest of something exists for `order`: of columns, rows or singular values."""
    needs = {-1: x.shape[-1], -2: min(x.shape[-2:]), -np.inf: x.shape[-2]}
    return needs.get(order, 1) > 0


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
class TestValues:
    def test_square(self, dtype):
        inputs = [regular(shape, dtype) for shape in shapes(SQUARE)]
        for name in ("det", "inv"):
            compare(unary(name, inputs))
        compare(unary("slogdet", inputs, oracle=lambda x: tuple(np.linalg.slogdet(x))))
        for n in (0, 1, 2, 3, 5, -1, -2):
            compare(
                unary(
                    "matrix_power",
                    inputs,
                    oracle=lambda x, n=n: np.linalg.matrix_power(x, n),
                    lazy=lambda x, n=n: xp.linalg.matrix_power(x, n),
                )
            )
        compare(unary("eigvalsh", [hermitian(shape, dtype) for shape in shapes(SQUARE)]))

    def test_any_matrix(self, dtype):
        inputs = [matrices(shape, dtype) for shape in shapes()]
        compare(unary("svdvals", inputs))
        compare(
            unary(
                "trace", inputs, [{}, {"offset": 1}, {"offset": -2}, {"offset": 9}, {"dtype": np.dtype("complex128")}]
            )
        )
        compare(unary("diagonal", inputs, [{}, {"offset": 1}, {"offset": -2}, {"offset": 9}]))
        for x in inputs:
            orders = [o for o in ORDERS if _has_norm(x, o)]
            kws = [{"ord": o, "keepdims": k} for o, k in itertools.product(orders, (False, True))]
            compare(unary("matrix_norm", [x], [{}, *kws]))

    def test_rank_and_pseudo_inverse(self, dtype):
        inputs = [make(shape, dtype) for make in (deficient, matrices) for shape in shapes()]
        options = [{}, {"rtol": None}, {"rtol": 0.3}, {"rtol": np.float32(0.5)}]
        compare(unary("matrix_rank", inputs, options, lambda x, rtol=None: np.linalg.matrix_rank(x, rtol=rtol)))
        compare(unary("pinv", inputs, options, lambda x, rtol=None: np.linalg.pinv(x, rtol=rtol)))

    def test_array_tolerance(self, dtype):
        x = matrices((2, 3, 4, 3), dtype)
        for shape in ((), (1,), (3,), (2, 1), (2, 3)):
            rtol = np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)
            for name in ("matrix_rank", "pinv"):
                lazy, like = getattr(xp.linalg, name), getattr(np.linalg, name)
                compare([((name, shape), lambda: lazy(x, rtol=xp.asarray(rtol)), lambda: like(x, rtol=rtol))])

    def test_vector_norm(self, dtype):
        for shape in ((), (0,), (3,), (2, 3), (0, 3), (2, 0, 3), (2, 3, 4)):
            x, n = matrices(shape, dtype), len(shape)
            axes = [None, (), *range(-n, n), *itertools.permutations(range(n), 2), *([(-1, 0)] if n > 1 else [])]
            for axis, order in itertools.product(axes, (0, 1, 2, 3, 0.5, -1, -2, 2.0, np.inf, -np.inf)):
                reduced = range(n) if axis is None else (axis,) if isinstance(axis, int) else axis
                if order == -np.inf and any(shape[i] == 0 for i in reduced):
                    continue
                options = [{"axis": axis, "ord": order, "keepdims": k} for k in (False, True)]
                compare(unary("vector_norm", [x], options))

    def test_solve(self, dtype):
        pairs = [
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
        for (s1, s2), other in itertools.product(pairs, FLOATING):
            a, b = regular(s1, dtype), matrices(s2, other)
            compare([((s1, s2, other), lambda: xp.linalg.solve(a, b), lambda: np.linalg.solve(a, b))])


@pytest.mark.parametrize("dtype", FLOATING, ids=str)
class TestFactors:
    """Factors are unique only up to signs and phases: what they multiply to is compared."""

    @pytest.mark.parametrize("mode", ["reduced", "complete"])
    def test_qr(self, dtype, mode):
        for shape in shapes():
            x = matrices(shape, dtype)
            factors = xp.linalg.qr(xp.asarray(x), mode=mode)
            assert type(factors)._fields == ("Q", "R")
            q, r = xp.compute(*factors)
            for got, lazy, like in zip((q, r), factors, np.linalg.qr(x, mode=mode), strict=True):
                assert got.shape == lazy.shape == like.shape
                assert got.dtype == lazy.dtype == dtype
            close(q @ r, x, shape)
            close(
                adjoint(q) @ q,
                np.broadcast_to(np.eye(q.shape[-1], dtype=dtype), factors.Q.shape[:-2] + 2 * q.shape[-1:]),
                shape,
            )
            close(np.triu(r), r, shape)

    @pytest.mark.parametrize("full", [True, False])
    def test_svd(self, dtype, full):
        for shape in shapes():
            x = matrices(shape, dtype)
            factors = xp.linalg.svd(xp.asarray(x), full_matrices=full)
            assert type(factors)._fields == ("U", "S", "Vh")
            u, s, vh = xp.compute(*factors)
            for got, lazy, like in zip((u, s, vh), factors, np.linalg.svd(x, full_matrices=full), strict=True):
                assert got.shape == lazy.shape == like.shape
                assert got.dtype == lazy.dtype == like.dtype
            k = s.shape[-1]
            close((u[..., :k] * s[..., None, :]) @ vh[..., :k, :], x, shape)
            close(s, np.linalg.svdvals(x), shape)

    def test_cholesky(self, dtype):
        for shape, upper in itertools.product(shapes(SQUARE), (False, True)):
            x = positive(shape, dtype)
            compare(
                [
                    (
                        (shape, upper),
                        lambda: xp.linalg.cholesky(x, upper=upper),
                        lambda: np.linalg.cholesky(x, upper=upper),
                    )
                ]
            )

    def test_eigh(self, dtype):
        for shape in shapes(SQUARE):
            x = hermitian(shape, dtype)
            result = xp.linalg.eigh(xp.asarray(x))
            assert type(result)._fields == ("eigenvalues", "eigenvectors")
            values, vectors = xp.compute(*result)
            like = np.linalg.eigh(x)
            assert (values.shape, vectors.shape) == tuple(r.shape for r in result) == (shape[:-1], shape)
            assert (values.dtype, vectors.dtype) == tuple(r.dtype for r in result)
            close(values, like.eigenvalues, shape)
            close((vectors * values[..., None, :]) @ adjoint(vectors), x, shape)

    def test_eig(self, dtype):
        for shape, make in itertools.product(shapes(SQUARE), (matrices, hermitian)):
            x = make(shape, dtype)
            result = xp.linalg.eig(xp.asarray(x))
            assert type(result)._fields == ("eigenvalues", "eigenvectors")
            values, vectors, alone = xp.compute(*result, xp.linalg.eigvals(xp.asarray(x)))
            wide = np.result_type(dtype, np.complex64)
            assert values.dtype == vectors.dtype == alone.dtype == wide
            assert result.eigenvalues.dtype == result.eigenvectors.dtype == wide
            assert (values.shape, vectors.shape) == tuple(r.shape for r in result) == (shape[:-1], shape)
            close(x.astype(wide) @ vectors, vectors * values[..., None, :], shape)
            close(np.sort_complex(alone), np.sort_complex(values), shape, factor=2000)


@pytest.mark.parametrize("dtype", NUMERIC, ids=str)
def test_products(dtype):
    for s1, s2 in (((3,), (4,)), ((0,), (4,)), ((1,), (1,))):
        for other in NUMERIC:
            a, b = matrices(s1, dtype), matrices(s2, other)
            compare([((dtype, other), lambda: xp.linalg.outer(a, b), lambda: np.linalg.outer(a, b))])
    cases = [
        ((3,), (3,), -1),
        ((4, 3), (3,), -1),
        ((3, 4), (2, 3, 1), -2),
        ((0, 3), (1, 3), -1),
        ((3, 2), (3, 2), 0),
        ((3, 5), (3, 4, 5), 0),
        ((2, 3), (4, 3, 1), 1),
    ]
    for s1, s2, axis in cases:
        a, b = matrices(s1, dtype), matrices(s2, dtype, seed=1)
        compare([((s1, s2, axis), lambda: xp.linalg.cross(a, b, axis=axis), lambda: np.linalg.cross(a, b, axis=axis))])


@pytest.mark.parametrize("dtype", [np.dtype(bool), *NUMERIC], ids=str)
def test_trace_accumulates_as_sum(dtype):
    x = matrices((2, 3, 4), dtype)
    compare(unary("trace", [x], [{}, {"offset": 1}, {"dtype": np.dtype("complex64")}]))


INTEGERS = np.array([[2, 1], [1, 3]], dtype=np.int8)


@pytest.mark.parametrize(
    "name", [*"cholesky det eigvalsh inv matrix_norm matrix_rank pinv svdvals vector_norm".split()]
)
def test_integers_become_floats(name):
    compare(unary(name, [INTEGERS]))
    with xp.set_options(strict=True), pytest.raises(TypeError, match=rf"linalg\.{name}: .*floating-point.*int8"):
        getattr(xp.linalg, name)(xp.asarray(INTEGERS))


def test_integer_powers_stay_integers():
    for n in (0, 1, 3, -1):
        compare([(n, lambda: xp.linalg.matrix_power(INTEGERS, n), lambda: np.linalg.matrix_power(INTEGERS, n))])


def test_mixed_operands_of_solve():
    compare([("", lambda: xp.linalg.solve(INTEGERS, [1.0, 2.0]), lambda: np.linalg.solve(INTEGERS, [1.0, 2.0]))])


def test_trace_of_complex_as_real_warns():
    x = matrices((2, 2), np.dtype("complex64"))
    with pytest.warns(np.exceptions.ComplexWarning):
        got = xp.linalg.trace(x, dtype=xp.float32)
    close(got.compute(), np.trace(x).real, "")


def test_singular_values_of_slogdet_and_det():
    sign, logabsdet = xp.linalg.slogdet(xp.zeros((2, 2), dtype=xp.complex64))
    assert sign.compute() == 0
    assert logabsdet.compute() == -np.inf
    assert logabsdet.dtype == xp.float32


class TestDiagonal:
    def test_sees_writes_and_takes_none(self):
        x = xp.asarray(np.zeros((2, 3)))
        d = xp.linalg.diagonal(x, offset=1)
        x[0, 1] = 5.0
        np.testing.assert_array_equal(d.compute(), [5.0, 0.0])
        with pytest.raises(ValueError, match="read-only"):
            d[0] = 1.0

    def test_any_dtype(self):
        x = np.array([[True, False], [False, True]])
        np.testing.assert_array_equal(xp.linalg.diagonal(x).compute(), [True, True])


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


class TestUnknownSides:
    """Rows chosen by a mask: their number is unknown until something is computed."""

    @pytest.fixture
    def x(self):
        return np.arange(1.0, 13.0).reshape(4, 3) + np.eye(4, 3) * 9

    @pytest.fixture
    def rows(self, x):
        with xp.set_options(materialize="raise"):
            yield xp.asarray(x)[xp.asarray([True, True, False, True])]

    EXPECTED = {
        "qr": [(None, None), (None, 3)],
        "svd": [(None, None), (None,), (3, 3)],
        "svdvals": [(None,)],
        "det": [()],
        "inv": [(3, 3)],
        "eig": [(3,), (3, 3)],
        "slogdet": [(), ()],
        "pinv": [(3, None)],
        "matrix_rank": [()],
        "matrix_norm": [()],
        "trace": [()],
        "diagonal": [(None,)],
        "cross": [(None, 3)],
    }

    @pytest.mark.parametrize("name", EXPECTED)
    def test_known_sides_are_kept(self, x, rows, name):
        chosen = x[[0, 1, 3]]
        function, like = getattr(xp.linalg, name), getattr(np.linalg, name)
        if name == "cross":
            result, expected = function(rows, rows[::-1]), like(chosen, chosen[::-1])
        else:
            result, expected = function(rows), like(chosen)
        results = result if isinstance(result, tuple) else (result,)
        assert [r.shape for r in results] == self.EXPECTED[name]
        if name not in ("qr", "svd", "eig"):
            for got, want in zip(results, expected if isinstance(expected, tuple) else (expected,), strict=True):
                np.testing.assert_allclose(got.compute(), want)
        else:
            for got, want in zip(xp.compute(*results), expected, strict=True):
                assert got.shape == want.shape

    def test_solve(self, x, rows):
        result = xp.linalg.solve(rows, rows)
        assert result.shape == (3, 3)
        np.testing.assert_allclose(result.compute(), np.eye(3), atol=1e-12)

    def test_known_sides_are_checked(self, rows):
        with pytest.raises(ValueError, match=r"linalg\.solve: shape mismatch"):
            xp.linalg.solve(rows, xp.ones((4,)))


def _ones(*shape, dtype=np.float64):
    return xp.ones(shape, dtype=np.dtype(dtype))


ERRORS = [
    *[
        (lambda f=f: getattr(xp.linalg, f)(_ones(2, 3)), ValueError, rf"linalg\.{f}: expected square .*float64\[2, 3\]")
        for f in ("cholesky", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "slogdet")
    ],
    *[
        (lambda f=f: getattr(xp.linalg, f)(_ones(3)), ValueError, rf"linalg\.{f}: expected at least 2 .*float64\[3\]")
        for f in ("cholesky", "diagonal", "matrix_norm", "matrix_rank", "pinv", "qr", "svd", "svdvals", "trace", "det")
    ],
    *[
        (
            lambda f=f: getattr(xp.linalg, f)(_ones(2, 2, dtype="float16")),
            TypeError,
            rf"linalg\.{f}: .*float16.*float32",
        )
        for f in ("cholesky", "det", "eig", "eigh", "inv", "matrix_rank", "pinv", "qr", "slogdet", "svd", "svdvals")
    ],
    (lambda: xp.linalg.qr(_ones(2, 2), mode="raw"), ValueError, "linalg.qr: mode .*'reduced' or 'complete'.*'raw'"),
    (lambda: xp.linalg.qr(_ones(2, 2), mode=["x"]), ValueError, "linalg.qr: mode"),
    (
        lambda: xp.linalg.matrix_norm(_ones(2, 2), ord=3),
        ValueError,
        "linalg.matrix_norm: ord .*'fro', 'nuc', 1.* not 3",
    ),
    (lambda: xp.linalg.matrix_norm(_ones(2, 2), ord="f"), ValueError, "linalg.matrix_norm: ord .*not 'f'"),
    (lambda: xp.linalg.matrix_norm(_ones(2, 2), ord=1j), TypeError, "linalg.matrix_norm: ord must be a real number"),
    (lambda: xp.linalg.matrix_norm(_ones(3, 0), ord=-1), ValueError, r"linalg.matrix_norm: empty .*ord=-1.*\[3, 0\]"),
    (lambda: xp.linalg.matrix_norm(_ones(2, 2, dtype="float16"), ord=2), TypeError, "linalg.matrix_norm: .*float16"),
    (lambda: xp.linalg.vector_norm(_ones(2, 2), axis=2), ValueError, "linalg.vector_norm: axis 2 is out of bounds"),
    (lambda: xp.linalg.vector_norm(_ones(2, 2), axis=(0, -2)), ValueError, "linalg.vector_norm: an axis is repeated"),
    (lambda: xp.linalg.vector_norm(_ones(2, 2), axis=0.5), TypeError, "linalg.vector_norm: axis must be an integer"),
    (lambda: xp.linalg.vector_norm(_ones(2), ord="2"), TypeError, "linalg.vector_norm: ord must be a real number.*'2'"),
    (lambda: xp.linalg.vector_norm(_ones(2, 0), axis=1, ord=-np.inf), ValueError, "linalg.vector_norm: empty vectors"),
    (lambda: xp.linalg.matrix_power(_ones(2, 3), 2), ValueError, r"linalg.matrix_power: expected square .*\[2, 3\]"),
    (lambda: xp.linalg.matrix_power(_ones(2, 2), 0.5), TypeError, "linalg.matrix_power: n must be an integer, not 0.5"),
    (lambda: xp.linalg.matrix_power(_ones(2, 2, dtype="float16"), -1), TypeError, "linalg.matrix_power: .*float16"),
    (lambda: xp.linalg.outer(_ones(2), _ones(2, 3)), ValueError, r"linalg.outer: .*float64\[2\] and float64\[2, 3\]"),
    (
        lambda: xp.linalg.cross(_ones(3), _ones(2)),
        ValueError,
        r"linalg.cross: axis -1 must have length 3.*float64\[2\]",
    ),
    (
        lambda: xp.linalg.cross(_ones(3, 3), _ones(1, 3), axis=-2),
        ValueError,
        "linalg.cross: axis -2 must have length 3",
    ),
    (lambda: xp.linalg.cross(_ones(3), _ones(2, 3), axis=-2), ValueError, "linalg.cross: axis -2 is out of bounds"),
    (lambda: xp.linalg.cross(_ones(4, 3), _ones(5, 3)), ValueError, "linalg.cross: shape mismatch"),
    (lambda: xp.linalg.cross(_ones(), _ones(3)), ValueError, "linalg.cross: axis -1 is out of bounds"),
    (lambda: xp.linalg.cross(_ones(3, dtype=bool), _ones(3, dtype=bool)), TypeError, "linalg.cross: .*bool"),
    (lambda: xp.linalg.solve(_ones(2, 3), _ones(2)), ValueError, "linalg.solve: expected square"),
    (
        lambda: xp.linalg.solve(_ones(2, 2), _ones(3)),
        ValueError,
        r"linalg.solve: shape mismatch: .*\[2, 2\] and .*\[3\]",
    ),
    (lambda: xp.linalg.solve(_ones(2, 2), _ones(3, 2)), ValueError, "linalg.solve: shape mismatch.*[(]..., M, K[)]"),
    (lambda: xp.linalg.solve(_ones(4, 2, 2), _ones(3, 2, 1)), ValueError, "linalg.solve: shape mismatch"),
    (lambda: xp.linalg.solve(_ones(2, 2), _ones()), ValueError, "linalg.solve: expected at least 1 dim"),
    (
        lambda: xp.linalg.pinv(_ones(3, 2, 2), rtol=_ones(2)),
        ValueError,
        r"linalg.pinv: shape mismatch: rtol float64\[2\]",
    ),
    (lambda: xp.linalg.pinv(_ones(2, 2), rtol=_ones(1)), ValueError, "linalg.pinv: shape mismatch: rtol"),
    (lambda: xp.linalg.pinv(_ones(2, 2), rtol=_ones(dtype="complex64")), TypeError, "linalg.pinv: rtol: .*complex64"),
    (
        lambda: xp.linalg.matrix_rank(_ones(2, 2), rtol=_ones(3, 1)),
        ValueError,
        "linalg.matrix_rank: shape mismatch: rtol",
    ),
    (lambda: xp.linalg.trace(_ones(2, 2), offset=0.5), TypeError, "linalg.trace: offset must be an integer"),
    (lambda: xp.linalg.trace(_ones(2, 2), dtype="U3"), TypeError, "linalg.trace: data type <U3"),
    (lambda: xp.linalg.diagonal(_ones(2, 2), offset=None), TypeError, "linalg.diagonal: offset must be an integer"),
]


@pytest.mark.parametrize(("call", "error", "message"), ERRORS, ids=[message for _, _, message in ERRORS])
def test_errors_when_recording(call, error, message):
    with pytest.raises(error, match=message):
        call()


STRICT = [
    (lambda: xp.linalg.cross(_ones(3, 2), _ones(3, 2), axis=0), ValueError, "linalg.cross: axis must be negative"),
    (lambda: xp.linalg.trace(_ones(2, 2), dtype=xp.bool), TypeError, "linalg.trace: dtype must be numeric"),
    (lambda: xp.linalg.trace(_ones(2, 2, dtype=bool)), TypeError, "linalg.trace: expected numeric"),
    (lambda: xp.linalg.trace(_ones(2, 2, dtype="complex64"), dtype=xp.float32), TypeError, "complex64.*float32"),
    (lambda: xp.linalg.outer(_ones(2, dtype=int), _ones(2)), TypeError, "linalg.outer: .*int64 and float64"),
    (lambda: xp.linalg.matrix_power(_ones(2, 2, dtype=int), 2), TypeError, "linalg.matrix_power: expected floating"),
    (lambda: xp.linalg.inv(np.eye(2)), TypeError, "linalg.inv: expected a lazyxp array, got ndarray"),
]


@pytest.mark.parametrize(("call", "error", "message"), STRICT, ids=[message for _, _, message in STRICT])
def test_strict_refuses(call, error, message):
    with xp.set_options(strict=True), pytest.raises(error, match=message):
        call()
