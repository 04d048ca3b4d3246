"""Matrices to be factored, and what factorisations must satisfy: they are unique only up to signs, phases and order."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.differential.calls import Call, plain
from tests.differential.compare import kind_only, largest, near, scaled
from tests.differential.strategies import FLOATING, Draw, NDArray, values

# How many rounding units an element may be off, beside one for each term of its sum.
ULPS = 64

_SIDE = st.sampled_from((2, 3, 1, 2, 3, 0))
_STACKS = st.sampled_from(((), (2,), (), (2, 1), (2,), (0,)))


# --- matrices --------------------------------------------------------------------------------------------------------


def any_matrix(draw: Draw) -> NDArray:
    """Matrices of any shape."""
    shape = (*draw(_STACKS), draw(_SIDE), draw(_SIDE))
    return values(draw, draw(st.sampled_from(FLOATING)), shape, "finite")


def any_square(draw: Draw) -> NDArray:
    """Square matrices, singular and defective ones included."""
    n = draw(_SIDE)
    return values(draw, draw(st.sampled_from(FLOATING)), (*draw(_STACKS), n, n), "finite")


def dominant(draw: Draw) -> NDArray:
    """Square matrices with so much on their diagonals that they have inverses."""
    x = any_square(draw).copy()
    i = np.arange(x.shape[-1])
    x[..., i, i] = np.abs(x).sum(axis=-1) + 1
    return x


def hermitian(draw: Draw) -> NDArray:
    """Matrices that are their own conjugate transposes."""
    x = any_square(draw)
    return x + adjoint(x)


def positive(draw: Draw) -> NDArray:
    """Hermitian matrices with positive eigenvalues."""
    x = any_square(draw)
    return (x @ adjoint(x) + (1 + largest(x)) * np.eye(x.shape[-1])).astype(x.dtype)


# --- what results must satisfy ---------------------------------------------------------------------------------------


def adjoint(x: NDArray) -> NDArray:
    """The conjugate transpose."""
    return np.conj(np.swapaxes(x, -1, -2))


def product_is(wanted: NDArray, *parts: NDArray) -> None:
    """Assert that the matrix product of `parts` is `wanted`, up to rounding."""
    product, size = parts[0], largest(parts[0])
    for part in parts[1:]:
        size *= largest(part) * max(part.shape[-2], 1)
        product = product @ part
    near(product, wanted.astype(product.dtype), ULPS, size)


def orthonormal(q: NDArray) -> None:
    """Assert that the columns of `q` are orthonormal."""
    product_is(np.broadcast_to(np.eye(q.shape[-1], dtype=q.dtype), (*q.shape[:-2], *q.shape[-1:] * 2)), adjoint(q), q)


def inverse(got: list[Any], expected: list[Any], call: Call) -> None:
    """X is a right inverse."""
    kind_only(got, expected, call)
    x = plain(call.args[0])
    product_is(np.broadcast_to(np.eye(x.shape[-1]), x.shape), x, got[0])


def pseudo_inverse(got: list[Any], expected: list[Any], call: Call) -> None:
    """A P A = A, P A P = P, and both products are Hermitian; with `rtol`, equal to what is expected."""
    kind_only(got, expected, call)
    a, p = plain(call.args[0]), got[0]
    if call.keywords:
        return scaled(ULPS)(got, expected, call)
    product_is(a, a, p, a)
    product_is(p, p, a, p)
    product_is(adjoint(a @ p), a, p)
    return product_is(adjoint(p @ a), p, a)


def solution(got: list[Any], expected: list[Any], call: Call) -> None:
    """A X = B."""
    kind_only(got, expected, call)
    a, b = map(plain, call.args)
    vector = b.ndim == 1
    x = got[0][..., None] if vector else got[0]
    b = b[:, None] if vector else b
    product_is(np.broadcast_to(b, x.shape), a.astype(x.dtype), x)


def cholesky(got: list[Any], expected: list[Any], call: Call) -> None:
    """L is lower triangular with a positive diagonal, and L L* = A; or U is upper, and U* U = A."""
    kind_only(got, expected, call)
    lower = adjoint(got[0]) if call.keywords["upper"] else got[0]
    assert not np.triu(lower, 1).any()
    diagonal = np.diagonal(lower, axis1=-2, axis2=-1)
    assert (diagonal.real > 0).all()
    assert not diagonal.imag.any()
    product_is(plain(call.args[0]), lower, adjoint(lower))


def qr(got: list[Any], expected: list[Any], call: Call) -> None:
    """Q is orthonormal, R upper triangular, Q R = A."""
    kind_only(got, expected, call)
    q, r = got
    orthonormal(q)
    assert not np.tril(r, -1).any()
    product_is(plain(call.args[0]), q, r)


def svd(got: list[Any], expected: list[Any], call: Call) -> None:
    """U and V are orthonormal, the singular values those expected, U S V* = A."""
    kind_only(got, expected, call)
    u, s, vh = got
    spectrum([s], [expected[1]], call)
    orthonormal(u)
    orthonormal(adjoint(vh))
    k = s.shape[-1]
    product_is(plain(call.args[0]), u[..., :k] * s[..., None, :], vh[..., :k, :])


def spectrum(got: list[Any], expected: list[Any], call: Call) -> None:
    """Sorted real values, each off by no more than rounding makes of the largest."""
    scaled(ULPS, lambda x, **keywords: largest(x) * max(*x.shape[-2:], 1))(got, expected, call)


def eigh(got: list[Any], expected: list[Any], call: Call) -> None:
    """The eigenvalues are those expected, the eigenvectors orthonormal, A V = V W."""
    kind_only(got, expected, call)
    w, v = got
    spectrum([w], [expected[0]], call)
    orthonormal(v)
    product_is(v * w[..., None, :], plain(call.args[0]), v)


def eig(got: list[Any], expected: list[Any], call: Call) -> None:
    """The eigenvalues are those expected, the eigenvectors of length 1, A V = V W."""
    kind_only(got, expected, call)
    w, v = got
    eigenvalues([w], [expected[0]], call)
    near(np.linalg.norm(v, axis=-2), np.ones(w.shape, w.real.dtype), ULPS)
    product_is(v * w[..., None, :], plain(call.args[0]), v)


def eigenvalues(got: list[Any], expected: list[Any], call: Call) -> None:
    """The same values in any order; a defective matrix loses all but one n-th of the digits."""
    kind_only(got, expected, call)
    x = call.args[0]
    n = max(x.shape[-1], 1)
    bound = ULPS * float(np.finfo(x.dtype).eps) ** (1 / n) * largest(x) * n
    for mine, theirs in zip(got[0].reshape(-1, n), expected[0].reshape(-1, n), strict=True):
        rest = list(theirs)
        for value in mine:
            nearest = min(rest, key=lambda w, value=value: abs(w - value))
            assert abs(nearest - value) <= bound, f"{mine}, expected {theirs}"
            rest.remove(nearest)
