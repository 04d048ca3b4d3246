"""Decompositions of matrices, eigenvalues and singular values."""

from __future__ import annotations

from typing import Literal, NamedTuple

from lazyxp.api.array import Array
from lazyxp.api.linalg.checks import matrices, side, smaller_side, square_matrices
from lazyxp.api.recording import record, record_many
from lazyxp.dtypes import complex_of, real_of
from lazyxp.node import Meta, Op


class EigResult(NamedTuple):
    """Eigenvalues and eigenvectors of general matrices; see `eig`."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """Eigenvalues and eigenvectors of symmetric or Hermitian matrices; see `eigh`."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """The factors of a QR decomposition; see `qr`."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """The factors of a singular value decomposition; see `svd`."""

    U: Array
    S: Array
    Vh: Array


def _infer_cholesky(x: Meta, *, upper: bool) -> Meta:
    n = side(x, "linalg.cholesky")
    return Meta((*x.shape[:-2], n, n), x.dtype)


def _infer_eig(x: Meta) -> tuple[Meta, Meta]:
    n = side(x, "linalg.eig")
    dtype = complex_of(x.dtype)
    return Meta((*x.shape[:-2], n), dtype), Meta((*x.shape[:-2], n, n), dtype)


def _infer_eigh(x: Meta) -> tuple[Meta, Meta]:
    n = side(x, "linalg.eigh")
    return Meta((*x.shape[:-2], n), real_of(x.dtype)), Meta((*x.shape[:-2], n, n), x.dtype)


def _infer_eigvals(x: Meta) -> Meta:
    return Meta((*x.shape[:-2], side(x, "linalg.eigvals")), complex_of(x.dtype))


def _infer_eigvalsh(x: Meta) -> Meta:
    return Meta((*x.shape[:-2], side(x, "linalg.eigvalsh")), real_of(x.dtype))


def _infer_qr(x: Meta, *, mode: str) -> tuple[Meta, Meta]:
    *stack, rows, columns = x.shape
    inner = rows if mode == "complete" else smaller_side(x.shape)
    return Meta((*stack, rows, inner), x.dtype), Meta((*stack, inner, columns), x.dtype)


def _infer_svd(x: Meta, *, full_matrices: bool) -> tuple[Meta, Meta, Meta]:
    *stack, rows, columns = x.shape
    k = smaller_side(x.shape)
    left, right = (rows, columns) if full_matrices else (k, k)
    return (
        Meta((*stack, rows, left), x.dtype),
        Meta((*stack, k), real_of(x.dtype)),
        Meta((*stack, right, columns), x.dtype),
    )


def _infer_svdvals(x: Meta) -> Meta:
    return Meta((*x.shape[:-2], smaller_side(x.shape)), real_of(x.dtype))


CHOLESKY = Op("linalg.cholesky", "linalg", _infer_cholesky)
EIG = Op("linalg.eig", "linalg", _infer_eig)
EIGH = Op("linalg.eigh", "linalg", _infer_eigh)
EIGVALS = Op("linalg.eigvals", "linalg", _infer_eigvals)
EIGVALSH = Op("linalg.eigvalsh", "linalg", _infer_eigvalsh)
QR = Op("linalg.qr", "linalg", _infer_qr)
SVD = Op("linalg.svd", "linalg", _infer_svd)
SVDVALS = Op("linalg.svdvals", "linalg", _infer_svdvals)


def cholesky(x: Array, /, *, upper: bool = False) -> Array:
    """The Cholesky factor of positive definite matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point: symmetric (real) or Hermitian (complex), and positive definite. Only one
        triangle is read.
    upper : bool, optional
        False: lower triangular ``L`` with ``L @ L^H = x``. True: upper triangular ``U`` with ``U^H @ U = x``.

    Returns
    -------
    Array
        The factors, in the shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if a matrix is not positive definite (on backends that check).

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.cholesky(xp.asarray([[4.0, 2.0], [2.0, 10.0]])).compute()
    array([[2., 0.],
           [1., 3.]])
    """
    return record(CHOLESKY, square_matrices(x, "linalg.cholesky"), upper=bool(upper))


def eig(x: Array, /) -> EigResult:
    """Eigenvalues and right eigenvectors of general square matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point. `eigh` is faster and more accurate for symmetric matrices.

    Returns
    -------
    eigenvalues : Array
        Shape ``(..., M)``, in no particular order; always complex, in the precision of `x`.
    eigenvectors : Array
        Shape ``(..., M, M)``, in the dtype of `eigenvalues`: column ``i`` belongs to eigenvalue ``i``. Its length is 1,
        its phase is arbitrary.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if the iteration does not converge or `x` holds NaN or inf.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> values, vectors = xp.linalg.eig(xp.asarray([[2.0, 0.0], [0.0, 3.0]]))
    >>> values.compute()
    array([2.+0.j, 3.+0.j])
    """
    return EigResult(*record_many(EIG, square_matrices(x, "linalg.eig")))


def eigh(x: Array, /) -> EighResult:
    """Eigenvalues and eigenvectors of real symmetric or complex Hermitian matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point. Only one triangle is read; symmetry is not checked.

    Returns
    -------
    eigenvalues : Array
        Shape ``(..., M)``, real, in the precision of `x`; ascending on the backends known here.
    eigenvectors : Array
        Shape ``(..., M, M)``, in the dtype of `x`: orthonormal columns, column ``i`` for eigenvalue ``i``, each with an
        arbitrary sign or phase.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if the iteration does not converge.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> values, vectors = xp.linalg.eigh(xp.asarray([[5.0, 0.0], [0.0, 3.0]]))
    >>> values.compute()
    array([3., 5.])
    """
    return EighResult(*record_many(EIGH, square_matrices(x, "linalg.eigh")))


def eigvals(x: Array, /) -> Array:
    """Eigenvalues of general square matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point.

    Returns
    -------
    Array
        Shape ``(..., M)``, in no particular order; always complex, in the precision of `x`.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if the iteration does not converge or `x` holds NaN or inf.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.eigvals(xp.asarray([[2.0, 1.0], [0.0, 3.0]])).compute()
    array([2.+0.j, 3.+0.j])
    """
    return record(EIGVALS, square_matrices(x, "linalg.eigvals"))


def eigvalsh(x: Array, /) -> Array:
    """Eigenvalues of real symmetric or complex Hermitian matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point. Only one triangle is read; symmetry is not checked.

    Returns
    -------
    Array
        Shape ``(..., M)``, real, in the precision of `x`; ascending on the backends known here.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if the iteration does not converge.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.eigvalsh(xp.asarray([[5.0, 0.0], [0.0, 3.0]])).compute()
    array([3., 5.])
    """
    return record(EIGVALSH, square_matrices(x, "linalg.eigvalsh"))


def qr(x: Array, /, *, mode: Literal["reduced", "complete"] = "reduced") -> QRResult:
    """The QR decomposition of matrices: ``x = Q @ R``.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, floating-point.
    mode : {"reduced", "complete"}, optional
        Whether ``Q`` has ``K = min(M, N)`` columns, or is square.

    Returns
    -------
    Q : Array
        Orthonormal columns: shape ``(..., M, K)``, or ``(..., M, M)`` if complete; the dtype of `x`.
    R : Array
        Upper triangular: shape ``(..., K, N)``, or ``(..., M, N)`` if complete; the dtype of `x`. The signs on its
        diagonal are the backend's choice.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions, or there is no such mode.
    TypeError
        If the dtype of `x` cannot be factored.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> q, r = xp.linalg.qr(xp.asarray([[3.0], [4.0]]))
    >>> xp.abs(r).compute()
    array([[5.]])
    """
    x = matrices(x, "linalg.qr")
    if mode not in ("reduced", "complete"):
        raise ValueError(f"linalg.qr: mode must be 'reduced' or 'complete', not {mode!r}")
    return QRResult(*record_many(QR, x, mode=mode))


def svd(x: Array, /, *, full_matrices: bool = True) -> SVDResult:
    """The singular value decomposition of matrices: ``x = (U * S) @ Vh`` for the reduced factors.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, floating-point.
    full_matrices : bool, optional
        Whether `U` and `Vh` are square, or keep only their first ``K = min(M, N)`` columns and rows.

    Returns
    -------
    U : Array
        Orthonormal columns: shape ``(..., M, M)``, or ``(..., M, K)``; the dtype of `x`.
    S : Array
        The singular values, largest first: shape ``(..., K)``, real, in the precision of `x`.
    Vh : Array
        Orthonormal rows: shape ``(..., N, N)``, or ``(..., K, N)``; the dtype of `x`. Pairs of singular vectors share
        an arbitrary sign or phase.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if the iteration does not converge.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> u, s, vh = xp.linalg.svd(xp.asarray([[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]]), full_matrices=False)
    >>> s.compute()
    array([3., 2.])
    >>> u.shape, vh.shape
    ((3, 2), (2, 2))
    """
    return SVDResult(*record_many(SVD, matrices(x, "linalg.svd"), full_matrices=bool(full_matrices)))


def svdvals(x: Array, /) -> Array:
    """The singular values of matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, floating-point.

    Returns
    -------
    Array
        Shape ``(..., K)`` with ``K = min(M, N)``, largest first; real, in the precision of `x`.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions.
    TypeError
        If the dtype of `x` cannot be factored.
    LinAlgError
        When computed, if the iteration does not converge.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.svdvals(xp.asarray([[0.0, 2.0], [-3.0, 0.0]])).compute()
    array([3., 2.])
    """
    return record(SVDVALS, matrices(x, "linalg.svdvals"))
