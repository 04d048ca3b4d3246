"""The parts of complex numbers: views of them, and their assembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.recording import current, operand, record, record_view
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import broadcast

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike


def _infer_part(x: Meta) -> Meta:
    return Meta(x.shape, dtypes.real_of(x.dtype))


def _infer_complex(real: Meta, imag: Meta) -> Meta:
    return Meta(broadcast("complex", real.shape, imag.shape), dtypes.complex_of(real.dtype))


REAL = Op("real", "elementwise", _infer_part, zero_preserving=True)
IMAG = Op("imag", "elementwise", _infer_part, zero_preserving=True)
# No function of the standard: what a write through `real` or `imag` puts together again.
COMPLEX = Op("complex", "elementwise", _infer_complex, zero_preserving=True)


def real(x: ArrayLike, /) -> Array:
    """The real part of each element.

    Parameters
    ----------
    x : Array
        Any shape, numeric; real data is its own real part.

    Returns
    -------
    Array
        A view of `x`, with the dtype of its components; `x` itself where it is real.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not numeric.

    References
    ----------
    Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.real(xp.asarray([1 + 2j])).compute()
    array([1.])
    """
    array = operand(x, "numeric", "real")
    return record_view(REAL, array) if array.dtype.kind == "c" else array


def imag(x: ArrayLike, /) -> Array:
    """The imaginary part of each element.

    Parameters
    ----------
    x : Array
        Any shape, complex; the imaginary part of real data is zero (refused under ``strict=True``).

    Returns
    -------
    Array
        A view of `x` with the dtype of its components; zeros where `x` is real.

    Raises
    ------
    TypeError
        Under ``strict=True``, if `x` is not complex.

    References
    ----------
    Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.imag(xp.asarray([1 + 2j])).compute()
    array([2.])
    """
    array = operand(x, "numeric", "imag")
    if array.dtype.kind == "c":
        return record_view(IMAG, array)
    if options.current().strict:
        raise TypeError(f"imag: expected complex data, got {describe(current(array))} (strict=True is set)")
    return record(IMAG, array)
