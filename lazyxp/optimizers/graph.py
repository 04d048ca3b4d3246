"""What passes work on: a graph whose nodes are made once, and the trace of what was rewritten."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from lazyxp.node import CONSTANT, OPS, OUTPUT, Node, Op, Site, make, output, walk
from lazyxp.structure import frozen

# What a rewrite may change (exact: nothing; rounding; finite: results that are not finite), and what each value of
# the option `optimize` allows.
LEVELS = ("exact", "rounding", "finite")
ALLOWED = {
    "none": frozenset[str](),
    "exact": frozenset(LEVELS[:1]),
    "default": frozenset(LEVELS[:2]),
    "fast": frozenset(LEVELS),
}


# Ops on two real operands whose bits do not depend on their order.
_SYMMETRIC = frozenset(("add", "multiply", "equal", "not_equal", "bitwise_and", "bitwise_or", "bitwise_xor"))


class Fired(NamedTuple):
    """One rewrite: `before` became `after` by `rule`."""

    rule: str
    level: str
    before: Node
    after: Node


class Graph:
    """A graph while it is optimized.

    Nodes that are made through it exist once: asking for the same op on the same arguments gives the same node, which
    is how common subexpressions are found.

    Attributes
    ----------
    roots : list of Node
        The outputs. Passes return new ones.
    allowed : frozenset of str
        The levels that may be used.
    supports : callable
        Whether the executor runs an op itself.
    whole_arrays, every_element : bool
        What the executor says of how it keeps arrays; see `lazyxp.executors.base.Executor`.
    fuses : callable
        Whether a node may be a part of a kernel.
    smallest_kernel : int or None
        How many elements the smallest kernels work on; None for no kernels.
    smallest_single : float
        How many elements the smallest kernels of a single op work on.
    trace : list of Fired
        Every rewrite so far.
    """

    def __init__(
        self,
        allowed: frozenset[str],
        supports: Callable[[Op], bool],
        *,
        whole_arrays: bool = True,
        every_element: bool = True,
        fuses: Callable[[Node], bool] = lambda node: True,
        smallest_kernel: int | None = None,
        smallest_single: float = math.inf,
    ) -> None:
        self.roots: list[Node] = []
        self.allowed = allowed
        self.supports = supports
        self.whole_arrays = whole_arrays
        self.every_element = every_element
        self.fuses = fuses
        self.smallest_kernel = smallest_kernel
        self.smallest_single = smallest_single
        self.trace: list[Fired] = []
        self._known: dict[Any, Node] = {}
        # For each set of rules, the nodes that none of them matches: a later pass of the same rules leaves them out.
        self.simplified: dict[Any, set[Node]] = {}
        self._ordered: tuple[list[Node], list[Node]] = [], []

    def order(self) -> list[Node]:
        """Every node that the roots need, arguments before users; the caller must not change the list."""
        roots, order = self._ordered
        if roots != self.roots:
            order = walk(self.roots)
            self._ordered = list(self.roots), order
        return order

    def intern(self, node: Node) -> Node:
        """The node that equals `node`: the same op, on the same arguments, with the same parameters."""
        params = node.params
        if node.op is CONSTANT:
            key: Any = (CONSTANT, type(params["value"]), frozen(params), node.dtype)
        elif params:
            key = (node.op, node.args, frozen(params))
        else:
            key = (node.op, node.args)
            if node.op.name in _SYMMETRIC and node.args[0].dtype.kind != "c":
                swapped = self._known.get((node.op, node.args[::-1]))
                if swapped is not None:
                    return swapped
        return self._known.setdefault(key, node)

    def make(self, op: Op | str, *args: Node, site: Site, **params: Any) -> Node:
        """The node of `op` on `args`, its shape and dtype inferred."""
        return self.intern(make(OPS[op] if isinstance(op, str) else op, *args, site=site, **params))

    def remade(self, node: Node, args: tuple[Node, ...]) -> Node:
        """`node` on other arguments of the same shapes and dtypes."""
        if args == node.args:
            return node
        return self.intern(Node(node.op, args, node.params, node.shape, node.dtype, node.site))

    def constant(self, value: Any, dtype: Any, site: Site) -> Node:
        """A scalar."""
        return self.intern(Node(CONSTANT, (), {"value": value}, (), dtype, site))

    def output(self, node: Node, index: int) -> Node:
        """Output number `index` of a node that has several."""
        return self.intern(output(node, index))

    def fired(self, rule: str, level: str, before: Node, after: Node) -> Node:
        """Note a rewrite in the trace; returns `after`."""
        self.trace.append(Fired(rule, level, before, after))
        return after


def users_of(roots: Iterable[Node], order: Iterable[Node]) -> dict[Node, int]:
    """How often each node of `order` is used: as an argument, or as a root."""
    count: dict[Node, int] = {}
    for node in order:
        for arg in node.args:
            count[arg] = count.get(arg, 0) + 1
    for node in roots:
        count[node] = count.get(node, 0) + 1
    return count


# Kinds whose results' layout in memory follows that of their operands.
_PASS_ON = frozenset(("elementwise", "cast", "movement", "indexing", "output"))
_IEEE = frozenset(
    (
        *("real", "imag", "complex", "add", "subtract", "negative", "positive", "sign", "where", "clip", "copysign"),
        *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "bitwise_left_shift", "bitwise_right_shift"),
        *("logical_and", "logical_or", "logical_xor", "logical_not", "equal", "not_equal", "less", "less_equal"),
        *("greater", "greater_equal", "isfinite", "isinf", "isnan", "signbit", "ceil", "floor", "round", "trunc"),
        *("conj", "nextafter", "maximum", "minimum"),
    )
)
_IEEE_REAL = _IEEE | {"multiply", "divide", "square", "sqrt", "abs", "reciprocal", "floor_divide", "remainder"}
_ORDERLESS = frozenset(("all", "any", "count_nonzero"))


def rounds_alike(node: Node) -> bool:
    """Whether each element of `node` has the same bits wherever in memory its operands lie.

    That holds for what IEEE 754 rounds correctly. NumPy computes other functions (`exp`, products of complex numbers)
    by vectors or one by one, as strides and positions have it, which differ in the last bit.
    """
    dtypes = [a.dtype for a in node.args if not a.several]
    if node.op.kind == "cast":
        # What does not fit into an integer becomes another one in vectors than alone.
        return not (dtypes[0].kind in "fc" and node.dtype.kind in "iu")
    if all(d.kind in "biu" for d in dtypes) and (node.several or node.dtype.kind in "biu"):
        return True
    name = node.op.name
    if any(d.kind == "c" for d in dtypes):
        return name in _IEEE
    return name in _IEEE_REAL


def sensitive_nodes(roots: Iterable[Node], order: list[Node] | None = None) -> set[Node]:
    """The nodes whose layout in memory decides about bits of the result.

    The order in which NumPy and BLAS add up follows the layout of what they read. At level exact a rewrite must
    therefore not change the layout of anything that is added up.
    """
    sensitive: set[Node] = set()
    for node in reversed(walk(roots) if order is None else order):
        kind = node.op.kind
        if kind in _PASS_ON or node.op is OUTPUT:
            if node in sensitive or (kind in ("elementwise", "cast") and not rounds_alike(node)):
                sensitive.update(node.args)
        elif not _is_orderless(node):
            sensitive.update(node.args)
    return sensitive


def _is_orderless(node: Node) -> bool:
    if node.op.name in _ORDERLESS or node.op.kind in ("sort", "set"):
        return True
    return all(not a.several and a.dtype.kind in "biu" for a in node.args) and node.op.kind in (
        "reduction",
        "scan",
        "search",
        "contraction",
    )
