"""Rows of the statistical, searching, sorting, set and utility functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.differential.calls import Call, Row, row
from tests.differential.compare import (
    Compare,
    either_zero,
    exact,
    largest,
    same_kind,
    same_values,
    scaled,
)
from tests.differential.corrections import CORRECTIONS
from tests.differential.elementwise import fitting_scalar
from tests.differential.strategies import (
    ALL,
    CATEGORIES,
    FLOATING,
    INTEGER,
    NUMERIC,
    REAL,
    REAL_FLOATING,
    Draw,
    DType,
    NDArray,
    array,
    axes,
    axis,
    broadcastable,
    laid_out,
    partners,
    scalar,
    shapes,
    values,
)

# --- reductions and scans --------------------------------------------------------------------------------------------

_FEW = st.sampled_from((2, 3, 1, 4, 0, 2, 3))


def filled(draw: Draw, along: Callable[[Draw, int], Any], x: NDArray) -> tuple[NDArray, Any]:
    """`x` and axes of it; with an element in the place of none, as the largest of no elements does not exist."""
    which = along(draw, x.ndim)
    if x.size:
        return x, which
    return np.ones([max(n, 1) for n in x.shape], x.dtype), which


def reduction(category: tuple[DType, ...], kind: str = "any", **options: st.SearchStrategy[Any]) -> Any:
    """Draws axes, `keepdims` and other keywords."""

    def draw_call(draw: Draw) -> Call:
        x = array(draw, category, draw(shapes()), kind)
        keywords = {"axis": axes(draw, x.ndim), "keepdims": draw(st.booleans())}
        return Call((x,), {**keywords, **{name: draw(option) for name, option in options.items()}})

    return draw_call


def extremum(draw: Draw) -> Call:
    """Draws axes of arrays that are not empty."""
    x, which = filled(draw, axes, array(draw, REAL, draw(shapes())))
    return Call((x,), {"axis": which, "keepdims": draw(st.booleans())})


def position(draw: Draw) -> Call:
    """Draws one axis of an array that is not empty, or none."""
    one = lambda draw, ndim: axis(draw, ndim) if ndim and draw(st.booleans()) else None
    x, which = filled(draw, one, array(draw, REAL, draw(shapes())))
    return Call((x,), {"axis": which, "keepdims": draw(st.booleans())})


def accumulated(draw: Draw, kind: str) -> tuple[NDArray, dict[str, Any]]:
    """Numbers to add up or multiply, and the `dtype` keyword.

    Whatever the order, NaN and infinities give one result, as long as nothing overflows on the way and they are not
    multiplied as complex numbers. What becomes an integer is natural; integers may be any, as they wrap around.
    """
    dtype = draw(st.sampled_from(NUMERIC))
    target = draw(st.sampled_from((None, None, *NUMERIC)))
    if target is not None and dtype.kind == "c" and target.kind != "c":
        target = None
    result = dtype if target is None else target
    shape = draw(shapes(side=_FEW) if kind == "factor" else shapes())
    x = values(draw, dtype, shape, "any" if dtype.kind in "iu" and result.kind in "iu" else kind)
    if result.kind in "iuc" and dtype.kind == "f":
        x = np.asarray(np.abs(np.nan_to_num(x, posinf=2, neginf=1)))
    return x, {} if target is None else {"dtype": target}


def accumulation(kind: str) -> Callable[[Draw], Call]:
    """Draws calls of `sum` and `prod`."""

    def draw_call(draw: Draw) -> Call:
        x, keywords = accumulated(draw, kind)
        return Call((laid_out(draw, x),), {**keywords, "axis": axes(draw, x.ndim), "keepdims": draw(st.booleans())})

    return draw_call


def cumulative(kind: str) -> Callable[[Draw], Call]:
    """Draws calls of `cumulative_sum` and `cumulative_prod`."""

    def draw_call(draw: Draw) -> Call:
        x, keywords = accumulated(draw, kind)
        x = x if x.ndim else x.reshape(1)
        if x.ndim > 1 or draw(st.booleans()):
            keywords["axis"] = axis(draw, x.ndim)
        return Call((laid_out(draw, x),), {**keywords, "include_initial": draw(st.booleans())})

    return draw_call


def summed(x: NDArray, **keywords: Any) -> float:
    """How large the partial sums of `x` may become."""
    return largest(x) * max(x.size, 1)


def multiplied(got: list[Any], expected: list[Any], call: Call) -> None:
    """Within a rounding error for each factor."""
    scaled(4.0 * max(call.args[0].size, 1))(got, expected, call)


def squares(x: NDArray, **keywords: Any) -> float:
    """How large the squared deviations of `x` may become."""
    return largest(x) ** 2


def roots(got: list[Any], expected: list[Any], call: Call) -> None:
    """Standard deviations have the error of their squares."""
    same_kind(got[0], expected[0])
    finite = lambda x: np.where(np.isfinite(x), x * x, x).astype(x.dtype)
    scaled(64, squares)([finite(np.asarray(got[0]))], [finite(expected[0])], call)


def diff(draw: Draw) -> Call:
    """Draws orders, and what to put before and after."""
    dtype = draw(st.sampled_from(NUMERIC))
    shape = draw(shapes(1))
    along = axis(draw, len(shape))
    keywords: dict[str, Any] = {"axis": along, "n": draw(st.integers(0, 3))}
    for name in ("prepend", "append"):
        if draw(st.integers(0, 2)) == 2:
            edge = list(shape)
            edge[along] = draw(st.integers(0, 2))
            keywords[name] = laid_out(draw, values(draw, dtype, tuple(edge)))
    return Call((laid_out(draw, values(draw, dtype, shape)),), keywords)


# --- searching -------------------------------------------------------------------------------------------------------


def nonzero(draw: Draw) -> Call:
    """Draws arrays that are not 0-d."""
    return Call((array(draw, ALL, draw(shapes(1))),))


def searchsorted(draw: Draw) -> Call:
    """Draws sorted vectors, or unsorted ones with what sorts them."""
    dtype = draw(st.sampled_from(REAL))
    x = np.sort(values(draw, dtype, (draw(st.integers(0, 9)),)))
    keywords: dict[str, Any] = {"side": draw(st.sampled_from(("left", "right")))}
    if draw(st.booleans()):
        order = np.array(draw(st.permutations(range(x.size))), dtype=np.int64)
        x, sorter = x[order], np.argsort(order)
        keywords["sorter"] = laid_out(draw, sorter.astype(draw(st.sampled_from((np.int64, np.int32)))))
    if draw(st.integers(0, 3)) == 3:
        return Call((laid_out(draw, x), scalar(draw, dtype)), keywords)
    other = draw(st.sampled_from(partners(dtype, REAL)))
    return Call((laid_out(draw, x), laid_out(draw, values(draw, other, draw(shapes())))), keywords)


def where(draw: Draw) -> Call:
    """Draws two arrays, or an array and a Python scalar on either side."""
    condition, one, two = broadcastable(draw, 3)
    chosen = array(draw, CATEGORIES["boolean"], condition)
    dtype = draw(st.sampled_from(ALL))
    x1 = laid_out(draw, values(draw, dtype, one))
    if draw(st.booleans()):
        return Call((chosen, x1, array(draw, partners(dtype), two)))
    value = fitting_scalar(draw, "equal", dtype, False)
    return Call((chosen, x1, value) if draw(st.booleans()) else (chosen, value, x1))


# --- sorting and sets ------------------------------------------------------------------------------------------------


def ordering(draw: Draw) -> Call:
    """Draws axes and orders."""
    x = array(draw, REAL, draw(shapes(1)))
    keywords = {"axis": axis(draw, x.ndim), "descending": draw(st.booleans()), "stable": draw(st.booleans())}
    return Call((x,), {k: v for k, v in keywords.items() if draw(st.booleans())})


def sorted_alike(got: list[Any], expected: list[Any], call: Call) -> None:
    """Equal; without `stable`, zeros of both signs may be anywhere among each other."""
    (exact if call.keywords.get("stable", True) else either_zero)(got, expected, call)


def ordered_alike(got: list[Any], expected: list[Any], call: Call) -> None:
    """Equal; without `stable`, indices of equal elements may be in any order."""
    if call.keywords.get("stable", True):
        return exact(got, expected, call)
    same_kind(got[0], expected[0])
    along = call.keywords.get("axis", -1)
    x = call.args[0]
    taken = [np.take_along_axis(x, np.asarray(i), along) for i in (got[0], expected[0])]
    same_values(taken[0], taken[1], zeros=False)
    same_values(np.sort(got[0], axis=along), np.sort(expected[0], axis=along))
    return None


def isin(draw: Draw) -> Call:
    """Draws integers, one of them maybe a Python int."""
    dtype = draw(st.sampled_from(INTEGER))
    kind = draw(st.sampled_from(("any", "count", "moderate")))
    x1 = laid_out(draw, values(draw, dtype, draw(shapes()), kind))
    keywords = {"invert": draw(st.booleans())} if draw(st.booleans()) else {}
    if draw(st.integers(0, 3)) == 3:
        value = scalar(draw, dtype, kind)
        return Call((value, x1) if draw(st.booleans()) else (x1, value), keywords)
    return Call((x1, array(draw, partners(dtype, INTEGER), draw(shapes()), kind)), keywords)


def anything(draw: Draw) -> Call:
    """Draws one array of any dtype."""
    return Call((array(draw, ALL, draw(shapes())),))


def rows() -> Iterator[Row]:
    """The statistical, searching, sorting, set and utility functions."""
    sums = scaled(8, summed)
    yield row("max", extremum, either_zero)
    yield row("min", extremum, either_zero)
    yield row("sum", accumulation("moderate"), sums)
    yield row("prod", accumulation("factor"), multiplied)
    yield row("cumulative_sum", cumulative("moderate"), sums)
    yield row("cumulative_prod", cumulative("factor"), multiplied)
    yield row("mean", reduction(FLOATING, "moderate"), sums, correct=CORRECTIONS["mean"])
    correction = st.sampled_from((0, 1, 0.5, 2.0, 20))
    spread: tuple[tuple[str, Compare], ...] = (("std", roots), ("var", scaled(64, squares)))
    for name, compare in spread:
        draw_call = reduction(REAL_FLOATING, "moderate", correction=correction)
        yield row(name, draw_call, compare, correct=CORRECTIONS[name])
    yield row("all", reduction(ALL))
    yield row("any", reduction(ALL))
    yield row("count_nonzero", reduction(ALL))
    yield row("diff", diff, correct=CORRECTIONS["diff"])
    yield row("argmax", position)
    yield row("argmin", position)
    yield row("nonzero", nonzero)
    yield row("searchsorted", searchsorted)
    yield row("where", where)
    yield row("sort", ordering, sorted_alike, correct=CORRECTIONS["sort"])
    yield row("argsort", ordering, ordered_alike)
    yield row("isin", isin, correct=CORRECTIONS["isin"])
    # Whether -0.0 or 0.0 stands for both is unspecified.
    for name in ("unique_all", "unique_counts", "unique_inverse", "unique_values"):
        yield row(name, anything, either_zero)
