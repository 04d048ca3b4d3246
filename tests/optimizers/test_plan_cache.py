"""The plan cache: which graphs share a plan, and that sharing one never shares data."""

import gc
import weakref

import numpy as np
import pytest

import lazyxp as xp
from lazyxp import options, planning
from lazyxp.api import indexing
from lazyxp.api.recording import current
from lazyxp.structure import structure_of

X = np.arange(6.0).reshape(2, 3)
I = np.arange(6).reshape(2, 3)  # noqa: E741


@pytest.fixture(autouse=True)
def empty_cache():
    planning.clear_cache()


def misses(*calls):
    """How many of the calls, each of which computes something, had to be planned."""
    before = planning.cache_info().misses
    for call in calls:
        call()
    return planning.cache_info().misses - before


SAME = {
    "data": (lambda: xp.asarray(X) + 1, lambda: xp.asarray(X * 3) + 1),
    "line": (lambda: xp.asarray(X) * 2, lambda: xp.asarray(X) * 2),
    "scalars that are data": (lambda: xp.asarray(X) * 0.1, lambda: xp.asarray(X) * 0.7),
    "equal scalars": (lambda: xp.asarray(X) * 0.1 + 0.1, lambda: xp.asarray(X) * 0.3 + 0.3),
    "scalars of one place": (lambda: scaled(0.3, 0.3), lambda: xp.asarray(X) * 0.7 * 0.7),
    "telling scalars of one place": (lambda: scaled(2, 2), lambda: xp.asarray(X) * 2 * 2),
    "scalars of several places": (lambda: xp.asarray(X) * 0.7 * 0.7, lambda: scaled(0.3, 0.3)),
    "one array of a scalar": (
        lambda: once(xp.asarray(0.3), lambda c: xp.asarray(X) * c * c),
        lambda: xp.asarray(X) * xp.asarray(0.7) * xp.asarray(0.7),
    ),
    "values of known nodes": (lambda: known(1.0) + 1, lambda: known(2.0) + 1),
    "outputs of several": (lambda: xp.linalg.qr(xp.asarray(X)).R, lambda: xp.linalg.qr(xp.asarray(X + 1)).R),
}
OTHER = {
    "shape": (lambda: xp.asarray(X) + 1, lambda: xp.asarray(X[:1]) + 1),
    "dtype": (lambda: xp.asarray(X) + 1, lambda: xp.asarray(I) + 1),
    "op": (lambda: xp.asarray(X) + 1, lambda: xp.asarray(X) - 1),
    "parameter": (lambda: xp.sum(xp.asarray(X), axis=0), lambda: xp.sum(xp.asarray(X), axis=1)),
    "key": (lambda: xp.asarray(X)[:1], lambda: xp.asarray(X)[1:]),
    "telling scalars": (lambda: xp.asarray(X) * 2, lambda: xp.asarray(X) * 4),
    "sign of zero": (lambda: xp.asarray(X) + 0.0, lambda: xp.asarray(X) + -0.0),
    "fill value": (lambda: xp.full(3, 0.0), lambda: xp.full(3, -0.0)),
    "equal or different scalars": (lambda: xp.asarray(X) * 0.1 + 0.1, lambda: xp.asarray(X) * 0.1 + 0.3),
    "order of arguments": (lambda: two(lambda a, b: a - b), lambda: two(lambda a, b: b - a)),
    "which output": (lambda: xp.linalg.qr(xp.asarray(X)).R, lambda: xp.linalg.qr(xp.asarray(X.T)).Q.T),
}


def scaled(*factors):
    """X times the factors, each of which the same line records."""
    x = xp.asarray(X)
    for factor in factors:
        x = x * factor
    return x


def known(value):
    x = xp.asarray(X) * value
    float(x[0, 0])
    return x


def two(function):
    """`function` of two sources, both of which it is sure to see in one order."""
    a, b = xp.asarray(X), xp.asarray(X + 1)
    return xp.stack([a, b, function(a, b)])


@pytest.mark.parametrize("name", SAME)
def test_one_plan(name):
    first, second = SAME[name]
    first().compute()
    expected = second().compute(optimize="none")
    assert misses(lambda: np.testing.assert_array_equal(second().compute(), expected)) == 0


@pytest.mark.parametrize("name", OTHER)
def test_another_plan(name):
    first, second = OTHER[name]
    expected = [first().compute(optimize="none"), second().compute(optimize="none")]
    assert misses(lambda: first().compute(), lambda: second().compute()) == 2
    for call, value in zip((first, second), expected, strict=True):
        got = call().compute()
        np.testing.assert_array_equal(got, value)
        np.testing.assert_array_equal(np.signbit(got), np.signbit(value))


# Every pair of these differs in structure: a is a vector, b and c are others of its length.
ALL_DIFFERENT = [
    lambda a, b, c: [a - b],
    lambda a, b, c: [a - b, a],
    lambda a, b, c: [a, a - b],
    lambda a, b, c: [a - b, a - b],
    lambda a, b, c: once(a - b, lambda d: [d, d]),
    lambda a, b, c: [a - a],
    lambda a, b, c: [(a - b) - c],
    lambda a, b, c: [a - (b - c)],
    lambda a, b, c: [a - (b - a)],
    lambda a, b, c: [a - (b - b)],
    lambda a, b, c: [a - (a - b)],
    lambda a, b, c: [(a - b) - (a - b)],
    lambda a, b, c: [(a - b) - (b - a)],
    lambda a, b, c: [once(a - b, lambda d: d - d)],
    lambda a, b, c: [once(a - b, lambda d: d - (d - a))],
    lambda a, b, c: [xp.concat([a, b])],
    lambda a, b, c: [xp.concat([a, b, c])],
    lambda a, b, c: [xp.concat([a, b, a])],
    lambda a, b, c: [xp.stack([a, b])],
    lambda a, b, c: [xp.concat([xp.concat([a, b]), c])],
    lambda a, b, c: [xp.concat([a, xp.concat([b, c])])],
    lambda a, b, c: [a[0]],
    lambda a, b, c: [a[1]],
    lambda a, b, c: [a[None]],
    lambda a, b, c: [a[:1]],
    lambda a, b, c: [a[:2:2]],
    lambda a, b, c: [a[1:], a[1:]],
    lambda a, b, c: [a[1:], a[:-1]],
    lambda a, b, c: [a[1:] - b[1:]],
    lambda a, b, c: [a[1:] - b[:-1]],
    lambda a, b, c: [a * 0.1 * 0.1],
    lambda a, b, c: [a * 0.1 * 0.3],
    lambda a, b, c: [a * 0.1 * 0.3 * 0.1],
    lambda a, b, c: [a * 0.1 * 0.3 * 0.3],
    lambda a, b, c: [xp.asarray([0.5])],
]


def once(x, function):
    """`function` of `x`, which is one node in the result."""
    return function(x)


def key_of(build):
    return structure_of([current(x) for x in build(*[xp.asarray(np.arange(6.0) + i) for i in range(3)])]).key


def test_keys_are_equal_for_one_structure_only():
    keys = [key_of(build) for build in ALL_DIFFERENT]
    assert len(set(keys)) == len(keys)
    assert keys == [key_of(build) for build in ALL_DIFFERENT]
    indexing._known.clear()  # parameters that were shared are made anew
    assert keys == [key_of(build) for build in ALL_DIFFERENT]


def test_known_index_keys_are_those_of_their_type_and_shape():
    """The same number is another key as a bool or a float; and so is the same key for another shape."""
    x, y = xp.asarray(np.arange(6.0)), xp.asarray(np.arange(3.0))
    for _ in range(2):
        np.testing.assert_array_equal(x[1:5].compute(), np.arange(1.0, 5.0))
        np.testing.assert_array_equal(y[1:5].compute(), np.arange(1.0, 3.0))
        assert x[1].compute() == 1.0
        assert x[True].compute().shape == (1, 6)
        assert x[-1].compute() == 5.0
        assert y[-1].compute() == 2.0
        with pytest.raises(IndexError):
            y[4]
        with pytest.raises(TypeError):
            x[1.0:5]
        with options.overridden(strict=True), pytest.raises(IndexError):
            y[1:5]
        view = x[1:3]
        view += 0.0
        assert float(x[1]) == 1.0


def test_sharing_is_structure():
    a, b = xp.asarray(X), xp.asarray(X)
    assert misses(lambda: (a + b).compute(), lambda: (a + a).compute(), lambda: (b + b).compute()) == 2


def test_levels_and_backends_have_their_own_plans():
    x = xp.asarray(X) + 1
    calls = [lambda o=o, b=b: x.compute(optimize=o, backend=b) for o in ("none", "exact") for b in (None, "dask")]
    assert misses(*calls) == 4
    assert misses(*calls) == 0


def test_plans_hold_no_data():
    value = np.arange(50_000.0)
    watched = weakref.ref(value)
    x = xp.asarray(value)
    (x[1:] * 2).compute()
    y = xp.sum(x)
    float(y)
    del x, y, value
    gc.collect()
    assert watched() is None


def test_the_cache_is_bounded(monkeypatch):
    monkeypatch.setattr(planning, "MOST_PLANS", 5)
    for n in range(1, 20):
        xp.zeros(n).compute()
    assert planning.cache_info().plans == 5
    assert misses(lambda: xp.zeros(19).compute(), lambda: xp.zeros(1).compute()) == 1
    monkeypatch.setattr(planning, "MOST_NODES", 3)
    (xp.asarray(X) + 1 - 2 * 3).compute()
    info = planning.cache_info()
    assert info.nodes <= 3


def test_errors_name_the_line_of_the_graph_that_failed():
    def taken(x, i):
        return xp.take(x, xp.asarray([i]) + 0, axis=0)

    taken(xp.asarray(X), 1).compute()
    far = taken(xp.asarray(X), 1)
    del far
    later = xp.take(xp.asarray(X), xp.asarray([9]) + 0, axis=0)
    before = planning.cache_info().hits
    with pytest.raises(IndexError) as caught:
        later.compute()
    assert planning.cache_info().hits == before + 1
    (note,) = caught.value.__notes__
    assert "test_errors_name_the_line_of_the_graph_that_failed" in note


def test_lengths_that_were_computed_belong_to_the_data():
    strict = pytest.importorskip("array_api_strict")
    for values in ([1, 0, 2], [1, 1, 1], [0, 0, 1]):
        x = xp.asarray(np.asarray(values))
        got = (x[x > 0] * 2)[xp.asarray([0])].compute(backend=strict)
        assert np.asarray(got).tolist() == [values[np.flatnonzero(values)[0]] * 2]


def test_scalars_that_are_forgotten_while_a_loop_records():
    """How many scalars were recorded before, here or elsewhere, is no part of a structure."""
    rng = np.random.default_rng(0)

    def loop():
        x, want = xp.asarray(X), X
        for shift in rng.random(300):
            x, want = x * 0.7 + float(shift), want * 0.7 + shift
        np.testing.assert_allclose(x.compute(), want, rtol=1e-12)

    assert misses(*[loop] * 80) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_errors_name_their_lines_where_scalars_are_shared(order):
    """A plan of a graph in which scalars share a node serves one in which they do not, and the other way round."""
    beyond = xp.asarray(np.asarray([7]))

    def shared():
        return xp.take(scaled(0.3, 0.3, 0.3), beyond, axis=0) + 1

    def apart():
        return xp.take(xp.asarray(X) * 0.7 * 0.7 * 0.7, beyond, axis=0) + 1

    for call in [(shared, apart)[i] for i in order]:
        with pytest.raises(IndexError) as caught:
            call().compute()
        (note,) = caught.value.__notes__
        assert f":{call.__code__.co_firstlineno + 1} in {call.__name__}" in note
    assert planning.cache_info().plans == 1
