"""Cases of the cleaning rules."""

from __future__ import annotations

import lazyxp as xp
from lazyxp.api.recording import record
from lazyxp.node import OPS
from tests.differential.compare import largest
from tests.optimizers.harness import MIXED, Case, of

A, B = (2, 3, 4), (3, 1)
F = "float64 float32"


def typed(x, value):
    """`value` as an array of the dtype of `x`, of no dimensions."""
    return xp.asarray(value, dtype=x.dtype)


NEUTRAL = [
    Case("x + 0", lambda x: x + 0, "b i u"),
    Case("x + 0", lambda x: 0 + x, "i u"),
    Case("x + -0.0", lambda x: x + -0.0, "f"),
    Case("x + -0.0", lambda x: -0.0 + x, "f"),
    Case("x + 0.0", lambda x: x + 0.0, "f c"),
    Case("x - 0", lambda x: x - 0, "i u f c"),
    Case("x - -0.0", lambda x: x - -0.0, "f c"),
    Case("x * 1", lambda x: x * 1, "i u f"),
    Case("x * 1", lambda x: x * True, "b i u f"),
    Case("complex x * 1", lambda x: 1 * x, "c"),
    Case("x / 1", lambda x: x / 1, "i u f"),
    Case("complex x / 1", lambda x: x / 1, "c"),
    Case("x // 1", lambda x: x // 1, "i u"),
    Case("x // 1.0", lambda x: x // 1, "f"),
    Case("positive x", lambda x: +x, "i u f c"),
]
VANISHING = [
    Case("x * 0", lambda x: x * 0, "i u"),
    Case("x * 0.0", lambda x: x * 0, "f c"),
    Case("x - x", lambda x: x - x, "i u"),
    Case("x - x of floats", lambda x: x - x, "f c"),
    Case("x / x", lambda x: (abs(x) + 1) / (abs(x) + 1), "f"),
    Case("x % 1", lambda x: x % 1, "i u"),
]
SIGNS = [
    Case("-(-x)", lambda x: xp.negative(-x), "i u f c"),
    Case("x - (-y)", lambda x, y: x - (-y), of("i f c", MIXED), of("same", MIXED)),
    Case("x + (-y)", lambda x, y: x + (-y), of("i f c", MIXED), of("same", MIXED)),
    Case("x + (-y)", lambda x, y: (-x) + y, of("i f c", MIXED), of("same", MIXED)),
    Case("(-x) * (-y)", lambda x, y: (-x) * (-y), of("i f", MIXED), of("same", MIXED)),
    Case("(-x) / (-y)", lambda x, y: (-x) / (-y), of("f", MIXED), of("same", MIXED)),
    Case("(-x) * constant", lambda x: (-x) * 3, "i f"),
    Case("(-x) * constant", lambda x: typed(x, -128) * (-x), "i f"),
    Case("x * -1", lambda x: x * -1, "i f"),
    Case("x / -1", lambda x: x / -1, "i f"),
    Case("0 - x", lambda x: 0 - x, "i u"),
    Case("0.0 - x", lambda x: 0 - x, "f c"),
    Case("-(x - y)", lambda x, y: -(x - y), of("i u", MIXED), of("same", MIXED)),
    Case("-(x - y) of floats", lambda x, y: -(x - y), of("f c", MIXED), of("same", MIXED)),
    Case("abs of negative", lambda x: abs(-x), "i f"),
    Case("abs of what is never negative", lambda x: abs(x), "u b"),
    Case("abs of what is never negative", lambda x: abs(abs(x)), "f c"),
    Case("abs of what is never negative", lambda x: abs(xp.sum(xp.square(x), axis=0)), of("f", A)),
    Case("abs of what is never negative", lambda x: abs(xp.sqrt(xp.exp(x) + 1)[::-1]), of("f", A)),
    Case("square of a sign", lambda x: xp.square(-x), "i u f"),
    Case("square of a sign", lambda x: xp.square(abs(x)), "i f"),
    Case("sqrt of square", lambda x: xp.sqrt(x**2), "f"),
]
COMPLEX = [
    Case("real of complex", lambda x: xp.real(z := xp.astype(x, xp.complex128)) + xp.real(_set(z, x)), "float64"),
    Case("imag of complex", lambda x: xp.imag(_set(xp.astype(x, xp.complex128), x)), "float64"),
    Case("real of conj", lambda x: xp.real(xp.conj(x)), "c"),
    Case("imag of conj", lambda x: xp.imag(xp.conj(x)), "c"),
    Case("conj of conj", lambda x: xp.conj(xp.conj(x)), "c"),
    Case("conj of what is real", lambda x: xp.conj(x), "i u f"),
    Case("complex of its parts", lambda x: _parts(x), "c"),
    Case("abs of conj", lambda x: abs(xp.conj(x)), "c"),
]


def _set(z, x):
    """`z` after a write to its imaginary part."""
    xp.imag(z)[...] = x
    return z


def _parts(x):
    return _recorded("complex", xp.real(x), xp.imag(x))


def _recorded(op, *args, **params):
    """A node that the public functions do not record, but that rewrites and writes through views leave."""
    return record(OPS[op], *args, **params)


AGAIN = [
    Case("whole number of a whole number", lambda x: xp.floor(xp.ceil(x)), "f"),
    Case("whole number of a whole number", lambda x: xp.round(xp.trunc(x)), "f"),
    Case("whole number of a whole number", lambda x: xp.trunc(xp.sign(x)), "f"),
    Case("whole number of an integer", lambda x: xp.floor(x) + xp.ceil(x) + xp.round(x) + xp.trunc(x), "i u"),
    Case("sign of sign", lambda x: xp.sign(xp.sign(x)), "i u f"),
    Case("maximum of x and x", lambda x: xp.maximum(x, x), "i u f"),
    Case("maximum of x and x", lambda x: xp.minimum(x, x), "i u f"),
    Case("log of exp", lambda x: xp.log(xp.exp(xp.sin(x))), "f", size=lambda x: 1),
    Case("log(1 + x)", lambda x: xp.log(1 + abs(x)), "f", size=largest),
    Case("exp(x) - 1", lambda x: xp.exp(x) - 1, "f", size=largest),
]
MEETING = [
    Case("integer plus constants", lambda x: (x + 3) + 4, "i u"),
    Case("integer plus constants", lambda x: (x - 64) - 64, "i u"),
    Case("integer plus constants", lambda x: (x + 3) - 4, "i"),
    Case("integer plus constants", lambda x: (x - 3) + 5, "i u"),
    Case("float plus constants", lambda x: (x - 3) + 4.5, "f c", size=lambda x: largest(x) + 7.5),
    Case("integer times constants", lambda x: (x * 16) * 32, "i u"),
    Case("integer times constants", lambda x: -3 * (x * 5), "i"),
    Case("float times constants", lambda x: -0.5 * (x * 0.5) * 0.25, of("f", values="any")),
    Case("float times constants", lambda x: 3 * (x * -7), of("f", values="any")),
    Case("float times any constants", lambda x: 3 * (x * 0.5) * 0.25, "f"),
    Case("one op with two constants", lambda x: (x & 12) & 10, "i u"),
    Case("one op with two constants", lambda x: (x | 12) | 10, "i u"),
    Case("one op with two constants", lambda x: (x ^ 12) ^ 10, "i u"),
    Case("one op with two constants", lambda x: xp.maximum(xp.maximum(x, 1), 2), "i u f"),
    Case("one op with two constants", lambda x: xp.minimum(xp.minimum(x, 2), 1), "i u f"),
]
POWERS = [
    Case("x ** 0", lambda x: x**0, "i u f"),
    Case("x ** 1", lambda x: x**1, "i u f"),
    Case("complex x ** 1", lambda x: x**1, "c"),
    *[Case("integer power by squaring", lambda x, n=n: x**n, "i u") for n in (2, 3, 7, 16)],
    *[Case("power by squaring", lambda x, n=n: x**n, "f", bound=8) for n in (2, 3, 5, 6, 11, 15, 16)],
    Case("power by squaring", lambda x: x**3, of("f", values="any")),
    *[Case("complex power by squaring", lambda x, n=n: x**n, of("c", values="finite"), bound=64) for n in (2, 3, 4)],
    *[Case("negative power by squaring", lambda x, n=n: x**-n, "f", bound=16) for n in (1, 2, 3, 4, 7)],
    Case("negative power by squaring", lambda x: x**-2, of("f", values="any")),
    Case("root of what is never negative", lambda x: xp.sum(x * x, axis=-1) ** 0.5, of("f", A, "any")),
    Case("root of what is never negative", lambda x: abs(x) ** -0.5, of("f c", values="any")),
    Case("root of what is never negative", lambda x: abs(x) ** 1.5, of("f", values="any")),
    Case("x ** 0.5", lambda x: (abs(x) + x) ** 0.5, "f"),
    Case(
        "norm by squaring",
        lambda x: (xp.linalg.vector_norm(x, axis=1), xp.linalg.vector_norm(x, keepdims=True)),
        of("f", A, "any"),
        bound=20,
    ),
    Case("x * x", lambda x: x * x, "i u f"),
    Case("one factor more", lambda x: x * x * x * x, "f"),
    Case("one factor more", lambda x: x * (x * (x * x * x)) * x, "f", bound=8),
    Case("one integer factor more", lambda x: x * x * x * x, "i u"),
    Case("x / power of two", lambda x: x / 8, "i u f"),
    Case("x / power of two", lambda x: x / -0.25, "f"),
    Case("x / power of two", lambda x: x / 2.0**127, "f"),
    Case("complex x / power of two", lambda x: x / 8, "c"),
    Case("x // power of two", lambda x: x // 4, "i u"),
    Case("x % power of two", lambda x: x % 8, "i u"),
]
CASTS = [
    Case("cast to the same dtype", lambda x: _recorded("astype", x, dtype=x.dtype), "b i u f c"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.float64), xp.float32), "float32 int8 uint8 b int16"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.int32), xp.int8), "u int8 int16 int64"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.int32), xp.uint16), "u int8 int16 int64"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.int64), xp.float32), "b int8 int16 int32 uint32"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.complex128), xp.bool), "int8 uint16 f complex64"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.int16), xp.uint64), "int8 uint8 b"),
]
CONSTANTS = [
    Case("constant computed", lambda x: x * xp.sqrt(xp.asarray(4.0)), "float64"),
    Case("constant computed", lambda x: x + xp.square(xp.asarray(3)), "int64"),
    Case("constant computed", lambda x: x + abs(xp.full(x.shape, -2.0)), of("float64", A)),
    Case("constant computed, rounded", lambda x: x * xp.exp(xp.asarray(1.0)), "float64"),
    Case("constants computed", lambda x: x + (xp.ones(3) + xp.ones((2, 1))), of("f c", (2, 3))),
    Case("constants computed", lambda x: x + (xp.asarray(7) // xp.asarray(2)), "i"),
    Case("constants computed", lambda x: x + (xp.zeros(3) == 1), of("f c b", (2, 3))),
    Case("constants computed, rounded", lambda x: x * xp.asarray(2.0) ** xp.asarray(0.5), "f"),
    Case("three constants computed", lambda x: x + xp.where(xp.ones(3) > 0, 2.0, 4.0), of("f", (2, 3))),
    Case("three constants computed", lambda x: x + xp.clip(xp.full(3, 5.0), 0, 2), of("f", (2, 3))),
    Case("cast of a constant", lambda x: x + xp.astype(xp.ones(3, dtype=xp.int8), x.dtype), of("f c", (2, 3))),
    Case("cast of a constant", lambda x: xp.astype(xp.full(x.shape, -1.5), xp.int8) + x, "int8"),
    Case("full array moved", lambda x: x + xp.flip(xp.zeros((1, 3)).mT[:2]), of("f c", (2, 3))),
    Case("full array moved", lambda x: xp.tile(xp.repeat(xp.zeros(3), 2), (2, 1))[:, None], of("f c", ())),
    Case("broadcast of a full array", lambda x: xp.broadcast_to(xp.ones((3, 1)), (2, 3, 2)) - x, of("f c", (2,))),
    Case("full second operand", lambda x: x + xp.zeros(x.shape), of("f c", A)),
    Case("full first operand", lambda x: xp.full((), -0.0) - x + (xp.zeros((3, 1)) - x), of("f c", A)),
    Case("full second operand, rounded", lambda x: x * xp.full(x.shape, 3), of("c", A)),
    Case("full first operand, rounded", lambda x: xp.full((1, 4), 3.0) ** x, of("f", A)),
    Case("full first choice", lambda x: xp.where(x > 0, xp.ones((3, 1)), x), of("f", A)),
    Case("full second choice", lambda x: xp.where(x > 0, x, xp.zeros_like(x)), of("i u f", A)),
    Case("broadcast second operand", lambda x, y: x + xp.broadcast_to(y, A), of("i f c", A), of("same", B)),
    Case("broadcast first operand", lambda x, y: xp.broadcast_to(y, A) - x, of("i f c", A), of("same", B)),
    Case(
        "broadcast second operand, rounded", lambda x, y: x * xp.broadcast_to(y, A), of("c", A, "finite"), of("same", B)
    ),
    Case(
        "broadcast first operand, rounded", lambda x, y: xp.broadcast_to(y, A) ** x, of("f", A), of("same", B), bound=8
    ),
    Case("broadcast first choice", lambda x, y: xp.where(x != 0, xp.broadcast_to(y, A), x), of("f", A), of("same", B)),
    Case("broadcast second operand", lambda x, y: xp.clip(x, max=xp.broadcast_to(y, A)), of("f", A), of("same", B)),
    Case("full second operand", lambda x: xp.clip(x, min=xp.zeros_like(x)), of("f", A)),
    Case("broadcast second choice", lambda x, y: xp.where(x != 0, x, xp.broadcast_to(y, A)), of("f", A), of("same", B)),
    Case("where of a constant", lambda x, y: xp.where(xp.ones(4, dtype=bool), x, y), of("i f", A), of("same", B)),
    Case("where of a constant", lambda x, y: xp.where(xp.asarray(False), x, y), of("i f", A), of("same", B)),
]
MOVEMENT = [
    Case("permute_dims to the same order", lambda x: xp.permute_dims(x, (0, 1)), of("b i u f c", (2, 3))),
    Case(
        "permute_dims of permute_dims", lambda x: xp.permute_dims(xp.permute_dims(x, (0, 2, 1)), (1, 0, 2)), of("f", A)
    ),
    Case("permute_dims of permute_dims", lambda x: x.mT.mT, of("f", A)),
    Case("reshape to the same shape", lambda x: xp.reshape(x, (2, 3, -1)), of("f c", A)),
    Case("reshape of reshape", lambda x: xp.reshape(xp.reshape(x, (6, 4)), (3, -1)), of("i f c", A)),
    Case("reshape of reshape", lambda x: xp.reshape(xp.expand_dims(x, axis=1), (4, 6)), of("i f c", A)),
    Case("axes of a reshape", lambda x: xp.expand_dims(xp.reshape(x, (6, 4)), axis=0), of("i f c", A)),
    Case("axes of a reshape", lambda x: xp.squeeze(xp.reshape(x, (1, 6, 4)), axis=0), of("i f c", A)),
    Case("axes of axes", lambda x: xp.squeeze(xp.expand_dims(x, axis=1), axis=1), of("f c", A)),
    Case("axes of axes", lambda x: xp.squeeze(xp.expand_dims(x, axis=(0, 2)), axis=2), of("f c", A)),
    Case("axes of axes", lambda x: xp.squeeze(xp.expand_dims(x, axis=0), axis=(0, 1)), of("f c", (1, 2))),
    Case("axes of axes", lambda x: xp.expand_dims(xp.expand_dims(x, axis=1), axis=0), of("f c", A)),
    Case("no axes", lambda x: xp.flip(xp.squeeze(xp.expand_dims(x, axis=()), axis=()), axis=()), of("f c", A)),
    Case("flip of flip", lambda x: xp.flip(xp.flip(x), axis=1), of("f c", A)),
    Case("flip of flip", lambda x: xp.flip(xp.flip(x)), of("f c", A)),
    Case("flip of one element", lambda x: xp.flip(x), of("f c", (3, 1, 0))),
    Case("flip of one element", lambda x: xp.flip(x), of("f c", (1, 1))),
    Case("roll of roll", lambda x: xp.roll(xp.roll(x, 1, axis=0), (2, -1), axis=(1, 0)), of("f c", A)),
    Case("roll of roll", lambda x: xp.roll(xp.roll(x, 3), -2), of("f c", A)),
    Case("roll by nothing", lambda x: xp.roll(x, (0, 4, 6), axis=(0, 2, 1)), of("f c", A)),
    Case("roll by nothing", lambda x: xp.roll(x, 3, axis=0), of("f c", (0, 2))),
    Case("ifftshift of fftshift", lambda x: xp.fft.ifftshift(xp.fft.fftshift(x)), of("f c", A)),
    Case("fftshift of ifftshift", lambda x: xp.fft.fftshift(xp.fft.ifftshift(x, axes=1), axes=1), of("f c", A)),
    Case("repeat once", lambda x: xp.repeat(x, 1, axis=1), of("f c", A)),
    Case("repeat of repeat", lambda x: xp.repeat(xp.repeat(x, 2, axis=1), 3, axis=1), of("f c", A)),
    Case("tile once", lambda x: xp.tile(x, (1, 1)), of("f c", A)),
    Case("tile once", lambda x: xp.tile(x, (1, 1, 1, 1)), of("f c", A)),
    Case("tile of tile", lambda x: xp.tile(xp.tile(x, (2,)), (2, 1, 3)), of("f c", (2, 3))),
    Case("broadcast to the same shape", lambda x: xp.broadcast_to(x, x.shape), "f c"),
    Case("broadcast of broadcast", lambda x: xp.broadcast_to(xp.broadcast_to(x, (3, 2)), (*A[:1], 3, 2)), of("f c", B)),
    Case(
        "broadcast of new axes in front",
        lambda x: xp.broadcast_to(xp.expand_dims(x, axis=(0, 1)), (4, *A)),
        of("f", (3, 4)),
    ),
    Case("everything selected", lambda x: x[:, 0:3, :9], of("f c", A)),
]
JOINING = [
    Case("concat of one", lambda x: xp.concat([x], axis=1), of("f c", A)),
    Case("stack of one", lambda x: xp.stack([x], axis=1), of("f c", A)),
    Case("concat with nothing", lambda x, y: xp.concat([y, x, y], axis=1), of("f c", A), of("i f", (2, 0, 4))),
    Case("concat with nothing", lambda x: xp.concat([x, x]), of("f c", (0, 3))),
    Case("concat of concat", lambda x, y: xp.concat([x, xp.concat([y, x], axis=1)], axis=1), of("i f", A), of("f", A)),
    Case("concat of adjacent slices", lambda x: xp.concat([x[:1], x[1:2], x[2:]]), of("f c", (4, 2))),
    Case("concat of adjacent slices", lambda x: xp.concat([x[::-1, 1:2], x[::-1, 2:3]], axis=1), of("f c", (4, 5))),
    Case("stack of all indices", lambda x: xp.stack(xp.unstack(x)), of("f c", A)),
    Case("stack of all indices", lambda x: xp.stack(xp.unstack(x, axis=1), axis=1), of("f c", A)),
    Case("full arrays joined", lambda x: x + xp.concat([xp.ones(2), xp.ones(3)]), of("f c", (5,))),
    Case("full arrays joined", lambda x: x + xp.stack([xp.ones(5), xp.ones(5)]), of("f c", (5,))),
]
LOGIC = [
    Case("x and x", lambda x: (x & x, x | x), "i u b"),
    Case("x and x", lambda x: (xp.logical_and(x, x), xp.logical_or(x, x)), "b"),
    Case("x xor x", lambda x: x ^ x, "i u b"),
    Case("x xor x", lambda x: xp.logical_xor(x, x), "i u b f"),
    Case("x or 0", lambda x: (x | 0, x ^ 0), "i u"),
    Case("x or 0", lambda x: xp.logical_or(x, False), "b i"),
    Case("x and 0", lambda x: x & 0, "i u"),
    Case("x and 0", lambda x: xp.logical_and(x, False), "b i"),
    Case("x and True", lambda x: x & True, "b"),
    Case("x and True", lambda x: xp.logical_and(True, x), "b i"),
    Case("x or True", lambda x: x | True, "b"),
    Case("x xor True", lambda x: x ^ True, "b"),
    Case("x and -1", lambda x: x & -1, "i"),
    Case("x or -1", lambda x: x | -1, "i"),
    Case("x shifted by 0", lambda x: (x << 0) + (x >> 0), "i u"),
    Case("not not x", lambda x: ~~x, "b i u"),
    Case("not not x", lambda x: xp.logical_not(~x), "b"),
    Case("not x and not y", lambda x, y: (~x & ~y, ~x | ~y), of("b i u", MIXED), of("same", MIXED)),
    Case("not x and not y", lambda x, y: xp.logical_or(xp.logical_not(x), xp.logical_not(y)), of("b"), of("b")),
    Case("not of equal", lambda x, y: (~(x == y), ~(x != y)), of("b i u f c", MIXED), of("same", MIXED)),
    Case("not of less", lambda x, y: (~(x < y), ~(x <= y), ~(x > y), ~(x >= y)), of("i u", MIXED), of("i u", MIXED)),
    Case("not of less among floats", lambda x, y: (~(x < y), ~(x >= y)), of("f", MIXED), of("same", MIXED)),
    Case("x == x", lambda x: (x == x, x <= x, x >= x), "i u"),
    Case("x == x of floats", lambda x: (x == x, x <= x, x >= x), "f"),
    Case("x != x", lambda x: x != x, "b i u"),
    Case("x != x of floats", lambda x: x != x, "f"),
    Case("x < x", lambda x: (x < x, x > x), "i u f"),
    Case("x == True", lambda x: (x == True, x != True), "b"),  # noqa: E712
    Case("x == False", lambda x: (x == False, x != False), "b"),  # noqa: E712
    Case("unsigned x < 0", lambda x: x < 0, "u"),
    Case("unsigned x >= 0", lambda x: x >= 0, "u"),
    Case("isnan of integers", lambda x: (xp.isnan(x), xp.isinf(x)), "i u"),
    Case("isfinite of integers", lambda x: xp.isfinite(x), "i u"),
    Case("isnan of a sign", lambda x: (xp.isnan(-x), xp.isfinite(abs(x)), xp.isinf(-x)), "f"),
]


def least(x, y):
    return xp.where(x < y, x, y), xp.where(x >= y, y, x)


def most(x, y):
    return xp.where(x <= y, y, x), xp.where(x > y, x, y)


CHOICES = [
    Case("where with one answer", lambda c, x: xp.where(c, x, x), of("b", A), of("i f c", B)),
    Case("where of not", lambda c, x, y: xp.where(~c, x, y), of("b", MIXED), of("i f c", MIXED), of("i f c", MIXED)),
    Case("where true, else false", lambda c: xp.where(c, True, False), "b"),
    Case("where false, else true", lambda c: xp.where(c, False, True), "b"),
    Case(
        "where in where",
        lambda c, x, y: xp.where(c, xp.where(c, x, y), 2),
        of("b", MIXED),
        of("f", MIXED),
        of("f", MIXED),
    ),
    Case("where in where", lambda c, x, y: xp.where(c, xp.where(c, x, y), 2), of("b", B), of("f", B), of("f", A)),
    Case(
        "where, else where",
        lambda c, x, y: xp.where(c, x, xp.where(c, y, 2)),
        of("b", B),
        of("float32", B),
        of("float32", A),
    ),
    Case("where x < y, x, y", least, of("i u", MIXED), of("same", MIXED)),
    Case("where x < y, y, x", most, of("i u", MIXED), of("same", MIXED)),
    Case("where x < y, x, y of floats", least, of("f", MIXED), of("same", MIXED)),
    Case("where x < y, y, x of floats", most, of("f", MIXED), of("same", MIXED)),
    Case("where x < y, x, y of floats", lambda x: xp.where(x > 0, x, 0), "f"),
    Case("where x < 0, -x, x", lambda x: xp.where(x <= 0, -x, x), "i"),
    Case("where x > 0, x, -x", lambda x: xp.where(x > 0, x, -x), "i"),
    Case("where x < 0, -x, x of floats", lambda x: xp.where(x < 0, -x, x), "f"),
    Case("where x > 0, x, -x of floats", lambda x: xp.where(x >= 0, x, -x), "f"),
]
LIMITS = [
    Case("clip again", lambda x, y: xp.clip(xp.clip(x, min=y), min=y), of("i u f", A), of("same", A)),
    Case("clip again", lambda x: xp.clip(xp.clip(x, max=0), max=0), "i f"),
    Case("clip again (2)", lambda x, y, z: xp.clip(xp.clip(x, y, z), y, z), "i u f", "same", "same"),
    Case("clip again (2)", lambda x: xp.clip(xp.clip(x, 0, -0.0), 0, -0.0), "f"),
    Case("minimum of maximum", lambda x: xp.minimum(xp.maximum(x, 1), 3), "i u f"),
    Case("maximum of minimum", lambda x: xp.maximum(1, xp.minimum(3, x)), "i u f"),
]
CASES = [
    *(*NEUTRAL, *VANISHING, *SIGNS, *COMPLEX, *AGAIN, *MEETING, *POWERS, *CASTS, *CONSTANTS, *MOVEMENT, *JOINING),
    *(*LOGIC, *CHOICES, *LIMITS),
]
REFUSED = [
    Case("x + 0.0", lambda x: x + 0.0, "f c", level="exact"),
    Case("x + 0.0", lambda x: x + 0.0, of("f c", values="moderate"), level="rounding"),
    Case("x + -0.0", lambda x: x + complex(-0.0, 0), "c"),
    Case("x - 0", lambda x: x - complex(0, -0.0), "c"),
    Case("complex x * 1", lambda x: x * 1, "c", level="exact"),
    Case("x * 0.0", lambda x: x * 0, "f c", level="exact"),
    Case("x - x of floats", lambda x: x - x, "f c", level="exact"),
    Case("x - x", lambda x: x - x, "f c"),
    Case("0.0 - x", lambda x: 0 - x, "f", level="exact"),
    Case("0 - x", lambda x: 0 - x, "f"),
    Case("-(x - y)", lambda x, y: -(x - y), "f", "same"),
    Case("(-x) * (-y)", lambda x, y: (-x) * (-y), "c", "same"),
    Case("where of not", lambda c, x, y: xp.where(xp.logical_not(c), x, y), "i f c", "same", "same"),
    Case("abs of what is never negative", lambda x: abs(xp.sqrt(x)), "f"),
    Case("abs of what is never negative", lambda x: abs(abs(x) * x), "f"),
    Case("abs of what is never negative", lambda x: abs(xp.square(x)), "i"),
    Case("integer plus constants", lambda x: (x + 2.0**53) - 2.0**53, "f"),
    Case("float plus constants", lambda x: (x + 2.0**52) - 2.0**52, of("f", values="moderate"), level="rounding"),
    Case("float times constants", lambda x: x * 2.0**600 * 2.0**600, "float64"),
    Case("float times constants", lambda x: x * 4 * 0.5, of("f", values="any")),
    Case("sqrt of square", lambda x: xp.sqrt(x**2), of("f", values="any"), level="rounding"),
    Case("float times constants", lambda x: x * 2.0**-600 * 2.0**-600, "float64"),
    Case("one op with two constants", lambda x: xp.maximum(xp.maximum(x, 0.0), -0.0), "f"),
    Case("power by squaring", lambda x: x**17, of("f", values="moderate")),
    Case("power by squaring", lambda x: x**2.5, of("f", values="moderate")),
    Case("integer power by squaring", lambda x: x**-2, "i"),
    Case("x ** 0.5", lambda x: x**0.5, of("f", values="any"), level="rounding"),
    Case("root of what is never negative", lambda x: x**0.5, of("f", values="any")),
    Case("one factor more", lambda x, y: x * y * y * x, "f", "same"),
    Case("x / power of two", lambda x: x / 3, "f"),
    Case("x / power of two", lambda x: x / 0.0, "f"),
    Case("x / power of two", lambda x: x / 2.0**-1030, "float64"),
    Case("x / power of two", lambda x: x / 2.0**-140, "float32"),
    Case("x // power of two", lambda x: x // -4, "i"),
    Case("x // power of two", lambda x: x // 4, "f"),
    Case("x % power of two", lambda x: x % 6, "i u"),
    Case("x % power of two", lambda x: x % -4, "i"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.float64), xp.int64), "int64 float32 uint64"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.float32), xp.float64), "float64 int32 int64"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.int8), xp.int64), "int64 int16 uint8"),
    Case("cast of cast", lambda x: xp.astype(xp.astype(x, xp.bool), xp.float64), "f i"),
    Case("cast of a constant", lambda x: x + xp.astype(xp.asarray(2.0**100), xp.int64), "int64"),
    Case("constants computed", lambda x: x + xp.asarray(2) ** xp.asarray(-1), "int64"),
    Case("constant computed, rounded", lambda x: x * xp.exp(xp.asarray(1.0)), "f", level="exact"),
    Case("full second operand", lambda x: x + xp.zeros((2, *x.shape)), of("f", A)),
    Case("full second operand", lambda x: x ** xp.full(x.shape, -1), of("i", (0, 2))),
    Case("broadcast second operand", lambda x, y: x + xp.broadcast_to(y, A), of("f", B), of("f", B)),
    Case("reshape of reshape", lambda x: xp.reshape(xp.reshape(x[x > 0], (-1, 2)), (-1,)), of("i", (2, 2))),
    Case("axes of axes", lambda x: xp.expand_dims(xp.squeeze(x, axis=0), axis=1), of("f", (1, 3))),
    Case("roll by nothing", lambda x: xp.roll(x, (2, 3), axis=(0, 1)), of("f", (2, 4))),
    Case("ifftshift of fftshift", lambda x: xp.fft.ifftshift(xp.fft.fftshift(x, axes=0), axes=1), of("f", (3, 3))),
    Case("repeat of repeat", lambda x: xp.repeat(xp.repeat(x, 2, axis=1), 3, axis=0), of("f", A)),
    Case("everything selected", lambda x: x[::-1], of("f", (3,))),
    Case("concat of concat", lambda x: xp.concat([x, xp.concat([x, x], axis=0)[:2]], axis=1), of("f", (2, 3))),
    Case("concat of adjacent slices", lambda x: xp.concat([x[2:], x[:2]]), of("f", (4,))),
    Case("concat of adjacent slices", lambda x: xp.concat([x[:2, :1], x[2:, 1:]]), of("f", (4, 2))),
    Case("stack of all indices", lambda x: xp.stack(xp.unstack(x), axis=1), of("f", (3, 3))),
    Case("stack of all indices", lambda x: xp.stack(xp.unstack(x)[::-1]), of("f", (3, 3))),
    Case("not not x", lambda x: xp.logical_not(xp.logical_not(x)), "i u f"),
    Case("not of less", lambda x, y: ~(x < y), "f", "same"),
    Case("not of less among floats", lambda x, y: ~(x < y), of("f", values="any"), "same", level="rounding"),
    Case("x == x", lambda x: x == x, "f c"),
    Case("x < x", lambda x: x < x, "c"),
    Case(
        "where x < y, x, y of floats",
        lambda x, y: xp.where(x < y, x, y),
        of("f", values="any"),
        "same",
        level="rounding",
    ),
    Case("where of a constant", lambda x: xp.where(x != 0, x, 2), "i f"),
    Case("minimum of maximum", lambda x: xp.minimum(xp.maximum(x, 0.0), 1.0), "f"),
    Case("minimum of maximum", lambda x: xp.minimum(xp.maximum(x, 3), 1), "i f"),
    Case("clip again (2)", lambda x, y: xp.clip(xp.clip(x, y, 5), y, 6), of("i f", A), of("same", A)),
    Case("maximum of x and x", lambda x: xp.maximum(x, -x), "f"),
]
