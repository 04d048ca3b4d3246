"""Exponentials and logarithms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp.api.declare import elementwise

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


@elementwise("floating-point", np.exp)
def exp(x: ArrayLike, /) -> Array:
    """Raise e to the power of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point exponents. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        The powers, in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    ``exp(-inf)`` is 0 and ``exp(inf)`` is infinite. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.exp(xp.asarray([0.0, 1.0])).compute()
    array([1.        , 2.71828183])
    """


@elementwise("floating-point", np.expm1, zero_preserving=True)
def expm1(x: ArrayLike, /) -> Array:
    """Compute ``exp(x) - 1`` for each element, accurately near zero.

    Parameters
    ----------
    x : ArrayLike
        Floating-point exponents. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        The powers less one, in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    ``expm1(-inf)`` is -1, and zeros keep their sign. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.expm1(xp.asarray([0.0, 1e-20])).compute()
    array([0.e+00, 1.e-20])
    """


@elementwise("floating-point", np.log)
def log(x: ArrayLike, /) -> Array:
    """Compute the natural logarithm of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Logarithms in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Zero has the logarithm ``-inf``, a negative real has NaN. Complex logarithms have imaginary components from -pi to
    pi; the branch cut is the negative real axis, where the sign of the imaginary zero picks the side.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.log(xp.asarray([1.0, 10.0])).compute()
    array([0.        , 2.30258509])
    >>> xp.log(xp.asarray([-1 + 0j])).compute()
    array([0.+3.14159265j])
    """


@elementwise("floating-point", np.log1p, zero_preserving=True)
def log1p(x: ArrayLike, /) -> Array:
    """Compute ``log(1 + x)`` for each element, accurately near zero.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Logarithms in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    ``log1p(-1)`` is ``-inf``, lesser reals give NaN, and zeros keep their sign. The complex branch cut is the real axis
    left of -1. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.log1p(xp.asarray([0.0, 1e-20])).compute()
    array([0.e+00, 1.e-20])
    """


@elementwise("floating-point", np.log2)
def log2(x: ArrayLike, /) -> Array:
    """Compute the base-2 logarithm of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Logarithms in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Zero has the logarithm ``-inf``, a negative real has NaN; the complex branch cut is that of `log`.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.log2(xp.asarray([1.0, 8.0, 0.5])).compute()
    array([ 0.,  3., -1.])
    """


@elementwise("floating-point", np.log10)
def log10(x: ArrayLike, /) -> Array:
    """Compute the base-10 logarithm of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Logarithms in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Zero has the logarithm ``-inf``, a negative real has NaN; the complex branch cut is that of `log`.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.log10(xp.asarray([1.0, 1000.0])).compute()
    array([0., 3.])
    """


@elementwise("real floating-point", np.logaddexp, commutative=True)
def logaddexp(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Compute ``log(exp(x1) + exp(x2))``, element by element, without overflow on the way.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real floating-point logarithms; the shapes broadcast. Two integers or booleans give NumPy's float, refused under
        ``strict=True``.

    Returns
    -------
    Array
        Logarithms of the sums, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is complex; under ``strict=True``, if one is not real floating-point.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    ``-inf``, the logarithm of zero, adds nothing. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.logaddexp(xp.asarray([0.0, 1000.0]), xp.asarray([0.0, 1000.0])).compute()
    array([6.93147181e-01, 1.00069315e+03])
    """
