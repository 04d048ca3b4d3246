"""Data types: the standard's thirteen, their categories, and promotion.

Dtypes are NumPy dtype objects. Promotion is the standard's; what the standard leaves undefined (mixed kinds) is as in
NumPy, or a TypeError under ``strict=True``.
"""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np

from lazyxp import options

DType = np.dtype[Any]

bool = np.dtype("bool")
int8, int16, int32, int64 = (np.dtype(f"int{n}") for n in (8, 16, 32, 64))
uint8, uint16, uint32, uint64 = (np.dtype(f"uint{n}") for n in (8, 16, 32, 64))
float32, float64 = np.dtype("float32"), np.dtype("float64")
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")

DEFAULTS = {
    "real floating": float64,
    "complex floating": complex128,
    "integral": int64,
    "indexing": int64,
}

# isdtype's kinds, and the categories in which the standard states what a function takes, as NumPy kind letters.
KINDS = {
    "bool": "b",
    "signed integer": "i",
    "unsigned integer": "u",
    "integral": "iu",
    "real floating": "f",
    "complex floating": "c",
    "numeric": "iufc",
}
CATEGORIES = {
    "all": "biufc",
    "numeric": "iufc",
    "real": "biuf",
    "real numeric": "iuf",
    "floating-point": "fc",
    "real floating-point": "f",
    "complex floating-point": "c",
    "integer": "iu",
    "integer or boolean": "biu",
    "boolean": "b",
}

STANDARD: tuple[DType, ...] = (
    bool,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    float32,
    float64,
    complex64,
    complex128,
)
# The object that each dtype is known by: NumPy has others that equal it, as where an array was unpickled.
_KNOWN = {d: d for d in (*STANDARD, np.dtype("float16"), np.dtype("longdouble"), np.dtype("clongdouble"))}
_REAL_OF: dict[str, DType] = {"F": float32, "D": float64, "G": np.dtype("longdouble")}
_COMPLEX_OF: dict[str, DType] = {"f": complex64, "d": complex128, "g": np.dtype("clongdouble"), "e": complex64}
_SCALAR_KINDS: dict[type, str] = {builtins.bool: "b", int: "iuf" + "c", float: "fc", complex: "fc"}


def as_dtype(dtype: Any, function: str) -> DType:
    """`dtype` as a native-endian NumPy dtype of numbers or booleans; TypeError otherwise."""
    try:
        result = canonical(np.dtype(dtype).newbyteorder("="))
    except TypeError as error:
        raise TypeError(f"{function}: {dtype!r} is not a data type ({error})") from None
    if result.kind not in "biufc" or (options.current().strict and result not in STANDARD):
        raise TypeError(f"{function}: data type {result} is not one of the standard's: {', '.join(map(str, STANDARD))}")
    return result


def canonical(dtype: DType) -> DType:
    """The object that stands for `dtype` in graphs, where dtypes that are equal are the same object."""
    return _KNOWN.get(dtype, dtype)


def in_category(dtype: DType, category: str) -> builtins.bool:
    """Whether `dtype` belongs to one of the standard's categories ("numeric", "floating-point", ...)."""
    return dtype.kind in CATEGORIES[category]


def real_of(dtype: DType) -> DType:
    """The dtype of the components of complex `dtype`; `dtype` itself otherwise."""
    return _REAL_OF[dtype.char] if dtype.kind == "c" else dtype


def complex_of(dtype: DType) -> DType:
    """The complex dtype whose components hold `dtype`, a floating-point dtype."""
    return dtype if dtype.kind == "c" else _COMPLEX_OF[dtype.char]


def as_floating(dtype: DType) -> DType:
    """`dtype` where it is floating-point, else the default floating-point dtype."""
    return dtype if dtype.kind in "fc" else float64


def default_of(scalar_type: type) -> DType:
    """The default dtype of a Python scalar type."""
    return {builtins.bool: bool, int: int64, float: float64, complex: complex128}[scalar_type]


def accumulator(dtype: DType) -> DType:
    """The result dtype of `sum`, `prod`, ... : small integers widen to the default integer of their sign."""
    if dtype.kind in "bi":
        return int64
    if dtype.kind == "u":
        return uint64
    return dtype


def same_kind(*dtypes: DType) -> builtins.bool:
    """Whether the standard defines the promotion of `dtypes`: all bool, all integer, or all floating-point."""
    kinds = {d.kind for d in dtypes}
    if kinds == {"i", "u"}:
        return uint64 not in dtypes
    return len(kinds) == 1 or kinds == {"f", "c"}


def scalar_fits(scalar_type: type, dtype: DType, category: str = "all") -> builtins.bool:
    """Whether the standard lets a Python scalar of this type meet an array of `dtype` where `category` is taken."""
    return dtype.kind in _SCALAR_KINDS[scalar_type] and (scalar_type is not complex or "c" in CATEGORIES[category])


def promote(*dtypes: DType, function: str = "result_type") -> DType:
    """The dtype that `dtypes` promote to; TypeError under ``strict=True`` where the standard defines none."""
    first = dtypes[0]
    if all(d is first for d in dtypes):
        return first
    if options.current().strict and not same_kind(*dtypes):
        names = " and ".join(str(d) for d in dtypes)
        raise TypeError(
            f"{function}: the standard defines no promotion of {names}; cast one with astype (strict=True is set)"
        )
    return np.result_type(*dtypes)


def check_scalar(value: Any, dtype: DType, function: str) -> Any:
    """`value`, a Python or NumPy scalar, as the Python scalar that `dtype` holds; as NumPy it may overflow."""
    kind = dtype.kind
    if kind == "b":
        return builtins.bool(value)
    if kind in "iu":
        if isinstance(value, complex):
            raise TypeError(f"{function}: complex {value!r} does not fit {dtype}")
        number = int(value)
        limits = np.iinfo(dtype)
        if not limits.min <= number <= limits.max:
            raise OverflowError(
                f"{function}: Python integer {number} out of bounds for {dtype} ({limits.min} to {limits.max})"
            )
        return number
    if kind == "f":
        if isinstance(value, complex) and not isinstance(value, np.generic):
            raise TypeError(f"{function}: complex {value!r} does not fit {dtype}")
        return float(value)
    return complex(value)
