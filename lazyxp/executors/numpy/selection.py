"""The elements of large arrays for which a mask holds, on several threads and without a branch for each element."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

import numpy as np

from lazyxp.executors.numpy import buffers, threads
from lazyxp.executors.numpy.llvm import compiler, portions
from lazyxp.strides import data_address

Array = np.ndarray[Any, Any]

# With fewer elements NumPy is as fast.
SMALLEST = 200_000
_PIECE = 65_536
# About how many instructions an element takes.
_EACH = 8


def selected(x: Array, mask: Array) -> Array | None:
    """``x[mask]`` for a mask of the same shape; None where NumPy does it as well."""
    if x.size < SMALLEST or x.shape != mask.shape or not (x.flags.c_contiguous and mask.flags.c_contiguous):
        return None
    if x.dtype.hasobject or x.dtype.itemsize not in (1, 2, 4, 8) or not compiler.is_available():
        return None
    flat = mask.reshape(-1)
    pieces = -(-x.size // _PIECE)
    counts = [np.count_nonzero(flat[i * _PIECE : (i + 1) * _PIECE]) for i in range(pieces)]
    places = np.concatenate([[0], np.cumsum(counts)])
    result = buffers.empty((int(places[-1]),), x.dtype)
    numbers = [data_address(a) for a in (x, mask, places, result)]
    arguments = (ctypes.c_int64 * len(numbers))(*numbers)
    text = _text(x.dtype.itemsize, compiler.vector_bytes())
    code = compiler.compiled(lambda: text, text)
    portions.run(code, ctypes.addressof(arguments), pieces, pieces, threads.limit(), _EACH * x.size, lambda: (0, None))
    return result


@functools.cache
def _text(size: int, vector_bytes: int) -> str:
    """The code for elements of so many bytes.

    A piece ends when all that it selects is stored: what is stored in vain, because the mask does not hold, is
    overwritten by what is selected next.
    """
    element, lanes = f"i{8 * size}", 64 // size
    vectors = vector_bytes == 64 and size in (4, 8)  # there is an instruction that packs what a mask selects
    address = "getelementptr {0}, ptr {1}, i64 {2}"
    lines = ["define void @kernel(ptr %arguments, i64 %first, i64 %last, ptr %scratch) {", "entry:"]
    for i, name in enumerate(("x", "mask", "places", "result")):
        lines += [f"%{name}p = {address.format('i64', '%arguments', i)}", f"%{name} = load ptr, ptr %{name}p"]
    lines += [
        "br label %pieces",
        "pieces:",
        "%piece = phi i64 [ %first, %entry ], [ %following, %done ]",
        "%more = icmp slt i64 %piece, %last",
        "br i1 %more, label %begin, label %end",
        "begin:",
        "%following = add i64 %piece, 1",
        f"%start = mul i64 %piece, {_PIECE}",
        f"%k0p = {address.format('i64', '%places', '%piece')}",
        "%k0 = load i64, ptr %k0p",
        f"%k1p = {address.format('i64', '%places', '%following')}",
        "%k1 = load i64, ptr %k1p",
        "br label %wide",
        "wide:",
    ]
    if vectors:
        many, bits = f"<{lanes} x {element}>", f"<{lanes} x i8>"
        lines += [
            "%i = phi i64 [ %start, %begin ], [ %i2, %vector ]",
            "%k = phi i64 [ %k0, %begin ], [ %k2, %vector ]",
            f"%kend = add i64 %k, {lanes}",
            "%fits = icmp sle i64 %kend, %k1",
            "br i1 %fits, label %vector, label %single",
            "vector:",
            f"%xp1 = {address.format(element, '%x', '%i')}",
            f"%xs = load {many}, ptr %xp1, align 1",
            f"%mp1 = {address.format('i8', '%mask', '%i')}",
            f"%ms = load {bits}, ptr %mp1, align 1",
            f"%holds = icmp ne {bits} %ms, zeroinitializer",
            f"%packed = call {many} @llvm.experimental.vector.compress.v{lanes}{element}"
            f"({many} %xs, <{lanes} x i1> %holds, {many} poison)",
            f"%rp1 = {address.format(element, '%result', '%k')}",
            f"store {many} %packed, ptr %rp1, align 1",
            f"%number = bitcast <{lanes} x i1> %holds to i{lanes}",
            f"%count = call i{lanes} @llvm.ctpop.i{lanes}(i{lanes} %number)",
            f"%count64 = zext i{lanes} %count to i64",
            "%k2 = add i64 %k, %count64",
            f"%i2 = add i64 %i, {lanes}",
            "br label %wide",
        ]
        lines.insert(
            0, f"declare {many} @llvm.experimental.vector.compress.v{lanes}{element}({many}, <{lanes} x i1>, {many})"
        )
        lines.insert(0, f"declare i{lanes} @llvm.ctpop.i{lanes}(i{lanes})")
    else:
        lines += ["%i = phi i64 [ %start, %begin ]", "%k = phi i64 [ %k0, %begin ]", "br label %single"]
    lines += [
        "single:",
        "%j = phi i64 [ %i, %wide ], [ %j2, %one ]",
        "%m = phi i64 [ %k, %wide ], [ %m2, %one ]",
        "%left = icmp slt i64 %m, %k1",
        "br i1 %left, label %one, label %done",
        "one:",
        f"%xp2 = {address.format(element, '%x', '%j')}",
        f"%x1 = load {element}, ptr %xp2, align 1",
        f"%rp2 = {address.format(element, '%result', '%m')}",
        f"store {element} %x1, ptr %rp2, align 1",
        f"%mp2 = {address.format('i8', '%mask', '%j')}",
        "%m1 = load i8, ptr %mp2",
        "%step = zext i8 %m1 to i64",
        "%m2 = add i64 %m, %step",
        "%j2 = add i64 %j, 1",
        "br label %single",
        "done:",
        "br label %pieces",
        "end:",
        "ret void",
        "}",
    ]
    return "\n".join(lines) + "\n"
