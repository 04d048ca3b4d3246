"""Running compiled kernels: on any number of threads, at the same time, after a fork, and directly from `jit`."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lazyxp as xp
from lazyxp.errors import SourceMutated
from lazyxp.executors.numpy import kernels as numpy_kernels
from lazyxp.executors.numpy.llvm import compiler, portions, runtime
from lazyxp.planning import clear_cache
from tests.executors.kernel_checks import (
    close,
    compiled,
    kernels_of,
    only_compiled,
    plain,
    same_bits,
    same_on_threads,
    shared,
)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

RNG = np.random.default_rng(0)
# Cut along either axis, with few and with many elements in each piece.
SHAPES = ((600, 700), (3, 150_000), (150_000, 3), (500_003,))


def softmax(x):
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def results(x):
    """Something of everything: chains, sums in pieces, rows that are read again, values that are kept for a while."""
    y = xp.sqrt(xp.abs(x)) * 2 - x
    standardized = (x - xp.mean(x, axis=-1, keepdims=True)) / xp.std(x, axis=-1, keepdims=True)
    return (
        y,
        xp.sum(y),
        xp.sum(y, axis=0),
        xp.mean(xp.exp(y), axis=-1),
        xp.var(x),
        xp.std(y, axis=0),
        xp.max(x * y, axis=0),
        xp.count_nonzero(y > x),
        *((softmax(x), standardized) if x.ndim > 1 else ()),
    )


# --- threads ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_bits_do_not_depend_on_the_number_of_threads(shape, dtype):
    x = RNG.standard_normal(shape).astype(dtype)
    outputs = results(shared(x)) if dtype != "complex128" else (xp.sum(shared(x) * 2 + 1), xp.var(shared(x), axis=0))
    same_on_threads(lambda: compiled(*outputs), (1, 2, 3, 7))


def test_work_is_shared(monkeypatch):
    """With as many threads as the option allows."""
    asked = []
    monkeypatch.setattr(portions, "_shared", np.zeros_like(portions._shared))  # where nobody lingers
    monkeypatch.setattr(portions.threads, "ask", lambda task, count, size: asked.append(size))
    x = shared(RNG.standard_normal(4_000_000))
    for count in (1, 2, 4):
        with xp.set_options(num_threads=count):
            compiled(xp.exp(x) * 2 + x)
    assert asked == [1, 3]


def test_many_threads_compute_at_the_same_time():
    """The same graph and others, kernels that are there and kernels that have yet to be compiled."""
    arrays = [RNG.standard_normal((n, 33)) for n in (5, 64, 700, 5_000)]
    expected = [[v.tobytes() for v in compiled(*results(shared(x)))] for x in arrays]
    compiler._held.clear()
    clear_cache()
    start = threading.Barrier(8)

    def work(number):
        start.wait(30)
        with xp.set_options(kernels="always"):
            for i in range(number, number + 8):
                x = arrays[i % 4]
                if [v.tobytes() for v in xp.compute(*results(shared(x)))] != expected[i % 4]:
                    return f"graph {i % 4} in thread {number}"
                y = xp.compute(shared(x) * (number + 1.5) - xp.sum(shared(x) * number))[0]
                np.testing.assert_allclose(y, x * (number + 1.5) - np.sum(x * number), rtol=1e-9, atol=1e-9)
        return None

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [None] * 8


def test_one_recorded_graph_in_many_threads():
    x = RNG.standard_normal((900, 300))
    outputs = results(shared(x))
    expected = [v.tobytes() for v in compiled(*outputs)]

    def work(number):
        with xp.set_options(kernels="always", num_threads=1 + number % 3):
            return [v.tobytes() for v in xp.compute(*outputs)] == expected

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


# --- after a fork -----------------------------------------------------------------------------------------------------

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
forked = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


def in_child(check):
    """Whether `check` passes in a forked child."""
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(60)  # a child that waits for ever fails as well
        try:
            check()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@forks
@forked
def test_kernels_run_in_a_forked_child():
    """Those of the parent and new ones, on threads that the child has to start itself."""
    x = RNG.standard_normal((800, 1_000))
    with xp.set_options(num_threads=3):
        expected = [v.tobytes() for v in compiled(*results(shared(x)))]

    def check():
        with xp.set_options(num_threads=3):
            assert [v.tobytes() for v in compiled(*results(shared(x)))] == expected
            (new,) = compiled(xp.sum(xp.tanh(shared(x)) * 3, axis=0))
        np.testing.assert_allclose(new, np.sum(np.tanh(x) * 3, axis=0), rtol=1e-9, atol=1e-9)

    assert in_child(check)
    check()


@forks
@forked
def test_fork_while_another_thread_compiles():
    """The child waits for no thread that it does not have."""
    stop = threading.Event()

    def busy():
        x = shared(np.ones(10))
        with xp.set_options(kernels="always"):
            for i in range(10_000):
                if stop.is_set():
                    return
                xp.compute(x * (i + 0.5) + xp.exp(x))
                compiler._held.clear()
                clear_cache()

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        x = RNG.standard_normal(300)

        def check():
            np.testing.assert_array_equal(compiled(shared(x) * 2 - 1.5)[0], x * 2 - 1.5)

        for _ in range(5):
            assert in_child(check)
    finally:
        stop.set()
        thread.join()


def _softmax_in_child(x):
    with only_compiled():
        return xp.compute(softmax(shared(x)))[0]


@forks
@forked
def test_kernels_run_in_a_pool_of_forked_processes():
    x = RNG.standard_normal((200, 100))
    expected = _softmax_in_child(x)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for got in pool.map_async(_softmax_in_child, [x] * 4).get(60):
            same_bits(got, expected)


# --- jit --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def direct(monkeypatch):
    """How many calls went straight from the arguments to the code of a kernel."""
    taken = []
    plain_shortcut = numpy_kernels.kernel_shortcut

    def counted(plan, arguments):
        shortcut = plain_shortcut(plan, arguments)
        if shortcut is None:
            return None

        def run(arrays):
            taken.append(len(arrays))
            return shortcut(arrays)

        return run

    monkeypatch.setattr("lazyxp.executors.numpy.kernel_shortcut", counted)
    with only_compiled(), xp.set_options(kernels="auto"):
        yield taken


def test_small_arrays_take_the_direct_path(direct):
    f = xp.jit(lambda x, y: xp.sqrt(x * x + 1) - y)
    for shape in ((5,), (3, 4), (1,), (), (2, 1, 7)):
        for seed in range(3):
            x, y = np.random.default_rng(seed).standard_normal((2, *shape))
            got = f(np.asarray(x), np.asarray(y))
            assert type(got) is np.ndarray
            close(got, np.asarray(np.sqrt(x * x + 1) - y), 2, size=2.0)
    assert len(direct) == 15


def test_arguments_may_lie_in_other_ways_than_in_the_trace(direct):
    f = xp.jit(lambda x, y: (xp.where(x > y, x, -y), xp.sum(x - y, axis=0)))
    x, y = np.arange(24.0).reshape(4, 6), np.arange(24.0)[::-1].reshape(4, 6)
    layouts = (
        np.array,
        np.asfortranarray,
        lambda a: a[::-1].copy()[::-1],
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.frombuffer(b"?" + a.tobytes(), offset=1).reshape(a.shape),
        lambda a: np.broadcast_to(a[0], a.shape),
    )
    for one in layouts:
        for other in layouts:
            a, b = one(x), other(y)
            chosen, total = f(a, b)
            same_bits(chosen, np.where(a > b, a, -b))
            same_bits(total, np.sum(a - b, axis=0))
    assert len(direct) == len(layouts) ** 2


def test_results_in_containers(direct):
    @xp.jit
    def f(x, y):
        z = x * 2 + y
        return {"z": z, "again": [z, (xp.sum(z), y - x)], "name": "f", "same": z}

    x, y = np.arange(5.0), np.ones(5)
    for _ in range(2):
        got = f(x, y)
        z = x * 2 + y
        assert got["name"] == "f"
        for value, want in ((got["z"], z), (got["again"][0], z), (got["same"], z), (got["again"][1][1], y - x)):
            same_bits(value, want)
        assert float(got["again"][1][0]) == z.sum()


def test_results_are_the_callers_own(direct):
    f = xp.jit(lambda x: (x + 1, x * 2))
    x = np.arange(4.0)
    first, second = f(x), f(x)
    for a in (*first, *second):
        assert a.flags.writeable
        assert not np.may_share_memory(a, x)
    first[0][...] = -7
    same_bits(second[0], x + 1)
    same_bits(f(x)[0], x + 1)
    both = xp.jit(lambda x: [x + 1] * 2)
    for _ in range(2):
        one, other = both(x)
        one[...] = 0
        same_bits(other, x + 1)


def test_an_argument_used_twice_and_one_not_used(direct):
    f = xp.jit(lambda x, y, z: x * 2 - z)
    a = np.arange(3.0)
    for _ in range(2):
        same_bits(f(a, a, a), a)
        same_bits(f(a, a + 5, a + 1), a - 1)


def test_arrays_that_are_closed_over(direct):
    held = np.arange(6.0)
    lazy = xp.asarray(held, copy=True)
    f = xp.jit(lambda x: x * lazy + xp.sum(lazy))
    for x in (np.ones(6), np.arange(6.0)[::-1]):
        close(f(x), x * held + held.sum(), 2)
    held[:] = 100
    close(f(np.ones(6)), np.arange(6.0) + 15, 2)


def test_scalars_and_mixed_dtypes(direct):
    f = xp.jit(lambda x, n, k: xp.astype(x, xp.float64) * n + k)
    x = np.arange(5, dtype=np.int16)
    for k in (1, 2.5):
        same_bits(f(x, np.asarray(2.0), k), x * 2.0 + k)
    same_bits(f(x[:1], np.asarray(3.0), 1), x[:1] * 3.0 + 1)
    same_bits(f(x.astype(np.uint8), np.asarray(3.0), 1), x * 3.0 + 1)


def test_empty_arrays(direct):
    f = xp.jit(lambda x: (x * 2 + 1, xp.sum(x * 2)))
    for shape in ((0,), (3, 0), (0, 4)):
        values, total = f(np.ones(shape))
        assert values.shape == shape
        assert total == 0


def test_large_arrays_and_other_arrays():
    f = xp.jit(lambda x: xp.sum(xp.exp(x) * 2, axis=-1) + 1)
    x = RNG.standard_normal((900, 301))
    with only_compiled():
        for part in (x, x[:3], x[:, :7], np.asfortranarray(x), x[:5].astype(np.float32)):
            want = np.sum(np.exp(part) * 2, axis=-1, dtype=np.longdouble).astype(part.dtype)
            close(f(part), want + part.dtype.type(1), 16)
        lazy = f(xp.asarray(x))
        assert type(lazy) is xp.Array
        same_bits(lazy.compute(), f(x))
        big = x.astype(">f8")
        same_bits(f(big), f(x))


def test_a_changed_closed_over_array_is_noticed():
    held = np.ones(200_000)
    lazy = xp.asarray(held, copy=False)
    f = xp.jit(lambda x: x + lazy * 2)
    f(np.ones(200_000))
    held[:] = 7
    with pytest.raises(SourceMutated):
        f(np.ones(200_000))


def test_calls_of_many_threads(direct):
    f = xp.jit(lambda x: (x - xp.max(x)) * 2 + xp.sum(x * x))
    arrays = [np.arange(float(n)) for n in range(3, 11)]
    expected = [f(x).tobytes() for x in arrays]

    def work(i):
        return all(f(arrays[i]).tobytes() == expected[i] for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_options_hold_for_what_was_traced(monkeypatch):
    """A trace is for the options that were set: what is to be interpreted is."""
    f = xp.jit(lambda x: xp.sqrt(x * 2) + 1)
    x = np.arange(5.0)
    close(f(x), np.sqrt(x * 2) + 1, 2)
    monkeypatch.setattr(runtime.Runner, "run", lambda self, inputs: pytest.fail("compiled"))
    with xp.set_options(kernels="interpreted"):
        same_bits(f(x), np.sqrt(x * 2) + 1)
    with xp.set_options(kernels="never"):
        same_bits(f(x), np.sqrt(x * 2) + 1)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_errstate_names_the_op():
    """Whoever asks NumPy to raise gets the error, and the op and the line that it comes from."""
    x = shared(np.array([1.0, 0.0, 2.0]))

    def record():
        return xp.sum((x + 1) / x * 2)  # here

    with xp.set_options(kernels="always"):
        assert np.isinf(xp.compute(record())[0])
        for setting in ({"all": "raise"}, {"divide": "raise"}):
            with np.errstate(**setting), pytest.raises(FloatingPointError) as caught:
                xp.compute(record())
            (note,) = caught.value.__notes__
            assert "ran divide on float64[3] and float64[3]" in note
            assert f"test_compiled_running.py:{record.__code__.co_firstlineno + 1} in record" in note
        seen = []
        with np.errstate(divide="call"), np.errstate(call=lambda kind, flag: seen.append(kind)):
            xp.compute(record())
        assert seen == ["divide by zero"]
        assert np.isinf(xp.compute(record())[0])


def test_errstate_holds_for_what_jit_runs():
    f = xp.jit(lambda x: 1 / x + x)
    x = np.array([1.0, 0.0])
    assert np.isinf(f(x)[1])
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        f(x)
    assert np.isinf(f(x)[1])


def test_warnings_are_not_needed():
    """NumPy warns of what compiled code is silent about; neither is an error."""
    with np.errstate(all="warn"):
        (got,) = compiled(xp.sum(shared(np.array([0.0, 1.0])) / 0.0))
    assert np.isnan(got)


def test_what_cannot_be_compiled_is_run_op_by_op():
    x = shared(RNG.standard_normal(50))
    half = shared(RNG.standard_normal(50).astype(np.float16))
    mixed = xp.exp(x) * 2 + x, xp.sin(half) + half
    assert kernels_of(*mixed)
    for got, want in zip(compiled(*mixed), plain(*mixed), strict=True):
        close(got, want, 16, size=1.0)
