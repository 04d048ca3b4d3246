"""Arithmetic of complex numbers in LLVM IR: pairs of floats, as NumPy combines them."""

from __future__ import annotations

import math

from lazyxp.executors.numpy.llvm import functions
from lazyxp.executors.numpy.llvm.ir import Emitter

# The real and the imaginary part.
Pair = tuple[str, str]


def multiply(e: Emitter, element: str, x: Pair, y: Pair) -> Pair:
    """The product."""
    (a, b), (c, d) = x, y
    real = e.op("fsub", element, e.op("fmul", element, a, c), e.op("fmul", element, b, d))
    return real, e.op("fadd", element, e.op("fmul", element, a, d), e.op("fmul", element, b, c))


def divide(e: Emitter, element: str, x: Pair, y: Pair) -> Pair:
    """The quotient as Smith has it, so that nothing overflows on the way."""
    (a, b), (c, d) = x, y
    size_c, size_d = e.intrinsic("fabs", element, c), e.intrinsic("fabs", element, d)
    by_c = e.op("fcmp oge", element, size_c, size_d)
    large, small = e.select(by_c, element, c, d), e.select(by_c, element, d, c)
    ratio = e.op("fdiv", element, small, large)
    scale = e.op(
        "fdiv", element, e.const(1, element), e.op("fadd", element, large, e.op("fmul", element, small, ratio))
    )
    real = e.op(
        "fadd",
        element,
        e.select(by_c, element, a, e.op("fmul", element, a, ratio)),
        e.select(by_c, element, e.op("fmul", element, b, ratio), b),
    )
    imag = e.op(
        "fsub",
        element,
        e.select(by_c, element, b, e.op("fmul", element, b, ratio)),
        e.select(by_c, element, e.op("fmul", element, a, ratio), a),
    )
    zero = e.op("fcmp oeq", element, e.op("fadd", element, size_c, size_d), e.const(0, element))
    real, imag = (
        e.select(zero, element, e.op("fdiv", element, whole, size_c), e.op("fmul", element, part, scale))
        for whole, part in ((a, real), (b, imag))
    )
    return real, imag


def reciprocal(e: Emitter, element: str, x: Pair) -> Pair:
    """One over `x`, with what NumPy gives for zeros and infinities, which is not that quotient."""
    one = e.const(1, element)
    real, imag = x
    by_real = e.op("fcmp ole", element, e.intrinsic("fabs", element, imag), e.intrinsic("fabs", element, real))
    large, small = e.select(by_real, element, real, imag), e.select(by_real, element, imag, real)
    ratio = e.op("fdiv", element, small, large)
    scale = e.op("fadd", element, large, e.op("fmul", element, small, ratio))
    tops = e.select(by_real, element, one, ratio), e.op("fneg", element, e.select(by_real, element, ratio, one))
    return e.op("fdiv", element, tops[0], scale), e.op("fdiv", element, tops[1], scale)


def sign(e: Emitter, element: str, x: Pair) -> Pair:
    """What is left of `x` at a distance of 1; NumPy's answers where that distance is infinite or zero."""
    zero, one, infinite = e.const(0, element), e.const(1, element), e.const(math.inf, element)
    distance = functions.emit(e, "hypot", element, *x)
    parts = [e.op("fdiv", element, part, distance) for part in x]
    # An infinite part alone counts; of two finite ones whose distance is infinite, the imaginary one.
    real = e.op("fcmp oeq", element, e.intrinsic("fabs", element, x[0]), infinite)
    imag = e.op("fcmp oeq", element, e.intrinsic("fabs", element, x[1]), infinite)
    far = e.op("fcmp oeq", element, distance, infinite)
    here = real, e.op("xor", "i1", real, e.const(1, "i1"))
    none = e.op("fcmp oeq", element, distance, zero)
    unknown = e.op("or", "i1", e.op("fcmp uno", element, *x), e.op("and", "i1", real, imag))
    found = []
    for part, own, along in zip(parts, x, here, strict=True):
        at_far = e.select(along, element, e.intrinsic("copysign", element, one, own), zero)
        part = e.select(none, element, zero, e.select(far, element, at_far, part))
        found.append(e.select(unknown, element, e.const(math.nan, element), part))
    return found[0], found[1]
