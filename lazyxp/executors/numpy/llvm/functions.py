"""Functions of floats in LLVM IR: written out, or calls of the C library's vector math."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from typing import Any

from lazyxp.executors.numpy.llvm import exponential
from lazyxp.executors.numpy.llvm.ir import Emitter, Names, Value

# Written out where the processor multiplies and adds in one instruction: faster than calls.
_WRITTEN: dict[str, Callable[..., str]] = {
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "log": exponential.log,
    "log1p": exponential.log1p,
    "tanh": exponential.tanh,
}
_BINARY = ("atan2", "hypot", "pow", "logaddexp")
NAMES = (
    *(*_WRITTEN, "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan"),
    *("sinh", "cosh", "asinh", "acosh", "atanh", *_BINARY),
)
# Accurate, right for special values, and each lane on its own on x86-64. On other processors some of the library's
# functions look at all lanes to choose a way: a result would depend on what is beside it.
_LIBRARY = "libmvec.so.1"
_LETTERS = {16: "b", 32: "d", 64: "e"}
# Between these the library takes floats one by one, but whole vectors of doubles.
_AS_DOUBLES = {"sin": (1e4, 2.0**20), "cos": (1e4, 2.0**20)}


@functools.cache
def _architecture() -> str:
    from llvmlite import binding

    return str(binding.get_process_triple()).split("-")[0]


def is_x86() -> bool:
    """Whether this is the processor of a PC."""
    return _architecture() == "x86_64"


@functools.cache
def features() -> Any:
    """What the processor can do, by name; to ask it takes some time."""
    from llvmlite import binding

    return binding.get_host_cpu_features()


@functools.cache
def _has(*names: str) -> bool:
    """Whether the processor has all of these features."""
    return all([features().get(name) for name in names])


@functools.cache
def _library() -> Any:
    if not is_x86():
        return None
    try:
        return ctypes.CDLL(_LIBRARY)
    except OSError:
        return None


def load_libraries() -> None:
    """Make the functions known to the compiler."""
    from llvmlite import binding

    if _library() is not None:
        binding.load_library_permanently(_LIBRARY)


def _vector_bytes() -> int:
    return 64 if _has("avx512f", "avx512vl") else 32 if _has("avx2", "fma") else 16


def _lanes(element: str) -> int:
    return _vector_bytes() // (8 if element == "double" else 4)


def _symbol(name: str, element: str) -> str:
    arguments = "vv" if name in _BINARY else "v"
    letter = _LETTERS[_vector_bytes()]
    return f"_ZGV{letter}N{_lanes(element)}{arguments}_{name}{'f' if element == 'float' else ''}"


def is_written(name: str) -> bool:
    """Whether a function is written out in instructions here."""
    return name in _WRITTEN and (_architecture() in ("aarch64", "arm64") or _has("fma"))


@functools.cache
def available(name: str, element: str) -> bool:
    """Whether this machine has a function for vectors of an element type."""
    if name == "logaddexp":
        return available("exp", element) and available("log1p", element)
    return is_written(name) or (_library() is not None and hasattr(_library(), _symbol(name, element)))


def emit(e: Emitter, name: str, element: str, *args: str) -> str:
    """The function of the lanes; what it gives for one does not depend on its place, nor on the others."""
    if name == "logaddexp":
        return _logaddexp(e, element, *args)
    if not is_written(name):
        return _call(e, name, element, args)
    return _shared(e, name, element, *args) if e.width == 1 else _written(e, name, element, *args)


def _written(e: Emitter, name: str, element: str, x: str) -> str:
    if name == "exp":
        return exponential.exp(e, element, x, scales=_has("avx512f", "avx512vl"))
    return _WRITTEN[name](e, element, x)


def _shared(e: Emitter, name: str, element: str, x: str) -> str:
    """A call of a function of this module: single elements are too few to be worth compiling it in every place."""
    return str(local(e, f"lazyxp.{name}.{element}", element, [x], lambda own, x: _written(own, name, element, x)))


def local(
    e: Emitter, symbol: str, element: str, args: Sequence[str], body: Callable[..., Value], *, parts: int = 1
) -> Value:
    """A call of a function of this module, defined if it is not yet; several parts are a tuple."""
    declared, t = e.names.declarations, e.type(element)
    result = t if parts == 1 else f"{{ {', '.join([t] * parts)} }}"
    if symbol not in declared:
        own = Emitter(Names(), e.width)
        names = [f"%x{k}" for k in range(len(args))]
        found = body(own, *names)
        if parts > 1:
            whole = "poison"
            for k, part in enumerate(found):
                whole = own.new(f"insertvalue {result} {whole}, {t} {part}, {k}")
            found = whole
        taken = ", ".join([f"{t} {name}" for name in names])
        lines = [f"define internal {result} @{symbol}({taken}) alignstack(64) nounwind {{", "start:", *own.lines]
        declared.update(own.names.declarations)
        declared[symbol] = "\n".join([*lines, f"ret {result} {found}", "}"])
    returned = e.call(symbol, result, [(t, x) for x in args])
    return returned if parts == 1 else e.parts(returned, result, parts)


def _call(e: Emitter, name: str, element: str, args: Sequence[str]) -> str:
    """A call of the library, always on whole vectors: for one lane it would be another function."""
    return str(in_native(e, element, args, lambda n, mine: _whole(n, name, element, mine)))


def in_native(e: Emitter, element: str, args: Sequence[str], whole: Callable[[Emitter, Sequence[str]], Value]) -> Value:
    """What `whole` gives for vectors of the processor's own width, for one lane as well; some parts, or only one."""
    native = _lanes(element)
    n = Emitter(e.names, native, e.lines)

    def each(found: Value, change: Callable[[str], str]) -> Value:
        return tuple(map(change, found)) if isinstance(found, tuple) else change(found)

    if e.width == 1:
        return each(whole(n, [n.splat(a, element) for a in args]), lambda x: n.lanes(x, element, 0, 1))
    if e.width < native:
        own = e.type(element)
        order = ", ".join(f"i32 {i % e.width}" for i in range(native))
        wide = [e.new(f"shufflevector {own} {a}, {own} poison, <{native} x i32> <{order}>") for a in args]
        return each(whole(n, wide), lambda x: n.lanes(x, element, 0, e.width))
    if e.width == native:
        return whole(n, args)
    found = [whole(n, [e.lanes(a, element, first, native) for a in args]) for first in range(0, e.width, native)]
    if isinstance(found[0], tuple):
        return tuple([e.joined(list(part), element, native) for part in zip(*found, strict=True)])
    return e.joined(found, element, native)


def _whole(n: Emitter, name: str, element: str, args: Sequence[str]) -> str:
    """The function of one of the library's vectors."""
    if element == "float" and name in _AS_DOUBLES:
        return str(local(n, f"lazyxp.{name}.{element}", element, args, lambda own, x: _partly_double(own, name, x)))
    return _direct(n, name, element, args)


def _direct(n: Emitter, name: str, element: str, args: Sequence[str]) -> str:
    t = n.type(element)
    return n.call(_symbol(name, element), t, [(t, a) for a in args])


def _partly_double(own: Emitter, name: str, x: str) -> str:
    """The function of floats, of which some become doubles; each lane for itself."""
    t, zero = own.type("float"), own.const(0, "float")
    size = own.intrinsic("fabs", "float", x)
    least, end = (own.const(limit, "float") for limit in _AS_DOUBLES[name])
    floats = own.op("or", "i1", own.op("fcmp olt", "float", size, least), own.op("fcmp uge", "float", size, end))
    direct = _direct(own, name, "float", [own.select(floats, "float", x, zero)])
    lanes = f"i{own.width}"
    bits = own.new(f"bitcast {own.type('i1')} {floats} to {lanes}")
    every = own.new(f"icmp eq {lanes} {bits}, -1")
    own.do(f"br i1 {every}, label %end, label %doubles")
    own.do("doubles:")
    wide = own.convert("fpext", own.select(floats, "float", zero, x), "float", "double")
    found = own.convert("fptrunc", _call(own, name, "double", (wide,)), "double", "float")
    mixed = own.select(floats, "float", direct, found)
    own.do("br label %end")
    own.do("end:")
    return own.new(f"phi {t} [{direct}, %start], [{mixed}, %doubles]")


def _logaddexp(e: Emitter, element: str, x: str, y: str) -> str:
    """The larger one, and what the other adds to it: NumPy's way, which loses digits where the result is near zero."""
    more = e.op("fcmp ogt", element, x, y)
    large, small = e.select(more, element, x, y), e.select(more, element, y, x)
    # Equal infinities have no difference.
    equal = e.op("fcmp oeq", element, x, y)
    difference = e.select(equal, element, e.const(0, element), e.op("fsub", element, small, large))
    rest = emit(e, "log1p", element, emit(e, "exp", element, difference))
    return e.op("fadd", element, large, rest)
