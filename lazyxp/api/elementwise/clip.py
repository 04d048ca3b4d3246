"""Clamping between bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyxp import options
from lazyxp.api.array import Array
from lazyxp.api.mixing import array_or_scalar, typed, weak_dtype
from lazyxp.api.recording import cast, copy_of, operand, record
from lazyxp.node import Meta, Op
from lazyxp.shapes import broadcast

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike, DType, Scalar


def _infer_clip(x: Meta, *bounds: Meta, given: tuple[str, ...]) -> Meta:
    return Meta(broadcast("clip", x.shape, *[b.shape for b in bounds]), x.dtype)


# `given` names the bounds that follow x among the operands: ("min",), ("max",) or ("min", "max").
CLIP = Op("clip", "elementwise", _infer_clip)


def clip(x: ArrayLike, /, min: ArrayLike | None = None, max: ArrayLike | None = None) -> Array:
    """Limit each element to the range from `min` to `max`.

    Parameters
    ----------
    x : ArrayLike
        Real numbers. Booleans and complex numbers are compared as in NumPy (complex numbers by real part, then by
        imaginary part), refused under ``strict=True``.
    min, max : ArrayLike, optional
        The bounds: None for no bound, Python scalars, or arrays of the dtype of `x`. Arrays of other dtypes are taken
        unless ``strict=True``. The shapes broadcast.

    Returns
    -------
    Array
        The limited elements, in the broadcast shape and the dtype of `x`; in the dtype that `x` and the bounds promote
        to where a bound is of another dtype or of a higher kind.

    Raises
    ------
    TypeError
        Under ``strict=True``, if an operand is not real and numeric, an array bound has another dtype than `x`, or a
        scalar bound is of a higher kind.
    ValueError
        If the shapes do not broadcast.
    OverflowError
        If a Python int is a lower bound above, or an upper bound below, every number of the dtype.

    Notes
    -----
    The result is NaN where `x` or a bound is. Where `min` exceeds `max`, the result is `max`. A Python int beyond the
    other end of the dtype bounds nothing: ``clip(x, -1, 300)`` leaves uint8 data as it is.

    References
    ----------
    Array API standard 2025.12, elementwise functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.clip(xp.asarray([-2.0, 0.5, 9.0]), 0, 1).compute()
    array([0. , 0.5, 1. ])
    >>> xp.clip(xp.asarray([1, 5, 9]), max=xp.asarray([4, 6, 8])).compute()
    array([1, 5, 8])
    """
    x = operand(x, "real numeric", "clip")
    bounds = {
        name: array_or_scalar(bound, "real numeric", "clip")
        for name, bound in (("min", min), ("max", max))
        if bound is not None
    }
    dtype = weak_dtype("clip", x, *bounds.values())
    if options.current().strict and any(isinstance(b, Array) and b.dtype != x.dtype for b in bounds.values()):
        raise TypeError(f"clip: array bounds must have the dtype of x, {x.dtype}; cast them (strict=True is set)")
    bounds = {name: bound for name, bound in bounds.items() if not _is_idle(name, bound, dtype)}
    x = cast(x, dtype)
    if not bounds:
        return copy_of(x)
    return record(CLIP, x, *[typed(bound, dtype, "clip") for bound in bounds.values()], given=tuple(bounds))


def _is_idle(name: str, bound: Array | Scalar, dtype: DType) -> bool:
    """Whether a Python int bounds nothing, because no number of integer `dtype` is beyond it."""
    if type(bound) is not int or dtype.kind not in "iu":
        return False
    limits = np.iinfo(dtype)
    return bound <= limits.min if name == "min" else bound >= limits.max
