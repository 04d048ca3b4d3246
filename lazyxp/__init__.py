"""lazyxp: the Python Array API standard, lazily.

Calls record an expression graph; ``x.compute(backend=...)`` runs it on NumPy, Dask, PyData/sparse, CuPy or any other
Array API namespace.
"""

import importlib as _importlib
import sys as _sys
from math import e, inf, nan, pi
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from numpy import (
    bool,
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)

from lazyxp.api.array import Array  # isort: skip - the functions below need it
from lazyxp.api import fft, linalg
from lazyxp.api.complex import imag, real
from lazyxp.api.conversion import asarray, from_dlpack
from lazyxp.api.creation import arange, eye, linspace, meshgrid, tril, triu
from lazyxp.api.data_types import astype, can_cast, finfo, iinfo, isdtype, result_type
from lazyxp.api.elementwise import (
    abs,
    acos,
    acosh,
    add,
    asin,
    asinh,
    atan,
    atan2,
    atanh,
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    ceil,
    clip,
    conj,
    copysign,
    cos,
    cosh,
    divide,
    equal,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    hypot,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    log2,
    log10,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    nextafter,
    not_equal,
    positive,
    pow,
    reciprocal,
    remainder,
    round,
    sign,
    signbit,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
)
from lazyxp.api.filled import empty, empty_like, full, full_like, ones, ones_like, zeros, zeros_like
from lazyxp.api.indexing import take, take_along_axis
from lazyxp.api.info import __array_namespace_info__
from lazyxp.api.joining import concat, repeat, roll, stack, tile, unstack
from lazyxp.api.linear_algebra import matmul, tensordot, vecdot
from lazyxp.api.manipulation import (
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    expand_dims,
    flip,
    matrix_transpose,
    moveaxis,
    permute_dims,
    reshape,
    squeeze,
)
from lazyxp.api.searching import argmax, argmin, count_nonzero, nonzero, searchsorted, where
from lazyxp.api.sets import isin, unique_all, unique_counts, unique_inverse, unique_values
from lazyxp.api.sorting import argsort, sort
from lazyxp.api.statistical import cumulative_prod, cumulative_sum, max, mean, min, prod, std, sum, var
from lazyxp.api.utility import all, any, diff
from lazyxp.options import get_options, set_options

__all__ = [
    "Array",
    "__array_api_version__",
    "__array_namespace_info__",
    "__version__",
    "abs",
    "acos",
    "acosh",
    "add",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "asarray",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "backends",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bool",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "can_cast",
    "ceil",
    "clip",
    "complex64",
    "complex128",
    "compute",
    "concat",
    "conj",
    "copysign",
    "cos",
    "cosh",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "divide",
    "e",
    "empty",
    "empty_like",
    "equal",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "fft",
    "finfo",
    "flip",
    "float32",
    "float64",
    "floor",
    "floor_divide",
    "from_dlpack",
    "from_source",
    "full",
    "full_like",
    "get_options",
    "greater",
    "greater_equal",
    "hypot",
    "iinfo",
    "imag",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "jit",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "meshgrid",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan",
    "negative",
    "newaxis",
    "nextafter",
    "nonzero",
    "not_equal",
    "ones",
    "ones_like",
    "permute_dims",
    "persist",
    "pi",
    "positive",
    "pow",
    "prod",
    "real",
    "reciprocal",
    "register_executor",
    "register_pass",
    "remainder",
    "repeat",
    "reshape",
    "result_type",
    "roll",
    "round",
    "searchsorted",
    "set_options",
    "show_versions",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sort",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "to_networkx",
    "tril",
    "triu",
    "trunc",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "var",
    "vecdot",
    "visualize",
    "where",
    "zeros",
    "zeros_like",
]

newaxis = None
# So that `import lazyxp.linalg` works, as it does in NumPy.
_sys.modules[f"{__name__}.linalg"] = linalg
_sys.modules[f"{__name__}.fft"] = fft
__array_api_version__ = "2025.12"
__version__ = "0.1.0"

if _TYPE_CHECKING:
    from lazyxp.evaluate import compute, persist
    from lazyxp.executors.registry import backends, register_executor
    from lazyxp.external import from_source
    from lazyxp.info import show_versions
    from lazyxp.looking import to_networkx, visualize
    from lazyxp.optimizers import register_pass
    from lazyxp.tracing import jit

# What runs or draws graphs is imported when it is first asked for, so that `import lazyxp` stays quick.
_LATER = {
    "compute": "lazyxp.evaluate",
    "from_source": "lazyxp.external",
    "persist": "lazyxp.evaluate",
    "jit": "lazyxp.tracing",
    "backends": "lazyxp.executors.registry",
    "register_executor": "lazyxp.executors.registry",
    "register_pass": "lazyxp.optimizers",
    "show_versions": "lazyxp.info",
    "to_networkx": "lazyxp.looking",
    "visualize": "lazyxp.looking",
}


def __getattr__(name: str) -> _Any:
    if name in _LATER:
        value = globals()[name] = getattr(_importlib.import_module(_LATER[name]), name)
        return value
    raise AttributeError(f"module 'lazyxp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
