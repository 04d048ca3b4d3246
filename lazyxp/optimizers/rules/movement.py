"""Movement ops that do nothing, or that are one."""

from __future__ import annotations

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, call, x


def _same_axes(m: Match) -> Node | None:
    axes = m.node.params["axes"]
    return m.x if axes == tuple(range(len(axes))) else None


def _joined_axes(m: Match) -> Node:
    outer, inner = m.node.params["axes"], m.inner.params["axes"]
    return m.make("permute_dims", m.x, axes=tuple(inner[i] for i in outer))


MOVEMENT = (
    Rule("permute_dims to the same order", "exact", call("permute_dims", x), _same_axes),
    Rule(
        "permute_dims of permute_dims",
        "exact",
        call("permute_dims", call("permute_dims", x, name="inner")),
        _joined_axes,
    ),
)
