"""What the order of products costs, what it keeps, and what becomes of values that are not finite."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.node import Node, walk
from lazyxp.planning import optimized_graph
from lazyxp.structure import structure_of


def _optimized(*arrays: xp.Array, optimize: str = "default") -> list[Node]:
    structure = structure_of([current(x) for x in arrays])
    return walk(optimized_graph(structure, registry.get("numpy"), optimize).roots)


def _named(nodes: list[Node], name: str) -> list[Node]:
    return [node for node in nodes if node.op.name == name]


def _multiplications(nodes: list[Node]) -> int:
    """In matrix products, and in those of vectors that have no axis in common."""
    products = sum(math.prod(n.shape) * n.args[0].shape[-1] for n in _named(nodes, "matmul"))
    return products + sum(math.prod(n.shape) for n in _named(nodes, "multiply"))


def _best_bracketing(sides: list[int]) -> int:
    n = len(sides) - 1
    cost = {(i, i): 0 for i in range(n)}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            cost[i, j] = min(cost[i, k] + cost[k + 1, j] + sides[i] * sides[k + 1] * sides[j + 1] for k in range(i, j))
    return cost[0, n - 1]


def _bracketed(terms: list[xp.Array], choice: random.Random) -> xp.Array:
    """The product of a chain, bracketed and transposed at random."""
    terms = list(terms)
    while len(terms) > 1:
        i = choice.randrange(len(terms) - 1)
        a, b = terms[i : i + 2]
        terms[i : i + 2] = [(b.mT @ a.mT).mT if choice.random() < 0.3 else a @ b]
    return terms[0]


@pytest.mark.parametrize("count", [3, 4, 5, 6, 9, 12, 13, 25, 60])
def test_chains_are_multiplied_in_the_order_of_least_cost(count: int) -> None:
    for seed in range(8):
        choice = random.Random(f"{count} {seed}")
        numbers = np.random.default_rng(seed)
        sides = [choice.choice((1, 2, 3, 5, 8, 13, 40)) for _ in range(count + 1)]
        matrices = [xp.asarray(numbers.integers(-(2**62), 2**62, shape)) for shape in itertools.pairwise(sides)]
        product = _bracketed(matrices, choice)
        np.testing.assert_array_equal(product.compute(optimize="exact"), product.compute(optimize="none"))
        # Memory traffic counts as well, and an order that gains less than a tenth is not taken.
        assert _multiplications(_optimized(product)) <= 1.25 * _best_bracketing(sides) + 100, (seed, sides)


def test_products_with_vectors_never_make_a_matrix() -> None:
    a, b, c = (xp.asarray(np.ones((50, 50))) for _ in range(3))
    v = xp.asarray(np.ones(50))
    for y in (a @ b @ c @ v, v @ (a @ (b @ c)), (3.5 * a) @ (b @ c.T) @ v, xp.linalg.matrix_power(a, 5) @ v):
        assert all(math.prod(n.shape) <= 50 for n in _optimized(y) if n.op.name in ("matmul", "multiply"))


def test_what_others_use_is_kept() -> None:
    a, b, v = xp.asarray(np.ones((9, 9))), xp.asarray(np.eye(9)), xp.asarray(np.ones(9))
    product = a @ b
    assert len(_named(_optimized(product @ v, product + 1), "matmul")) == 2
    assert len(_named(_optimized(product @ v, product), "matmul")) == 2


def test_what_every_user_has_cheaper_is_computed_again() -> None:
    n = 50
    a, b, v = xp.asarray(np.ones((n, n))), xp.asarray(np.eye(n)), xp.asarray(np.ones(n))
    p = a @ b
    q = p @ a
    for outputs in (
        (xp.linalg.trace(a @ b) + (a @ b @ v)[0],),
        (p @ v, v @ p, xp.sum(p)),
        (q @ v, v @ q, p @ v),
        (p @ p @ v, p @ v),
        (p[:, 3] @ v, xp.sum(p), (a @ b[:, 3]) + v),
    ):
        assert _multiplications(_optimized(*outputs)) <= 20 * n * n
        for got, expected in zip(xp.compute(*outputs), xp.compute(*outputs, optimize="none"), strict=True):
            np.testing.assert_allclose(got, expected)


def test_nothing_is_computed_again_that_has_to_be_held_for_it() -> None:
    n = 50
    a, b, v = xp.asarray(np.ones((n, n))), xp.asarray(np.eye(n)), xp.asarray(np.ones(n))
    for product, is_kept in ((a @ xp.exp(b), False), (xp.exp(a) @ xp.exp(b), True)):
        products = _named(_optimized(product @ v, v @ product), "matmul")
        assert any(node.shape == (n, n) for node in products) is is_kept


@pytest.mark.parametrize("count", [5, 20, 80])
def test_chains_of_shared_products_never_cost_more(count: int) -> None:
    n = 10
    a, v = xp.asarray(np.ones((n, n)) / n), xp.asarray(np.ones(n))
    steps: list[Callable[[xp.Array], xp.Array]] = [
        lambda x: a @ x,
        lambda x: x @ x,
        lambda x: (a @ x) @ (x @ a),
        lambda x: x.mT @ a,
    ]
    for step in steps:
        x = a
        outputs = []
        for _ in range(count):
            x = step(x)
            outputs += [x @ v, xp.linalg.trace(x)]
        nodes = _optimized(*outputs)
        assert len(nodes) <= 16 * count
        assert _multiplications(nodes) <= _multiplications(_optimized(*outputs, optimize="none"))
        for got, expected in zip(xp.compute(*outputs), xp.compute(*outputs, optimize="none"), strict=True):
            np.testing.assert_allclose(got, expected)


def test_a_matrix_times_its_transpose_stays_one_buffer() -> None:
    a, b = xp.asarray(np.ones((40, 9))), xp.asarray(np.ones((9, 9)))
    product = next(n for n in _named(_optimized(xp.sum(a.T[:, :, None] * a[None], axis=1) @ b), "matmul"))
    left, right = product.args
    assert left.op.name == "permute_dims"
    assert left.args[0] is right


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64])
@pytest.mark.parametrize("shape", [(300, 300), (900, 3), (3, 900)])
def test_traces_of_products_copy_no_matrix(shape: tuple[int, int], dtype: Any) -> None:
    numbers = np.random.default_rng(0)
    a, b = (xp.asarray(numbers.integers(-9, 9, s).astype(dtype)) for s in (shape, shape[::-1]))
    for y in (xp.linalg.trace(a @ b), xp.linalg.trace(a.mT @ b.mT)):
        assert y.estimate().peak_bytes <= 302 * y.dtype.itemsize
        assert y.compute() == y.compute(optimize="none")


def test_traces_beside_the_main_diagonal() -> None:
    a, b = xp.asarray(np.ones((30, 5))), xp.asarray(np.ones((5, 20)))
    for offset in (-25, -3, 0, 4, 19, 20):
        y = xp.linalg.trace(a @ b, offset=offset)
        assert y.compute() == y.compute(optimize="none")


@pytest.mark.parametrize("side", [0, 1])
def test_empty_and_single_sides(side: int) -> None:
    a, b, v = xp.zeros((4, side)), xp.zeros((side, 4)), xp.zeros(4)
    for y in (a @ b @ v, xp.linalg.trace(a @ b), xp.sum(a[:, :, None] * b[None], axis=1), xp.sum(a @ b, axis=0)):
        np.testing.assert_array_equal(y.compute(), y.compute(optimize="none"))


def test_a_gain_of_a_constant_does_not_leave_the_range() -> None:
    huge = xp.asarray(np.full(1000, 1e306))
    small = xp.asarray(1e-10)
    for y in (xp.sum(huge * small), xp.sum(huge[:, None] * xp.asarray(np.full((1000, 2), 1e-10)), axis=1)):
        assert np.isfinite(y.compute()).all()


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_long_sums_keep_their_digits(dtype: Any) -> None:
    a = np.random.default_rng(0).random((1000, 1000)).astype(dtype)
    x = xp.asarray(a)
    for y in (xp.linalg.trace(x @ x.T), xp.sum(x * x.T), xp.sum(xp.square(x)), xp.linalg.trace(x @ x)):
        np.testing.assert_allclose(y.compute(), y.compute(optimize="none"), rtol=1e-6)


WILD: dict[str, Any] = {
    "order": lambda a, b, v: a @ b @ v,
    "trace": lambda a, b, v: xp.linalg.trace(a @ b),
    "diagonal": lambda a, b, v: xp.linalg.diagonal(a @ b),
    "sum": lambda a, b, v: xp.sum(a @ b, axis=0),
    "mean": lambda a, b, v: xp.mean(a @ b, axis=1),
    "contraction": lambda a, b, v: xp.sum(a[:, :, None] * b[None], axis=1),
    "factors": lambda a, b, v: xp.sum(v[:, None] * b[0, None, :], axis=1),
    "scaled": lambda a, b, v: (v[:, None] * a) @ v,
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", WILD)
def test_the_same_elements_are_finite(name: str) -> None:
    for seed in range(30):
        numbers = np.random.default_rng(seed)
        operands = [numbers.choice([0.0, 1.0, -2.5, 3.0], shape) for shape in ((9, 9), (9, 9), (9,))]
        for x in operands:
            wild = numbers.random(x.shape) < 0.02
            x[wild] = numbers.choice([np.nan, np.inf, -np.inf], wild.sum())
        y = WILD[name](*map(xp.asarray, operands))
        got, expected = y.compute(), y.compute(optimize="none")
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.isfinite(got), finite)
        np.testing.assert_allclose(got[finite], expected[finite], rtol=1e-12, atol=1e-9)


def test_numbers_that_keep_a_long_chain_in_range_stay_in_it():
    ones = xp.asarray(np.ones((4, 4)))
    y = ones
    for _ in range(600):
        y = y @ ones * 0.25
    np.testing.assert_array_equal(y.compute(), np.ones((4, 4)))
