"""Python scalars beside arrays: they are weak, the arrays decide the dtype unless a scalar is of a higher kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.recording import SCALARS, as_array, cast, operand

if TYPE_CHECKING:
    from lazyxp.typing import ArrayLike, DType, Scalar


def array_or_scalar(x: ArrayLike, category: str, function: str) -> Array | Scalar:
    """`x` itself if it is a Python scalar, else as an Array whose dtype is in `category`."""
    if type(x) not in SCALARS:
        return operand(x, category, function)
    if options.current().strict and type(x) is complex and not dtypes.in_category(dtypes.complex128, category):
        raise TypeError(f"{function}: expected {category} data, got {x!r} (strict=True is set)")
    return x  # type: ignore[return-value]


def weak_dtype(function: str, *operands: Array | Scalar) -> DType:
    """The dtype that arrays and weak Python scalars promote to; under ``strict=True`` where the standard has one."""
    arrays = [x.dtype for x in operands if isinstance(x, Array)]
    scalars = [type(x) for x in operands if not isinstance(x, Array)]
    if not scalars:
        return dtypes.promote(*arrays, function=function)
    if options.current().strict:
        _check_standard(function, arrays, scalars)
    return np.result_type(*arrays, *[scalar() for scalar in scalars])


def _check_standard(function: str, arrays: list[DType], scalars: list[type]) -> None:
    if not arrays:
        raise TypeError(f"{function}: at least one operand must be an array (strict=True is set)")
    target = dtypes.promote(*arrays, function=function)
    for scalar in scalars:
        if not dtypes.scalar_fits(scalar, target):
            raise TypeError(
                f"{function}: a Python {scalar.__name__} cannot be mixed with {target} data (strict=True is set)"
            )


def holding(value: Any, dtype: DType) -> DType:
    """`dtype`, or the wider one that a Python int needs which an integer `dtype` cannot hold."""
    if type(value) is not int or dtype.kind not in "iu" or np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
        return dtype
    needed = np.min_scalar_type(value)
    return dtype if needed.kind == "O" else np.result_type(dtype, needed)


def typed(x: Array | Scalar, dtype: DType, function: str) -> Array:
    """`x` as an Array of `dtype`."""
    return cast(as_array(x, function, dtype), dtype)
