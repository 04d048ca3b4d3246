"""Scans in LLVM IR: all elements of a row up to each of them.

Where a row is cut into pieces, a piece waits for the one before it, and tells the next one what it has come to. What
can be done before is done before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from lazyxp.executors.numpy.llvm import scalars
from lazyxp.executors.numpy.llvm.accumulators import combined
from lazyxp.executors.numpy.llvm.frame import Frame
from lazyxp.executors.numpy.llvm.ir import Emitter, element_of
from lazyxp.executors.numpy.llvm.lower import Unprintable, Value
from lazyxp.executors.numpy.llvm.memory import Memory, address_of, further, load, load_one, store, store_one
from lazyxp.executors.numpy.llvm.tiles import SIDE, transposed

Index = dict[int, str]

# As many groups as a group has elements are scanned at once, each in a lane of its own.
_SQUARE = SIDE * SIDE


def scan_row(frame: Frame, value: Value, memory: Memory, address: str, loop: int, index: Index) -> None:
    """Reduce all elements of a row in memory, or of the piece of it that is done, up to each of them."""
    if value.reduced != {loop}:
        raise Unprintable("a scan along another axis than the last")
    how, *operands = value.params
    scan = _Scan(frame, value, memory, address, loop)
    if not operands:
        scan.begin()
    elif how == "sum" or value.dtype.kind in "biu":
        scan.in_groups(operands, index)
    else:  # the order of products of floats decides about overflow
        with scan.turn(operands, index):
            scan.begin_again()


class _Scan:
    """A scan of one row while it is printed."""

    def __init__(self, frame: Frame, value: Value, memory: Memory, address: str, loop: int) -> None:
        self._frame, self._one = frame, frame.one
        self._value, self._dtype, self._how = value, value.dtype, value.params[0]
        self._memory, self._address, self._loop = memory, address, loop
        self._low, self._high = frame.range(loop)
        # What the elements so far come to.
        self._total = Memory("", value.dtype, {}), frame.alloca(f"[{value.dtype.itemsize} x i8]")

    def _at(self, index: str) -> str:
        return further(self._one, self._address, self._memory, self._loop, index)

    def _combined(self, e: Emitter, x: Any, y: Any) -> Any:
        return combined(e, self._how, self._dtype, x, y)

    # --- one after the other, as NumPy does ---------------------------------------------------------------------------

    def begin(self) -> None:
        """The row from its first element on."""
        store_one(self._one, *self._total, load_one(self._one, self._memory, self._at(self._low)))
        self._go_on(self._one.op("add", "i64", self._low, "1"), self._high)

    def begin_again(self) -> None:
        """A piece of the row, from its first element on in the first one: one times infinity is no complex infinity."""
        first, here = load_one(self._one, self._memory, self._at(self._low)), self._at(self._low)
        both = self._combined(self._one, load_one(self._one, *self._total), first)
        x = chosen(self._one, self._dtype, self._is_first(), first, both)
        store_one(self._one, *self._total, x)
        store_one(self._one, self._memory, here, x)
        self._go_on(self._one.op("add", "i64", self._low, "1"), self._high)

    def _go_on(self, start: str, stop: str) -> None:
        with self._frame.loop(start, stop) as at:
            x = self._combined(
                self._one, load_one(self._one, *self._total), load_one(self._one, self._memory, self._at(at))
            )
            store_one(self._one, *self._total, x)
            store_one(self._one, self._memory, self._at(at), x)

    # --- pieces ------------------------------------------------------------------------------------------------------

    def _is_first(self) -> str:
        return self._one.op("icmp eq", "i64", self._frame.piece, "0")

    @contextmanager
    def turn(self, operands: list[int], index: Index) -> Iterator[None]:
        """Code that has what the pieces before have come to as the total, and leaves it to the next."""
        one, frame = self._one, self._frame
        known, done = (frame.operand(number) for number in operands)
        left, count = address_of(one, known, index), address_of(one, done, index)
        with frame.waiting() as going_on:
            so_many = one.new(f"load atomic i64, ptr {count} acquire, align 8")
            going_on(one.op("icmp slt", "i64", so_many, frame.piece))
            if hasattr(os, "sched_yield"):
                one.call("sched_yield", "i32", [])
        store_one(one, *self._total, load_one(one, known, left))
        yield
        store_one(one, known, left, load_one(one, *self._total))
        following = one.op("add", "i64", frame.piece, "1")
        one.do(f"store atomic i64 {following}, ptr {count} release, align 8")

    # --- in groups ---------------------------------------------------------------------------------------------------

    def in_groups(self, operands: list[int], index: Index) -> None:
        """Groups are scanned on their own at first, and then moved by what the last element before them comes to.

        Rows of equal sums stay so, and sums of what is not negative never fall, as if they were added one by one.
        """
        one, frame = self._one, self._frame
        length = one.op("sub", "i64", self._high, self._low)
        middle = one.op("add", "i64", self._low, one.op("and", "i64", length, str(-_SQUARE)))
        with frame.loop(self._low, middle, str(_SQUARE)) as at:
            self._apart(at)
        with self.turn(operands, index):
            neutral = scalars.constant(one, self._neutral(), self._dtype)
            before = chosen(one, self._dtype, self._is_first(), neutral, load_one(one, *self._total))
            store_one(one, *self._total, before)
            with frame.loop(self._low, middle, str(_SQUARE)) as at:
                last = one.op("add", "i64", at, str(_SQUARE - SIDE))
                self._go_on(last, one.op("add", "i64", last, str(SIDE)))
            self._go_on(middle, self._high)
        store_one(one, *self._total, before)
        with frame.loop(self._low, middle, str(_SQUARE)) as at:
            self._together(at)

    def _neutral(self) -> Any:
        """What changes nothing, not even the sign of a zero."""
        if self._dtype.kind in "biu":
            return self._how == "prod"
        return complex(-0.0, -0.0) if self._dtype.kind == "c" else -0.0

    def _vectors(self, at: str) -> tuple[Emitter, list[str], list[Any]]:
        """A square of elements as vectors, and where they are."""
        e = Emitter(self._one.names, SIDE, self._one.lines)
        places = [self._at(self._one.op("add", "i64", at, str(i * SIDE))) for i in range(SIDE)]
        return e, places, [load(e, self._memory, place, self._loop) for place in places]

    def _apart(self, at: str) -> None:
        """Scan each group of a square; element by element of all groups they lie in memory then."""
        e, places, square = self._vectors(at)
        square = self._turned(e, square)
        for i, place in enumerate(places):
            if i:
                square[i] = self._combined(e, square[i - 1], square[i])
            store(e, self._memory, place, self._loop, square[i])

    def _together(self, at: str) -> None:
        """Go on in each group of a square from where the one before has come to, and put them back in order."""
        one = self._one
        e, places, square = self._vectors(at)
        before = self._shifted(e, load_one(one, *self._total), square[-1])
        store_one(one, *self._total, load_one(one, self._memory, self._at(one.op("add", "i64", at, str(_SQUARE - 1)))))
        square = self._turned(e, [*[self._combined(e, before, x) for x in square[:-1]], square[-1]])
        for place, x in zip(places, square, strict=True):
            store(e, self._memory, place, self._loop, x)

    def _turned(self, e: Emitter, square: list[Any]) -> list[Any]:
        element = element_of(self._dtype)
        if self._dtype.kind != "c":
            return list(transposed(e, square, element))
        parts = [transposed(e, list(part), element) for part in zip(*square, strict=True)]
        return list(zip(*parts, strict=True))

    def _shifted(self, e: Emitter, first: Any, vector: Any) -> Any:
        """`first`, and all lanes of a vector but the last."""
        element = element_of(self._dtype)
        t, found = e.type(element), []
        for x, y in zip(first, vector, strict=True) if self._dtype.kind == "c" else ((first, vector),):
            picked = ", ".join(f"i32 {i}" for i in (0, *range(SIDE - 1)))
            moved = e.new(f"shufflevector {t} {y}, {t} poison, <{SIDE} x i32> <{picked}>")
            found.append(e.new(f"insertelement {t} {moved}, {element} {x}, i64 0"))
        return tuple(found) if self._dtype.kind == "c" else found[0]


def go_on(e: Emitter, value: Value, known: dict[int, Any], so_far: tuple[Memory, str, str], loop: int, at: str) -> Any:
    """Reduce what is in memory and an element, or begin with it: one times infinity is no complex infinity."""
    memory, address, is_first = so_far
    address = further(e.scalar(), address, memory, loop, at)
    x = known[value.args[0]]
    both = combined(e, value.params[0], memory.dtype, load(e, memory, address, loop), x)
    result = chosen(e, memory.dtype, e.splat(is_first, "i1"), x, both)
    store(e, memory, address, loop, result)
    return result


def chosen(e: Emitter, dtype: np.dtype[Any], condition: str, x: Any, y: Any) -> Any:
    """Lane by lane `x` where the condition holds, else `y`."""
    element = element_of(dtype)
    if dtype.kind == "c":
        return tuple([e.select(condition, element, *parts) for parts in zip(x, y, strict=True)])
    return e.select(condition, element, x, y)
