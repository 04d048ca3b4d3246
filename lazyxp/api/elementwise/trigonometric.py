"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp.api.declare import elementwise

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


@elementwise("floating-point", np.sin, zero_preserving=True)
def sin(x: ArrayLike, /) -> Array:
    """Compute the sine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point angles, in radians. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Sines in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Infinite angles give NaN, and zeros keep their sign. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.sin(xp.asarray([0.0, 0.5])).compute()
    array([0.        , 0.47942554])
    """


@elementwise("floating-point", np.cos)
def cos(x: ArrayLike, /) -> Array:
    """Compute the cosine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point angles, in radians. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Cosines in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Infinite angles give NaN. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.cos(xp.asarray([0.0, 0.5])).compute()
    array([1.        , 0.87758256])
    """


@elementwise("floating-point", np.tan, zero_preserving=True)
def tan(x: ArrayLike, /) -> Array:
    """Compute the tangent of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point angles, in radians. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Tangents in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Infinite angles give NaN. No float is pi/2 exactly, so that the tangent of a finite angle is finite.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.tan(xp.asarray([0.0, 0.5])).compute()
    array([0.        , 0.54630249])
    """


@elementwise("floating-point", np.arcsin, zero_preserving=True)
def asin(x: ArrayLike, /) -> Array:
    """Compute the inverse sine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point sines. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Angles in radians from -pi/2 to pi/2, in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Reals beyond -1 and 1 give NaN; there the real axis is the complex branch cut, and the sign of the imaginary zero
    picks the side. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.asin(xp.asarray([0.0, 1.0])).compute()
    array([0.        , 1.57079633])
    """


@elementwise("floating-point", np.arccos)
def acos(x: ArrayLike, /) -> Array:
    """Compute the inverse cosine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point cosines. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Angles in radians from 0 to pi, in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Reals beyond -1 and 1 give NaN; there the real axis is the complex branch cut, and the sign of the imaginary zero
    picks the side. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.acos(xp.asarray([1.0, -1.0])).compute()
    array([0.        , 3.14159265])
    """


@elementwise("floating-point", np.arctan, zero_preserving=True)
def atan(x: ArrayLike, /) -> Array:
    """Compute the inverse tangent of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point tangents. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Angles in radians from -pi/2 to pi/2, in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Infinities give the ends of that range. The complex branch cuts run along the imaginary axis, beyond -1j and 1j.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.atan(xp.asarray([0.0, 1.0])).compute()
    array([0.        , 0.78539816])
    """


@elementwise("real floating-point", np.arctan2, zero_preserving=True)
def atan2(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Compute the angle of the point with ordinate `x1` and abscissa `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real floating-point ordinates and abscissas, in this order; the shapes broadcast. Two integers or booleans give
        NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Angles in radians from -pi to pi, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is complex; under ``strict=True``, if one is not real floating-point.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    The angle has the sign of `x1`, also where that is a zero: 0.0 and -0.0 over a negative abscissa, or over -0.0, give
    pi and -pi. Two infinities point along a diagonal. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.atan2(xp.asarray([1.0, 0.0, -0.0]), -1.0).compute()
    array([ 2.35619449,  3.14159265, -3.14159265])
    """


@elementwise("floating-point", np.sinh, zero_preserving=True)
def sinh(x: ArrayLike, /) -> Array:
    """Compute the hyperbolic sine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Hyperbolic sines in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Infinities stay as they are, and zeros keep their sign. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.sinh(xp.asarray([0.0, 1.0])).compute()
    array([0.        , 1.17520119])
    """


@elementwise("floating-point", np.cosh)
def cosh(x: ArrayLike, /) -> Array:
    """Compute the hyperbolic cosine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Hyperbolic cosines in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Either infinity gives ``inf``. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.cosh(xp.asarray([0.0, 1.0])).compute()
    array([1.        , 1.54308063])
    """


@elementwise("floating-point", np.tanh, zero_preserving=True)
def tanh(x: ArrayLike, /) -> Array:
    """Compute the hyperbolic tangent of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Hyperbolic tangents in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Infinities give -1 and 1, and zeros keep their sign. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.tanh(xp.asarray([0.0, 1.0])).compute()
    array([0.        , 0.76159416])
    """


@elementwise("floating-point", np.arcsinh, zero_preserving=True)
def asinh(x: ArrayLike, /) -> Array:
    """Compute the inverse hyperbolic sine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Inverse hyperbolic sines in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Infinities stay as they are, and zeros keep their sign. The complex branch cuts run along the imaginary axis, beyond
    -1j and 1j. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.asinh(xp.asarray([0.0, 1.0])).compute()
    array([0.        , 0.88137359])
    """


@elementwise("floating-point", np.arccosh)
def acosh(x: ArrayLike, /) -> Array:
    """Compute the inverse hyperbolic cosine of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Inverse hyperbolic cosines, 0 or more, in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    Reals below 1 give NaN; there the real axis is the complex branch cut, and the sign of the imaginary zero picks the
    side. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.acosh(xp.asarray([1.0, 2.0])).compute()
    array([0.       , 1.3169579])
    """


@elementwise("floating-point", np.arctanh, zero_preserving=True)
def atanh(x: ArrayLike, /) -> Array:
    """Compute the inverse hyperbolic tangent of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Inverse hyperbolic tangents in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    -1 and 1 give infinities, reals beyond them NaN; there the real axis is the complex branch cut, and the sign of the
    imaginary zero picks the side. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.atanh(xp.asarray([0.0, 0.5])).compute()
    array([0.        , 0.54930614])
    """
