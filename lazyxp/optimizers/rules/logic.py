"""Logic, bits, comparisons, and choices between arrays."""

from __future__ import annotations

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, Scalar, Var, any_call, call, x, y, z
from lazyxp.optimizers.rules.common import Replacement, all_equal, number, on, same, spread, to

_ZERO, _TRUE, _FALSE = Scalar("c", (0,)), Scalar("c", (True,)), Scalar("c", (False,))
_MINUS_ONE = Scalar("c", (-1,))
_NOT = "logical_not bitwise_invert"
_AND, _OR, _XOR = "logical_and bitwise_and", "logical_or bitwise_or", "logical_xor bitwise_xor"
_not_x, _not_y = call(_NOT, x, name="n"), call(_NOT, y, name="o")


def _like(m: Match) -> Node | None:
    """For operands of the result's dtype: a logical op on numbers gives booleans."""
    return m.x if m.x.dtype == m.node.dtype else None


# --- booleans and bits -----------------------------------------------------------------------------------------------


def _both(m: Match) -> Node | None:
    return m.x if m.node.op is m.n.op or m.node.dtype.kind == "b" else None


def _of_not(m: Match) -> Node | None:
    """De Morgan, where that leaves one negation out of three or two; both negations must be of one kind."""
    if m.n.op is not m.o.op or m.x.dtype.kind not in "biu" or m.x.dtype != m.node.dtype or m.y.dtype != m.x.dtype:
        return None
    name = m.node.op.name
    other = name.replace("and", "or") if name.endswith("and") else name.replace("or", "and")
    return m.make(m.n.op, m.make(other, m.x, m.y))


_BITS = (
    Rule("x and x", "exact", call(f"{_AND} {_OR}", x, x), on("biu", _like), moves=True),
    Rule("x xor x", "exact", call(_XOR, x, x), all_equal(0), moves=True),
    Rule("x or 0", "exact", call(f"{_OR} {_XOR}", x, _ZERO), on("biu", _like), moves=True),
    Rule("x and 0", "exact", call(_AND, x, _ZERO), on("biu", all_equal(0)), moves=True),
    Rule("x and True", "exact", call(_AND, x, _TRUE), on("b", same), moves=True),
    Rule("x or True", "exact", call(_OR, x, _TRUE), on("b", all_equal(1)), moves=True),
    Rule("x xor True", "exact", call(_XOR, x, _TRUE), on("b", to("logical_not", "x"))),
    Rule("x and -1", "exact", call("bitwise_and", x, _MINUS_ONE), same, moves=True),
    Rule("x or -1", "exact", call("bitwise_or", x, _MINUS_ONE), all_equal(-1), moves=True),
    Rule("x shifted by 0", "exact", call("bitwise_left_shift bitwise_right_shift", x, _ZERO), same, moves=True),
    Rule("not not x", "exact", call(_NOT, _not_x), lambda m: _like(m) if _both(m) else None, moves=True),
    Rule("not x and not y", "exact", call(f"{_AND} {_OR}", _not_x, _not_y), _of_not, moves=True),
)


# --- comparisons -----------------------------------------------------------------------------------------------------

_OPPOSITE = {
    "equal": "not_equal",
    "not_equal": "equal",
    "less": "greater_equal",
    "less_equal": "greater",
    "greater": "less_equal",
    "greater_equal": "less",
}


def _opposite(m: Match) -> Node:
    return m.make(_OPPOSITE[m.n.op.name], *m.n.args)


def _of_orders(kinds: str) -> Replacement:
    return lambda m: _opposite(m) if all(a.dtype.kind in kinds for a in m.n.args) else None


def _kept(truth: bool) -> Replacement:
    """A boolean compared with a constant: itself, or its negation."""
    return lambda m: m.x if (m.node.op.name == "equal") is truth else m.make("logical_not", m.x)


_equal, _orders = any_call("equal not_equal", "n"), any_call("less less_equal greater greater_equal", "n")
_COMPARISONS = (
    Rule("not of equal", "exact", call(_NOT, _equal), _opposite),
    Rule("not of less", "exact", call(_NOT, _orders), _of_orders("biu")),
    # NaN is neither less nor greater nor equal.
    Rule("not of less among floats", "finite", call(_NOT, _orders), _of_orders("biuf")),
    Rule("x == x", "exact", call("equal less_equal greater_equal", x, x), on("biu", all_equal(1)), moves=True),
    Rule("x == x of floats", "finite", call("equal less_equal greater_equal", x, x), on("f", all_equal(1)), moves=True),
    Rule("x != x", "exact", call("not_equal", x, x), on("biu", all_equal(0)), moves=True),
    Rule("x != x of floats", "finite", call("not_equal", x, x), on("f", all_equal(0)), moves=True),
    Rule("x < x", "exact", call("less greater", x, x), on("biuf", all_equal(0)), moves=True),
    Rule("x == True", "exact", call("equal not_equal", x, _TRUE), on("b", _kept(True)), moves=True),
    Rule("x == False", "exact", call("equal not_equal", x, _FALSE), on("b", _kept(False)), moves=True),
    Rule("unsigned x < 0", "exact", call("less", x, _ZERO), on("bu", all_equal(0)), moves=True),
    Rule("unsigned x >= 0", "exact", call("greater_equal", x, _ZERO), on("bu", all_equal(1)), moves=True),
    Rule("isnan of integers", "exact", call("isnan isinf", x), on("biu", all_equal(0)), moves=True),
    Rule("isfinite of integers", "exact", call("isfinite", x), on("biu", all_equal(1)), moves=True),
    Rule(
        "isnan of a sign",
        "exact",
        call("isnan isinf isfinite", call("negative abs", x)),
        lambda m: m.make(m.node.op, m.x) if m.x.dtype.kind == "f" else None,
        moves=True,
    ),
)


# --- where -----------------------------------------------------------------------------------------------------------


def _truth(m: Match) -> Node | None:
    """where(c, True, False) is c."""
    return m.x if m.node.dtype.kind == "b" and m.x.dtype.kind == "b" else None


def _falsehood(m: Match) -> Node | None:
    return m.make("logical_not", m.x) if m.node.dtype.kind == "b" else None


def _extreme(kinds: str) -> Replacement:
    """where(x < y, x, y) is the minimum, where(x < y, y, x) the maximum."""

    def replacement(m: Match) -> Node | None:
        if m.x.dtype.kind not in kinds or m.x.dtype != m.y.dtype:
            return None
        small = m.n.op.name.startswith("less")
        first = m.node.args[1] is m.x
        return m.make("minimum" if small is first else "maximum", m.x, m.y)

    return replacement


def _magnitude(kinds: str) -> Replacement:
    """where(x < 0, -x, x) and where(x > 0, x, -x)."""

    def replacement(m: Match) -> Node | None:
        less = m.n.op.name.startswith("less")
        return m.make("abs", m.x) if m.x.dtype.kind in kinds and (m.node.args[2] is m.x) is less else None

    return replacement


def _shorter(m: Match) -> Node | None:
    """The part that is never chosen goes, and may have had a part in the shape."""
    return spread(m, m.make("where", m.c, m.x, m.z))


_if_c, _not_c = Var("c"), call(_NOT, Var("c"))
_order = call("less less_equal greater greater_equal", x, y, name="n")
_order_0 = call("less less_equal greater greater_equal", x, _ZERO, name="n")
_minus_x = call("negative", x)


def _swapped(m: Match) -> Node | None:
    """A condition is boolean; what `logical_not` takes need not be."""
    return m.make("where", m.c, m.y, m.x) if m.c.dtype.kind == "b" else None


_CHOICES = (
    Rule("where with one answer", "exact", call("where", _if_c, x, x), lambda m: spread(m, m.x), moves=True),
    Rule("where of not", "exact", call("where", _not_c, x, y), _swapped, moves=True),
    Rule("where true, else false", "exact", call("where", x, Scalar("t", (True,)), _FALSE), _truth, moves=True),
    Rule("where false, else true", "exact", call("where", x, _FALSE, Scalar("t", (True,))), _falsehood, moves=True),
    Rule("where in where", "exact", call("where", _if_c, call("where", _if_c, x, y), z), _shorter, moves=True),
    Rule("where, else where", "exact", call("where", _if_c, x, call("where", _if_c, y, z)), _shorter, moves=True),
    Rule("where x < y, x, y", "exact", call("where", _order, x, y), _extreme("biu"), moves=True),
    Rule("where x < y, y, x", "exact", call("where", _order, y, x), _extreme("biu"), moves=True),
    Rule("where x < y, x, y of floats", "finite", call("where", _order, x, y), _extreme("f"), moves=True),
    Rule("where x < y, y, x of floats", "finite", call("where", _order, y, x), _extreme("f"), moves=True),
    Rule("where x < 0, -x, x", "exact", call("where", _order_0, _minus_x, x), _magnitude("i"), moves=True),
    Rule("where x > 0, x, -x", "exact", call("where", _order_0, x, _minus_x), _magnitude("i"), moves=True),
    Rule("where x < 0, -x, x of floats", "finite", call("where", _order_0, _minus_x, x), _magnitude("f"), moves=True),
    Rule("where x > 0, x, -x of floats", "finite", call("where", _order_0, x, _minus_x), _magnitude("f"), moves=True),
)


# --- limits ----------------------------------------------------------------------------------------------------------


def _same_limits(m: Match) -> Node | None:
    return m.inner if m.inner.params == m.node.params and m.inner.shape == m.node.shape else None


def _limits(m: Match) -> Node | None:
    """Of two zeros, clip and maximum may choose different ones; limits in the wrong order are anyone's guess."""
    low, high = number(m.a), number(m.b)
    if m.x.dtype.kind not in "iuf" or not low <= high or (m.x.dtype.kind == "f" and not (low and high)):
        return None
    return m.make("clip", m.x, m.a, m.b, given=("min", "max"))


_a, _b = Scalar("a"), Scalar("b")
_p, _q = Var("p"), Var("q")
_LIMITS = (
    Rule("clip again", "exact", call("clip", call("clip", x, _p, name="inner"), _p), _same_limits, moves=True),
    Rule("clip again (2)", "exact", call("clip", call("clip", x, _p, _q, name="inner"), _p, _q), _same_limits, True),
    Rule("minimum of maximum", "exact", call("minimum", call("maximum", x, _a), _b), _limits, moves=True),
    Rule("maximum of minimum", "exact", call("maximum", call("minimum", x, _b), _a), _limits, moves=True),
)

LOGIC = (*_BITS, *_COMPARISONS, *_CHOICES, *_LIMITS)
