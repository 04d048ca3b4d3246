"""Linear systems, inverses, determinants and ranks."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lazyxp.api.array import Array
from lazyxp.api.linalg.checks import factorable, floating, matrices, side, square_matrices
from lazyxp.api.recording import at_least, cast, common, operand, record, record_many, square
from lazyxp.dtypes import as_floating, int64, real_of
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import broadcast, unify


class SlogdetResult(NamedTuple):
    """Sign and logarithm of a determinant; see `slogdet`."""

    sign: Array
    logabsdet: Array


def _infer_det(x: Meta) -> Meta:
    return Meta(x.shape[:-2], x.dtype)


def _infer_slogdet(x: Meta) -> tuple[Meta, Meta]:
    return Meta(x.shape[:-2], x.dtype), Meta(x.shape[:-2], real_of(x.dtype))


def _infer_inv(x: Meta) -> Meta:
    n = side(x, "linalg.inv")
    return Meta((*x.shape[:-2], n, n), x.dtype)


def _infer_solve(x1: Meta, x2: Meta) -> Meta:
    name = "linalg.solve"
    try:
        if len(x2.shape) == 1:
            return Meta((*x1.shape[:-2], unify(name, *x1.shape[-2:], *x2.shape)), x1.dtype)
        rows = unify(name, *x1.shape[-2:], x2.shape[-2])
        return Meta((*broadcast(name, x1.shape[:-2], x2.shape[:-2]), rows, x2.shape[-1]), x1.dtype)
    except ValueError:
        raise ValueError(
            f"{name}: shape mismatch: {describe(x1)} and {describe(x2)}; expected (..., M, M) with (M,), or with "
            "(..., M, K) whose leading dimensions broadcast"
        ) from None


# `rtol` is an operand where it is an array, and a static parameter otherwise.
def _infer_pinv(x: Meta, rtol: Meta | float | None = None) -> Meta:
    _check_rtol(x, rtol, "linalg.pinv")
    return Meta((*x.shape[:-2], x.shape[-1], x.shape[-2]), x.dtype)


def _infer_matrix_rank(x: Meta, rtol: Meta | float | None = None) -> Meta:
    _check_rtol(x, rtol, "linalg.matrix_rank")
    return Meta(x.shape[:-2], int64)


def _check_rtol(x: Meta, rtol: Meta | float | None, function: str) -> None:
    """Refuse an array `rtol` that does not broadcast to the stack of matrices."""
    if rtol is None or isinstance(rtol, float):
        return
    stack = x.shape[:-2]
    fits = len(rtol.shape) <= len(stack) and all(
        n in (1, None) or m in (n, None) for n, m in zip(rtol.shape[::-1], stack[::-1], strict=False)
    )
    if not fits:
        raise ValueError(
            f"{function}: shape mismatch: rtol {describe(rtol)} does not broadcast to the leading dimensions of "
            f"{describe(x)}"
        )


DET = Op("linalg.det", "linalg", _infer_det)
INV = Op("linalg.inv", "linalg", _infer_inv)
MATRIX_RANK = Op("linalg.matrix_rank", "linalg", _infer_matrix_rank)
PINV = Op("linalg.pinv", "linalg", _infer_pinv)
SLOGDET = Op("linalg.slogdet", "linalg", _infer_slogdet)
SOLVE = Op("linalg.solve", "linalg", _infer_solve)


def _record_with_rtol(op: Op, x: Array, rtol: Any) -> Array:
    if rtol is None or isinstance(rtol, (int, float, np.integer, np.floating)):
        return record(op, x, rtol=None if rtol is None else float(rtol))
    tolerance = operand(rtol, "real floating-point", f"{op.name}: rtol")
    return record(op, x, cast(tolerance, as_floating(tolerance.dtype)))


def det(x: Array, /) -> Array:
    """Determinants of square matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point.

    Returns
    -------
    Array
        Shape ``(...)``, the dtype of `x`; 1 for matrices of shape ``(0, 0)``.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.det(xp.asarray([[[2.0, 1.0], [0.0, 3.0]], [[0.0, 1.0], [1.0, 0.0]]])).compute()
    array([ 6., -1.])
    """
    return record(DET, square_matrices(x, "linalg.det"))


def inv(x: Array, /) -> Array:
    """Inverses of square matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point. To solve a system, prefer `solve`.

    Returns
    -------
    Array
        The inverses, in the shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if a matrix is singular (on backends that check).

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.inv(xp.asarray([[2.0, 0.0], [0.0, 4.0]])).compute()
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    return record(INV, square_matrices(x, "linalg.inv"))


def matrix_rank(x: Array, /, *, rtol: float | Array | None = None) -> Array:
    """Ranks of matrices: how many singular values are not negligible.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, floating-point.
    rtol : float or Array, optional
        Singular values up to `rtol` times the largest count as zero. An array (real floating-point) broadcasts to shape
        ``(...)``. By default ``max(M, N)`` times the machine epsilon of the dtype.

    Returns
    -------
    Array
        Shape ``(...)``, int64; 0 for empty matrices.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions, or `rtol` does not broadcast.
    TypeError
        If the dtype of `x` cannot be factored, or `rtol` is complex.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.matrix_rank(xp.asarray([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]]])).compute()
    array([1, 2])
    """
    return _record_with_rtol(MATRIX_RANK, matrices(x, "linalg.matrix_rank"), rtol)


def pinv(x: Array, /, *, rtol: float | Array | None = None) -> Array:
    """Moore-Penrose pseudo-inverses of matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, floating-point.
    rtol : float or Array, optional
        Singular values up to `rtol` times the largest count as zero. An array (real floating-point) broadcasts to shape
        ``(...)``. By default ``max(M, N)`` times the machine epsilon of the dtype.

    Returns
    -------
    Array
        Shape ``(..., N, M)``, the dtype of `x`.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions, or `rtol` does not broadcast.
    TypeError
        If the dtype of `x` cannot be factored, or `rtol` is complex.
    LinAlgError
        When computed, if the iteration for the singular values does not converge.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.pinv(xp.asarray([[2.0, 0.0], [0.0, 4.0], [0.0, 0.0]])).compute()
    array([[0.5 , 0.  , 0.  ],
           [0.  , 0.25, 0.  ]])
    """
    return _record_with_rtol(PINV, matrices(x, "linalg.pinv"), rtol)


def slogdet(x: Array, /) -> SlogdetResult:
    """Determinants as sign and logarithm, which neither overflow nor underflow.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point.

    Returns
    -------
    sign : Array
        Shape ``(...)``, the dtype of `x`: of modulus 1, or 0 where the determinant is.
    logabsdet : Array
        Shape ``(...)``, real, in the precision of `x`: the logarithm of the modulus, ``-inf`` where it is 0.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> sign, logabsdet = xp.linalg.slogdet(xp.asarray([[[0.0, 1.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]))
    >>> sign.compute(), logabsdet.compute()
    (array([-1.,  0.]), array([  0., -inf]))
    """
    return SlogdetResult(*record_many(SLOGDET, square_matrices(x, "linalg.slogdet")))


def solve(x1: Array, x2: Array, /) -> Array:
    """Solutions ``X`` of the linear systems ``x1 @ X = x2``.

    Parameters
    ----------
    x1 : Array
        Shape ``(..., M, M)``, floating-point: invertible matrices.
    x2 : Array
        Shape ``(M,)``, one right-hand side, or ``(..., M, K)``, a matrix of them; floating-point. Only a
        one-dimensional `x2` is a vector; the leading dimensions broadcast.

    Returns
    -------
    Array
        Shape ``(..., M)`` for a vector `x2`, else ``(..., M, K)``; the promoted dtype.

    Raises
    ------
    ValueError
        If `x1` is no stack of square matrices, or the shapes do not fit.
    TypeError
        If the dtypes do not promote or cannot be factored.
    LinAlgError
        When computed, if a matrix is singular (on backends that check).

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.solve(xp.asarray([[2.0, 0.0], [0.0, 4.0]]), xp.asarray([2.0, 2.0])).compute()
    array([1. , 0.5])
    """
    name = "linalg.solve"
    x1, x2 = common(name, square(floating(x1, name), name), at_least(floating(x2, name), 1, name))
    return record(SOLVE, factorable(x1, name), x2)
