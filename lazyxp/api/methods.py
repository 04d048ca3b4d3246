"""The methods of NumPy's arrays that the standard has as functions.

Each is the function of the same name, so that ``x.sum(axis=0)`` is ``np.sum(x, axis=0)``. There are none of them under
``strict=True``, as the standard has none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyxp import options

if TYPE_CHECKING:
    from lazyxp.api.array import Array


class Method:
    """A method that calls `function` with the array."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.__doc__ = f"NumPy's ``ndarray.{name}``; AttributeError under ``strict=True``."

    def __get__(self, x: Any, owner: type | None = None) -> Any:
        if x is None:
            return self
        if options.current().strict:
            raise AttributeError(f"lazyxp's arrays have no method {self.name!r} (strict=True is set); call a function")
        return partial(self.function, x)


def _shape_of(sides: tuple[Any, ...]) -> Any:
    """What ``x.reshape(2, 3)`` and ``x.reshape((2, 3))`` both mean."""
    return sides[0] if len(sides) == 1 else sides


def _astype(
    x: Array, dtype: Any, order: str = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    if not np.can_cast(x.dtype, dtype, casting):
        raise TypeError(f"cannot cast array data from {x.dtype} to {np.dtype(dtype)} according to the rule {casting!r}")
    return np.astype(x, dtype, copy=copy)  # type: ignore[call-overload]


def _item(x: Array, *index: Any) -> Any:
    return np.asarray(x[index] if len(index) != 1 or x.ndim == 1 else np.ravel(x)[index[0]]).item()


def _transpose(x: Array, *axes: Any) -> Any:
    return np.transpose(x, _shape_of(axes) if axes else None)


def _fill(x: Array, value: Any) -> None:
    x[...] = value


def _sort(x: Array, axis: int = -1, *, stable: bool = True) -> None:
    x[...] = np.sort(x, axis, stable=stable)


class NumPyMethods:
    """What `Array` has of NumPy's methods."""

    __slots__ = ()

    all = Method(np.all)
    any = Method(np.any)
    argmax = Method(np.argmax)
    argmin = Method(np.argmin)
    argsort = Method(np.argsort)
    astype = Method(_astype)
    clip = Method(np.clip)
    conj = Method(np.conj)
    conjugate = Method(np.conj)
    copy = Method(np.copy)
    cumprod = Method(np.cumprod)
    cumsum = Method(np.cumsum)
    diagonal = Method(np.diagonal)
    dot = Method(np.dot)
    fill = Method(_fill)
    flatten = Method(lambda x: np.copy(np.ravel(x)))
    item = Method(_item)
    max = Method(np.max)
    mean = Method(np.mean)
    min = Method(np.min)
    nonzero = Method(np.nonzero)
    prod = Method(np.prod)
    ravel = Method(np.ravel)
    repeat = Method(np.repeat)
    reshape = Method(lambda x, *shape, **params: np.reshape(x, _shape_of(shape), **params))
    round = Method(np.round)
    searchsorted = Method(np.searchsorted)
    sort = Method(_sort)
    squeeze = Method(np.squeeze)
    std = Method(np.std)
    sum = Method(np.sum)
    swapaxes = Method(np.swapaxes)
    take = Method(np.take)
    tolist = Method(lambda x: np.asarray(x).tolist())
    trace = Method(np.trace)
    transpose = Method(_transpose)
    var = Method(np.var)
