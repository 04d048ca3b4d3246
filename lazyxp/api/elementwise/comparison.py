"""Comparisons, the greater and the lesser of two, and tests of single numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp.api.declare import elementwise

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


@elementwise("all", np.equal, commutative=True)
def equal(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether `x1` equals `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Values of any dtype; the shapes broadcast. Dtypes of different kinds compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN equals nothing, and the two zeros are equal. Complex numbers are equal if both components are.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.equal(xp.asarray([1, 2, 3]), xp.asarray([1, 0, 3])).compute()
    array([ True, False,  True])
    """


@elementwise("all", np.not_equal, commutative=True, zero_preserving=True)
def not_equal(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether `x1` differs from `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Values of any dtype; the shapes broadcast. Dtypes of different kinds compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN differs from everything, itself included; the two zeros do not differ.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.not_equal(xp.asarray([1, 2, 3]), 2).compute()
    array([ True, False,  True])
    """


@elementwise("real numeric", np.less, zero_preserving=True)
def less(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether `x1` is less than `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Booleans and complex numbers compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or complex, or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    False next to NaN. NumPy orders complex numbers by real component, then by imaginary.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.less(xp.asarray([1, 2, 3]), 2).compute()
    array([ True, False, False])
    """


@elementwise("real numeric", np.less_equal)
def less_equal(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether `x1` is at most `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Booleans and complex numbers compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or complex, or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    False next to NaN. NumPy orders complex numbers by real component, then by imaginary.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.less_equal(xp.asarray([1, 2, 3]), 2).compute()
    array([ True,  True, False])
    """


@elementwise("real numeric", np.greater, zero_preserving=True)
def greater(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether `x1` is greater than `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Booleans and complex numbers compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or complex, or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    False next to NaN. NumPy orders complex numbers by real component, then by imaginary.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.greater(xp.asarray([1, 2, 3]), 2).compute()
    array([False, False,  True])
    """


@elementwise("real numeric", np.greater_equal)
def greater_equal(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether `x1` is at least `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Booleans and complex numbers compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or complex, or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    False next to NaN. NumPy orders complex numbers by real component, then by imaginary.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.greater_equal(xp.asarray([1, 2, 3]), 2).compute()
    array([False,  True,  True])
    """


@elementwise("real numeric", np.maximum, commutative=True, associative=True, zero_preserving=True)
def maximum(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Take the greater of `x1` and `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Booleans and complex numbers compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        The greater elements, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or complex, or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN next to NaN or a number is NaN. Of two zeros that differ in sign, either may be taken.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.maximum(xp.asarray([1, 5, 3]), 2).compute()
    array([2, 5, 3])
    """


@elementwise("real numeric", np.minimum, commutative=True, associative=True, zero_preserving=True)
def minimum(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Take the lesser of `x1` and `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Real numbers; the shapes broadcast. Booleans and complex numbers compare as in NumPy, refused under
        ``strict=True``.

    Returns
    -------
    Array
        The lesser elements, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is boolean or complex, or the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN next to NaN or a number is NaN. Of two zeros that differ in sign, either may be taken.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.minimum(xp.asarray([1, 5, 3]), 2).compute()
    array([1, 2, 2])
    """


@elementwise("numeric", np.isfinite)
def isfinite(x: ArrayLike, /) -> Array:
    """Test whether each element is neither infinite nor NaN.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans are finite, refused under ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the shape of `x`; True for every integer.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is boolean.

    Notes
    -----
    A complex number is finite if both components are. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.isfinite(xp.asarray([1.0, xp.inf, xp.nan])).compute()
    array([ True, False, False])
    """


@elementwise("numeric", np.isinf, zero_preserving=True)
def isinf(x: ArrayLike, /) -> Array:
    """Test whether each element is infinite, of either sign.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans are not infinite, refused under ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the shape of `x`; False for every integer.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is boolean.

    Notes
    -----
    A complex number is infinite if a component is, even if the other is NaN.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.isinf(xp.asarray([1.0, -xp.inf, xp.nan])).compute()
    array([False,  True, False])
    """


@elementwise("numeric", np.isnan, zero_preserving=True)
def isnan(x: ArrayLike, /) -> Array:
    """Test whether each element is NaN.

    Parameters
    ----------
    x : ArrayLike
        Numbers. Booleans are not NaN, refused under ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the shape of `x`; False for every integer.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is boolean.

    Notes
    -----
    A complex number is NaN if a component is. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.isnan(xp.asarray([1.0, xp.inf, xp.nan])).compute()
    array([False, False,  True])
    """


@elementwise("real floating-point", np.signbit, zero_preserving=True)
def signbit(x: ArrayLike, /) -> Array:
    """Test whether the sign bit of each element is set.

    Parameters
    ----------
    x : ArrayLike
        Real floating-point numbers. Integers have it set below zero, booleans never; both are refused under
        ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the shape of `x`.

    Raises
    ------
    TypeError
        If `x` is complex; under ``strict=True``, if it is not real floating-point.

    Notes
    -----
    The bit tells -0.0 from 0.0, and a negative NaN from a positive one.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.signbit(xp.asarray([1.0, -2.0, -0.0])).compute()
    array([False,  True,  True])
    """
