"""What a row of the table is, and how its calls run on array_api_strict and on lazyxp."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import array_api_strict as strict
import numpy as np
from hypothesis import strategies as st

import lazyxp as xp
from tests.differential.compare import Compare, exact
from tests.differential.strategies import NUMPY_DTYPES, STRICT_DTYPES, Draw, NDArray

strict.set_array_api_strict_flags(api_version="2025.12")


class Call(NamedTuple):
    """The arguments of one call: NumPy arrays and dtypes stand for those of a namespace."""

    args: tuple[Any, ...]
    keywords: Mapping[str, Any] = MappingProxyType({})


class Raw(NamedTuple):
    """An array that every namespace is given as the NumPy array that it is."""

    value: NDArray


class Row(NamedTuple):
    """One function: its name, how to draw calls of it, how to compare its results, and how to call it.

    `invoke` takes the namespace before the arguments; without it the function, method or attribute `name` is called.
    `correct` turns array_api_strict's results and the call's arguments, as plain NumPy arrays, into the standard's.
    """

    name: str
    calls: st.SearchStrategy[Call]
    compare: Compare = exact
    invoke: Callable[..., Any] | None = None
    correct: Callable[..., Any] | None = None

    def run(self, namespace: Any, call: Call) -> Any:
        """The result of `call`, whose arguments are the namespace's."""
        if self.invoke is not None:
            return self.invoke(namespace, *call.args, **call.keywords)
        return find(namespace, self.name)(*call.args, **call.keywords)


def find(namespace: Any, name: str) -> Callable[..., Any]:
    """The function called `name` in `namespace`, in one of its extensions, or of its arrays."""
    if name.startswith("__"):
        return lambda x, *others: getattr(x, name)(*others)
    for part in name.split("."):
        namespace = getattr(namespace, part)
    return namespace


def row(
    name: str,
    draw_call: Callable[[Draw], Call],
    compare: Compare = exact,
    invoke: Callable[..., Any] | None = None,
    correct: Callable[..., Any] | None = None,
) -> Row:
    """A row whose calls are what `draw_call` makes of hypothesis' draw."""

    @st.composite
    def calls(draw: Draw) -> Call:
        return draw_call(draw)

    return Row(name, calls(), compare, invoke, correct)


def converted(value: Any, array: Callable[[NDArray], Any], dtype: Callable[[Any], Any]) -> Any:
    """`value` with its NumPy arrays and dtypes converted, however deep in tuples, lists and dicts they are."""
    if isinstance(value, np.ndarray):
        return array(value)
    if isinstance(value, np.dtype):
        return dtype(value)
    if isinstance(value, Raw):
        return value.value
    if isinstance(value, Call):
        return Call(*[converted(v, array, dtype) for v in value])
    if isinstance(value, (tuple, list)):
        return type(value)(converted(v, array, dtype) for v in value)
    if isinstance(value, Mapping):
        return {k: converted(v, array, dtype) for k, v in value.items()}
    return value


def plain(x: NDArray) -> NDArray:
    """A copy of `x` in native byte order and C order."""
    return np.array(x, x.dtype.newbyteorder("="), order="C")


def parts(result: Any) -> list[Any]:
    """The outputs of a call, one after the other."""
    return [p for part in result for p in parts(part)] if isinstance(result, tuple) else [result]


def fields(result: Any) -> tuple[str, ...] | None:
    """The names in a named tuple."""
    return getattr(result, "_fields", None)


def oracle(row: Row, call: Call) -> Any:
    """What the standard asks for: array_api_strict's answer with NumPy arrays and dtypes in it, corrected."""
    given = converted(call, lambda x: strict.asarray(plain(x)), STRICT_DTYPES.__getitem__)
    result = from_strict(row.run(strict, given))
    if row.correct is None:
        return result
    clean = converted(call, plain, lambda d: d)
    return row.correct(result, *clean.args, **clean.keywords)


def from_strict(result: Any) -> Any:
    """`result` with NumPy's arrays and dtypes for array_api_strict's."""
    if isinstance(result, tuple):
        members = [from_strict(r) for r in result]
        return type(result)(*members) if fields(result) else tuple(members)
    if isinstance(result, type(strict.empty(0))):
        return np.from_dlpack(result)
    return NUMPY_DTYPES.get(result, result) if isinstance(result, type(strict.int8)) else result


def recorded(row: Row, call: Call, *, share: bool) -> Any:
    """The lazy result of `call`; NumPy arrays are shared with the graph, not copied, where that is possible."""

    def take(x: NDArray) -> xp.Array:
        return xp.asarray(x, copy=False if share and x.dtype.isnative else None)

    return row.run(xp, converted(call, take, lambda d: d))
