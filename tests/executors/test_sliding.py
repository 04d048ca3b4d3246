"""Kernels that run together, a few rows at a time: against NumPy, wherever rows and windows begin and end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazyxp as xp
from lazyxp.executors.numpy.llvm import sliding as compiled_sliding
from lazyxp.sliding import SLIDING
from tests.executors.kernel_checks import compiled, interpreted, planned, same_bits, shared


def blurred(ns, a):
    return (a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:]) * 0.25


def gradient(ns, b):
    return ns.hypot(b[2:, 1:-1] - b[:-2, 1:-1], b[1:-1, 2:] - b[1:-1, :-2])


def edges(ns, a):
    return gradient(ns, blurred(ns, a))


def thinned(ns, a):
    """Three stages, the last of which reads the first one again."""
    b = blurred(ns, a)
    g = gradient(ns, b)
    return ns.where(g[1:-1] > ns.maximum(g[:-2], g[2:]), g[1:-1], b[2:-2, 1:-1])


def two_outputs(ns, a):
    """One stage passes on two arrays."""
    dx, dy = ns.exp(-a[:, 1:] * a[:, :-1])[1:], ns.exp(a[1:, 1:] - a[:-1, :-1])
    return dx[1:] * dy[:-1] - dx[:-1] * dy[1:]


def differences(ns, a):
    """The windows of rows lie one after the other in memory, as do whole rows."""
    f = ns.exp(-ns.abs(a))
    return f[3:] - f[:-3]


def along_columns(ns, a):
    """No rows are needed again."""
    f = ns.exp(-ns.abs(a))
    return f[:, 5:] - f[:, :-5]


def of_one_row(ns, a):
    f = ns.exp(-ns.abs(a.reshape(-1) if ns is np else ns.reshape(a, (-1,))))
    return f[1:] - f[:-1]


def sums(ns, a):
    f = ns.exp(-ns.abs(a))
    d = f[2:] - f[:-2]
    return ns.sum(d * d)


def largest_in_rows(ns, a):
    f = ns.exp(-ns.abs(a))
    return ns.max(f[2:] - f[:-2], axis=1)


def scores(ns, a):
    """The last stage walks over each row several times."""
    f = ns.exp(-ns.abs(a))
    d = f[1:] - f[:-1]
    e = ns.exp(d - ns.max(d, axis=1, keepdims=True))
    return e / ns.sum(e, axis=1, keepdims=True)


def spread(ns, a):
    f = ns.exp(-ns.abs(a))
    return ns.std(f[2:] * f[:-2])


CASES = (
    edges, thinned, two_outputs, differences, along_columns, of_one_row, sums, largest_in_rows, scores, spread,
)  # fmt: skip
LAYOUTS = {
    "rows": lambda x: x,
    "columns": np.asfortranarray,
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "every other": lambda x: np.repeat(np.repeat(x, 2, axis=0), 2, axis=1)[::2, ::2],
}


def data(dtype, shape=(403, 310)):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


@pytest.fixture
def courses(monkeypatch):
    """Whether the stages ran together, for each time that was asked."""
    found = []
    real = compiled_sliding.course_of

    def noted(*args):
        found.append(real(*args))
        return found[-1]

    monkeypatch.setattr(compiled_sliding, "course_of", noted)
    return found


def agree(got, want):
    assert got.shape == np.shape(want)
    assert got.dtype == np.asarray(want).dtype
    limit = 64 * np.finfo(got.dtype).eps
    np.testing.assert_allclose(got, want, rtol=limit, atol=limit * max(1, np.max(np.abs(want), initial=0)))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_stages_run_together_and_give_what_numpy_does(case, layout, dtype, courses):
    x = LAYOUTS[layout](data(dtype))
    result = case(xp, shared(x))
    assert SLIDING in {node.op for node in planned(result)}
    (got,) = compiled(result)
    agree(got, case(np, x))
    together = case is not along_columns or layout == "columns"
    if case not in (of_one_row, along_columns, largest_in_rows, scores):
        assert [course is not None for course in courses] == [together]
    (alone,) = interpreted(case(xp, shared(x)))
    agree(alone, got)


@pytest.mark.parametrize("case", [edges, thinned, two_outputs, sums, spread], ids=lambda case: case.__name__)
def test_results_do_not_depend_on_the_threads(case):
    x = data("float64", (900, 700))
    results = []
    for threads in (1, 2, 3):
        with xp.set_options(num_threads=threads):
            results.append(compiled(case(xp, shared(x)))[0])
    same_bits(results[1], results[0])
    same_bits(results[2], results[0])


@given(
    rows=st.integers(200, 420),
    columns=st.integers(300, 420),
    starts=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=2, max_size=5),
    more=st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=3),
)
def test_windows_anywhere(rows, columns, starts, more):
    """Two stages between the data and the result, each of which reads windows that begin anywhere."""
    x = data("float64", (rows, columns))

    def windows(a, where):
        n, m = (side - max(one[d] for one in where) for d, side in enumerate(a.shape))
        return [a[i : i + n, j : j + m] for i, j in where]

    def run(ns, a):
        first = ns.exp(-ns.abs(a))
        second = ns.exp(sum(windows(first, starts)) * 0.5 - 1.0)
        third = windows(second, more)
        return third[0] - sum(third[1:])

    (got,) = compiled(run(xp, shared(x)))
    agree(got, run(np, x))


def test_what_else_is_read_is_held():
    """A stage whose result is returned, or read in another way, does not take part."""
    x = shared(data("float64"))
    b = blurred(xp, x)
    for outputs in ((b, gradient(xp, b)), (gradient(xp, b), xp.sum(b)), (gradient(xp, b), b[::2, ::2])):
        assert SLIDING not in {node.op for node in planned(*outputs)}


def test_rows_that_do_not_fit_into_the_cache_are_held(courses):
    x = data("float64", (7, 400_000))
    (got,) = compiled(differences(xp, shared(x)))
    agree(got, differences(np, x))
    assert courses == [None]


def test_estimates_hold_a_few_rows():
    x = xp.asarray(data("float64", (2_000, 1_000)))
    found = edges(xp, x)
    estimate = found.estimate()
    assert estimate.kernels == 2
    assert 16e6 * 0.99 < estimate.peak_bytes < 16e6 + 4e6
    assert "a few rows at a time" in str(found.explain())
    source = found.explain().source()
    assert "stage 1 of 2" in source
    assert "stage 2 of 2" in source


def test_errors_name_the_op_within():
    x = data("float64")
    x[5, 5] = -1.0

    def run():
        f = xp.log(shared(x) * 2.0)
        return (f[1:] - f[:-1]).compute()

    with np.errstate(invalid="raise"), xp.set_options(kernels="always"), pytest.raises(FloatingPointError) as caught:
        run()
    assert any("log" in note and "test_sliding" in note for note in caught.value.__notes__)
