"""What the calls are made of: data types, shapes, special and ordinary values, awkward memory layouts.

An array's values are drawn as bytes, each an index into a pool of 256 values of its dtype: one draw for an array, half
of it special values, and examples shrink towards zeros.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import array_api_strict as strict
import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
DType = np.dtype[Any]
NDArray = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def examples(count: int) -> settings:
    """`count` examples, always the same ones; LAZYXP_EXAMPLES=1000 tries so many others instead."""
    more = int(os.environ.get("LAZYXP_EXAMPLES", "0"))
    return settings(
        max_examples=more or count,
        derandomize=not more,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


# --- data types ------------------------------------------------------------------------------------------------------

# The first of each kind is what examples shrink to.
BOOLEAN = (np.dtype("bool"),)
SIGNED = tuple(np.dtype(f"int{n}") for n in (64, 8, 16, 32))
UNSIGNED = tuple(np.dtype(f"uint{n}") for n in (64, 8, 16, 32))
REAL_FLOATING = (np.dtype("float64"), np.dtype("float32"))
COMPLEX_FLOATING = (np.dtype("complex128"), np.dtype("complex64"))
INTEGER = SIGNED + UNSIGNED
FLOATING = REAL_FLOATING + COMPLEX_FLOATING
REAL = REAL_FLOATING + INTEGER
NUMERIC = REAL + COMPLEX_FLOATING
ALL = NUMERIC + BOOLEAN
CATEGORIES = {
    "all": ALL,
    "numeric": NUMERIC,
    "real numeric": REAL,
    "integer": INTEGER,
    "integer or boolean": INTEGER + BOOLEAN,
    "boolean": BOOLEAN,
    "floating-point": FLOATING,
    "real floating-point": REAL_FLOATING,
    "complex floating-point": COMPLEX_FLOATING,
}
STRICT_DTYPES = {d: getattr(strict, d.name) for d in ALL}
NUMPY_DTYPES = {v: k for k, v in STRICT_DTYPES.items()}


@functools.cache
def promoted(*dtypes: DType) -> DType | None:
    """What the standard promotes `dtypes` to, None where it does not say."""
    try:
        return NUMPY_DTYPES[strict.result_type(*[STRICT_DTYPES[d] for d in dtypes])]
    except TypeError:
        return None


@functools.cache
def partners(dtype: DType, among: tuple[DType, ...] = ALL, result: DType | None = None) -> tuple[DType, ...]:
    """The dtypes that the standard promotes together with `dtype` (to `result`, if that is given)."""
    found = {p: promoted(dtype, p) for p in among}
    fitting = [p for p, common in found.items() if common is not None and (result is None or common == result)]
    return tuple(sorted(fitting, key=lambda p: p != dtype))


# --- values ----------------------------------------------------------------------------------------------------------

_RANDOM = np.random.default_rng(2025)


def _floats(dtype: DType, kind: str) -> list[float]:
    """Special values first, then as many ordinary ones."""
    limits = np.finfo(dtype)
    tiny, normal, eps = float(limits.smallest_subnormal), float(limits.smallest_normal), float(limits.eps)
    special = [0.0, 1.0, -1.0, 2.0, 0.5, -0.0, -0.5, 1.5, -1.5, 2.5, -2.5, 3.0, -3.0, 0.1, 7.25, 100.0]
    if kind != "finite":
        special += [np.nan, np.inf, -np.inf]
    if kind == "any":
        special = [*special[:6], *special[-3:], *special[6:-3]]
        special += [np.pi, np.e, -np.pi / 2, 1 + eps, 1 - eps / 2, 1e10, -1e-10, 89.5, -104.5, 710.5, -746.5]
        special += [tiny, -tiny, normal, -normal, 3 * tiny, float(limits.max), -float(limits.max), 2 / eps, -2 / eps]
    scale = 6 if kind == "any" else 1
    ordinary = _RANDOM.standard_normal(128) * 10.0 ** _RANDOM.uniform(-scale, scale, 128)
    return [*np.resize(special, 128), *ordinary]


def _integers(dtype: DType, kind: str) -> list[int]:
    limits = np.iinfo(dtype)
    low, high = int(limits.min), int(limits.max)
    if kind != "any":
        return [n for n in np.resize([0, 1, -1, 2, -2, 3, 5, -7, 4, 10, -10], 256).tolist() if n >= low]
    special = [0, 1, -1, 2, -2, 3, low, high, low + 1, high - 1, 7, -7, 10, 100, high // 2, low // 2]
    return [*[n for n in special if n >= low] * 8, *_RANDOM.integers(low, high, 128, dtype, endpoint=True).tolist()]


def _complexes(dtype: DType, kind: str) -> list[complex]:
    part = np.dtype(f"float{dtype.itemsize * 4}")
    if kind == "finite":
        special = [0.0, 1.0, -1.0, 0.5, -2.0, -0.0]
    else:
        special = [0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, -0.0, 2.5]
    pairs = [(a, b) for b in special for a in special]
    pairs += zip(_floats(part, "finite")[64:], _floats(part, "finite")[:64:-1], strict=False)
    result = np.empty(len(pairs), dtype)
    result.real, result.imag = np.array(pairs).T
    return result.tolist()


@functools.cache
def pool(dtype: DType, kind: str) -> NDArray:
    """256 values of `dtype`, the simplest ones first.

    `kind` is "any"; "moderate" for values whose sums neither overflow nor lose everything; "finite" for moderate ones
    without NaN and infinities; "factor" for values whose products stay in range; "count" for small natural numbers.
    """
    if kind == "count":
        values: list[Any] = [0, 1, 2, 3, 7, 8, 31, 5, 63, 64, 70]
    elif kind == "factor":
        values = [1, 2, -1, 0, *[1.5, -1.25, -0.0, 0.7, -0.6] * (dtype.kind in "fc")]
        values += {"f": [np.nan, np.inf, -np.inf], "c": [1j, -0.5j, 0.6 - 0.8j]}.get(dtype.kind, [])
        values = [v for v in values if dtype.kind != "u" or v >= 0]
    elif dtype.kind == "b":
        values = [False, True]
    else:
        values = {"f": _floats, "i": _integers, "u": _integers, "c": _complexes}[dtype.kind](dtype, kind)
    with np.errstate(over="ignore"):
        result = np.resize(np.array(values, dtype), 256)
    if kind == "moderate" and dtype.kind in "fc":
        # NaN and infinities swallow sums: few of them.
        wild = np.flatnonzero(~np.isfinite(result))[6:]
        result[wild] = np.resize(result[np.isfinite(result)], wild.size)
    return result


def values(draw: Draw, dtype: DType, shape: Shape, kind: str = "any") -> NDArray:
    """A plain array of `shape` and `dtype` with values from a pool."""
    size = int(np.prod(shape))
    chosen = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
    return pool(dtype, kind)[chosen].reshape(shape)


def scalar(draw: Draw, dtype: DType, kind: str = "any") -> Any:
    """A Python scalar that an array of `dtype` may meet, and keep its dtype."""
    value = values(draw, dtype, (), kind).item()
    if dtype.kind in "fc" and draw(st.booleans()):
        return draw(st.integers(-9, 9))
    if dtype.kind == "c" and draw(st.booleans()):
        return value.real
    return value


# --- shapes ----------------------------------------------------------------------------------------------------------

# Long ones pass the edges of blocks and of vector registers.
_SIDES = st.sampled_from((2, 3, 1, 4, 0, 2, 5, 1, 3, 2))
_LONG: Sequence[Shape] = ((17,), (131,), (9, 33))


def shapes(least: int = 0, most: int = 3, side: st.SearchStrategy[int] = _SIDES) -> st.SearchStrategy[Shape]:
    """Shapes of `least` to `most` dimensions; 0-d, empty and size-1 axes included."""
    short = st.lists(side, min_size=least, max_size=most).map(tuple)
    long = [s for s in _LONG if least <= len(s) <= most] if side is _SIDES else []
    return st.one_of(short, short, short, st.sampled_from(long)) if long else short


def broadcastable(draw: Draw, count: int, result: Shape | None = None) -> list[Shape]:
    """`count` shapes that broadcast together, to `result` if given."""
    shape = draw(shapes()) if result is None else result
    found = []
    for _ in range(count):
        how = draw(st.integers(0, 5))
        if how < 3:
            found.append(shape)
        elif how == 3:
            found.append(shape[draw(st.integers(0, len(shape))) :])
        else:
            kept = draw(st.lists(st.booleans(), min_size=len(shape), max_size=len(shape)))
            found.append(tuple(n if keep else 1 for n, keep in zip(shape, kept, strict=True)))
    return found


def axis(draw: Draw, ndim: int) -> int:
    """One of `ndim` axes, counted from the front or the back."""
    return int(draw(st.integers(-ndim, ndim - 1)))


def several(draw: Draw, ndim: int, least: int = 0) -> tuple[int, ...]:
    """Distinct axes in any order, counted from the front or the back."""
    chosen = draw(st.permutations(range(ndim)))[: draw(st.integers(least, ndim))]
    return tuple(i - ndim if draw(st.booleans()) else i for i in chosen)


def axes(draw: Draw, ndim: int) -> int | tuple[int, ...] | None:
    """None, one axis or a tuple of axes."""
    which = draw(st.sampled_from(("none", "several", "one") if ndim else ("none", "several")))
    return None if which == "none" else axis(draw, ndim) if which == "one" else several(draw, ndim)


# --- memory layouts --------------------------------------------------------------------------------------------------


def _transposed(x: NDArray) -> NDArray:
    return np.ascontiguousarray(np.swapaxes(x, 0, -1)).swapaxes(0, -1) if x.ndim > 1 else x


def _reversed(x: NDArray) -> NDArray:
    return np.flip(np.ascontiguousarray(np.flip(x)).reshape(x.shape))


def _sliced(x: NDArray) -> NDArray:
    buffer = np.zeros(tuple(2 * n + 1 for n in x.shape), x.dtype)
    window = buffer[(*[slice(1, None, 2)] * x.ndim, ...)]
    window[...] = x
    return window


def _read_only(x: NDArray) -> NDArray:
    x = x.copy()
    x.flags.writeable = False
    return x


def _unaligned(x: NDArray) -> NDArray:
    return np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape) if x.size else x


LAYOUTS: dict[str, Callable[[NDArray], NDArray]] = {
    "plain": lambda x: x,
    "transposed": _transposed,
    "reversed": _reversed,
    "sliced": _sliced,
    "Fortran order": np.asfortranarray,
    "read-only": _read_only,
    "unaligned": _unaligned,
    "swapped bytes": lambda x: x.astype(x.dtype.newbyteorder()),
}
_LAYOUT = st.sampled_from(("plain", "plain", *LAYOUTS))


def laid_out(draw: Draw, x: NDArray) -> NDArray:
    """`x` in a memory layout of its own."""
    x = np.asarray(x)
    result = np.asarray(LAYOUTS[draw(_LAYOUT)](x))  # flip makes scalars of 0-d arrays
    return result if result.shape == x.shape else x  # and asfortranarray makes them 1-d


def array(draw: Draw, dtypes: Sequence[DType], shape: Shape, kind: str = "any") -> NDArray:
    """An array of one of `dtypes` in any layout."""
    return laid_out(draw, values(draw, draw(st.sampled_from(dtypes)), shape, kind))
