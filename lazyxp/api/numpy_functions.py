"""NumPy's functions and ufunc methods that record when they are called on lazy arrays.

A function of NumPy that the standard has as well records, with the arguments that both know. With others (``where=``),
and without a counterpart here, NumPy computes it on the values, and the result is a source.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

import lazyxp as xp
from lazyxp.api import manipulation
from lazyxp.api.array import Array
from lazyxp.api.declare import UFUNCS
from lazyxp.api.recording import SCALARS, as_array, known_shape
from lazyxp.dtypes import STANDARD
from lazyxp.node import user_site
from lazyxp.sources import owned

# The same name on both sides. The operands come first, and other parameters have the same meaning by the same name.
_SAME = """
    all any argmax argmin astype broadcast_arrays broadcast_to clip concat count_nonzero cumulative_prod
    cumulative_sum diff empty_like expand_dims flip full_like imag isin matrix_transpose max mean meshgrid min
    moveaxis nonzero ones_like permute_dims prod real repeat reshape result_type roll round searchsorted stack std sum
    take_along_axis tensordot tile tril triu unique_all unique_counts unique_inverse unique_values unstack var
    zeros_like
    linalg.cholesky linalg.cross linalg.det linalg.diagonal linalg.eig linalg.eigh linalg.eigvals linalg.eigvalsh
    linalg.inv linalg.matmul linalg.matrix_norm linalg.matrix_power linalg.matrix_rank linalg.matrix_transpose
    linalg.outer linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.svd linalg.svdvals linalg.tensordot
    linalg.trace linalg.vecdot linalg.vector_norm
    fft.fft fft.fftn fft.fftshift fft.hfft fft.ifft fft.ifftn fft.ifftshift fft.ihfft fft.irfft fft.irfftn fft.rfft
    fft.rfftn
"""
_OTHER_NAMES = {"amax": "max", "amin": "min", "around": "round", "concatenate": "concat"}
_OTHER_PARAMETERS = {"a_max": "max", "a_min": "min", "ddof": "correction"}


def _flat(a: Any) -> Array:
    return xp.reshape(as_array(a, "ravel"), (-1,))


def _along(function: Callable[..., Array], x: Any, axis: int | None, **params: Any) -> Array:
    """`function` along `axis`, or of all elements in a row where that is None."""
    return function(_flat(x), axis=0, **params) if axis is None else function(x, axis=axis, **params)


def _take(a: Any, indices: Any, axis: int | None = None) -> Array:
    x = _flat(a) if axis is None else as_array(a, "take")
    return x[(slice(None),) * (range(x.ndim)[axis or 0]) + (as_array(indices, "take"),)]


def _squeeze(a: Any, axis: Any = None) -> Array:
    return xp.squeeze(a, tuple(i for i, n in enumerate(a.shape) if n == 1) if axis is None else axis)


def _swapaxes(a: Array, axis1: int, axis2: int) -> Array:
    order = list(range(a.ndim))
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return xp.permute_dims(a, tuple(order))


def _atleast(ndim: int) -> Callable[..., Any]:
    def atleast(*arrays: Any) -> Any:
        found = tuple(_with_dims(as_array(a, "atleast"), ndim) for a in arrays)
        return found[0] if len(found) == 1 else found

    return atleast


def _with_dims(x: Array, ndim: int) -> Array:
    if x.ndim >= ndim:
        return x
    if ndim == 3:  # NumPy adds an axis at the end
        return xp.expand_dims(_with_dims(x, 2), 2)
    return xp.reshape(x, (1,) * (ndim - x.ndim) + known_shape(x, "atleast"))


def _stacked(ndim: int, axis: int) -> Callable[[Sequence[Any]], Array]:
    return lambda tup: xp.concat([_with_dims(as_array(x, "stack"), ndim) for x in tup], axis=axis)


def _hstack(tup: Sequence[Any]) -> Array:
    arrays = [_with_dims(as_array(x, "hstack"), 1) for x in tup]
    return xp.concat(arrays, axis=0 if arrays[0].ndim == 1 else 1)


def _column_stack(tup: Sequence[Any]) -> Array:
    arrays = [as_array(x, "column_stack") for x in tup]
    return xp.concat([x if x.ndim > 1 else xp.reshape(x, (-1, 1)) for x in arrays], axis=1)


def _dot(a: Any, b: Any) -> Array:
    one, two = as_array(a, "dot"), as_array(b, "dot")
    if not one.ndim or not two.ndim:
        return one * two
    return xp.tensordot(one, two, axes=([one.ndim - 1], [max(two.ndim - 2, 0)]))


def _inner(a: Any, b: Any) -> Array:
    one, two = as_array(a, "inner"), as_array(b, "inner")
    if not one.ndim or not two.ndim:
        return one * two
    return xp.tensordot(one, two, axes=([one.ndim - 1], [two.ndim - 1]))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    ndim = np.ndim(x) if axis is None else np.size(axis)
    if axis is None and ord is None:
        found = xp.linalg.vector_norm(x, axis=None, keepdims=keepdims)
    elif ndim == 1:
        found = xp.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=2 if ord is None else ord)
    elif ndim == 2 and axis in (None, (-2, -1)):
        found = xp.linalg.matrix_norm(x, keepdims=keepdims, ord="fro" if ord is None else ord)
    else:
        return NotImplemented
    return found


def _diagonal(a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    return xp.linalg.diagonal(xp.moveaxis(a, (axis1, axis2), (-2, -1)), offset=offset)


def _copyto(dst: Array, src: Any) -> None:
    dst[...] = src


def _isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Array:
    a, b = as_array(a, "isclose"), as_array(b, "isclose")
    b = b if b.dtype.kind in "fc" else xp.astype(b, xp.float64)  # unsigned differences would wrap
    close = xp.logical_and(xp.isfinite(b), xp.abs(a - b) <= atol + rtol * xp.abs(b))
    close = xp.logical_or(close, a == b)
    return xp.logical_or(close, xp.logical_and(xp.isnan(a), xp.isnan(b))) if equal_nan else close


def _array_equal(a1: Any, a2: Any) -> bool:
    a1, a2 = as_array(a1, "array_equal"), as_array(a2, "array_equal")
    return a1.shape == a2.shape and bool(xp.all(a1 == a2))


# NumPy's own ways to call what the standard spells otherwise: by NumPy's parameters.
_ADAPTED: dict[str, Callable[..., Any]] = {
    "allclose": lambda a, b, **tolerances: bool(xp.all(_isclose(a, b, **tolerances))),
    "argsort": lambda a, axis=-1, stable=True: _along(xp.argsort, a, axis, stable=stable),
    "argwhere": lambda a: xp.stack(xp.nonzero(_with_dims(a, 1)), axis=-1)[:, : a.ndim],
    "array_equal": _array_equal,
    "array_repr": lambda arr: repr(arr),
    "array_str": lambda a: str(a),
    "atleast_1d": _atleast(1),
    "atleast_2d": _atleast(2),
    "atleast_3d": _atleast(3),
    "column_stack": _column_stack,
    "copy": lambda a: xp.asarray(a, copy=True),
    "copyto": _copyto,
    "cumprod": lambda a, axis=None, dtype=None: _along(xp.cumulative_prod, a, axis, dtype=dtype),
    "cumsum": lambda a, axis=None, dtype=None: _along(xp.cumulative_sum, a, axis, dtype=dtype),
    "diagonal": _diagonal,
    "dot": _dot,
    "dstack": _stacked(3, 2),
    "flatnonzero": lambda a: xp.nonzero(_flat(a))[0],
    "fliplr": lambda m: xp.flip(m, axis=1),
    "flipud": lambda m: xp.flip(m, axis=0),
    "hstack": _hstack,
    "inner": _inner,
    "iscomplexobj": lambda x: x.dtype.kind == "c",
    "isclose": _isclose,
    "isrealobj": lambda x: x.dtype.kind != "c",
    "linalg.norm": _norm,
    "ndim": lambda a: a.ndim,
    "outer": lambda a, b: xp.linalg.outer(_flat(a), _flat(b)),
    "ptp": lambda a, axis=None, keepdims=False: (
        xp.max(a, axis=axis, keepdims=keepdims) - xp.min(a, axis=axis, keepdims=keepdims)
    ),
    "ravel": _flat,
    "shape": lambda a: a.shape,
    "size": lambda a, axis=None: math.prod(np.shape(a)) if axis is None else a.shape[axis],
    "sort": lambda a, axis=-1, stable=True: _along(xp.sort, a, axis, stable=stable),
    "squeeze": _squeeze,
    "swapaxes": _swapaxes,
    "take": _take,
    "trace": lambda a, offset=0, axis1=0, axis2=1, dtype=None: xp.sum(
        _diagonal(a, offset, axis1, axis2), axis=-1, dtype=dtype
    ),
    "transpose": lambda a, axes=None: manipulation.transpose(a) if axes is None else xp.permute_dims(a, axes),
    "vstack": _stacked(2, 0),
    "where": lambda condition, *xy: xp.where(condition, *xy) if xy else xp.nonzero(condition),
}


def _found(module: Any, name: str) -> Any:
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


# NumPy's function -> ours, by the parameters of the standard, and whether it takes NumPy's instead.
FUNCTIONS: dict[Any, tuple[Callable[..., Any], bool]] = {
    **{_found(np, name): (_found(xp, name), False) for name in _SAME.split()},
    **{_found(np, name): (_found(xp, ours), False) for name, ours in _OTHER_NAMES.items()},
    **{_found(np, name): (function, True) for name, function in _ADAPTED.items()},
}
FUNCTIONS.pop(None, None)  # what an older NumPy lacks
_REDUCED = {
    np.add: xp.sum,
    np.multiply: xp.prod,
    np.maximum: xp.max,
    np.minimum: xp.min,
    np.logical_and: xp.all,
    np.logical_or: xp.any,
}
_ACCUMULATED = {np.add: xp.cumulative_sum, np.multiply: xp.cumulative_prod}


@cache
def _signature(function: Any) -> inspect.Signature:
    return inspect.signature(function)


def function_called(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What `function` of NumPy gives on `args`, some of which are lazy arrays or hold them."""
    ours, adapted = FUNCTIONS.get(function, (None, False))
    if ours is not None:
        call = _adapted(function, args, kwargs) if adapted else _translated(function, ours, args, kwargs)
        if call is not None:
            result = ours(*call[0], **call[1])
            if result is not NotImplemented:
                return result
    return _computed(function, args, kwargs)


def _given(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> list[tuple[inspect.Parameter, Any]]:
    """The parameters of `function` with the values that are not their defaults."""
    signature = _signature(function)
    bound = signature.bind(*args, **kwargs)
    found = [(signature.parameters[name], value) for name, value in bound.arguments.items()]
    return [(p, value) for p, value in found if not _is_default(p, value)]


def _is_default(parameter: inspect.Parameter, value: Any) -> bool:
    default = parameter.default
    return value is default or (
        type(value) is type(default) and isinstance(value, (str, *SCALARS)) and value == default
    )


def _adapted(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
    """The arguments of `function` without defaults; None where ours does not take them."""
    given = _given(function, args, kwargs)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter, value in given:
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(value)
        else:
            named[parameter.name] = value
    try:
        _signature(FUNCTIONS[function][0]).bind(*positional, **named)
    except TypeError:
        return None
    return positional, named


def _translated(
    function: Any, ours: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]] | None:
    """The arguments of `function` in the terms of the standard; None where it has no such parameter."""
    taken = _signature(ours).parameters
    operands = sum(p.kind is p.POSITIONAL_ONLY for p in taken.values())
    order = list(_signature(function).parameters)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter, value in _given(function, args, kwargs):
        name = _OTHER_PARAMETERS.get(parameter.name, parameter.name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif order.index(parameter.name) == len(positional) < operands:
            positional.append(value)
        elif name in taken and taken[name].kind is not inspect.Parameter.POSITIONAL_ONLY:
            named[name] = value
        else:
            return None
    needed = sum(p.kind is p.POSITIONAL_ONLY and p.default is p.empty for p in taken.values())
    return (positional, named) if len(positional) >= needed else None


def _computed(function: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What NumPy gives on the values, as lazy arrays; what it writes to is seen."""
    given: list[tuple[Any, Any]] = []
    result = function(*_values(args, given), **_values(kwargs, given))
    if not isinstance(result, (tuple, list)):
        return _recorded(result, given)
    parts = [_recorded(r, given) for r in result]
    return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)


def _values(argument: Any, given: list[tuple[Any, Any]]) -> Any:
    """`argument` with values in the place of lazy arrays; `given` gets all arrays, each with what stands for it."""
    if isinstance(argument, (Array, np.ndarray)):
        given.append((argument, np.asarray(argument)))
        return given[-1][1]
    if type(argument) in (list, tuple):
        return type(argument)(_values(a, given) for a in argument)
    if type(argument) is dict:
        return {key: _values(a, given) for key, a in argument.items()}
    return argument


def _recorded(result: Any, given: list[tuple[Any, Any]]) -> Any:
    """An array as a lazy one, but those that were given as they are; so is what lazy arrays cannot hold."""
    if not isinstance(result, (np.ndarray, np.generic)) or result.dtype not in STANDARD:
        return result
    for argument, value in given:
        if result is value:
            return argument
    return Array(owned(np.array(result, copy=None if result.base is None else True), user_site()))


# --- ufuncs ----------------------------------------------------------------------------------------------------------


def ufunc_called(ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """What a ufunc, or a method of it, gives on `inputs`, some of which are lazy arrays."""
    if method == "__call__":
        out = kwargs.get("out", ())
        function = xp.matmul if ufunc is np.matmul else UFUNCS.get(ufunc)
        if function is not None and kwargs.keys() <= {"out"}:
            result = function(*inputs)
            return result if not out else _written(result, out[0])
    elif method == "reduce" and ufunc in _REDUCED and kwargs.keys() <= {"axis", "keepdims", "dtype"}:
        if "dtype" not in kwargs or ufunc in _ACCUMULATED:
            return _REDUCED[ufunc](inputs[0], **{"axis": 0, **kwargs})
    elif method == "accumulate" and ufunc in _ACCUMULATED and kwargs.keys() <= {"axis", "dtype"}:
        return _ACCUMULATED[ufunc](inputs[0], **{"axis": 0, **kwargs})
    elif method == "outer" and ufunc in UFUNCS and not kwargs:
        one, two = (as_array(x, ufunc.__name__) for x in inputs)
        return UFUNCS[ufunc](xp.reshape(one, known_shape(one, "outer") + (1,) * two.ndim), two)
    return _computed(getattr(ufunc, method), inputs, kwargs)


def _written(result: Array, out: Any) -> Any:
    """`out`, with `result` in it."""
    if not np.can_cast(result.dtype, out.dtype, "same_kind"):
        raise TypeError(f"cannot cast the result {result!r} to the dtype {out.dtype} of out=")
    if out.shape != result.shape:
        raise ValueError(f"out= has the shape {out.shape}, but the result has the shape {result.shape}")
    out[...] = result if isinstance(out, Array) else np.asarray(result)
    return out
