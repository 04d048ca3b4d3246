"""Reductions over several blocks: a part for each block, and how parts become the result."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lazyxp.kernel import NO_AXIS, Instruction, Kernel

Array = Any
Axis = tuple[int, ...]


class Block(NamedTuple):
    """What a reduction sees of one block: the values, which axes it reduces, and what others of them found out."""

    x: Array
    axis: Axis
    dtype: Any
    value: int
    shared: dict[Any, Any]

    def total(self) -> Array:
        """The sum of the block in its own dtype."""
        key = "total", self.value, self.axis
        found = self.shared.get(key)
        if found is None:
            found = self.shared[key] = np.add.reduce(self.x, axis=self.axis, keepdims=True)
        return found


class Combiner(NamedTuple):
    """How one reduction works on blocks.

    Attributes
    ----------
    part : callable
        ``part(block)``, in which reduced axes are kept with length 1.
    merge : callable
        The part of two blocks together.
    finish : callable
        ``finish(part, count, params)``: the result, where `count` elements were reduced.
    """

    part: Callable[[Block], Any]
    merge: Callable[[Any, Any], Any]
    finish: Callable[[Any, int, dict[str, Any]], Array]


def _as_it_is(part: Array, count: int, params: dict[str, Any]) -> Array:
    return part


def _chosen(ufunc: np.ufunc) -> Combiner:
    return Combiner(lambda b: ufunc.reduce(b.x, axis=b.axis, keepdims=True), ufunc, _as_it_is)


def _sum(b: Block) -> Array:
    return b.total() if b.x.dtype == b.dtype else np.add.reduce(b.x, axis=b.axis, dtype=b.dtype, keepdims=True)


def _product(b: Block) -> Array:
    return np.multiply.reduce(b.x, axis=b.axis, dtype=b.dtype, keepdims=True)


def mean_of(total: Array, count: int | Array) -> Array:
    """A mean; of complex numbers by parts, so that NaN and infinity do not leak from one into the other."""
    total = np.array(total)
    if total.dtype.kind == "c":
        total.real /= count
        total.imag /= count
        return total
    return total / np.asarray(count, total.dtype)


def _mean(total: Array, count: int, params: dict[str, Any]) -> Array:
    return mean_of(total, count)


class Moments(NamedTuple):
    """Of some elements: how many, their sum, about where they are, the sums of the distances and their squares.

    And whether all of them are finite, which their sum need not be then.
    """

    number: int
    total: Array
    center: Array
    sums: Array
    squares: Array
    finite: Array


def _moments(b: Block) -> Moments:
    key = "moments", b.value, b.axis
    found: Moments | None = b.shared.get(key)
    if found is None:
        count = math.prod(b.x.shape[i] for i in b.axis)
        center = b.total() / b.x.real.dtype.type(count)
        apart = np.subtract(b.x, center)
        sums = np.add.reduce(apart, axis=b.axis, keepdims=True)
        squares = np.multiply(apart, apart, out=apart) if apart.dtype.kind != "c" else real_product(apart, apart)
        finite = np.isfinite(b.total())
        if not finite.all():
            finite = np.isfinite(b.x).all(axis=b.axis, keepdims=True)
        found = Moments(count, b.total(), center, sums, np.add.reduce(squares, axis=b.axis, keepdims=True), finite)
        b.shared[key] = found
    return found


def real_product(x: Array, y: Array) -> Array:
    """The real part of the product of `x` and the conjugate of `y`."""
    return x.real * y.real + x.imag * y.imag if x.dtype.kind == "c" else x * y


def overflowed(squares: Array, total: Array, finite: Array) -> Array:
    """The sum of squared distances, infinite where it is NaN of `finite` elements: infinities have cancelled.

    Where `total` is NaN as well, or no finite complex number, it is NaN for NumPy, too.
    """
    lost = np.isnan(squares)
    if not lost.any():
        return squares
    finite = np.isfinite(total) if total.dtype.kind == "c" else finite & ~np.isnan(total)
    return np.where(lost & finite, squares.dtype.type(math.inf), squares)


def _merged_moments(a: Moments, b: Moments) -> Moments:
    """Both seen from one center; what is lost in rounding that does not matter, so that nothing cancels."""
    count = a.number + b.number
    real = a.squares.dtype.type
    center = a.center + (b.center - a.center) * real(b.number / count)
    sums, squares = real(0), real(0)
    for part in (a, b):
        n, away = real(part.number), part.center - center
        sums = sums + part.sums + n * away
        squares = squares + part.squares + real(2) * real_product(away, part.sums) + n * real_product(away, away)
    return Moments(count, a.total + b.total, center, sums, squares, a.finite & b.finite)


def _variance(moments: Moments, count: int, params: dict[str, Any]) -> Array:
    """Seen from the mean as it is rounded, as NumPy does: ``(x - mean(x)) / std(x)`` is then never large."""
    real = moments.squares.dtype.type
    away = moments.center - mean_of(moments.total, count)
    squares = moments.squares + real(2) * real_product(away, moments.sums) + real(count) * real_product(away, away)
    degrees = count - params["correction"]
    squares = overflowed(np.maximum(squares, real(0)), moments.total, moments.finite)
    return squares / real(degrees if degrees > 0 else math.nan)


def _deviation(moments: Moments, count: int, params: dict[str, Any]) -> Array:
    return np.sqrt(_variance(moments, count, params))


COMBINERS: dict[str, Combiner] = {
    "sum": Combiner(_sum, np.add, _as_it_is),
    "prod": Combiner(_product, np.multiply, _as_it_is),
    "max": _chosen(np.maximum),
    "min": _chosen(np.minimum),
    "any": _chosen(np.logical_or),
    "all": _chosen(np.logical_and),
    "count_nonzero": Combiner(lambda b: np.count_nonzero(b.x, axis=b.axis, keepdims=True), np.add, _as_it_is),
    "mean": Combiner(Block.total, np.add, _mean),
    "var": Combiner(_moments, _merged_moments, _variance),
    "std": Combiner(_moments, _merged_moments, _deviation),
}


_ACCUMULATED: dict[str, np.ufunc] = {"cumulative_sum": np.add, "cumulative_prod": np.multiply}


class Continued:
    """One scan of a kernel while the blocks go by: it goes on from where the block before has come to."""

    def __init__(self, one: Instruction) -> None:
        self._ufunc = _ACCUMULATED[one.node.op.name]
        self._axis: int = one.node.params["axis"]
        self._dtype = one.node.dtype
        self._others = tuple([a for i, a in enumerate(one.axes) if a != NO_AXIS and i != self._axis])
        self._last: dict[tuple[int, ...], Array] = {}

    def add(self, x: Array, block: tuple[slice, ...]) -> Array:
        """The result in the next block of its region."""
        region = tuple([block[a].start for a in self._others])
        found = np.array(x, self._dtype)
        before = (slice(None),) * self._axis
        if region in self._last:
            first = found[(*before, slice(0, 1))]
            self._ufunc(self._last[region], first, out=first)
        self._ufunc.accumulate(found, axis=self._axis, dtype=self._dtype, out=found)
        self._last[region] = found[(*before, slice(-1, None))].copy()
        return found


def most_parts(blocks: int) -> int:
    """How many parts are there at most when so many blocks are combined: two that are merged, and those that wait."""
    return blocks.bit_length() + 1


class Combined:
    """One reduction of a kernel while the blocks go by.

    Parts are merged in pairs, pairs in pairs and so on, as NumPy adds up: rounding errors grow with the logarithm of
    the number of blocks, and few parts are held at a time.
    """

    def __init__(self, combiner: Combiner, one: Instruction, kernel: Kernel, lengths: tuple[int, ...]) -> None:
        self._combiner = combiner
        self._params = one.node.params
        self._value = one.args[0]
        self._axis: Axis = one.node.params["axis"]
        self._dtype = one.node.params.get("dtype")
        self._count = math.prod(kernel.lengths[a] for a in one.reduced)
        self._kept = tuple(a for a in one.axes if a != NO_AXIS)
        self._parts = math.prod(-(-kernel.lengths[a] // lengths[a]) for a in one.reduced)
        # For each region of the result: how many parts came in, and (how many blocks, part) in falling numbers.
        self._waiting: dict[tuple[int, ...], tuple[int, list[tuple[int, Any]]]] = {}

    def add(self, x: Array, block: tuple[slice, ...], shared: dict[Any, Any]) -> Array | None:
        """Take in one block; the result of its region once every block of that was seen."""
        region = tuple([block[a].start for a in self._kept])
        seen, parts = self._waiting.get(region, (0, []))
        merge = self._combiner.merge
        weight, part = 1, self._combiner.part(Block(x, self._axis, self._dtype, self._value, shared))
        while parts and parts[-1][0] == weight:
            part = merge(parts.pop()[1], part)
            weight *= 2
        parts.append((weight, part))
        if seen + 1 < self._parts:
            self._waiting[region] = seen + 1, parts
            return None
        self._waiting.pop(region, None)
        part = parts.pop()[1]
        while parts:
            part = merge(parts.pop()[1], part)
        return np.asarray(self._combiner.finish(part, self._count, self._params))
