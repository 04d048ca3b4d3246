"""Rows of the creation and data type functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import array_api_strict as strict
import numpy as np
from hypothesis import strategies as st

from tests.differential.calls import Call, Raw, Row, row
from tests.differential.compare import exact, kind_only, scaled
from tests.differential.strategies import (
    ALL,
    COMPLEX_FLOATING,
    FLOATING,
    INTEGER,
    REAL_FLOATING,
    Draw,
    DType,
    NDArray,
    array,
    laid_out,
    partners,
    promoted,
    scalar,
    shapes,
    values,
)

MAYBE_DTYPE = st.sampled_from((None, *ALL))
FINFO = ("bits", "eps", "max", "min", "smallest_normal", "dtype")
IINFO = ("bits", "max", "min", "dtype")
KINDS = ("bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric")


def with_dtype(draw: Draw, choices: st.SearchStrategy[DType | None] = MAYBE_DTYPE) -> dict[str, Any]:
    """The `dtype` keyword, or none."""
    dtype = draw(choices)
    return {} if dtype is None else {"dtype": dtype}


def shaped(draw: Draw) -> Call:
    """Draws calls such as ``zeros((2, 3), dtype=...)``."""
    shape = draw(shapes())
    return Call((shape[0] if len(shape) == 1 and draw(st.booleans()) else shape,), with_dtype(draw))


def like(draw: Draw) -> Call:
    """Draws calls such as ``zeros_like(x, dtype=...)``."""
    return Call((array(draw, ALL, draw(shapes())),), with_dtype(draw))


def fill(draw: Draw, dtype: DType) -> Any:
    """A fill value that `dtype` can hold, of its own kind or a lower one."""
    return scalar(draw, dtype)


def full(draw: Draw) -> Call:
    """Draws fill values of every type, with and without a dtype."""
    dtype = draw(st.sampled_from(ALL))
    value = fill(draw, dtype)
    if draw(st.booleans()):
        return Call((draw(shapes()), value), {"dtype": dtype})
    return Call((draw(shapes()), value if np.iinfo(np.int64).max >= abs(value) or type(value) is not int else 7))


def full_like(draw: Draw) -> Call:
    """Draws fill values that the dtype of x, or the one given, can hold."""
    x = array(draw, ALL, draw(shapes()))
    keywords = with_dtype(draw)
    return Call((x, fill(draw, keywords.get("dtype", x.dtype.newbyteorder("=")))), keywords)


def arange(draw: Draw) -> Call:
    """Draws integer and fractional ranges, empty and descending ones included."""
    whole = draw(st.booleans())
    numbers: st.SearchStrategy[Any] = st.integers(-20, 20)
    steps: st.SearchStrategy[Any] = st.integers(1, 7)
    if not whole:
        numbers = st.one_of(numbers, numbers.map(lambda n: n * 0.75))
        steps = st.one_of(steps, steps.map(lambda n: n * 0.3))
    start, stop, step = draw(numbers), draw(numbers), draw(steps)
    low = min(start, stop, 0)
    dtypes = [d for d in (*REAL_FLOATING, *(INTEGER if whole else ())) if d.kind != "u" or low >= 0]
    keywords = with_dtype(draw, st.sampled_from((None, *dtypes)))
    form = draw(st.sampled_from((1, 2, 3)))
    step = -step if start > stop else step
    if form == 3 and step < 0 and "dtype" in keywords and keywords["dtype"].kind == "u":
        keywords = {}
    return Call((stop,) if form == 1 else (start, stop) if form == 2 else (start, stop, step), keywords)


def linspace(draw: Draw) -> Call:
    """Draws real and complex ends."""
    dtype = draw(st.sampled_from(FLOATING))
    ends = [values(draw, dtype, (), "finite").item() if draw(st.booleans()) else draw(st.integers(-5, 5)) for _ in "ab"]
    is_complex = any(isinstance(e, complex) for e in ends)
    choices = st.sampled_from((None, *(COMPLEX_FLOATING if is_complex else FLOATING)))
    keywords = {**with_dtype(draw, choices), "endpoint": draw(st.booleans())}
    return Call((*ends, draw(st.sampled_from((5, 0, 1, 2, 50)))), keywords)


def eye(draw: Draw) -> Call:
    """Draws square and other matrices, with diagonals inside and outside of them."""
    sides = [draw(st.integers(0, 4)) for _ in range(draw(st.integers(1, 2)))]
    return Call(tuple(sides), {**with_dtype(draw), "k": draw(st.integers(-5, 5))})


def triangle(draw: Draw) -> Call:
    """Draws stacks of matrices."""
    return Call((array(draw, ALL, draw(shapes(2))),), {"k": draw(st.integers(-4, 4))})


def meshgrid(draw: Draw) -> Call:
    """Draws vectors of one dtype."""
    dtype = draw(st.sampled_from(ALL))
    count = draw(st.integers(1, 3))
    vectors = [laid_out(draw, values(draw, dtype, (draw(st.integers(0, 4)),))) for _ in range(count)]
    return Call(tuple(vectors), {"indexing": draw(st.sampled_from(("xy", "ij")))})


def nested(draw: Draw, dtype: DType, shape: tuple[int, ...]) -> Any:
    """Python scalars of one type in nested lists and tuples, or one scalar."""
    items = values(draw, dtype, shape).tolist()
    return tuple(items) if isinstance(items, list) and draw(st.booleans()) else items


def asarray(draw: Draw) -> Call:
    """Draws arrays of the namespace, NumPy arrays, scalars and nested sequences."""
    form = draw(st.sampled_from(("array", "numpy", "sequence")))
    if form != "sequence":
        x = array(draw, ALL, draw(shapes()))
        keywords = {"copy": draw(st.sampled_from((None, True)))}
        dtype = x.dtype.newbyteorder("=")
        if draw(st.booleans()):
            keywords["dtype"] = draw(st.sampled_from([d for d in ALL if np.can_cast(dtype, d)]))
        elif form == "numpy":
            x = x.astype(dtype)  # array_api_strict has no swapped bytes
        return Call((Raw(x) if form == "numpy" else x,), keywords)
    kinds = (np.dtype("int64"), np.dtype("float64"), np.dtype("complex128"), np.dtype("bool"))
    dtype = draw(st.sampled_from(kinds))
    shape = draw(shapes(0, 3, st.integers(1, 3)))
    given = draw(st.sampled_from([None, *[d for d in ALL if d.kind == dtype.kind and d.itemsize >= dtype.itemsize]]))
    return Call((nested(draw, dtype, shape),), {} if given is None else {"dtype": given})


def from_dlpack(draw: Draw) -> Call:
    """Draws NumPy arrays in native byte order."""
    x = values(draw, draw(st.sampled_from(ALL)), draw(shapes()))
    return Call((Raw(np.asfortranarray(x) if draw(st.booleans()) and x.ndim else x),), draw_copy(draw))


def draw_copy(draw: Draw) -> dict[str, Any]:
    """The `copy` keyword, or none."""
    copy = draw(st.sampled_from(("unsaid", None, True)))
    return {} if copy == "unsaid" else {"copy": copy}


def castable(draw: Draw, dtype: DType, target: DType, shape: tuple[int, ...]) -> NDArray:
    """Values whose cast the standard defines: floats become integers only inside their range."""
    if dtype.kind == "f" and target.kind in "iu":
        return np.asarray(np.abs(values(draw, dtype, shape, "finite")))
    return values(draw, dtype, shape)


def astype(draw: Draw) -> Call:
    """Draws every cast but those from complex to real dtypes, which the standard does not permit."""
    dtype, target = draw(st.sampled_from(ALL)), draw(st.sampled_from(ALL))
    if dtype.kind == "c" and target.kind not in "cb":
        dtype, target = target, dtype
    x = laid_out(draw, castable(draw, dtype, target, draw(shapes())))
    return Call((x, target), {} if draw(st.booleans()) else {"copy": draw(st.booleans())})


def cast(xp: Any, x: Any, dtype: Any, **keywords: Any) -> Any:
    """The cast; array_api_strict refuses booleans of complex numbers, where "0 + 0j must cast to False"."""
    if xp is strict and dtype == xp.bool and xp.isdtype(x.dtype, "complex floating"):
        return x != 0
    return xp.astype(x, dtype, **keywords)


def dtype_or_array(draw: Draw, dtype: DType) -> Any:
    """`dtype` itself, or an array of it."""
    return dtype if draw(st.booleans()) else laid_out(draw, values(draw, dtype, draw(shapes())))


def can_cast(draw: Draw) -> Call:
    """Draws dtypes that promote together: whether others can be cast the standard leaves open."""
    dtype = draw(st.sampled_from(ALL))
    return Call((dtype_or_array(draw, dtype), draw(st.sampled_from(partners(dtype)))))


def result_type(draw: Draw) -> Call:
    """Draws arrays, dtypes and Python scalars that promote together."""
    common = draw(st.sampled_from(ALL))
    dtypes = [common]
    for _ in range(draw(st.integers(0, 3))):
        dtypes.append(draw(st.sampled_from(partners(common))))
        common = promoted(common, dtypes[-1]) or common
    scalars = [scalar(draw, common) for _ in range(draw(st.integers(0, 2)))]
    arguments = [*[dtype_or_array(draw, d) for d in dtypes], *scalars]
    return Call(tuple(draw(st.permutations(arguments))))


def isdtype(draw: Draw) -> Call:
    """Draws kinds by name, by dtype and in tuples."""
    kind = st.one_of(st.sampled_from(KINDS), st.sampled_from(ALL))
    kinds = draw(st.one_of(kind, st.lists(kind, max_size=3).map(tuple)))
    return Call((draw(st.sampled_from(ALL)), kinds))


def limits(name: str, fields: tuple[str, ...]) -> Callable[..., Any]:
    """Calls `finfo` or `iinfo`, and gives what the standard says that the result has."""
    return lambda xp, x: tuple(getattr(getattr(xp, name)(x), field) for field in fields)


def dtypes_of(category: tuple[DType, ...]) -> Callable[[Draw], Call]:
    """Draws a dtype of a category, or an array of it."""
    return lambda draw: Call((dtype_or_array(draw, draw(st.sampled_from(category))),))


def rows() -> Iterator[Row]:
    """The creation and data type functions."""
    for name in ("zeros", "ones"):
        yield row(name, shaped)
        yield row(f"{name}_like", like)
    yield row("empty", shaped, kind_only)
    yield row("empty_like", like, kind_only)
    yield row("full", full)
    yield row("full_like", full_like)
    yield row("arange", arange, scaled(2, lambda *args, **keywords: 60))
    yield row("linspace", linspace, scaled(4, lambda start, stop, *args, **keywords: max(abs(start), abs(stop))))
    yield row("eye", eye)
    yield row("tril", triangle)
    yield row("triu", triangle)
    yield row("meshgrid", meshgrid)
    yield row("asarray", asarray)
    yield row("from_dlpack", from_dlpack)
    yield row("astype", astype, invoke=cast)
    yield row("can_cast", can_cast)
    yield row("result_type", result_type)
    yield row("isdtype", isdtype)
    yield row("finfo", dtypes_of(FLOATING), exact, limits("finfo", FINFO))
    yield row("iinfo", dtypes_of(INTEGER), exact, limits("iinfo", IINFO))
