"""Casts that do nothing, and casts of casts."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, call, x

DType = np.dtype[Any]


@functools.cache
def _holds(wide: DType, narrow: DType) -> bool:
    """Whether `wide` holds every value of `narrow`."""
    return np.can_cast(narrow, wide, "safe") and not (
        wide.kind in "fc" and narrow.kind in "iu" and np.finfo(wide).nmant + 1 < np.iinfo(narrow).bits
    )


@functools.cache
def _joins(first: DType, middle: DType, last: DType) -> bool:
    """Whether casting by way of `middle` gives what casting at once gives."""
    integers = "biu"
    if first.kind in "iu" and middle.kind in "iu" and last.kind in "iu" and last.itemsize <= middle.itemsize:
        return True  # the lowest bits of the lowest bits
    if not _holds(middle, first):
        return False
    if last.kind == "b" or _holds(last, first):
        return True
    # From a float to an integer: what does not fit depends on the float's own size.
    if middle.kind in "fc" and last.kind in integers:
        return False
    return middle.kind != "c" or last.kind == "c"


def _no_cast(m: Match) -> Node | None:
    return m.x if m.x.dtype == m.node.dtype else None


def _at_once(m: Match) -> Node | None:
    if not _joins(m.x.dtype, m.middle.dtype, m.node.dtype):
        return None
    return m.x if m.x.dtype == m.node.dtype else m.make("astype", m.x, dtype=m.node.dtype)


CASTS = (
    Rule("cast to the same dtype", "exact", call("astype", x), _no_cast, moves=True),
    Rule("cast of cast", "exact", call("astype", call("astype", x, name="middle")), _at_once, moves=True),
)
