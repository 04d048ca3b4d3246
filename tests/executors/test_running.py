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
from tests.inputs import equal


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
