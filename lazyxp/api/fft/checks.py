"""What the transforms check of their operands and parameters before they record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from lazyxp import dtypes, options
from lazyxp.api.array import Array
from lazyxp.api.recording import cast, current, operand
from lazyxp.node import Shape, describe
from lazyxp.shapes import as_index, normalize_axes

_NORMS = ("backward", "ortho", "forward")


def any_input(x: Array, function: str) -> Array:
    """`x` as floating-point data, real data as it is; the standard asks for complex data, and so does strict."""
    x = operand(x, "complex floating-point", function)
    return cast(x, dtypes.as_floating(x.dtype))


def complex_input(x: Array, function: str) -> Array:
    """`x` as complex data."""
    x = any_input(x, function)
    return cast(x, dtypes.complex_of(x.dtype))


def real_input(x: Array, function: str) -> Array:
    """`x` as real floating-point data; complex data is a TypeError."""
    x = operand(x, "real floating-point", function)
    return cast(x, dtypes.as_floating(x.dtype))


def norm_mode(norm: Any, function: str) -> str:
    """`norm`, one of the standard's three; None is NumPy's other name of the default."""
    if norm is None and not options.current().strict:
        return "backward"
    if norm not in _NORMS:
        raise ValueError(f"{function}: norm must be one of {', '.join(map(repr, _NORMS))}, not {norm!r}")
    return str(norm)


def points(n: int | None, x: Array, axis: int, function: str) -> int | None:
    """`n`, a number of points along `axis`, refused with a ValueError when it is known and not positive."""
    if n is not None and n < 1:
        raise ValueError(
            f"{function}: cannot transform {n} points along axis {axis} of {describe(current(x))}; "
            "the number of points must be at least 1"
        )
    return n


def output_length(side: int | None) -> int | None:
    """How many real points `side` complex ones give by default."""
    return None if side is None else 2 * (side - 1)


def half(n: int | None) -> int | None:
    """How many complex points `n` real ones give; the others are their conjugates."""
    return None if n is None else n // 2 + 1


def with_side(shape: Shape, axis: int, side: int | None) -> Shape:
    """`shape` with `side` along `axis`."""
    return (*shape[:axis], side, *shape[axis + 1 :])


def transformed_axes(
    s: Sequence[int] | None, axes: Sequence[int] | None, ndim: int, function: str
) -> tuple[tuple[int, ...] | None, tuple[int, ...]]:
    """`s` as a tuple of ints or None, and `axes` counted from the front; `s` alone means the last axes, as in NumPy."""
    if s is None:
        return None, normalize_axes(axes, ndim, function)
    if not isinstance(s, Iterable):
        raise TypeError(f"{function}: s must be a sequence of integers, not {s!r}")
    lengths = tuple(as_index(n, f"{function}: each length in s") for n in s)
    if axes is None:
        if options.current().strict:
            raise ValueError(f"{function}: s={lengths} needs axes, one for each length (strict=True is set)")
        axes = range(-len(lengths), 0)
    result = normalize_axes(axes, ndim, function)
    if len(result) != len(lengths):
        raise ValueError(f"{function}: s={lengths} and axes={result} must be equally long")
    return lengths, result
