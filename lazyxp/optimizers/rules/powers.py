"""Powers, products of one factor, and divisions by powers of two as cheaper operations."""

from __future__ import annotations

import numpy as np

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, Scalar, call, x, y
from lazyxp.optimizers.rules.common import all_equal, never_negative, number, on, same, to

# Products of more factors round worse than `pow` does, and hardly ever occur.
_MOST = 16
_STEPS = 2 * _MOST.bit_length()
_c = Scalar("c")
_power = call("pow", x, _c)


def power(m: Match, base: Node, exponent: int) -> Node:
    """`base` to a positive integer, by squaring."""
    result = base
    for bit in bin(exponent)[3:]:
        result = m.make("square", result)
        if bit == "1":
            result = m.make("multiply", result, base)
    return result


def _exponent(node: Node, base: Node) -> int:
    """The exponent of `base` that `power` made `node` of, 0 if it did not."""
    factor, extra = 1, 0
    for _ in range(_STEPS):
        if node is base:
            return factor + extra
        if node.op.name == "square":
            (node,) = node.args
            factor *= 2
        elif node.op.name == "multiply" and base in node.args:
            node = node.args[0 if node.args[1] is base else 1]
            extra += factor
        else:
            break
    return 0


def _whole(m: Match) -> int:
    """The exponent, 0 where it is no integer."""
    value = m.value("c")
    if isinstance(value, complex):
        value = value.real if value == value.real else 0.5
    return int(value) if value % 1 == 0 else 0


def _as_products(m: Match) -> Node | None:
    exponent = _whole(m)
    return power(m, m.x, exponent) if 2 <= exponent <= _MOST else None


def _as_reciprocals(m: Match) -> Node | None:
    # The reciprocal comes first: the power might overflow where its reciprocal is but small.
    exponent = -_whole(m)
    return power(m, m.make("reciprocal", m.x), exponent) if 1 <= exponent <= _MOST else None


def _roots(m: Match) -> Node:
    exponent = m.value("c")
    root = m.make("sqrt", m.x)
    if exponent == 1.5:
        return m.make("multiply", m.x, root)
    return root if exponent == 0.5 else m.make("reciprocal", root)


def _one_more(m: Match) -> Node | None:
    """An odd power times its base is the square of half the power."""
    p, base = m.node.args if m.node.args[1] is m.y else m.node.args[::-1]
    exponent = _exponent(p, base) + 1
    return None if exponent < 4 or exponent % 2 or exponent > _MOST else power(m, base, exponent)


def _norm(m: Match) -> Node | None:
    """A Euclidean norm as NumPy computes it, of parts that other rules and kernels know."""
    params = m.node.params
    if params["ord"] != 2 or not params["axis"] or m.x.dtype.kind != "f":
        return None
    squares = m.make("square", m.x)
    total = m.make("sum", squares, axis=params["axis"], dtype=m.x.dtype, keepdims=params["keepdims"])
    return m.make("sqrt", total)


_HALVES = Scalar("c", (0.5, -0.5, 1.5))
_POWERS = (
    Rule("x ** 0", "exact", call("pow", x, Scalar("c", (0, -0.0))), on("iuf", all_equal(1)), moves=True),
    Rule("x ** 1", "exact", call("pow", x, Scalar("c", (1,))), on("iuf", same), moves=True),
    Rule("complex x ** 1", "finite", call("pow", x, Scalar("c", (1,))), on("c", same), moves=True),
    Rule("integer power by squaring", "exact", _power, on("iu", _as_products)),
    Rule("power by squaring", "rounding", _power, on("f", _as_products)),
    Rule("complex power by squaring", "finite", _power, on("c", _as_products)),
    Rule("negative power by squaring", "rounding", _power, on("f", _as_reciprocals)),
    # pow(-0.0, 0.5) is 0.0 and pow(-inf, 0.5) is inf, unlike the square roots.
    Rule(
        "root of what is never negative",
        "rounding",
        call("pow", x, _HALVES),
        on("f", lambda m: _roots(m) if never_negative(m.x) else None),
    ),
    Rule("x ** 0.5", "finite", call("pow", x, _HALVES), on("f", _roots)),
    Rule("norm by squaring", "rounding", call("linalg.vector_norm", x), _norm),
    Rule("x * x", "exact", call("multiply", x, x), on("iuf", to("square", "x"))),
    Rule("one factor more", "rounding", call("multiply", call("multiply", x, y), y), on("f", _one_more)),
    Rule("one integer factor more", "exact", call("multiply", call("multiply", x, y), y), on("iu", _one_more)),
)


# --- quotients -------------------------------------------------------------------------------------------------------


def _times_reciprocal(m: Match) -> Node | None:
    """Division by a power of two whose reciprocal the dtype holds."""
    divisor = number(m.c)
    with np.errstate(all="ignore"):
        reciprocal = 1 / divisor
    if (
        np.imag(divisor)
        or not np.isfinite(reciprocal)
        or not reciprocal
        or np.frexp(divisor.real)[0] not in (0.5, -0.5)
    ):
        return None
    return m.make("multiply", m.x, m.scalar(reciprocal.item()))


def _log2(m: Match) -> int:
    """The exponent of a positive power of two, else 0."""
    value = m.value("c")
    return value.bit_length() - 1 if type(value) is int and value > 1 and value & (value - 1) == 0 else 0


def _shifted(m: Match) -> Node | None:
    places = _log2(m)
    return m.make("bitwise_right_shift", m.x, m.scalar(places)) if places else None


def _masked(m: Match) -> Node | None:
    return m.make("bitwise_and", m.x, m.scalar(m.value("c") - 1)) if _log2(m) else None


_QUOTIENTS = (
    Rule("x / power of two", "exact", call("divide", x, _c), on("f", _times_reciprocal)),
    Rule("complex x / power of two", "finite", call("divide", x, _c), on("c", _times_reciprocal)),
    Rule("x // power of two", "exact", call("floor_divide", x, _c), on("iu", _shifted)),
    Rule("x % power of two", "exact", call("remainder", x, _c), on("iu", _masked)),
)

POWERS = (*_POWERS, *_QUOTIENTS)
