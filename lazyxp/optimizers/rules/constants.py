"""Constants are computed now; arrays that hold one value everywhere act as that value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazyxp.executors import registry
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.node import CONSTANT, OPS, Node
from lazyxp.optimizers.graph import rounds_alike
from lazyxp.optimizers.rewrite import Call, Match, Rule, any_call, call, x, y
from lazyxp.optimizers.rules.common import Replacement, filled, spread

# Data types whose elements are Python scalars, bit for bit.
_PLAIN = frozenset("?bhilqBHILQfdFD")
_ELEMENTWISE = " ".join(op.name for op in OPS.values() if op.kind == "elementwise")


def _alike(replacement: Replacement, alike: bool) -> Replacement:
    """`replacement` where scalars and arrays are computed to the same bits, or where they may not be."""
    return lambda m: replacement(m) if rounds_alike(m.node) is alike else None


def _at_both_levels(name: str, pattern: Call, replacement: Replacement) -> tuple[Rule, Rule]:
    return (
        Rule(name, "exact", pattern, _alike(replacement, True), moves=True),
        Rule(f"{name}, rounded", "rounding", pattern, _alike(replacement, False), moves=True),
    )


# --- operations on constants -----------------------------------------------------------------------------------------


def _value_of(node: Node) -> np.ndarray[Any, Any]:
    return np.asarray(node.params["value" if node.op is CONSTANT else "fill_value"], node.dtype)


def _folded(m: Match) -> Node | None:
    """The value that NumPy computes; what it refuses stays, and raises when the graph runs."""
    node = m.node
    executor = registry.get("numpy")
    if node.dtype.char not in _PLAIN or not isinstance(executor, ArrayAPIExecutor):
        return None
    implementation = executor.implementation(node.op.name)
    if implementation is None:
        return None
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(implementation(*map(_value_of, node.args), **node.params))
    except (TypeError, ValueError, ArithmeticError):
        return None
    if result.dtype != node.dtype or result.shape != ():
        return None
    return filled(m, result.item())


def _cast(m: Match) -> Node | None:
    """What does not fit an integer is cast in one way alone and in another among others."""
    old, new = m.node.args[0].dtype, m.node.dtype
    if old.kind == "c" and new.kind not in "bc":
        return None
    if old.kind in "f" and new.kind in "iu":
        limits = np.iinfo(new)
        value = float(_value_of(m.node.args[0]))
        if not (math.isfinite(value) and limits.min <= math.trunc(value) <= limits.max):
            return None
    return _folded(m)


_one_value = any_call("constant full")
_FOLDING = (
    *_at_both_levels("constant computed", call(_ELEMENTWISE, _one_value), _folded),
    *_at_both_levels("constants computed", call(_ELEMENTWISE, _one_value, _one_value), _folded),
    Rule(
        "three constants computed", "exact", call("where clip", _one_value, _one_value, _one_value), _folded, moves=True
    ),
    Rule("cast of a constant", "exact", call("astype", _one_value), _cast, moves=True),
)


# --- arrays that hold one value --------------------------------------------------------------------------------------


def _moved(m: Match) -> Node | None:
    return filled(m, _value_of(m.node.args[0]).item()) if m.node.args[0].dtype.char in _PLAIN else None


def _broadcast_value(m: Match) -> Node:
    return m.make("broadcast_to", m.scalar(m.full.params["fill_value"]), shape=m.node.shape)


def _beside(m: Match) -> Node | None:
    """Constants instead of full arrays, where the other operands have the shape of the result."""
    node = m.node
    if None in node.shape or all(a.shape != node.shape or a.op.name == "full" for a in node.args):
        return None
    if node.op.name == "pow" and node.dtype.kind in "iu":
        return None  # a negative exponent is an error for each element, of which there may be none
    return m.make(node.op, *[_as_constant(m, a) for a in node.args], **node.params)


def _as_constant(m: Match, node: Node) -> Node:
    return m.scalar(node.params["fill_value"], node.dtype) if node.op.name == "full" else node


def _narrow(m: Match) -> Node | None:
    """The op broadcasts by itself."""
    node = m.node
    if None in node.shape or all(a.shape != node.shape or a is m.wide for a in node.args):
        return None
    return m.make(node.op, *[m.wide.args[0] if a is m.wide else a for a in node.args], **node.params)


def _chosen(m: Match) -> Node | None:
    return spread(m, m.x if _value_of(m.c) else m.y)


_full = any_call("full", name="full")
_wide = any_call("broadcast_to", name="wide")
_UNIFORM = (
    Rule(
        "full array moved",
        "exact",
        call("reshape permute_dims expand_dims squeeze flip roll repeat tile", _one_value),
        _moved,
        moves=True,
    ),
    Rule("broadcast of a full array", "exact", call("broadcast_to", _full), _broadcast_value, moves=True),
    *_at_both_levels("full second operand", call(_ELEMENTWISE, x, _full), _beside),
    *_at_both_levels("full first operand", call(_ELEMENTWISE, _full, x), _beside),
    Rule("full first choice", "exact", call("where", x, _full, y), _beside, moves=True),
    Rule("full second choice", "exact", call("where", x, y, _full), _beside, moves=True),
    *_at_both_levels("broadcast second operand", call(_ELEMENTWISE, x, _wide), _narrow),
    *_at_both_levels("broadcast first operand", call(_ELEMENTWISE, _wide, x), _narrow),
    Rule("broadcast first choice", "exact", call("where", x, _wide, y), _narrow, moves=True),
    Rule("broadcast second choice", "exact", call("where", x, y, _wide), _narrow, moves=True),
    Rule("where of a constant", "exact", call("where", any_call("constant full", name="c"), x, y), _chosen, moves=True),
)

CONSTANTS = (*_FOLDING, *_UNIFORM)
