"""Linear algebra functions of the main namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lazyxp import options
from lazyxp.api.array import Array
from lazyxp.api.recording import common, current, operand, record
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import as_index, broadcast, normalize_axis, unify

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike


def _contract(function: str, x1: Meta, x2: Meta, i: int, j: int) -> None:
    try:
        unify(function, x1.shape[i], x2.shape[j])
    except ValueError:
        raise ValueError(
            f"{function}: shape mismatch: axis {i} of {describe(x1)} and axis {j} of {describe(x2)} differ in length"
        ) from None


def _infer_matmul(x1: Meta, x2: Meta) -> Meta:
    if not x1.shape or not x2.shape:
        raise ValueError(f"matmul: 0-d operands are not allowed, got {describe(x1)} and {describe(x2)}; use multiply")
    _contract("matmul", x1, x2, -1, -1 if len(x2.shape) == 1 else -2)
    batch = broadcast("matmul", x1.shape[:-2], x2.shape[:-2])
    rows = x1.shape[-2:-1]
    columns = x2.shape[-1:] if len(x2.shape) > 1 else ()
    return Meta((*batch, *rows, *columns), x1.dtype)


def _infer_tensordot(x1: Meta, x2: Meta, *, axes: tuple[tuple[int, ...], tuple[int, ...]]) -> Meta:
    first, second = axes
    for i, j in zip(first, second, strict=True):
        _contract("tensordot", x1, x2, i, j)
    left = tuple(n for i, n in enumerate(x1.shape) if i not in first)
    right = tuple(n for i, n in enumerate(x2.shape) if i not in second)
    return Meta(left + right, x1.dtype)


def _infer_vecdot(x1: Meta, x2: Meta, *, axis: int) -> Meta:
    _contract("vecdot", x1, x2, axis, axis)
    rest = [s[: len(s) + axis] + s[len(s) + axis + 1 :] for s in (x1.shape, x2.shape)]
    return Meta(broadcast("vecdot", *rest), x1.dtype)


MATMUL = Op("matmul", "contraction", _infer_matmul)
TENSORDOT = Op("tensordot", "contraction", _infer_tensordot)
VECDOT = Op("vecdot", "contraction", _infer_vecdot)


def _operands(x1: ArrayLike, x2: ArrayLike, function: str) -> tuple[Array, ...]:
    return common(function, operand(x1, "numeric", function), operand(x2, "numeric", function))


def matmul(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The matrix product.

    Parameters
    ----------
    x1 : Array
        Shape ``(..., M, K)`` or ``(K,)``, numeric.
    x2 : Array
        Shape ``(..., K, N)`` or ``(K,)``, numeric; the stacks broadcast.

    Returns
    -------
    Array
        Shape ``(..., M, N)``, without the axis that a 1-D operand lacks; the promoted dtype.

    Raises
    ------
    ValueError
        If an operand is 0-d, or the shapes do not fit.
    TypeError
        If the dtypes do not promote.

    References
    ----------
    Array API standard 2025.12, linear algebra functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> a = xp.asarray([[1, 2], [3, 4]])
    >>> xp.matmul(a, a).compute()
    array([[ 7, 10],
           [15, 22]])
    """
    return record(MATMUL, *_operands(x1, x2, "matmul"))


def tensordot(x1: Array, x2: Array, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Array:
    """Contract axes of two arrays.

    Parameters
    ----------
    x1, x2 : Array
        Any shapes whose contracted axes are equally long, numeric.
    axes : int or pair of sequences of int
        The last `axes` axes of `x1` with the first ones of `x2`, or the axes of each to contract in order.

    Returns
    -------
    Array
        The free axes of `x1`, then those of `x2`; the promoted dtype.

    Raises
    ------
    ValueError
        If axes do not exist, are repeated, or differ in number or length.
    TypeError
        If the dtypes do not promote.

    References
    ----------
    Array API standard 2025.12, linear algebra functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.tensordot(xp.asarray([1, 2]), xp.asarray([3, 4]), axes=1).compute()
    array(11)
    """
    a, b = _operands(x1, x2, "tensordot")
    if isinstance(axes, Sequence):
        pair = [tuple(s) if isinstance(s, Sequence) else (s,) for s in axes]
        if len(pair) != 2:
            raise ValueError(f"tensordot: axes must be an int or two sequences of ints, got {axes}")
        first = tuple(normalize_axis(i, a.ndim, "tensordot") for i in pair[0])
        second = tuple(normalize_axis(i, b.ndim, "tensordot") for i in pair[1])
    else:
        count = as_index(axes, "tensordot: axes")
        if not 0 <= count <= min(a.ndim, b.ndim):
            raise ValueError(
                f"tensordot: cannot contract {count} axes of {describe(current(a))} and {describe(current(b))}"
            )
        first, second = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    if len(first) != len(second) or len(set(first)) != len(first) or len(set(second)) != len(second):
        raise ValueError(f"tensordot: axes {axes} repeat an axis or differ in number")
    return record(TENSORDOT, a, b, axes=(first, second))


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """The dot product of vectors along an axis; the first one is conjugated.

    Parameters
    ----------
    x1, x2 : Array
        Shapes that broadcast but for `axis`, which is equally long in both; numeric.
    axis : int, optional
        The axis of the vectors, counted from the end: ``-N <= axis <= -1`` where N is the smaller number of dimensions.

    Returns
    -------
    Array
        The broadcast shape without `axis`; the promoted dtype.

    Raises
    ------
    ValueError
        If the axis does not exist or the shapes do not fit.
    TypeError
        If the dtypes do not promote.

    References
    ----------
    Array API standard 2025.12, linear algebra functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.vecdot(xp.asarray([1j, 2.0]), xp.asarray([1j, 3.0])).compute()
    array(7.+0.j)
    """
    a, b = _operands(x1, x2, "vecdot")
    if not a.ndim or not b.ndim:
        raise ValueError(f"vecdot: 0-d operands are not allowed, got {describe(current(a))} and {describe(current(b))}")
    ndim = min(a.ndim, b.ndim)
    if axis >= 0 and options.current().strict:
        raise ValueError(f"vecdot: axis must be negative, from {-ndim} to -1, not {axis} (strict=True is set)")
    if a.ndim != b.ndim and axis >= 0:
        raise ValueError(f"vecdot: axis {axis} must be negative where the numbers of dimensions differ")
    return record(VECDOT, a, b, axis=normalize_axis(axis, ndim, "vecdot") - ndim)
