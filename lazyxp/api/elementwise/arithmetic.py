"""Sums, products and quotients, signs and conjugates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp.api.declare import elementwise

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


@elementwise("numeric", np.add, commutative=True, associative=True, identity=0, zero_preserving=True)
def add(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Add `x1` and `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Numbers; the shapes broadcast. Booleans add as a logical or, refused under ``strict=True``.

    Returns
    -------
    Array
        The sums, in the broadcast shape and the promoted dtype; integers wrap around on overflow.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.add(xp.asarray([1, 2]), 3).compute()
    array([4, 5])
    """


@elementwise("numeric", np.subtract, zero_preserving=True)
def subtract(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Subtract `x2` from `x1`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Numbers; the shapes broadcast. Two booleans cannot be subtracted: `bitwise_xor` tells where they differ.

    Returns
    -------
    Array
        The differences, in the broadcast shape and the promoted dtype; integers wrap around on overflow.

    Raises
    ------
    TypeError
        If both operands are boolean; under ``strict=True``, if one is or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.subtract(xp.asarray([5, 7]), xp.asarray([[1], [2]])).compute()
    array([[4, 6],
           [3, 5]])
    """


# Complex products commute up to rounding only: NumPy fuses one of the two multiplications of each component.
@elementwise("numeric", np.multiply, commutative=True, associative=True, identity=1, zero_preserving=True)
def multiply(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Multiply `x1` and `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Numbers; the shapes broadcast. Booleans multiply as a logical and, refused under ``strict=True``.

    Returns
    -------
    Array
        The products, in the broadcast shape and the promoted dtype; integers wrap around on overflow.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Zero times an infinity is NaN. A complex product with an infinite or NaN component follows the textbook
    formula, so that an infinity times one may hold a NaN. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.multiply(xp.asarray([1.5, 2.0]), 2).compute()
    array([3., 4.])
    """


@elementwise("floating-point", np.divide)
def divide(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Divide `x1` by `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Dividends and divisors; the shapes broadcast. The standard defines floating-point operands; two integers or
        booleans give float64 as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        The quotients, in the broadcast shape and a floating-point dtype.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is not floating-point.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    A nonzero number over zero is infinite, negative if just one of the two has its sign bit set; zero over zero is NaN.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.divide(xp.asarray([1.0, 3.0]), 2).compute()
    array([0.5, 1.5])
    """


@elementwise("real numeric", np.floor_divide)
def floor_divide(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Divide `x1` by `x2` and round towards minus infinity, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Two booleans give int8 as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        Whole-numbered quotients, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is complex; under ``strict=True``, also if one is boolean or the dtypes do not promote.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Infinities go Python's way, which the standard permits: an infinite dividend gives NaN, and a finite nonzero one
    over an infinity of the other sign gives -1. An integer over zero gives 0.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.floor_divide(xp.asarray([7, -7]), 2).compute()
    array([ 3, -4])
    """


@elementwise("real numeric", np.remainder)
def remainder(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Compute what `floor_divide` leaves of `x1`, element by element, as Python's ``%`` does.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Two booleans give int8 as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        Remainders with the sign of `x2`, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is complex; under ``strict=True``, also if one is boolean or the dtypes do not promote.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    An infinite dividend or a zero divisor gives NaN, an integer modulo zero 0. Modulo an infinity, a finite nonzero
    number stays itself if it has that infinity's sign, and turns into the infinity if it has the other.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.remainder(xp.asarray([7, -7]), 3).compute()
    array([1, 2])
    """


@elementwise("numeric", np.negative, zero_preserving=True)
def negative(x: ArrayLike, /) -> Array:
    """Negate each element.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans cannot be negated: `logical_not` inverts them.

    Returns
    -------
    Array
        ``-x``, in the shape and dtype of `x`. Integers wrap around: unsigned ones, and the least signed one.

    Raises
    ------
    TypeError
        If `x` is boolean.

    Notes
    -----
    Both components of a complex number change sign. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.negative(xp.asarray([1, -2])).compute()
    array([-1,  2])
    """


@elementwise("numeric", np.positive, zero_preserving=True)
def positive(x: ArrayLike, /) -> Array:
    """Return each element as it is.

    Parameters
    ----------
    x : ArrayLike
        Numbers; not booleans.

    Returns
    -------
    Array
        ``+x``, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is boolean.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.positive(xp.asarray([1, -2])).compute()
    array([ 1, -2])
    """


@elementwise("numeric", np.absolute, zero_preserving=True)
def abs(x: ArrayLike, /) -> Array:
    """Compute the magnitude of each element.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans stay as they are, refused under ``strict=True``.

    Returns
    -------
    Array
        Magnitudes in the shape of `x`, and in its dtype; of a complex dtype, in that of its components.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is boolean.

    Notes
    -----
    The least signed integer has no positive counterpart and stays negative. A complex number with an infinite
    component is infinite, even if the other is NaN. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.abs(xp.asarray([3 + 4j, -2])).compute()
    array([5., 2.])
    """


@elementwise("numeric", np.sign, zero_preserving=True)
def sign(x: ArrayLike, /) -> Array:
    """Compute the sign of each element: -1, 0 or 1; of a complex number, its direction.

    Parameters
    ----------
    x : ArrayLike
        Numbers; not booleans.

    Returns
    -------
    Array
        Signs, in the shape and dtype of `x`.

    Raises
    ------
    TypeError
        If `x` is boolean.

    Notes
    -----
    The sign of a complex `x` is ``x / abs(x)``, and 0 at zero. The sign of either zero is 0, of NaN is NaN.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.sign(xp.asarray([-3, 0, 5])).compute()
    array([-1,  0,  1])
    >>> xp.sign(xp.asarray([3 - 4j])).compute()
    array([0.6-0.8j])
    """


@elementwise("numeric", np.conjugate, zero_preserving=True)
def conj(x: ArrayLike, /) -> Array:
    """Compute the complex conjugate of each element.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans give int8 as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        `x` with the imaginary components negated, in its shape and dtype; real numbers stay as they are.

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
    >>> xp.conj(xp.asarray([1 + 2j, 3 - 1j])).compute()
    array([1.-2.j, 3.+1.j])
    """
