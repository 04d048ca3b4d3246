"""What the rules share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyxp.node import CONSTANT, Node
from lazyxp.optimizers.rewrite import Match

Replacement = Callable[[Match], Node | None]
_PYTHON: dict[str, type] = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


def on(kinds: str, replacement: Replacement) -> Replacement:
    """`replacement` for operands of these kinds of dtype only ("b", "i", "u", "f", "c")."""
    return lambda m: replacement(m) if m.node.args[0].dtype.kind in kinds else None


def same(m: Match) -> Node:
    """What the pattern calls x."""
    return m.x


def to(op: str, *names: str) -> Replacement:
    """`op` on what the pattern calls `names`."""
    return lambda m: m.make(op, *[m.bound[name] for name in names])


def all_equal(value: int) -> Replacement:
    """An array of the result's shape and dtype that holds `value` everywhere."""
    return lambda m: filled(m, value)


def filled(m: Match, value: Any) -> Node | None:
    """`value` in the shape and dtype of the matched node, where its shape is known."""
    shape, dtype = m.node.shape, m.node.dtype
    if None in shape:
        return None
    plain = _PYTHON[dtype.kind](value)
    if not shape:
        return m.scalar(plain)
    return m.make("full", shape=shape, fill_value=plain, dtype=dtype)


def spread(m: Match, node: Node) -> Node | None:
    """`node`, which broadcasts to the matched node, in its shape."""
    if None in m.node.shape:
        return None  # whether the shapes fit shows when the graph runs
    return node if node.shape == m.node.shape else m.make("broadcast_to", node, shape=m.node.shape)


def number(node: Node) -> Any:
    """The value of a scalar as NumPy holds it in its dtype."""
    with np.errstate(all="ignore"):
        return np.asarray(node.params["value"], node.dtype)[()]


_POSITIVE = frozenset(("abs", "square", "exp", "cosh", "hypot", "var", "std"))
_PASS_ON = frozenset(("add", "multiply", "divide", "sum", "mean", "max", "min", "maximum", "minimum", "sqrt", "where"))


def never_negative(node: Node, depth: int = 4) -> bool:
    """Whether no element of a real floating-point node can be negative, or the negative zero."""
    kind, name = node.op.kind, node.op.name
    if not node.several and node.dtype.kind == "c":
        return False
    if node.op is CONSTANT:
        return bool(node.params["value"] >= 0 and not np.signbit(node.params["value"]))
    if name in _POSITIVE:
        return True
    if not depth:
        return False
    if name == "astype":
        return node.args[0].dtype.kind in "bu"
    if name in _PASS_ON or (kind == "movement" and name not in ("repeat",)) or name == "getitem":
        return all(a.dtype.kind == "b" or never_negative(a, depth - 1) for a in node.args)
    return False
