"""Cases of the products: `contractions` and its rules.

Values are finite: what NaN and infinities do in another order of products is in test_contractions.py. Zeros that are
sums of products have no particular sign.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import lazyxp as xp
from tests.optimizers.harness import Case, Operand, of

N = 12
MATRIX, VECTOR = (N, N), (N,)


def _finite(*shapes: tuple[int, ...]) -> list[Operand]:
    """Operands of one dtype, with products that stay in range."""
    return [of("same" if i else "f c", shape, "finite") for i, shape in enumerate(shapes)]


def _integers(*shapes: tuple[int, ...]) -> list[Operand]:
    return [of("int64", shape, "any") for shape in shapes]


def _magnitude(build: Callable[..., Any]) -> Callable[..., float]:
    """The value of the expression for the magnitudes of its operands bounds all that occurs on the way."""
    return lambda *operands: float(np.max(build(*[xp.asarray(np.abs(x)) for x in operands]).compute(optimize="none")))


def _rounded(rule: str, build: Callable[..., Any], *shapes: tuple[int, ...], level: str = "") -> Case:
    return Case(rule, build, *_finite(*shapes), level=level, bound=8 * N, size=_magnitude(build), zeros=False)


def _double(rule: str, build: Callable[..., Any], *shapes: tuple[int, ...]) -> Case:
    operands = [of("same" if i else "float64 complex128", shape, "finite") for i, shape in enumerate(shapes)]
    return Case(rule, build, *operands, bound=8 * N, size=_magnitude(build), zeros=False)


def _exact(rule: str, build: Callable[..., Any], *shapes: tuple[int, ...]) -> Case:
    return Case(rule, build, *_integers(*shapes))


def _regular(x: xp.Array) -> xp.Array:
    """Matrices that are far from singular."""
    return x / 2000 + xp.eye(x.shape[-1], dtype=x.dtype)


def _inverse(rule: str, build: Callable[..., Any], *shapes: tuple[int, ...]) -> Case:
    size = _magnitude(lambda a, *rest: xp.sum(rest[-1]) if rest else xp.sum(a))
    return Case(rule, build, *_finite(*shapes), bound=100 * N, size=size, zeros=False)


def _order(a: xp.Array, b: xp.Array, v: xp.Array) -> xp.Array:
    return a @ b @ v


def _outer_sum(x: xp.Array, y: xp.Array) -> xp.Array:
    return xp.sum(x[:, None] * y[None, :])


def _contracted(a: xp.Array, b: xp.Array) -> xp.Array:
    return xp.sum(a[:, :, None] * b[None, :, :], axis=1)


_SUM, _TO_CONTRACTION, _FACTORS = "sum of a product", "sum of products to a contraction", "factors out of a sum"
_ANY_RANGE = "factors out, whatever the range"

CASES = [
    _rounded("order of products", _order, MATRIX, MATRIX, VECTOR),
    _rounded("order of products", lambda a, b, v: v @ (a @ b.mT).mT, MATRIX, MATRIX, VECTOR),
    _rounded("order of products", lambda a, b, v: a @ b @ v, (3, *MATRIX), MATRIX, (3, N, 1)),
    _rounded("order of products", lambda a, b, c: a @ (b @ c), (2, N), (N, 2), (2, N)),
    _rounded("order of products", lambda x, y: xp.linalg.outer(x, y) @ y, VECTOR, VECTOR),
    _rounded("order of products", lambda a, v: xp.linalg.matrix_power(a, 3) @ v, (5, 5), (5,)),
    _rounded("order of products", lambda a, v: a.mT @ a @ v, MATRIX, VECTOR),
    _rounded("order of products", lambda a, v: (v[:, None] * a) @ v, MATRIX, VECTOR),
    _rounded("order of products", lambda a, b, v: (2.0 * (a @ b)) @ v, MATRIX, MATRIX, VECTOR),
    _rounded(
        "order of products",
        lambda a, b, v: xp.tensordot(xp.tensordot(a, b, axes=((1, 2), (1, 0))), v, axes=1),
        (N, 3, 4),
        (4, 3, N),
        VECTOR,
    ),
    _rounded("order of products", lambda a, b, v: xp.vecdot(v, a @ b @ v), MATRIX, MATRIX, VECTOR),
    _rounded("order of products", lambda a, b, v: (p := a @ b) @ v + v @ p, MATRIX, MATRIX, VECTOR),
    _rounded("order of products", lambda a, b, v: (p := a @ b)[1:3] @ v + v[2:] @ p[2:, 4], MATRIX, MATRIX, VECTOR),
    _exact("order of products of integers", lambda a, b, v: (p := a @ b) @ v + v @ p[:, 3], MATRIX, MATRIX, VECTOR),
    _exact("order of products of integers", _order, MATRIX, MATRIX, VECTOR),
    _exact("order of products of integers", lambda a, v: a @ a.mT @ (a @ a.mT + 1) @ v, MATRIX, VECTOR),
    _rounded("trace of a product", lambda a, b: xp.linalg.trace(a @ b), MATRIX, MATRIX),
    _rounded("trace of a product", lambda a, b: xp.linalg.trace(a @ b, offset=-2), (2, N, N), MATRIX),
    _rounded("trace of a product", lambda a, b: xp.linalg.trace(p := a @ b) + xp.sum(p, axis=0), MATRIX, MATRIX),
    _rounded("trace of a product", lambda a, b: xp.linalg.trace(a @ b @ a), MATRIX, MATRIX),
    _exact("trace of a product of integers", lambda a, b: xp.linalg.trace(a @ b), MATRIX, MATRIX),
    _rounded("diagonal of a product", lambda a, b: xp.linalg.diagonal(a @ b), MATRIX, MATRIX),
    _rounded("diagonal of a product", lambda a, b: xp.linalg.diagonal(a @ b, offset=3), (8, N), (2, N, N)),
    _exact("diagonal of a product of integers", lambda a, b: xp.linalg.diagonal(a @ b), MATRIX, MATRIX),
    _rounded(_SUM, lambda a, b: xp.sum(a @ b, axis=0), MATRIX, MATRIX),
    _rounded(_SUM, lambda a, b: xp.sum(a @ b, axis=1, keepdims=True), MATRIX, MATRIX),
    _rounded(_SUM, lambda a, b: xp.sum(a @ b), MATRIX, (3, *MATRIX)),
    _rounded(_SUM, lambda a, b: xp.sum(xp.tensordot(a, b, axes=1), axis=(0, 2)), (3, 4, N), (N, 5)),
    _exact(_SUM + " of integers", lambda a, b: xp.sum(a @ b, axis=0), MATRIX, MATRIX),
    _rounded("mean of a product", lambda a, b: xp.mean(a @ b, axis=0), MATRIX, MATRIX),
    _rounded(_TO_CONTRACTION, _contracted, MATRIX, MATRIX),
    _rounded(_TO_CONTRACTION, lambda a, v: xp.sum(a * v, axis=1), MATRIX, VECTOR),
    _rounded(_TO_CONTRACTION, lambda a, v: xp.sum(v[:, None] * a * v), MATRIX, VECTOR),
    _double(_TO_CONTRACTION, lambda a, b: xp.sum(a * b.mT), MATRIX, MATRIX),
    _double(_TO_CONTRACTION, lambda a: xp.sum(xp.square(a)), MATRIX),
    _rounded(_TO_CONTRACTION, lambda a, b: xp.sum(a[:, :, None] * b[:, None, :], axis=0), (5, 3), (5, 4)),
    _rounded(_TO_CONTRACTION, lambda a, b: xp.sum(a[..., None] * b[:, None], axis=2), (2, 5, 3), (2, 3, 4)),
    _exact(_TO_CONTRACTION + " of integers", _contracted, MATRIX, MATRIX),
    _rounded(_FACTORS, _outer_sum, VECTOR, VECTOR),
    _rounded(_FACTORS, lambda x, y: xp.sum(x[:, None] * y[None, :], axis=1), VECTOR, VECTOR),
    _rounded(_FACTORS, lambda x: xp.sum(2.5 * x, axis=0), MATRIX),
    _exact(_FACTORS + " of integers", _outer_sum, VECTOR, VECTOR),
    _exact(_FACTORS + " of integers", lambda x, y: xp.sum(x[:, None] * y, axis=1), VECTOR, MATRIX),
    _rounded(_ANY_RANGE, lambda x, c: xp.sum(c * x, axis=0), MATRIX, ()),
    _rounded(_ANY_RANGE, lambda x, y: xp.sum(x[:, None] * y, axis=1), VECTOR, MATRIX),
    _inverse("inverse to solve", lambda a, v: xp.linalg.inv(_regular(a)) @ v, MATRIX, VECTOR),
    _inverse("inverse to solve", lambda a, b: xp.linalg.inv(_regular(a)) @ b, (2, *MATRIX), (N, 3)),
    _inverse("inverse to solve", lambda a, b: xp.linalg.inv(_regular(a)) @ b, (2, *MATRIX), (2, N, 3)),
    _inverse("inverse to solve", lambda a, b: xp.linalg.inv(_regular(a)) @ b, MATRIX, (2, N, 3)),
    _inverse(
        "inverse to solve", lambda a, b, v: xp.linalg.inv(_regular(a)) @ (_regular(b) @ v), MATRIX, MATRIX, VECTOR
    ),
    _inverse("inverse on the right to solve", lambda a, v: v @ xp.linalg.inv(_regular(a)), MATRIX, VECTOR),
    _inverse("inverse on the right to solve", lambda a, b: b @ xp.linalg.inv(_regular(a)), (2, *MATRIX), (2, 3, N)),
    _exact("product of integers with an identity", lambda a: xp.eye(N, dtype=a.dtype) @ a, MATRIX),
    _exact("integers times an identity", lambda a: a @ xp.eye(N, dtype=a.dtype), (3, N, N)),
    _rounded("product with an identity", lambda v: xp.eye(N, dtype=v.dtype) @ v, VECTOR),
    _rounded("matrix times an identity", lambda a: a @ xp.eye(N, dtype=a.dtype), MATRIX),
    _rounded("transpose of a symmetric product", lambda a: (a.mT @ a).mT, (5, 3)),
    _exact("transpose of a symmetric product of integers", lambda a: (a @ a.mT).mT, (2, 5, 3)),
]

REFUSED = [
    _rounded("order of products", lambda a, b, v: (p := a @ b) @ v + p @ a, MATRIX, MATRIX, VECTOR),
    _rounded("order of products", lambda a, b, v: a @ (b @ v), MATRIX, MATRIX, VECTOR),
    _rounded("order of products", lambda a, b: a @ b, MATRIX, MATRIX),
    _rounded(_TO_CONTRACTION, lambda a: xp.sum(xp.exp(a / 100) * xp.sin(a)), MATRIX),
    _rounded(_FACTORS, lambda x, c: xp.sum(c * x, axis=0), MATRIX, ()),
    _rounded(_ANY_RANGE, lambda x, c: xp.sum(c * x, axis=0), MATRIX, (), level="rounding"),
    _inverse("inverse to solve", lambda a, v: (i := xp.linalg.inv(_regular(a))) @ v + i @ i, MATRIX, VECTOR),
    _rounded("product with an identity", lambda a: xp.eye(N, k=1, dtype=a.dtype) @ a, MATRIX),
    _rounded("product with an identity", lambda a: xp.eye(N, dtype=a.dtype) @ a, MATRIX, level="rounding"),
]
