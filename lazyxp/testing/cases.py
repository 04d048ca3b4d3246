"""Expressions that cover every op: each is a function of a namespace and arrays, written once for lazyxp and NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from lazyxp.dtypes import CATEGORIES
from lazyxp.testing.inputs import DTYPES, plain, special

Function = Callable[..., Any]


class Case(NamedTuple):
    """`function(xp, *arrays)` has to give on a backend what it gives on NumPy."""

    group: str
    function: Function
    arrays: tuple[np.ndarray[Any, Any], ...]

    @property
    def is_special(self) -> bool:
        """Whether an operand has infinities or NaN, or values that a cast to integers may not keep."""
        below = self.group == "astype" and any(a.dtype.kind == "f" and bool((a < 0).any()) for a in self.arrays)
        return below or any(not np.isfinite(a).all() for a in self.arrays)

    def __repr__(self) -> str:
        shown = ", ".join(f"{a.dtype}{list(a.shape)}" for a in self.arrays)
        return f"{self.group}({shown})"


def _of(category: str) -> list[np.dtype[Any]]:
    """The data types of one of the standard's categories."""
    return [d for d in DTYPES if d.kind in CATEGORIES[category]]


F32, F64, C64, C128 = (np.dtype(n) for n in ("float32", "float64", "complex64", "complex128"))
I8, I64, U8, BOOL = (np.dtype(n) for n in ("int8", "int64", "uint8", "bool"))
# What moves elements treats all data types alike: these get every case, the others one of each op.
SOME = (BOOL, I64, U8, F32, C128)

UNARY = {
    "numeric": "abs negative positive sign square conj isfinite isinf isnan round",
    "real numeric": "ceil floor trunc",
    "floating-point": "acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 reciprocal sin sinh "
    "sqrt tan tanh",
    "real floating-point": "signbit",
    "integer or boolean": "bitwise_invert",
    "boolean": "logical_not",
    "complex floating-point": "real imag",
}
BINARY = {
    "numeric": "add subtract multiply pow",
    "floating-point": "divide",
    "real numeric": "floor_divide remainder maximum minimum less less_equal greater greater_equal",
    "real floating-point": "atan2 copysign hypot logaddexp nextafter",
    "integer or boolean": "bitwise_and bitwise_or bitwise_xor",
    "integer": "bitwise_left_shift bitwise_right_shift",
    "boolean": "logical_and logical_or logical_xor",
    "all": "equal not_equal",
}
# Where NumPy departs from the standard for special values, it is no oracle.
DEPARTING = {"floor_divide", "remainder", "expm1", "tanh", "sign", "pow"}
SHAPES = (((2, 3), (2, 3)), ((2, 1, 3), (3,)), ((4,), ()), ((0, 3), (1, 3)))


def _call(name: str, **params: Any) -> Function:
    """The function of the namespace called `name` with `params`, on arrays."""

    def function(xp: Any, *arrays: Any) -> Any:
        found = xp
        for part in name.split("."):
            found = getattr(found, part)
        return found(*arrays, **params)

    return function


def _elementwise() -> Iterator[Case]:
    for category, names in UNARY.items():
        for name, dtype in itertools.product(names.split(), _of(category)):
            for shape in ((2, 3), (), (0, 3)):
                yield Case(name, _call(name), (plain(shape, dtype),))
            if dtype.kind in "fc" and name not in DEPARTING:
                yield Case(name, _call(name), (special((2, 5), dtype),))
    for category, names in BINARY.items():
        for name, dtype in itertools.product(names.split(), _of(category)):
            for one, two in SHAPES:
                right = plain(two, dtype)
                if name in ("pow", "bitwise_left_shift", "bitwise_right_shift"):
                    right = np.abs(right).astype(dtype) % 3 if dtype.kind != "c" else right
                elif name in ("floor_divide", "remainder"):
                    right = np.where(right == 0, dtype.type(3), right)
                yield Case(name, _call(name), (plain(one, dtype), right))
            if dtype.kind in "fc" and name not in DEPARTING:
                yield Case(name, _call(name), (special((2, 8), dtype), special((2, 1), dtype)))
    for name in ("add", "multiply", "less", "where"):
        yield Case(name, lambda xp, x: (x + 1, 2 * x, x < 2, xp.where(x > 1, x, 0.0)), (plain((2, 3), F64),))
    for dtype in SOME:
        x, y, where = plain((2, 3), dtype), plain((3,), dtype)[::-1], plain((2, 1), BOOL)
        yield Case("where", _call("where"), (where, x, y))
        yield Case("where", _call("where"), (plain((), BOOL), x, y))
        for target in SOME:
            if dtype.kind != "c" or target.kind == "c":
                yield Case("astype", lambda xp, x, to=target: xp.astype(x, to), (x,))
    for dtype in (I64, F32):
        x = plain((2, 3), dtype)
        yield Case("clip", _call("clip", min=1, max=2), (x,))
        yield Case("clip", lambda xp, x, low: xp.clip(x, max=low), (x, x[:1] - 1))
        yield Case("clip", lambda xp, x, low, high: xp.clip(x, low, high), (x, x[:, :1], x[0] + 1))
    for dtype in (C64, C128):
        yield Case("complex", _written_part("imag"), (plain((2, 3), dtype), plain((3,), np.zeros(1, dtype).real.dtype)))
        yield Case(
            "complex", _written_part("real"), (plain((2, 3), dtype), plain((2, 1), np.zeros(1, dtype).real.dtype))
        )


def _written_part(part: str) -> Function:
    def function(xp: Any, z: Any, value: Any) -> Any:
        z = xp.asarray(z, copy=True)
        getattr(xp, part)(z)[...] = value
        return z

    return function


def _creation() -> Iterator[Case]:
    for dtype in SOME:
        yield Case("full", lambda xp, dtype=dtype: xp.full((2, 3), 1, dtype=dtype), ())
        yield Case("full", lambda xp, dtype=dtype: (xp.zeros((), dtype=dtype), xp.ones((0, 2), dtype=dtype)), ())
        yield Case("eye", lambda xp, dtype=dtype: (xp.eye(3, dtype=dtype), xp.eye(2, 4, k=-1, dtype=dtype)), ())
        for shape, k in itertools.product(((3, 4), (2, 4, 3), (0, 3)), (-1, 0, 2)):
            yield Case("tril", _call("tril", k=k), (plain(shape, dtype),))
            yield Case("triu", _call("triu", k=k), (plain(shape, dtype),))
    yield Case("eye", lambda xp: (xp.eye(4, 2, k=1), xp.eye(0), xp.eye(3, 3, k=7)), ())
    for of in (None, F32, I64):
        yield Case("arange", lambda xp, of=of: (xp.arange(7, dtype=of), xp.arange(2, 9, 3, dtype=of)), ())
        yield Case("arange", lambda xp, of=of: (xp.arange(5, 0, -2, dtype=of), xp.arange(3, 1, dtype=of)), ())
    yield Case("arange", lambda xp: (xp.arange(0.5, 3.0, 0.25), xp.arange(4.0), xp.arange(1.0, 0.0, -0.1)), ())
    for end in (True, False):
        yield Case("linspace", lambda xp, end=end: (xp.linspace(0, 1, 11, endpoint=end), xp.linspace(2, 2, 1)), ())
        yield Case("linspace", lambda xp, end=end: xp.linspace(3, -1, 9, endpoint=end, dtype=F32), ())
    yield Case("linspace", lambda xp: (xp.linspace(0, 1j, 5), xp.linspace(0, 1, 0)), ())
    yield Case("fft.fftfreq", lambda xp: (xp.fft.fftfreq(9, d=0.5), xp.fft.fftfreq(8, dtype=F32)), ())
    yield Case("fft.rfftfreq", lambda xp: (xp.fft.rfftfreq(9, d=0.5), xp.fft.rfftfreq(8, dtype=F32)), ())
    yield Case("full", lambda xp, x: xp.meshgrid(x, xp.arange(2), indexing="ij"), (plain((3,), F64),))


def _movement() -> Iterator[Case]:
    for dtype in SOME:
        x = plain((2, 3, 4), dtype)
        for group, function in {
            "permute_dims": lambda xp, x: (x.mT, xp.permute_dims(x, (2, 0, 1)), xp.moveaxis(x, 0, -1)),
            "reshape": lambda xp, x: (xp.reshape(x, (-1,)), xp.reshape(x, (4, 6)), xp.reshape(x.mT, (8, 3))),
            "expand_dims": lambda xp, x: (xp.expand_dims(x, axis=0), xp.expand_dims(x, axis=(1, -1))),
            "squeeze": lambda xp, x: (xp.squeeze(x[:1], axis=0), xp.squeeze(x[:, :1, :1], axis=(1, 2))),
            "flip": lambda xp, x: (xp.flip(x), xp.flip(x, axis=1), xp.flip(x, axis=(0, -1))),
            "broadcast_to": lambda xp, x: (xp.broadcast_to(x, (2, 2, 3, 4)), xp.broadcast_to(x[:, :1], (2, 3, 4))),
            "concat": lambda xp, x: (xp.concat([x, x + x], axis=1), xp.concat([x, x[:0]]), xp.concat([x], axis=-1)),
            "stack": lambda xp, x: (xp.stack([x, x]), xp.stack([x, x * x], axis=-1)),
            "roll": lambda xp, x: (xp.roll(x, 5), xp.roll(x, -1, axis=1), xp.roll(x, (1, -7), axis=(0, 2))),
            "repeat": lambda xp, x: (xp.repeat(x, 2, axis=1), xp.repeat(x, 3, axis=0), xp.repeat(x, 0, axis=2)),
            "tile": lambda xp, x: (xp.tile(x, (2,)), xp.tile(x, (2, 1, 1, 3)), xp.tile(x, (0, 1, 1))),
            "linalg.diagonal": lambda xp, x: [xp.linalg.diagonal(x, offset=k) for k in (-1, 0, 2, 9)],
        }.items():
            yield Case(group, function, (x,))
        counts = np.array([0, 3, 1])
        yield Case("repeat", lambda xp, x, counts: xp.repeat(x, counts, axis=1), (x, counts))
        yield Case("repeat", lambda xp, x, counts: xp.repeat(x, counts, axis=0), (x, np.array([2])))
    for shape in ((), (0,), (0, 3)):
        x = plain(shape, F64)
        yield Case("reshape", lambda xp, x: (xp.reshape(x, (-1,)), xp.reshape(x, (1, *x.shape))), (x,))
        yield Case("broadcast_to", lambda xp, x: xp.broadcast_to(x, (2, *x.shape)), (x,))
        yield Case("stack", lambda xp, x: xp.stack([x, x]), (x,))
        yield Case("flip", lambda xp, x: xp.flip(x), (x,))
        yield Case("roll", lambda xp, x: xp.roll(x, 1), (x,))
    yield Case("tile", lambda xp, x: xp.tile(x, (3,)), (plain((), F64),))
    for group in ("fft.fftshift", "fft.ifftshift"):
        for dtype in (F32, C128):
            yield Case(group, _call(group), (plain((5, 4), dtype),))
            yield Case(group, _call(group, axes=(1,)), (plain((5, 3), dtype),))


KEYS: tuple[Any, ...] = (
    1,
    -1,
    (1, 2),
    slice(None),
    slice(1, 3),
    slice(None, None, 2),
    slice(None, None, -1),
    slice(3, 0, -2),
    slice(2, 2),
    (slice(None), 1),
    (Ellipsis, 0),
    (None, slice(1, None), None, slice(None, None, -2)),
    (2, None),
    (Ellipsis,),
)


def _indexing() -> Iterator[Case]:
    for dtype in SOME:
        x = plain((4, 5), dtype)
        yield Case("getitem", lambda xp, x: [x[key] for key in KEYS], (x,))
        for key in KEYS:
            yield Case("setitem", _written(key), (x, plain((), dtype) + x.dtype.type(1)))
            yield Case("setitem", _written(key), (x, np.ones_like(x[key])))
        mask, rows, columns = x != x[0, 0], np.array([[3, 0], [-1, 1]]), np.array([4, -5])
        for group, function in {
            "gather": lambda xp, x, mask, rows, columns: (
                x[mask],
                x[mask[:, 0]],
                x[:, mask[0, :]],
                x[rows],
                x[rows, columns],
                x[:, columns],
                x[rows, 1:3],
                x[rows, None, columns],
                x[0, columns],
                x[None, rows[0], :, None],
                x[mask[:, 1], 2],
            ),
            "take": lambda xp, x, mask, rows, columns: (xp.take(x, columns, axis=1), xp.take(x, rows[0], axis=0)),
        }.items():
            yield Case(group, function, (x, mask, rows, columns))
        along = np.argsort(x, axis=1)[:, ::-1]
        yield Case("take_along_axis", _call("take_along_axis", axis=1), (x, along))
        yield Case("take_along_axis", _call("take_along_axis", axis=0), (x, along[:2] % 4))
        for key in (mask, mask[:, 1], (slice(None), mask[0]), rows[0], (rows, columns), (rows[1], slice(1, 3))):
            yield Case("scatter", _written(key), (x, plain((), dtype) + x.dtype.type(1)))
            yield Case("scatter", _written(key), (x, np.resize(x[::-1], x[key].shape)))
    x = plain((6,), F64)
    yield Case("gather", lambda xp, x: (x[x > 0], x[x > 1e9], xp.sum(x[x < 1]), x[x > 0] * 2), (x,))
    yield Case("getitem", lambda xp, x: (x[x > 0][1:], x[x > 0][0]), (np.abs(x) + 1,))
    yield Case("gather", lambda xp, x, i: x[i], (plain((0, 3), F64), np.zeros((0,), int)))
    yield Case("scatter", _written(np.array([1, 1, 0, 1])), (x, np.arange(4.0)))
    yield Case("setitem", _written((slice(None), 1)), (plain((0, 3), F64), np.asarray(1.0)))


def _written(key: Any) -> Function:
    """Write into a copy through `key`, whose arrays become arrays of the namespace."""

    def function(xp: Any, x: Any, value: Any) -> Any:
        x = xp.asarray(x, copy=True)
        entries = key if isinstance(key, tuple) else (key,)
        x[tuple(xp.asarray(e) if isinstance(e, np.ndarray) else e for e in entries)] = value
        return x

    return function


def _reductions() -> Iterator[Case]:
    every: tuple[dict[str, Any], ...] = (
        {},
        {"axis": 0},
        {"axis": (0, -1)},
        {"axis": 1, "keepdims": True},
        {"axis": ()},
        {"keepdims": True},
    )
    for names, category, extra in (
        ("sum prod", "numeric", [{}, {"dtype": C128}]),
        ("max min", "real numeric", [{}]),
        ("mean", "floating-point", [{}]),
        ("std var", "real floating-point", [{}, {"correction": 1.5}]),
        ("all any count_nonzero", "all", [{}]),
    ):
        for name, dtype, more, params in itertools.product(names.split(), _of(category), extra, every):
            if not (name == "count_nonzero" and params.get("axis") == ()):
                x = plain((2, 3, 4), dtype)
                yield Case(name, _call(name, **params, **more), (x,))
        for name, dtype in itertools.product(names.split(), _of(category)):
            if dtype.kind in "fc" and name != "prod":
                yield Case(name, _call(name, axis=0), (special((3, 5), dtype),))
            if name not in ("max", "min", "mean", "std", "var"):
                yield Case(name, _call(name, axis=0), (plain((0, 3), dtype),))
                yield Case(name, _call(name), (plain((), dtype),))
            yield Case(name, _call(name, axis=1), (plain((0, 3), dtype),))
    for name, dtype in itertools.product(("argmax", "argmin"), _of("real numeric")):
        for shape, params in (
            ((3, 4), {}),
            ((3, 4), {"axis": 0}),
            ((2, 3, 4), {"axis": -1, "keepdims": True}),
            ((2, 2), {"keepdims": True}),
            ((0, 3), {"axis": 1}),
            ((), {}),
        ):
            yield Case(name, _call(name, **params), (plain(shape, dtype),))
        if dtype.kind == "f":
            yield Case(name, _call(name, axis=0), (special((4, 6), dtype),))
            yield Case(name, _call(name), (np.full((4, 4), np.inf, dtype),))
    yield Case("argmax", _call("argmax"), (np.array([[0, 7], [7, 7]]),))


def _scans() -> Iterator[Case]:
    for name, dtype in itertools.product(("cumulative_sum", "cumulative_prod"), _of("numeric")):
        yield Case(name, _call(name, axis=1), (plain((2, 4), dtype),))
        yield Case(name, _call(name, axis=0, include_initial=True), (plain((3, 2), dtype),))
        yield Case(name, _call(name, include_initial=True), (plain((0,), dtype),))
    for dtype in _of("numeric"):
        for n in (1, 2, 7):
            yield Case("diff", _call("diff", n=n), (plain((2, 5), dtype),))
        yield Case("diff", lambda xp, x: xp.diff(x, axis=0, prepend=x[:1], append=x[:2]), (plain((3, 2), dtype),))


def _sorting() -> Iterator[Case]:
    for name, dtype, descending in itertools.product(("sort", "argsort"), _of("real numeric"), (False, True)):
        yield Case(name, _call(name, descending=descending), (plain((3, 6), dtype),))
        yield Case(name, _call(name, axis=0, descending=descending), (plain((5, 2), dtype),))
        yield Case(name, _call(name, descending=descending), (plain((0,), dtype),))
        if dtype.kind == "f" and not descending:
            yield Case(name, _call(name), (special((2, 7), dtype),))
    for name, dtype in itertools.product(("unique_all", "unique_counts", "unique_inverse", "unique_values"), SOME):
        yield Case(name, _call(name), (plain((3, 4), dtype),))
        yield Case(name, _call(name), (plain((0, 2), dtype),))
        yield Case(name, _call(name), (plain((), dtype),))
    for side, dtype in itertools.product(("left", "right"), (I64, F32, U8)):
        edges = np.sort(plain((6,), dtype))
        yield Case("searchsorted", _call("searchsorted", side=side), (edges, plain((2, 3), dtype)))
        yield Case("searchsorted", _call("searchsorted", side=side), (edges, plain((), dtype)))
        yield Case("searchsorted", _call("searchsorted", side=side), (edges, plain((0,), dtype)))
        yield Case(
            "searchsorted",
            lambda xp, x, v, order, side=side: xp.searchsorted(x, v, side=side, sorter=order),
            (edges[::-1].copy(), plain((4,), dtype), np.arange(6)[::-1].copy()),
        )
    for dtype, invert in itertools.product(_of("integer"), (False, True)):
        yield Case("isin", _call("isin", invert=invert), (plain((2, 4), dtype), plain((2,), dtype)))
        yield Case("isin", _call("isin", invert=invert), (plain((0,), dtype), plain((2, 1), dtype)))
    for dtype in SOME:
        yield Case("nonzero", _call("nonzero"), (plain((3, 4), dtype),))
        yield Case("nonzero", _call("nonzero"), (np.zeros((2, 2), dtype),))


def _square(dtype: np.dtype[Any], shape: tuple[int, ...] = (3, 3)) -> np.ndarray[Any, Any]:
    """Well-conditioned matrices, Hermitian and positive definite."""
    x = plain(shape, dtype)
    return (x @ np.conj(np.swapaxes(x, -1, -2)) + 20 * np.eye(shape[-1])).astype(dtype)


def _linear_algebra() -> Iterator[Case]:
    for dtype in _of("numeric"):
        for one, two in (
            ((2, 3), (3, 4)),
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((3,), (3, 2)),
            ((5, 2, 3), (3, 2)),
            ((2, 1, 2, 3), (4, 3, 1)),
            ((0, 3), (3, 2)),
            ((2, 0), (0, 3)),
        ):
            yield Case("matmul", _call("matmul"), (plain(one, dtype), plain(two, dtype)))
        x, y = plain((2, 3, 4), dtype), plain((4, 3, 2), dtype)
        for axes in (0, 1, ((0, 1), (2, 1)), ((2, 0), (0, 2)), ((0, 1, 2), (2, 1, 0))):
            yield Case("tensordot", _call("tensordot", axes=axes), (x, y))
        yield Case("vecdot", _call("vecdot"), (x, x[0]))
        yield Case("vecdot", _call("vecdot", axis=-2), (x, x[:1]))
        yield Case("linalg.outer", _call("linalg.outer"), (plain((3,), dtype), plain((4,), dtype)))
        yield Case("linalg.cross", _call("linalg.cross"), (plain((2, 3), dtype), plain((3,), dtype)))
        yield Case("linalg.cross", _call("linalg.cross", axis=-2), (plain((3, 2), dtype), plain((3, 1), dtype)))
        for offset in (-1, 0, 2):
            yield Case("linalg.trace", _call("linalg.trace", offset=offset), (x,))
    for dtype in _of("floating-point"):
        x, stack = _square(dtype), np.stack([_square(dtype), 2 * _square(dtype)])
        wide = plain((2, 3, 4), dtype)
        for n in (-2, 0, 1, 3):
            yield Case("linalg.matrix_power", _power(n), (stack,))
        for order, keepdims in itertools.product(("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf), (False, True)):
            yield Case("linalg.matrix_norm", _call("linalg.matrix_norm", ord=order, keepdims=keepdims), (wide,))
        for order in (0, 1, 2, 3.5, -1, np.inf, -np.inf):
            yield Case("linalg.vector_norm", _call("linalg.vector_norm", ord=order), (wide,))
            yield Case("linalg.vector_norm", _call("linalg.vector_norm", ord=order, axis=1), (np.abs(wide) + 1,))
            yield Case(
                "linalg.vector_norm", _call("linalg.vector_norm", ord=order, axis=(0, 2), keepdims=True), (wide,)
            )
        yield Case("linalg.vector_norm", _call("linalg.vector_norm", axis=()), (wide,))
        for group, function in {
            "linalg.cholesky": lambda xp, x: (xp.linalg.cholesky(x), xp.linalg.cholesky(x, upper=True)),
            "linalg.det": lambda xp, x: xp.linalg.det(x),
            "linalg.inv": lambda xp, x: xp.linalg.inv(x),
            "linalg.slogdet": lambda xp, x: tuple(xp.linalg.slogdet(x)),
            "linalg.solve": lambda xp, x: (xp.linalg.solve(x, x[..., :2]), xp.linalg.solve(x, x[..., :, :1] * 2)),
            "linalg.eigh": lambda xp, x: _rebuilt(xp, *xp.linalg.eigh(x)),
            "linalg.eigvalsh": lambda xp, x: xp.linalg.eigvalsh(x),
        }.items():
            yield Case(group, function, (x,))
            yield Case(group, function, (stack,))
        yield Case("linalg.solve", lambda xp, x, b: xp.linalg.solve(x, b), (x, plain((3,), dtype)))
        for group, function in {
            "linalg.qr": lambda xp, x: [q @ r for q, r in map(xp.linalg.qr, (x, x.mT))],
            "linalg.svd": lambda xp, x: _product(xp, *xp.linalg.svd(x, full_matrices=False)),
            "linalg.svdvals": lambda xp, x: (xp.linalg.svdvals(x), xp.linalg.svd(x)[1]),
            "linalg.pinv": lambda xp, x: (xp.linalg.pinv(x), xp.linalg.pinv(x, rtol=0.2)),
            "linalg.matrix_rank": lambda xp, x: (xp.linalg.matrix_rank(x), xp.linalg.matrix_rank(x, rtol=0.5)),
        }.items():
            yield Case(group, function, (np.swapaxes(stack, 0, 1)[..., :2] + plain((3, 2, 2), dtype),))
        rtol = np.array([0.5, 0.001], dtype.type(0).real.dtype)
        yield Case("linalg.pinv", lambda xp, x, r: xp.linalg.pinv(x, rtol=r), (stack, rtol))
        yield Case("linalg.matrix_rank", lambda xp, x, r: xp.linalg.matrix_rank(x, rtol=r), (stack, rtol))
        ascending = np.triu(plain((3, 3), dtype)) + np.diag([10, 20, 30]).astype(dtype)
        yield Case("linalg.eigvals", lambda xp, x: xp.linalg.eigvals(x), (ascending,))
        yield Case("linalg.eig", lambda xp, x: _residual(xp, x, *xp.linalg.eig(x)), (ascending,))
        yield Case("linalg.qr", lambda xp, x: xp.linalg.qr(x, mode="complete")[0].shape[-1] * x, (wide,))


def _power(n: int) -> Function:
    return lambda xp, x: xp.linalg.matrix_power(x, n)


def _rebuilt(xp: Any, values: Any, vectors: Any) -> Any:
    return values, _scaled(xp, vectors, values) @ xp.matrix_transpose(xp.conj(vectors))


def _scaled(xp: Any, vectors: Any, values: Any) -> Any:
    return vectors * xp.astype(values, vectors.dtype)[..., None, :]


def _product(xp: Any, u: Any, s: Any, vh: Any) -> Any:
    return _scaled(xp, u, s) @ vh


def _residual(xp: Any, x: Any, values: Any, vectors: Any) -> Any:
    return values, xp.abs(xp.astype(x, vectors.dtype) @ vectors - vectors * values[..., None, :]) < 1e-3


def _fourier() -> Iterator[Case]:
    for dtype, norm in itertools.product((F32, F64, C64, C128), ("backward", "ortho", "forward")):
        x = plain((4, 5, 6), dtype)
        real = dtype.kind == "f"
        names = ["fft", "ifft", *(["rfft", "ihfft"] if real else ["irfft", "hfft"])]
        lengths: tuple[dict[str, Any], ...] = ({}, {"n": 4, "axis": 1}, {"n": 9, "axis": 0})
        for name, more in itertools.product(names, lengths):
            yield Case(f"fft.{name}", _call(f"fft.{name}", norm=norm, **more), (x,))
        names = ["fftn", "ifftn", *(["rfftn"] if real else ["irfftn"])]
        sides: tuple[dict[str, Any], ...] = ({}, {"s": (3, 8), "axes": (2, 0)}, {"axes": (1,)})
        for name, more in itertools.product(names, sides):
            yield Case(f"fft.{name}", _call(f"fft.{name}", norm=norm, **more), (x,))


def _of_other_data_types() -> Iterator[Case]:
    for dtype in (d for d in DTYPES if d not in SOME):
        x, rows = plain((3, 4), dtype), np.array([2, 0, -1])
        for group, function in {
            "full": lambda xp, x: (xp.full((2, 3), 1, dtype=x.dtype), xp.zeros((), dtype=x.dtype)),
            "eye": lambda xp, x: xp.eye(3, dtype=x.dtype),
            "tril": lambda xp, x: xp.tril(x),
            "triu": lambda xp, x: xp.triu(x, k=1),
            "where": lambda xp, x: xp.where(x != x[:, :1], x, xp.flip(x)),
            "astype": lambda xp, x: [xp.astype(x, to) for to in ((C128,) if x.dtype.kind == "c" else (F64, I8, C64))],
            "permute_dims": lambda xp, x: x.mT,
            "reshape": lambda xp, x: xp.reshape(x.mT, (2, 6)),
            "expand_dims": lambda xp, x: xp.expand_dims(x, axis=1),
            "squeeze": lambda xp, x: xp.squeeze(x[:1], axis=0),
            "flip": lambda xp, x: xp.flip(x),
            "broadcast_to": lambda xp, x: xp.broadcast_to(x[:, :1], (2, 3, 4)),
            "concat": lambda xp, x: xp.concat([x, x[::-1]]),
            "stack": lambda xp, x: xp.stack([x, x[::-1]], axis=1),
            "roll": lambda xp, x: xp.roll(x, 1, axis=1),
            "repeat": lambda xp, x: xp.repeat(x, 2, axis=1),
            "tile": lambda xp, x: xp.tile(x, (2, 1)),
            "linalg.diagonal": lambda xp, x: xp.linalg.diagonal(x),
            "getitem": lambda xp, x: (x[1], x[::-2, 1:]),
            "unique_all": lambda xp, x: xp.unique_all(x),
            "unique_counts": lambda xp, x: xp.unique_counts(x),
            "unique_inverse": lambda xp, x: xp.unique_inverse(x),
            "unique_values": lambda xp, x: xp.unique_values(x),
            "nonzero": lambda xp, x: xp.nonzero(x),
        }.items():
            yield Case(group, function, (x,))
        yield Case("gather", lambda xp, x, rows: (x[rows], x[x != 0]), (x, rows))
        yield Case("take", _call("take", axis=1), (x, rows))
        yield Case("take_along_axis", _call("take_along_axis", axis=1), (x, np.argsort(x, axis=1)))
        yield Case("setitem", _written((slice(None), 1)), (x, x[:, 2]))
        yield Case("scatter", _written(rows), (x, x[::-1]))
        if dtype.kind in "iuf":
            yield Case("arange", lambda xp, dtype=dtype: xp.arange(2, 9, 3, dtype=dtype), ())
            yield Case("searchsorted", _call("searchsorted"), (np.sort(x[0]), x))


def cases() -> list[Case]:
    """Every case."""
    return list(
        itertools.chain(
            _elementwise(),
            _creation(),
            _movement(),
            _indexing(),
            _reductions(),
            _scans(),
            _sorting(),
            _linear_algebra(),
            _fourier(),
            _of_other_data_types(),
        )
    )
