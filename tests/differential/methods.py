"""Rows of the attributes of an array, and of the methods that are no operators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.differential.calls import Call, Row, row
from tests.differential.compare import exact
from tests.differential.strategies import ALL, BOOLEAN, INTEGER, REAL, Draw, DType, array, laid_out, shapes, values

VERSION = "2025.12"


def scalar_of(dtypes: tuple[DType, ...], kind: str) -> Callable[[Draw], Call]:
    """Draws 0-d arrays."""
    return lambda draw: Call((array(draw, dtypes, (), kind),))


def of(least: int = 0, most: int = 3) -> Callable[[Draw], Call]:
    """Draws arrays of any dtype."""
    return lambda draw: Call((array(draw, ALL, draw(shapes(least, most))),))


def exportable(draw: Draw) -> Call:
    """Draws arrays that DLPack can describe."""
    return Call((laid_out(draw, values(draw, draw(st.sampled_from(ALL)), draw(shapes()))),))


def attribute(name: str) -> Callable[..., Any]:
    """Reads an attribute."""
    return lambda xp, x: getattr(x, name)


def on_default_device(xp: Any, x: Any) -> bool:
    """Whether x is where the namespace puts arrays by itself."""
    return bool(x.device == xp.__array_namespace_info__().default_device())


def moved(xp: Any, x: Any) -> Any:
    """x on the device that it is on."""
    return x.to_device(x.device)


def rows() -> Iterator[Row]:
    """The attributes and methods."""
    for name in ("dtype", "ndim", "shape", "size"):
        yield row(name, of(), exact, attribute(name))
    yield row("device", of(), exact, on_default_device)
    yield row("T", of(2, 2), exact, attribute("T"))
    yield row("mT", of(2), exact, attribute("mT"))
    yield row("to_device", of(), exact, moved)
    yield row("__bool__", scalar_of(ALL, "any"))
    yield row("__complex__", scalar_of(ALL, "any"))
    yield row("__float__", scalar_of((*REAL, *BOOLEAN), "any"))
    yield row("__int__", scalar_of((*REAL, *BOOLEAN), "finite"))
    yield row("__index__", scalar_of(INTEGER, "any"))
    is_own = lambda xp, x: x.__array_namespace__(api_version=VERSION) is xp
    yield row("__array_namespace__", of(), exact, is_own)
    yield row("__dlpack__", exportable, exact, lambda xp, x: np.from_dlpack(x))
    yield row("__dlpack_device__", of(), exact, lambda xp, x: tuple(int(n) for n in x.__dlpack_device__()))
