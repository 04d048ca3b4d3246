"""The Dask executor: chunks, schedulers, unknown lengths, and what stays on the cluster."""

import os

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.testing.inputs import equal

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")

X = np.arange(24.0).reshape(4, 6)


@pytest.fixture(autouse=True)
def tiny_chunks():
    with dask.config.set({"array.chunk-size": "48B"}):
        yield


def lowered(x):
    """The Dask array that `x` becomes."""
    from lazyxp.executors import registry
    from lazyxp.planning import make_plan
    from lazyxp.structure import structure_of

    executor = registry.get("dask")
    _, plan = make_plan(structure_of([current(x)]), executor, "none")
    return executor._build(plan)[0]


# --- chunks -----------------------------------------------------------------------------------------------------------


def test_sources_are_cut_into_chunks():
    assert lowered(xp.asarray(X)).npartitions > 4
    with dask.config.set({"array.chunk-size": "1MiB"}):
        assert lowered(xp.asarray(X)).npartitions == 1


@pytest.mark.parametrize(
    "function",
    [
        lambda x: xp.exp(x) + 1,
        lambda x: xp.where(x > 3, x, -x),
        lambda x: x.T,
        lambda x: xp.broadcast_to(x, (3, 4, 6)),
        lambda x: x[1:, ::-2],
        lambda x: x @ x.T,
        lambda x: xp.take(x, xp.asarray([2, 0, 2, 1]), axis=0),
        lambda x: xp.isin(x, xp.asarray([1.0, 5.0])),
        lambda x: xp.searchsorted(xp.arange(9.0), x),
        lambda x: xp.cumulative_sum(x, axis=1, include_initial=True),
        lambda x: xp.sort(x, axis=1),
        lambda x: xp.fft.rfft(x, axis=1),
        lambda x: xp.linalg.svdvals(xp.reshape(x, (6, 2, 2))),
        lambda x: xp.linalg.outer(x[0], x[1]),
        lambda x: xp.linalg.vector_norm(x, axis=1, ord=3),
        lambda x: xp.arange(100.0, dtype=xp.float32),
        lambda x: xp.linspace(0, 1, 100),
        lambda x: xp.eye(20, 30, k=-2),
        lambda x: xp.zeros((9, 9)),
        lambda x: xp.tril(x),
        lambda x: xp.reshape(x, (3, 8)),
    ],
)
def test_work_stays_in_chunks(function):
    result = function(xp.asarray(X))
    assert lowered(result).npartitions > 1
    equal(result.compute(backend="dask"), result.compute(backend="numpy"), rounding=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint64, np.complex64])
def test_progressions_count_as_numpy_does(dtype):
    rng = np.random.default_rng(0)
    for _ in range(20):
        start, step, n = rng.integers(0, 50), rng.integers(1, 7), rng.integers(10, 60)
        if np.dtype(dtype).kind in "fc":
            start, step = start + rng.random(), step * rng.random() + 0.01
        stop = start + step * n
        params = [p.item() for p in (start, stop, step)]
        got = xp.arange(*params, dtype=dtype).compute(backend="dask")
        equal(got, np.arange(*params, dtype=dtype), rounding=np.dtype(dtype).kind == "c")
        got = xp.linspace(params[0], params[1], int(n), dtype=dtype).compute(backend="dask")
        equal(got, np.linspace(params[0], params[1], int(n), dtype=dtype), rounding=True)


def test_the_first_extreme_is_found_whatever_the_chunks():
    rng = np.random.default_rng(0)
    for _ in range(10):
        values = rng.integers(0, 3, (5, 7)).astype(float)
        x = xp.asarray(values)
        for axis in (None, 0, 1):
            equal(xp.argmax(x, axis=axis).compute(backend="dask"), np.argmax(values, axis=axis))
            equal(xp.argmin(x, axis=axis).compute(backend="dask"), np.argmin(values, axis=axis))


def test_the_standards_special_values():
    inf, nan = np.inf, np.nan
    x, y = np.array([[inf, 1.0, -inf, 1.0], [nan, -1.0, 0.0, 5.0]]), np.array([2.0, inf, -2.0, -inf])
    z = np.array([complex(inf, 1), complex(nan, 0), complex(-inf, 2), complex(1, -inf), 0j])
    for function in (lambda: xp.floor_divide(x, xp.asarray(y)), lambda: xp.expm1(z), lambda: xp.tanh(z)):
        equal(function().compute(backend="dask"), function().compute(backend="numpy"))
    equal(xp.mean(xp.asarray(z[:2])).compute(backend="dask"), xp.mean(xp.asarray(z[:2])).compute(backend="numpy"))
    assert np.isnan(xp.var(xp.asarray(y[:2]), correction=2).compute(backend="dask"))


def test_small_integers_keep_their_dtype_in_products():
    x = np.full((6, 6), 7, np.int8)
    for product in (lambda x: x @ x, lambda x: xp.tensordot(x, x, axes=1), lambda x: xp.vecdot(x, x)):
        got = product(xp.asarray(x)).compute(backend="dask")
        equal(got, product(xp.asarray(x)).compute(backend="numpy"))


def test_assignments_in_chunks():
    for key in (0, (-1, slice(None, None, -2)), (slice(2, 0, -1), 3), (None, slice(1, 3)), (slice(2, 2),), ...):
        x, wanted = xp.asarray(X), X.copy()
        value = np.asarray(wanted[key]) * 10 + 1
        x[key], wanted[key] = value, value
        equal(x.compute(backend="dask"), wanted)
        x[key], wanted[key] = -1.0, -1.0
        equal(x.compute(backend="dask"), wanted)


# --- unknown lengths --------------------------------------------------------------------------------------------------


def test_unknown_lengths_stay_unknown_until_they_are_needed():
    x = xp.asarray(np.arange(-6.0, 6.0))
    found = x[x > 0]
    assert lowered(xp.exp(found) * 2).npartitions > 1
    both = [found, xp.flip(found), xp.concat([found, found]), found[1:-1], found + x[x < 0][1:], xp.max(found)]
    got = xp.compute(*both, backend="dask")
    for value, wanted in zip(got, xp.compute(*both, backend="numpy"), strict=True):
        equal(value, wanted)
    empty = x[x > 99]
    equal(xp.sum(empty).compute(backend="dask"), np.float64(0.0))
    equal((empty * 2).compute(backend="dask"), np.empty(0))
    with pytest.raises(ValueError, match="zero-size") as caught:
        xp.max(empty).compute(backend="dask")
    assert "ran max on float64[?]" in caught.value.__notes__[-1]
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        (found + x[x < -2]).compute(backend="dask")


def test_persisted_lengths_are_known():
    x = xp.asarray(np.arange(-6.0, 6.0)).persist(backend="dask")
    found = x[x > 0].persist()
    assert isinstance(current(found).value, da.Array)
    assert found.shape == (5,)
    assert len(x[x > 1]) == 4


# --- schedulers -------------------------------------------------------------------------------------------------------


def where_it_ran(block):
    return np.full(block.shape, os.getpid())


@pytest.mark.parametrize("scheduler", [None, "threads", "sync", "synchronous"])
def test_local_schedulers(scheduler):
    x = xp.asarray(X) + 1
    equal(x.compute(backend="dask", scheduler=scheduler), X + 1)
    assert isinstance(current(x.persist(backend="dask", scheduler=scheduler)).value, da.Array)


def test_processes():
    x = xp.asarray(da.from_array(X, chunks=2).map_blocks(where_it_ran, dtype=int, meta=np.empty((0, 0), int)))
    assert os.getpid() not in x.compute(backend="dask", scheduler="processes")


def test_the_active_client_and_addresses(cluster):
    source = da.from_array(X, chunks=2).map_blocks(where_it_ran, dtype=int, meta=np.empty((0, 0), int))
    x = xp.asarray(source) + 0
    with cluster.as_current():
        assert os.getpid() not in x.compute()
        assert xp.backends()["dask"].devices[0].startswith("<Client")
    assert os.getpid() not in x.compute(scheduler=cluster)
    assert os.getpid() not in x.compute(scheduler=cluster.scheduler.address)
    assert os.getpid() in x.compute()
    with pytest.raises(ValueError, match=r"persist: results on 'tcp://.*' live as long as a client is connected"):
        x.persist(scheduler=cluster.scheduler.address)
    assert xp.backends()["dask"].devices == ("threads",)


def test_persisted_data_stays_on_the_cluster(cluster):
    x = xp.asarray(X).persist(backend="dask", scheduler=cluster)
    value = current(x).value
    assert all(type(future).__name__ == "Future" for future in dict(value.dask).values())
    equal((x * 2).compute(scheduler=cluster), X * 2)


def test_unknown_schedulers_and_options():
    x = xp.asarray(X)
    with pytest.raises(ValueError, match="threads"):
        x.compute(backend="dask", scheduler="nobody")
    with pytest.raises(TypeError, match="takes no option 'workers'; it takes scheduler="):
        x.compute(backend="dask", workers=3)


# --- errors and sources -----------------------------------------------------------------------------------------------


def broken(block):
    raise RuntimeError("no disk")


@pytest.mark.parametrize("where", ["threads", "cluster"])
def test_errors_in_tasks_name_the_op(where, request):
    scheduler = request.getfixturevalue("cluster") if where == "cluster" else where
    x = xp.linalg.inv(xp.zeros((2, 2)))
    with pytest.raises(np.linalg.LinAlgError) as caught:
        (x + 1).compute(backend="dask", scheduler=scheduler)
    assert any("while dask ran linalg.inv on float64[2, 2], recorded at" in note for note in caught.value.__notes__)
    source = da.from_array(X, chunks=2).map_blocks(broken, dtype=float, meta=np.empty((0, 0)))
    with pytest.raises(RuntimeError, match="no disk") as caught:
        (xp.asarray(source) * 2).compute(scheduler=scheduler)
    assert "ran multiply on" in caught.value.__notes__[-1]
    assert caught.value.__notes__[-1].endswith("or what that needs")


def test_dask_arrays_come_in_as_they_are():
    source = da.from_array(X, chunks=(3, 2))
    x = xp.asarray(source)
    assert lowered(x).name == source.name
    assert lowered(x + 1).chunks == source.chunks
    unknown = xp.asarray(source[source > 3])
    equal((unknown + 1).compute(), X[X > 3] + 1)


def test_results_of_persisted_data_are_the_callers():
    with dask.config.set({"array.chunk-size": "1MiB"}):
        x = xp.asarray(X).persist(backend="dask")
    y = xp.asarray(x, copy=True)
    y[:0] = 1.0
    for result in (x, x.T, x[1:], y, xp.concat([x]), xp.sum(x, axis=())):
        result.compute()[...] = 5.0
    equal(x.compute(), X)


def test_arrays_of_the_user_are_neither_written_nor_shared():
    source = np.zeros(1 << 14)  # large enough to be recorded without a copy
    x = xp.asarray(source)
    held = xp.persist(x, x[::2], xp.flip(x), backend="dask")
    with dask.config.set({"array.chunk-size": "1MiB"}):
        held += xp.persist(x, x[::2], xp.flip(x), xp.reshape(x, (2, -1)), backend="dask")
        results = xp.compute(x, x[::2], xp.reshape(x, (2, -1)), backend="dask")
    x[0] = 1.0
    assert x.compute(backend="dask")[0] == 1.0
    assert not source.any()
    for result in results:
        result[...] = 5.0
    assert not source.any()
    source[...] = 7.0
    assert all(not np.any(np.asarray(one)) for one in held)
