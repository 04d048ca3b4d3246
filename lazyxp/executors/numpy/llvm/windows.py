"""Inputs that are windows of the same memory: neighbours in a row share what is loaded, and the next row is fetched.

A vector as long as a line of the cache reads two lines wherever it does not begin on one: of three neighbours, two do.
They are loaded as one vector and the few elements after it, of which the others are made. The processor fetches memory
ahead of plain walks over it, but not of several rows at once that are read again and again.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyxp.strides import Layout, data_address

Array = np.ndarray[Any, Any]

# Bytes of a line of the cache.
LINE = 64
# Fewer windows than these are left alone: kernels for other distances would be compiled for what saves little.
FEWEST = 3
# Windows that begin within so many rows of each other are seen together.
_ROWS = 16
_SIZES = (4, 8)

# For each input, its family and the bytes from where that begins; None if it has none. Empty if no input has one.
Places = tuple[tuple[int, int] | None, ...]


class Buffer(NamedTuple):
    """The memory in which an output of a stage is passed on to others, a few rows at a time: it is in the cache."""

    stage: int
    output: int


class Near(NamedTuple):
    """An input that is read near others, which have the same `group`.

    Attributes
    ----------
    operand : int
        Which input.
    group : int
        Its group. What it reads at a row is what another one of the group reads at an earlier or later row.
    row : int
        It begins so many rows later than the memory of the family does.
    column : int
        And so many elements further on than that row.
    """

    operand: int
    group: int
    row: int
    column: int


def places_of(inputs: Sequence[Array | Layout]) -> Places:
    """Which inputs are windows of the same memory, and where they begin."""
    found: dict[Any, list[int]] = {}
    for k, x in enumerate(inputs):
        memory = _memory(x)
        found.setdefault((memory, x.strides, x.dtype), []).append(k)
    places: list[tuple[int, int] | None] = [None] * len(inputs)
    for (_, strides, _), members in found.items():
        if len(members) >= FEWEST and strides:
            begin = [x.start if isinstance(x, Layout) else data_address(x) for x in [inputs[k] for k in members]]
            _place(places, members, begin, strides)
    return tuple(places) if any(places) else ()


def _memory(x: Array | Layout) -> Hashable:
    """What stands for the memory that an array is in."""
    if isinstance(x, Layout):
        return id(x) if x.memory is None else x.memory
    return id(x if x.base is None else x.base)


def _place(
    places: list[tuple[int, int] | None], members: Sequence[int], addresses: Sequence[int], strides: Sequence[int]
) -> None:
    """Put windows of one memory in families of such as begin not too far from each other."""
    apart = _ROWS * max([LINE, *map(abs, strides)])
    family: list[tuple[int, int]] = []
    for address, k in [*sorted(zip(addresses, members, strict=True)), (-1, -1)]:
        if family and not 0 <= address - family[-1][0] <= apart:
            if len(family) >= FEWEST:
                for begin, member in family:
                    places[member] = family[0][1], begin - family[0][0]
            family = []
        family.append((address, k))


def near_of(places: Places, dtypes: Sequence[Any], alike: Sequence[Hashable], steps: Sequence[int]) -> tuple[Near, ...]:
    """The inputs that share what is loaded: three of one row, or some of one row and the next.

    Only inputs that are `alike` are in one group; those that it has None for are in none. `steps` has the stride of
    each input from row to row, 0 if there are no rows.
    """
    families: dict[Hashable, list[tuple[int, int, int]]] = {}
    for k, (place, like) in enumerate(zip(places, alike, strict=False)):
        size = dtypes[k].itemsize
        if place is not None and like is not None and dtypes[k].kind in "iuf" and size in _SIZES:
            family, start = place
            row = round(start / steps[k]) if steps[k] else 0
            column, rest = divmod(start - row * steps[k], size)
            if not rest:
                families.setdefault((family, like), []).append((column, row, k))
    found: list[Near] = []
    groups = [part for family in families.values() for part in _close(sorted(family), dtypes)]
    for number, group in enumerate(groups):
        rows: dict[int, set[int]] = {}
        for column, row, _ in group:
            rows.setdefault(row, set()).add(column)
        if any(len(columns) >= FEWEST or row + 1 in rows for row, columns in rows.items()):
            found += [Near(k, number, row, column) for column, row, k in group]
    return tuple(found)


def _close(family: Sequence[tuple[int, int, int]], dtypes: Sequence[Any]) -> list[list[tuple[int, int, int]]]:
    """Inputs in the order of their columns, in parts of which each fits on a line of the cache."""
    parts: list[list[tuple[int, int, int]]] = []
    for one in family:
        size = dtypes[one[-1]].itemsize
        if parts and (one[0] - parts[-1][0][0]) * size < LINE:
            parts[-1].append(one)
        else:
            parts.append([one])
    return parts


def fetched_of(near: Sequence[Near], inputs: Sequence[Array | Layout]) -> tuple[int, ...]:
    """Of each group that reads several rows of what may not be in the cache, the input that reads the last of them."""
    groups: dict[int, list[Near]] = {}
    for one in near:
        x = inputs[one.operand]
        if not (isinstance(x, Layout) and isinstance(x.memory, Buffer)):
            groups.setdefault(one.group, []).append(one)
    ends = [sorted(group, key=lambda one: (one.row, -one.column)) for group in groups.values()]
    return tuple([group[-1].operand for group in ends if group[-1].row > group[0].row])


def has_next_rows(near: Sequence[Near]) -> bool:
    """Whether something that is read at one row is read again at the next."""
    rows = {(one.group, one.row) for one in near}
    return any((group, row + 1) in rows for group, row in rows)


class Shared(NamedTuple):
    """What some rows that are walked at once load together.

    Attributes
    ----------
    of : dict of (int, int) to (tuple of int, int)
        For each input and row, which load has its elements, and how many elements later.
    loads : dict of tuple of int to (int, int, int)
        For each load the input and the row that it begins with, and how many elements more than a vector it has.
    """

    of: dict[tuple[int, int], tuple[tuple[int, int], int]]
    loads: dict[tuple[int, int], tuple[int, int, int]]


def shared(near: Sequence[Near], read: Container[int], rows: int, lanes: int) -> Shared:
    """What is loaded together of the inputs that are `read`, at so many rows at once."""
    found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
    for one in near:
        for row in range(rows if one.operand in read else 0):
            found.setdefault((one.group, one.row + row), []).append((one.column, one.operand, row))
    of, loads = {}, {}
    for key, uses in found.items():
        first, operand, row = min(uses)
        more = max(uses)[0] - first
        if len(uses) > 1 and more <= lanes:
            loads[key] = operand, row, more
            of.update({(k, j): (key, column - first) for column, k, j in uses})
    return Shared(of, loads)
