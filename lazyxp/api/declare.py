"""Declaring elementwise functions: a signature, a docstring and one decorator line make a function and its op."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np

from lazyxp import dtypes, options
from lazyxp.api import views
from lazyxp.api.array import Array
from lazyxp.api.recording import SCALARS, as_array, constant, current
from lazyxp.node import NO_PARAMS, OPS, Meta, Node, Op, make, user_site
from lazyxp.shapes import broadcast

F = TypeVar("F", bound=Callable[..., Any])
DType = np.dtype[Any]
Loop = tuple[DType, ...]

# Which function records a NumPy ufunc that meets a lazyxp array.
UFUNCS: dict[Any, Callable[..., Any]] = {}


class LoopRule:
    """The dtype rule of an elementwise op: NumPy's own answer for its ufunc, cached; the standard's under strict.

    Operands are dtypes, or Python scalar types, which are weak: they take the dtype of the arrays they meet.
    """

    def __init__(self, name: str, category: str, like: np.ufunc, result: str) -> None:
        self.name = name
        self.category = category
        self.like = like
        self.result = result
        self.compares = like in _COMPARISONS
        self._loops: dict[tuple[Any, ...], Loop] = {}
        # Where no operand is cast: the result for arrays of one dtype, and for floating-point arrays beside a number.
        self.same: dict[DType, DType] = {}
        self.beside: dict[tuple[Any, Any], DType] = {}

    def __call__(self, operands: tuple[Any, ...]) -> Loop:
        """The dtypes that the operands are cast to, and after them the dtype of the result."""
        loop = self._loops.get(operands)
        if loop is None:
            loop = self._loops[operands] = self._resolve(operands)
            if len(set(operands)) == 1 and set(loop[:-1]) == set(operands):
                self.same[operands[0]] = loop[-1]
            elif len(operands) == 2 and loop[0] == loop[1] and loop[0].kind == "f":
                arrays = [t for t in operands if isinstance(t, np.dtype)]
                if arrays == [loop[0]] and not {int, float}.isdisjoint(operands):
                    self.beside[operands] = loop[-1]
        if options.current().strict:
            self._check_standard(operands)
        return loop

    def _resolve(self, operands: tuple[Any, ...]) -> Loop:
        if self.result == "same" and isinstance(operands[0], np.dtype) and operands[0].kind in "iu":
            return operands[0], operands[0]
        weak = tuple(dtypes.bool if t is bool else t for t in operands)
        if self.compares and {getattr(t, "kind", "") for t in weak} == {"i", "u"} and dtypes.uint64 in weak:
            return (*weak, dtypes.bool)  # NumPy compares these exactly; their common dtype would be a float
        try:
            return self.like.resolve_dtypes((*weak, None))
        except TypeError:
            names = " and ".join(t.__name__ if isinstance(t, type) else str(t) for t in operands)
            raise TypeError(
                f"{self.name}: expected {self.category} data, got {names}; cast with astype first"
            ) from None

    def _check_standard(self, operands: tuple[Any, ...]) -> None:
        arrays = [t for t in operands if isinstance(t, np.dtype)]
        if not arrays:
            raise TypeError(f"{self.name}: at least one operand must be an array (strict=True is set)")
        for dtype in arrays:
            if not dtypes.in_category(dtype, self.category):
                raise TypeError(f"{self.name}: expected {self.category} data, got {dtype} (strict=True is set)")
        target = dtypes.promote(*arrays, function=self.name)
        for scalar in operands:
            if isinstance(scalar, type) and not dtypes.scalar_fits(scalar, target, self.category):
                raise TypeError(
                    f"{self.name}: a Python {scalar.__name__} cannot be mixed with {target} data (strict=True is set)"
                )


_COMPARISONS = (np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal)


def elementwise(
    category: str,
    like: np.ufunc,
    *,
    result: str = "like",
    commutative: bool = False,
    associative: bool = False,
    identity: int | bool | None = None,
    zero_preserving: bool = False,
) -> Callable[[F], F]:
    """Make the decorated signature a recording function and declare its op.

    Parameters
    ----------
    category : str
        What the standard takes ("numeric", "real floating-point", ...); enforced under ``strict=True``.
    like : ufunc
        The NumPy ufunc with the same dtype rule, which also records when NumPy calls it on a lazyxp array.
    result : {"like", "same"}
        "same" where integers keep their dtype though the ufunc would turn them into floats.
    commutative, associative, identity, zero_preserving
        Algebraic facts, see `lazyxp.node.Op`.
    """

    def declare(function: F) -> F:
        rule = LoopRule(function.__name__, category, like, result)

        def infer(*operands: Meta) -> Meta:
            loop = rule(tuple(x.dtype for x in operands))
            return Meta(broadcast(op.name, *[x.shape for x in operands]), loop[-1])

        op = Op(
            function.__name__,
            "elementwise",
            infer,
            commutative=commutative,
            associative=associative,
            identity=identity,
            zero_preserving=zero_preserving,
        )
        call = functools.wraps(function)((_unary if like.nin == 1 else _binary)(op, rule))
        if result == "like":
            UFUNCS.setdefault(like, call)
        return cast(F, call)

    return declare


def _unary(op: Op, rule: LoopRule) -> Callable[..., Array]:
    same = rule.same

    def call(x: Any, /) -> Array:
        if type(x) is Array and not options.current().strict:
            a = x._node if x._cell is None else views.current(x)
            dtype = same.get(a.dtype)
            if dtype is not None:
                return Array(Node(op, (a,), NO_PARAMS, a.shape, dtype, user_site()))
        return general(op, rule, (x,))

    return call


def _binary(op: Op, rule: LoopRule) -> Callable[..., Array]:
    same = rule.same
    beside = rule.beside

    def call(x1: Any, x2: Any, /) -> Array:
        if type(x1) is Array and type(x2) is Array:
            a = x1._node if x1._cell is None else views.current(x1)
            b = x2._node if x2._cell is None else views.current(x2)
            if a.dtype is b.dtype and not options.current().strict:
                dtype = same.get(a.dtype)
                if dtype is not None:
                    shape = a.shape if a.shape == b.shape else broadcast(op.name, a.shape, b.shape)
                    return Array(Node(op, (a, b), NO_PARAMS, shape, dtype, user_site()))
        elif type(x1) is Array:
            a = x1._node if x1._cell is None else views.current(x1)
            dtype = beside.get((a.dtype, type(x2)))
            if dtype is not None and not options.current().strict:
                site = user_site()
                return Array(Node(op, (a, _number(x2, a.dtype, op.name, site)), NO_PARAMS, a.shape, dtype, site))
        elif type(x2) is Array:
            b = x2._node if x2._cell is None else views.current(x2)
            dtype = beside.get((type(x1), b.dtype))
            if dtype is not None and not options.current().strict:
                site = user_site()
                return Array(Node(op, (_number(x1, b.dtype, op.name, site), b), NO_PARAMS, b.shape, dtype, site))
        return general(op, rule, (x1, x2))

    return call


# The numbers beside arrays, once for each place that records them: what loops record again and again. Not zeros, nor
# complex numbers, as some of these are equal and differ. No array has these nodes, so that none ever gets a value.
_numbers: dict[tuple[int, Any], Node] = {}
_MOST_NUMBERS = 10_000


def _number(x: Any, dtype: DType, function: str, site: Any) -> Node:
    """A Python scalar beside arrays."""
    if not x or type(x) is complex:
        return constant(x, dtype, function, site)
    key = id(site), x
    found = _numbers.get(key)
    if found is None or found.site is not site or found.dtype is not dtype:
        if len(_numbers) >= _MOST_NUMBERS:
            _numbers.clear()
        found = _numbers[key] = constant(x, dtype, function, site)
    return found


def general(op: Op, rule: LoopRule, operands: tuple[Any, ...]) -> Array:
    """Record elementwise `op` on any mix of arrays, scalars and array-likes, cast to the dtypes of one loop."""
    site = user_site(3)
    name = op.name
    plain = [x if type(x) in SCALARS else current(as_array(x, name)) for x in operands]
    loop = rule(tuple(x.dtype if isinstance(x, Node) else type(x) for x in plain))
    nodes = []
    for x, dtype in zip(plain, loop, strict=False):
        if isinstance(x, Node):
            nodes.append(x if x.dtype == dtype else cast_node(x, dtype, site))
        elif rule.compares and type(x) is int and not _fits(x, dtype):
            return _compare_beyond(op, plain, site)
        else:
            nodes.append(_number(x, dtype, name, site))
    shape = broadcast(name, *[n.shape for n in nodes])
    return Array(Node(op, tuple(nodes), NO_PARAMS, shape, loop[-1], site))


def cast_node(node: Node, dtype: DType, site: Any) -> Node:
    """`node` cast to `dtype`."""
    from lazyxp.api.data_types import ASTYPE

    return make(ASTYPE, node, site=site, dtype=dtype)


def _fits(value: int, dtype: DType) -> bool:
    return dtype.kind not in "iu" or np.iinfo(dtype).min <= value <= np.iinfo(dtype).max


def _compare_beyond(op: Op, operands: list[Any], site: Any) -> Array:
    """Compare integers with a Python int that their dtype cannot hold: every element gives the same answer."""
    left, right = ((x > 0) - (x < 0) if type(x) is int else 0 for x in operands)
    answer = bool(getattr(np, op.name)(left, right))
    node = next((x for x in operands if isinstance(x, Node)), None)
    if node is None:
        return Array(constant(answer, dtypes.bool, op.name, site))
    return Array(make(OPS["equal" if answer else "not_equal"], node, node, site=site))
