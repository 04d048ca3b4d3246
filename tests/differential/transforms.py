"""Rows of the Fourier transforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.differential.calls import Call, Row, row
from tests.differential.compare import exact, largest, scaled
from tests.differential.corrections import unless_0d
from tests.differential.strategies import (
    COMPLEX_FLOATING,
    FLOATING,
    REAL_FLOATING,
    Draw,
    DType,
    array,
    axes,
    axis,
    several,
    shapes,
)

NORMS = st.sampled_from(("backward", "ortho", "forward"))
_LENGTHS = st.integers(1, 9)
_SIDES = st.sampled_from((2, 1, 3, 5, 8))


def norm(draw: Draw) -> dict[str, str]:
    """The `norm` keyword, or none."""
    return {"norm": draw(NORMS)} if draw(st.booleans()) else {}


def one_dim(dtypes: tuple[DType, ...], least: int = 1) -> Callable[[Draw], Call]:
    """Draws an axis and maybe a number of points; without it, the axis is at least `least` long."""

    def draw_call(draw: Draw) -> Call:
        shape = list(draw(shapes(1)))
        along = axis(draw, len(shape))
        keywords = norm(draw)
        if along != -1 or draw(st.booleans()):
            keywords["axis"] = along
        if draw(st.booleans()):
            keywords["n"] = draw(_LENGTHS)
            shape[along] = max(shape[along], 1)
        else:
            shape[along] = max(shape[along], least)
        return Call((array(draw, dtypes, tuple(shape), "finite"),), keywords)

    return draw_call


def many_dims(dtypes: tuple[DType, ...], least: int = 1) -> Callable[[Draw], Call]:
    """Draws axes, and maybe a number of points for each."""

    def draw_call(draw: Draw) -> Call:
        shape = list(draw(shapes(1, 3, _SIDES)))
        keywords: dict[str, Any] = norm(draw)
        which = several(draw, len(shape), 1)
        if draw(st.booleans()):
            keywords["axes"] = which
            if draw(st.booleans()):
                keywords["s"] = tuple(draw(_LENGTHS) for _ in which)
        if "s" not in keywords:
            last = which[-1] if "axes" in keywords else -1
            shape[last] = max(shape[last], least)
        return Call((array(draw, dtypes, tuple(shape), "finite"),), keywords)

    return draw_call


def frequencies(draw: Draw) -> Call:
    """Draws numbers of points, spacings and dtypes."""
    keywords: dict[str, Any] = {}
    if draw(st.booleans()):
        keywords["d"] = draw(st.sampled_from((0.5, 2.0, 0.1, -1.0, 3)))
    if draw(st.booleans()):
        keywords["dtype"] = draw(st.sampled_from(REAL_FLOATING))
    return Call((draw(st.integers(1, 12)),), keywords)


def shift(draw: Draw) -> Call:
    """Draws no, one and several axes."""
    x = array(draw, FLOATING, draw(shapes()))
    return Call((x,), {"axes": axes(draw, x.ndim)} if draw(st.booleans()) else {})


def transformed(x: Any, **keywords: Any) -> float:
    """How large the partial sums of a transform may become."""
    points = np.prod(keywords.get("s", keywords.get("n", 1)))
    return largest(x) * max(x.size, 1) * float(points)


def rows() -> Iterator[Row]:
    """The transforms, and what goes with them."""
    compare = scaled(16, transformed)
    for name in ("fft", "ifft"):
        yield row(f"fft.{name}", one_dim(COMPLEX_FLOATING), compare)
    for name in ("rfft", "ihfft"):
        yield row(f"fft.{name}", one_dim(REAL_FLOATING), compare)
    for name in ("irfft", "hfft"):
        yield row(f"fft.{name}", one_dim(COMPLEX_FLOATING, 2), compare)
    yield row("fft.fftn", many_dims(COMPLEX_FLOATING), compare)
    yield row("fft.ifftn", many_dims(COMPLEX_FLOATING), compare)
    yield row("fft.rfftn", many_dims(REAL_FLOATING), compare)
    yield row("fft.irfftn", many_dims(COMPLEX_FLOATING, 2), compare)
    yield row("fft.fftfreq", frequencies, scaled(2))
    yield row("fft.rfftfreq", frequencies, scaled(2))
    for name in ("fft.fftshift", "fft.ifftshift"):
        yield row(name, shift, exact, unless_0d(name))
