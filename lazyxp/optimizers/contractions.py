"""Products of several arrays, and sums of products, computed in the order of least cost.

A product written with any of the standard's functions is one network of factors (`networks`); `orders` finds in which
order to multiply them, `products` makes the nodes. What other nodes use as well is a factor, computed once, unless all
that use it are networks in which to compute it again costs far less: two vectors that are multiplied by one product.

Integers wrap around, so that every order gives the same bits. Other numbers are rounded differently, within the usual
bound for sums of products: as many rounding units of the sum of the magnitudes as there are terms; the sign of a zero
is that of a rounding error. An element of the result depends on the same elements of the factors in every order: one
that is NaN or infinite makes it NaN or infinite, though not always the same of the two. (Only `solve` may keep finite
what a product with the inverse does not.) Factors near the ends of the range may leave it on the way in one order
only: where that may happen for the gain of no more than a constant factor, the level is finite.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lazyxp.node import INPUT, Node
from lazyxp.optimizers.forms import Ordered, Orders
from lazyxp.optimizers.graph import Graph, sensitive_nodes, users_of
from lazyxp.optimizers.networks import FAR, MOVES, PRODUCTS, Network, is_mild, is_scalar
from lazyxp.optimizers.products import Builder
from lazyxp.optimizers.rewrite import rewrite
from lazyxp.optimizers.rules.contractions import CONTRACTIONS

_ORDER = "order of products"
_SUM_OF_PRODUCT = "sum of a product"
_TO_CONTRACTION = "sum of products to a contraction"
_FACTORS = "factors out of a sum"
_TRACE = "trace of a product"
_DIAGONAL = "diagonal of a product"
_MEAN = "mean of a product"
_SOLVE = "inverse to solve"
_SOLVE_TRANSPOSED = "inverse on the right to solve"
_ANY_RANGE = "factors out, whatever the range"
_INTEGERS = " of integers"

_OF_ANY_NUMBERS = (_ORDER, _SUM_OF_PRODUCT, _TO_CONTRACTION, _FACTORS, _TRACE, _DIAGONAL)
REWRITES: tuple[tuple[str, str], ...] = (
    *[(name, "rounding") for name in (*_OF_ANY_NUMBERS, _MEAN, _SOLVE)],
    *[(name + _INTEGERS, "exact") for name in _OF_ANY_NUMBERS],
    (_ANY_RANGE, "finite"),
    (_SOLVE_TRANSPOSED, "finite"),
)

# What a network is looked for at, and the ops that contract by themselves.
_ROOTS = frozenset(("matmul", "tensordot", "vecdot", "linalg.outer", "sum", "mean", "linalg.trace", "linalg.diagonal"))
_CONTRACTIONS = frozenset(("matmul", "tensordot", "vecdot", "linalg.outer", "linalg.matrix_power"))
_BELOW = frozenset((*PRODUCTS, "linalg.inv")) - {"mean"}
# What must be gained, as a share of the cost: to be worth it, and to be more than a constant.
_WORTH = 0.9
_MORE_THAN_A_CONSTANT = 0.25
# A network that cannot be ordered is tried again from below, unless it is larger than this.
_SMALL = 50
# What several networks use is computed again in each of them where that costs at most this share, for at most so many
# networks, of at most so many factors: each trial orders them anew.
_CLEARLY_LESS = 0.5
_MOST_USERS = 4
_MOST_FACTORS = 8


class _Plan(NamedTuple):
    """How a network is replaced."""

    net: Network
    how: Ordered
    name: str
    level: str


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    order = graph.order()
    if any(_may_match(node) for node in order):
        graph.roots = rewrite(graph, CONTRACTIONS)
        order = graph.order()
    search = _searched(graph, order)
    if search is None or not (plans := search.plans()):
        return graph.roots
    gone = search.gone()
    done: dict[Node, Node] = {}
    for node in order:
        plan = plans.get(node)
        if plan is not None:
            done[node] = _built(plan, done)
        elif node not in gone and all(a in done for a in node.args):  # else it moves axes of what is gone
            done[node] = graph.remade(node, tuple([done[a] for a in node.args])) if node.args else node
    return [done[node] for node in graph.roots]


def _may_match(node: Node) -> bool:
    """Whether a rule of CONTRACTIONS may match."""
    name = node.op.name
    if name == "matmul":
        return any(arg.op.name == "eye" for arg in node.args)
    return name == "permute_dims" and node.args[0].op.name == "matmul"


def _searched(graph: Graph, order: list[Node]) -> _Search | None:
    """The networks of the graph; None where there are none."""
    kinds = "iufc" if "rounding" in graph.allowed else "iu"
    candidates = {n for n in order if n.op.name in _ROOTS and n.dtype.kind in kinds and _has_product_below(n)}
    if not candidates:
        return None
    users = users_of(graph.roots, order)
    # At level exact, what is added up must not move in memory.
    fixed = set() if "rounding" in graph.allowed else sensitive_nodes(graph.roots, order)
    search = _Search(graph, users, candidates, fixed)
    for node in reversed(order):
        search.visit(node)
    return search


class _Found(NamedTuple):
    """A network, how its factors can be multiplied, and its plan if it is worth replacing."""

    net: Network
    how: Ordered | None
    plan: _Plan | None

    @property
    def cost(self) -> float:
        """What the network costs in the end."""
        return self.net.cost if self.plan is None else self.plan.how.cost


class _Search:
    """Finds the networks among the nodes it visits, users before arguments.

    That is the order in which to decide what is computed again: a product is cheap to do without where its users have
    become products with vectors, which they may have by doing without what is between. Each decision lowers the cost of
    what was decided before, and nothing comes back to a product that was kept.
    """

    def __init__(self, graph: Graph, users: dict[Node, int], candidates: set[Node], fixed: set[Node]) -> None:
        self._found: dict[Node, _Found] = {}
        self._orders = Orders()
        self._graph = graph
        self._users = users
        self._candidates = candidates
        self._fixed = fixed
        # What others than networks use, and for what networks use, their roots.
        self._needed = set(graph.roots)
        self._absorbing: dict[Node, dict[Node, None]] = {}
        # What every network that uses it computes by itself.
        self._again: set[Node] = set()
        # What is computed by itself.
        self._kept: set[Node] = set()

    def plans(self) -> dict[Node, _Plan]:
        """The networks that are worth replacing, by their roots."""
        return {node: found.plan for node, found in self._found.items() if found.plan is not None}

    def gone(self) -> set[Node]:
        """What is not needed once they are replaced."""
        gone: set[Node] = set()
        for found in self._found.values():
            (self._kept if found.plan is None else gone).update(found.net.inner)
        return gone - self._kept

    def visit(self, node: Node) -> None:
        """Decide what becomes of a node all of whose users have been visited."""
        needed = node in self._needed
        roots = self._absorbing.get(node)
        if roots is None and not needed:
            return
        if not needed and node.op.name == "getitem" and node.args[0].op.name == "matmul":
            self._absorbing.setdefault(node.args[0], {}).update(roots or {})
            return
        found = None
        optional = roots is not None and not needed and node.op.name in _CONTRACTIONS
        if (optional or node in self._candidates) and node not in self._fixed:
            found = self._network(node)
        if found is not None and optional and roots and self._is_inlined(node, found, roots):
            return
        self._kept.add(node)
        if found is None:
            self._needed.update(node.args)
        else:
            self._note(node, found)

    def _network(self, root: Node) -> _Found | None:
        """The network of `root`; None where it has no order."""
        for scalars in (True, False):
            net = Network(self._graph, self._users, root, scalars, self._again)
            how = self._orders.of(net) if net.valid else None
            plan = None if how is None else _planned(net, how)
            if plan is not None or not any([is_scalar(f) and not is_mild(f) for f in net.factors]):
                break
        if how is None and not (net.valid and net.inner and len(net.factors) == 1):
            if len(net.inner) > _SMALL:
                self._candidates.difference_update(net.inner)
            return None
        return _Found(net, how, plan)

    def _note(self, root: Node, found: _Found) -> None:
        self._found[root] = found
        for factor in found.net.factors:
            if factor.node in self._users:
                self._absorbing.setdefault(factor.node, {})[root] = None
            else:  # cut out for the network
                self._needed.update(factor.node.args)

    def _is_inlined(self, node: Node, own: _Found, roots: dict[Node, None]) -> bool:
        """Whether the networks of `roots`, which are all that use `node`, compute it by themselves from now on."""
        if len(roots) > _MOST_USERS or own.net.inverses:
            return False
        size = math.prod(node.shape)
        # The factors are held until the last network has used them: that must be no more than the product.
        if sum([math.prod(n.shape) for n in {f.node for f in own.net.factors} if not _is_given(n)]) > size:
            return False
        most = _CLEARLY_LESS * (own.cost + sum([self._found[root].cost for root in roots]))
        least = 0
        for root in roots:
            user = self._found[root]
            nodes = [factor.node for factor in user.net.factors]
            times = sum([_is_of(n, node) for n in nodes])
            count = len(nodes) + times * (len(own.net.factors) - 1)
            if count > _MOST_FACTORS:
                return False
            if times == nodes.count(node):
                least += _at_least(own.how, user.how, count)
        if least > most:  # as with products of square matrices: there is no need to try
            return False
        self._again.update(own.net.inner)
        new: dict[Node, _Found] = {}
        # The most expensive first: where it needs the product after all, the others need not be looked at.
        for root in sorted(roots, key=lambda root: -self._found[root].cost):
            old, found = self._found[root].plan, self._network(root)
            if found is None or found.plan is None or any(_is_of(factor.node, node) for factor in found.net.factors):
                break
            most -= found.cost
            if most < 0 or found.plan.how.between > max(size, 0 if old is None else old.how.between):
                break
            new[root] = found
        else:
            for root, found in new.items():
                self._note(root, found)
            return True
        self._again.difference_update(own.net.inner)
        return False


def _at_least(inner: Ordered | None, outer: Ordered | None, count: int) -> int:
    """What it costs at least to multiply `count` factors, if two chains of matrices became one; else 0.

    A pair of matrices costs two operations for each row, column and term, or half of that for one and its transpose.
    """
    if inner is None or outer is None:
        return 0
    return (count - 1) * int(min(inner.narrowest, outer.narrowest)) ** 3


def _is_of(factor: Node, node: Node) -> bool:
    """Whether `factor` is `node`, or selected from it."""
    return factor is node or (factor.op.name == "getitem" and factor.args[0] is node)


def _is_given(node: Node) -> bool:
    """Whether `node` is data that is held anyway."""
    for _ in range(FAR):
        if node.op.kind != "movement":
            break
        node = node.args[0]
    return node.op is INPUT


def _has_product_below(node: Node) -> bool:
    for arg in node.args:
        for _ in range(3):
            if arg.op.name in MOVES:
                arg = arg.args[0]
        if arg.op.name in _BELOW:
            return True
    return False


def _planned(net: Network, how: Ordered) -> _Plan | None:
    """The plan, if it gains enough and what it may change is allowed."""
    if how.cost >= _WORTH * net.cost and not net.inlines:
        return None
    graph = net.graph
    if not graph.every_element and not all(map(_is_checked, net.inner)):
        return None
    contracts = any(node.op.name in _CONTRACTIONS for node in net.inner)
    if not graph.whole_arrays and not contracts and len({frozenset(f.labels) for f in net.factors}) == 1:
        return None  # chunks are multiplied and added up where they are
    name = _name(net, how.before)
    if net.dtype.kind in "iu":
        return _Plan(net, how, name + _INTEGERS, "exact")
    loose = (any(how.before) and not contracts) or any(is_scalar(f) and not is_mild(f) for f in net.factors)
    if not loose or how.cost < _MORE_THAN_A_CONSTANT * net.cost or _is_mild_sum(net, how.before):
        return _Plan(net, how, name, "rounding")
    return _Plan(net, how, _ANY_RANGE, "finite") if "finite" in graph.allowed else None


def _is_checked(node: Node) -> bool:
    """Whether `node` takes no operand that a matrix product refuses for its fill value, or multiplies nothing."""
    name = node.op.name
    if name == "tensordot":
        return bool(node.params["axes"][0])
    return name in ("matmul", "linalg.matrix_power") or node.op.kind not in ("elementwise", "contraction")


def _is_mild_sum(net: Network, before: list[set[int]]) -> bool:
    """Whether all that is moved out of a sum is numbers of moderate size."""
    return all(is_mild(f) if is_scalar(f) else bool(over) for f, over in zip(net.factors, before, strict=True)) and (
        sum(map(bool, before)) == 1
    )


def _name(net: Network, before: list[set[int]]) -> str:
    root = net.root.op.name
    if root != "sum":
        return {"linalg.trace": _TRACE, "linalg.diagonal": _DIAGONAL, "mean": _MEAN}.get(root, _ORDER)
    if any(node.op.name in _CONTRACTIONS for node in net.inner):
        return _SUM_OF_PRODUCT
    summed = len(net.lengths) - sum(i is not None for i in net.out)
    return _FACTORS if sum(map(len, before)) == summed else _TO_CONTRACTION


def _built(plan: _Plan, done: dict[Node, Node]) -> Node:
    """The nodes that replace the root of a network."""
    net, root = plan.net, plan.net.root
    became = [_became(net.graph, factor.node, done) for factor in net.factors]
    inverses = [new for new, factor in zip(became, net.factors, strict=True) if factor.node in net.inverses]
    builder = Builder(net.graph, root, net.lengths, frozenset(inverses))
    terms = [
        builder.summed(builder.term(factor, new), over)
        for factor, new, over in zip(net.factors, became, plan.how.before, strict=True)
    ]
    want = [label for label in net.out if label is not None]
    last = len(plan.how.order) - 1
    for k, (i, j) in enumerate(plan.how.order):
        terms.append(builder.product(terms[i], terms[j], plan.how.kept[k], want if k == last else ()))
    new = builder.ordered(terms[-1], want)
    units = tuple([i for i, label in enumerate(net.out) if label is None])
    if units:
        new = builder.make("expand_dims", new, axis=units)
    if root.op.name == "mean":
        count = math.prod([root.args[0].shape[i] for i in root.params["axis"]])
        divisor = complex(count) if net.dtype.kind == "c" else float(count)
        new = builder.make("divide", new, net.graph.constant(divisor, net.dtype, root.site))
    name, level = plan.name, plan.level
    if builder.solves_transposed:
        name, level = _SOLVE_TRANSPOSED, "finite"
    elif builder.solves and level == "rounding":
        name = _SOLVE
    return net.graph.fired(name, level, root, new)


def _became(graph: Graph, node: Node, done: dict[Node, Node]) -> Node:
    """What a factor became; parts that were cut out for the network are made anew."""
    found = done.get(node)
    if found is None:
        found = graph.remade(node, tuple([_became(graph, a, done) for a in node.args]))
    return found
