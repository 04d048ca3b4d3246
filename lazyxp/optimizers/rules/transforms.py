"""Fourier transforms of real data, half of which says it all."""

from __future__ import annotations

import math

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, call, x

# Smaller transforms cost less than putting the halves together does.
_SMALLEST = 4096


def _mirrored(m: Match) -> Node | None:
    """The half that `rfft` computes, and its conjugate backwards."""
    params = m.node.params
    shape, axis, n = m.node.shape, params["axis"], params["n"]
    if m.x.dtype.kind != "f" or None in shape or not m.graph.whole_arrays or n < 3 or math.prod(shape) < _SMALLEST:
        return None
    half = m.make("fft.rfft", m.x, **params)
    backwards = slice((n - 1) // 2, 0, -1)
    key = tuple([backwards if i == axis else slice(None) for i in range(len(shape))])
    return m.make("concat", half, m.make("conj", m.make("getitem", half, key=key)), axis=axis)


TRANSFORMS = (Rule("transform of real data", "rounding", call("fft.fft", x), _mirrored),)
