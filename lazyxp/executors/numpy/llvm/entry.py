"""Calling a kernel from Python without ctypes, which takes longer than a small kernel: as a built-in function.

The function reads the addresses of data out of the array objects, as the C API of NumPy lays them out, and holds the
interpreter's lock meanwhile: it is for little work.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

# The address of the data is the first thing in an array object after what every object has.
_DATA = object.__basicsize__
_METH_FASTCALL = 0x80


class _MethodDef(ctypes.Structure):
    """``PyMethodDef`` of the C API."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def direct_text(operands: int, numbers: int) -> str:
    """The function ``direct(self, *arrays)``: `self` is an array of the kernel's arguments after the addresses."""
    lines = [
        "@_Py_NoneStruct = external global i8",
        "declare void @Py_IncRef(ptr)",
        "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)",
        "define ptr @direct(ptr %self, ptr %arrays, i64 %count) nounwind {",
        f"%arguments = alloca [{operands + numbers} x i64]",
        f"%held = getelementptr i8, ptr %self, i64 {_DATA}",
        "%numbers = load ptr, ptr %held",
        f"%rest = getelementptr i64, ptr %arguments, i64 {operands}",
        f"call void @llvm.memcpy.p0.p0.i64(ptr %rest, ptr %numbers, i64 {8 * numbers}, i1 false)",
    ]
    for k in range(operands):
        lines += [
            f"%from{k} = getelementptr ptr, ptr %arrays, i64 {k}",
            f"%array{k} = load ptr, ptr %from{k}",
            f"%data{k} = getelementptr i8, ptr %array{k}, i64 {_DATA}",
            f"%address{k} = load i64, ptr %data{k}",
            f"%to{k} = getelementptr i64, ptr %arguments, i64 {k}",
            f"store i64 %address{k}, ptr %to{k}",
        ]
    lines += [
        "call void @kernel(ptr %arguments, i64 0, i64 1, ptr null)",
        "call void @Py_IncRef(ptr @_Py_NoneStruct)",
        "ret ptr @_Py_NoneStruct",
        "}",
    ]
    return "\n".join(lines) + "\n"


def direct(address: int, numbers: list[int]) -> tuple[Callable[..., None], Any]:
    """The built-in function at an address, and what has to be kept as long as it is."""
    definition = _MethodDef(b"kernel", address, _METH_FASTCALL, None)
    make = ctypes.pythonapi.PyCFunction_NewEx
    prototype = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p)
    function = prototype(ctypes.cast(make, ctypes.c_void_p).value)  # type: ignore[arg-type]
    made = function(ctypes.addressof(definition), np.array(numbers, np.int64), None)
    return made, definition


def is_possible() -> bool:
    """Whether array objects are laid out as this module takes them to be."""
    x = np.arange(3)
    return ctypes.c_void_p.from_address(id(x) + _DATA).value == x.ctypes.data
