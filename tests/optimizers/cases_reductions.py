"""Cases of the rules for reductions and transforms, and of kernels."""

from __future__ import annotations

import numpy as np

import lazyxp as xp
from lazyxp.optimizers import grouping
from tests.optimizers.harness import Case, of

INTEGERS = "b i u"
ANYTHING = "b i u f c"


def _total(x: object) -> float:
    """A bound on what sums of `x` meet on the way."""
    a = np.abs(np.asarray(x, np.clongdouble))
    return float(np.sum(a[np.isfinite(a)]))


_LARGE = xp.asarray(np.linspace(0.5, 2.0, grouping.SMALLEST // 64))


def _near(x: xp.Array) -> xp.Array:
    """Numbers from 0 to 1, which are not cheap to compute again."""
    return xp.exp(-xp.abs(x[:, None] * _LARGE))


_WAVE = xp.asarray(np.sin(np.arange(65)).astype(np.float32))

CASES = [
    Case(
        "fused kernel",
        lambda x: xp.sum(xp.abs(x[:, None] * _LARGE) + 1, axis=1),
        of("f", (64,)),
        bound=50,
        size=lambda x: 2 * grouping.SMALLEST * (1 + _total(x)),
    ),
    Case(
        "transform of real data",
        lambda x: (
            xp.fft.fft(xp.reshape(x[:, None] * _WAVE, (64 * 65,))),
            xp.fft.fft(xp.permute_dims(x[:, None] * _WAVE, (1, 0)), n=4099, axis=0, norm="ortho"),
        ),
        of("f", (64,), "finite"),
        bound=50,
        size=lambda x: 65 * _total(x),
        zeros=False,
    ),
    Case(
        "joined in place",
        lambda x: (
            xp.concat([xp.abs(x[:, None] * _LARGE), x[:, None] + _LARGE * 0.5, x[:, None]], axis=1),
            xp.stack([-(x[:, None] * _LARGE), xp.abs(_LARGE - x[:, None])], axis=-1),
        ),
        of("f", (64,)),
        bound=2,
        size=lambda x: 2 + 2 * np.abs(np.nan_to_num(x, posinf=0, neginf=0))[:, None].max(initial=1),
    ),
    Case(
        "sliding windows",
        lambda x: (_near(x)[2:, 1:] - _near(x)[:-2, :-1], xp.sum(_near(x * 0.5)[1:] * _near(x * 0.5)[:-1], axis=1)),
        of("f", (80,)),
        bound=8,
        size=lambda x: 8 * grouping.SMALLEST // 64,
    ),
    Case(
        "neutral where not selected",
        lambda x: (
            xp.sum((y := x[:, None] * _LARGE)[y > 0]),
            xp.mean(y[x > 0], axis=0),
            xp.mean(y[x != 0]),
            xp.sum(y[x > 1], axis=(0, 1), keepdims=True),
            xp.count_nonzero(y[y > 0] < _LARGE[0]),
            xp.all(y[y != 0]),
            xp.any(-y[x > 0] < y[x > 0], axis=0),
        ),
        of("f", (64,)),
        bound=50,
        size=lambda x: 2 * grouping.SMALLEST * (1 + _total(x)),
    ),
    Case(
        "rows of a mask by their index",
        lambda x: (
            (y := x[:, None] * _LARGE)[x > 0] * 2,
            xp.sum(xp.abs(y[:, _LARGE > 1]), axis=1),
            xp.abs(y[x > 1, :, None]) + 1,
            y.T[:, x != 0],
        ),
        of("f", (64,)),
        bound=50,
        size=lambda x: 2 * grouping.SMALLEST * (1 + _total(x)),
    ),
    Case(
        "initial value apart",
        lambda x: (
            xp.cumulative_sum(xp.abs(x[:, None] * _LARGE), axis=1, include_initial=True) * 2,
            xp.cumulative_sum(x[:, None] + _LARGE, axis=0, include_initial=True),
        ),
        of("f", (64,), "finite"),
        bound=50,
        size=lambda x: 4 * grouping.SMALLEST * (1 + _total(x)),
    ),
    Case(
        "sort before an orderless reduction",
        lambda x, y: (
            xp.any(xp.sort(x, axis=1), axis=1),
            xp.count_nonzero(xp.sort(y)),
            xp.all(xp.sort(y, axis=0), axis=0),
        ),
        of(ANYTHING, (3, 4)),
        of(ANYTHING, (3, 4)),
    ),
    Case(
        "sort before a reduction of integers",
        lambda x: (xp.max(xp.sort(x, axis=0), axis=0), xp.sum(xp.sort(x)), xp.prod(xp.sort(x, axis=1), axis=(0, 1))),
        of(INTEGERS, (3, 4)),
    ),
    Case(
        "sort before a sum",
        lambda x: (xp.sum(xp.sort(x, axis=1), axis=1), xp.mean(xp.sort(x), axis=1)),
        of("f", (3, 7)),
        bound=20,
        size=_total,
    ),
    Case("any of any", lambda x: xp.any(xp.any(x, axis=0), axis=1), of(ANYTHING, (2, 3, 4))),
    Case("all of all", lambda x: xp.all(xp.all(x, axis=1, keepdims=True), axis=(0, 1)), of(ANYTHING, (2, 3, 4))),
    Case("max of max of integers", lambda x: xp.max(xp.max(x, axis=2), axis=0), of(INTEGERS, (2, 3, 4))),
    Case(
        "min of min of integers",
        lambda x: xp.min(xp.min(x, axis=0, keepdims=True), axis=1, keepdims=True),
        of(INTEGERS, (2, 3)),
    ),
    Case("sum of sum of integers", lambda x: xp.sum(xp.sum(x, axis=1), axis=0), of(INTEGERS, (2, 3, 4))),
    Case("prod of prod of integers", lambda x: xp.prod(xp.prod(x, axis=-1)), of(INTEGERS, (2, 3, 4))),
    Case("sum of sum", lambda x: xp.sum(xp.sum(x, axis=1), axis=1), of("f c", (2, 3, 4)), bound=20, size=_total),
    Case("mean of mean", lambda x: xp.mean(xp.mean(x, axis=1)), of("f c", (2, 3, 4)), bound=20, size=_total),
    Case(
        "reduced axes kept and squeezed",
        lambda x: (
            xp.squeeze(xp.sum(x, axis=1, keepdims=True), axis=1),
            xp.squeeze(xp.std(x, keepdims=True), axis=(0, 1)),
        ),
        of(ANYTHING, (3, 4)),
    ),
    Case(
        "reduced axes dropped and restored",
        lambda x: (xp.expand_dims(xp.mean(x, axis=1), axis=1), xp.expand_dims(xp.max(x, axis=0), axis=0)),
        of(ANYTHING, (3, 4)),
    ),
    Case(
        "reduction over axes of length 1",
        lambda x: (xp.max(x, axis=1), xp.min(x, axis=(1, 3), keepdims=True)),
        of("b i u f", (3, 1, 4, 1)),
    ),
    Case("reduction over axes of length 1", lambda x: (xp.sum(x, axis=1), xp.prod(x, axis=(1,))), of(INTEGERS, (3, 1))),
    Case("constant term out of an extremum", lambda x: (xp.max(x + 2), xp.min(x - 0.5, axis=0)), of("f", (3, 4))),
    Case("exponential out of an extremum", lambda x: (xp.max(xp.exp(x)), xp.min(xp.exp(x), axis=1)), of("f", (3, 4))),
    Case("any of not", lambda x: xp.any(xp.logical_not(x), axis=0), of(ANYTHING, (3, 4))),
    Case("all of not", lambda x: xp.all(xp.logical_not(x), axis=1, keepdims=True), of(ANYTHING, (3, 4))),
    Case("truth of numbers", lambda x: (xp.any(x, axis=0), xp.all(x), xp.count_nonzero(x)), of("f c", (3, 4))),
    Case("sum of booleans", lambda x: xp.sum(x), of("b", (3, 4))),
    Case("sort of sorted", lambda x: xp.sort(xp.sort(x, axis=0), axis=0), of("b i u f c", (5, 3))),
    Case("sort of sorted", lambda x: xp.sort(xp.sort(x), descending=True), of(INTEGERS, (7,))),
    Case(
        "order of an order",
        lambda x, y: (xp.argsort(xp.argsort(x)), xp.argsort(xp.argsort(y, descending=True), stable=False)),
        of("b i u f c", (7,)),
        of("i f", (1,)),
    ),
    Case(
        "end of sorted integers",
        lambda x: (xp.sort(x)[:, 0], xp.sort(x)[:, -1], xp.sort(x, axis=0, descending=True)[0, :]),
        of(INTEGERS, (5, 3)),
    ),
    Case("end of sorted data", lambda x: (xp.sort(x)[0], xp.sort(x)[-1]), of("f", (7,))),
]

REFUSED = [
    Case("order of an order", lambda x: xp.argsort(xp.argsort(x, axis=0), axis=1), of("i f", (3, 4))),
    Case("order of an order", lambda x: xp.argsort(xp.argsort(x), descending=True), of("i f", (4,))),
    Case("sort before a reduction of integers", lambda x: xp.sum(xp.sort(x, axis=0), axis=1), of(INTEGERS, (3, 4))),
    Case("sum of sum of integers", lambda x: xp.sum(xp.sum(x, axis=0), axis=0, dtype=xp.int32), of("int64", (3, 4))),
    Case("reduction over axes of length 1", lambda x: xp.sum(x, axis=1), of("f c", (3, 1))),
    Case("end of sorted data", lambda x: xp.sort(x)[0], of("f", (7,)), level="rounding"),
]
