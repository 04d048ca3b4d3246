"""Threads for kernels: how many, and how they share the portions of work."""

import ctypes
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.numpy import threads

compiler = pytest.importorskip("lazyxp.executors.numpy.llvm.compiler")
portions = pytest.importorskip("lazyxp.executors.numpy.llvm.portions")

ROOT = Path(__file__).parents[2]
LONG = 30  # seconds after which a test that waits has failed

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)
# Instructions: nobody is woken for the first, unless it is one of many.
LITTLE, MUCH = 1, 10**9


def run_kernel(kernel, pieces, count, limit, work=MUCH, scratch=lambda: (0, None)):
    """Do pieces with a Python function instead of compiled code, in so many portions, on so many threads at most."""
    code = KERNEL(kernel)
    address = ctypes.cast(code, ctypes.c_void_p).value
    portions.run(compiler.Compiled(code, address, (), None), 0, pieces, count, limit, work, scratch)


def run(task, count, limit, work=MUCH):
    """Call `task` for each of so many pieces, a portion each."""

    def kernel(arguments, first, last, scratch):
        for i in range(first, last):
            task(i)

    run_kernel(kernel, count, count, limit, work)


def most_at_once(count, limit):
    """How many threads are at work at the same time on so many pieces, which take a while each."""
    lock = threading.Lock()
    now = most = 0

    def task(i):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.002)
        with lock:
            now -= 1

    run(task, count, limit)
    return most


kept = []  # what threads of earlier pools may still look at


@pytest.fixture
def pool(monkeypatch):
    """A pool without threads, and nobody who helps."""
    monkeypatch.setattr(threads, "_pool", threads._Pool())
    kept.append(np.zeros_like(portions._shared))
    monkeypatch.setattr(portions, "_shared", kept[-1])


def together(count):
    """Fails unless `count` threads run portions at the same time, before long."""
    most, end = 0, time.monotonic() + LONG
    while most < count and time.monotonic() < end:
        most = most_at_once(4 * count, count)
    assert most == count


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


# --- portions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", [LITTLE, MUCH, 10**12])
@pytest.mark.parametrize("count", [1, 2, 7, 500])
@pytest.mark.parametrize("at_most", [1, 2, 5])
def test_each_piece_runs_once(count, at_most, work):
    done = []
    run(done.append, count, at_most, work)
    assert sorted(done) == list(range(count))


@pytest.mark.parametrize("pieces", [1, 5, 40, 1_000])
def test_portions_are_all_the_pieces(pieces):
    done = []

    def kernel(arguments, first, last, scratch):
        done.append((first, last))

    run_kernel(kernel, pieces, 5, 3)
    assert sorted(i for first, last in done for i in range(first, last)) == list(range(pieces))
    assert len(done) <= 5


@pytest.mark.parametrize("count", [2, 3, 6])
def test_portions_run_at_the_same_time(count):
    together(count)


@pytest.mark.parametrize("at_most", [1, 3])
def test_the_caller_takes_part(at_most):
    seen = []

    def task(i):
        seen.append(threading.get_ident())
        time.sleep(0.001)

    run(task, 64, at_most)
    assert threading.get_ident() in seen
    assert at_most > 1 or len(set(seen)) == 1


def test_no_more_threads_than_asked_for():
    for _ in range(5):
        together(6)  # so that more linger
        assert 1 <= most_at_once(40, 3) <= 3


def test_threads_are_kept(pool):
    before = set(threading.enumerate())
    for count in (2, 4, 3, 4, 2):
        together(count)
    assert len([t for t in threading.enumerate() if t not in before]) == 3


def test_each_thread_works_in_memory_of_its_own():
    held = [ctypes.c_int64(i) for i in range(4)]
    left = list(held)
    used = {}

    def scratch():
        mine = left.pop()
        return ctypes.addressof(mine), mine

    def kernel(arguments, first, last, scratch):
        used.setdefault(threading.get_ident(), set()).add(scratch)
        time.sleep(0.002)

    run_kernel(kernel, 100, 100, 4, scratch=scratch)
    places = [place for mine in used.values() for place in mine]
    assert all(len(mine) == 1 for mine in used.values())
    assert len(set(places)) == len(places)
    assert {*places} <= {ctypes.addressof(one) for one in held}


def test_work_of_others_keeps_nobody_waiting(pool):
    started, go = threading.Event(), threading.Event()

    def slow(i):
        started.set()
        go.wait(LONG)

    other = in_a_thread(lambda: run(slow, 2, 2))
    started.wait(LONG)
    done = []
    run(lambda i: done.append((i, threading.get_ident())), 5, 2)
    assert sorted(done) == [(i, threading.get_ident()) for i in range(5)]
    go.set()
    other.join(LONG)
    assert not other.is_alive()


def test_work_inside_of_work():
    together(3)  # so that others could help
    inner = []

    def task(i):
        run(lambda j: inner.append((i, j)), 10, 3)

    run(task, 4, 2)
    assert sorted(inner) == [(i, j) for i in range(4) for j in range(10)]
    together(2)


def test_many_callers_at_once():
    totals = [0] * 8
    lock = threading.Lock()

    def caller(n):
        def task(i):
            with lock:
                totals[n] += i

        for _ in range(50):
            run(task, 20, 3)

    callers = [in_a_thread(lambda n=n: caller(n)) for n in range(8)]
    for one in callers:
        one.join(LONG)
    assert totals == [50 * sum(range(20))] * 8


def test_all_are_done_when_the_call_returns():
    """Nobody is at work on a record whose call has returned: its memory may be another's then."""
    together(3)
    current, done = [-1], []
    for number in range(2_000):
        current[0] = number
        run(lambda i, number=number: done.append((number, current[0])), 6, 3)
        current[0] = -1
    assert done == [(number, number) for number in range(2_000) for _ in range(6)]


def test_without_more_threads_the_caller_does_it_all(pool, monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    done = []
    run(lambda i: done.append((i, threading.get_ident())), 5, 4)
    assert done == [(i, threading.get_ident()) for i in range(5)]
    monkeypatch.undo()
    together(3)


def test_nobody_is_woken_for_a_little_work(pool):
    time.sleep(0.01)
    done = []
    run(lambda i: done.append(threading.get_ident()), 5, 2, LITTLE)
    assert set(done) == {threading.get_ident()}
    assert threads._pool.size == 0
    end = time.monotonic() + LONG
    while not threads._pool.size and time.monotonic() < end:  # one soon after the other, they are many
        run(lambda i: None, 5, 2, LITTLE)
    assert threads._pool.size == 1


def test_nobody_lingers_for_long(pool):
    together(3)
    end = time.monotonic() + LONG
    while portions._shared.any() and time.monotonic() < end:
        time.sleep(0.001)
    assert not portions._shared.any()


INTERRUPT = """
import signal, threading
import numpy as np
import lazyxp as xp

signal.signal(signal.SIGINT, signal.default_int_handler)
x = np.linspace(0.1, 1, 40_000_000)
xp.set_options(num_threads={count})

def recorded():
    y = xp.asarray(x)
    for _ in range(40):
        y = xp.sin(y) + 0.5
    return y

main = threading.main_thread().ident
threading.Timer(1.0, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
try:
    while True:
        recorded().compute()
except KeyboardInterrupt:
    print("interrupted")
y = xp.sum(xp.asarray(x) * 2.0).compute()
print(abs(float(y) - 2 * x.sum()) < 1e-3)
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals to threads")
@pytest.mark.parametrize("count", [1, 2])
def test_an_interrupt_ends_the_work_and_nothing_else(count):
    assert python(INTERRUPT.format(count=count)).split() == ["interrupted", "True"]


# --- forks and the end -----------------------------------------------------------------------------------------------

FORK = """
import os, signal, threading
import numpy as np
import lazyxp as xp

x = np.ones(4_000_000)
xp.set_options(num_threads=3)

def total():
    return float(xp.sum(xp.asarray(x) * 2.0 + 1.0).compute())

def keep_busy():
    while True:
        assert total() == 12_000_000

assert total() == 12_000_000
for _ in range({busy}):
    threading.Thread(target=keep_busy, daemon=True).start()
for _ in range(20):
    child = os.fork()
    if not child:
        signal.alarm(30)
        os._exit(7 if total() == 12_000_000 else 8)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert total() == 12_000_000
print("good", flush=True)
os._exit(0)
"""


@needs_fork
@pytest.mark.parametrize("busy", [0, 2])
def test_forks_have_threads_of_their_own(busy):
    assert python(FORK.format(busy=busy)) == "good"


END = """
import atexit
import numpy as np
import lazyxp as xp

x = np.ones(4_000_000)
xp.set_options(num_threads=3)

def total():
    print(float(xp.sum(xp.asarray(x) * 2.0 + 1.0).compute()), flush=True)

{before}
total()
{after}
total()
"""


@pytest.mark.parametrize("late", ["", "atexit.register(total)"])
def test_the_interpreter_ends(late):
    """At once, while others still linger; and after work that is done at the end."""
    for before, after in (("", late), (late, "")):
        printed = python(END.format(before=before, after=after)).split()
        assert printed == ["12000000.0"] * (3 if late else 2)


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


LATER = """
import os, numpy, threadpoolctl
import lazyxp as xp
os.environ["OMP_NUM_THREADS"] = "1"  # for processes that are started next
from lazyxp.executors.numpy import threads
with xp.set_options(num_threads=4), threadpoolctl.threadpool_limits(1):
    print(threads.limit())
"""


@needs_blas
@pytest.mark.skipif(threads.cpus() < 2, reason="one thread is no limit here")
def test_what_the_environment_says_later_is_for_others():
    pytest.importorskip("threadpoolctl")
    assert python(LATER) == "1"


@pytest.mark.parametrize("given", ["²", "many", "-1", "0", "", " , "])
def test_what_is_no_number_for_blas_is_left_to_blas(given):
    assert int(python(ASK, OMP_NUM_THREADS=given)) >= 1


@needs_blas
def test_a_blas_that_was_started_with_one_thread_bounds_the_default():
    assert python(ASK, OMP_NUM_THREADS="1") == "1"
