"""The rows of the table: expressions as people write them, and what the optimizer has to make of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import lazyxp as xp

N = 400
SQUARE = (N, N)
VECTOR = (N,)
LONG = (200_000,)
TALL = (2_000, 100)


class Row(NamedTuple):
    """One rewrite.

    Attributes
    ----------
    name : str
        What the row shows.
    build : callable
        Records the expression on arrays of these `shapes`.
    shapes : tuple of shapes
        Those of the arrays, which are random float64.
    rules : str
        Rewrites that have to fire, separated by semicolons; none where other means lower the cost.
    flops, peak : float
        The most that is left of the flops and of the peak memory as recorded.
    level : str
        The level of `optimize`.
    """

    name: str
    build: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    rules: str
    flops: float
    peak: float
    level: str = "default"


def chain(x: Any, ops: int = 20) -> Any:
    """A chain of functions of each element."""
    for i in range(ops // 2):
        x = xp.sin(x) * (i + 1.5)
    return x


def shared(x: Any, y: Any) -> Any:
    """One expression written twice."""
    return xp.exp(x) * y + xp.exp(x) / y


def updated(x: Any) -> Any:
    """A copy whose first rows are written over."""
    x = x + 1
    x[:10] = 0
    return x * 2


def statistics(x: Any) -> Any:
    """Four reductions of the same data."""
    return xp.stack([xp.mean(x), xp.std(x), xp.min(x), xp.max(x)])


def standardized(x: Any) -> Any:
    """Zero mean, unit variance."""
    return (x - xp.mean(x, axis=0)) / xp.std(x, axis=0)


def distances(x: Any, c: Any) -> Any:
    """Squared distances of points from centres."""
    return xp.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=-1)


def softmax(x: Any) -> Any:
    """Along rows."""
    e = xp.exp(x - xp.max(x, axis=1, keepdims=True))
    return e / xp.sum(e, axis=1, keepdims=True)


ROWS = [
    # --- slices move towards the sources
    Row("row of a product", lambda a, b: (a @ b)[0], (SQUARE, SQUARE), "selection before matmul, inexact", 0.01, 0.02),
    Row(
        "column of a product",
        lambda a, b: (a @ b)[:, 3],
        (SQUARE, SQUARE),
        "selection before matmul, inexact",
        0.01,
        0.02,
    ),
    Row(
        "element of a product",
        lambda a, b: (a @ b)[5, 7],
        (SQUARE, SQUARE),
        "selection before matmul, inexact",
        1e-4,
        0.01,
    ),
    Row(
        "block of a product",
        lambda a, b: (a @ b)[:40, 100:140],
        (SQUARE, SQUARE),
        "selection before matmul, inexact",
        0.02,
        0.05,
    ),
    Row(
        "1% of a chain of 20",
        lambda x: chain(x)[:2_000],
        (LONG,),
        "selection before elementwise, inexact; selection before elementwise",
        0.011,
        0.02,
    ),
    Row(
        "slice of a broadcast sum",
        lambda x, y: (x[:, None] + y[None, :])[:4],
        (VECTOR, VECTOR),
        "selection before another; selection before elementwise",
        0.02,
        0.03,
    ),
    Row(
        "slice of a transpose",
        lambda x: xp.exp(x).T[:4],
        (SQUARE,),
        "selection before elementwise, inexact; selection before permute_dims",
        0.02,
        0.03,
    ),
    Row(
        "slice of concat",
        lambda x, y: xp.concat([xp.exp(x), xp.exp(y)])[:N],
        (SQUARE, SQUARE),
        "selection before concat",
        0.51,
        0.6,
    ),
    Row(
        "item of stack",
        lambda x, y: xp.stack([xp.exp(x), xp.sin(y)])[1],
        (SQUARE, SQUARE),
        "selection before stack",
        0.51,
        0.51,
    ),
    Row(
        "slice of reduction",
        lambda x: xp.sum(xp.exp(x), axis=1)[:4],
        (SQUARE,),
        "selection before elementwise, inexact; selection before reduction, inexact",
        0.02,
        0.02,
    ),
    Row("slice of tile", lambda x: xp.tile(x, (10, 1))[:4], (SQUARE,), "selection before tile", 1.0, 0.02),
    Row("slice of repeat", lambda x: xp.repeat(x, 10, axis=0)[:20], (SQUARE,), "selection before repeat", 1.0, 0.05),
    Row(
        "slice of roll",
        lambda x: xp.roll(xp.exp(x), 3, axis=0)[:4],
        (SQUARE,),
        "selection before elementwise, inexact; selection before roll",
        0.02,
        0.05,
    ),
    Row("slice of arange", lambda: xp.arange(200_000.0)[10:20] * 2, (), "selection before arange", 0.001, 0.01),
    Row(
        "slice of linspace",
        lambda: xp.sin(xp.linspace(0, 1, 200_000))[::1000],
        (),
        "selection before linspace; selection before elementwise, inexact",
        0.01,
        0.02,
    ),
    Row(
        "slice of eye", lambda: (xp.eye(N) * 2)[3], (), "selection before eye; selection before elementwise", 0.01, 0.02
    ),
    Row(
        "slice of full",
        lambda: xp.exp(xp.full(SQUARE, 2.0))[3],
        (),
        "constant computed, rounded; selection before full",
        0.01,
        0.02,
    ),
    Row(
        "slice of a where",
        lambda x, y: xp.where(x > 0, xp.exp(x), y)[:4],
        (SQUARE, SQUARE),
        "selection before elementwise; selection before elementwise, inexact",
        0.02,
        0.02,
    ),
    Row(
        "take from a chain",
        lambda x: xp.take(chain(x), xp.asarray([3, 5]), axis=0),
        (SQUARE,),
        "selection before elementwise, inexact; selection before elementwise",
        0.02,
        0.02,
    ),
    Row(
        "slice of cumulative sum",
        lambda x: xp.cumulative_sum(xp.exp(x), axis=1)[:4],
        (SQUARE,),
        "selection before elementwise, inexact; selection before scan, inexact",
        0.02,
        0.02,
    ),
    # --- contractions
    Row(
        "A @ B @ C @ v",
        lambda a, b, c, v: a @ b @ c @ v,
        (SQUARE, SQUARE, SQUARE, VECTOR),
        "order of products",
        0.01,
        0.01,
    ),
    Row("long by short", lambda a, b, c: a @ b @ c, ((N, 10), (10, N), (N, 10)), "order of products", 0.2, 0.1),
    Row("trace of a product", lambda a, b: xp.linalg.trace(a @ b), (SQUARE, SQUARE), "trace of a product", 0.01, 1.0),
    Row(
        "diagonal of a product",
        lambda a, b: xp.linalg.diagonal(a @ b),
        (SQUARE, SQUARE),
        "diagonal of a product; fused kernel",
        0.01,
        0.3,
    ),
    Row(
        "sum of a product, one axis",
        lambda a, b: xp.sum(a @ b, axis=1),
        (SQUARE, SQUARE),
        "sum of a product",
        0.02,
        0.02,
    ),
    Row("sum of a product", lambda a, b: xp.sum(a @ b), (SQUARE, SQUARE), "sum of a product", 0.02, 0.02),
    Row(
        "sum of an outer product",
        lambda x, y: xp.sum(x[:, None] * y[None, :], axis=1),
        (VECTOR, VECTOR),
        "factors out of a sum",
        0.1,
        0.1,
    ),
    Row(
        "sum of linalg.outer",
        lambda x, y: xp.sum(xp.linalg.outer(x, y)),
        (VECTOR, VECTOR),
        "sum of a product",
        0.1,
        0.1,
    ),
    Row("sum(x * y)", lambda x, y: xp.sum(x * y), (LONG, LONG), "sum of products to a contraction", 1.01, 0.1),
    Row(
        "product by broadcasting",
        lambda a, b: xp.sum(a[:, :, None] * b[None, :, :], axis=1),
        ((80, 80), (80, 80)),
        "sum of products to a contraction",
        1.1,
        0.1,
    ),
    Row("inv(A) @ b", lambda a, b: xp.linalg.inv(a) @ b, (SQUARE, VECTOR), "inverse to solve", 0.4, 0.05),
    Row("inv(A) @ B", lambda a, b: xp.linalg.inv(a) @ b, (SQUARE, SQUARE), "inverse to solve", 0.7, 0.6),
    Row("scaled product", lambda a, v: (2.5 * a) @ v, (SQUARE, VECTOR), "order of products", 0.7, 0.05),
    # --- reductions and memory
    Row("k-means distances", distances, ((4_000, 16), (40, 16)), "power by squaring; fused kernel", 1.1, 0.2),
    Row("mean, std, min and max", statistics, (LONG,), "fused kernel", 1.01, 0.8),
    Row("x - mean(x)", lambda x: x * 2 - xp.mean(x * 2), (LONG,), "fused kernel", 1.01, 0.7),
    Row("standardized columns", standardized, (TALL,), "fused kernel", 1.1, 0.8),
    Row("softmax", softmax, ((2_000, 100),), "fused kernel", 1.1, 0.7),
    Row("sum of a chain", lambda x: xp.sum(chain(x)), (LONG,), "factors out of a sum; fused kernel", 1.01, 0.8),
    Row("count of a mask", lambda x: xp.sum(xp.astype(x > 0.5, xp.int64)), (LONG,), "fused kernel", 1.01, 0.8),
    Row("any of a comparison", lambda x: xp.any(x > 2), (LONG,), "fused kernel", 1.01, 0.8),
    Row("factor out of a sum", lambda x: xp.sum(x * 2.5), (LONG,), "factors out of a sum", 1.01, 0.5),
    Row(
        "order of evaluation",
        lambda a, b, c: xp.sum(a, axis=0) + (a @ b @ c)[0],
        (SQUARE, SQUARE, SQUARE),
        "selection before matmul, inexact",
        0.02,
        0.05,
    ),
    Row("chain of 20", chain, (LONG,), "fused kernel", 1.01, 0.8),
    Row(
        "cumulative sum of rows of a chain",
        lambda x: xp.cumulative_sum(xp.sqrt(x) * 2 + 1, axis=0) * 0.5,
        ((4_000, 100),),
        "fused kernel",
        1.01,
        0.6,
    ),
    Row(
        "a rotation, stacked",
        lambda x, y: xp.stack([x * 0.6 - y * 0.8, x * 0.8 + y * 0.6], axis=-1),
        (LONG, LONG),
        "fused kernel; joined in place",
        1.01,
        0.6,
    ),
    Row(
        "concat of chains and a source",
        lambda x, y, z: xp.concat([xp.sqrt(x) * 2, z, xp.exp(y) - 1]),
        (LONG, LONG, LONG),
        "fused kernel; joined in place",
        1.01,
        0.7,
    ),
    Row("written in place", updated, (SQUARE,), "", 1.01, 1.0),
    Row("norm", lambda x: xp.sqrt(xp.sum(x * x)), (LONG,), "x * x; sum of products to a contraction", 1.01, 0.1),
    Row("mean of squares", lambda x: xp.mean(x**2), (LONG,), "power by squaring; mean of a product", 1.01, 0.1),
    Row("smallest by sorting", lambda x: xp.sort(x)[0], (LONG,), "end of sorted data", 0.1, 0.01, "fast"),
    Row("largest by sorting", lambda x: xp.sort(x, axis=1)[:, -1], (SQUARE,), "end of sorted data", 0.2, 0.01, "fast"),
    Row("sum of sorted", lambda x: xp.sum(xp.sort(x)), (LONG,), "sort before a sum", 0.1, 0.01),
    Row("sorted twice", lambda x: xp.sort(xp.sort(x)), (LONG,), "sort of sorted", 0.51, 0.51),
    Row("sum of booleans", lambda x: xp.sum(x > 0.5), (LONG,), "sum of booleans; fused kernel", 1.01, 0.8),
    Row("largest exponential", lambda x: xp.max(xp.exp(x)), (LONG,), "exponential out of an extremum", 0.51, 0.01),
    # --- cleaning
    Row("square of a magnitude", lambda x: xp.abs(x) ** 2, (LONG,), "power by squaring; square of a sign", 0.51, 0.51),
    Row("the same twice", shared, (LONG, LONG), "fused kernel", 0.85, 0.8),
    Row("double negative", lambda x: xp.negative(-x) + 1, (LONG,), "-(-x)", 0.34, 1.0),
    Row(
        "transposed twice",
        lambda x: xp.exp(x.T.T),
        (SQUARE,),
        "permute_dims of permute_dims; permute_dims to the same order",
        1.0,
        1.0,
    ),
    Row(
        "reshaped and back",
        lambda x: xp.reshape(xp.reshape(x.T, (-1,)), SQUARE) + 1,
        (SQUARE,),
        "reshape of reshape; reshape to the same shape; transpose after elementwise",
        1.0,
        1.0,
    ),
    Row("times one", lambda x: x * 1 + 1, (LONG,), "x * 1", 0.51, 1.0),
    Row("division by a power of two", lambda x: x / 4, (LONG,), "x / power of two", 1.0, 1.0),
    Row("x ** 2", lambda x: x**2, (LONG,), "power by squaring", 1.0, 1.0),
    Row("x ** 8", lambda x: x**8, (LONG,), "power by squaring; fused kernel", 3.0, 1.3),
    Row("constants", lambda x: x * (xp.asarray(2.0) * 3.0 + 1.0), (LONG,), "constants computed", 1.0, 1.0),
    Row(
        "where of a known condition",
        lambda x, y: xp.where(xp.asarray(True), xp.exp(x), xp.exp(y)),
        (LONG, LONG),
        "where of a constant",
        0.4,
        0.6,
    ),
    Row("x * 0", lambda x: xp.exp(x) * 0, (LONG,), "x * 0.0", 0.1, 1.0, "fast"),
    Row("x - x", lambda x: xp.exp(x) - xp.exp(x), (LONG,), "x - x of floats", 0.1, 1.0, "fast"),
]
