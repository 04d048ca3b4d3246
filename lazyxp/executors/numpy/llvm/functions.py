"""Functions of floats in LLVM IR: calls of the C library's vector math."""

from __future__ import annotations

import ctypes
import functools
from typing import Any

from lazyxp.executors.numpy.llvm.ir import Emitter

_ARGUMENTS = {"atan2": 2, "hypot": 2, "pow": 2}
NAMES = (
    *("exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "tanh", "asinh", "acosh", "atanh", *_ARGUMENTS),
)
_LIBRARY = "libmvec.so.1"
_LETTERS = {16: "b", 32: "d", 64: "e"}


@functools.cache
def _library() -> Any:
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError:
        return None


@functools.cache
def _vector_bytes() -> int:
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx2") else 16


def _lanes(element: str) -> int:
    return _vector_bytes() // (8 if element == "double" else 4)


def _symbol(name: str, element: str) -> str:
    arguments = "v" * _ARGUMENTS.get(name, 1)
    letter = _LETTERS[_vector_bytes()]
    return f"_ZGV{letter}N{_lanes(element)}{arguments}_{name}{'f' if element == 'float' else ''}"


@functools.cache
def available(name: str, element: str) -> bool:
    """Whether this machine has a function for vectors of an element type."""
    return _library() is not None and hasattr(_library(), _symbol(name, element))


def load_libraries() -> None:
    """Make the functions known to the compiler."""
    from llvmlite import binding

    if _library() is not None:
        binding.load_library_permanently(_LIBRARY)


def emit(e: Emitter, name: str, element: str, *args: str) -> str:
    """The function of the lanes; it is called on whole vectors, so that a result does not depend on its place."""
    native = _lanes(element)
    n = Emitter(e.names, native, e.lines)
    t = n.type(element)
    symbol = _symbol(name, element)
    if e.width == 1:
        return n.lanes(n.call(symbol, t, [(t, n.splat(a, element)) for a in args]), element, 0, 1)
    if e.width < native:
        own = e.type(element)
        order = ", ".join(f"i32 {i % e.width}" for i in range(native))
        wide = [e.new(f"shufflevector {own} {a}, {own} poison, <{native} x i32> <{order}>") for a in args]
        return n.lanes(n.call(symbol, t, [(t, a) for a in wide]), element, 0, e.width)
    parts = []
    for first in range(0, e.width, native):
        mine = [a if e.width == native else e.lanes(a, element, first, native) for a in args]
        parts.append(n.call(symbol, t, [(t, a) for a in mine]))
    return e.joined(parts, element, native)
