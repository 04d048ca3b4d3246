"""Exponentials and logarithms as instructions: no calls, no slow arguments, and the same results on all processors.

A call makes the kernel around it save its registers, and vector libraries compute infinities, NaN, and what is near the
least and the largest number one lane at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from lazyxp.executors.numpy.llvm.ir import Emitter


class Format(NamedTuple):
    """A type of floats.

    `exp` and `log` are the coefficients of q in ``exp(r) = 1 + r + r**2 * q(r)`` for ``abs(r) <= log(2) / 2``, and in
    ``log((1 + s) / (1 - s)) = 2 * s + s**3 * q(s**2)`` where ``(1 + s) / (1 - s)`` is from ``sqrt(0.5)`` to
    ``sqrt(2)``, with the least relative error of the function (Remez). `ln2` is log(2) in two parts, the first with so
    many zeros at its end that an exponent times it is exact, and `root` the bits of sqrt(0.5).
    """

    integer: str
    fraction: int
    bias: int
    root: int
    ln2: tuple[float, float]
    exp: Sequence[float]
    log: Sequence[float]

    @property
    def shift(self) -> float:
        """A number so large that, added to a small one, it leaves the nearest integer in the last bits."""
        return 1.5 * 2.0**self.fraction

    @property
    def shift_bits(self) -> int:
        """The bits of `shift`."""
        return ((self.bias + self.fraction) << self.fraction) | (1 << (self.fraction - 1))


FORMATS = {
    "double": Format(
        "i64",
        52,
        1023,
        0x3FE6A09E667F3BCD,
        (0.6931471805598903, 5.497923018708371e-14),
        (
            *(0.5000000000000011, 0.16666666666666413, 0.041666666666530155, 0.00833333333349447),
            *(0.0013888888943630361, 0.00019841269506555356, 2.4801493098733356e-05, 2.755758639674158e-06),
            *(2.7630248422432483e-07, 2.5000053878885227e-08),
        ),
        (
            *(0.6666666666666735, 0.3999999999940749, 0.2857142874414163, 0.22222198378435049),
            *(0.18183575168068997, 0.1531375568496522, 0.14799066958176035),
        ),
    ),
    "float": Format(
        "i32",
        23,
        127,
        0x3F3504F3,
        (0.693145751953125, 1.4286068203094173e-06),
        (0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.008368716575205326, 0.00138146395329386),
        (0.6666677594184875, 0.3997744917869568, 0.29874441027641296),
    ),
}


def fma(e: Emitter, element: str, a: str, b: str, c: str) -> str:
    """``a * b + c``, rounded once."""
    return e.intrinsic("fma", element, a, b, c)


def polynomial(e: Emitter, element: str, x: str, coefficients: Sequence[float]) -> str:
    """A polynomial, lowest coefficient first, in pairs and pairs of pairs, which need not wait for one another."""
    terms = [e.const(c, element) for c in coefficients]
    while len(terms) > 1:
        pairs = [fma(e, element, high, x, low) for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
        if len(terms) > 1:
            x = e.op("fmul", element, x, x)
    return terms[0]


class _Power(NamedTuple):
    """An exponential as ``(1 + tail) * 2**n``; `shifted` is n with `shift` added."""

    tail: str
    n: str
    shifted: str


def _power(e: Emitter, element: str, x: str, least: float, most: float) -> _Power:
    """The exponential of a number that is taken for `least` below it and for `most` above it; NaN stays."""
    f = FORMATS[element]
    for code, limit in (("fcmp olt", e.const(least, element)), ("fcmp ogt", e.const(most, element))):
        x = e.select(e.op(code, element, x, limit), element, limit, x)
    shift = e.const(f.shift, element)
    shifted = fma(e, element, x, e.const(1 / math.log(2), element), shift)
    n = e.op("fsub", element, shifted, shift)
    r = fma(e, element, n, e.const(-f.ln2[0], element), x)
    r = fma(e, element, n, e.const(-f.ln2[1], element), r)
    tail = fma(e, element, e.op("fmul", element, r, r), polynomial(e, element, r, f.exp), r)
    return _Power(tail, n, shifted)


def _largest(f: Format) -> float:
    """What has an infinite exponential, which is found without an exponent that is one too large."""
    return (f.bias + 1.25) * math.log(2)


def power_of_two(e: Emitter, element: str, n: str) -> str:
    """2 to the power of an integer, of which only the last bits count."""
    f = FORMATS[element]
    biased = e.op("add", f.integer, n, e.const(f.bias, f.integer))
    bits = e.op("shl", f.integer, biased, e.const(f.fraction, f.integer))
    return e.convert("bitcast", bits, f.integer, element)


def exp(e: Emitter, element: str, x: str, *, scales: bool) -> str:
    """The exponential; `scales` says whether the processor has an instruction for ``x * 2**n``."""
    f = FORMATS[element]
    i, t = f.integer, e.type(element)
    power = _power(e, element, x, -(f.bias + f.fraction + 2) * math.log(2), _largest(f))
    result = e.op("fadd", element, e.const(1, element), power.tail)
    n = e.convert("bitcast", power.shifted, element, i)
    if scales:
        n = e.op("sub", i, n, e.const(f.shift_bits, i))
        lanes = "" if e.width == 1 else f"v{e.width}"
        return e.call(f"llvm.ldexp.{lanes}f{i[1:]}.{lanes}{i}", t, [(t, result), (e.type(i), n)])
    # In two steps, as 2**n itself may be too small or too large; the first one is exact.
    half = fma(e, element, power.n, e.const(0.5, element), e.const(f.shift, element))
    half = e.convert("bitcast", half, element, i)
    for part in (half, e.op("sub", i, n, half)):
        result = e.op("fmul", element, result, power_of_two(e, element, part))
    return result


def expm1(e: Emitter, element: str, x: str) -> str:
    """The exponential less 1."""
    f = FORMATS[element]
    power = _power(e, element, x, -(f.fraction + 4) * math.log(2), _largest(f))
    # Half of it, as 2**n may be too large.
    n = e.op("sub", f.integer, e.convert("bitcast", power.shifted, element, f.integer), e.const(1, f.integer))
    scale = power_of_two(e, element, n)
    result = fma(e, element, scale, power.tail, e.op("fsub", element, scale, e.const(0.5, element)))
    result = e.op("fadd", element, result, result)
    # Halves of the least numbers are none, and the sign of zero is lost.
    small = e.op("fcmp olt", element, e.intrinsic("fabs", element, x), e.const(2.0 ** -(f.fraction + 2), element))
    return e.select(small, element, x, result)


def tanh(e: Emitter, element: str, x: str) -> str:
    """The hyperbolic tangent."""
    size = e.op("fmul", element, e.intrinsic("fabs", element, x), e.const(-2, element))
    t = expm1(e, element, size)
    result = e.op("fdiv", element, t, e.op("fadd", element, t, e.const(2, element)))
    return e.intrinsic("copysign", element, result, x)


def log(e: Emitter, element: str, x: str, correction: str | None = None) -> str:
    """The logarithm: of m plus ``n * log(2)``, where ``x = m * 2**n`` and m is near 1; `correction` is added to it."""
    f = FORMATS[element]
    i = f.integer
    # Numbers below the normal ones have no exponent of their own.
    tiny = e.op("fcmp olt", element, x, e.const(2.0 ** (1 - f.bias), element))
    scaled = e.op("fmul", element, x, e.const(2.0 ** (f.fraction + 2), element))
    bits = e.convert("bitcast", e.select(tiny, element, scaled, x), element, i)
    # The exponent changes at sqrt(0.5), not at 1.
    moved = e.op("add", i, bits, e.const((f.bias << f.fraction) - f.root, i))
    fraction = e.op("and", i, moved, e.const((1 << f.fraction) - 1, i))
    m = e.convert("bitcast", e.op("add", i, fraction, e.const(f.root, i)), i, element)
    # An integer in the last bits of such a number is added to it.
    exponent = e.op("lshr", i, moved, e.const(f.fraction, i))
    exponent = e.op("or", i, exponent, e.const((f.bias + f.fraction) << f.fraction, i))
    zero = 2.0**f.fraction + f.bias
    zero_of = e.select(tiny, element, e.const(zero + f.fraction + 2, element), e.const(zero, element))
    n = e.op("fsub", element, e.convert("bitcast", exponent, i, element), zero_of)

    y = e.op("fsub", element, m, e.const(1, element))
    s = e.op("fdiv", element, y, e.op("fadd", element, y, e.const(2, element)))
    square = e.op("fmul", element, s, s)
    half = e.op("fmul", element, y, e.op("fmul", element, y, e.const(0.5, element)))
    rest = fma(e, element, square, polynomial(e, element, square, f.log), half)
    ln2 = [e.const(part, element) for part in f.ln2]
    low = e.op("fmul", element, n, ln2[1]) if correction is None else fma(e, element, n, ln2[1], correction)
    low = e.op("fsub", element, fma(e, element, s, rest, low), half)
    result = fma(e, element, n, ln2[0], e.op("fadd", element, y, low))

    result = e.select(e.op("fcmp olt", element, x, e.const(math.inf, element)), element, result, x)
    nothing = e.const(0, element)
    edge = e.const(-math.inf, element), e.const(math.nan, element)
    outside = e.select(e.op("fcmp oeq", element, x, nothing), element, *edge)
    return e.select(e.op("fcmp ole", element, x, nothing), element, outside, result)


def log1p(e: Emitter, element: str, x: str) -> str:
    """The logarithm of ``1 + x``, and what the rounding of that takes from it."""
    one = e.const(1, element)
    total = e.op("fadd", element, x, one)
    large = e.op("fcmp ogt", element, x, one)
    high, low = e.select(large, element, x, one), e.select(large, element, one, x)
    lost = e.op("fsub", element, low, e.op("fsub", element, total, high))
    result = log(e, element, total, e.op("fdiv", element, lost, total))
    return e.select(e.op("fcmp oeq", element, x, e.const(0, element)), element, x, result)
