"""Where PyTorch departs from the standard, or from NumPy, or from the parameters of a node: what runs instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch

from lazyxp.executors.lowerings import concrete_key

Key = tuple[Any, ...]


def _forward(key: Key, shape: tuple[int, ...]) -> tuple[Key, list[int]]:
    """A basic key without negative steps, and the axes of the result that have to be flipped."""
    entries: list[Any] = []
    flipped = []
    axis = place = 0
    for entry in key:
        if type(entry) is slice and (entry.step or 1) < 0:
            taken = range(*entry.indices(shape[axis]))
            flipped.append(place)
            entry = slice(taken[-1], taken[0] + 1, -taken.step) if taken else slice(0, 0)
        entries.append(entry)
        axis += entry is not None
        place += type(entry) is not int
    return tuple(entries), flipped


def _getitem(xp: Any, x: Any, *indices: Any, key: Key) -> Any:
    """Tensors take no negative steps."""
    if indices:
        return x[concrete_key(key, indices)]
    forward, flipped = _forward(key, x.shape)
    return torch.flip(x[forward], flipped) if flipped else x[forward]


def _setitem(xp: Any, x: Any, value: Any, *indices: Any, key: Key) -> Any:
    result = x.clone()
    if indices:
        result[concrete_key(key, indices)] = value
        return result
    forward, flipped = _forward(key, x.shape)
    if flipped:
        value = torch.flip(torch.broadcast_to(value, result[forward].shape), flipped)
    result[forward] = value
    return result


def _take(xp: Any, x: Any, indices: Any, *, axis: int) -> Any:
    """With positions from the end, which PyTorch's functions do not take."""
    return x[(slice(None),) * axis + (indices,)]


def _take_along_axis(xp: Any, x: Any, indices: Any, *, axis: int) -> Any:
    return xp.take_along_axis(x, torch.where(indices < 0, indices + x.shape[axis], indices), axis=axis)


def _parts(function: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """`function` of the parts of complex numbers by themselves, so that NaN in one does not get into the other."""
    return lambda xp, x: torch.complex(function(x.real), function(x.imag)) if x.is_complex() else function(x)


def _log2(xp: Any, x: Any) -> Any:
    if not x.is_complex():
        return torch.log2(x)
    result = torch.log(x)
    return torch.complex(result.real / math.log(2), result.imag / math.log(2))


def _spread(name: str) -> Callable[..., Any]:
    """`std` or `var` with any correction, where PyTorch takes integers; NaN where the divisor is not positive."""
    function = getattr(torch, name)

    def spread(xp: Any, x: Any, *, axis: tuple[int, ...], correction: float, keepdims: bool) -> Any:
        count = math.prod(x.shape[i] for i in axis)
        if not axis:  # for PyTorch these are all axes
            zero = torch.zeros_like(x.abs())
            return zero if count > correction else torch.full_like(zero, math.nan)
        if count <= correction or not x.numel():
            return torch.full_like(torch.sum(x.abs(), dim=axis, keepdim=keepdims), math.nan)
        result = function(x, dim=axis, correction=0, keepdim=keepdims)
        scale = count / (count - correction)
        return result if scale == 1 else result * (math.sqrt(scale) if name == "std" else scale)

    return spread


def _pow(xp: Any, x1: Any, x2: Any) -> Any:
    """Powers of a complex 0 are 0, 1 or NaN as in NumPy."""
    if not x1.is_complex():
        return torch.pow(x1, x2)
    zero, one, nan = (torch.tensor(v, dtype=x1.dtype, device=x1.device) for v in (0, 1, complex(math.nan, math.nan)))
    at_zero = torch.where(x2 == 0, one, torch.where((x2.real > 0) & (x2.imag == 0), zero, nan))
    return torch.where(x1 == 0, at_zero, torch.pow(x1, x2))


def _sign(xp: Any, x: Any) -> Any:
    """Unsigned integers are 0 or positive."""
    return xp.sign(x) if x.dtype.is_signed or x.dtype == torch.bool else (x != 0).to(x.dtype)


def _unique_all(xp: Any, x: Any) -> Any:
    """With the first place of each value, which PyTorch does not tell."""
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
    places = torch.arange(x.numel(), device=x.device)
    first = torch.full(values.shape, x.numel(), device=x.device).scatter_reduce(0, inverse.reshape(-1), places, "amin")
    return values, first, inverse, counts


LOWERINGS: Mapping[str, Callable[..., Any]] = {
    "getitem": _getitem,
    "setitem": _setitem,
    "log2": _log2,
    "nonzero": lambda xp, x: xp.nonzero(x != 0),  # PyTorch counts no unsigned integers but uint8
    "pow": _pow,
    "round": _parts(torch.round),
    "sign": _sign,
    "std": _spread("std"),
    "take": _take,
    "take_along_axis": _take_along_axis,
    "unique_all": _unique_all,
    "var": _spread("var"),
}
