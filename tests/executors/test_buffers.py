"""Memory of large results: that arrays in it are as any other, and that it comes back, once, and not too much of it."""

from __future__ import annotations

import copy
import gc
import mmap
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import tracemalloc

import numpy as np
import pytest

from lazyxp.executors.numpy import buffers
from lazyxp.executors.numpy.buffers import HUGE, SMALLEST, Pool, capacity_for

LARGE = 3 * 2**20
# Sizes in bytes: around each at which something else begins.
SIZES = [0, 8, SMALLEST - 8, SMALLEST, SMALLEST + 8, HUGE - 8, HUGE, HUGE + 8, 7 * HUGE, 20 * HUGE - 8]


@pytest.fixture
def pool():
    return Pool(64 * 2**20)


def address(x):
    return x.__array_interface__["data"][0]


def large(pool, size=LARGE):
    return pool.empty((size,), np.uint8)


def run(code, **environment):
    """Run `code` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- arrays ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
def test_arrays_are_where_they_should_be(pool, size):
    for _ in range(2):  # new memory, and used memory
        x = pool.empty((size // 8,), np.float64)
        assert type(x) is np.ndarray
        assert x.flags.c_contiguous
        assert x.flags.aligned
        assert x.flags.writeable
        assert x.flags.owndata == (size < SMALLEST)
        if size >= SMALLEST:
            assert address(x) % mmap.PAGESIZE == 0
        if size >= HUGE:
            assert address(x) % HUGE == 0
        x[...] = np.arange(size // 8)
        assert (x == np.arange(size // 8)).all()
        del x
    assert pool.info().hits == (size >= SMALLEST)


@pytest.mark.parametrize(
    "dtype", ["?", "i1", ">i4", "u8", "f2", "c16", "M8[s]", "S5", "U3", [("a", "i4"), ("b", "f8", (3,))]]
)
def test_any_shape_and_dtype(pool, dtype):
    dtype = np.dtype(dtype)
    shape = (3, LARGE // dtype.itemsize // 3, 1)
    x = pool.empty(shape, dtype)
    like = np.empty(shape, dtype)
    assert not x.flags.owndata
    assert (x.shape, x.strides, x.dtype) == (like.shape, like.strides, like.dtype)


@pytest.mark.parametrize("dtype", [object, np.dtypes.StringDType(), [("a", object)]])
def test_references_are_numpys_own(pool, dtype):
    x = pool.empty((LARGE // 8,), dtype)
    assert x.flags.owndata
    assert (x[-1].item() if x.dtype.names else x[-1]) in (None, "", (None,))


@pytest.mark.parametrize("shape", [(-1000, -1000), (-LARGE,), (2**40, 2**40), (2**62,)])
def test_shapes_that_cannot_be_are_refused_as_numpy_refuses_them(pool, shape):
    with pytest.raises((ValueError, MemoryError)) as expected:
        np.empty(shape)
    with pytest.raises(expected.type):
        pool.empty(shape, np.float64)


def test_arrays_behave_as_any_other(pool):
    x = pool.empty((1000, 1000), np.float64)
    x[...] = np.arange(1e6).reshape(1000, 1000)
    plain = np.array(x)
    x += 1
    x[3:5, ::7] *= 2
    plain += 1
    plain[3:5, ::7] *= 2
    for same in (x.copy(), copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x, 5)), np.from_dlpack(x)):
        np.testing.assert_array_equal(same, plain)
    assert x.copy().flags.owndata
    assert memoryview(x).tobytes() == plain.tobytes()
    assert not memoryview(x).readonly
    view = x[::2].T
    assert view.base is x
    assert np.shares_memory(x, view)
    assert not np.shares_memory(x, pool.empty((1000, 1000), np.float64))
    x.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        x[0] = 0
    x.flags.writeable = True
    x[0] = 0
    assert x.sum() == plain[1:].sum()


def test_no_base_looks_like_a_file(pool):
    x = large(pool)[1:]
    while x is not None:
        assert not isinstance(x, mmap.mmap)
        x = getattr(x, "base", None)


# --- memory comes back -----------------------------------------------------------------------------------------------


def test_memory_is_used_again(pool):
    x = large(pool)
    where = address(x)
    del x
    assert pool.info().held == capacity_for(LARGE)
    x = large(pool)
    assert address(x) == where
    assert pool.info()[1:] == (0, 1, 1)


@pytest.mark.parametrize(
    "keep",
    [
        lambda x: x[5:9],
        lambda x: x.reshape(-1, 2).T,
        lambda x: x.view(np.int16)[::2],
        lambda x: memoryview(x)[3:],
        lambda x: np.from_dlpack(x),
        lambda x: x.base,
        lambda x: np.frombuffer(x.base, np.uint8),
        lambda x: np.broadcast_to(x, (2, *x.shape)),
        lambda x: (i for i in x),
    ],
    ids=["slice", "reshape", "dtype", "memoryview", "dlpack", "base", "frombuffer", "broadcast", "iterator"],
)
def test_memory_stays_while_anything_sees_it(pool, keep):
    x = large(pool)
    kept = keep(x)
    del x
    assert pool.info().held == 0
    del kept
    assert pool.info().held == capacity_for(LARGE)


def test_memory_in_a_cycle_comes_back_with_it(pool):
    cycle = [large(pool)]
    cycle.append((cycle, cycle[0].base))
    del cycle
    assert pool.info().held == 0
    gc.collect()
    assert pool.info().held == capacity_for(LARGE)


def test_close_sizes_share_memory_and_little_is_wasted(pool):
    sizes = np.unique(np.geomspace(SMALLEST, 2**40, 20_000).astype(np.int64)).tolist()
    capacities = [capacity_for(size) for size in sizes]
    assert all(size <= capacity <= 1.125 * size for size, capacity in zip(sizes, capacities, strict=True))
    assert len(set(capacities)) <= 8 * 22 + 1
    assert all(capacity % mmap.PAGESIZE == 0 for capacity in capacities) or mmap.PAGESIZE > 2**15
    x = large(pool, LARGE - 10)
    where = address(x)
    del x
    assert address(large(pool, LARGE - 99_999)) == where


# --- what is held ----------------------------------------------------------------------------------------------------


def test_what_is_held_is_bounded_and_the_longest_idle_goes_first():
    pool = Pool(4 * LARGE)
    small, medium = large(pool, SMALLEST), large(pool)
    others = [large(pool) for _ in range(3)]
    del small  # idle for longest
    held = capacity_for(SMALLEST)
    assert pool.info().held == held
    del medium
    while others:
        others.pop()
        assert pool.info().held <= pool.info().limit == 4 * LARGE
    assert pool.info().held == 4 * LARGE
    hits = pool.info().hits
    x = large(pool, SMALLEST)
    assert pool.info().hits == hits
    assert len([large(pool) for _ in range(5)]) == 5
    assert pool.info().hits == hits + 4
    del x


def test_what_was_used_last_is_used_next_and_goes_last():
    pool = Pool(2 * LARGE)
    arrays = [large(pool) for _ in range(3)]
    where = [address(x) for x in arrays]
    while arrays:
        arrays.pop(0)
    arrays = [large(pool), large(pool)]
    assert [address(x) for x in arrays] == [where[2], where[1]]


def test_using_memory_makes_it_young():
    pool = Pool(2 * LARGE + SMALLEST)
    small, one, other = large(pool, SMALLEST), large(pool), large(pool)
    del small, one
    large(pool, SMALLEST)  # and dropped again
    del other
    assert pool.info().held == 2 * LARGE + SMALLEST
    x = large(pool, SMALLEST * 2)
    del x  # too much by now: what goes is `one`
    assert pool.info().held == LARGE + 3 * SMALLEST
    hits = pool.info().hits
    kept = [large(pool, SMALLEST), large(pool, SMALLEST * 2), large(pool)]
    assert pool.info().hits == hits + len(kept)


def test_what_is_larger_than_the_bound_is_numpys_own():
    assert not large(Pool(LARGE)).flags.owndata
    for pool in (Pool(LARGE - 1), Pool(0)):
        assert large(pool).flags.owndata
        assert pool.info()[1:] == (0, 0, 0)


def test_clear(pool):
    kept = large(pool)
    kept[...] = 7
    large(pool), large(pool, SMALLEST)
    assert pool.info().held > 0
    pool.clear()
    assert pool.info().held == 0
    assert (kept == 7).all()
    del kept
    assert pool.info().held == capacity_for(LARGE)


def test_where_no_memory_can_be_mapped_what_is_held_is_given_back(pool, monkeypatch):
    large(pool)
    assert pool.info().held > 0

    def refuse(size):
        raise OSError

    monkeypatch.setattr(buffers, "_map", refuse)
    assert large(pool, 2 * LARGE).flags.owndata
    assert pool.info().held == 0


def test_idle_memory_is_offered_to_the_system_but_the_latest(pool, monkeypatch):
    offered = []
    monkeypatch.setattr(buffers._Block, "offer", lambda block: offered.append(block.address))
    for _ in range(3):  # asked for again at once
        large(pool)
    assert offered == []
    x, y, z = large(pool), large(pool), large(pool)
    first, second, third = map(address, (x, y, z))
    del x
    assert offered == []
    del y
    assert offered == [first]
    again = large(pool)
    assert address(again) == second
    del z
    assert offered == [first]
    del again
    assert offered == [first, third]


def test_systems_that_take_no_advice(pool, monkeypatch):
    for name in ("MADV_HUGEPAGE", "MADV_FREE"):
        monkeypatch.delattr(mmap, name, raising=False)
    x = large(pool)
    x[...] = 1
    del x
    large(pool)[...] = 2
    assert pool.info().hits == 1


# --- tracemalloc -----------------------------------------------------------------------------------------------------


def traced(make):
    """Bytes that tracemalloc sees: with the array, at its peak, and after it; and where the array is."""
    gc.disable()
    tracemalloc.start()
    try:
        x = make()
        during = tracemalloc.get_traced_memory()[0]
        statistics = tracemalloc.take_snapshot().filter_traces([tracemalloc.DomainFilter(True, buffers.TRACE_DOMAIN)])
        sizes = [trace.size for trace in statistics.traces]
        del x
        return during, tracemalloc.get_traced_memory(), sizes
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.mark.parametrize("held", [False, True])
def test_tracemalloc_sees_what_it_sees_of_numpys_arrays(pool, held):
    if held:
        large(pool)
    expected, seen = traced(lambda: np.empty(LARGE - 5, np.uint8)), traced(lambda: large(pool, LARGE - 5))
    assert pool.info().hits == held
    assert expected[2] == seen[2] == [LARGE - 5]
    assert seen[0] == pytest.approx(expected[0], abs=100_000)
    assert seen[1] == pytest.approx(expected[1], abs=100_000)


def test_tracing_that_starts_or_stops_meanwhile(pool):
    tracemalloc.start()
    x = large(pool)
    tracemalloc.stop()
    del x
    x = large(pool)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    del x
    assert abs(tracemalloc.get_traced_memory()[0] - before) < 100_000
    tracemalloc.stop()


# --- from anywhere ---------------------------------------------------------------------------------------------------


def test_threads_never_get_the_same_memory():
    pool = Pool(6 * 2**20)
    wrong = []
    barrier = threading.Barrier(4)
    shared = []

    def work(seed):
        rng = np.random.default_rng(seed)
        mine = []
        barrier.wait()
        for i in range(400):
            number = seed * 1000 + i
            x = pool.empty((int(rng.choice([SMALLEST, SMALLEST + 999, HUGE])) // 8,), np.int64)
            x[::500] = number
            mine.append((number, x))
            if len(mine) > rng.integers(5):
                number, x = mine.pop(int(rng.integers(len(mine))))
                if (x[::500] != number).any():
                    wrong.append(number)
                shared.append(x)  # another thread may be the one to drop it
            while len(shared) > 3:
                try:
                    shared.pop(0)
                except IndexError:
                    break
            if i % 100 == 0:
                pool.clear()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
    shared.clear()
    assert pool.info().hits > 0
    held = pool.info().held
    assert 0 < held <= 6 * 2**20
    pool.clear()
    assert pool.info().held == 0


def test_collecting_garbage_may_use_the_pool(pool):
    class Heavy:
        def __init__(self):
            self.cycle = self
            self.x = large(pool, SMALLEST)

        def __del__(self):
            large(pool, SMALLEST)[...] = 1
            pool.clear()

    thresholds = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    try:
        for i in range(200):
            Heavy()
            x = large(pool, SMALLEST)
            x[...] = i % 250
            Heavy()
            assert (x == i % 250).all()
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()


def test_a_busy_pool_neither_waits_nor_loses_anything(pool):
    kept = [large(pool)]

    def work():
        kept.append(large(pool))
        kept.clear()

    thread = threading.Thread(target=work, daemon=True)
    with pool._lock:  # as when a collection of garbage happens in the middle of a call
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        assert kept == []
        assert pool.info().held == 0
    z = large(pool, SMALLEST)
    assert pool.info().held == 2 * capacity_for(LARGE)
    del z


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forked_processes():
    done = run(
        """
        import os, threading
        import numpy as np
        from lazyxp.executors.numpy import buffers
        x = buffers.empty((10**6,), np.float64)
        x[...] = 1
        buffers.empty((2 * 10**6,), np.float64)[...] = 2
        held = buffers.info().held
        assert held > 0
        taken, release = threading.Event(), threading.Event()
        def hold():
            with buffers.pool._lock:
                taken.set()
                release.wait()
        thread = threading.Thread(target=hold, daemon=True)
        thread.start()
        taken.wait()
        child = os.fork()
        if child == 0:
            assert buffers.info().held == 0
            x[...] = 3
            del x
            assert buffers.info().held == buffers.capacity_for(8 * 10**6)
            y = buffers.empty((10**6,), np.float64)
            y[...] = 4
            os._exit(17 if (y == 4).all() else 1)
        release.set()
        thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 17
        assert (x == 1).all()
        assert buffers.info().held == held
        """
    )
    assert done.returncode == 0, done.stderr


def test_exit_is_silent():
    done = run(
        """
        import sys, threading
        import numpy as np
        from lazyxp.executors.numpy import buffers
        class Late:
            def __init__(self):
                self.cycle = self
                self.x = buffers.empty((10**6,), np.float64)
            def __del__(self):
                self.x[...] = 1
        x = buffers.empty((10**6,), np.float64)
        view = x[3:]
        late = Late()
        np.kept = Late()
        sys.kept = buffers.empty((10**6,), np.float64)
        buffers.kept = buffers.empty((10**6,), np.float64)
        def work():
            while True:
                buffers.empty((10**5,), np.float64)[...] = 1
        threading.Thread(target=work, daemon=True).start()
        """
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("given", "limit"), [("0", 0), ("300 MiB", 300 * 2**20), ("4000000", 4_000_000)])
def test_the_user_sets_the_bound(given, limit):
    code = "from lazyxp.executors.numpy import buffers; print(buffers.info().limit)"
    assert run(code, LAZYXP_POOL_BYTES=given).stdout == f"{limit}\n"


def test_a_bound_that_is_none_is_refused():
    done = run("from lazyxp.executors.numpy import buffers", LAZYXP_POOL_BYTES="much")
    assert done.returncode != 0
    assert "ValueError: LAZYXP_POOL_BYTES='much' is no number of bytes" in done.stderr


def test_the_bound_of_this_process():
    limit = buffers.info().limit
    assert 0 < limit <= buffers.LARGEST_LIMIT or "LAZYXP_POOL_BYTES" in os.environ
    x = buffers.empty((LARGE,), np.uint8)
    del x
    assert buffers.info().held >= capacity_for(LARGE)
    buffers.clear()
    assert buffers.info().held == 0
