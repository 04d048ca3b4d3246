"""Norms, and the diagonals of matrices."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any, Literal

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.data_types import astype
from lazyxp.api.linalg.checks import factorable, floating
from lazyxp.api.recording import as_array, at_least, operand, record, record_view
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import as_index, normalize_axes, reduced

if TYPE_CHECKING:
    from lazyxp.typing import DType, DTypeLike

# For each order that is a smallest value: the axes that must not be empty for there to be one.
_SMALLEST: dict[float | str, tuple[int, ...]] = {-1: (-1,), -2: (-1, -2), -math.inf: (-2,)}
_MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def _infer_diagonal(x: Meta, *, offset: int) -> Meta:
    *stack, rows, columns = x.shape
    length = None
    if rows is not None and columns is not None:
        length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    return Meta((*stack, length), x.dtype)


def _infer_trace(x: Meta, *, offset: int, dtype: DType) -> Meta:
    return Meta(x.shape[:-2], dtype)


def _infer_matrix_norm(x: Meta, *, keepdims: bool, ord: float | str) -> Meta:
    stack = x.shape[:-2]
    if any(x.shape[i] == 0 for i in _SMALLEST.get(ord, ())):
        raise ValueError(f"linalg.matrix_norm: empty matrices have no norm of ord={ord}, got {describe(x)}")
    return Meta((*stack, 1, 1) if keepdims else stack, dtypes.real_of(x.dtype))


def _infer_vector_norm(x: Meta, *, axis: tuple[int, ...], keepdims: bool, ord: float) -> Meta:
    if ord == -math.inf and any(x.shape[i] == 0 for i in axis):
        raise ValueError(f"linalg.vector_norm: empty vectors have no norm of ord=-inf, got {describe(x)}, axis={axis}")
    return Meta(reduced(x.shape, axis, keepdims), dtypes.real_of(x.dtype))


DIAGONAL = Op("linalg.diagonal", "movement", _infer_diagonal)
MATRIX_NORM = Op("linalg.matrix_norm", "reduction", _infer_matrix_norm)
TRACE = Op("linalg.trace", "reduction", _infer_trace)
VECTOR_NORM = Op("linalg.vector_norm", "reduction", _infer_vector_norm)


def _number(ord: Any, function: str) -> float:
    """A numeric order as one Python number: an int where it is whole."""
    if not isinstance(ord, numbers.Real):
        raise TypeError(f"{function}: ord must be a real number, not {ord!r}")
    value = float(ord)
    return int(value) if value.is_integer() else value


def diagonal(x: Array, /, *, offset: int = 0) -> Array:
    """The diagonals of matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, any dtype.
    offset : int, optional
        Which diagonal: 0 the main one, above it if positive, below it if negative.

    Returns
    -------
    Array
        Shape ``(..., K)``, ``K`` being the length of that diagonal (0 beyond the corners); a read-only view of `x`.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions.
    TypeError
        If `offset` is not an integer.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.diagonal(xp.asarray([[1, 2, 3], [4, 5, 6]]), offset=1).compute()
    array([2, 6])
    """
    x = at_least(as_array(x, "linalg.diagonal"), 2, "linalg.diagonal")
    return record_view(DIAGONAL, x, offset=as_index(offset, "linalg.diagonal: offset"))


def trace(x: Array, /, *, offset: int = 0, dtype: DTypeLike | None = None) -> Array:
    """The sums of the diagonals of matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, numeric.
    offset : int, optional
        Which diagonal: 0 the main one, above it if positive, below it if negative.
    dtype : dtype, optional
        What to sum in. By default the dtype of `x`, except that integers smaller than 64 bits are summed as int64 or
        uint64. Complex data loses its imaginary part to a real one, with a warning.

    Returns
    -------
    Array
        Shape ``(...)``; 0 where the diagonal is empty.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions.
    TypeError
        If `offset` is not an integer, `dtype` is no data type of numbers, or (under ``strict=True``) complex data would
        become real.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.trace(xp.asarray([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])).compute()
    array([ 5, 13])
    """
    name = "linalg.trace"
    x = at_least(operand(x, "numeric", name), 2, name)
    result = dtypes.accumulator(x.dtype) if dtype is None else dtypes.as_dtype(dtype, name)
    if options.current().strict and result.kind == "b":
        raise TypeError(f"{name}: dtype must be numeric, not {result} (strict=True is set)")
    if x.dtype.kind == "c" and result.kind != "c":
        x = astype(x, result)
    return record(TRACE, x, offset=as_index(offset, f"{name}: offset"), dtype=result)


def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: float | Literal["fro", "nuc"] | None = "fro") -> Array:
    """Norms of matrices.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, N)``, floating-point.
    keepdims : bool, optional
        Whether the two reduced axes stay, with length 1.
    ord : {"fro", "nuc", 1, -1, 2, -2, inf, -inf}, optional
        "fro" (or None): root of the sum of squares. "nuc": sum of the singular values. 1, -1: largest and smallest
        column sum of absolute values. 2, -2: largest and smallest singular value. inf, -inf: largest and smallest row
        sum of absolute values.

    Returns
    -------
    Array
        Shape ``(...)``, or ``(..., 1, 1)``; real, in the precision of `x`.

    Raises
    ------
    ValueError
        If `x` has fewer than two dimensions, there is no such order, or it asks for the smallest of no values.
    TypeError
        If the norm needs singular values and the dtype of `x` cannot be factored.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([[[3.0, 0.0], [0.0, 4.0]]])
    >>> xp.linalg.matrix_norm(x).compute(), xp.linalg.matrix_norm(x, ord="nuc").compute()
    (array([5.]), array([7.]))
    """
    name = "linalg.matrix_norm"
    x = at_least(floating(x, name), 2, name)
    order = "fro" if ord is None else ord if isinstance(ord, str) else _number(ord, name)
    if order not in _MATRIX_ORDERS:
        raise ValueError(f"{name}: ord must be one of {', '.join(map(repr, _MATRIX_ORDERS))}, not {ord!r}")
    if order in ("nuc", 2, -2):
        factorable(x, name)
    return record(MATRIX_NORM, x, keepdims=bool(keepdims), ord=order)


def vector_norm(
    x: Array, /, *, axis: int | tuple[int, ...] | None = None, keepdims: bool = False, ord: float = 2
) -> Array:
    """Norms of vectors.

    Parameters
    ----------
    x : Array
        Any shape, floating-point.
    axis : int or tuple of int, optional
        The axes whose elements form one vector each; by default all of them.
    keepdims : bool, optional
        Whether the reduced axes stay, with length 1.
    ord : float, optional
        ``sum(abs(x)**ord) ** (1 / ord)``, Euclidean by default. inf and -inf: the largest and the smallest absolute
        value. 0: how many elements are not zero.

    Returns
    -------
    Array
        The shape of `x` without the reduced axes; real, in the precision of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist or is repeated, or ``ord=-inf`` asks for the smallest of no values.
    TypeError
        If `ord` is not a real number.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([[3.0, 4.0], [6.0, 8.0]])
    >>> xp.linalg.vector_norm(x, axis=1).compute()
    array([ 5., 10.])
    """
    name = "linalg.vector_norm"
    x = floating(x, name)
    order = _number(ord, name)
    return record(VECTOR_NORM, x, axis=normalize_axes(axis, x.ndim, name), keepdims=bool(keepdims), ord=order)
