"""Powers and roots."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp.api.declare import elementwise

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


@elementwise("numeric", np.power)
def pow(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Raise `x1` to the power `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Bases and exponents; the shapes broadcast. Two booleans give int8 as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        The powers, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast; once computed, if an integer is raised to a negative integer.

    Notes
    -----
    Anything to the power zero is 1, as is 1 to any power, NaN included. A negative real to a fractional power is NaN;
    complex powers take the branch of `log`, cut along the negative real axis.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.pow(xp.asarray([2, 3]), 2).compute()
    array([4, 9])
    """


@elementwise("numeric", np.square, zero_preserving=True)
def square(x: ArrayLike, /) -> Array:
    """Multiply each element by itself.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans give int8 as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        ``x * x``, in the shape and dtype of `x`; integers wrap around on overflow.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is boolean.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.square(xp.asarray([-3, 1.5])).compute()
    array([9.  , 2.25])
    """


@elementwise("floating-point", np.sqrt, zero_preserving=True)
def sqrt(x: ArrayLike, /) -> Array:
    """Compute the principal square root of each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers and booleans give NumPy's float, refused under ``strict=True``.

    Returns
    -------
    Array
        Roots in the shape of `x`; in its dtype where that is floating-point.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    A negative real has NaN for a root, -0.0 has itself. Complex roots have no negative real component; the branch cut
    is the negative real axis, where the sign of the imaginary zero picks the side.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.sqrt(xp.asarray([4.0, 2.25])).compute()
    array([2. , 1.5])
    >>> xp.sqrt(xp.asarray([-4 + 0j])).compute()
    array([0.+2.j])
    """


@elementwise("floating-point", np.reciprocal)
def reciprocal(x: ArrayLike, /) -> Array:
    """Compute one over each element.

    Parameters
    ----------
    x : ArrayLike
        Floating-point numbers. Integers stay integers as in NumPy, so that most become 0, and booleans give int8;
        both are refused under ``strict=True``.

    Returns
    -------
    Array
        ``1 / x``, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not floating-point.

    Notes
    -----
    The reciprocal of a zero is the infinity of its sign. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.reciprocal(xp.asarray([2.0, -4.0])).compute()
    array([ 0.5 , -0.25])
    """


@elementwise("real floating-point", np.hypot, commutative=True, zero_preserving=True)
def hypot(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Compute ``sqrt(x1**2 + x2**2)``, element by element, without overflow on the way.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real floating-point legs of right triangles; the shapes broadcast. Two integers or booleans give NumPy's float,
        refused under ``strict=True``.

    Returns
    -------
    Array
        The hypotenuses, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is complex; under ``strict=True``, if one is not real floating-point.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    An infinite leg makes the result infinite, even next to NaN.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.hypot(xp.asarray([3.0, 5.0]), xp.asarray([4.0, 12.0])).compute()
    array([ 5., 13.])
    """
