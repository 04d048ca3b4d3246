"""Functions of complex numbers in LLVM IR: a formula for most numbers, the C library's function for all others.

NumPy calls the same functions: what is special, near an overflow or beyond a formula's domain is computed one lane at a
time, as NumPy computes it. They work on doubles: of single precision, results are then right to the last place.
"""

from __future__ import annotations

import ctypes
import functools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lazyxp.executors.numpy.llvm import functions
from lazyxp.executors.numpy.llvm.complexes import Pair, divide, multiply
from lazyxp.executors.numpy.llvm.exponential import fma, log
from lazyxp.executors.numpy.llvm.ir import Emitter, Value
from lazyxp.executors.numpy.llvm.trigonometric import MOST_ANGLE, MOST_HYPERBOLIC, sin_cos, sinh_cosh

# formula(emitter, parts) gives the parts of the results, and where they are right.
Formula = Callable[..., tuple[Pair, str]]
# The result for one lane.
One = Callable[..., Pair]

_LIBRARY = "libm.so.6"
_T = "double"
# The square of the larger part neither overflows nor loses digits.
_LEAST, _MOST = 2.0**-450, 2.0**500
_LETTER = {"double": "", "float": "f"}
# NumPy multiplies up to smaller whole powers.
_MOST_PRODUCTS = 100
# Squares of hyperbolic functions of larger numbers overflow.
_MOST_SQUARED = 350.0


class _Function(NamedTuple):
    formula: Formula | None
    others: One


def _all(e: Emitter, *conditions: str) -> str:
    found = conditions[0]
    for condition in conditions[1:]:
        found = e.op("and", "i1", found, condition)
    return found


def _below(e: Emitter, x: str, limit: float) -> str:
    return e.op("fcmp olt", _T, x, e.const(limit, _T))


def _size(e: Emitter, x: str) -> str:
    return e.intrinsic("fabs", _T, x)


# --- formulas ---------------------------------------------------------------------------------------------------------


def _exp(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
    size = functions.emit(e, "exp", _T, x)
    sine, cosine = sin_cos(e, y)
    fine = _all(e, _below(e, x, MOST_HYPERBOLIC), _below(e, _size(e, y), MOST_ANGLE))
    return (e.op("fmul", _T, size, cosine), e.op("fmul", _T, size, sine)), fine


def _expm1(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
    """NumPy's formula."""
    sine, cosine = sin_cos(e, y)
    half, _ = sin_cos(e, e.op("fmul", _T, y, e.const(0.5, _T)))
    parts = _expm1_of(e, functions.emit(e, "expm1", _T, x), functions.emit(e, "exp", _T, x), sine, cosine, half, y)
    return parts, _all(e, _below(e, _size(e, x), MOST_HYPERBOLIC), _below(e, _size(e, y), MOST_ANGLE))


def _expm1_of(e: Emitter, less: str, size: str, sine: str, cosine: str, half: str, y: str) -> Pair:
    """From ``expm1(x)``, ``exp(x)``, sine and cosine of y, and the sine of half of it."""
    zero = e.const(0, _T)
    real = e.op("fmul", _T, less, cosine)
    real = e.op("fsub", _T, real, e.op("fmul", _T, e.op("fmul", _T, e.const(2, _T), half), half))
    on_axis = e.op("fcmp oeq", _T, y, zero)
    real = e.select(on_axis, _T, e.op("fadd", _T, less, zero), real)
    return real, e.select(on_axis, _T, y, e.op("fmul", _T, size, sine))


def _circular(name: str) -> Formula:
    """The sine or cosine."""

    def formula(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
        sine, cosine = sin_cos(e, x)
        sinh, cosh, _ = sinh_cosh(e, y)
        fine = _all(e, _below(e, _size(e, x), MOST_ANGLE), _below(e, _size(e, y), MOST_HYPERBOLIC))
        if name == "sin":
            return (e.op("fmul", _T, sine, cosh), e.op("fmul", _T, cosine, sinh)), fine
        return (e.op("fmul", _T, cosine, cosh), e.op("fneg", _T, e.op("fmul", _T, sine, sinh))), fine

    return formula


def _hyperbolic(name: str) -> Formula:
    """The hyperbolic sine or cosine."""

    def formula(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
        sine, cosine = sin_cos(e, y)
        sinh, cosh, _ = sinh_cosh(e, x)
        fine = _all(e, _below(e, _size(e, y), MOST_ANGLE), _below(e, _size(e, x), MOST_HYPERBOLIC))
        first, second = (sinh, cosh) if name == "sinh" else (cosh, sinh)
        return (e.op("fmul", _T, first, cosine), e.op("fmul", _T, second, sine)), fine

    return formula


def _quotient(e: Emitter, angle: str, size: str) -> tuple[str, str, str]:
    """The circular and the hyperbolic part of a tangent, and where they are right."""
    sine, cosine = sin_cos(e, angle)
    sinh, cosh, (low_sinh, low_cosh) = sinh_cosh(e, size)
    sinh = _size(e, sinh)
    below = fma(e, _T, e.op("fadd", _T, low_sinh, low_sinh), sinh, e.op("fmul", _T, cosine, cosine))
    below = fma(e, _T, sinh, sinh, below)
    above = fma(e, _T, sinh, low_cosh, e.op("fmul", _T, cosh, low_sinh))
    above = fma(e, _T, sinh, cosh, above)
    fine = _all(e, _below(e, _size(e, angle), MOST_ANGLE), _below(e, _size(e, size), _MOST_SQUARED))
    hyperbolic = e.intrinsic("copysign", _T, e.op("fdiv", _T, above, below), size)
    return e.op("fdiv", _T, e.op("fmul", _T, sine, cosine), below), hyperbolic, fine


def _tan(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
    circular, hyperbolic, fine = _quotient(e, x, y)
    return (circular, hyperbolic), fine


def _tanh(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
    circular, hyperbolic, fine = _quotient(e, y, x)
    return (hyperbolic, circular), fine


def _ordered(e: Emitter, x: str, y: str) -> tuple[str, str, str]:
    """The larger and the smaller of two sizes, and whether they are zero or may be squared."""
    x, y = _size(e, x), _size(e, y)
    more = e.op("fcmp ogt", _T, x, y)
    large, small = e.select(more, _T, x, y), e.select(more, _T, y, x)
    zero = e.op("fcmp oeq", _T, large, e.const(0, _T))
    inside = e.op("and", "i1", e.op("fcmp oge", _T, large, e.const(_LEAST, _T)), _below(e, large, _MOST))
    return large, small, _all(e, e.op("or", "i1", zero, inside), e.op("fcmp ole", _T, small, large))


def _log(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
    """Half the logarithm of the sum of the squares: all that is lost in it is added, as near 1 nothing else is left."""
    large, small, fine = _ordered(e, x, y)
    squares, lows = [], []
    for part in (large, small):
        squares.append(e.op("fmul", _T, part, part))
        lows.append(fma(e, _T, part, part, e.op("fneg", _T, squares[-1])))
    total = e.op("fadd", _T, *squares)
    lost = e.op("fsub", _T, squares[1], e.op("fsub", _T, total, squares[0]))
    both, lost_of_lows = _two_sum(e, *lows)
    low, lost_at_last = _two_sum(e, lost, both)
    low = e.op("fadd", _T, low, e.op("fadd", _T, lost_of_lows, lost_at_last))
    real = log(e, _T, total, e.op("fdiv", _T, low, total))
    return (e.op("fmul", _T, e.const(0.5, _T), real), functions.emit(e, "atan2", _T, y, x)), fine


def _two_sum(e: Emitter, x: str, y: str) -> tuple[str, str]:
    """A sum, and what it loses."""
    total = e.op("fadd", _T, x, y)
    moved = e.op("fsub", _T, total, x)
    back = e.op("fsub", _T, x, e.op("fsub", _T, total, moved))
    return total, e.op("fadd", _T, back, e.op("fsub", _T, y, moved))


def _scaled_log(factor: float) -> Formula:
    def formula(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
        parts, fine = _log(e, x, y)
        return _scaled(e, parts, factor), fine

    return formula


def _scaled(e: Emitter, parts: Pair, factor: float) -> Pair:
    return e.op("fmul", _T, parts[0], e.const(factor, _T)), e.op("fmul", _T, parts[1], e.const(factor, _T))


def _sqrt(e: Emitter, x: str, y: str) -> tuple[Pair, str]:
    _, _, fine = _ordered(e, x, y)
    distance = e.intrinsic("sqrt", _T, fma(e, _T, x, x, e.op("fmul", _T, y, y)))
    high, size_y = e.op("fadd", _T, _size(e, x), distance), _size(e, y)
    root = e.intrinsic("sqrt", _T, e.op("fmul", _T, high, e.const(0.5, _T)))
    other = e.op("fdiv", _T, size_y, e.op("fadd", _T, root, root))
    other = e.select(e.op("fcmp oeq", _T, root, e.const(0, _T)), _T, size_y, other)
    right = e.op("fcmp oge", _T, x, e.const(0, _T))
    imag = e.intrinsic("copysign", _T, e.select(right, _T, other, root), y)
    return (e.select(right, _T, root, other), imag), fine


# --- one lane ---------------------------------------------------------------------------------------------------------


def _library(name: str) -> One:
    """A function of the C library."""
    kind = "{ double, double }"

    def one(e: Emitter, *args: str) -> Pair:
        real, imag = e.parts(e.call(name, kind, [(_T, a) for a in args]), kind, 2)
        return real, imag

    return one


def _real(e: Emitter, name: str, *args: str) -> str:
    """A function of real numbers of the C library."""
    return e.call(name, _T, [(_T, a) for a in args])


def _scaled_library(factor: float) -> One:
    return lambda e, x, y: _scaled(e, _library("clog")(e, x, y), factor)


def _one_expm1(e: Emitter, x: str, y: str) -> Pair:
    """The exponential less 1 where it is not finite, NumPy's formula elsewhere."""
    half = _real(e, "sin", e.op("fmul", _T, y, e.const(0.5, _T)))
    sine, cosine = _real(e, "sin", y), _real(e, "cos", y)
    formula = _expm1_of(e, _real(e, "expm1", x), _real(e, "exp", x), sine, cosine, half, y)
    real, imag = _library("cexp")(e, x, y)
    less = e.op("fsub", _T, real, e.const(1, _T)), imag
    finite = _all(e, _below(e, _size(e, x), math.inf), _below(e, _size(e, y), math.inf))
    on_axis = e.op("fcmp oeq", _T, y, e.const(0, _T))
    finite = e.op("or", "i1", finite, on_axis)
    return e.select(finite, _T, formula[0], less[0]), e.select(finite, _T, formula[1], less[1])


def _one_tanh(e: Emitter, x: str, y: str) -> Pair:
    """The standard's signs at infinity, which the library's do not have."""
    real, imag = _library("ctanh")(e, x, y)
    infinite = e.op("fcmp oeq", _T, _size(e, x), e.const(math.inf, _T))
    at_infinity = _all(e, infinite, _below(e, _size(e, y), math.inf))
    real = e.select(at_infinity, _T, e.intrinsic("copysign", _T, e.const(1, _T), x), real)
    return real, e.select(at_infinity, _T, e.intrinsic("copysign", _T, e.const(0, _T), y), imag)


# --- in their own precision -------------------------------------------------------------------------------------------


def _log1p(element: str) -> _Function:
    """NumPy's formula, which loses digits near zero: those of a longer format would be other digits."""

    def one(e: Emitter, x: str, y: str) -> Pair:
        def call(name: str, *args: str) -> str:
            return e.call(name + _LETTER[element], element, [(element, a) for a in args])

        x = e.op("fadd", element, x, e.const(1, element))
        return call("log", call("hypot", x, y)), call("atan2", y, x)

    return _Function(None, one)


def _pow(element: str) -> _Function:
    """NumPy's products for small whole numbers, rounded and overflowing as they do, and the C library's function."""

    def formula(e: Emitter, a: str, b: str, c: str, d: str) -> tuple[Pair, str]:
        x, zero, one = (a, b), e.const(0, element), e.const(1, element)

        def select(condition: str, these: Pair, those: Pair) -> Pair:
            return e.select(condition, element, these[0], those[0]), e.select(condition, element, these[1], those[1])

        def is_zero(pair: Pair) -> str:
            return _all(e, *[e.op("fcmp oeq", element, part, zero) for part in pair])

        size = e.intrinsic("fabs", element, c)
        whole = _all(
            e,
            e.op("fcmp oeq", element, d, zero),
            e.op("fcmp olt", element, size, e.const(_MOST_PRODUCTS, element)),
            e.op("fcmp oeq", element, e.intrinsic("trunc", element, c), c),
        )
        n = e.convert("fptosi", e.select(whole, element, size, zero), element, "i32")

        def is_one_of(bits: int, number: int) -> str:
            return e.op("icmp eq", "i32", e.op("and", "i32", n, e.const(bits, "i32")), e.const(number, "i32"))

        power, result = x, (one, zero)
        square = power
        for k in range(_MOST_PRODUCTS.bit_length()):
            product = multiply(e, element, result, power)
            result = select(is_one_of(1 << k, 1 << k), product, result)
            power = multiply(e, element, power, power)
            square = power if k == 0 else square
        negative = e.op("fcmp olt", element, c, zero)
        result = select(negative, divide(e, element, (one, zero), result), result)
        positive = e.op("xor", "i1", negative, e.const(1, "i1"))
        for number, direct in ((1, x), (2, square), (3, multiply(e, element, x, square))):
            result = select(_all(e, positive, is_one_of(-1, number)), direct, result)
        nothing = _all(e, is_zero(x), e.op("xor", "i1", is_zero((c, d)), e.const(1, "i1")))
        of_zero = e.select(e.op("fcmp ogt", element, c, zero), element, zero, e.const(math.nan, element))
        return select(nothing, (of_zero, of_zero), result), e.op("or", "i1", whole, nothing)

    return _Function(formula, _library("cpow") if element == _T else _single_pow)


def _single_pow(e: Emitter, a: str, b: str, c: str, d: str) -> Pair:
    """The function of the C library, which takes and gives both parts of a number in one register."""
    kind = "<2 x float>"
    held = []
    for pair in ((a, b), (c, d)):
        whole = "poison"
        for k, part in enumerate(pair):
            whole = e.new(f"insertelement {kind} {whole}, float {part}, i64 {k}")
        held.append((kind, whole))
    found = e.call("cpowf", kind, held)
    real, imag = (e.new(f"extractelement {kind} {found}, i64 {k}") for k in range(2))
    return real, imag


_OWN = {"log1p": _log1p, "pow": _pow}
_FUNCTIONS = {
    "exp": _Function(_exp, _library("cexp")),
    "expm1": _Function(_expm1, _one_expm1),
    "log": _Function(_log, _library("clog")),
    "log2": _Function(_scaled_log(1 / math.log(2)), _scaled_library(1 / math.log(2))),
    "log10": _Function(_scaled_log(1 / math.log(10)), _scaled_library(1 / math.log(10))),
    "sqrt": _Function(_sqrt, _library("csqrt")),
    "sin": _Function(_circular("sin"), _library("csin")),
    "cos": _Function(_circular("cos"), _library("ccos")),
    "tan": _Function(_tan, _library("ctan")),
    "sinh": _Function(_hyperbolic("sinh"), _library("csinh")),
    "cosh": _Function(_hyperbolic("cosh"), _library("ccosh")),
    "tanh": _Function(_tanh, _one_tanh),
    **{name: _Function(None, _library(f"c{name}")) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
}
NAMES = frozenset((*_FUNCTIONS, *_OWN))


@functools.cache
def available() -> bool:
    """Whether this machine has what these functions are made of."""
    if not functions.is_written("exp") or not functions.available("atan2", _T):
        return False
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError:
        return False
    return all([hasattr(library, f"c{name}") for name in ("exp", "log", "pow", "sqrt", "asin", "tanh")])


def load_library() -> None:
    """Make the C library's functions known to the compiler."""
    from llvmlite import binding

    if available():
        binding.load_library_permanently(_LIBRARY)


def emit(e: Emitter, name: str, element: str, args: Sequence[Pair]) -> Pair:
    """The function of the lanes; what it gives for one does not depend on its place, nor on the others."""
    function, inside = (_OWN[name](element), element) if name in _OWN else (_FUNCTIONS[name], _T)
    parts = [e.convert("fpext", part, element, inside) for x in args for part in x]
    if function.formula is None and e.width == 1:
        found: Value = function.others(e, *parts)
    else:
        found = functions.in_native(e, inside, parts, lambda n, mine: _called(n, name, inside, function, mine))
    real, imag = (e.convert("fptrunc", part, inside, element) for part in found)
    return real, imag


def _called(n: Emitter, name: str, element: str, function: _Function, args: Sequence[str]) -> Value:
    symbol = f"lazyxp.complex.{name}.{element}"
    return functions.local(n, symbol, element, args, lambda own, *mine: _body(own, element, function, mine), parts=2)


def _body(own: Emitter, element: str, function: _Function, args: Sequence[str]) -> Pair:
    """What the formula gives where it is right, and `others` gives for all other lanes."""
    formula, others = function
    t, one = own.type(element), own.scalar()
    memory = [own.new(f"alloca {t}") for _ in (*args, "real", "imag")]
    if formula is None:
        found, left = args[:2], f"{(1 << own.width) - 1}"
    else:
        found, fine = formula(own, *args)
        lanes = f"i{own.width}"
        bits = own.new(f"bitcast {own.type('i1')} {fine} to {lanes}")
        left = one.convert("zext", one.op("xor", lanes, bits, "-1"), lanes, "i64")
    own.do(f"br i1 {one.op('icmp ne', 'i64', left, '0')}, label %others, label %end")
    own.do("others:")
    for x, where in zip((*args, *found), memory, strict=True):
        own.do(f"store {t} {x}, ptr {where}")
    own.do("br label %lane")
    own.do("lane:")
    rest = own.names.new()
    bits = own.new(f"phi i64 [{left}, %others], [{rest}, %lane]")
    lane = own.new(f"call i64 @llvm.cttz.i64(i64 {bits}, i1 true)")
    own.names.declarations.setdefault("llvm.cttz.i64", "declare i64 @llvm.cttz.i64(i64, i1)")
    places = [own.new(f"getelementptr {element}, ptr {where}, i64 {lane}") for where in memory]
    results = others(one, *[own.new(f"load {element}, ptr {place}") for place in places[: len(args)]])
    for result, place in zip(results, places[len(args) :], strict=True):
        own.do(f"store {element} {result}, ptr {place}")
    own.do(f"{rest} = and i64 {bits}, {one.op('sub', 'i64', bits, '1')}")
    own.do(f"br i1 {one.op('icmp ne', 'i64', rest, '0')}, label %lane, label %stored")
    own.do("stored:")
    loaded = [own.new(f"load {t}, ptr {where}") for where in memory[len(args) :]]
    own.do("br label %end")
    own.do("end:")
    real, imag = (
        own.new(f"phi {t} [{mine}, %start], [{other}, %stored]") for mine, other in zip(found, loaded, strict=True)
    )
    return real, imag
