"""The graph: very deep ones, pickles, sharing, the user's line, what an import costs."""

from __future__ import annotations

import copy
import gc
import inspect
import pickle
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import lazyxp as xp
from lazyxp import node
from lazyxp.api import declare
from lazyxp.node import OPS, walk

DEPTH = 100_000


def chain(depth: int = DEPTH) -> xp.Array:
    x = y = xp.asarray([1.0, 2.0])
    for _ in range(depth):
        y = y + x
    return y


def test_a_chain_of_100_000_calls_computes() -> None:
    assert chain().compute().tolist() == [DEPTH + 1.0, 2.0 * (DEPTH + 1)]


def test_a_chain_of_100_000_calls_is_exported_to_networkx() -> None:
    graph = xp.to_networkx(chain())
    assert graph.number_of_nodes() == DEPTH + 1
    assert graph.number_of_edges() == 2 * DEPTH


def test_a_chain_of_100_000_calls_pickles() -> None:
    result = pickle.loads(pickle.dumps(chain()))
    assert float(result[0]) == DEPTH + 1


def test_a_chain_of_100_000_calls_is_collected() -> None:
    y = chain()
    first, last = (weakref.ref(n) for n in (walk([y._node])[0], y._node))
    del y
    gc.collect()
    assert first() is None
    assert last() is None


def test_shared_nodes_run_once() -> None:
    x = xp.arange(3)
    shared = x + 1
    result = shared * shared + shared
    assert len(walk([result._node])) == 5  # arange, the constant, and one node a call
    assert result.compute().tolist() == [2, 6, 12]


def test_a_loop_records_its_numbers_once(monkeypatch) -> None:
    # Tables that are not about to be emptied, whatever other tests have recorded.
    monkeypatch.setattr(declare, "_numbers", {})
    monkeypatch.setattr(node, "_sites", {})

    def loop(first, second, data=(1.0, 2.0)):
        x = xp.asarray(data)
        for _ in range(50):
            x = first * x + second
        return x

    graph = xp.to_networkx(loop(0.3, 7.7))
    assert [data["op"] for _, data in graph.nodes(data=True)].count("constant") == 2
    np.testing.assert_allclose(loop(0.2, -1.6).compute(), [-2.0, -2.0])
    assert [loop(0.3, 7.7).explain().cache, loop(0.2, -1.6).explain().cache] == ["hit", "hit"]
    pickled = pickle.loads(pickle.dumps(np.asarray([1.0, 2.0])))  # its dtype equals NumPy's and is another object
    assert loop(0.3, 7.7, pickled).explain().cache == "hit"
    graph = xp.to_networkx(loop(0.3, 7.7, pickled))
    assert [data["op"] for _, data in graph.nodes(data=True)].count("constant") == 2


def test_equal_dtypes_are_one_object() -> None:
    for dtype in map(np.dtype, "?bhilqBHILQefdgFDG"):
        data = np.ones(3, dtype)
        others = data, pickle.loads(pickle.dumps(data)), data.astype(dtype.newbyteorder(">"))
        arrays = [xp.asarray(x) for x in others]
        arrays += [pickle.loads(pickle.dumps(xp.asarray(x))) for x in others]
        arrays += [xp.ones(3, dtype=x.dtype) for x in others]
        arrays += [xp.astype(xp.ones(3), x.dtype) for x in others]
        arrays += [x * 1 for x in arrays if dtype.kind != "b"]
        assert len({id(x.dtype) for x in arrays}) == 1
        assert arrays[0].dtype == dtype


def test_numbers_recorded_at_one_place_are_told_apart() -> None:
    numbers = [0.0, -0.0, 1, True, 1.0, False, 2, 2.0, -1, np.nan, np.inf, 0.1, 2 + 0j, complex(2, -0.0), 2**53 + 1]
    for _ in range(2):
        for dtype in (xp.float64, xp.float32, xp.complex128, xp.int64, xp.float64):
            x = xp.asarray([1.0, -3.0], dtype=dtype)
            for number in numbers:
                with np.errstate(all="ignore"):
                    want = [np.asarray(x) * number, number / np.asarray(x)]
                for a, b in zip(xp.compute(x * number, number / x, optimize="none"), want, strict=True):
                    assert a.dtype == b.dtype
                    np.testing.assert_array_equal(a, b)
                    np.testing.assert_array_equal(np.signbit(a.real), np.signbit(b.real))


def test_pickles_keep_values_shapes_and_lines() -> None:
    x = xp.asarray(np.arange(6.0).reshape(2, 3))
    y = xp.linalg.qr(x.T[::-1, :] * 2 - 1).R
    again = pickle.loads(pickle.dumps(y))
    assert again.dtype == y.dtype
    assert again._node.where == y._node.where
    np.testing.assert_array_equal(again.compute(), y.compute())
    del x, y


def test_copies_do_not_alias() -> None:
    x = xp.asarray([1, 2, 3])
    shallow, deep = copy.copy(x), copy.deepcopy(x)
    x[0] = 9
    assert shallow.compute().tolist() == deep.compute().tolist() == [1, 2, 3]


def test_every_node_knows_the_users_line() -> None:
    x = xp.asarray([1.0, 2.0])
    results = {}
    results["operator"] = x + 1, line()
    results["function"] = xp.sin(x), line()
    results["reduction"] = xp.sum(x), line()
    results["view"] = x[1:], line()
    results["method"] = x.T, line()
    results["linalg"] = xp.linalg.vector_norm(x), line()
    results["numpy"] = np.exp(x), line()
    results["outputs"] = xp.unique_all(x).values, line()
    y = xp.asarray(x, copy=True)
    y[0] = 5
    results["write"] = copy.copy(y), line(-1)
    y += 1
    results["in place"] = y, line(-1)
    for what, (array, expected) in results.items():
        assert array._node.where.endswith(f"test_graph.py:{expected} in test_every_node_knows_the_users_line"), what


def line(offset: int = 0) -> int:
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno + offset


def test_an_error_in_an_executor_names_op_operands_and_line() -> None:
    x = xp.asarray([[1.0, 2.0], [2.0, 4.0]])
    inverse = xp.linalg.inv(x)
    with pytest.raises(np.linalg.LinAlgError) as raised:
        (inverse + 1).compute()
    notes = "\n".join(raised.value.__notes__)
    assert "while numpy ran linalg.inv on float64[2, 2], recorded at" in notes
    assert "test_graph.py" in notes
    assert (x + 1).compute().tolist() == [[2, 3], [3, 5]]


def test_arrays_are_not_hashable() -> None:
    assert xp.Array.__hash__ is None
    with pytest.raises(TypeError, match="unhashable"):
        hash(xp.zeros(1))


def test_results_belong_to_the_caller() -> None:
    source = np.arange(100_000.0)
    x = xp.asarray(source)
    y = (x + 0).persist()
    for array in (x, y, y[1:], y[:, None], xp.broadcast_to(y, (2, 100_000)), xp.reshape(y, (10, -1)), y.T):
        result = array.compute()
        before = result.copy()
        result[...] = -1
        np.testing.assert_array_equal(array.compute(), before)
    assert source[5] == 5
    first, second = xp.compute(y + 1, (y + 1)[:3])
    first[0] = -1
    assert second[0] == 1
    one, same = xp.compute(x, x)
    one[0] = -1
    assert same[0] == 0


def test_buffers_are_freed_after_their_last_use() -> None:
    import tracemalloc

    x = xp.asarray(np.ones(1_000_000))
    y = x
    for _ in range(20):
        y = y + 1
    y.compute()
    tracemalloc.start()
    y.compute()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3.5 * 8_000_000  # at most two buffers of a step, not 20


def test_a_run_of_writes_does_not_copy_the_array_each_time() -> None:
    import tracemalloc

    x = xp.zeros(1_000_000)
    for i in range(50):
        x[i] = i
        x[i : i + 3] += 1.0
    tracemalloc.start()
    result = x.compute()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * 8_000_000
    expected = np.zeros(1_000_000)
    for i in range(50):
        expected[i] = i
        expected[i : i + 3] += 1.0
    np.testing.assert_array_equal(result, expected)


def test_threads_may_compute_one_graph() -> None:
    x = xp.asarray(np.arange(1000.0))
    shared = xp.sqrt(x) + 1
    expected = np.sqrt(np.arange(1000.0)) + 1
    failures = []

    def work() -> None:
        try:
            for _ in range(50):
                y = xp.sum(shared * 2)
                assert float(y) == 2 * expected.sum()
                np.testing.assert_array_equal(shared.compute(), expected)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


FACTS = {
    "b": np.asarray([True, False]),
    "i": np.asarray([-3, 0, 1, 2]),
    "f": np.asarray([-1.5, 0.0, 0.5, 3.0, np.inf]),
}
WITH_FACTS = [
    op.name
    for op in OPS.values()
    if op.kind == "elementwise" and hasattr(xp, op.name) and (op.commutative or op.associative or op.zero_preserving)
]


@pytest.mark.parametrize("name", WITH_FACTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_op_table_has_facts_that_hold(name: str) -> None:
    op, function, checked = OPS[name], getattr(xp, name), 0
    arity = len(inspect.signature(function).parameters)
    for kind, values in FACTS.items():
        x, y, z = (xp.asarray(a) for a in np.meshgrid(values, values, values))
        zero = xp.zeros(1, dtype=values.dtype)
        try:
            function(*[zero] * arity)
        except TypeError:
            continue  # not for this data type
        if op.zero_preserving:
            assert not function(*[zero] * arity).compute().any()
        if op.commutative:
            np.testing.assert_array_equal(*xp.compute(function(x, y), function(y, x)))
        if op.associative and kind != "f":  # where nothing is rounded
            np.testing.assert_array_equal(*xp.compute(function(function(x, y), z), function(x, function(y, z))))
        if op.identity is not None and function(x, op.identity).dtype == x.dtype:
            np.testing.assert_array_equal(*xp.compute(function(x, op.identity), x))
        checked += 1
    assert checked


CHECK = """
import sys, numpy
before = set(sys.modules)
import lazyxp
new = {m.partition(".")[0] for m in set(sys.modules) - before}
heavy = new & {"dask", "distributed", "sparse", "cupy", "networkx", "array_api_compat", "scipy", "numba", "llvmlite"}
own = {m for m in sys.modules if m.startswith(("lazyxp.executors", "lazyxp.optimizers", "lazyxp.looking"))}
print(sorted(heavy), sorted(own))
"""


def test_importing_lazyxp_imports_no_backend_and_no_optimizer() -> None:
    answer = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[] []"


def test_pictures_show_computed_nodes_as_sources() -> None:
    x = xp.asarray([1.0, 2.0])
    y = x * 2
    float(y[0])
    graph = xp.to_networkx(y + 1)
    kinds = {graph.nodes[n]["label"]: graph.nodes[n]["kind"] for n in graph}
    assert kinds == {
        "multiply ndarray": "source",
        "1.0": "source",
        "add": "elementwise",
    }


def test_arrays_of_one_graph_share_it_in_one_pickle() -> None:
    steps = [xp.asarray(np.arange(1000.0))]
    for _ in range(300):
        steps.append(steps[-1] + 1)
    for order in (steps, steps[::-1]):
        text = pickle.dumps(order)
        assert len(text) < 100_000
        again = pickle.loads(text)
        assert len(xp.to_networkx(*again)) == len(xp.to_networkx(*steps))
        values = [float(a[0]) for a in again]
        assert sorted(values) == list(range(301))
        assert values[0] == (0 if order is steps else 300)
    q, r = pickle.loads(pickle.dumps(tuple(xp.linalg.qr(xp.asarray(np.eye(3) + 1)))))
    assert q._node.args[0] is r._node.args[0]
    fresh = pickle.loads(pickle.dumps(steps[-1] * 2))
    assert float(fresh[0]) == 600


def test_computed_outputs_can_be_drawn() -> None:
    q, r = xp.linalg.qr(xp.asarray(np.eye(3) + 1))
    held = q.persist()
    float(xp.sum(q))
    for array in (q, r, q + 1, held + 1):
        graph = xp.to_networkx(array)
        assert all(graph.nodes[n]["label"] for n in graph)
        assert str(array.visualize()).startswith("<svg")
