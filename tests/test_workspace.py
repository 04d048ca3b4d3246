"""What NumPy takes for itself: the rules in `lazyxp.workspace` against measurements of every op."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.estimate import estimate_of
from lazyxp.evaluate import prepare
from tests.measuring import agrees, measured_peak
from tests.optimizers.table_rows import softmax, standardized

Function = Callable[..., Any]
rng = np.random.default_rng(0)


class Op(NamedTuple):
    """`function` of arrays of these shapes, in each of these data types."""

    name: str
    function: Function
    shapes: tuple[tuple[int, ...], ...]
    dtypes: str = "float32 float64 complex128"


FLAT = (400, 400)
REAL = "bool int8 int64 float32 float64"
NUMERIC = "int8 int64 float32 float64 complex64 complex128"
MATRIX = (200, 200)
STACK = (30, 40, 40)


def call(name: str, *args: Any, **params: Any) -> Function:
    """The function called `name`; of several outputs the first."""

    def function(*arrays: Any) -> Any:
        found: Any = xp
        for part in name.split("."):
            found = getattr(found, part)
        result = found(*arrays, *args, **params)
        return result[0] if isinstance(result, tuple) else result

    return function


OPS = [
    *[Op(n, call(n), (FLAT,), NUMERIC) for n in ("abs", "negative", "sign", "square", "round", "conj")],
    *[Op(n, call(n), (FLAT,)) for n in ("exp", "expm1", "log1p", "sqrt", "tan", "tanh", "reciprocal", "isnan")],
    *[Op(n, call(n), (FLAT, FLAT), NUMERIC) for n in ("add", "multiply", "equal")],
    *[Op(n, call(n), (FLAT, FLAT), "int64 float32 float64") for n in ("floor_divide", "remainder", "maximum")],
    Op("where", lambda a: xp.where(a > 0.5, a, 0.0), (FLAT,), "float64"),
    Op("clip", call("clip", 1, 2), (FLAT,), "int64 float64"),
    *[Op(f"astype {d}", lambda a, d=d: xp.astype(a, getattr(xp, d)), (FLAT,)) for d in ("complex64", "complex128")],
    Op("transposed sum", lambda a, b: a.T + b.T, (FLAT, FLAT)),
    *[
        Op(f"{n} {axis}", call(n, axis=axis), (FLAT,), "int8 float32 float64")
        for n in ("all", "any", "count_nonzero", "max", "min", "sum", "prod", "mean", "std", "var", "argmax", "argmin")
        for axis in (None, 0, 1)
        if n not in ("mean", "std", "var")
    ],
    *[
        Op(f"{n} {axis}", call(n, axis=axis), (FLAT,), "float32 float64 complex128")
        for n in ("mean", "std", "var", "cumulative_sum", "cumulative_prod", "sort", "argsort", "diff")
        for axis in (0, 1)
    ],
    Op("cumulative_sum cast", call("cumulative_sum", axis=0), (FLAT,), "int8"),
    Op("descending", call("argsort", axis=0, descending=True), (FLAT,), "float64"),
    Op("diff 3", call("diff", n=3), (FLAT,), "int8 float64"),
    *[Op(f"norm {o}", call("linalg.vector_norm", ord=o), (FLAT,)) for o in (0, 1, 2, 3.0, math.inf, -math.inf)],
    *[Op(f"matrix norm {o}", call("linalg.matrix_norm", ord=o), (MATRIX,)) for o in ("fro", "nuc", 1, 2, math.inf)],
    *[Op(f"concat {n}", lambda a, b, n=n: getattr(xp, n)([a, b], axis=0), (FLAT, FLAT)) for n in ("concat", "stack")],
    Op("roll", call("roll", (3, 4), axis=(0, 1)), (FLAT,)),
    Op("repeat", call("repeat", 3, axis=1), (FLAT,)),
    *[Op(f"tile {r}", call("tile", r), (FLAT,)) for r in ((2, 2), (3, 1), (2, 1, 1), (2, 3, 2))],
    *[Op(f"fft.{n}", call(f"fft.{n}"), (FLAT,)) for n in ("fftshift", "ifftshift")],
    *[Op(n, call(n), (FLAT,), "int8 float64") for n in ("tril", "triu")],
    Op("reshape of transpose", lambda a: xp.reshape(a.T, (-1,)), (FLAT,)),
    Op("take", lambda a: xp.take(a, xp.arange(900) % 400, axis=1), (FLAT,)),
    Op("getitem of sum", lambda a: (a + a)[::2, 1:] + 1, (FLAT,), "float64"),
    Op("linspace", lambda: xp.linspace(0, 1, 400_000), (), "float64"),
    Op("linspace single", lambda: xp.linspace(0, 1, 400_000, dtype=xp.float32), (), "float64"),
    Op("arange", lambda: xp.arange(400_000), (), "float64"),
    Op("eye", lambda: xp.eye(400), (), "float64"),
    *[Op(n, lambda n=n: getattr(xp.fft, n)(400_000), (), "float64") for n in ("fftfreq", "rfftfreq")],
    *[
        Op("matmul", call("matmul"), shapes, "int64 float32 float64 complex128")
        for shapes in ((FLAT, FLAT), (FLAT, (400,)), (STACK, STACK), (STACK, (40, 40)))
    ],
    Op("matmul transposed", lambda a, b: a.T @ b, (FLAT, FLAT)),
    Op("matmul strided", lambda a, b: a[:, ::2] @ b[::2], (FLAT, FLAT)),
    *[Op(f"tensordot {axes}", call("tensordot", axes=axes), (FLAT, FLAT)) for axes in (1, 2, ((0,), (0,)))],
    *[
        Op(f"tensordot {axes}", call("tensordot", axes=axes), ((48, 48, 48), (48, 48, 48)))
        for axes in (2, ((0, 1), (1, 0)), ((0, 2), (0, 2)))
    ],
    *[Op("vecdot", call("vecdot"), (FLAT, shape)) for shape in (FLAT, (400,))],
    Op("outer", call("linalg.outer"), ((400,), (400,))),
    Op("cross", call("linalg.cross"), ((80_000, 3), (80_000, 3))),
    *[Op(f"power {n}", call("linalg.matrix_power", n), (MATRIX,), "float64") for n in (-3, 0, 1, 2, 3, 4, 7)],
    *[
        Op(f"linalg.{n}", call(f"linalg.{n}"), (shape,))
        for n in (
            "cholesky",
            "eig",
            "eigh",
            "eigvals",
            "eigvalsh",
            "qr",
            "svd",
            "svdvals",
            "det",
            "inv",
            "matrix_rank",
            "pinv",
            "slogdet",
        )
        for shape in (MATRIX, STACK)
    ],
    *[
        Op(f"linalg.{n} {shape}", call(f"linalg.{n}"), (shape,))
        for n in ("svd", "svdvals", "pinv", "qr")
        for shape in ((400, 150), (150, 400))
    ],
    Op("reduced svd", call("linalg.svd", full_matrices=False), ((400, 150),)),
    Op("complete qr", call("linalg.qr", mode="complete"), ((400, 150),)),
    *[Op("solve", call("linalg.solve"), shapes) for shapes in ((MATRIX, MATRIX), (MATRIX, (200,)), (STACK, STACK))],
    *[
        Op(f"fft.{n} {p}", call(f"fft.{n}", **p), ((360, 400),), dtypes)
        for names, dtypes in (
            (("fft", "ifft"), "float32 float64 complex64 complex128"),
            (("rfft", "ihfft"), "float32 float64"),
            (("irfft", "hfft"), "complex64 complex128"),
        )
        for n in names
        for p in ({}, {"axis": 0}, {"n": 480})
    ],
    *[
        Op(f"fft.{n} {p}", call(f"fft.{n}", **p), ((360, 400),), dtypes)
        for n, dtypes in (
            ("fftn", "float32 float64 complex64 complex128"),
            ("ifftn", "float32 float64 complex64 complex128"),
            ("rfftn", "float32 float64"),
            ("irfftn", "complex64 complex128"),
        )
        for p in ({}, {"s": (420, 480), "axes": (0, 1)})
    ],
]


def data(shape: tuple[int, ...], dtype: str) -> np.ndarray[Any, Any]:
    """Numbers from 1 to 2; matrices are well-conditioned, symmetric and positive definite."""
    x = rng.uniform(1, 2, shape)
    if shape in (MATRIX, STACK):
        x = x + np.swapaxes(x, -1, -2) + 300 * np.eye(shape[-1])
    if dtype.startswith("complex") and shape not in (MATRIX, STACK):
        x = x + 1j
    return x.astype(dtype)


@pytest.mark.parametrize(
    ("op", "dtype"),
    [(op, d) for op in OPS for d in op.dtypes.split()],
    ids=lambda v: v.name if isinstance(v, Op) else v,
)
def test_memory_of_ops(op, dtype):
    x = op.function(*[xp.asarray(data(shape, dtype)) for shape in op.shapes])
    plan = prepare([current(x)], "numpy", "none").planned.plan
    estimated, measured = estimate_of(plan).peak_bytes, measured_peak(plan)
    assert agrees(estimated, measured), f"estimated {estimated:,}, measured {measured:,}"


WIDE = (1_000, 2_000)


def several(x: Any) -> Any:
    """Many reductions of one pass."""
    return xp.stack([xp.sum(x, axis=0), xp.max(x, axis=0), xp.var(x, axis=0), xp.mean(x * x, axis=0)])


def two_results(x: Any) -> Any:
    """A kernel of which a map and its sums are kept."""
    e = xp.exp(x) * 2
    return xp.sum(e, axis=0) + xp.sort(e, axis=0)[0]


def nearest(x: Any, c: Any) -> Any:
    """Which centre is the nearest one."""
    return xp.argmin(xp.sum((x - c) ** 2, axis=-1), axis=1)


# Kernels whose memory is more than their results: parts of what is reduced in several pieces, and rows that are kept.
KERNELS = [
    Op("map", lambda a, b: xp.exp(a) * b + 1, (FLAT, FLAT)),
    Op("map in columns", lambda a, b: xp.exp(a.T) * b.T + 1, (FLAT, FLAT)),
    Op("cast", lambda a: xp.astype(a * 2, xp.float32) + 1, (WIDE,), "float64"),
    Op("condition", lambda a, b: (a > 1.5) & (b < 1.9), (WIDE, WIDE), "float64"),
    Op("two results", two_results, (WIDE,), "float32 float64"),
    Op("sum of columns", lambda a: xp.sum(a * 2.5 + 1, axis=0), (WIDE,), "float32 float64 complex128"),
    Op("sum of long columns", lambda a: xp.sum(xp.abs(a), axis=0), ((300, 8_000),), "float32 float64"),
    Op("columns tested", lambda a: xp.any(a > 1.5, axis=0), (WIDE,), "float64"),
    Op("variance of columns", lambda a: xp.var(a, axis=0), (WIDE,)),
    Op("deviation of columns", lambda a: xp.std(a * 1j, axis=0), (WIDE,), "float32 float64"),
    Op("variance of all", lambda a: xp.var(a), (WIDE,)),
    Op("several", several, (WIDE,), "float64"),
    Op("softmax", softmax, (WIDE,), "float32 float64"),
    Op("softmax of columns", lambda a: softmax(a.T), (WIDE,), "float64"),
    Op("softmax of long rows", softmax, ((20, 100_000),), "float64"),
    Op("standardized", standardized, (WIDE,), "float64"),
    Op("stencil", lambda a: a[1:-1, 1:-1] * 2 + a[:-2, 1:-1] + a[2:, 1:-1] * 3, (WIDE,), "float64"),
    Op("nearest", nearest, ((9_000, 1, 16), (1, 32, 16)), "float64"),
]


@pytest.mark.parametrize("kernels", ["auto", "interpreted"])
@pytest.mark.parametrize(
    ("op", "dtype"),
    [(op, d) for op in KERNELS for d in op.dtypes.split()],
    ids=lambda v: v.name if isinstance(v, Op) else v,
)
def test_memory_of_kernels(op, dtype, kernels):
    with xp.set_options(kernels=kernels, num_threads=1):
        x = op.function(*[xp.asarray(data(shape, dtype)) for shape in op.shapes])
        plan = prepare([current(x)], "numpy", "default").planned.plan
        estimate = estimate_of(plan)
        measured = measured_peak(plan)
    assert estimate.kernels
    assert agrees(estimate.peak_bytes, measured), f"estimated {estimate.peak_bytes:,}, measured {measured:,}"


def test_each_thread_has_memory_of_its_own():
    pytest.importorskip("llvmlite")
    x = softmax(xp.asarray(data(WIDE, "float64")))
    peaks = []
    for threads in (1, 2):
        with xp.set_options(num_threads=threads), threadpool_limits(threads):
            peaks.append(x.estimate().peak_bytes)
    assert peaks[1] - peaks[0] >= 8 * WIDE[1]
