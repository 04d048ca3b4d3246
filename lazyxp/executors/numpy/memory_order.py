"""In which order the axes of a kernel lie in memory: results are laid out as operands are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyxp.kernel import Axes, Kernel

Array = np.ndarray[Any, Any]


def memory_order(kernel: Kernel, inputs: Sequence[Any]) -> Axes:
    """The axes from the one with the longest stride to the one along which memory is read.

    That is their own order unless every operand lies otherwise in memory, and in the same way.
    """
    own = tuple(range(len(kernel.lengths)))
    found: set[Axes] = set()
    walked = {*own}.difference(kernel.looked_up)
    for x, axes in zip(inputs, kernel.inputs, strict=True):
        known = [(abs(s), a) for s, a, n in zip(x.strides, axes, x.shape, strict=True) if n > 1 and a in walked]
        if len(known) > 1 and all(stride for stride, _ in known):
            found.add(tuple(a for _, a in sorted(known, key=lambda pair: -pair[0])))
    if len(found) != 1:
        return own
    (order,) = found
    if list(order) == sorted(order):
        return own
    return (*order, *[a for a in own if a not in order])


def empty_in_order(
    shape: Sequence[int], axes: Axes, order: Axes, dtype: Any, empty: Callable[[Sequence[int], Any], Array] = np.empty
) -> Array:
    """Memory for a value, its dimensions laid out in the `order` of their axes; it comes from `empty`."""
    place = {axis: i for i, axis in enumerate(order)}
    dims = sorted(range(len(axes)), key=lambda d: place.get(axes[d], -1))
    if dims == list(range(len(axes))):
        return empty(shape, dtype)
    return empty([shape[d] for d in dims], dtype).transpose(np.argsort(dims))
