"""Sums, products, signs: what changes nothing, what undoes itself, and constants that meet."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, Scalar, call, x, y
from lazyxp.optimizers.rules.common import all_equal, never_negative, on, same, to

_ZERO, _ONE, _MINUS_ONE = Scalar("c", (0,)), Scalar("c", (1,)), Scalar("c", (-1,))
_ANY_ZERO = Scalar("c", (0, -0.0))


def _without_zero(m: Match) -> Node | None:
    """Nothing subtracted keeps -0.0; a complex zero must have no minus sign in it either."""
    return None if m.node.dtype.kind == "c" and np.signbit(m.value("c").imag) else m.x


# Dropping an operation gives what it read, in whatever layout that has: these rules all move.
_NEUTRAL = (
    Rule("x + 0", "exact", call("add", x, _ZERO), on("biu", same), moves=True),
    # x + 0.0 would turn -0.0 into 0.0.
    Rule("x + -0.0", "exact", call("add", x, Scalar("c", (-0.0,))), on("f", same), moves=True),
    Rule("x + 0.0", "finite", call("add", x, _ANY_ZERO), on("fc", same), moves=True),
    Rule("x - 0", "exact", call("subtract", x, _ZERO), _without_zero, moves=True),
    Rule("x - -0.0", "finite", call("subtract", x, _ANY_ZERO), on("fc", same), moves=True),
    Rule("x * 1", "exact", call("multiply", x, _ONE), on("biuf", same), moves=True),
    # Infinity times 1 + 0j is NaN in its other part.
    Rule("complex x * 1", "finite", call("multiply", x, _ONE), on("c", same), moves=True),
    Rule("x / 1", "exact", call("divide", x, _ONE), on("f", same), moves=True),
    Rule("complex x / 1", "finite", call("divide", x, _ONE), on("c", same), moves=True),
    Rule("x // 1", "exact", call("floor_divide", x, _ONE), on("iu", same), moves=True),
    Rule("x // 1.0", "finite", call("floor_divide", x, _ONE), on("f", to("floor", "x"))),
    Rule("positive x", "exact", call("positive", x), same, moves=True),
)
_VANISHING = (
    Rule("x * 0", "exact", call("multiply", x, _ZERO), on("biu", all_equal(0)), moves=True),
    Rule("x * 0.0", "finite", call("multiply", x, _ANY_ZERO), on("fc", all_equal(0)), moves=True),
    Rule("x - x", "exact", call("subtract", x, x), on("iu", all_equal(0)), moves=True),
    Rule("x - x of floats", "finite", call("subtract", x, x), on("fc", all_equal(0)), moves=True),
    Rule("x / x", "finite", call("divide", x, x), on("fc", all_equal(1)), moves=True),
    Rule("x % 1", "exact", call("remainder", x, _ONE), on("iu", all_equal(0)), moves=True),
)


# --- signs -----------------------------------------------------------------------------------------------------------

_minus_x = call("negative", x)
_minus_y = call("negative", y)


def _constant_negated(m: Match) -> Node:
    return m.make("multiply", m.x, m.make("negative", m.c))


def _if_never_negative(m: Match) -> Node | None:
    dtype = m.x.dtype
    return m.x if dtype.kind in "bu" or (dtype.kind == "f" and never_negative(m.x)) else None


_SIGNS = (
    Rule("-(-x)", "exact", call("negative", _minus_x), same, moves=True),
    Rule("x - (-y)", "exact", call("subtract", x, _minus_y), to("add", "x", "y"), moves=True),
    Rule("x + (-y)", "exact", call("add", x, _minus_y), to("subtract", "x", "y"), moves=True),
    Rule("(-x) * (-y)", "exact", call("multiply", _minus_x, _minus_y), on("iuf", to("multiply", "x", "y")), moves=True),
    Rule("(-x) / (-y)", "exact", call("divide", _minus_x, _minus_y), on("f", to("divide", "x", "y")), moves=True),
    Rule("(-x) * constant", "exact", call("multiply", _minus_x, Scalar("c")), on("if", _constant_negated), moves=True),
    Rule("x * -1", "exact", call("multiply", x, _MINUS_ONE), on("if", to("negative", "x"))),
    Rule("x / -1", "exact", call("divide", x, _MINUS_ONE), on("f", to("negative", "x"))),
    Rule("0 - x", "exact", call("subtract", _ZERO, x), on("iu", to("negative", "x"))),
    # 0.0 - 0.0 is 0.0.
    Rule("0.0 - x", "finite", call("subtract", _ANY_ZERO, x), on("fc", to("negative", "x"))),
    Rule("-(x - y)", "exact", call("negative", call("subtract", x, y)), on("iu", to("subtract", "y", "x")), moves=True),
    Rule(
        "-(x - y) of floats",
        "finite",
        call("negative", call("subtract", x, y)),
        on("fc", to("subtract", "y", "x")),
        moves=True,
    ),
    Rule("abs of negative", "exact", call("abs", _minus_x), on("if", to("abs", "x")), moves=True),
    Rule("abs of what is never negative", "exact", call("abs", x), _if_never_negative, moves=True),
    Rule(
        "square of a sign",
        "exact",
        call("square", call("negative abs", x)),
        lambda m: m.make("square", m.x) if m.x.dtype.kind in "iuf" else None,  # abs of complex numbers is real
        moves=True,
    ),
    # Where the square overflows or underflows, the root of it is not x.
    Rule("sqrt of square", "finite", call("sqrt", call("square", x)), on("f", to("abs", "x")), moves=True),
)


# --- complex numbers -------------------------------------------------------------------------------------------------


def _part(name: str) -> Rule:
    def replacement(m: Match) -> Node | None:
        part = m.x if name == "real" else m.y
        return part if part.shape == m.node.shape and None not in part.shape else None

    return Rule(f"{name} of complex", "exact", call(name, call("complex", x, y)), replacement, moves=True)


def _minus_imag(m: Match) -> Node:
    return m.make("negative", m.make("imag", m.x))


_COMPLEX = (
    _part("real"),
    _part("imag"),
    Rule("real of conj", "exact", call("real", call("conj", x)), on("c", to("real", "x")), moves=True),
    Rule("imag of conj", "exact", call("imag", call("conj", x)), _minus_imag, moves=True),
    Rule("conj of conj", "exact", call("conj", call("conj", x)), same, moves=True),
    Rule("conj of what is real", "exact", call("conj", x), on("biuf", same), moves=True),
    Rule("complex of its parts", "exact", call("complex", call("real", x), call("imag", x)), same, moves=True),
    Rule("abs of conj", "rounding", call("abs", call("conj", x)), on("c", to("abs", "x")), moves=True),
)


# --- idempotent functions, inverses ----------------------------------------------------------------------------------

_WHOLE = "floor ceil round trunc"
_AGAIN = (
    Rule(
        "whole number of a whole number",
        "exact",
        call(_WHOLE, call(f"{_WHOLE} sign", x, name="n")),
        on("f", lambda m: m.n),
        moves=True,
    ),
    Rule("whole number of an integer", "exact", call(_WHOLE, x), on("iu", same), moves=True),
    Rule("sign of sign", "exact", call("sign", call("sign", x, name="n")), on("iuf", lambda m: m.n), moves=True),
    Rule("maximum of x and x", "exact", call("maximum minimum", x, x), on("biuf", same), moves=True),
    Rule("log of exp", "finite", call("log", call("exp", x)), on("f", same), moves=True),
    Rule("log(1 + x)", "finite", call("log", call("add", x, _ONE)), on("f", to("log1p", "x")), moves=True),
    Rule("exp(x) - 1", "finite", call("subtract", call("exp", x), _ONE), on("f", to("expm1", "x")), moves=True),
)


# --- constants that meet ---------------------------------------------------------------------------------------------

_a, _b = Scalar("a"), Scalar("b")


def _joined(m: Match, op: str) -> Any:
    """What `op` makes of the constants a and b, as NumPy computes it."""
    dtype = m.node.dtype
    with np.errstate(all="ignore"):
        return getattr(np, op)(np.asarray(m.value("a"), dtype), np.asarray(m.value("b"), dtype))


def _terms(m: Match) -> Node | None:
    """(x + a) - b is x + (a - b), (x - a) - b is x - (a + b)."""
    inner = m.inner.op
    total = _joined(m, "add" if inner is m.node.op else "subtract")
    return m.make(inner, m.x, m.scalar(total.item())) if np.isfinite(total) else None


def _integer_factors(m: Match) -> Node:
    return m.make("multiply", m.x, m.scalar(_joined(m, "multiply").item()))


def _factors(m: Match) -> Node | None:
    product = _joined(m, "multiply")
    if not np.isfinite(product) or abs(product) < np.finfo(product.dtype).smallest_normal:
        return None
    return m.make("multiply", m.x, m.scalar(product.item()))


def _factors_of_one_side(m: Match) -> Node | None:
    """Factors that both enlarge, or both lessen: what overflows or vanishes on the way would do so in the end."""
    a, b = abs(m.value("a")), abs(m.value("b"))
    return _factors(m) if (a >= 1 and b >= 1) or (a <= 1 and b <= 1) else None


def _same_op(m: Match) -> Node | None:
    op = m.node.op
    if m.inner.op is not op:
        return None
    # Which of two zeros maximum gives depends on their order.
    if op.name in ("maximum", "minimum") and (m.node.dtype.kind not in "biuf" or not m.value("a") or not m.value("b")):
        return None
    return m.make(op, m.x, m.scalar(_joined(m, op.name).item()))


_ORDERLESS = "bitwise_and bitwise_or bitwise_xor maximum minimum"
_two_factors = call("multiply", call("multiply", x, _a), _b)
_MEETING = (
    Rule(
        "integer plus constants",
        "exact",
        call("add subtract", call("add subtract", x, _a, name="inner"), _b),
        on("iu", _terms),
        moves=True,
    ),
    Rule(
        "float plus constants",
        "finite",
        call("add subtract", call("add subtract", x, _a, name="inner"), _b),
        on("fc", _terms),
        moves=True,
    ),
    Rule(
        "integer times constants",
        "exact",
        _two_factors,
        on("iu", _integer_factors),
        moves=True,
    ),
    Rule("float times constants", "rounding", _two_factors, on("f", _factors_of_one_side), moves=True),
    Rule("float times any constants", "finite", _two_factors, on("f", _factors), moves=True),
    Rule(
        "one op with two constants",
        "exact",
        call(_ORDERLESS, call(_ORDERLESS, x, _a, name="inner"), _b),
        _same_op,
        moves=True,
    ),
)

ARITHMETIC = (*_NEUTRAL, *_VANISHING, *_SIGNS, *_COMPLEX, *_AGAIN, *_MEETING)
