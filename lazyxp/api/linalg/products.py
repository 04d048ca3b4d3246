"""Products and powers of vectors and matrices."""

from __future__ import annotations

from lazyxp import options
from lazyxp.api.array import Array
from lazyxp.api.linalg.checks import matrices, side
from lazyxp.api.manipulation import moveaxis
from lazyxp.api.recording import at_least, common, current, operand, record, square
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import as_index, broadcast, normalize_axis


def _infer_cross(x1: Meta, x2: Meta, *, axis: int) -> Meta:
    for x in (x1, x2):
        if x.shape[axis] not in (3, None):
            raise ValueError(f"linalg.cross: axis {axis} must have length 3, got {describe(x1)} and {describe(x2)}")
    shape = list(broadcast("linalg.cross", x1.shape, x2.shape))
    shape[axis] = 3
    return Meta(tuple(shape), x1.dtype)


def _infer_matrix_power(x: Meta, *, n: int) -> Meta:
    m = side(x, "linalg.matrix_power")
    return Meta((*x.shape[:-2], m, m), x.dtype)


def _infer_outer(x1: Meta, x2: Meta) -> Meta:
    return Meta(x1.shape + x2.shape, x1.dtype)


CROSS = Op("linalg.cross", "contraction", _infer_cross)
MATRIX_POWER = Op("linalg.matrix_power", "linalg", _infer_matrix_power)
OUTER = Op("linalg.outer", "contraction", _infer_outer)


def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """The cross product of vectors with three components.

    Parameters
    ----------
    x1, x2 : Array
        Numeric; `axis` of both has length 3, and the other axes broadcast.
    axis : int, optional
        The axis of the components, counted from the back: ``-min(x1.ndim, x2.ndim) <= axis <= -1``. One counted from
        the front means, as in NumPy, that axis of each operand and of the result; ``strict=True`` refuses it.

    Returns
    -------
    Array
        The broadcast shape, the promoted dtype.

    Raises
    ------
    ValueError
        If there is no such axis, its length is not 3, or the other axes do not broadcast.
    TypeError
        If the operands are boolean, or their dtypes do not promote.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.cross(xp.asarray([1, 0, 0]), xp.asarray([[0, 1, 0], [0, 0, 1]])).compute()
    array([[ 0,  0,  1],
           [ 0, -1,  0]])
    """
    name = "linalg.cross"
    x1, x2 = common(name, operand(x1, "numeric", name), operand(x2, "numeric", name))
    if x1.dtype.kind == "b":
        raise TypeError(f"{name}: expected numeric data, got {describe(current(x1))}; cast it with astype first")
    least = min(x1.ndim, x2.ndim)
    number = as_index(axis, f"{name}: axis")
    normalize_axis(number, least, name)
    if number < 0:
        return record(CROSS, x1, x2, axis=number)
    if options.current().strict:
        raise ValueError(f"{name}: axis must be negative, from {-least} to -1, not {number} (strict=True is set)")
    product = record(CROSS, moveaxis(x1, number, -1), moveaxis(x2, number, -1), axis=-1)
    return moveaxis(product, -1, number)


def matrix_power(x: Array, n: int, /) -> Array:
    """Square matrices to an integer power.

    Parameters
    ----------
    x : Array
        Shape ``(..., M, M)``, floating-point. Integers stay integers for ``n >= 0``, as in NumPy.
    n : int
        The exponent: 0 gives identity matrices, a negative one powers of the inverse.

    Returns
    -------
    Array
        The powers, in the shape and dtype of `x`.

    Raises
    ------
    ValueError
        If `x` is no stack of square matrices.
    TypeError
        If `n` is not an integer, or it is negative and matrices of the dtype of `x` cannot be inverted.
    LinAlgError
        When computed, if `n` is negative and a matrix is singular (on backends that check).

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.matrix_power(xp.asarray([[1.0, 1.0], [0.0, 1.0]]), 5).compute()
    array([[1., 5.],
           [0., 1.]])
    """
    name = "linalg.matrix_power"
    exponent = as_index(n, f"{name}: n")
    x = matrices(x, name) if exponent < 0 else at_least(operand(x, "floating-point", name), 2, name)
    return record(MATRIX_POWER, square(x, name), n=exponent)


def outer(x1: Array, x2: Array, /) -> Array:
    """The outer product of two vectors.

    Parameters
    ----------
    x1, x2 : Array
        Shapes ``(N,)`` and ``(M,)``, numeric.

    Returns
    -------
    Array
        Shape ``(N, M)``, the promoted dtype: element ``[i, j]`` is ``x1[i] * x2[j]``.

    Raises
    ------
    ValueError
        If an operand is not one-dimensional.
    TypeError
        If the dtypes do not promote.

    References
    ----------
    Array API standard 2025.12, linear algebra extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.linalg.outer(xp.asarray([1, 2]), xp.asarray([3, 4, 5])).compute()
    array([[ 3,  4,  5],
           [ 6,  8, 10]])
    """
    name = "linalg.outer"
    x1, x2 = common(name, operand(x1, "numeric", name), operand(x2, "numeric", name))
    if x1.ndim != 1 or x2.ndim != 1:
        got = f"{describe(current(x1))} and {describe(current(x2))}"
        raise ValueError(f"{name}: expected one-dimensional operands, got {got}; flatten them with reshape(x, (-1,))")
    return record(OUTER, x1, x2)
