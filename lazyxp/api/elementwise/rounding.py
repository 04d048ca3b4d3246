"""Rounding, the neighbours of a number, and its sign bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp.api.declare import elementwise

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


@elementwise("real numeric", np.ceil, zero_preserving=True)
def ceil(x: ArrayLike, /) -> Array:
    """Round each element up, to the least whole number not below it.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans stay as they are, refused under ``strict=True``.

    Returns
    -------
    Array
        Whole numbers, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is complex; under ``strict=True``, also if it is boolean.

    Notes
    -----
    Infinities, NaN and signed zeros stay as they are. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.ceil(xp.asarray([1.2, -1.2])).compute()
    array([ 2., -1.])
    """


@elementwise("real numeric", np.floor, zero_preserving=True)
def floor(x: ArrayLike, /) -> Array:
    """Round each element down, to the greatest whole number not above it.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans stay as they are, refused under ``strict=True``.

    Returns
    -------
    Array
        Whole numbers, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is complex; under ``strict=True``, also if it is boolean.

    Notes
    -----
    Infinities, NaN and signed zeros stay as they are. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.floor(xp.asarray([1.2, -1.2])).compute()
    array([ 1., -2.])
    """


@elementwise("numeric", np.rint, result="same", zero_preserving=True)
def round(x: ArrayLike, /) -> Array:
    """Round each element to the nearest whole number, and halves to the even one.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Whole numbers, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is boolean.

    Notes
    -----
    The components of a complex number are rounded each by itself. Infinities, NaN and signed zeros stay as they are.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.round(xp.asarray([0.5, 1.5, 2.6])).compute()
    array([0., 2., 3.])
    """


@elementwise("real numeric", np.trunc, zero_preserving=True)
def trunc(x: ArrayLike, /) -> Array:
    """Round each element towards zero.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans stay as they are, refused under ``strict=True``.

    Returns
    -------
    Array
        Whole numbers, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is complex; under ``strict=True``, also if it is boolean.

    Notes
    -----
    Infinities, NaN and signed zeros stay as they are. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.trunc(xp.asarray([1.8, -1.8])).compute()
    array([ 1., -1.])
    """


@elementwise("real floating-point", np.copysign, zero_preserving=True)
def copysign(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Give the magnitude of `x1` the sign of `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real floating-point magnitudes and signs; the shapes broadcast. Two integers or booleans give NumPy's float,
        refused under ``strict=True``.

    Returns
    -------
    Array
        `x1` with the sign bits of `x2`, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is complex; under ``strict=True``, if one is not real floating-point.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Zeros and NaN have sign bits too, to give and to take. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.copysign(xp.asarray([1.0, -2.0]), xp.asarray([-0.0, 3.0])).compute()
    array([-1.,  2.])
    """


@elementwise("real floating-point", np.nextafter, zero_preserving=True)
def nextafter(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Find the neighbour of `x1` among floating-point numbers on the way to `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real floating-point numbers; the shapes broadcast. The standard wants one dtype for both. Two integers or
        booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        The neighbours, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is complex; under ``strict=True``, if one is not real floating-point.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN in, NaN out. Where the operands are equal, the result is `x2`, the sign of its zero included.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> (xp.nextafter(xp.asarray([1.0, 1.0]), xp.asarray([2.0, 0.0])) - 1).compute()
    array([ 2.22044605e-16, -1.11022302e-16])
    """
