"""`jit`: traced once, run directly, traced again when something that matters changes."""

import threading
from collections import defaultdict, namedtuple

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import SourceMutated
from lazyxp.executors import registry
from lazyxp.executors.numpy import NumPyExecutor

X = np.arange(12.0).reshape(3, 4)
Pair = namedtuple("Pair", "low high")


def counted(function):
    """`function` jitted, and the list that grows by one with every trace."""
    traces = []

    def traced(*args, **kwargs):
        traces.append(1)
        return function(*args, **kwargs)

    return xp.jit(traced), traces


def test_traces_once_per_shape_dtype_and_static_argument():
    f, traces = counted(lambda x, n=2: x * n + 1)
    calls = [
        ((X,), {}),
        ((X + 1,), {}),
        ((X[:2],), {}),
        ((X.astype(np.float32),), {}),
        ((X,), {"n": 3}),
        ((X,), {"n": 3.0}),
        ((X, 3), {}),
        ((X[:2],), {}),
    ]
    for (x, *rest), kwargs in calls:
        np.testing.assert_array_equal(f(x, *rest, **kwargs), x * (rest[0] if rest else kwargs.get("n", 2)) + 1)
    assert len(traces) == 6


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (1, 1.0), (0.0, -0.0), ("a", "b"), (None, False), ((1, 2), [1, 2])]
)
def test_static_values_that_differ(one, other):
    f, traces = counted(lambda x, static: (x + 1, static))
    for value in (one, other, one):
        x, static = f(X, value)
        np.testing.assert_array_equal(x, X + 1)
        assert repr(static) == repr(value)
    assert len(traces) == 2


def test_nan_is_one_static_value():
    f, traces = counted(lambda x, fill: xp.where(x > 2, fill, x))
    f(X, float("nan")), f(X, float("nan"))
    assert len(traces) == 1


def test_containers_in_and_out():
    @xp.jit
    def f(data, *, rows):
        a, (b, c) = data["a"], data["rest"]
        return {"sum": a + b, "all": [c[0] * 2, (rows, Pair(a - 1, b))], "none": None}

    y = np.ones((3, 4))
    got = f({"a": X, "rest": (y, [X * 3])}, rows=3)
    np.testing.assert_array_equal(got["sum"], X + y)
    np.testing.assert_array_equal(got["all"][0], X * 6)
    rows, pair = got["all"][1]
    assert (rows, got["none"], type(pair)) == (3, None, Pair)
    np.testing.assert_array_equal(pair.low, X - 1)
    np.testing.assert_array_equal(pair.high, y)


def test_arrays_in_arrays_out():
    f = xp.jit(lambda x, y: (x + y, x))
    total, same = f(xp.asarray(X) * 2, X)
    assert type(total) is xp.asarray(0).__class__
    np.testing.assert_array_equal(total.compute(), X * 3)
    np.testing.assert_array_equal((total + same).compute(), X * 5)
    native, _ = f(X, X)
    assert type(native) is np.ndarray


def test_results_are_the_callers():
    f = xp.jit(lambda x: (x, x.T, x + 0))
    x = X.copy()
    for result in f(x):
        assert not np.shares_memory(result, x)
        result[...] = -1
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(f(x)[1], X.T)


def test_held_results_do_not_change_with_the_argument():
    x = np.arange(100_000.0)
    (got,) = xp.jit(lambda *arrays: [arrays[0][1:] for _ in arrays[1:]])(x, xp.asarray(0))
    expected = x[1:].copy()
    x[:] = 0
    np.testing.assert_array_equal(got.compute(), expected)


def test_closure_and_large_captured_arrays():
    weights = np.linspace(0, 1, 20_000)
    lazy = xp.asarray(weights)
    f = xp.jit(lambda x: x * lazy)
    np.testing.assert_array_equal(f(np.ones(20_000)), weights)
    weights[:] = 2
    with pytest.raises(RuntimeError, match="changed in place"):
        f(np.ones(20_000))


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: x if xp.any(x > 3) else -x, "bool"),
        (lambda x: x * float(xp.max(x)), "float"),
        (lambda x: [row for row in x], None),
        (lambda x: np.asarray(x) + 1, None),
        (lambda x: x.compute() + 1, None),
    ],
)
def test_a_demanded_value_is_refused(function, what):
    f = xp.jit(function)
    if what is None and function.__code__.co_names == ():
        np.testing.assert_array_equal(f(X), X)  # iterating needs no values
        return
    with pytest.raises(TypeError) as caught:
        f(X)
    message = str(caught.value)
    assert f"{__file__}:" in message
    assert "xp.where" in message or "leave jit out" in message
    np.testing.assert_array_equal(xp.jit(lambda x: x + 1)(X), X + 1)


def test_writing_to_an_argument_is_refused():
    def f(x):
        x[0] = 1
        return x

    with pytest.raises(TypeError, match="writes to its array argument number 0"):
        xp.jit(f)(X)
    np.testing.assert_array_equal(X[0], [0, 1, 2, 3])


def test_writing_to_a_copy():
    @xp.jit
    def f(x):
        y = xp.asarray(x, copy=True)
        y[0] = 1
        return y

    expected = X.copy()
    expected[0] = 1
    np.testing.assert_array_equal(f(X), expected)
    np.testing.assert_array_equal(f(X), expected)


def test_unhashable_static_argument():
    with pytest.raises(TypeError, match="static argument that cannot be hashed"):
        xp.jit(lambda x, names: x)(X, {"a"})


def test_jit_inside_jit_becomes_part_of_the_trace():
    inner, traces = counted(lambda x: x + 1)
    outer = xp.jit(lambda x: inner(x) * 2)
    np.testing.assert_array_equal(outer(X), (X + 1) * 2)
    np.testing.assert_array_equal(outer(X + 1), (X + 2) * 2)
    assert len(traces) == 1


def test_as_a_method():
    class Model:
        scale = 3.0

        @xp.jit
        def predict(self, x):
            """Doc."""
            return x * self.scale

    np.testing.assert_array_equal(Model().predict(X), X * 3)
    assert Model.predict.__doc__ == "Doc."


def test_data_dependent_lengths():
    f = xp.jit(lambda x: (x[x > 3], xp.nonzero(x)[0]))
    for x in (X, -X, X * 2):
        taken, rows = f(x)
        np.testing.assert_array_equal(taken, x[x > 3])
        np.testing.assert_array_equal(rows, np.nonzero(x)[0])


def test_options_trace_again():
    f, traces = counted(lambda x: x + 1)
    f(X)
    with xp.set_options(optimize="none"):
        f(X)
    f(X)
    assert len(traces) == 2


@pytest.mark.parametrize("backend", ["dask", "array_api_strict"])
def test_other_backends(backend):
    f = xp.jit(lambda x: xp.sum(x, axis=0) + 1, backend=backend)
    for _ in range(2):
        np.testing.assert_array_equal(np.asarray(f(X)), X.sum(axis=0) + 1)


def test_errors_name_the_users_line():
    f = xp.jit(lambda x, i: xp.take(x, i, axis=0))
    np.testing.assert_array_equal(f(X, np.asarray([1])), X[[1]])
    with pytest.raises(IndexError) as caught:
        f(X, np.asarray([7]))
    assert any("test_jit.py" in note for note in caught.value.__notes__)


def test_foreign_byte_order_and_scalars():
    f = xp.jit(lambda x, y: x + y)
    swapped = X.astype(X.dtype.newbyteorder())
    np.testing.assert_array_equal(f(swapped, np.float64(2)), X + 2)
    np.testing.assert_array_equal(f(swapped, np.float64(3)), X + 3)


def test_many_threads():
    f = xp.jit(lambda x: xp.sum(x * 2) + xp.sum(x[::2]))
    f(X)
    wrong = []

    def work(n):
        for i in range(200):
            x = np.full(50, float(n * 1000 + i))
            if f(x) != x.sum() * 2 + x[::2].sum():
                wrong.append((n, i))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_traces_are_bounded():
    f, traces = counted(lambda x, n: x + n)
    for n in range(300):
        f(X, n)
    assert len(traces) == 300
    f(X, 299), f(X, 0)
    assert len(traces) == 301


def test_a_last_dict_is_no_keyword_argument():
    f = xp.jit(lambda x, d=None, a=0: x + (100 if d else a))
    np.testing.assert_array_equal(f(X, {"a": 1}), X + 100)
    np.testing.assert_array_equal(f(X, a=1), X + 1)


@pytest.mark.parametrize("static", [np.float32, xp.float32, np.dtype("float32")])
def test_data_types_are_static(static):
    assert xp.jit(lambda x, dtype: xp.astype(x, dtype))(X, static).dtype == np.float32


def test_slices_are_static():
    f, traces = counted(lambda x, key: x[key])
    for key in (slice(1, None), slice(None, None, 2), slice(1, None)):
        np.testing.assert_array_equal(f(X, key), X[key])
    assert len(traces) == 2


def test_dicts_of_other_types():
    data = defaultdict(float, a=X)
    np.testing.assert_array_equal(xp.jit(lambda d: d["a"] + d["missing"])(data), X)
    assert list(data) == ["a"]


def test_native_results_are_the_callers():
    f = xp.jit(lambda x: (x, np.zeros(3)))
    f(X)[1][:] = 7
    np.testing.assert_array_equal(f(X)[1], np.zeros(3))


def test_jit_inside_jit_reads_what_is_around_it():
    closed_over = xp.asarray(X) * 2  # not computed
    inner = xp.jit(lambda y: y + 1)
    outer = xp.jit(lambda x: xp.jit(lambda n: x * n)(2) + inner(closed_over) + inner(X))
    for _ in range(2):
        np.testing.assert_array_equal(outer(X), X * 2 + X * 2 + 1 + X + 1)


def test_an_argument_that_was_changed_behind_its_array():
    shared = np.ones(100_000)
    x = xp.asarray(shared)
    f = xp.jit(xp.sum)
    assert f(x).compute() == 100_000
    shared[:] = 2
    with pytest.raises(SourceMutated, match="changed in place"):
        f(x)


def test_another_executor_of_the_name_traces_again(monkeypatch):
    class Wrong(NumPyExecutor):
        lowerings = NumPyExecutor.lowerings | {"add": lambda xp, x, y: x - y}

    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    xp.register_executor("again", NumPyExecutor)
    f = xp.jit(lambda x: x + 1, backend="again")
    np.testing.assert_array_equal(f(X), X + 1)
    xp.register_executor("again", Wrong)
    np.testing.assert_array_equal(f(X), X - 1)


def test_what_cannot_be_traced_is_refused_at_once():
    with pytest.raises(TypeError, match="expected a function"):
        xp.jit(3)
    with pytest.raises(ValueError, match="optimize='much' is none of"):
        xp.jit(lambda x: x, optimize="much")


def test_errors_in_a_traced_function_leave_nothing_behind():
    def fails(x):
        raise RuntimeError("no")

    before = xp.get_options()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no"):
            xp.jit(fails)(X)
    assert xp.get_options() == before
    assert type(xp.jit(lambda x: x + 1)(X)) is np.ndarray  # not part of a trace
