"""Cases of the push-down and push-up passes."""

from __future__ import annotations

import numpy as np

import lazyxp as xp
from tests.optimizers.harness import Case, of

_MATRIX, _CUBE, _VECTOR = (5, 4), (3, 4, 5), (9,)
_ANY = "b i u f c"

_SOURCE = np.arange(100.0).reshape(10, 10)


def _put(x: xp.Array, value: xp.Array) -> xp.Array:
    y = xp.repeat(x, 2, axis=0)
    y[1:3, 1:] = value
    return y


def _index(x: xp.Array, values: list[int]) -> xp.Array:
    return xp.take(x, xp.asarray(values), axis=0)


def _halo(x: xp.Array) -> xp.Array:
    y = -x
    return y[1:5] - y[0:4]


def _large(*arrays: object) -> float:
    return 1e6


CASES = [
    # --- elementwise ---------------------------------------------------------------------------------------------
    Case("selection before elementwise", lambda x, y: (x + y)[1:3, 2], of("i u f c", _MATRIX), of("same", (4,))),
    Case("selection before elementwise", lambda x, y: (x * y)[2], of("i u f", (5, 1)), of("same", (1, 4))),
    Case("selection before elementwise", lambda x: xp.take(-x, xp.asarray([2, -5, 2]), axis=0), of("i f c", _MATRIX)),
    Case("selection before elementwise", lambda x, i: (-x)[i % 5], of("f", _MATRIX), of("int64", (), "count")),
    Case(
        "selection before elementwise",
        lambda x, y, z: xp.where(x, y, z)[::2],
        of("b", _MATRIX),
        of("f c", (4,)),
        of("same", _MATRIX),
    ),
    Case("selection before elementwise, inexact", lambda x: xp.exp(x)[1:3], of("f", _MATRIX)),
    Case(
        "selection before elementwise, inexact",
        lambda x, y: (x * y)[:, 1],
        of("c", _MATRIX),
        of("same", _MATRIX),
        size=_large,
    ),
    Case("selection before cast", lambda x: xp.astype(x, xp.float64)[1], of("b i u float32", _MATRIX)),
    Case("selection before cast", lambda x: xp.astype(x, xp.int8)[1], of("b int16 int64 u", _MATRIX)),
    Case("selection before cast, inexact", lambda x: xp.astype(x, xp.int64)[1], of("f", _MATRIX, "count")),
    Case("selections within one", _halo, of("i f c", _VECTOR)),
    # --- movement --------------------------------------------------------------------------------------------------
    Case("selection before another", lambda x: x[1:4][0], of(_ANY, _MATRIX)),
    Case("selection before another", lambda x: _index(x, [3, 0])[:, 1], of(_ANY, _MATRIX)),
    Case("selection before permute_dims", lambda x: xp.permute_dims(x, (2, 0, 1))[1:, 2], of(_ANY, _CUBE)),
    Case("selection before expand_dims", lambda x: xp.expand_dims(x, axis=(0, 2))[0, 1:3], of(_ANY, _MATRIX)),
    Case("selection before squeeze", lambda x: xp.squeeze(x, axis=1)[1:3, ::2], of(_ANY, (5, 1, 4))),
    Case("selection before flip", lambda x: xp.flip(x)[1:3, 0], of(_ANY, _MATRIX)),
    Case("selection before broadcast_to", lambda x: xp.broadcast_to(x, (3, 5, 4))[1, 1:3, 2], of(_ANY, (5, 1))),
    Case("selection before reshape", lambda x: xp.reshape(x, (4, 5, 3))[1:3, 2], of(_ANY, (20, 3))),
    Case("selection before reshape", lambda x: xp.reshape(x, (20,))[8:12], of(_ANY, _MATRIX)),
    Case("selection before reshape", lambda x: xp.reshape(x, (20,))[7], of(_ANY, _MATRIX)),
    Case("selection before diagonal", lambda x: xp.linalg.diagonal(x, offset=1)[1:3], of(_ANY, _MATRIX)),
    # --- joining and repeating -------------------------------------------------------------------------------------
    Case("selection before concat", lambda x, y: xp.concat([x, y])[4:7], of(_ANY, _MATRIX), of("same", _MATRIX)),
    Case("selection before concat", lambda x, y: xp.concat([x, y])[6, 1:], of(_ANY, _MATRIX), of("same", _MATRIX)),
    Case("selection before stack", lambda x, y: xp.stack([x, y])[1], of(_ANY, _MATRIX), of("same", _MATRIX)),
    Case("selection before tile", lambda x: xp.tile(x, (2, 3))[6:8, 1], of(_ANY, _MATRIX)),
    Case("selection before repeat", lambda x: xp.repeat(x, 3, axis=0)[4:8], of(_ANY, _MATRIX)),
    Case("selection before roll", lambda x: xp.roll(x, 2, axis=0)[1:4, ::2], of(_ANY, _MATRIX)),
    Case("selection before fftshift", lambda x: xp.fft.fftshift(x)[1:3, 0], of("f c", _MATRIX)),
    # --- contractions ----------------------------------------------------------------------------------------------
    Case("selection before matmul", lambda x, y: (x @ y)[1], of("i u", _MATRIX), of("same", (4, 3))),
    Case(
        "selection before matmul, inexact", lambda x, y: (x @ y)[1], of("f c", _MATRIX), of("same", (4, 3)), size=_large
    ),
    Case(
        "selection before matmul, inexact",
        lambda x, y: (x @ y)[..., 2, 1:],
        of("f", (2, 5, 4)),
        of("same", (4, 3)),
        size=_large,
    ),
    Case(
        "selection before tensordot",
        lambda x, y: xp.tensordot(x, y, axes=1)[1:3, 2],
        of("i u", _MATRIX),
        of("same", (4, 3)),
    ),
    Case(
        "selection before tensordot, inexact",
        lambda x, y: xp.tensordot(x, y, axes=1)[1:3],
        of("f c", _MATRIX),
        of("same", (4, 3)),
        size=_large,
    ),
    Case("selection before vecdot", lambda x, y: xp.vecdot(x, y)[1:3], of("i u", _MATRIX), of("same", _MATRIX)),
    Case(
        "selection before vecdot, inexact",
        lambda x, y: xp.vecdot(x, y)[2],
        of("f c", _MATRIX),
        of("same", (4,)),
        size=_large,
    ),
    Case(
        "selection before outer", lambda x, y: xp.linalg.outer(x, y)[1:3, 2], of("i u f", _VECTOR), of("same", _VECTOR)
    ),
    Case(
        "selection before outer, inexact",
        lambda x, y: xp.linalg.outer(x, y)[1:3],
        of("c", _VECTOR),
        of("same", _VECTOR),
        size=_large,
    ),
    Case("selection before cross", lambda x, y: xp.linalg.cross(x, y)[1], of("i u", (5, 3)), of("same", (5, 3))),
    Case(
        "selection before cross, inexact",
        lambda x, y: xp.linalg.cross(x, y)[1],
        of("f", (5, 3)),
        of("same", (5, 3)),
        size=_large,
    ),
    # --- reductions and scans --------------------------------------------------------------------------------------
    Case("selection before reduction", lambda x: xp.sum(x, axis=(0, 2))[1:3], of("i u", _CUBE)),
    Case("selection before reduction", lambda x: xp.any(x, axis=1, keepdims=True)[2], of(_ANY, _CUBE)),
    Case("selection before reduction", lambda x: xp.argmax(x, axis=1)[2], of("i u f", _CUBE)),
    Case("selection before reduction, inexact", lambda x: xp.sum(x, axis=1)[2], of("f c", _MATRIX), size=_large),
    Case("selection before reduction, inexact", lambda x: xp.max(x, axis=0)[1:3], of("f", _MATRIX), zeros=False),
    Case("selection before matrix reduction", lambda x: xp.linalg.trace(x)[1], of("i u", _CUBE)),
    Case("selection before matrix reduction, inexact", lambda x: xp.linalg.trace(x)[1], of("f c", _CUBE), size=_large),
    Case("selection before scan", lambda x: xp.cumulative_sum(x, axis=0)[2, 1:], of("i u", _MATRIX)),
    Case("selection before scan, inexact", lambda x: xp.cumulative_sum(x, axis=0)[:2], of("f c", _MATRIX), size=_large),
    Case("selection before diff", lambda x: xp.diff(x, axis=0, n=2)[1:3], of("i u f c", _VECTOR)),
    Case("selection before sort", lambda x: xp.sort(x, axis=0)[:, 1:3], of("b i u f", _MATRIX)),
    Case("selection before sort", lambda x: xp.argsort(x, axis=0)[1, 2], of("b i u f", _MATRIX)),
    Case(
        "selection before sort, inexact",
        lambda x: xp.sort(x, axis=0, stable=False)[:, 1],
        of("f", _MATRIX),
        zeros=False,
    ),
    Case("selection before fft, inexact", lambda x: xp.fft.fft(x, axis=0)[:, 1], of("c", _MATRIX), size=_large),
    Case(
        "selection before search", lambda x, y: xp.searchsorted(xp.sort(x), y)[1:3], of("i", (6,)), of("same", _MATRIX)
    ),
    Case("selection before search", lambda x, y: xp.isin(x, y)[1:3], of("i f", _MATRIX), of("same", (6,))),
    # --- creation and assignment -----------------------------------------------------------------------------------
    Case("selection before full", lambda x: x[0] + xp.full((1000, 4), 1.5)[7], of("float64", _MATRIX)),
    Case("selection before arange", lambda x: x + xp.arange(3, 3000, 2)[100:900:200], of("int64", (4,))),
    Case("selection before arange", lambda x: x + xp.arange(0.0, 500.0, 0.25)[::-500], of("float64", (4,))),
    Case("selection before linspace", lambda x: x + xp.linspace(0.1, 1.3, 1000)[100:500:100], of("float64", (4,))),
    Case("selection before eye", lambda x: x + xp.eye(50, 60, k=1)[2:7, 3:7], of("float64", _MATRIX)),
    Case("selection before read", lambda x: x + xp.from_source(_SOURCE)[1:6, 2:6], of("float64", _MATRIX)),
    Case("selection before triangle", lambda x: xp.tril(x, k=1)[1:4, 2], of(_ANY, _MATRIX)),
    Case("selection before setitem", lambda x, y: _put(x, y)[1], of(_ANY, _MATRIX), of("same", (3,))),
    Case("selection before setitem", lambda x, y: _put(x, y)[0], of(_ANY, _MATRIX), of("same", (3,))),
    Case("selection before setitem", lambda x, y: _put(x, y)[2:, 2:], of(_ANY, _MATRIX), of("same", (2, 1))),
    # --- push-up ---------------------------------------------------------------------------------------------------
    Case("broadcast after elementwise", lambda x: -xp.broadcast_to(x, (5, 4)), of("i f c", (4,))),
    Case("broadcast after elementwise", lambda x, y: xp.broadcast_to(x, (5, 4)) + y, of("f", (1, 4)), of("same", ())),
    Case("broadcast after elementwise, inexact", lambda x: xp.sin(xp.broadcast_to(x, (5, 4))), of("f", (4,))),
    Case("transpose after elementwise", lambda x, y: x.T + y.T * 2, of("i f", _MATRIX), of("same", _MATRIX)),
    Case("transpose after elementwise, inexact", lambda x: xp.exp(x.T), of("f", _MATRIX)),
    Case(
        "widening cast after movement",
        lambda x: xp.roll(xp.astype(x, xp.float64), 1, axis=0),
        of("float32 int16", _MATRIX),
    ),
    Case(
        "narrowing cast before movement", lambda x: xp.astype(xp.roll(x, 1, axis=0), xp.float32), of("float64", _MATRIX)
    ),
    Case(
        "narrowing cast before movement, inexact",
        lambda x: xp.astype(xp.roll(x, 1, axis=0), xp.int16),
        of("float64", _MATRIX, "count"),
    ),
    Case("reduction before broadcast", lambda x: xp.max(xp.broadcast_to(x, (5, 4)), axis=0), of("i u", (4,))),
    Case("reduction before broadcast", lambda x: xp.sum(xp.broadcast_to(x, (5, 4))), of("i u", (4,))),
    Case(
        "reduction before broadcast, inexact",
        lambda x: xp.sum(xp.broadcast_to(x, (5, 4)), axis=0),
        of("f", (4,)),
        size=_large,
    ),
    Case(
        "reduction before broadcast, inexact", lambda x: xp.mean(xp.broadcast_to(x, (5, 4))), of("f", (4,)), size=_large
    ),
    Case("reduction in another order", lambda x: xp.sum(xp.flip(x.T)), of("i u", _MATRIX)),
    Case(
        "reduction in another order, inexact", lambda x: xp.sum(xp.reshape(x, (20,))), of("f c", _MATRIX), size=_large
    ),
]

REFUSED = [
    # What may raise an error stays, even if the part that is selected does not need it.
    Case(
        "selection before stack",
        lambda x, y: xp.stack([x**y, x])[1],
        of("int64", _MATRIX),
        of("int64", _MATRIX),
        level="rounding",
    ),
    # Nine slices of one result would compute it nine times.
    Case(
        "selection before elementwise",
        lambda x: sum(((x + 1)[i : i + 5] for i in range(3)), xp.zeros(5)),
        of("float64", (7,)),
        level="rounding",
    ),
    # An index is checked where it is used, and an exponent of integers wherever it is.
    Case("selection before another", lambda x: _index(x, [1, 2, 3])[1], of("float64", _MATRIX), level="rounding"),
    Case(
        "selection before elementwise",
        lambda x, y: (x**y)[1],
        of("int64", _MATRIX),
        of("int64", _MATRIX, "count"),
        level="rounding",
    ),
    # Steps of 0.1 are rounded, each from the start.
    Case("selection before arange", lambda x: x + xp.arange(0, 5, 0.1)[3:7], of("float64", (4,)), level="rounding"),
    Case("selection before linspace", lambda x: x + xp.linspace(0, 1, 9)[5:], of("float64", (4,)), level="rounding"),
    # What is added up must stay where it lies in memory.
    Case("selection before elementwise", lambda x: xp.sum((-x)[:, 1]), of("float64", _MATRIX), level="exact"),
]
