"""Scans in LLVM IR: all elements of a row up to each of them, one after the other, as NumPy does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from lazyxp.executors.numpy.llvm.accumulators import combined
from lazyxp.executors.numpy.llvm.frame import Frame
from lazyxp.executors.numpy.llvm.ir import Emitter, element_of
from lazyxp.executors.numpy.llvm.lower import Unprintable, Value
from lazyxp.executors.numpy.llvm.memory import Memory, address_of, further, load, load_one, store, store_one

Index = dict[int, str]


def scan_row(frame: Frame, value: Value, memory: Memory, address: str, loop: int, index: Index) -> None:
    """Reduce all elements of a row in memory up to each of them.

    Where the row is cut into pieces, a piece waits for the one before it, and tells the next one what it has come to.
    """
    if value.reduced != {loop}:
        raise Unprintable("a scan along another axis than the last")
    one, (how, *operands) = frame.one, value.params
    low, high = frame.range(loop)
    total = Memory("", value.dtype, {})
    so_far = frame.alloca(f"[{value.dtype.itemsize} x i8]")
    here = further(one, address, memory, loop, low)
    first = load_one(one, memory, here)
    if operands:
        known, done = (frame.operand(number) for number in operands)
        left, count = address_of(one, known, index), address_of(one, done, index)
        _wait(frame, count)
        before = load_one(one, known, left)
        is_first = one.op("icmp eq", "i64", frame.piece, "0")
        first = _chosen(one, value, is_first, first, combined(one, how, value.dtype, before, first))
        store_one(one, memory, here, first)
    store_one(one, total, so_far, first)
    with frame.loop(one.op("add", "i64", low, "1"), high) as at:
        here = further(one, address, memory, loop, at)
        x = combined(one, how, value.dtype, load_one(one, total, so_far), load_one(one, memory, here))
        store_one(one, total, so_far, x)
        store_one(one, memory, here, x)
    if operands:
        store_one(one, known, left, load_one(one, total, so_far))
        following = one.op("add", "i64", frame.piece, "1")
        one.do(f"store atomic i64 {following}, ptr {count} release, align 8")


def _wait(frame: Frame, count: str) -> None:
    """Let other threads run until every piece before this one is done."""
    with frame.waiting() as going_on:
        done = frame.one.new(f"load atomic i64, ptr {count} acquire, align 8")
        going_on(frame.one.op("icmp slt", "i64", done, frame.piece))
        if hasattr(os, "sched_yield"):
            frame.one.call("sched_yield", "i32", [])


def go_on(
    e: Emitter, value: Value, known: dict[int, Any], so_far: tuple[Memory, str, str], loop: int, at: str
) -> Any:
    """Reduce what is in memory and an element, or begin with it: one times infinity is no complex infinity."""
    memory, address, is_first = so_far
    address = further(e.scalar(), address, memory, loop, at)
    x = known[value.args[0]]
    both = combined(e, value.params[0], memory.dtype, load(e, memory, address, loop), x)
    result = _chosen(e, value, e.splat(is_first, "i1"), x, both)
    store(e, memory, address, loop, result)
    return result


def _chosen(e: Emitter, value: Value, condition: str, x: Any, y: Any) -> Any:
    """Lane by lane `x` where the condition holds, else `y`."""
    element = element_of(value.dtype)
    if value.dtype.kind == "c":
        return tuple([e.select(condition, element, *parts) for parts in zip(x, y, strict=True)])
    return e.select(condition, element, x, y)
