"""Rows of the elementwise functions, and of the operators that stand for them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.differential.calls import Call, Row, row
from tests.differential.compare import Compare, either_zero, exact, rounded
from tests.differential.corrections import CORRECTIONS
from tests.differential.strategies import (
    CATEGORIES,
    COMPLEX_FLOATING,
    REAL,
    Draw,
    DType,
    NDArray,
    array,
    broadcastable,
    laid_out,
    partners,
    promoted,
    scalar,
    shapes,
    values,
)

# Bounds in units in the last place: those of NumPy's and the C libraries' own vector loops. Complex functions are made
# of several real ones.
MODULUS = rounded(0, 4)
FUNCTION = rounded(4, 32)

_TRIGONOMETRIC = ("acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "sin", "sinh", "tan", "tanh")
UNARY: dict[str, tuple[str, Compare]] = {
    **dict.fromkeys(("conj", "negative", "positive", "real", "round"), ("numeric", exact)),
    **dict.fromkeys(("isfinite", "isinf", "isnan"), ("numeric", exact)),
    **dict.fromkeys(("ceil", "floor", "trunc"), ("real numeric", exact)),
    "abs": ("numeric", MODULUS),
    "bitwise_invert": ("integer or boolean", exact),
    "imag": ("complex floating-point", exact),
    "logical_not": ("boolean", exact),
    "reciprocal": ("floating-point", MODULUS),
    "sign": ("numeric", MODULUS),
    "signbit": ("real floating-point", exact),
    "sqrt": ("floating-point", MODULUS),
    "square": ("numeric", MODULUS),
    **dict.fromkeys(
        (*_TRIGONOMETRIC, "exp", "expm1", "log", "log1p", "log2", "log10"),
        ("floating-point", FUNCTION),
    ),
}
BINARY: dict[str, tuple[str, Compare]] = {
    **dict.fromkeys(("add", "subtract"), ("numeric", exact)),
    "multiply": ("numeric", MODULUS),
    **dict.fromkeys(("atan2", "hypot", "logaddexp"), ("real floating-point", FUNCTION)),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), ("integer or boolean", exact)),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), ("integer", exact)),
    **dict.fromkeys(("copysign", "nextafter"), ("real floating-point", exact)),
    "divide": ("floating-point", MODULUS),
    **dict.fromkeys(("equal", "not_equal"), ("all", exact)),
    **dict.fromkeys(("greater", "greater_equal", "less", "less_equal"), ("real numeric", exact)),
    **dict.fromkeys(("floor_divide", "remainder"), ("real numeric", exact)),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), ("boolean", exact)),
    # Which of -0.0 and 0.0 is the larger is unspecified.
    **dict.fromkeys(("maximum", "minimum"), ("real numeric", either_zero)),
    "pow": ("numeric", FUNCTION),
}
UNARY_OPERATORS = {"__abs__": "abs", "__invert__": "bitwise_invert", "__neg__": "negative", "__pos__": "positive"}
COMPARISONS = {
    "__eq__": "equal",
    "__ge__": "greater_equal",
    "__gt__": "greater",
    "__le__": "less_equal",
    "__lt__": "less",
    "__ne__": "not_equal",
}
ARITHMETIC = {
    "add": "add",
    "and": "bitwise_and",
    "floordiv": "floor_divide",
    "lshift": "bitwise_left_shift",
    "mod": "remainder",
    "mul": "multiply",
    "or": "bitwise_or",
    "pow": "pow",
    "rshift": "bitwise_right_shift",
    "sub": "subtract",
    "truediv": "divide",
    "xor": "bitwise_xor",
}
SHIFTS = ("bitwise_left_shift", "bitwise_right_shift")


def kind_of(function: str, dtype: DType, second: bool) -> str:
    """The values that an operand may have: shifts and powers of integers take no negative ones on the right."""
    if second and (function in SHIFTS or (function == "pow" and dtype.kind in "iu")):
        return "count"
    return "any"


def fitting_scalar(draw: Draw, function: str, dtype: DType, second: bool) -> Any:
    """A Python scalar to meet an array of `dtype`; complex beside real arrays where the function takes complex data."""
    category = BINARY[function][0]
    if dtype.kind == "f" and category in ("all", "numeric", "floating-point") and draw(st.integers(0, 3)) == 3:
        return scalar(draw, COMPLEX_FLOATING[0])
    value = scalar(draw, dtype, kind_of(function, dtype, second))
    return abs(value) if second and kind_of(function, dtype, True) == "count" else value


def unary(category: str) -> Callable[[Draw], Call]:
    """Draws calls on one array."""
    return lambda draw: Call((array(draw, CATEGORIES[category], draw(shapes())),))


def pair(draw: Draw, function: str) -> tuple[NDArray, NDArray]:
    """Two arrays that promote and broadcast."""
    among = CATEGORIES[BINARY[function][0]]
    first = draw(st.sampled_from(among))
    second = draw(st.sampled_from(partners(first, among)))
    result = promoted(first, second)
    assert result is not None
    one, two = broadcastable(draw, 2)
    left = laid_out(draw, values(draw, first, one, kind_of(function, result, False)))
    right = laid_out(draw, values(draw, second, two, kind_of(function, result, True)))
    return left, right


def binary(function: str) -> Callable[[Draw], Call]:
    """Draws calls on two arrays, or on one and a Python scalar on either side."""

    def draw_call(draw: Draw) -> Call:
        form = draw(st.sampled_from(("arrays", "arrays", "scalar right", "scalar left")))
        if form == "arrays":
            return Call(pair(draw, function))
        dtype = draw(st.sampled_from(CATEGORIES[BINARY[function][0]]))
        left = form == "scalar left"
        x = laid_out(draw, values(draw, dtype, draw(shapes()), kind_of(function, dtype, left)))
        other = fitting_scalar(draw, function, dtype, not left)
        return Call((other, x) if left else (x, other))

    return draw_call


def with_operator(function: str) -> Callable[[Draw], Call]:
    """Draws calls whose first argument is the array whose operator is called."""

    def draw_call(draw: Draw) -> Call:
        if draw(st.booleans()):
            return Call(pair(draw, function))
        dtype = draw(st.sampled_from(CATEGORIES[BINARY[function][0]]))
        x = laid_out(draw, values(draw, dtype, draw(shapes())))
        return Call((x, fitting_scalar(draw, function, dtype, True)))

    return draw_call


def reflected(function: str) -> Callable[[Draw], Call]:
    """Draws calls of ``x.__rop__(other)``, which computes ``other op x``."""

    def draw_call(draw: Draw) -> Call:
        if draw(st.booleans()):
            other, x = pair(draw, function)
            return Call((x, other))
        dtype = draw(st.sampled_from(CATEGORIES[BINARY[function][0]]))
        x = laid_out(draw, values(draw, dtype, draw(shapes()), kind_of(function, dtype, True)))
        return Call((x, fitting_scalar(draw, function, dtype, False)))

    return draw_call


def in_place(function: str) -> Callable[[Draw], Call]:
    """Draws calls of ``x op= other`` whose result has the shape and dtype of x."""

    def draw_call(draw: Draw) -> Call:
        among = CATEGORIES[BINARY[function][0]]
        dtype = draw(st.sampled_from(among))
        shape = draw(shapes())
        x = laid_out(draw, values(draw, dtype, shape))
        kind = kind_of(function, dtype, True)
        if draw(st.booleans()):
            value = scalar(draw, dtype, kind)
            return Call((x, abs(value) if kind == "count" else value))
        (small,) = broadcastable(draw, 1, shape)
        other = draw(st.sampled_from(partners(dtype, among, dtype)))
        return Call((x, laid_out(draw, values(draw, other, small, kind))))

    return draw_call


def called_reflected(name: str) -> Callable[..., Any]:
    """Calls a reflected operator: with a Python scalar on the left as Python does, with an array directly."""
    apply = getattr(operator, f"__{name}__")
    method = f"__r{name}__"
    return lambda xp, x, other: (
        apply(other, x) if isinstance(other, (int, float, complex)) else getattr(x, method)(other)
    )


def called_in_place(name: str) -> Callable[..., Any]:
    """Applies an in-place operator to a copy of x, and gives what the name is bound to afterwards."""
    apply = getattr(operator, f"__i{name}__")
    return lambda xp, x, other: apply(xp.asarray(x, copy=True), other)


def swapped(correct: Callable[..., Any] | None) -> Callable[..., Any] | None:
    """A correction for reflected operands."""
    return correct and (lambda result, x, other: correct(result, other, x))


def clip(draw: Draw) -> Call:
    """Draws bounds of the dtype of x, or Python scalars, the lower one not above the upper one."""
    dtype = draw(st.sampled_from(REAL))
    one, two, three = broadcastable(draw, 3)
    x = laid_out(draw, values(draw, dtype, one))
    form = draw(st.sampled_from(("arrays", "scalars", "lower", "upper", "neither")))
    if form == "neither":
        return Call((x,))
    if form == "scalars":
        low, high = (values(draw, dtype, ()).item() for _ in "ab")
        return Call((x, *sorted((low, high)))) if low == low and high == high else Call((x, low, low))
    low, high = values(draw, dtype, two), values(draw, dtype, three)
    if form == "arrays":
        crossed = np.broadcast_arrays(low, high)
        low, high = (np.array(f(*crossed)) for f in (np.minimum, np.maximum))
        return Call((x, laid_out(draw, low), laid_out(draw, high)))
    bound = laid_out(draw, low) if draw(st.booleans()) else low.max(initial=1).item()
    return Call((x,), {"min" if form == "lower" else "max": bound})


def rows() -> Iterator[Row]:
    """The elementwise functions and the operators."""
    for name, (category, compare) in UNARY.items():
        yield row(name, unary(category), compare, correct=CORRECTIONS.get(name))
    for name, (_, compare) in BINARY.items():
        yield row(name, binary(name), compare, correct=CORRECTIONS.get(name))
    yield row("clip", clip, either_zero)
    for method, name in UNARY_OPERATORS.items():
        yield row(method, unary(UNARY[name][0]), UNARY[name][1])
    for method, name in COMPARISONS.items():
        yield row(method, with_operator(name), exact)
    for method, name in ARITHMETIC.items():
        compare, correct = BINARY[name][1], CORRECTIONS.get(name)
        yield row(f"__{method}__", with_operator(name), compare, correct=correct)
        yield row(f"__r{method}__", reflected(name), compare, called_reflected(method), swapped(correct))
        yield row(f"__i{method}__", in_place(name), compare, called_in_place(method), correct)
