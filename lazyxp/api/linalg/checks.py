"""What the functions of this package check of their operands before they record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp import dtypes
from lazyxp.api.array import Array
from lazyxp.api.recording import at_least, cast, current, operand, square
from lazyxp.node import Meta, describe
from lazyxp.shapes import unify

if TYPE_CHECKING:
    from lazyxp.node import Shape

FACTORED = (dtypes.float32, dtypes.float64, dtypes.complex64, dtypes.complex128)


def floating(x: Array, function: str) -> Array:
    """`x` as floating-point data; other numbers become the default floating-point dtype, as in NumPy."""
    x = operand(x, "floating-point", function)
    return cast(x, dtypes.as_floating(x.dtype))


def matrices(x: Array, function: str) -> Array:
    """`x` as a stack of matrices in a dtype that LAPACK has routines for."""
    return factorable(at_least(floating(x, function), 2, function), function)


def square_matrices(x: Array, function: str) -> Array:
    """`x` as a stack of square matrices in a dtype that LAPACK has routines for."""
    return square(matrices(x, function), function)


def factorable(x: Array, function: str) -> Array:
    """`x`, refused with a TypeError when LAPACK has no routines for its dtype."""
    if x.dtype not in FACTORED:
        raise TypeError(
            f"{function}: matrices of {x.dtype} cannot be factored, got {describe(current(x))}; "
            f"cast it to one of {', '.join(map(str, FACTORED))}"
        )
    return x


def side(x: Meta, function: str) -> int | None:
    """The M of square matrices ``(..., M, M)``, known as soon as one of their sides is."""
    return unify(function, *x.shape[-2:])


def smaller_side(shape: Shape) -> int | None:
    """The K = min(M, N) of matrices ``(..., M, N)``, None where it cannot be known."""
    rows, columns = shape[-2:]
    if rows is None or columns is None:
        return 0 if 0 in (rows, columns) else None
    return min(rows, columns)
