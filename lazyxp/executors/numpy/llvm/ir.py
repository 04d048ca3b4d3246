"""Printing LLVM IR: names, vector types, constants, and the instructions of one straight run of code."""

from __future__ import annotations

import functools
import struct
from typing import Any

import numpy as np

# A value in IR: its name or constant; complex numbers are a pair of them, real part first.
Value = Any

_ELEMENT = {
    "b1": "i1",
    **{f"{kind}{size}": f"i{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)},
    "f4": "float",
    "f8": "double",
    "c8": "float",
    "c16": "double",
}
_SUFFIX = {"float": "f32", "double": "f64"}


@functools.cache
def is_known(dtype: np.dtype[Any]) -> bool:
    """Whether there are registers for elements of a dtype: float16 and long double have none."""
    return f"{dtype.kind}{dtype.itemsize}" in _ELEMENT


def element_of(dtype: np.dtype[Any]) -> str:
    """The LLVM type of an element in a register; of each part of a complex number."""
    return _ELEMENT[f"{dtype.kind}{dtype.itemsize}"]


def literal(value: Any, element: str) -> str:
    """A scalar constant."""
    if element in _SUFFIX:
        # LLVM writes constants of float as the double that they are exactly.
        number = float(np.float32(value)) if element == "float" else float(value)
        return f"0x{struct.unpack('<Q', struct.pack('<d', number))[0]:016X}"
    if element == "i1":
        return "true" if value else "false"
    return str(int(value))


class Names:
    """The names that one function has given out, and what it declares."""

    def __init__(self) -> None:
        self._last = 0
        self.declarations: dict[str, str] = {}

    def new(self, prefix: str = "v") -> str:
        """A name that was not given out before."""
        self._last += 1
        return f"%{prefix}{self._last}"


class Emitter:
    """Emits instructions on values of a certain number of lanes.

    Attributes
    ----------
    names : Names
        Of the function.
    width : int
        How many lanes values have; 1 stands for plain scalars.
    lines : list of str
        The instructions so far.
    """

    def __init__(self, names: Names, width: int, lines: list[str] | None = None) -> None:
        self.names = names
        self.width = width
        self.lines: list[str] = [] if lines is None else lines

    def scalar(self) -> Emitter:
        """Emits at the same place, for one lane."""
        return self if self.width == 1 else Emitter(self.names, 1, self.lines)

    def type(self, element: str) -> str:
        """The type of a value whose elements are of this type."""
        return element if self.width == 1 else f"<{self.width} x {element}>"

    def const(self, value: Any, element: str) -> str:
        """A constant that is the same in all lanes."""
        one = literal(value, element)
        return one if self.width == 1 else f"splat ({element} {one})"

    def new(self, text: str) -> str:
        """The name of the result of an instruction."""
        name = self.names.new()
        self.lines.append(f"{name} = {text}")
        return name

    def do(self, text: str) -> None:
        """An instruction without a result."""
        self.lines.append(text)

    def op(self, code: str, element: str, *args: str) -> str:
        """An instruction whose operands are all of one type: ``fadd``, ``icmp eq``, ``fcmp olt`` ..."""
        return self.new(f"{code} {self.type(element)} {', '.join(args)}")

    def convert(self, code: str, value: str, source: str, target: str) -> str:
        """A conversion: ``sitofp``, ``trunc`` ...; `value` itself where the types are the same."""
        if source == target:
            return value
        return self.new(f"{code} {self.type(source)} {value} to {self.type(target)}")

    def select(self, condition: str, element: str, x: str, y: str) -> str:
        """Lane by lane `x` where `condition` holds, else `y`."""
        t = self.type(element)
        return self.new(f"select {self.type('i1')} {condition}, {t} {x}, {t} {y}")

    def call(self, function: str, result: str, args: list[tuple[str, str]]) -> str:
        """A call; `result` and the first of each of `args` are full types. The function is declared."""
        types = ", ".join(t for t, _ in args)
        self.names.declarations.setdefault(function, f"declare {result} @{function}({types})")
        return self.new(f"call {result} @{function}({', '.join(f'{t} {v}' for t, v in args)})")

    def parts(self, value: str, kind: str, count: int) -> tuple[str, ...]:
        """The first parts of a structure."""
        return tuple([self.new(f"extractvalue {kind} {value}, {k}") for k in range(count)])

    def intrinsic(self, name: str, element: str, *args: str) -> str:
        """A call of an intrinsic whose operands and result are of one type: ``sqrt``, ``floor``, ``fma`` ..."""
        suffix = _SUFFIX.get(element, element)
        full = f"llvm.{name}.{suffix}" if self.width == 1 else f"llvm.{name}.v{self.width}{suffix}"
        t = self.type(element)
        return self.call(full, t, [(t, a) for a in args])

    def splat(self, value: str, element: str) -> str:
        """A scalar in all lanes."""
        if self.width == 1:
            return value
        t = self.type(element)
        one = self.new(f"insertelement {t} poison, {element} {value}, i64 0")
        return self.new(f"shufflevector {t} {one}, {t} poison, <{self.width} x i32> zeroinitializer")

    def places(self, first: str) -> str:
        """The numbers of the lanes, counted from `first` on."""
        if self.width == 1:
            return first
        t = self.type("i64")
        steps = ", ".join(f"i64 {i}" for i in range(self.width))
        return self.new(f"add {t} {self.splat(first, 'i64')}, <{steps}>")

    def lanes(self, value: str, element: str, first: int, count: int) -> str:
        """`count` lanes of `value` from the `first` on; a scalar if `count` is 1."""
        t = self.type(element)
        if count == 1:
            return self.new(f"extractelement {t} {value}, i64 {first}")
        picked = ", ".join(f"i32 {i}" for i in range(first, first + count))
        return self.new(f"shufflevector {t} {value}, {t} poison, <{count} x i32> <{picked}>")

    def joined(self, parts: list[str], element: str, width: int) -> str:
        """Vectors of `width` lanes one after the other; a power of two of them."""
        while len(parts) > 1:
            t = f"<{width} x {element}>"
            both = ", ".join(f"i32 {i}" for i in range(2 * width))
            parts = [
                self.new(f"shufflevector {t} {a}, {t} {b}, <{2 * width} x i32> <{both}>")
                for a, b in zip(parts[::2], parts[1::2], strict=True)
            ]
            width *= 2
        return parts[0]
