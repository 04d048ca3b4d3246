"""Loads and stores in LLVM IR: how an operand lies in memory, and its elements in all lanes of a vector."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.executors.numpy.llvm.form import ABSENT, REVERSED, STRIDED, UNIT
from lazyxp.executors.numpy.llvm.ir import Emitter, element_of
from lazyxp.executors.numpy.llvm.lower import Unprintable
from lazyxp.executors.numpy.llvm.windows import LINE


class Memory(NamedTuple):
    """Where an operand is.

    Attributes
    ----------
    base : str
        Its address.
    dtype : dtype
        Of its elements.
    lies : dict of int to (str, str)
        For each loop along which it lies, how, and with which stride in bytes.
    streams : int
        What is stored goes past the cache if this is not 0: vectors begin on a multiple of so many bytes.
    """

    base: str
    dtype: np.dtype[Any]
    lies: dict[int, tuple[str, str]]
    streams: int = 0


def address_of(e: Emitter, memory: Memory, index: dict[int, str]) -> str:
    """The address of an operand at this point of the loops."""
    address = memory.base
    for loop, (_, stride) in memory.lies.items():
        if loop in index:
            moved = e.op("mul", "i64", index[loop], stride)
            address = e.op("add", "i64", address, moved)
    return e.new(f"inttoptr i64 {address} to ptr")


def further(e: Emitter, address: str, memory: Memory, loop: int, index: str) -> str:
    """The address `index` steps along a loop further on."""
    letter, stride = memory.lies.get(loop, (ABSENT, ""))
    if letter == ABSENT:
        return address
    if letter == UNIT:
        unit = f"[{memory.dtype.itemsize} x i8]"
        return e.new(f"getelementptr {unit}, ptr {address}, i64 {index}")
    moved = e.op("mul", "i64", index, stride)
    return e.new(f"getelementptr i8, ptr {address}, i64 {moved}")


def load(e: Emitter, memory: Memory, address: str, loop: int) -> Any:
    """The elements of all lanes from `address` on."""
    dtype = memory.dtype
    letter, stride = memory.lies.get(loop, (ABSENT, ""))
    if e.width == 1:
        return load_one(e, memory, address)
    if letter == ABSENT:
        return in_all_lanes(e, load_one(e.scalar(), memory, address), dtype)
    if letter == STRIDED:
        return _gather(e, memory, address, stride)
    parts = 2 if dtype.kind == "c" else 1
    stored = "i8" if dtype.kind == "b" else element_of(dtype)
    if letter == REVERSED:
        back = (1 - e.width) * dtype.itemsize
        address = e.new(f"getelementptr i8, ptr {address}, i64 {back}")
    t = f"<{parts * e.width} x {stored}>"
    x = e.new(f"load {t}, ptr {address}, align 1")
    found = []
    for part in range(parts):
        if parts == 1 and letter == UNIT:
            found.append(x)
            continue
        order = range(part, parts * e.width, parts)
        picked = ", ".join(f"i32 {i}" for i in (order if letter == UNIT else reversed(order)))
        found.append(e.new(f"shufflevector {t} {x}, {t} poison, <{e.width} x i32> <{picked}>"))
    if dtype.kind == "b":
        return e.op("icmp ne", "i8", found[0], e.const(0, "i8"))
    return tuple(found) if parts == 2 else found[0]


def load_one(one: Emitter, memory: Memory, address: str) -> Any:
    """One element."""
    dtype = memory.dtype
    element = element_of(dtype)
    if dtype.kind == "b":
        return one.op("icmp ne", "i8", one.new(f"load i8, ptr {address}"), "0")
    size = dtype.itemsize
    if dtype.kind != "c":
        return one.new(f"load {element}, ptr {address}, align 1")
    second = one.new(f"getelementptr i8, ptr {address}, i64 {size // 2}")
    return tuple([one.new(f"load {element}, ptr {where}, align 1") for where in (address, second)])


def _gather(e: Emitter, memory: Memory, address: str, stride: str) -> Any:
    """Elements that lie a stride apart."""
    addresses = [address]
    while len(addresses) < e.width:
        addresses.append(e.new(f"getelementptr i8, ptr {addresses[-1]}, i64 {stride}"))
    return _from_each(e, memory, addresses)


def load_each(e: Emitter, memory: Memory, address: str, loop: int, places: str) -> Any:
    """The elements that lie so many steps along a loop from `address`: another number in each lane."""
    one = e.scalar()
    lanes = [places] if e.width == 1 else [e.lanes(places, "i64", lane, 1) for lane in range(e.width)]
    addresses = [further(one, address, memory, loop, place) for place in lanes]
    return load_one(one, memory, addresses[0]) if e.width == 1 else _from_each(e, memory, addresses)


def _from_each(e: Emitter, memory: Memory, addresses: Sequence[str]) -> Any:
    """One element from each address."""
    element = element_of(memory.dtype)
    t = e.type(element)
    found = ["poison", "poison"] if memory.dtype.kind == "c" else ["poison"]
    for lane, address in enumerate(addresses):
        x = load_one(e.scalar(), memory, address)
        for i, part in enumerate(x if memory.dtype.kind == "c" else (x,)):
            found[i] = e.new(f"insertelement {t} {found[i]}, {element} {part}, i64 {lane}")
    return tuple(found) if memory.dtype.kind == "c" else found[0]


def store(e: Emitter, memory: Memory, address: str, loop: int, x: Any) -> None:
    """Keep the elements of all lanes from `address` on."""
    dtype = memory.dtype
    letter, stride = memory.lies.get(loop, (ABSENT, ""))
    if e.width == 1:
        store_one(e, memory, address, x)
    elif letter == UNIT and dtype.kind == "c":
        element, width = element_of(dtype), e.width
        order = ", ".join(f"i32 {i // 2 + (i % 2) * width}" for i in range(2 * width))
        t = e.type(element)
        both = e.new(f"shufflevector {t} {x[0]}, {t} {x[1]}, <{2 * width} x i32> <{order}>")
        _store_vector(e, memory, address, both, element, 2 * width)
    elif letter == UNIT:
        stored = "i8" if dtype.kind == "b" else element_of(dtype)
        if dtype.kind == "b":
            x = e.convert("zext", x, "i1", "i8")
        _store_vector(e, memory, address, x, stored, e.width)
    elif letter == ABSENT:
        raise Unprintable("one element that is written many times")
    else:
        element = element_of(dtype)
        for lane in range(e.width):
            parts = [e.lanes(part, element, lane, 1) for part in (x if dtype.kind == "c" else (x,))]
            store_one(e.scalar(), memory, address, tuple(parts) if dtype.kind == "c" else parts[0])
            if lane + 1 < e.width:
                address = e.new(f"getelementptr i8, ptr {address}, i64 {stride}")


def _store_vector(e: Emitter, memory: Memory, address: str, x: str, element: str, count: int) -> None:
    """Store a vector, past the cache where that is so, in parts that begin on what they have to."""
    size = e.width * memory.dtype.itemsize
    t = f"<{count} x {element}>"
    if not memory.streams or size % 16:
        e.do(f"store {t} {x}, ptr {address}, align 1")
        return
    part = min(size, memory.streams)
    if part == LINE:
        e.do(f"store {t} {x}, ptr {address}, align {LINE}, !nontemporal !0")
        return
    each = count * part // size
    for k in range(size // part):
        picked = ", ".join([f"i32 {i}" for i in range(k * each, (k + 1) * each)])
        few = e.new(f"shufflevector {t} {x}, {t} poison, <{each} x i32> <{picked}>")
        where = e.new(f"getelementptr i8, ptr {address}, i64 {k * part}")
        e.do(f"store <{each} x {element}> {few}, ptr {where}, align {part}, !nontemporal !0")


def store_one(one: Emitter, memory: Memory, address: str, x: Any) -> None:
    """Keep one element."""
    dtype = memory.dtype
    element = element_of(dtype)
    if dtype.kind == "b":
        x, element = one.convert("zext", x, "i1", "i8"), "i8"
    if dtype.kind != "c":
        one.do(f"store {element} {x}, ptr {address}, align 1")
        return
    second = one.new(f"getelementptr i8, ptr {address}, i64 {dtype.itemsize // 2}")
    for part, where in zip(x, (address, second), strict=True):
        one.do(f"store {element} {part}, ptr {where}, align 1")


def in_all_lanes(e: Emitter, x: Any, dtype: np.dtype[Any]) -> Any:
    """One element in all lanes."""
    element = element_of(dtype)
    if dtype.kind == "c":
        return tuple([e.splat(part, element) for part in x])
    return e.splat(x, element)


def load_both(e: Emitter, memory: Memory, address: str, more: int) -> tuple[str, str]:
    """The bits of a vector from `address` on, and of the `more` elements after it in the front of another."""
    bits, width = f"i{8 * memory.dtype.itemsize}", e.width
    x = e.new(f"load {e.type(bits)}, ptr {address}, align 1")
    if not more:
        return x, "poison"
    after = e.new(f"getelementptr i8, ptr {address}, i64 {width * memory.dtype.itemsize}")
    few = e.new(f"load <{more} x {bits}>, ptr {after}, align 1")
    lanes = ", ".join([f"i32 {i}" if i < more else "i32 poison" for i in range(width)])
    return x, e.new(f"shufflevector <{more} x {bits}> {few}, <{more} x {bits}> poison, <{width} x i32> <{lanes}>")


def moved_on(e: Emitter, both: tuple[str, str], memory: Memory, distance: int) -> str:
    """The vector that begins so many elements later."""
    bits, element = f"i{8 * memory.dtype.itemsize}", element_of(memory.dtype)
    lanes = ", ".join([f"i32 {i}" for i in range(distance, distance + e.width)])
    t = e.type(bits)
    # Integers are shifted across vectors in one instruction; for floats LLVM takes one that needs a table.
    x = e.new(f"shufflevector {t} {both[0]}, {t} {both[1]}, <{e.width} x i32> <{lanes}>") if distance else both[0]
    return x if element == bits else e.convert("bitcast", x, bits, element)


def fetch(e: Emitter, address: str, size: int) -> None:
    """Have so many bytes from `address` on brought into the cache; addresses that are not there do no harm."""
    e.names.declarations.setdefault("llvm.prefetch.p0", "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    for start in range(0, size, LINE):
        where = e.new(f"getelementptr i8, ptr {address}, i64 {start}")
        e.do(f"call void @llvm.prefetch.p0(ptr {where}, i32 0, i32 3, i32 1)")
