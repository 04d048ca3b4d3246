"""Rows of the manipulation and indexing functions, and of ``x[key]`` and ``x[key] = value``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.differential.calls import Call, Row, row
from tests.differential.corrections import unless_0d
from tests.differential.strategies import (
    ALL,
    INTEGER,
    Draw,
    DType,
    NDArray,
    Shape,
    array,
    axes,
    axis,
    broadcastable,
    laid_out,
    partners,
    promoted,
    scalar,
    several,
    shapes,
    values,
)


def promotable(draw: Draw, count: int) -> list[DType]:
    """`count` dtypes that the standard promotes together."""
    found = [draw(st.sampled_from(ALL))]
    common = found[0]
    while len(found) < count:
        found.append(draw(st.sampled_from(partners(common))))
        common = promoted(common, found[-1]) or common
    return found


def arrays(draw: Draw, of: list[Shape]) -> tuple[NDArray, ...]:
    """Arrays of these shapes whose dtypes promote."""
    dtypes = promotable(draw, len(of))
    return tuple(laid_out(draw, values(draw, d, s)) for d, s in zip(dtypes, of, strict=True))


def any_array(draw: Draw, least: int = 0, most: int = 3) -> NDArray:
    """An array of any dtype."""
    return array(draw, ALL, draw(shapes(least, most)))


# --- manipulation ----------------------------------------------------------------------------------------------------


def broadcast_arrays(draw: Draw) -> Call:
    """Draws arrays of any dtypes."""
    return Call(tuple(array(draw, ALL, s) for s in broadcastable(draw, draw(st.integers(1, 3)))))


def broadcast_shapes(draw: Draw) -> Call:
    """Draws shapes only."""
    return Call(tuple(broadcastable(draw, draw(st.integers(1, 4)))))


def broadcast_to(draw: Draw) -> Call:
    """Draws a shape, and another that can be broadcast to it."""
    target = draw(shapes())
    (shape,) = broadcastable(draw, 1, target)
    return Call((array(draw, ALL, shape), target))


def concat(draw: Draw) -> Call:
    """Draws arrays that differ in the length of one axis, or in everything when they are flattened."""
    count = draw(st.integers(1, 3))
    if draw(st.integers(0, 3)) == 3:
        return Call((arrays(draw, [draw(shapes()) for _ in range(count)]),), {"axis": None})
    shape = draw(shapes(1))
    along = axis(draw, len(shape))
    lengths = [draw(st.integers(0, 3)) for _ in range(count)]
    parts = [tuple(n if i == along % len(shape) else m for i, m in enumerate(shape)) for n in lengths]
    given = arrays(draw, parts)
    return Call((list(given) if draw(st.booleans()) else given,), {"axis": along})


def stack(draw: Draw) -> Call:
    """Draws arrays of one shape."""
    shape = draw(shapes())
    given = arrays(draw, [shape] * draw(st.integers(1, 3)))
    return Call((list(given) if draw(st.booleans()) else given,), {"axis": axis(draw, len(shape) + 1)})


def expand_dims(draw: Draw) -> Call:
    """Draws one new axis, or several."""
    x = any_array(draw)
    if draw(st.booleans()):
        return Call((x, axis(draw, x.ndim + 1)))
    count = draw(st.integers(0, 2))
    chosen = draw(st.permutations(range(x.ndim + count)))[:count]
    return Call((x, tuple(chosen)))


def flip(draw: Draw) -> Call:
    """Draws no, one and several axes."""
    x = any_array(draw)
    return Call((x,), {"axis": axes(draw, x.ndim)})


def moveaxis(draw: Draw) -> Call:
    """Draws one axis, or as many sources as destinations."""
    x = any_array(draw, 1)
    if draw(st.booleans()):
        return Call((x, axis(draw, x.ndim), axis(draw, x.ndim)))
    source = several(draw, x.ndim)
    destination = draw(st.permutations(range(x.ndim)))[: len(source)]
    return Call((x, source, tuple(destination)))


def permute_dims(draw: Draw) -> Call:
    """Draws permutations."""
    x = any_array(draw)
    return Call((x, several(draw, x.ndim, x.ndim)))


def repeat(draw: Draw) -> Call:
    """Draws one count, or one for each element along the axis."""
    x = any_array(draw)
    along = axis(draw, x.ndim) if x.ndim and draw(st.booleans()) else None
    if draw(st.booleans()):
        return Call((x, draw(st.integers(0, 3))), {"axis": along})
    length = x.size if along is None else x.shape[along]
    shape = (length,) if draw(st.integers(0, 3)) else (1,)
    counts = values(draw, draw(st.sampled_from(INTEGER)), shape, "count") % 4
    return Call((x, laid_out(draw, counts)), {"axis": along})


def factors(draw: Draw, size: int) -> Shape:
    """A shape of `size` elements."""
    sides: list[int] = []
    while draw(st.integers(0, 2)):
        divisors = [n for n in (1, 2, 3, 4, 11, 17) if size % n == 0]
        sides.append(draw(st.sampled_from(divisors)))
        size //= sides[-1]
    return tuple(draw(st.permutations([*sides, size])))


def reshape(draw: Draw) -> Call:
    """Draws shapes of the same size, with and without a -1."""
    x = any_array(draw)
    shape = factors(draw, x.size) if x.size != 1 or draw(st.booleans()) else ()
    if shape and draw(st.booleans()):
        i = draw(st.integers(0, len(shape) - 1))
        if all(n for j, n in enumerate(shape) if j != i):
            shape = (*shape[:i], -1, *shape[i + 1 :])
    copy = draw(st.sampled_from((None, True)))
    return Call((x, shape), {} if copy is None else {"copy": copy})


def roll(draw: Draw) -> Call:
    """Draws shifts beyond the length too, one for all axes or one for each."""
    x = any_array(draw)
    shift = st.integers(-7, 7)
    which = axes(draw, x.ndim)
    if not isinstance(which, tuple) or draw(st.booleans()):
        return Call((x, draw(shift)), {"axis": which})
    return Call((x, tuple(draw(shift) for _ in which)), {"axis": which})


def squeeze(draw: Draw) -> Call:
    """Draws one or several of the axes of length 1."""
    shape = draw(shapes(1, 4, st.sampled_from((1, 1, 2, 0))))
    shape = (*shape, 1) if 1 not in shape else shape
    ones = [i for i, n in enumerate(shape) if n == 1]
    x = array(draw, ALL, shape)
    if draw(st.booleans()):
        return Call((x, draw(st.sampled_from(ones)) - draw(st.sampled_from((0, len(shape))))))
    return Call((x, tuple(draw(st.permutations(ones))[: draw(st.integers(0, len(ones)))])))


def tile(draw: Draw) -> Call:
    """Draws fewer, as many and more repetitions than there are axes."""
    return Call((any_array(draw), tuple(draw(st.lists(st.integers(0, 3), max_size=4)))))


def unstack(draw: Draw) -> Call:
    """Draws an axis."""
    x = any_array(draw, 1)
    return Call((x,), {"axis": axis(draw, x.ndim)})


# --- indexing --------------------------------------------------------------------------------------------------------


def positions(draw: Draw, length: int, shape: Shape) -> NDArray:
    """Indices into an axis of `length`, negative ones too; `shape` must be empty where `length` is 0."""
    dtype = draw(st.sampled_from([d for d in INTEGER if np.iinfo(d).max >= length]))
    indices = values(draw, np.dtype("uint8"), shape).astype(np.int64) % max(length, 1)
    if dtype.kind == "i" and draw(st.booleans()):
        indices = indices - length
    return laid_out(draw, indices.astype(dtype))


def take(draw: Draw) -> Call:
    """Draws 1-D indices; the axis may be left out for a vector."""
    x = any_array(draw, 1)
    along = axis(draw, x.ndim)
    count = draw(st.integers(0, 5)) if x.shape[along] else 0
    keywords = {} if x.ndim == 1 and draw(st.booleans()) else {"axis": along}
    return Call((x, positions(draw, x.shape[along], (count,))), keywords)


def take_along_axis(draw: Draw) -> Call:
    """Draws indices whose other axes broadcast with those of x."""
    target = draw(shapes(1))
    along = axis(draw, len(target))
    mine, theirs = (
        [n if keep else 1 for n, keep in zip(target, kept, strict=True)]
        for kept in draw(st.tuples(*[st.lists(st.booleans(), min_size=len(target), max_size=len(target))] * 2))
    )
    mine[along] = length = draw(st.integers(0, 4))
    theirs[along] = draw(st.integers(0, 4)) if length else 0
    x = array(draw, ALL, tuple(mine))
    keywords = {} if along in (-1, len(target) - 1) and draw(st.booleans()) else {"axis": along}
    return Call((x, positions(draw, length, tuple(theirs))), keywords)


def entry(draw: Draw, length: int) -> Any:
    """An int or a slice within the bounds of an axis."""
    if length and draw(st.booleans()):
        return draw(st.integers(-length, length - 1))
    bound = st.one_of(st.none(), st.integers(-length, length))
    step = draw(st.sampled_from((None, 1, -1, 2, -2, 3)))
    return slice(draw(bound), draw(bound), step)


def basic_key(draw: Draw, shape: Shape, *, new_axes: bool) -> Any:
    """A key of ints, slices, an ellipsis and new axes."""
    count = draw(st.integers(0, len(shape)))
    split = draw(st.integers(0, count))
    lengths = [*shape[:split], *shape[len(shape) - count + split :]]
    key = [entry(draw, n) for n in lengths]
    if count < len(shape) or draw(st.booleans()):
        key.insert(split, ...)
    if new_axes:
        for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
            key.insert(draw(st.integers(0, len(key))), None)
    return key[0] if len(key) == 1 and draw(st.booleans()) else tuple(key)


def mask(draw: Draw, shape: Shape) -> NDArray:
    """A boolean array of `shape`."""
    return laid_out(draw, values(draw, np.dtype("bool"), shape))


def getitem(draw: Draw) -> Call:
    """Draws basic keys, masks, and integer arrays with integers."""
    x = any_array(draw)
    form = draw(st.sampled_from(("basic", "basic", "mask", "integers")))
    if form == "mask":
        return Call((x, mask(draw, x.shape)))
    if form == "basic" or not x.ndim or 0 in x.shape:
        return Call((x, basic_key(draw, x.shape, new_axes=True)))
    picked = broadcastable(draw, x.ndim)
    key = tuple(
        draw(st.integers(-n, n - 1)) if i and draw(st.booleans()) else positions(draw, n, shape)
        for i, (n, shape) in enumerate(zip(x.shape, picked, strict=True))
    )
    return Call((x, key[0] if len(key) == 1 else key))


def setitem(draw: Draw) -> Call:
    """Draws basic keys and masks, and values that the dtype of x holds."""
    x = any_array(draw)
    masked = draw(st.integers(0, 2)) == 2
    key = mask(draw, x.shape) if masked else basic_key(draw, x.shape, new_axes=False)
    dtype = x.dtype.newbyteorder("=")
    if draw(st.booleans()):
        return Call((x, key, scalar(draw, dtype)))
    target = x[key].shape
    (shape,) = ((),) if masked else broadcastable(draw, 1, target)
    if masked and draw(st.booleans()):
        shape = target
    other = draw(st.sampled_from(partners(dtype, ALL, dtype)))
    return Call((x, key, laid_out(draw, values(draw, other, shape))))


def assigned(xp: Any, x: Any, key: Any, value: Any) -> Any:
    """A copy of x after ``x[key] = value``."""
    x = xp.asarray(x, copy=True)
    x[key] = value
    return x


def rows() -> Iterator[Row]:
    """The manipulation and indexing functions."""
    functions = (broadcast_arrays, broadcast_shapes, broadcast_to, concat, expand_dims, flip, moveaxis, permute_dims)
    more = (repeat, reshape, squeeze, stack, tile, unstack, take, take_along_axis)
    for draw_call in (*functions, *more):
        yield row(draw_call.__name__, draw_call)
    yield row("roll", roll, invoke=unless_0d("roll"))
    yield row("__getitem__", getitem)
    yield row("__setitem__", setitem, invoke=assigned)
