"""Rows of the linear algebra functions."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import array_api_strict as strict
import numpy as np
from hypothesis import strategies as st

from tests.differential import factored
from tests.differential.calls import Call, Row, row
from tests.differential.compare import exact, largest, rounded, scaled
from tests.differential.strategies import (
    ALL,
    FLOATING,
    NUMERIC,
    Draw,
    DType,
    NDArray,
    Shape,
    array,
    axes,
    broadcastable,
    laid_out,
    partners,
    shapes,
    values,
)

# Sides of matrices, and the leading dimensions of stacks of them.
SIDE = st.sampled_from((2, 3, 1, 2, 3, 0, 4))
STACKS = st.sampled_from(((), (2,), (), (1,), (3,), (0,), (2, 1)))


def kind_of(dtype: DType) -> str:
    """Integers may overflow: they wrap around. Floats stay where the order of additions hardly matters."""
    return "any" if dtype.kind in "iu" else "finite"


def operands(draw: Draw, *of: Shape) -> tuple[NDArray, ...]:
    """Two arrays of these shapes whose dtypes promote."""
    first = draw(st.sampled_from(NUMERIC))
    dtypes = (first, draw(st.sampled_from(partners(first, NUMERIC))))
    return tuple(laid_out(draw, values(draw, d, s, kind_of(d))) for d, s in zip(dtypes, of, strict=True))


def contracted(x1: NDArray, x2: NDArray, **keywords: Any) -> float:
    """How large the partial sums of a product of arrays may become."""
    return largest(x1) * largest(x2) * max(x1.size, x2.size, 1)


# --- products --------------------------------------------------------------------------------------------------------


def matmul(draw: Draw) -> Call:
    """Draws vectors, matrices and stacks that broadcast."""
    rows, inner, columns = (draw(SIDE) for _ in range(3))
    form = draw(st.sampled_from(("stacks", "stacks", "vector left", "vector right", "vectors")))
    left, right = broadcastable(draw, 2, draw(STACKS))
    one = (inner,) if form in ("vector left", "vectors") else (*left, rows, inner)
    two = (inner,) if form in ("vector right", "vectors") else (*right, inner, columns)
    return Call(operands(draw, one, two))


def matmul_reflected(draw: Draw) -> Call:
    """Draws the operands of ``x.__rmatmul__(other)``."""
    other, x = matmul(draw).args
    return Call((x, other))


def matmul_in_place(draw: Draw) -> Call:
    """Draws matrices and a square one of a dtype that does not change theirs."""
    dtype = draw(st.sampled_from(NUMERIC))
    n = draw(SIDE)
    x = values(draw, dtype, (*draw(STACKS), draw(SIDE), n), kind_of(dtype))
    other = draw(st.sampled_from(partners(dtype, NUMERIC, dtype)))
    return Call((laid_out(draw, x), laid_out(draw, values(draw, other, (n, n), kind_of(other)))))


def tensordot(draw: Draw) -> Call:
    """Draws a number of axes, or pairs of them."""
    shared = draw(shapes(0, 2, SIDE))
    left, right = draw(shapes(0, 2, SIDE)), draw(shapes(0, 2, SIDE))
    if draw(st.booleans()):
        return Call(operands(draw, (*left, *shared), (*shared, *right)), {"axes": len(shared)})
    one, two = [*shared, *left], [*shared, *right]
    first, second = (draw(st.permutations(range(len(s)))) for s in (one, two))
    places = [[list(order).index(i) for i in range(len(shared))] for order in (first, second)]
    places[0] = [i - len(one) if draw(st.booleans()) else i for i in places[0]]
    given = operands(draw, tuple(one[i] for i in first), tuple(two[i] for i in second))
    return Call(given, {"axes": tuple(tuple(p) for p in places)})


def along_one(draw: Draw, length: int) -> tuple[Shape, Shape, int]:
    """Two shapes that broadcast but for one axis of `length`, counted from the back."""
    rest = draw(shapes(0, 2, SIDE))
    back = draw(st.integers(0, len(rest)))
    one, two = broadcastable(draw, 2, rest)
    back = min(back, len(one), len(two))
    place = lambda s: (*s[: len(s) - back], length, *s[len(s) - back :])
    return place(one), place(two), -back - 1


def vecdot(draw: Draw) -> Call:
    """Draws an axis, and others that broadcast."""
    one, two, along = along_one(draw, draw(st.sampled_from((2, 0, 1, 7))))
    return Call(operands(draw, one, two), {} if along == -1 and draw(st.booleans()) else {"axis": along})


def cross(draw: Draw) -> Call:
    """Draws an axis of length 3, and others that broadcast."""
    one, two, along = along_one(draw, 3)
    return Call(operands(draw, one, two), {} if along == -1 and draw(st.booleans()) else {"axis": along})


def outer(draw: Draw) -> Call:
    """Draws two vectors."""
    return Call(operands(draw, (draw(SIDE),), (draw(st.sampled_from((2, 0, 1, 9))),)))


def matrix_power(draw: Draw) -> Call:
    """Draws powers from negative ones to positive ones."""
    return Call((laid_out(draw, factored.dominant(draw)), draw(st.integers(-3, 4))))


def powers(x: NDArray, n: int) -> float:
    """How large the elements of the power and its partial sums may become."""
    return float((largest(x) * max(x.shape[-1], 1)) ** max(n, 0))


# --- diagonals and norms ---------------------------------------------------------------------------------------------


def matrices(draw: Draw, dtypes: Sequence[DType], kind: str) -> NDArray:
    """A stack of matrices."""
    return array(draw, dtypes, (*draw(STACKS), draw(SIDE), draw(SIDE)), kind)


def transposable(draw: Draw) -> Call:
    """Draws stacks of matrices of any dtype."""
    return Call((matrices(draw, ALL, "any"),))


def diagonal(draw: Draw) -> Call:
    """Draws offsets inside and outside of the matrices."""
    return Call((matrices(draw, ALL, "any"),), {"offset": draw(st.integers(-4, 4))})


def trace(draw: Draw) -> Call:
    """Draws offsets, and dtypes to add up in."""
    x = matrices(draw, NUMERIC, "moderate")
    keywords: dict[str, Any] = {"offset": draw(st.integers(-4, 4))}
    if draw(st.booleans()):
        wider = [d for d in NUMERIC if np.can_cast(x.dtype, d)]
        keywords["dtype"] = draw(st.sampled_from(wider))
    return Call((x,), keywords)


def matrix_norm(draw: Draw) -> Call:
    """Draws all orders; matrices are not empty where there is no largest or smallest of nothing."""
    order = draw(st.sampled_from(("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf, None)))
    side = SIDE if order in ("fro", "nuc", None) else SIDE.filter(bool)
    x = array(draw, FLOATING, (*draw(STACKS), draw(side), draw(side)), "finite")
    keywords = {} if order == "fro" and draw(st.booleans()) else {"ord": order}
    return Call((x,), {**keywords, "keepdims": draw(st.booleans())})


def vector_norm(draw: Draw) -> Call:
    """Draws all kinds of orders."""
    order = draw(st.sampled_from((2, 1, 0, 3, 0.5, np.inf, -np.inf, -1, -2.5)))
    x = array(draw, FLOATING, draw(shapes()), "finite")
    which = axes(draw, x.ndim)
    if not x.size and order in (np.inf, -np.inf):
        x = np.ones([max(n, 1) for n in x.shape], x.dtype)
    return Call((x,), {"axis": which, "keepdims": draw(st.booleans()), "ord": order})


# --- ranks and inverses ----------------------------------------------------------------------------------------------


def matrix_rank(draw: Draw) -> Call:
    """Draws products of thin matrices of small integers, whose rank no rounding can hide."""
    dtype = draw(st.sampled_from(FLOATING))
    stack, rows, inner, columns = draw(STACKS), draw(SIDE), draw(SIDE), draw(SIDE)
    thin = (values(draw, np.dtype("int8"), (*stack, *s), "factor") for s in ((rows, inner), (inner, columns)))
    x = np.matmul(*thin).astype(dtype)
    rtol = draw(st.sampled_from((None, None, 1e-4, "array")))
    if rtol == "array":
        rtol = np.full(stack, 1e-4, np.finfo(dtype).dtype)
    return Call((laid_out(draw, x),), {} if rtol is None else {"rtol": rtol})


def ranked(xp: Any, x: Any, **keywords: Any) -> Any:
    """The rank; array_api_strict has no largest singular value of an empty matrix, whose rank is 0."""
    if xp is strict and 0 in x.shape[-2:]:
        return xp.zeros(x.shape[:-2], dtype=xp.int64)
    return xp.linalg.matrix_rank(x, **keywords)


def pinv(draw: Draw) -> Call:
    """Draws any matrices; with `rtol`, diagonal ones whose singular values are well above or below it."""
    if draw(st.booleans()):
        return Call((matrices(draw, FLOATING, "finite"),))
    dtype = draw(st.sampled_from(FLOATING))
    stack, rows, columns = draw(STACKS), draw(SIDE), draw(SIDE)
    x = np.zeros((*stack, rows, columns), dtype)
    for i in range(min(rows, columns)):
        x[..., i, i] = draw(st.sampled_from((1.0, 2.0, -0.5, 1e-3, 0.0)))
    rtol = 0.05 if draw(st.booleans()) else np.full(stack, 0.05, np.finfo(dtype).dtype)
    return Call((laid_out(draw, x),), {"rtol": rtol})


def solve(draw: Draw) -> Call:
    """Draws one right-hand side, or stacks of them that broadcast with the matrices."""
    x1 = factored.dominant(draw)
    dtype = draw(st.sampled_from(partners(x1.dtype, FLOATING)))
    n = x1.shape[-1]
    stack = x1.shape[:-2]
    form = draw(st.sampled_from(("vector", "matrix", "stack", "broadcast")))
    if form == "broadcast":
        (stack,) = broadcastable(draw, 1, stack)
    shape: Shape = (n,) if form == "vector" else (*(() if form == "matrix" else stack), n, draw(SIDE))
    return Call((laid_out(draw, x1), laid_out(draw, values(draw, dtype, shape, "finite"))))


def one(make: Callable[[Draw], NDArray], **options: st.SearchStrategy[Any]) -> Callable[[Draw], Call]:
    """Draws calls on one array that `make` draws, with keywords."""
    return lambda draw: Call((laid_out(draw, make(draw)),), {k: draw(option) for k, option in options.items()})


def rows() -> Iterator[Row]:
    """The linear algebra functions of the main namespace, their operators, and the extension."""
    products = scaled(8, contracted)
    for prefix in ("", "linalg."):
        yield row(f"{prefix}matmul", matmul, products)
        yield row(f"{prefix}matrix_transpose", transposable)
        yield row(f"{prefix}tensordot", tensordot, products)
        yield row(f"{prefix}vecdot", vecdot, products)
    yield row("__matmul__", matmul, products)
    yield row("__rmatmul__", matmul_reflected, products)
    copied = lambda xp, x, other: operator.imatmul(xp.asarray(x, copy=True), other)
    yield row("__imatmul__", matmul_in_place, products, copied)
    yield row("linalg.cross", cross, products)
    yield row("linalg.outer", outer, rounded(0, 4))
    yield row("linalg.diagonal", diagonal, exact)
    yield row("linalg.trace", trace, scaled(8, lambda x, **keywords: largest(x) * max(x.shape[-1], 1)))
    yield row("linalg.matrix_norm", matrix_norm, scaled(64, lambda x, **keywords: largest(x)))
    yield row("linalg.vector_norm", vector_norm, scaled(64))
    yield row("linalg.matrix_power", matrix_power, scaled(64, powers))
    yield row("linalg.matrix_rank", matrix_rank, exact, ranked)
    yield row("linalg.det", one(factored.dominant), scaled(64))
    yield row("linalg.slogdet", one(factored.dominant), scaled(64))
    yield row("linalg.inv", one(factored.dominant), factored.inverse)
    yield row("linalg.pinv", pinv, factored.pseudo_inverse)
    yield row("linalg.solve", solve, factored.solution)
    yield row("linalg.cholesky", one(factored.positive, upper=st.booleans()), factored.cholesky)
    yield row("linalg.qr", one(factored.any_matrix, mode=st.sampled_from(("reduced", "complete"))), factored.qr)
    yield row("linalg.svd", one(factored.any_matrix, full_matrices=st.booleans()), factored.svd)
    yield row("linalg.svdvals", one(factored.any_matrix), factored.spectrum)
    yield row("linalg.eigh", one(factored.hermitian), factored.eigh)
    yield row("linalg.eigvalsh", one(factored.hermitian), factored.spectrum)
    yield row("linalg.eig", one(factored.any_square), factored.eig)
    yield row("linalg.eigvals", one(factored.any_square), factored.eigenvalues)
