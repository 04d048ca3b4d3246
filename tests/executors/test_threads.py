"""Threads for kernels: how many, and the pool that works through pieces."""

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest

import lazyxp as xp
from lazyxp.executors.numpy import threads

ROOT = Path(__file__).parents[2]
LONG = 30  # seconds after which a test that waits has failed

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.fixture
def pool(monkeypatch):
    """A pool without threads."""
    monkeypatch.setattr(threads, "_pool", threads._Pool())


def together(count):
    """Fails unless `count` threads run its pieces at the same time."""
    barrier = threading.Barrier(count, timeout=LONG)
    threads.run(lambda i: barrier.wait(), count, count)


def in_a_thread(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    return thread


def python(program, **variables):
    """What a program prints."""
    base = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        cwd=ROOT,
        env={**base, **variables},
        capture_output=True,
        text=True,
        timeout=2 * LONG,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.strip()


# --- the pool --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 7, 500])
@pytest.mark.parametrize("at_most", [1, 2, 5])
def test_each_piece_runs_once(count, at_most):
    done = []
    threads.run(done.append, count, at_most)
    assert sorted(done) == list(range(count))


@pytest.mark.parametrize("count", [2, 3, 6])
def test_pieces_run_at_the_same_time(count):
    together(count)


def test_the_caller_takes_part():
    barrier = threading.Barrier(3, timeout=LONG)
    seen = set()

    def task(i):
        seen.add(threading.get_ident())
        barrier.wait()

    threads.run(task, 3, 3)
    assert threading.get_ident() in seen


def test_no_more_threads_than_asked_for():
    together(6)
    lock = threading.Lock()
    now = most = 0

    def task(i):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.001)
        with lock:
            now -= 1

    threads.run(task, 40, 3)
    assert 1 <= most <= 3


def test_threads_are_kept(pool):
    before = set(threading.enumerate())
    for count in (2, 4, 3, 4, 2):
        together(count)
    assert len([t for t in threading.enumerate() if t not in before]) == 3


def test_a_busy_pool_keeps_nobody_waiting(pool):
    started, go = threading.Barrier(3, timeout=LONG), threading.Event()

    def slow(i):
        started.wait()
        go.wait(LONG)

    other = in_a_thread(lambda: threads.run(slow, 2, 2))
    started.wait()  # the only thread of the pool is at work, and does not end before we do
    done = []
    threads.run(lambda i: done.append((i, threading.get_ident())), 5, 2)
    go.set()
    other.join(LONG)
    assert sorted(done) == [(i, threading.get_ident()) for i in range(5)]


def test_tasks_are_let_go(pool):
    started, go = threading.Barrier(3, timeout=LONG), threading.Event()

    class Data:
        pass

    def slow(i):
        started.wait()
        go.wait(LONG)

    other = in_a_thread(lambda: threads.run(slow, 2, 2))
    started.wait()
    data = Data()
    alive = weakref.ref(data)
    threads.run(lambda i, data=data: None, 5, 2)  # the pool is asked for help, and finds out only later
    del data
    gc.collect()
    assert alive() is None
    go.set()
    other.join(LONG)


def test_the_task_of_an_idle_pool_is_let_go():
    class Data:
        pass

    data = Data()
    alive = weakref.ref(data)
    barrier = threading.Barrier(2, timeout=LONG)
    threads.run(lambda i, data=data: barrier.wait(), 2, 2)
    del data
    end = time.monotonic() + LONG
    while alive() is not None and time.monotonic() < end:  # until the other thread has left the task
        time.sleep(0.001)
    assert alive() is None


def test_runs_inside_a_task_stay_on_its_thread():
    together(5)  # so that others could help
    barrier = threading.Barrier(2, timeout=LONG)
    inner = []

    def task(i):
        def of_task(j):
            inner.append((i, j, threading.get_ident()))
            time.sleep(0.001)

        barrier.wait()
        threads.run(of_task, 10, 4)

    threads.run(task, 2, 2)
    assert sorted((i, j) for i, j, _ in inner) == [(i, j) for i in range(2) for j in range(10)]
    owners = [{who for i, _, who in inner if i == outer} for outer in range(2)]
    assert [len(who) for who in owners] == [1, 1]
    assert owners[0] != owners[1]
    together(2)


def test_many_callers_at_once():
    totals = [0] * 8
    lock = threading.Lock()

    def caller(n):
        def task(i):
            with lock:
                totals[n] += i

        for _ in range(50):
            threads.run(task, 20, 3)

    callers = [in_a_thread(lambda n=n: caller(n)) for n in range(8)]
    for one in callers:
        one.join(LONG)
    assert totals == [50 * sum(range(20))] * 8


def test_without_more_threads_the_caller_does_it_all(pool, monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    done = []
    threads.run(lambda i: done.append((i, threading.get_ident())), 5, 4)
    assert done == [(i, threading.get_ident()) for i in range(5)]
    monkeypatch.undo()
    together(3)


# --- errors and interrupts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at_most", [1, 2, 4])
def test_the_first_error_is_raised(at_most):
    done = []

    def task(i):
        if i == 5:
            raise KeyError(i)
        done.append(i)

    with pytest.raises(KeyError) as caught:
        threads.run(task, 2_000, at_most)
    assert caught.value.args == (5,)
    assert len(done) < 1_999  # pieces that had not begun are left out
    together(2)


def test_errors_wait_for_pieces_that_run():
    barrier = threading.Barrier(2, timeout=LONG)
    ended = []

    def task(i):
        barrier.wait()
        if threading.get_ident() == caller:
            raise ValueError("here")
        time.sleep(0.1)
        ended.append(i)

    caller = threading.get_ident()
    with pytest.raises(ValueError, match="here"):
        threads.run(task, 2, 2)
    assert len(ended) == 1


def test_errors_of_other_threads_are_raised_here():
    barrier = threading.Barrier(2, timeout=LONG)

    def task(i):
        barrier.wait()
        if threading.get_ident() != caller:
            raise SystemExit(3)

    caller = threading.get_ident()
    with pytest.raises(SystemExit):
        threads.run(task, 2, 2)
    together(2)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to threads")
@pytest.mark.parametrize("fails", [False, True])
def test_an_interrupt_waits_for_pieces_that_run(fails):
    barrier = threading.Barrier(2, timeout=LONG)
    caller = threading.main_thread().ident
    ended = []

    def task(i):
        barrier.wait()
        if threading.get_ident() == caller:
            if fails:
                raise ValueError
            return
        for _ in range(3):  # somebody in a hurry
            time.sleep(0.05)
            signal.pthread_kill(caller, signal.SIGINT)
        time.sleep(0.05)
        ended.append(i)

    assert threading.get_ident() == caller
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    try:
        with pytest.raises(KeyboardInterrupt):
            threads.run(task, 2, 2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(ended) == 1
    together(2)


# --- forks and the end -----------------------------------------------------------------------------------------------

FORK = """
import os, signal, threading
from lazyxp.executors.numpy import threads

def together(count):
    barrier = threading.Barrier(count, timeout=30)
    threads.run(lambda i: barrier.wait(), count, count)

def keep_busy():
    while True:
        threads.run(lambda i: None, 50, 4)

together(4)
for _ in range({busy}):
    threading.Thread(target=keep_busy, daemon=True).start()
for _ in range(20):
    child = os.fork()
    if not child:
        signal.alarm(30)
        together(4)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
together(4)
print("good")
"""


@needs_fork
@pytest.mark.parametrize("busy", [0, 3])
def test_forks_have_threads_of_their_own(busy):
    assert python(FORK.format(busy=busy)) == "good"


END = """
import atexit, threading, time
from lazyxp.executors.numpy import threads

def late():
    threads.run(lambda i: None, 8, 6)
    print("good", flush=True)

atexit.register(late)
started = threading.Barrier(3)
def task(i):
    started.wait()
    while True:
        time.sleep(0.001)
threading.Thread(target=lambda: threads.run(task, 2, 2), daemon=True).start()
started.wait()
"""


def test_the_interpreter_ends():
    assert python(END) == "good"


# --- how many --------------------------------------------------------------------------------------------------------


def test_the_option_counts():
    with xp.set_options(num_threads=3):
        assert xp.get_options()["num_threads"] == 3
        assert threads.limit() == 3
        with xp.set_options(num_threads=1):
            assert threads.limit() == 1
    assert xp.get_options()["num_threads"] is None


def test_the_option_is_that_of_a_thread():
    seen = []
    with xp.set_options(num_threads=threads.limit() + 1):
        in_a_thread(lambda: seen.append(threads.limit())).join(LONG)
        here = threads.limit()
    assert seen == [here - 1]


@pytest.mark.parametrize("given", [0, -1, True, 1.5, "2", [1]])
def test_the_option_refuses_what_is_no_number_of_threads(given):
    with pytest.raises(ValueError, match=r"num_threads=.* is no number of threads"):
        xp.set_options(num_threads=given)


ASK = "from lazyxp.executors.numpy import threads; print(threads.limit())"


def test_the_environment_counts():
    assert python(ASK, LAZYXP_NUM_THREADS="5") == "5"
    assert python(ASK, LAZYXP_NUM_THREADS="5", OMP_NUM_THREADS="1") == "5"
    assert python(f"import lazyxp; lazyxp.set_options(num_threads=2); {ASK}", LAZYXP_NUM_THREADS="5") == "2"


@pytest.mark.parametrize("text", ["0", "-2", "many", "1.5", "²"])
def test_nonsense_in_the_environment_is_an_error(text, monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, text)
    threads._from_environment.cache_clear()
    try:
        with pytest.raises(ValueError, match=rf"LAZYXP_NUM_THREADS is '{text}'"):
            threads.limit()
        file = io.StringIO()
        xp.show_versions(file)  # what goes into bug reports must not fail
        assert threads.VARIABLE in file.getvalue()
    finally:
        threads._from_environment.cache_clear()


def test_an_empty_variable_says_nothing():
    assert python(ASK, LAZYXP_NUM_THREADS="") == python(ASK)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
def test_the_affinity_counts():
    assert python(f"import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); {ASK}") == "1"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs CPU affinity")
def test_a_change_of_the_affinity_is_seen(monkeypatch):
    before = os.sched_getaffinity(0)
    monkeypatch.setattr(threads, "_look_again", 0.0)
    try:
        os.sched_setaffinity(0, [min(before)])
        assert threads.limit() == 1
    finally:
        os.sched_setaffinity(0, before)
    monkeypatch.setattr(threads, "_look_again", 0.0)
    assert threads.cpus() == len(before)


needs_blas = pytest.mark.skipif(threads._blas()() < 2, reason="needs a BLAS with threads that can be asked")


@needs_blas
def test_limits_of_threadpoolctl_count():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    before = threads.limit()
    with threadpoolctl.threadpool_limits(1):
        assert threads.limit() == 1
        with xp.set_options(num_threads=4):
            assert threads.limit() == 1
    assert threads.limit() == before
    with xp.set_options(num_threads=4):
        assert threads.limit() == 4


LIMITED = """
import threadpoolctl, numpy
with threadpoolctl.threadpool_limits(1):
    from lazyxp.executors.numpy import threads
    print(threads.limit())
print(threads.limit())
"""


@needs_blas
def test_limits_count_from_the_start():
    pytest.importorskip("threadpoolctl")
    assert python(LIMITED, LAZYXP_NUM_THREADS="4").split() == ["1", "4"]


@needs_blas
def test_a_blas_that_was_started_with_one_thread_bounds_the_default():
    assert python(ASK, OMP_NUM_THREADS="1") == "1"
