"""How plans run: common nodes once, buffers freed, assignments in place where nobody can tell."""

import tracemalloc
import weakref
from collections import Counter

import array_api_compat.numpy
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.testing.inputs import equal


class Counting(NumPyExecutor):
    """Counts the steps that it runs."""

    def __init__(self):
        super().__init__()
        self.ran = Counter()

    def execute(self, step, arrays):
        self.ran[step.node.op.name] += 1
        return super().execute(step, arrays)


def test_common_nodes_run_once():
    counting = Counting()
    xp.register_executor("counting", lambda: counting)
    x = xp.asarray([1.0, 2.0])
    y = xp.exp(x)
    a, b = y + y, xp.sum(y)
    xp.compute(a, b, a * b, backend="counting")
    assert counting.ran == {"exp": 1, "add": 1, "sum": 1, "multiply": 1}


@pytest.mark.parametrize("backend", ["numpy", "array_api_strict"])
def test_steps_on_other_data(backend):
    """A plan of many small steps serves other data and scalars, and whatever lies between."""

    def steps(xp, x, y, factors):
        for factor in factors:
            x, y = factor * x + y, xp.where(x > y, xp.sqrt(abs(x * y)), -y) - xp.mean(x, keepdims=True)
        return x, y, x + 0

    rng = np.random.default_rng(0)
    data = [rng.standard_normal((2, 9)) for _ in range(3)]
    data[1][:, ::4] = [[np.nan], [np.inf]]
    for x, y in data:
        factors = [*rng.random(5).tolist(), float("nan"), 2, -0.0, 0.3]
        with np.errstate(all="ignore"):
            wanted = steps(np, x, y, factors)
            got = xp.compute(*steps(xp, xp.asarray(x), xp.asarray(y), factors), backend=backend)
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(np.asarray(a), b)


def test_errors_of_small_steps_name_their_lines():
    for values in ([1.0, 2.0], [1.0, 0.0]):
        x = xp.asarray(values) - 0.0
        y = x * 2.5 + 1.0 / x  # the failing line
        with np.errstate(divide="raise"):
            if all(values):
                np.testing.assert_allclose(y.compute(), [3.5, 5.5])
                continue
            with pytest.raises(FloatingPointError) as caught:
                y.compute()
        (note,) = caught.value.__notes__
        line = test_errors_of_small_steps_name_their_lines.__code__.co_firstlineno + 3
        assert "divide" in note
        assert f"test_running.py:{line} in test_errors_of_small_steps" in note


def test_common_nodes_run_once_on_dask():
    da = pytest.importorskip("dask.array")
    calls = []

    def count(block):
        calls.append(1)
        return block

    source = xp.asarray(da.ones(4, chunks=2).map_blocks(count, dtype=float, meta=np.empty(0)))
    calls.clear()
    y = source + 1
    xp.compute(y, xp.sum(y), xp.sort(y * 2), backend="dask")
    assert len(calls) == 2


def test_a_demand_runs_only_what_is_new():
    counting = Counting()
    xp.register_executor("counting", lambda: counting)
    with xp.set_options(backend="counting"):
        y = xp.exp(xp.asarray([1.0, 2.0]))
        float(xp.sum(y))
        bool(xp.all(y > 0))
    assert counting.ran["exp"] == 1


@pytest.mark.parametrize("backend", ["numpy", "array_api_strict"])
def test_buffers_are_freed_after_their_last_use(backend):
    pytest.importorskip(backend)
    x = xp.asarray(np.ones(1 << 17))
    for _ in range(40):
        x = x + 1.0
    x.compute(backend=backend)
    tracemalloc.start()
    try:
        x.compute(backend=backend)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * (1 << 20)


def test_a_reshape_that_copies_is_the_callers_at_once():
    x = xp.asarray(np.arange(1 << 17, dtype=float).reshape(2, -1))
    y = xp.reshape(x.T, (-1,))
    y.compute()
    tracemalloc.start()
    try:
        result = y.compute()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * result.nbytes
    result[:] = 0
    assert xp.sum(x) > 0


class Watching(ArrayAPIExecutor):
    """Keeps weak references to what its steps made."""

    def __init__(self):
        super().__init__(array_api_compat.numpy, "watching")
        self.made = []

    def execute(self, step, arrays):
        result = np.asarray(super().execute(step, arrays))
        alive = sum(ref() is not None for ref in self.made)
        assert alive <= len(arrays), "more is alive than this step reads"
        self.made.append(weakref.ref(result))
        return result


def test_no_buffer_outlives_its_readers():
    watching = Watching()
    x = xp.asarray([1.0, 2.0])
    for _ in range(10):
        x = xp.exp(-x) * 2.0
    result = x.compute(backend=watching)
    assert [ref() for ref in watching.made if ref() is not None] == [result] or len(watching.made) == 30


def test_assignments_leave_sources_alone():
    source = np.zeros(1 << 15)  # large enough to be shared
    x = xp.asarray(source)
    x[0] = 1.0
    y = x + 0.0
    y[1] = 2.0
    y[2] = 3.0
    got, first = xp.compute(y, x)
    equal(got[:4], np.array([1.0, 2.0, 3.0, 0.0]))
    equal(first[:4], np.array([1.0, 0.0, 0.0, 0.0]))
    assert not source.any()


@pytest.mark.parametrize("name", ["numpy", "array_api_strict", "dask", "sparse"])
def test_index_arrays_on_data_of_unknown_length(name):
    a = np.arange(30.0).reshape(6, 5)
    mask = np.array([1, 1, 0, 1, 1, 1], bool)
    u = xp.asarray(a)[xp.asarray(mask)]
    for key in (np.array([2, 0]), np.array([-1])):
        got = u[xp.asarray(key)].compute(backend=name)
        got = got.todense() if name == "sparse" else np.asarray(got)
        np.testing.assert_array_equal(got, a[mask][key])
    v = xp.asarray(a[0])[xp.asarray(np.array([1, 0, 1, 1, 0], bool))]
    got = v[v > 1.0].compute(backend=name)
    np.testing.assert_array_equal(got.todense() if name == "sparse" else np.asarray(got), [2.0, 3.0])


def test_what_another_backend_holds_does_not_follow_the_users_array():
    big = np.arange(20000.0)
    held = [xp.asarray(big).persist(backend=name) for name in ("array_api_strict", "dask", "numpy")]
    held.pop()  # on NumPy the array itself is held, and watched
    big[...] = 7
    for x in held:
        assert float(np.asarray(x.compute())[1]) == 1


def test_sparse_sums_of_small_integers_do_not_wrap():
    sparse = pytest.importorskip("sparse")
    c = sparse.COO(np.zeros((1, 0), int), np.empty(0, "uint8"), shape=(5,), fill_value=np.uint8(200))
    assert xp.sum(xp.asarray(c)).compute().todense() == 1000
    assert xp.sum(xp.asarray(sparse.COO.from_numpy(np.eye(17, dtype=np.uint8)))).compute().todense() == 17


def test_arrays_of_other_libraries_are_not_seen_changing():
    sparse, da = pytest.importorskip("sparse"), pytest.importorskip("dask.array")
    d = da.ones(10, chunks=3)
    k = sparse.DOK.from_numpy(np.eye(3))
    c = sparse.COO.from_numpy(np.eye(4))
    recorded = [xp.asarray(d) + 1, xp.asarray(k) * 2, xp.asarray(c).persist()]
    d[0], k[0, 0], c.data[:] = 100, 77, 9
    assert recorded[0].compute()[0] == 2
    assert recorded[1].compute().todense()[0, 0] == 2
    assert recorded[2].compute().todense()[0, 0] == 1


def test_deep_chains_run_on_dask():
    pytest.importorskip("dask")
    x = y = xp.asarray(np.ones(4))
    for _ in range(600):
        y = y + x
    assert y.compute(backend="dask").tolist() == [601.0] * 4
