"""The sparse executor: random patterns, fill values and special values against NumPy; nothing gets dense silently."""

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import UnsupportedOperation
from lazyxp.testing.inputs import equal

sparse = pytest.importorskip("sparse")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

DTYPES = tuple(map(np.dtype, ("bool", "int8", "uint8", "int64", "float32", "float64", "complex128")))
SHAPES = ((), (0,), (4,), (3, 4), (4, 4), (0, 3), (2, 3, 4))


def several(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def pattern(rng, shape, dtype, fill):
    """Random values at random places, and `fill` elsewhere: dense, and sparse."""
    values = rng.integers(0 if dtype.kind in "bu" else -2, 3, shape).astype(dtype)
    if dtype.kind in "fc":
        special = rng.choice([np.nan, np.inf, -np.inf, 0.5, -1.5], shape).astype(dtype)
        values = np.where(rng.random(shape) < 0.1, special, values)
    dense = np.asarray(np.where(rng.random(shape) < rng.random(), values, dtype.type(fill)))
    return dense, sparse.COO.from_numpy(dense, fill_value=dtype.type(fill))


def patterns(seed, kinds="biufc"):
    """Pairs of arrays of one shape, which need not have one fill value."""
    rng = np.random.default_rng(seed)
    for dtype in [d for d in DTYPES if d.kind in kinds]:
        for shape in SHAPES:
            for _ in range(2):
                fills = rng.choice([0, 0, 1, *([np.nan, -np.inf] if dtype.kind in "fc" else [])], 2)
                yield [pattern(rng, shape, dtype, fill) for fill in fills]


def check(function, arrays):
    """NumPy's answer from sparse arrays, as sparse arrays in canonical form."""
    try:
        wanted = xp.compute(*several(function(*[xp.asarray(dense) for dense, _ in arrays])), backend="numpy")
    except (ValueError, TypeError, IndexError):
        return
    results = several(function(*[xp.asarray(coo) for _, coo in arrays]))
    for got, answer in zip(xp.compute(*results), wanted, strict=True):
        assert isinstance(got, sparse.COO)
        if got.ndim and got.nnz:
            assert (np.diff(np.ravel_multi_index(tuple(got.coords), got.shape)) > 0).all()
        equal(got.todense(), answer, [coo for _, coo in arrays], rounding=True)


ELEMENTWISE = {
    "add": lambda x, y: x + y,
    "multiply": lambda x, y: x * y,
    "broadcast": lambda x, y: (x[..., None] * y[..., None, :] if x.ndim else x, x + 1, 2 * x),
    "compare": lambda x, y: (x == y, x < y, xp.isnan(x), xp.isfinite(y)),
    "where": lambda x, y: xp.where(x != 0, x, y),
    "functions": lambda x, y: [f(x) for f in (xp.sqrt, xp.exp, xp.cos, xp.abs, xp.sign)],
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(name):
    for arrays in patterns(1):
        check(ELEMENTWISE[name], arrays)


def movements(k):
    return {
        "permute": lambda x: xp.permute_dims(x, tuple(range(x.ndim))[::-1]),
        "reshape": lambda x: (xp.reshape(x, (-1,)), xp.reshape(x, (1, *x.shape[::-1]))),
        "flip": lambda x: (xp.flip(x), xp.roll(x, k), xp.roll(x, k, axis=0)),
        "repeat": lambda x: (xp.repeat(x, 2), xp.repeat(x, 0, axis=0), xp.tile(x, (2,) * (x.ndim + 1))),
        "counts": lambda x: xp.repeat(x, xp.arange(x.shape[0]) % 3, axis=0),
        "take": lambda x: xp.take(x, xp.asarray([0, -1, 0]), axis=-1),
        "slices": lambda x: (x[::-2], x[1:, None], x[..., 0], x[-1]),
        "triangle": lambda x: (xp.tril(x, k=k), xp.triu(x, k=k), xp.linalg.diagonal(x, offset=k)),
        "sort": lambda x: [xp.sort(x, axis=a, descending=d) for a in (0, -1) for d in (True, False)],
        "gather": lambda x: (x[xp.asarray([0, -1])], x[..., xp.asarray([[0], [-1]])], x[x == x]),
        "unique": lambda x: [*xp.unique_all(x), *xp.unique_counts(x), *xp.unique_inverse(x), xp.unique_values(x)],
        "nonzero": lambda x: xp.nonzero(x),
        "diff": lambda x: (xp.diff(x), xp.diff(x, n=2, axis=0)),
        "shift": lambda x: xp.fft.fftshift(x),
    }


@pytest.mark.parametrize("name", movements(0))
@pytest.mark.parametrize("k", [-1, 0, 2])
def test_movement_and_order(name, k):
    for arrays in patterns(2 + k):
        with _refused_for_data(name in ("gather", "unique", "nonzero")):
            check(movements(k)[name], arrays[:1])


def reductions(axis, keepdims):
    params = {"axis": axis, "keepdims": keepdims}
    names = ("sum", "prod", "max", "min", "all", "any", "mean", "std", "var", "count_nonzero", "argmax", "argmin")
    return {name: lambda x, name=name: getattr(xp, name)(x, **params) for name in names}


@pytest.mark.parametrize("name", reductions(None, False))
@pytest.mark.parametrize(("axis", "keepdims"), [(None, False), (0, True), (-1, False)])
def test_reductions(name, axis, keepdims):
    for arrays in patterns(5):
        with _refused_for_data(name == "prod"):
            check(reductions(axis, keepdims)[name], arrays[:1])


JOINS = {
    "concat": lambda x, y: (xp.concat([x, y]), xp.concat([y, x, y], axis=-1)),
    "stack": lambda x, y: (xp.stack([x, y]), xp.stack([y, x], axis=-1)),
    "isin": lambda x, y: (xp.isin(x, y), xp.isin(y, x, invert=True)),
}


@pytest.mark.parametrize("name", JOINS)
def test_joins(name):
    for arrays in patterns(6):
        check(JOINS[name], arrays)


PRODUCTS = {
    "matmul": lambda x, y: (x @ xp.matrix_transpose(y), x @ y[..., 0, :] if y.ndim == 2 else x),
    "tensordot": lambda x, y: (xp.tensordot(x, y, axes=((0,), (0,))), xp.tensordot(x, y, axes=0)),
    "stacks": lambda x, y: x @ xp.matrix_transpose(y[:1]),
    "norms": lambda x, y: [xp.linalg.vector_norm(x, axis=-1, ord=o) for o in (0, 1, 2, 3, np.inf)],
    "matrix norms": lambda x, y: [xp.linalg.matrix_norm(x, ord=o) for o in ("fro", 1, np.inf, -1)],
    "vecdot": lambda x, y: (xp.vecdot(x, y), xp.linalg.trace(x)),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name):
    for arrays in patterns(7, "iuf"):
        with _refused_for_data(name in ("matmul", "tensordot", "stacks")):
            check(PRODUCTS[name], arrays)


class _refused_for_data:  # noqa: N801 - reads as a condition
    """Some ops take some data only: fill values of 0, finite numbers."""

    def __init__(self, allowed):
        self.allowed = allowed

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        return kind is UnsupportedOperation and self.allowed


def test_writing():
    rng = np.random.default_rng(8)
    for dtype in DTYPES:
        for fill, value_fill in ((0, 0), (0, 1), (1, 0)):
            (dense, coo), (value, value_coo) = (pattern(rng, (4, 5), dtype, f) for f in (fill, value_fill))
            mask = value != dense
            for key in (1, (2, 3), (slice(None, None, -2), slice(1, 4)), (slice(None), None, 2), mask, mask[:, 0]):
                for part in (value[key], value[0, 0]):
                    wanted = dense.copy()
                    x = xp.asarray(coo)
                    wanted[key] = part
                    x[key] = xp.asarray(sparse.COO.from_numpy(np.asarray(part), fill_value=value_coo.fill_value))
                    got = x.compute(backend="sparse")
                    assert isinstance(got, sparse.COO)
                    equal(got.todense(), wanted)
    x = xp.asarray(sparse.COO.from_numpy(np.zeros(4)))
    x[xp.asarray([1, 3, 1])] = xp.asarray([1.0, 2.0, 3.0])
    equal(x.compute().todense(), np.array([0.0, 3.0, 0.0, 2.0]))


# --- what is sparse stays so ------------------------------------------------------------------------------------------


def big():
    side = 10**6
    return sparse.COO(np.array([[5, 7, 7], [1, 2, side - 1]]), np.array([1.0, 2.0, 3.0]), shape=(side, side))


@pytest.mark.parametrize(
    ("function", "nnz"),
    [
        (lambda x: x * 2 + 1, 3),
        (lambda x: xp.exp(x), 3),
        (lambda x: x + x.T, 6),
        (lambda x: x @ x, 0),
        (lambda x: x[5:8, ::-1], 3),
        (lambda x: xp.sum(x, axis=0), 3),
        (lambda x: xp.max(x + 1, axis=1), 2),
        (lambda x: xp.argmax(x, axis=1), 2),
        (lambda x: xp.sort(x, axis=0), 3),
        (lambda x: xp.unique_inverse(x).inverse_indices, 3),
        (lambda x: xp.where(x > 1, x, 0.0), 2),
        (lambda x: x[xp.asarray([7, 5, 7])], 5),
        (lambda x: xp.concat([x, xp.zeros((1, 10**6)) + 0.0]), 3),
        (lambda x: xp.tril(x), 2),
        (lambda x: x[x != 0], 3),
        (lambda x: xp.full((10**6, 10**6), 7.0), 0),
    ],
)
def test_large_arrays_store_what_they_have_to(function, nnz):
    got = function(xp.asarray(big())).compute(backend="sparse")
    assert isinstance(got, sparse.COO)
    assert got.nnz == nnz


def test_every_result_is_sparse():
    x = xp.asarray(sparse.COO.from_numpy(np.eye(3)))
    for result in (xp.sum(x), x[0, 0], xp.argmax(x), x[0] @ x[0], xp.linalg.trace(x), xp.asarray(3), xp.arange(4)):
        assert isinstance(result.compute(backend="sparse"), sparse.COO)


@pytest.mark.parametrize("form", [sparse.COO, sparse.GCXS, sparse.DOK])
def test_formats_that_come_in(form):
    x = xp.asarray(form.from_numpy(np.eye(3)))
    result = (x * 2).compute()
    assert isinstance(result, sparse.COO)
    equal(result.todense(), 2 * np.eye(3))


REFUSED = [
    (lambda x: xp.cumulative_sum(x, axis=0), "dense also where the operand is sparse"),
    (lambda x: xp.fft.fft(x), "dense also where the operand is sparse"),
    (lambda x: xp.linalg.inv(x), "an algorithm for dense matrices"),
    (lambda x: xp.linalg.matrix_norm(x, ord="nuc"), "cannot run linalg.svdvals on float64.3, 3."),
    (lambda x: (x + 1) @ x, "fill value is 1.0, not 0"),
    (lambda x: (x / 0) @ x, "fill value is nan"),
    (lambda x: xp.where(x > 0, xp.inf, x) @ x, "holds NaN or infinities"),
    (lambda x: xp.nonzero(x + 1), "nearly all elements are nonzero"),
    (lambda x: xp.unique_values(x / 0), "each NaN is a value of its own"),
]


@pytest.mark.parametrize(("function", "reason"), REFUSED)
def test_refusals_say_why_and_what_to_do(function, reason):
    x = xp.asarray(sparse.COO.from_numpy(np.eye(3)))
    with pytest.raises(UnsupportedOperation, match=reason) as caught:
        xp.compute(*several(function(x)))
    assert "backend='numpy'" in str(caught.value)
    assert "recorded at" in str(caught.value) + " ".join(getattr(caught.value, "__notes__", ()))
    several(function(x))[0].compute(backend="numpy")


def test_reads_that_code_demands():
    x = xp.asarray(sparse.COO.from_numpy(np.eye(3)))
    assert float(x[1, 1]) == 1.0
    assert [float(v) for v in x[0]] == [1.0, 0.0, 0.0]
    equal(np.asarray(x + 1), np.eye(3) + 1)


def test_results_are_copies():
    source = sparse.COO.from_numpy(np.eye(3))
    for result in (xp.asarray(source), xp.asarray(source).T, xp.asarray(source)[:]):
        result.compute().data[:] = 7.0
    equal(source.todense(), np.eye(3))
