"""Rewriting by rules: patterns as data, and the driver that applies them bottom-up until none matches."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from lazyxp.errors import LazyxpError
from lazyxp.node import CONSTANT, OPS, Node, Op, describe
from lazyxp.optimizers.graph import LEVELS, Graph, sensitive_nodes

# A rule that fires this often on what one node became, or this often for each node of the graph, is in a loop.
_MOST_IN_A_ROW = 1_000
_MOST_A_NODE = 50


class RewriteError(LazyxpError):
    """A rule gave something else than an equivalent of what it matched."""


# --- patterns --------------------------------------------------------------------------------------------------------


class Var(NamedTuple):
    """Matches any node, the same one wherever the name occurs."""

    name: str


class Scalar(NamedTuple):
    """Matches a scalar whose value is known: any, or those equal to one of `values` (0.0 and -0.0 differ)."""

    name: str
    values: tuple[Any, ...] = ()


class Call(NamedTuple):
    """Matches a node of one of the ops `names`, whose arguments match `args` (None: any number of any arguments).

    `name`, where given, is bound to the node. Commutative ops match in either order.
    """

    names: frozenset[str]
    args: tuple[Any, ...] | None
    name: str = ""


Pattern = Var | Scalar | Call


def call(names: str, *args: Pattern, name: str = "") -> Call:
    """The pattern of a call: ``call("add subtract", x, y)`` is a node of either op on any arguments."""
    return Call(frozenset(names.split()), args, name)


def any_call(names: str, name: str = "") -> Call:
    """The pattern of a call on any arguments."""
    return Call(frozenset(names.split()), None, name)


x, y, z = Var("x"), Var("y"), Var("z")


class Match:
    """What a pattern matched: `node`, the `graph` that makes new nodes, and each bound name as an attribute."""

    def __init__(self, graph: Graph, node: Node) -> None:
        self.graph = graph
        self.node = node
        self.bound: dict[str, Node] = {}

    def __getattr__(self, name: str) -> Node:
        try:
            return self.__dict__["bound"][name]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(f"the pattern binds no {name!r}") from None

    def make(self, op: Op | str, *args: Node, **params: Any) -> Node:
        """The node of `op` on `args`, recorded where the matched node was."""
        return self.graph.make(op, *args, site=self.node.site, **params)

    def scalar(self, value: Any, dtype: Any = None) -> Node:
        """A scalar, of the matched node's dtype unless told."""
        return self.graph.constant(value, self.node.dtype if dtype is None else dtype, self.node.site)

    def value(self, name: str) -> Any:
        """The Python value of a bound scalar."""
        return self.bound[name].params["value"]


class Rule(NamedTuple):
    """A rewrite.

    Attributes
    ----------
    name : str
        What `explain` calls it; unique.
    level : {"exact", "rounding", "finite"}
        What it may change; see the architecture page.
    pattern : Call
        What it matches.
    replacement : callable
        ``replacement(match)`` gives the node that takes the matched one's place, of the same shape and dtype, or None
        where the rule does not apply after all.
    moves : bool
        Whether the new node's memory may be laid out differently, which at level exact must not reach a sum.
    """

    name: str
    level: str
    pattern: Call
    replacement: Callable[[Match], Node | None]
    moves: bool = False


def matches(pattern: Pattern, node: Node, bound: dict[str, Node]) -> bool:
    """Whether `node` matches; names are added to `bound`, also where it does not."""
    if isinstance(pattern, Var):
        return bound.setdefault(pattern.name, node) is node
    if isinstance(pattern, Scalar):
        return _is_scalar(pattern, node) and bound.setdefault(pattern.name, node) is node
    names, args, name = pattern
    op = node.op
    if op.name not in names:
        return False
    if name:
        bound[name] = node
    if args is None:
        return True
    given = node.args
    if len(args) != len(given):
        return False
    if not op.commutative:
        return all(map(matches, args, given, repeat(bound)))
    first, second = args
    for left, right in (given, given[::-1]):
        if _may_be(first, left.op) and _may_be(second, right.op):
            trial = dict(bound)
            if matches(first, left, trial) and matches(second, right, trial):
                bound.update(trial)
                return True
    return False


def _is_scalar(pattern: Scalar, node: Node) -> bool:
    if node.op is not CONSTANT:
        return False
    value = node.params["value"]
    return not pattern.values or any(bool(value == v) and _sign(value) == _sign(v) for v in pattern.values)


def _sign(value: Any) -> float:
    return math.copysign(1.0, value.real)


# --- the driver ------------------------------------------------------------------------------------------------------


class RuleSet:
    """Rules, looked up by the ops of a node and of its arguments.

    Sets of rules are bits of integers, a bit for each rule: a node whose ops were never seen together costs a few
    operations, however many rules there are.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._by_root: dict[str, int] = {}
        self._by_count: dict[int, int] = {}
        self._on_any = 0  # those that look at no argument
        # By the place of an argument: patterns that any node may match, those of scalars, and those of an op.
        self._variables: dict[int, int] = {}
        self._scalars: dict[int, int] = {}
        self._calls: dict[tuple[int, str], int] = {}
        for i, rule in enumerate(self._rules):
            bit = 1 << i
            if rule.level not in LEVELS:
                raise ValueError(f"rule {rule.name!r}: level {rule.level!r} is none of {', '.join(LEVELS)}")
            for name in rule.pattern.names:
                if name not in OPS:
                    raise ValueError(f"rule {rule.name!r}: there is no op {name!r}")
                _add(self._by_root, name, bit)
            if rule.pattern.args is None:
                self._on_any |= bit
                continue
            _add(self._by_count, len(rule.pattern.args), bit)
            for place, pattern in enumerate(rule.pattern.args):
                if isinstance(pattern, Call):
                    for name in pattern.names:
                        _add(self._calls, (place, name), bit)
                else:
                    _add(self._scalars if isinstance(pattern, Scalar) else self._variables, place, bit)
        self._candidates: dict[tuple[Op, ...], list[Rule]] = {}

    def candidates(self, node: Node) -> list[Rule]:
        """The rules whose pattern agrees with the ops of `node` and its arguments."""
        of_root = self._by_root.get(node.op.name)
        if of_root is None:
            return _NO_RULES
        ops = (node.op, *[a.op for a in node.args])
        found = self._candidates.get(ops)
        if found is None:
            found = []
            bits = of_root & (self._on_any | self._agreeing(ops))
            while bits:
                lowest = bits & -bits
                found.append(self._rules[lowest.bit_length() - 1])
                bits ^= lowest
            self._candidates[ops] = found
        return found

    def _agreeing(self, ops: tuple[Op, ...]) -> int:
        """The rules whose patterns of arguments agree with the ops of arguments, which come after that of the root."""
        root, *args = ops
        bits = self._by_count.get(len(args), 0)
        if not bits:
            return 0
        found = self._in_order(args, bits)
        return found | self._in_order(args[::-1], bits) if root.commutative else found

    def _in_order(self, args: Sequence[Op], bits: int) -> int:
        for place, op in enumerate(args):
            fitting = self._variables.get(place, 0) | self._calls.get((place, op.name), 0)
            if op is CONSTANT:
                fitting |= self._scalars.get(place, 0)
            bits &= fitting
        return bits


_NO_RULES: list[Rule] = []


def _add(table: dict[Any, int], key: Any, bit: int) -> None:
    table[key] = table.get(key, 0) | bit


def _may_be(pattern: Pattern, op: Op) -> bool:
    if isinstance(pattern, Call):
        return op.name in pattern.names
    return op is CONSTANT or not isinstance(pattern, Scalar)


@functools.lru_cache(maxsize=64)
def rule_set(rules: tuple[Rule, ...], allowed: frozenset[str]) -> RuleSet:
    """The rules whose level is `allowed`."""
    return RuleSet([rule for rule in rules if rule.level in allowed])


def rewrite(graph: Graph, rules: tuple[Rule, ...]) -> list[Node]:
    """The roots of `graph` after every rule that is allowed was applied, arguments first, until none matches."""
    if not rules:
        return graph.roots
    found = rule_set(rules, graph.allowed)
    order = graph.order()
    simplified = graph.simplified.setdefault(rules, set())
    # At level exact, what may move in memory depends on what is added up.
    sensitive = set() if "rounding" in graph.allowed else sensitive_nodes(graph.roots, order)
    free: dict[Node, Node] = {}
    fixed: dict[Node, Node] = {}
    budget = iter(range(_MOST_A_NODE * len(order) + _MOST_IN_A_ROW))
    for node in order:
        done, other = (fixed, free) if node in sensitive else (free, fixed)
        args = node.args
        simple = graph.remade(node, tuple([done.get(a) or other[a] for a in args])) if args else node
        if simple is node and (node in simplified or not found.candidates(node)):
            done[node] = node
        else:
            _simplify(graph, found, node, node in sensitive, done, other, budget)
    simplified.update(free.values(), fixed.values())
    return [(fixed if node in sensitive else free)[node] for node in graph.roots]


def _simplify(
    graph: Graph,
    rules: RuleSet,
    root: Node,
    fixed: bool,
    done: dict[Node, Node],
    other: dict[Node, Node],
    budget: Iterator[int],
) -> None:
    """Put into `done` what `root` becomes; `fixed` says that its layout must stay, as it must in `done`."""
    # (node, what it became by a rule): the second is simplified first, and is then what both become.
    stack: list[tuple[Node, Node | None]] = [(root, None)]
    while stack:
        node, became = stack[-1]
        if node in done:
            stack.pop()
            continue
        if became is not None and became in done:
            done[node] = done[became]
            stack.pop()
            continue
        current = node if became is None else became
        args = []
        waiting = False
        for arg in current.args:
            new = done.get(arg) or other.get(arg)
            if new is None:
                stack.append((arg, None))
                waiting = True
            else:
                args.append(new)
        if waiting:
            continue
        simple = graph.remade(current, tuple(args)) if args else current
        if simple in done:
            done[current] = done[node] = done[simple]
            stack.pop()
            continue
        replacement = _apply(graph, rules, simple, fixed)
        if replacement is None:
            done[simple] = done[current] = done[node] = simple
            stack.pop()
        elif next(budget, None) is None:
            raise RewriteError(f"the rules do not come to an end; the last were {_last_rules(graph)}")
        else:
            stack[-1] = (node, replacement)


def _apply(graph: Graph, rules: RuleSet, node: Node, fixed: bool) -> Node | None:
    """What the first matching rule makes of `node`."""
    for rule in rules.candidates(node):
        if rule.moves and fixed:
            continue
        match = Match(graph, node)
        if not matches(rule.pattern, node, match.bound):
            continue
        new = rule.replacement(match)
        if new is None or new is node:
            continue
        if not _agree(node, new):
            raise RewriteError(f"rule {rule.name!r} made {describe(new)} of {describe(node)} ({node.op.name})")
        return graph.fired(rule.name, rule.level, node, new)
    return None


def _agree(old: Node, new: Node) -> bool:
    if old.several or new.several:
        return bool(old.dtype == new.dtype and old.shape == new.shape)
    return bool(
        old.dtype == new.dtype
        and len(old.shape) == len(new.shape)
        and all(m == n or m is None or n is None for m, n in zip(old.shape, new.shape, strict=True))
    )


def _last_rules(graph: Graph) -> str:
    return ", ".join(dict.fromkeys(fired.rule for fired in graph.trace[-20:]))
