"""Operations on bits and on truth values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp.api.declare import elementwise

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike


# No identity: all bits set is True, -1 or the greatest unsigned integer, by dtype.
@elementwise("integer or boolean", np.bitwise_and, commutative=True, associative=True, zero_preserving=True)
def bitwise_and(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Keep the bits that are set in both `x1` and `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Integers or booleans; the shapes broadcast.

    Returns
    -------
    Array
        The common bits, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is floating-point; under ``strict=True``, also if the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.bitwise_and(xp.asarray([0b1100, 0b0111]), 0b0101).compute()
    array([4, 5])
    """


@elementwise("integer or boolean", np.bitwise_or, commutative=True, associative=True, identity=0, zero_preserving=True)
def bitwise_or(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Set the bits that are set in `x1`, `x2` or both, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Integers or booleans; the shapes broadcast.

    Returns
    -------
    Array
        The united bits, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is floating-point; under ``strict=True``, also if the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.bitwise_or(xp.asarray([0b1100, 0b0111]), 0b0101).compute()
    array([13,  7])
    """


@elementwise("integer or boolean", np.bitwise_xor, commutative=True, associative=True, identity=0, zero_preserving=True)
def bitwise_xor(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Set the bits that differ between `x1` and `x2`, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Integers or booleans; the shapes broadcast.

    Returns
    -------
    Array
        The differing bits, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is floating-point; under ``strict=True``, also if the standard does not promote the two dtypes.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.bitwise_xor(xp.asarray([0b1100, 0b0111]), 0b0101).compute()
    array([9, 2])
    """


@elementwise("integer or boolean", np.bitwise_invert)
def bitwise_invert(x: ArrayLike, /) -> Array:
    """Flip every bit of each element.

    Parameters
    ----------
    x : ArrayLike
        Integers or booleans.

    Returns
    -------
    Array
        The flipped bits, in the shape and dtype of `x`; booleans are negated.

    Raises
    ------
    TypeError
        If `x` is floating-point.

    Notes
    -----
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.bitwise_invert(xp.asarray([0, 5])).compute()
    array([-1, -6])
    """


@elementwise("integer", np.left_shift, zero_preserving=True)
def bitwise_left_shift(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Shift the bits of `x1` to the left by `x2` places, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Integers, and non-negative numbers of places; the shapes broadcast. Two booleans give int8 as in NumPy, refused
        under ``strict=True``.

    Returns
    -------
    Array
        ``x1 * 2**x2`` less the bits that leave the dtype, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is floating-point; under ``strict=True``, also if one is boolean or the dtypes do not promote.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    A shift by the width of the dtype or more gives 0. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.bitwise_left_shift(xp.asarray([1, 5]), 2).compute()
    array([ 4, 20])
    """


@elementwise("integer", np.right_shift, zero_preserving=True)
def bitwise_right_shift(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Shift the bits of `x1` to the right by `x2` places, element by element, keeping the sign.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Integers, and non-negative numbers of places; the shapes broadcast. Two booleans give int8 as in NumPy, refused
        under ``strict=True``.

    Returns
    -------
    Array
        ``x1 // 2**x2``, in the broadcast shape and the promoted dtype.

    Raises
    ------
    TypeError
        If an operand is floating-point; under ``strict=True``, also if one is boolean or the dtypes do not promote.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    A shift by the width of the dtype or more gives -1 below zero, else 0.
    Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.bitwise_right_shift(xp.asarray([20, -5]), 2).compute()
    array([ 5, -2])
    """


@elementwise("boolean", np.logical_and, commutative=True, associative=True, identity=True, zero_preserving=True)
def logical_and(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether both `x1` and `x2` are true, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Booleans; the shapes broadcast. Numbers are true unless zero as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is not boolean.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN is true. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.logical_and(xp.asarray([True, True, False]), xp.asarray([True, False, False])).compute()
    array([ True, False, False])
    """


@elementwise("boolean", np.logical_or, commutative=True, associative=True, identity=False, zero_preserving=True)
def logical_or(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether `x1`, `x2` or both are true, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Booleans; the shapes broadcast. Numbers are true unless zero as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is not boolean.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN is true. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.logical_or(xp.asarray([True, True, False]), xp.asarray([True, False, False])).compute()
    array([ True,  True, False])
    """


@elementwise("boolean", np.logical_xor, commutative=True, associative=True, identity=False, zero_preserving=True)
def logical_xor(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """Test whether exactly one of `x1` and `x2` is true, element by element.

    Parameters
    ----------
    x1, x2 : ArrayLike
        Booleans; the shapes broadcast. Numbers are true unless zero as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the broadcast shape.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is not boolean.
    ValueError
        If the shapes do not broadcast.

    Notes
    -----
    NaN is true. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.logical_xor(xp.asarray([True, True, False]), xp.asarray([True, False, False])).compute()
    array([False,  True, False])
    """


@elementwise("boolean", np.logical_not)
def logical_not(x: ArrayLike, /) -> Array:
    """Test whether each element is false.

    Parameters
    ----------
    x : ArrayLike
        Booleans. Numbers are true unless zero as in NumPy, refused under ``strict=True``.

    Returns
    -------
    Array
        Booleans, in the shape of `x`.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not boolean.

    Notes
    -----
    NaN is true, so that its negation is False. Source: Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.logical_not(xp.asarray([True, False])).compute()
    array([False,  True])
    """
