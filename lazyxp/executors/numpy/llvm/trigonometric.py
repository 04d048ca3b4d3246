"""Sines and cosines of doubles, circular and hyperbolic, in pairs: what functions of complex numbers are made of.

The vector library's sine and cosine are off by up to 3.4 units in the last place, which leaves too little for the
product with an exponential; and they would find the nearest multiple of pi twice.
"""

from __future__ import annotations

import math

from lazyxp.executors.numpy.llvm.exponential import FORMATS, fma, polynomial, power_of_two
from lazyxp.executors.numpy.llvm.ir import Emitter

# Arguments are smaller: a multiple of the first part of pi / 2 is then subtracted without an error.
MOST_ANGLE = 2.0**25
# Hyperbolic functions of these and larger numbers come near the largest number there is.
MOST_HYPERBOLIC = 708.0

_T = "double"
# pi / 2 is the sum of these.
_HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)
# So many terms of the series of sine and cosine count after the first ones: for the hyperbolic functions up to log(2),
# for the circular ones, where signs alternate, up to pi / 4.
_HYPERBOLIC_TERMS, _CIRCULAR_TERMS = (7, 8), (8, 7)


def _series(first: int, count: int, sign: int) -> list[float]:
    """Every second coefficient of the exponential from ``1 / first!`` on, with alternating signs if `sign` is -1."""
    return [sign ** (k + first // 2) / math.factorial(first + 2 * k) for k in range(count)]


def sin_cos(e: Emitter, y: str) -> tuple[str, str]:
    """Sine and cosine of numbers smaller than `MOST_ANGLE`."""
    i = FORMATS[_T].integer
    shift = e.const(FORMATS[_T].shift, _T)
    one, half = e.const(1, _T), e.const(0.5, _T)
    first, second, third = (e.const(part, _T) for part in _HALF_PI)
    shifted = fma(e, _T, y, e.const(2 / math.pi, _T), shift)
    n = e.op("fsub", _T, shifted, shift)
    back = e.op("fneg", _T, n)
    # What is left of y, and the rest of it that a double has no place for.
    large = fma(e, _T, back, first, y)
    taken = e.op("fmul", _T, n, second)
    taken_low = fma(e, _T, n, second, e.op("fneg", _T, taken))
    r = e.op("fsub", _T, large, taken)
    moved = e.op("fsub", _T, r, large)
    lost = e.op("fsub", _T, e.op("fsub", _T, large, e.op("fsub", _T, r, moved)), e.op("fadd", _T, taken, moved))
    low = fma(e, _T, back, third, e.op("fsub", _T, lost, taken_low))

    square = e.op("fmul", _T, r, r)
    halved = e.op("fmul", _T, square, half)
    high = e.op("fsub", _T, one, halved)
    cube = e.op("fmul", _T, r, square)
    sine = fma(e, _T, cube, polynomial(e, _T, square, _series(3, _CIRCULAR_TERMS[0], -1)), e.op("fmul", _T, low, high))
    sine = e.op("fadd", _T, r, sine)
    # The sign of zero is lost in sums.
    sine = e.select(e.op("fcmp oeq", _T, y, e.const(0, _T)), _T, y, sine)
    rest = e.op("fsub", _T, e.op("fsub", _T, one, high), halved)
    rest = fma(e, _T, e.op("fneg", _T, r), low, rest)
    fourth = e.op("fmul", _T, square, square)
    cosine = fma(e, _T, fourth, polynomial(e, _T, square, _series(4, _CIRCULAR_TERMS[1], -1)), rest)
    cosine = e.op("fadd", _T, high, cosine)

    # Which quarter of the circle it is, in the last two bits.
    quarter = e.convert("bitcast", shifted, _T, i)
    odd = e.op("icmp ne", i, e.op("and", i, quarter, e.const(1, i)), e.const(0, i))
    found = []
    for own, other, around in ((sine, cosine, quarter), (cosine, sine, e.op("add", i, quarter, e.const(1, i)))):
        turned = e.op("shl", i, e.op("and", i, around, e.const(2, i)), e.const(62, i))
        bits = e.convert("bitcast", e.select(odd, _T, other, own), _T, i)
        found.append(e.convert("bitcast", e.op("xor", i, bits, turned), i, _T))
    return found[0], found[1]


def sinh_cosh(e: Emitter, x: str) -> tuple[str, str, tuple[str, str]]:
    """Hyperbolic sine and cosine of numbers smaller than `MOST_HYPERBOLIC`, and what their sizes have lost."""
    f = FORMATS[_T]
    i = f.integer
    shift = e.const(f.shift, _T)
    size = e.intrinsic("fabs", _T, x)
    # Rounded down, or nearly so: both terms of the sums below have the same sign, and nothing cancels.
    shifted = fma(e, _T, size, e.const(1 / math.log(2), _T), e.const(-0.49, _T))
    shifted = e.op("fadd", _T, shifted, shift)
    n = e.op("fsub", _T, shifted, shift)
    r = fma(e, _T, n, e.const(-f.ln2[0], _T), size)
    r = fma(e, _T, n, e.const(-f.ln2[1], _T), r)
    square = e.op("fmul", _T, r, r)
    cube = e.op("fmul", _T, r, square)
    sine = fma(e, _T, cube, polynomial(e, _T, square, _series(3, _HYPERBOLIC_TERMS[0], 1)), r)
    cosine = e.op("fmul", _T, square, polynomial(e, _T, square, _series(2, _HYPERBOLIC_TERMS[1], 1)))  # less 1
    # Of the sum of both numbers: the functions of n * log(2) are known up to one rounding.
    number = e.convert("bitcast", shifted, _T, i)
    up = power_of_two(e, _T, e.op("sub", i, number, e.const(1, i)))
    down = power_of_two(e, _T, e.op("xor", i, number, e.const(-1, i)))
    sine_n, cosine_n = e.op("fsub", _T, up, down), e.op("fadd", _T, up, down)
    found, lost = [], []
    for own, other in ((sine_n, cosine_n), (cosine_n, sine_n)):
        rest = fma(e, _T, own, cosine, e.op("fmul", _T, other, sine))
        found.append(e.op("fadd", _T, own, rest))
        lost.append(e.op("fsub", _T, rest, e.op("fsub", _T, found[-1], own)))
    return e.intrinsic("copysign", _T, found[0], x), found[1], (lost[0], lost[1])
