"""Tiles in LLVM IR: operands that lie across the last loop are turned in registers, a square at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import numpy as np

from lazyxp.executors.numpy.llvm.form import STRIDED, TILE, UNIT
from lazyxp.executors.numpy.llvm.frame import Frame
from lazyxp.executors.numpy.llvm.ir import Emitter
from lazyxp.executors.numpy.llvm.memory import Memory, address_of, load, load_one, store, store_one

# So many elements along each side are turned at once.
SIDE = 8


@contextmanager
def tiles(frame: Frame, index: Mapping[int, str]) -> Iterator[None]:
    """Code for each tile of the last two loops, at this point of the others; turned operands are copies meanwhile."""
    form = frame.lowered.form
    last = len(form.loops) - 1
    with ExitStack() as stack:
        for loop in (last - 1, last):
            stack.enter_context(frame.narrowed(loop, TILE))
        for number in form.turned:
            frame.instead[number] = _turned(frame, frame.operand(number), dict(index))
        yield
        frame.instead.clear()


def _turned(frame: Frame, memory: Memory, index: dict[int, str]) -> Memory:
    """A copy of the tile of an operand that lies element by element along the last loop."""
    one, row, column = frame.one, len(frame.lowered.form.loops) - 2, len(frame.lowered.form.loops) - 1
    size = memory.dtype.itemsize
    number = len(frame.scratch)
    frame.scratch.append(((), TILE * TILE * size))
    (top, bottom), (left, right) = frame.range(row), frame.range(column)
    before = one.op("add", "i64", one.op("mul", "i64", top, str(TILE)), left)
    base = one.op("sub", "i64", frame.held(number), one.op("mul", "i64", before, str(size)))
    made = Memory(base, memory.dtype, {row: (STRIDED, str(TILE * size)), column: (UNIT, str(size))})
    plain = np.dtype(f"u{size}")
    source = Memory(memory.base, plain, {**memory.lies, row: (UNIT, str(size))})
    target = Memory(base, plain, made.lies)
    e = Emitter(one.names, SIDE, one.lines)

    def at(of: Memory, r: str, c: str) -> str:
        return address_of(one, of, {**index, row: r, column: c})

    def whole(low: str, high: str) -> str:
        return one.op("add", "i64", low, one.op("and", "i64", one.op("sub", "i64", high, low), str(-SIDE)))

    low, across = whole(top, bottom), whole(left, right)
    with frame.loop(left, across, str(SIDE)) as c:
        with frame.loop(top, low, str(SIDE)) as r:
            here, there = at(source, r, c), at(target, r, c)
            square = []
            for _ in range(SIDE):
                square.append(load(e, source, here, row))
                here = one.new(f"getelementptr i8, ptr {here}, i64 {source.lies[column][1]}")
            for x in transposed(e, square, f"i{8 * size}"):
                store(e, target, there, column, x)
                there = one.new(f"getelementptr i8, ptr {there}, i64 {target.lies[row][1]}")
        with frame.loop(low, bottom) as r:
            store(e, target, at(target, r, c), column, load(e, source, at(source, r, c), column))
    with frame.loop(across, right) as c, frame.loop(top, bottom) as r:
        store_one(one, target, at(target, r, c), load_one(one, source, at(source, r, c)))
    return made


def transposed(e: Emitter, square: list[str], element: str) -> list[str]:
    """The columns of a square of vectors: parts of ever larger sides change places across the diagonal."""
    t = e.type(element)
    step = 1
    while step < e.width:
        found = list(square)
        for i in range(e.width):
            if i & step:
                continue
            upper, lower = square[i], square[i + step]
            first = [lane - step + e.width if lane & step else lane for lane in range(e.width)]
            second = [lane + e.width if lane & step else lane + step for lane in range(e.width)]
            for place, order in ((i, first), (i + step, second)):
                picked = ", ".join(f"i32 {lane}" for lane in order)
                found[place] = e.new(f"shufflevector {t} {upper}, {t} {lower}, <{e.width} x i32> <{picked}>")
        square = found
        step *= 2
    return square
