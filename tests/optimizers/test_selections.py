"""Reductions of what a mask selects, without the selection: which ones, and that they are NumPy's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.testing.inputs import DTYPES
from tests.executors.kernel_checks import close, planned, same_on_threads

KINDS = ("auto", "always", "interpreted", "never")
RNG = np.random.default_rng(0)
A, B = (RNG.integers(0, 5, (60, 5)) for _ in range(2))
FIRST, ALL, PLANES = A[:, 0] > 1, A > 1, np.stack([A, B]) > 1


def by_mean(np, y, mask):
    """Of all, and of each column."""
    return np.mean(y[mask]), np.mean(y[mask], axis=0, keepdims=mask.ndim == 1)


REDUCTIONS = {
    "sum": lambda np, y, m: (np.sum(y[m]), np.sum(y[m], axis=0, dtype=np.complex128)),
    "of each column": lambda np, y, m: (np.sum(y[m], axis=0), np.count_nonzero(y[m], axis=0)),
    "with the axis kept": lambda np, y, m: (np.sum(y[m], axis=0, keepdims=m.ndim == 1),),
    "truth": lambda np, y, m: (np.any(y[m]), np.all(y[m]), np.all(y[m], axis=0), np.any(y[m] != 0, axis=0)),
    "comparisons": lambda np, y, m: (np.count_nonzero(y[m] == y[::-1][m]), np.sum(y[m] != np.reshape(y, (-1,))[0])),
    "several arrays": lambda np, y, m: (np.sum(np.where(y[m] == y[::-1][m], y[m], 0)),),
    "a cast": lambda np, y, m: (np.sum(np.astype(y[m], np.complex128)),),
    "several reductions": lambda np, y, m: (np.sum(y[m]), np.any(y[m]), np.count_nonzero(y[m])),
}
OF = {
    "elements": (lambda x: x[:, 0], FIRST),
    "rows": (lambda x: x, FIRST),
    "elements of a matrix": (lambda x: x, ALL),
    "rows of planes": (lambda x: np.stack([x, x + x])[..., None] * np.ones(3, x.dtype), PLANES),
    "nothing": (lambda x: x, ALL & False),
    "one element": (lambda x: x, np.arange(A.size).reshape(A.shape) == 77),
    "everything": (lambda x: x, ALL | True),
    "backwards": (lambda x: x[::-1, ::-1].T, ALL.T),
}


def check(function, *arrays):
    """That lazyxp gives what NumPy gives, whatever runs kernels, and never makes a selection."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = function(np, *arrays)
    recorded = function(xp, *map(xp.asarray, arrays))
    assert "gather" not in {node.op.name for node in planned(*recorded)}
    for kind in KINDS:
        with xp.set_options(kernels=kind), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got = xp.compute(*recorded)
        for mine, theirs in zip(got, wanted, strict=True):
            close(mine, np.asarray(theirs), 4, kind)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("of", OF)
def test_no_selection_is_made(of, name, dtype):
    make, mask = OF[of]
    check(lambda np, y, m: REDUCTIONS[name](np, y, m), make(A.astype(dtype)), mask)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool"])
@pytest.mark.parametrize("of", OF)
def test_means(of, dtype):
    make, mask = OF[of]
    check(by_mean, make(A.astype(dtype)), mask)


X, Y = xp.asarray(A.astype(float)), xp.asarray(B.astype(float))
M, ROWS = X > 1, X[:, 0] > 1
RESTING = {
    "the selection is a result": lambda: (xp.sum(X[M]), X[M]),
    "something else reads it": lambda: (xp.sum(X[M]), xp.sum(xp.sqrt(X[M]))),
    "ops that warn": lambda: (xp.sum(X[M] * Y[M]),),
    "casts that warn": lambda: (xp.sum(xp.astype(X[M], xp.int32)), xp.sum(xp.astype(X[M], xp.float32))),
    "no neutral element": lambda: (xp.max(X[M]), xp.min(X[M])),
    "nothing reduced that was selected": lambda: (xp.sum(X[ROWS], axis=1),),
    "two masks": lambda: (xp.any(X[M] == Y[Y > 1]),),
    "another axis": lambda: (xp.sum(X[:, X[0] > 1]),),
    "what is selected beside what is not": lambda: (xp.count_nonzero(X[ROWS][:, :1] == Y[:, 0]),),
    "complex means": lambda: (xp.mean(xp.astype(X, xp.complex128)[M]),),
    "indices": lambda: (xp.sum(X[xp.nonzero(M)]),),
}


@pytest.mark.parametrize("name", RESTING)
def test_other_selections_are_made(name):
    assert {"gather", "nonzero"} & {node.op.name for node in planned(*RESTING[name]())}


CUBE = np.stack([A, B, A + 1], axis=1)[..., :4]
ALONG = {
    "rows": (A, lambda x, m: x[m]),
    "columns": (A.T, lambda x, m: x[:, m]),
    "planes": (CUBE, lambda x, m: x[m]),
    "in the middle": (np.moveaxis(CUBE, 0, 1), lambda x, m: x[:, m, :]),
    "the last": (np.moveaxis(CUBE, 0, -1), lambda x, m: x[..., m]),
    "rows of rows backwards": (A[::-1, ::-1], lambda x, m: x[m]),
}
OF_ROWS = {
    "alone": lambda np, y: (y,),
    "a chain": lambda np, y: (y * 2 + 1, y + y),
    "reductions": lambda np, y: (np.sum(y * 2, axis=0), np.sum(y, axis=-1), np.any(y != 0)),
    "running sums": lambda np, y: (np.cumulative_sum(y * 2, axis=0), np.cumulative_sum(y * 2, axis=-1)),
    "products of matrices": lambda np, y: (np.matmul(y * 2, np.matrix_transpose(y)),),
}


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint64", "float32", "float64", "complex64"])
@pytest.mark.parametrize("name", OF_ROWS)
@pytest.mark.parametrize("along", ALONG)
def test_rows_are_taken_by_their_index(along, name, dtype):
    x, select = ALONG[along]
    x = x.astype(dtype)
    for count in (0, 1, 2, 20, 59, 60):
        mask = np.zeros(60, bool)
        mask[np.random.default_rng(count).permutation(60)[:count]] = True
        check(lambda np, x, m: OF_ROWS[name](np, select(x, m)), x, mask)


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(IndexError):
        X[xp.asarray(np.ones(59, bool))].compute()
    rows = X[M[:, 0]]  # whose length nobody knows
    with pytest.raises(IndexError):
        xp.sum((rows * 2)[xp.asarray(np.ones(61, bool))], axis=1).compute()


def test_what_is_not_selected_neither_counts_nor_warns():
    x = np.array([1.0, np.nan, 2.0, np.inf, -np.inf, 3.0, 1e308])
    lazy = xp.asarray(x)
    mask = xp.isfinite(lazy) & (lazy < 1e300)
    for kind in KINDS:
        with xp.set_options(kernels=kind), np.errstate(all="raise"):
            assert [float(v) for v in xp.compute(xp.sum(lazy[mask]), xp.mean(-lazy[mask]))] == [6.0, -2.0]
            assert float(xp.sum(1 / lazy[mask])) == 1 / 1 + 1 / 2 + 1 / 3
            assert np.isnan(float(xp.mean(lazy[lazy > np.inf])))


def test_large_sums_do_not_depend_on_the_number_of_threads():
    x = np.random.default_rng(1).standard_normal(1_000_000)
    lazy = xp.asarray(x)
    outputs = xp.sum(lazy[lazy > 0]), xp.mean((lazy * 3 - 1)[lazy < 0.5])
    got = same_on_threads(lambda: xp.compute(*outputs))
    wanted = x[x > 0].sum(), (x * 3 - 1)[x < 0.5].mean()
    np.testing.assert_allclose(got, wanted, rtol=1e-12)
    assert xp.sum(lazy[lazy > 0]).estimate().peak_bytes < 1_000_000
