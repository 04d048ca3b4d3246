"""What push-down saves, and what it leaves alone."""

import math
import sys

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.node import walk
from lazyxp.optimizers import push_down, push_up
from lazyxp.optimizers.graph import ALLOWED, Graph
from lazyxp.structure import structure_of, template


def pushed(*arrays, level="default"):
    """The graph after the two passes."""
    graph = Graph(ALLOWED[level], registry.get("numpy").supports)
    graph.roots = template(structure_of([current(x) for x in arrays]), intern=graph.intern)
    graph.roots = push_up.run(graph)
    graph.roots = push_down.run(graph)
    return graph


def computed(*arrays, level="default"):
    """How many elements the ops other than views compute."""
    graph = pushed(*arrays, level=level)
    views = ("source", "movement")
    return sum(math.prod(n.shape) for n in walk(graph.roots) if n.op.kind not in views and n.op.name != "getitem")


def chain(x, length):
    for i in range(length):
        x = x * 0.5 if i % 2 else -x
    return x


def test_one_percent_of_a_chain_costs_one_percent():
    x = xp.asarray(np.ones((1000, 10)))
    assert computed(chain(x, 20)) == 20 * 10_000
    assert computed(chain(x, 20)[300:310]) == 20 * 100
    assert computed(chain(x, 20)[7, 3]) == 20


def test_a_row_of_a_product_is_a_product_with_a_row():
    a, b = (xp.asarray(np.ones((50, 50))) for _ in range(2))
    for key in (0, (slice(None), 3), (4, 5)):
        graph = pushed((a @ b)[key])
        (product,) = [n for n in walk(graph.roots) if n.op.name == "matmul"]
        assert product.shape == np.empty((50, 50))[key].shape


def test_only_the_pieces_that_are_needed_are_computed():
    parts = [xp.asarray(np.ones(100)) * i for i in range(5)]
    assert computed(xp.concat(parts)[150:160]) == 10
    assert computed(xp.stack(parts)[2, 50:]) == 50


def test_a_stencil_does_not_repeat_the_work_below_it():
    y = chain(xp.asarray(np.ones((102, 102))), 20)
    stencil = sum(y[i : i + 100, j : j + 100] for i in range(3) for j in range(3))
    assert computed(stencil) <= 20 * 102**2 + 9 * 100**2
    assert computed(stencil[:10, :10]) <= 20 * 12**2 + 9 * 10**2  # the hull of nine parts


def test_many_parts_of_one_chain_are_not_computed_one_by_one():
    y = chain(xp.asarray(np.ones((300, 5))), 300)
    graph = pushed(*[y[i] for i in range(300)])
    assert len(walk(graph.roots)) < 1_000


def test_an_index_that_is_computed_from_what_it_indexes():
    x = xp.asarray(np.random.default_rng(0).normal(size=50))
    y = xp.exp(x) + 1
    z = xp.take(y, xp.argsort(y[:5]))
    np.testing.assert_array_equal(z.compute(optimize="exact"), z.compute(optimize="none"))


def test_an_index_out_of_bounds_is_an_error_still():
    x, i = xp.asarray(np.ones((5, 6))) + 1, xp.asarray([1, 7]) + 0
    for y in (xp.take(x, i, axis=0)[:, 2], xp.take(x, i, axis=0)[:, :0], xp.take(x, i, axis=1)[3:3, 1]):
        for level in ("none", "exact", "default"):
            with pytest.raises(IndexError):
                y.compute(optimize=level)


def calls_of(function):
    """How many Python functions a call of `function` calls."""
    count = 0

    def counting(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(counting)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("level", ["exact", "default"])
def test_work_is_linear(level):
    x = xp.asarray(np.ones(1000))
    short, long = chain(x, 1_000), chain(x, 20_000)
    for one, other in ((short, long), (short[5:10], long[5:10])):
        few, many = (calls_of(lambda y=y: pushed(y, level=level)) for y in (one, other))
        assert many < 25 * few


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        (np.s_[2:8], np.s_[1:5:2]),
        (np.s_[2:8], np.s_[3]),
        (np.s_[9:2:-3], np.s_[2::-1]),
        (np.s_[None, :], np.s_[0, 1:4]),
        (np.s_[None, :], np.s_[:, None, 3]),
        (np.s_[2:8], np.s_[0:0]),
    ],
)
def test_selections_of_selections(inner, outer):
    x = np.arange(10.0)
    y = (xp.asarray(x) * 3)[inner][outer]
    for level in ("exact", "default"):
        np.testing.assert_array_equal(y.compute(optimize=level), (x * 3)[inner][outer])
        assert computed(y, level=level) == (x * 3)[inner][outer].size


def test_nothing_of_a_new_axis():
    x = np.arange(10.0)
    y = (xp.asarray(x) * 3)[None, :][0:0, :]
    np.testing.assert_array_equal(y.compute(optimize="exact"), (x * 3)[None, :][0:0, :])
