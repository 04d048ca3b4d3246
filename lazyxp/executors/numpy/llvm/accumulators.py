"""Reductions in LLVM IR: what they start with, how two parts become one, and rows that are reduced in registers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyxp.executors.numpy.llvm import scalars
from lazyxp.executors.numpy.llvm.ir import Emitter, Value, element_of
from lazyxp.kernel import POSITIONS

DType = np.dtype[Any]


_LAST = np.iinfo(np.int64).max


def identity(e: Emitter, how: str, dtype: DType) -> Value:
    """What a reduction starts with."""
    if how in POSITIONS:
        return identity(e, how.removeprefix("arg"), dtype), e.const(_LAST, "i64")
    if how in ("max", "min"):
        sign = -1 if how == "max" else 1
        if dtype.kind == "f":
            return e.const(sign * math.inf, element_of(dtype))
        if dtype.kind == "b":
            return e.const(how == "min", "i1")
        limits = np.iinfo(dtype)
        return e.const(limits.min if how == "max" else limits.max, element_of(dtype))
    return scalars.constant(e, how in ("prod", "all"), dtype)


def combined(e: Emitter, how: str, dtype: DType, x: Value, y: Value, *, contract: bool = False) -> Value:
    """Two parts of a reduction as one."""
    element = element_of(dtype)
    if how == "sum":
        if dtype.kind == "c":
            return tuple([e.op("fadd", element, a, b) for a, b in zip(x, y, strict=True)])
        if dtype.kind == "f":
            return e.op("fadd contract" if contract else "fadd", element, x, y)
        return e.op("or" if dtype.kind == "b" else "add", element, x, y)
    if how == "prod":
        return scalars.emit(e, "multiply", [x, y], [dtype, dtype], dtype, None)
    if how in POSITIONS:
        return _first(e, how == "argmax", dtype, x, y)
    if how in ("any", "all"):
        return e.op("or" if how == "any" else "and", "i1", x, y)
    return scalars.extreme(e, "maximum" if how == "max" else "minimum", element, dtype, x, y)


def place_of(e: Emitter, found: Value) -> str:
    """The place of an extreme; 0 where all elements are as bad as what the reduction started with."""
    none = e.op("icmp eq", "i64", found[1], e.const(_LAST, "i64"))
    return e.select(none, "i64", e.const(0, "i64"), found[1])


def _later(e: Emitter, largest: bool, dtype: DType, x: Value, y: Value) -> Value:
    """`_first` where `y` comes after `x`."""
    element = element_of(dtype)
    kind = {"f": "fcmp u", "i": "icmp s"}.get(dtype.kind, "icmp u")
    chosen = e.op(f"{kind}{'gt' if largest else 'lt'}", element, y[0], x[0])
    if dtype.kind == "f":
        chosen = e.op("and", "i1", chosen, e.op("fcmp ord", element, x[0], x[0]))
    return e.select(chosen, element, y[0], x[0]), e.select(chosen, "i64", y[1], x[1])


def _first(e: Emitter, largest: bool, dtype: DType, x: Value, y: Value) -> Value:
    """Of two elements and their places the larger or smaller one, or the first of equal ones; NaN before all others."""
    element = element_of(dtype)
    kind = {"f": "fcmp o", "i": "icmp s"}.get(dtype.kind, "icmp u")
    better = e.op(f"{kind}{'gt' if largest else 'lt'}", element, y[0], x[0])
    same = e.op("fcmp oeq" if dtype.kind == "f" else "icmp eq", element, y[0], x[0])
    if dtype.kind == "f":
        one, other = (scalars.is_nan(e, element, v) for v in (x[0], y[0]))
        better = e.op("or", "i1", better, e.op("and", "i1", other, e.op("xor", "i1", one, e.const(1, "i1"))))
        same = e.op("or", "i1", same, e.op("and", "i1", one, other))
    earlier = e.op("icmp slt", "i64", y[1], x[1])
    chosen = e.op("or", "i1", better, e.op("and", "i1", same, earlier))
    return e.select(chosen, element, y[0], x[0]), e.select(chosen, "i64", y[1], x[1])


def _parts(x: Value) -> tuple[str, ...]:
    return x if isinstance(x, tuple) else (x,)


def _whole(parts: list[str]) -> Value:
    return tuple(parts) if len(parts) > 1 else parts[0]


def _lanes(e: Emitter, types: Sequence[str], x: Value, first: int, count: int) -> Value:
    return _whole([e.lanes(part, t, first, count) for t, part in zip(types, _parts(x), strict=True)])


class Accumulator:
    """A row reduced in registers: one part for each lane of the vectors, and one for what is left over.

    Sums of floats are added up in runs; what the sum of a run loses when it is added to those before is kept, and
    added at the end: errors grow with the length of a run, not of a row.
    """

    def __init__(
        self,
        wide: Emitter,
        one: Emitter,
        alloca: Callable[[str], str],
        how: str,
        dtype: DType,
        *,
        contract: bool,
        short: bool,
    ) -> None:
        self._wide, self._one = wide, one
        self._how, self._dtype, self._contract = how, dtype, contract
        # About how many instructions it takes to go on: NaN is an extreme, too.
        self.cost = 3 if how not in ("sum", "prod", "any", "all") and dtype.kind == "f" else 1
        self.flushes = how == "sum" and dtype.kind in "fc" and wide.width > one.width and not short
        self._element = element_of(dtype)
        # The types of the parts: of a complex number, or of an element and its place.
        self._types = [self._element, "i64"] if how in POSITIONS else [self._element] * (2 if dtype.kind == "c" else 1)
        self._memory: dict[tuple[str, int], list[str]] = {}
        for name, e in (("sum", one), ("sum", wide), *([("high", wide), ("low", wide)] if self.flushes else [])):
            if (name, e.width) in self._memory:
                continue
            self._memory[name, e.width] = [alloca(e.type(t)) for t in self._types]
            self._put(e, name, identity(e, how, dtype))

    def _get(self, e: Emitter, name: str) -> Value:
        memory = zip(self._types, self._memory[name, e.width], strict=True)
        return _whole([e.new(f"load {e.type(t)}, ptr {where}") for t, where in memory])

    def _put(self, e: Emitter, name: str, value: Value) -> None:
        for t, part, where in zip(self._types, _parts(value), self._memory[name, e.width], strict=True):
            e.do(f"store {e.type(t)} {part}, ptr {where}")

    def begin(self, x: Value) -> None:
        """Start with one element instead of the identity."""
        self._put(self._one, "sum", x)

    def add(self, e: Emitter, x: Value) -> None:
        """Go on with these lanes; those of several vectors, one after the other."""
        width = self._wide.width
        if e.width > width:
            for first in range(0, e.width, width):
                self.add(self._wide, _lanes(e, self._types, x, first, width))
            return
        before = self._get(e, "sum")
        if self._how in POSITIONS:
            found = _later(e, self._how == "argmax", self._dtype, before, x)
        else:
            found = combined(e, self._how, self._dtype, before, x, contract=self._contract)
        self._put(e, "sum", found)

    def flush(self) -> None:
        """Add the sum of a run to those before it, and what is lost by that to what was lost before."""
        e, t = self._wide, self._element
        highs, lows = [], []
        parts = zip(*[_parts(self._get(e, name)) for name in ("sum", "high", "low")], strict=True)
        for run, high, low in parts:
            total = e.op("fadd", t, high, run)
            back = e.op("fsub", t, total, high)
            lost_high = e.op("fsub", t, high, e.op("fsub", t, total, back))
            lost = e.op("fadd", t, lost_high, e.op("fsub", t, run, back))
            highs.append(total)
            lows.append(e.op("fadd", t, low, lost))
        self._put(e, "high", _whole(highs))
        self._put(e, "low", _whole(lows))
        self._put(e, "sum", identity(e, "sum", self._dtype))

    def result(self) -> Value:
        """The reduction of the row."""
        left = self._get(self._one, "sum")
        if self._wide.width == self._one.width:
            return left
        if not self.flushes:
            wide = self._get(self._wide, "sum")
            found = self._extreme(wide) if self._how in POSITIONS else self._across(self._how, self._dtype, wide)
            return combined(self._one, self._how, self._dtype, found, left)
        high, low = [self._across("sum", self._dtype, self._get(self._wide, name)) for name in ("high", "low")]
        total = combined(self._one, "sum", self._dtype, high, left)
        one, t = self._one, self._element
        sums = []
        for whole, lost in zip(_parts(total), _parts(low), strict=True):
            # Infinity loses NaN: it is as it is.
            fine = one.op("fcmp ord", t, lost, lost)
            sums.append(one.op("fadd", t, whole, one.select(fine, t, lost, one.const(0, t))))
        return _whole(sums)

    def _across(self, how: str, dtype: DType, x: Value) -> Value:
        """All lanes together, halves of them first."""
        e, element = self._wide, element_of(dtype)
        while e.width > 1:
            half = e.width // 2
            sides = [_lanes(e, [element] * len(_parts(x)), x, first, half) for first in (0, half)]
            e = Emitter(e.names, half, e.lines)
            x = combined(e, how, dtype, *sides)
        return x

    def _extreme(self, x: Value) -> Value:
        """The extreme of all lanes, and the first place of those that have it."""
        e, t = self._wide, self._element
        best = self._across(self._how.removeprefix("arg"), self._dtype, x[0])
        everywhere = e.splat(best, t)
        if self._dtype.kind == "f":
            has_it = e.op("fcmp oeq", t, x[0], everywhere)
            has_it = e.op("or", "i1", has_it, e.op("fcmp uno", t, x[0], x[0]))  # then the extreme is NaN
        else:
            has_it = e.op("icmp eq", t, x[0], everywhere)
        places = e.select(has_it, "i64", x[1], e.const(_LAST, "i64"))
        return best, self._across("min", np.dtype(np.int64), places)
