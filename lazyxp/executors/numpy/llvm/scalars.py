"""What elementwise ops are in LLVM IR, lane by lane, with NumPy's answers for zeros, infinities, NaN and overflow."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyxp.executors.numpy.llvm import complex_functions, complexes, functions
from lazyxp.executors.numpy.llvm.ir import Emitter, Value, element_of, is_known

DType = np.dtype[Any]
# emit(emitter, operands, their dtypes, dtype of the result, parameters of the op)
Scalar = Callable[[Emitter, Sequence[Value], Sequence[DType], DType, Any], Value]

# For each op, what it is for operands of certain kinds of dtypes.
_TABLE: dict[str, tuple[str, Scalar]] = {}
_INTEGER = "iu"


@functools.cache
def supports(name: str, operands: tuple[DType, ...], result: DType) -> bool:
    """Whether an op on operands of these dtypes can be printed."""
    kinds, _ = _TABLE.get(name, ("", None))
    if any(d.kind not in kinds for d in operands) or not all(map(is_known, (*operands, result))):
        return False
    if any(d.kind == "c" for d in operands[:1]):
        if name in ("abs", "sign"):
            return functions.available("hypot", element_of(operands[0]))
        return name not in complex_functions.NAMES or complex_functions.available()
    return name not in functions.NAMES or functions.available(name, element_of(operands[0]))


def emit(e: Emitter, name: str, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
    """The result of an op that `supports` is true for."""
    return _TABLE[name][1](e, args, operands, result, params)


def _scalar(names: str, kinds: str) -> Callable[[Scalar], Scalar]:
    def declare(function: Scalar) -> Scalar:
        for name in names.split():
            _TABLE[name] = kinds, function
        return function

    return declare


def _declare(name: str, kinds: str, function: Callable[[Emitter, str, DType, list[Any]], Value]) -> None:
    """An op whose operands all have one dtype; complex numbers are worked on in their parts."""

    def run(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
        return function(e, element_of(operands[0]), operands[0], list(args))

    _TABLE[name] = kinds, run


def _by_kind(name: str, *, f: str = "", i: str = "", u: str = "", b: str = "") -> None:
    """An op that is one instruction for each kind of dtype; for complex numbers, that of floats on each part."""
    codes = {"f": f, "i": i, "u": u or i, "b": b, "c": f if name in ("add", "subtract") else ""}

    def run(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
        code = codes[dtype.kind]
        if dtype.kind == "c":
            return tuple([e.op(code, element, *parts) for parts in zip(*args, strict=True)])
        return e.op(code, element, *args)

    _declare(name, "".join(k for k, code in codes.items() if code), run)


_by_kind("add", f="fadd", i="add", b="or")
_by_kind("subtract", f="fsub", i="sub")
_by_kind("bitwise_and", i="and", b="and")
_by_kind("bitwise_or", i="or", b="or")
_by_kind("bitwise_xor", i="xor", b="xor")


def constant(e: Emitter, value: Any, dtype: DType) -> Value:
    """A constant in all lanes."""
    element = element_of(dtype)
    if dtype.kind == "c":
        number = complex(value)
        return e.const(number.real, element), e.const(number.imag, element)
    return e.const(value, element)


# --- casts -----------------------------------------------------------------------------------------------------------


def truth(e: Emitter, x: Value, dtype: DType) -> str:
    """Whether `x` is not zero."""
    element = element_of(dtype)
    if dtype.kind == "b":
        return str(x)
    if dtype.kind == "c":
        parts = [e.op("fcmp une", element, part, e.const(0, element)) for part in x]
        return e.op("or", "i1", *parts)
    return e.op("fcmp une" if dtype.kind == "f" else "icmp ne", element, x, e.const(0, element))


def cast(e: Emitter, x: Value, source: DType, target: DType) -> Value:
    """`x` as NumPy casts it; what is beyond an integer's range is open, as in C."""
    if source == target:
        return x
    if target.kind == "b":
        return truth(e, x, source)
    if target.kind == "c":
        part = np.dtype(f"f{target.itemsize // 2}")
        if source.kind != "c":
            return cast(e, x, source, part), e.const(0, element_of(part))
        own = np.dtype(f"f{source.itemsize // 2}")
        return cast(e, x[0], own, part), cast(e, x[1], own, part)
    if source.kind == "c":
        return cast(e, x[0], np.dtype(f"f{source.itemsize // 2}"), target)
    old, new = element_of(source), element_of(target)
    if source.kind == "f":
        if target.kind == "f":
            return e.convert("fpext" if target.itemsize > source.itemsize else "fptrunc", x, old, new)
        if target.kind == "u" and target.itemsize == 8:
            return e.convert("fptoui", x, old, new)
        wide = "i64" if target.itemsize * 8 + (target.kind == "u") > 32 else "i32"
        return e.convert("trunc", e.convert("fptosi", x, old, wide), wide, new)
    if target.kind == "f":
        return e.convert("sitofp" if source.kind == "i" else "uitofp", x, old, new)
    if old == new:
        return x
    widens = source.kind == "b" or target.itemsize > source.itemsize
    return e.convert(("sext" if source.kind == "i" else "zext") if widens else "trunc", x, old, new)


@_scalar("astype", "biufc")
def _astype(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
    return cast(e, args[0], operands[0], result)


# --- arithmetic ------------------------------------------------------------------------------------------------------


def _multiply(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    if dtype.kind == "c":
        return complexes.multiply(e, element, *args)
    return e.op({"f": "fmul", "b": "and"}.get(dtype.kind, "mul"), element, *args)


_declare("multiply", "biufc", _multiply)
_declare("square", "iufc", lambda e, t, d, a: _multiply(e, t, d, [a[0], a[0]]))


def _divide(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    """The quotient."""
    if dtype.kind == "f":
        return e.op("fdiv", element, *args)
    return complexes.divide(e, element, *args)


_declare("divide", "fc", _divide)


def _reciprocal(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    """One over `x`."""
    if dtype.kind == "f":
        return e.op("fdiv", element, e.const(1, element), args[0])
    return complexes.reciprocal(e, element, args[0])


_declare("reciprocal", "fc", _reciprocal)


def _negative(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    (x,) = args
    if dtype.kind == "c":
        return tuple([e.op("fneg", element, part) for part in x])
    return e.op("fneg", element, x) if dtype.kind == "f" else e.op("sub", element, e.const(0, element), x)


_declare("negative", "iufc", _negative)
_declare("positive", "iufc", lambda e, t, d, a: a[0])


def _abs(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    (x,) = args
    if dtype.kind == "c":
        return functions.emit(e, "hypot", element, *x)
    if dtype.kind == "f":
        return e.intrinsic("fabs", element, x)
    if dtype.kind == "i":
        zero = e.const(0, element)
        return e.select(e.op("icmp slt", element, x, zero), element, e.op("sub", element, zero, x), x)
    return x


_declare("abs", "biufc", _abs)
_declare(
    "sqrt",
    "fc",
    lambda e, t, d, a: complex_functions.emit(e, "sqrt", t, a) if d.kind == "c" else e.intrinsic("sqrt", t, a[0]),
)


def _sign(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    (x,) = args
    if dtype.kind == "c":
        return complexes.sign(e, element, x)
    zero, one = e.const(0, element), e.const(1, element)
    if dtype.kind == "u":
        return e.convert("zext", e.op("icmp ne", element, x, zero), "i1", element)
    compare = "fcmp o" if dtype.kind == "f" else "icmp s"
    result = e.select(e.op(f"{compare}gt", element, x, zero), element, one, zero)
    result = e.select(e.op(f"{compare}lt", element, x, zero), element, e.const(-1, element), result)
    return e.select(e.op("fcmp uno", element, x, x), element, x, result) if dtype.kind == "f" else result


_declare("sign", "iufc", _sign)


def _rounded(name: str, intrinsic: str) -> None:
    def run(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
        (x,) = args
        if dtype.kind == "c":
            return tuple([e.intrinsic(intrinsic, element, part) for part in x])
        return e.intrinsic(intrinsic, element, x) if dtype.kind == "f" else x

    _declare(name, "iufc" if name == "round" else "iuf", run)


for _name, _intrinsic in (("floor", "floor"), ("ceil", "ceil"), ("trunc", "trunc"), ("round", "roundeven")):
    _rounded(_name, _intrinsic)


def _float_remainder(e: Emitter, element: str, x: str, y: str) -> tuple[str, str]:
    """The remainder with the sign of `y`, and what has to be taken from `x` to be divisible."""
    zero = e.const(0, element)
    rest = e.op("frem", element, x, y)
    some = e.op("fcmp une", element, rest, zero)
    other_side = e.op("xor", "i1", e.op("fcmp olt", element, y, zero), e.op("fcmp olt", element, rest, zero))
    moved = e.op("and", "i1", some, other_side)
    signed = e.select(some, element, rest, e.intrinsic("copysign", element, zero, y))
    return e.select(moved, element, e.op("fadd", element, rest, y), signed), moved


def _float_floor_divide(e: Emitter, element: str, x: str, y: str) -> str:
    zero, one = e.const(0, element), e.const(1, element)
    quotient = e.op("fdiv", element, x, y)
    rest = e.op("frem", element, x, y)
    _, moved = _float_remainder(e, element, x, y)
    whole = e.op("fdiv", element, e.op("fsub", element, x, rest), y)
    whole = e.select(moved, element, e.op("fsub", element, whole, one), whole)
    low = e.intrinsic("floor", element, whole)
    above = e.op("fcmp ogt", element, e.op("fsub", element, whole, low), e.const(0.5, element))
    low = e.select(above, element, e.op("fadd", element, low, one), low)
    none = e.op("fcmp oeq", element, whole, zero)
    low = e.select(none, element, e.intrinsic("copysign", element, zero, quotient), low)
    # The standard's quotient where just one operand is infinite; NumPy's where the divisor is zero.
    size_x, size_y, most = e.intrinsic("fabs", element, x), e.intrinsic("fabs", element, y), e.const(math.inf, element)
    infinite = e.op("xor", "i1", e.op("fcmp oeq", element, size_x, most), e.op("fcmp oeq", element, size_y, most))
    plain = e.op("or", "i1", infinite, e.op("fcmp oeq", element, y, zero))
    return e.select(plain, element, quotient, low)


def _safe_divisor(e: Emitter, element: str, dtype: DType, x: str, y: str) -> tuple[str, str]:
    """A divisor that never traps, and where the real one is zero."""
    zero = e.op("icmp eq", element, y, e.const(0, element))
    unsafe = zero
    if dtype.kind == "i":
        least = e.op("icmp eq", element, x, e.const(np.iinfo(dtype).min, element))
        overflow = e.op("and", "i1", least, e.op("icmp eq", element, y, e.const(-1, element)))
        unsafe = e.op("or", "i1", zero, overflow)
    return e.select(unsafe, element, e.const(1, element), y), zero


def _floor_divide(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    x, y = args
    if dtype.kind == "f":
        return _float_floor_divide(e, element, x, y)
    safe, by_zero = _safe_divisor(e, element, dtype, x, y)
    result = e.op("sdiv" if dtype.kind == "i" else "udiv", element, x, safe)
    if dtype.kind == "i":
        below = _rounded_up(e, element, e.op("sub", element, x, e.op("mul", element, result, safe)), safe)
        result = e.op("add", element, result, e.convert("sext", below, "i1", element))
    return e.select(by_zero, element, e.const(0, element), result)


def _rounded_up(e: Emitter, element: str, rest: str, divisor: str) -> str:
    """Whether the quotient with this remainder was rounded up: towards zero from below."""
    zero = e.const(0, element)
    signs = e.op("icmp slt", element, e.op("xor", element, rest, divisor), zero)
    return e.op("and", "i1", e.op("icmp ne", element, rest, zero), signs)


def _remainder(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
    x, y = args
    if dtype.kind == "f":
        return _float_remainder(e, element, x, y)[0]
    safe, by_zero = _safe_divisor(e, element, dtype, x, y)
    rest = e.op("srem" if dtype.kind == "i" else "urem", element, x, safe)
    if dtype.kind == "i":
        up = _rounded_up(e, element, rest, safe)
        rest = e.select(up, element, e.op("add", element, rest, safe), rest)
    return e.select(by_zero, element, e.const(0, element), rest)


_declare("floor_divide", "iuf", _floor_divide)
_declare("remainder", "iuf", _remainder)


# --- bits ------------------------------------------------------------------------------------------------------------


def _shift(*, left: bool) -> Callable[[Emitter, str, DType, list[Any]], Value]:
    def run(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
        x, count = args
        bits = 8 * dtype.itemsize
        inside = e.op("icmp ult", element, count, e.const(bits, element))
        if left:
            return e.select(inside, element, e.op("shl", element, x, count), e.const(0, element))
        if dtype.kind == "i":  # all bits are the sign's from the last one on
            return e.op("ashr", element, x, e.select(inside, element, count, e.const(bits - 1, element)))
        return e.select(inside, element, e.op("lshr", element, x, count), e.const(0, element))

    return run


_declare("bitwise_left_shift", _INTEGER, _shift(left=True))
_declare("bitwise_right_shift", _INTEGER, _shift(left=False))
_declare("bitwise_invert", "biu", lambda e, t, d, a: e.op("xor", t, a[0], e.const(1 if d.kind == "b" else -1, t)))


# --- comparisons and logic -------------------------------------------------------------------------------------------

_ORDERED = {"less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge"}


def _compare(name: str) -> Scalar:
    def run(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
        x, y = args
        one, two = operands
        element = element_of(one)
        if one.kind == "c":
            code, join = ("fcmp oeq", "and") if name == "equal" else ("fcmp une", "or")
            return e.op(join, "i1", *[e.op(code, element, a, b) for a, b in zip(x, y, strict=True)])
        kind = one.kind
        if one != two:  # int64 with uint64 are compared exactly
            x, y = (
                e.convert("sext" if d.kind == "i" else "zext", v, element_of(d), "i128")
                for v, d in zip(args, operands, strict=True)
            )
            element, kind = "i128", "i"
        if name in _ORDERED:
            code = {"f": "fcmp o", "i": "icmp s"}.get(kind, "icmp u") + _ORDERED[name]
        elif kind == "f":
            code = "fcmp oeq" if name == "equal" else "fcmp une"
        else:
            code = "icmp eq" if name == "equal" else "icmp ne"
        return e.op(code, element, x, y)

    return run


for _name in ("equal", "not_equal", *_ORDERED):
    _TABLE[_name] = "biufc" if "equal" in _name and _name not in _ORDERED else "biuf", _compare(_name)


def _logical(code: str) -> Scalar:
    def run(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
        return e.op(code, "i1", *[truth(e, x, d) for x, d in zip(args, operands, strict=True)])

    return run


for _name, _code in (("logical_and", "and"), ("logical_or", "or"), ("logical_xor", "xor")):
    _TABLE[_name] = "biufc", _logical(_code)


@_scalar("logical_not", "biufc")
def _logical_not(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
    return e.op("xor", "i1", truth(e, args[0], operands[0]), e.const(1, "i1"))


def is_nan(e: Emitter, element: str, x: str) -> str:
    """Whether a float is NaN."""
    return e.op("fcmp uno", element, x, x)


def _classify(code: str, join: str, otherwise: bool) -> Callable[[Emitter, str, DType, list[Any]], Value]:
    def one(e: Emitter, element: str, x: str) -> str:
        if code == "nan":
            return is_nan(e, element, x)
        return e.op(code, element, e.intrinsic("fabs", element, x), e.const(math.inf, element))

    def run(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
        (x,) = args
        if dtype.kind == "c":
            return e.op(join, "i1", *[one(e, element, part) for part in x])
        return one(e, element, x) if dtype.kind == "f" else e.const(otherwise, "i1")

    return run


_declare("isnan", "biufc", _classify("nan", "or", False))
_declare("isinf", "biufc", _classify("fcmp oeq", "or", False))
_declare("isfinite", "biufc", _classify("fcmp olt", "and", True))


@_scalar("where", "biufc")
def _where(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
    condition = truth(e, args[0], operands[0])
    element = element_of(result)
    x, y = (cast(e, v, d, result) for v, d in zip(args[1:], operands[1:], strict=True))
    if result.kind == "c":
        return tuple([e.select(condition, element, a, b) for a, b in zip(x, y, strict=True)])
    return e.select(condition, element, x, y)


def extreme(e: Emitter, name: str, element: str, dtype: DType, x: str, y: str) -> str:
    """The larger or the smaller one; NaN if one of them is."""
    largest = name == "maximum"
    if dtype.kind == "b":
        return e.op("or" if largest else "and", "i1", x, y)
    if dtype.kind == "f":
        # One instruction gives `x` for what is equal or NaN; whether `y` is NaN is asked once for all reductions of it.
        one = e.select(e.op("fcmp ogt" if largest else "fcmp olt", element, y, x), element, y, x)
        return e.select(is_nan(e, element, y), element, y, one)
    code = f"icmp {'s' if dtype.kind == 'i' else 'u'}{'gt' if largest else 'lt'}"
    return e.select(e.op(code, element, x, y), element, x, y)


def _extreme(name: str) -> Callable[[Emitter, str, DType, list[Any]], Value]:
    return lambda e, element, dtype, args: extreme(e, name, element, dtype, *args)


_declare("maximum", "biuf", _extreme("maximum"))
_declare("minimum", "biuf", _extreme("minimum"))


@_scalar("clip", "iuf")
def _clip(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
    element = element_of(result)
    x, *bounds = (cast(e, v, d, result) for v, d in zip(args, operands, strict=True))
    for bound, value in zip(params, bounds, strict=True):
        x = extreme(e, "maximum" if bound == "min" else "minimum", element, result, x, value)
    return x


# --- parts -----------------------------------------------------------------------------------------------------------

_declare("copysign", "f", lambda e, t, d, a: e.intrinsic("copysign", t, *a))
_declare("conj", "iufc", lambda e, t, d, a: (a[0][0], e.op("fneg", t, a[0][1])) if d.kind == "c" else a[0])
_declare("real", "iufc", lambda e, t, d, a: a[0][0] if d.kind == "c" else a[0])
_declare("imag", "c", lambda e, t, d, a: a[0][1])
_declare("complex", "f", lambda e, t, d, a: (a[0], a[1]))


@_scalar("signbit", "f")
def _signbit(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
    element = element_of(operands[0])
    bits = f"i{8 * operands[0].itemsize}"
    return e.op("icmp slt", bits, e.convert("bitcast", args[0], element, bits), e.const(0, bits))


@_scalar("nextafter", "f")
def _nextafter(e: Emitter, args: Sequence[Value], operands: Sequence[DType], result: DType, params: Any) -> Value:
    """The bits of a float, one more or less: as integers they are in the order of the sizes."""
    x, y = args
    element, bits = element_of(result), f"i{8 * result.itemsize}"
    number = e.convert("bitcast", x, element, bits)
    zero, least = e.const(0, element), e.const(np.finfo(result).smallest_subnormal, element)
    up = e.op("fcmp olt", element, x, y)
    grows = e.op("xor", "i1", up, e.op("fcmp olt", element, x, zero))
    moved = e.op("add", bits, number, e.select(grows, bits, e.const(1, bits), e.const(-1, bits)))
    moved = e.convert("bitcast", moved, bits, element)
    moved = e.select(e.op("fcmp oeq", element, x, zero), element, e.intrinsic("copysign", element, least, y), moved)
    moved = e.select(e.op("fcmp oeq", element, x, y), element, y, moved)
    return e.select(e.op("fcmp uno", element, x, y), element, e.op("fadd", element, x, y), moved)


def _function(name: str) -> Callable[[Emitter, str, DType, list[Any]], Value]:
    def run(e: Emitter, element: str, dtype: DType, args: list[Any]) -> Value:
        return (
            complex_functions.emit(e, name, element, args)
            if dtype.kind == "c"
            else functions.emit(e, name, element, *args)
        )

    return run


for _name in functions.NAMES:
    _declare(_name, "fc" if _name in complex_functions.NAMES else "f", _function(_name))


def is_function(name: str, dtype: DType) -> bool:
    """Whether an op with results of this dtype is a call of a function, or as slow as one."""
    return name in functions.NAMES or (name in complex_functions.NAMES and dtype.kind == "c")
