"""What is known of the values of a kernel before it is printed: when they are known, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lazyxp.executors.numpy.llvm import scalars
from lazyxp.executors.numpy.llvm.lower import Value

_COSTS = {"divide": 4, "sqrt": 4, "floor_divide": 16, "remainder": 16, "take": 8}
_FREE = frozenset(("input", "constant", "count", "reduce", "scan", "place", "pair", "second"))
_PRODUCTS = frozenset(("multiply", "square"))


def cost(value: Value) -> int:
    """About how many instructions a value takes."""
    if value.op in _FREE:
        return 0
    return _COSTS.get(value.op, 20 if scalars.is_function(value.op, value.dtype) else 1)


def cost_again(values: Sequence[Value], i: int, known: Callable[[int], bool]) -> int:
    """What it takes to compute a value again, where some are known."""
    total, todo, seen = 0, [i], {i}
    while todo:
        value = values[todo.pop()]
        total += cost(value)
        if value.op not in ("input", "scan"):
            fresh = [a for a in value.args if a not in seen and not known(a)]
            seen.update(fresh)
            todo += fresh
    return total


def stages(values: Sequence[Value]) -> list[int]:
    """For each value, after how many walks over a row it is known."""
    found: list[int] = []
    for value in values:
        args = () if value.op == "input" else value.args
        found.append(max([found[a] for a in args], default=0) + (value.op in ("reduce", "scan")))
    return found


def contracted(values: Sequence[Value], kept: set[int]) -> frozenset[int]:
    """Products that are only added to what is no product, and those sums: they may be rounded once.

    Where a product is subtracted, or added to another one, the single rounding of only one of them would leave an
    error where plain arithmetic cancels: ``sqrt(x * x - y * y)`` of equal numbers must not be NaN.
    """
    users: dict[int, list[int]] = {}
    for i, value in enumerate(values):
        for a in value.args if value.op != "input" else ():
            users.setdefault(a, []).append(i)
    found: set[int] = set()
    for i, value in enumerate(values):
        if value.op not in _PRODUCTS or value.dtype.kind != "f" or i in kept:
            continue
        mine = users.get(i, [])
        if all(_adds(values, user, i) for user in mine):
            found.add(i)
            found.update(mine)
    return frozenset(found)


def _adds(values: Sequence[Value], user: int, product: int) -> bool:
    """Whether all that a value does is to add a product to what is none."""
    value = values[user]
    if value.op == "reduce":
        return bool(value.params == "sum")
    rest = [a for a in value.args if a != product]
    return value.op == "add" and len(rest) == 1 and values[rest[0]].op not in _PRODUCTS
