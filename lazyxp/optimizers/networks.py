"""Products of several arrays, seen as one: a network of factors whose axes have labels.

Matrix products, tensordot, vecdot, outer, products that broadcast, sums, traces, diagonals and what only moves axes are
one thing: the sum, over the labels that the result lacks, of the product of the factors. A network says which factors
these are, whatever functions the user wrote it with.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Set
from typing import NamedTuple

from lazyxp.node import CONSTANT, Node
from lazyxp.optimizers.graph import Graph

Labels = tuple[int | None, ...]

# What things cost, in floating-point operations of a matrix product: an operation in a loop over elements, an element
# that is written and read again, and the inverse of an n x n matrix beyond what solving takes (times n ** 3).
LOOP = 2
STORE = 4
INVERT = 2
# matrix_power(x, n) is taken apart up to this n.
_MOST_POWERS = 16
# How many moves of axes in a row are looked through: others may look through the same ones.
FAR = 8
# How many numbers are moved about among the factors: a factor in each step of a long chain keeps it in range.
_MOST_NUMBERS = 4


class Factor(NamedTuple):
    """An array of a network: the label of each axis, None where it has length 1; `conjugate` where that is meant."""

    node: Node
    labels: Labels
    conjugate: bool = False


class Network:
    """The factors of what `root` computes.

    Parameters
    ----------
    graph : Graph
        Where the nodes are made.
    users : mapping
        How often each node is used.
    root : Node
        What is computed.
    scalars : bool
        Whether numbers of any size are factors by themselves; if not, they stay with what they are multiplied with.
    again : set
        The nodes that are taken apart although others use them.

    Attributes
    ----------
    valid : bool
        Whether all lengths are known, and none is 0.
    lengths : list of int
        The length of each label.
    out : tuple
        The label of each axis of `root`.
    inner : list of Node
        The nodes that are replaced if the network is: nobody else uses them, or only to compute them again.
    inverses : list of Node
        The inverses among the factors that nobody else needs.
    cost : float
        What computing `root` as it was written costs.
    numbers : int
        How many of the factors are numbers.
    inlines : bool
        Whether it computes again what others compute as well: then it is replaced, so that nobody needs that.
    """

    def __init__(self, graph: Graph, users: Mapping[Node, int], root: Node, scalars: bool, again: Set[Node]) -> None:
        self.graph = graph
        self.scalars = scalars
        self.users = users
        self.again = again
        self.root = root
        self.dtype = root.dtype
        self.valid = True
        self.lengths: list[int] = []
        self.factors: list[Factor] = []
        self.inner: list[Node] = []
        self.inverses: list[Node] = []
        self.cost = 0.0
        self.numbers = 0
        self.inlines = False
        self.out = self.labels(root.shape)
        self._gather()

    def label(self, side: int | None) -> int | None:
        """A new label for an axis."""
        if side == 1:
            return None
        if not side:
            self.valid = False
            return None
        self.lengths.append(side)
        return len(self.lengths) - 1

    def labels(self, shape: tuple[int | None, ...]) -> Labels:
        """New labels for the axes of an array."""
        return tuple([self.label(side) for side in shape])

    def is_single(self, node: Node) -> bool:
        """Whether `node` is used once."""
        return self.users.get(node, 1) == 1

    def _gather(self) -> None:
        """Take apart what makes up the root, down to the factors."""
        # Entries: a node, its labels, whether others use it too, whether its elements are used where they are made.
        stack: list[tuple[Node, Labels, bool, bool]] = [(self.root, self.out, False, True)]
        # What is selected of products that are taken apart.
        parts_of: set[Node] = set()
        moves = 0
        while stack and self.valid:
            node, labels, shared, fused = stack.pop()
            name = node.op.name
            move = MOVES.get(name)
            if move is not None and moves < FAR * (1 + len(self.inner)):
                moves += 1
                moved = move(node, labels)
                if moved is not None:
                    stack.append((node.args[0], moved, shared or not self.is_single(node), fused))
                    continue
            if name == "getitem" and node.args[0] in self.again:
                part = _selected(self, node)
                if part is not None:
                    parts_of.add(part)
                    node, name = part, part.op.name
            take = PRODUCTS.get(name)
            again = node in self.again or node in parts_of
            if take is not None and (node is self.root or again or (self.is_single(node) and not shared)):
                if any([None in arg.shape for arg in node.args]):
                    self.valid = False
                    return
                parts = take(self, node, labels) if node.args[0].dtype == self.dtype == node.dtype else None
                if parts is not None:
                    self.inner.append(node)
                    self.inlines = self.inlines or again
                    if not fused:
                        self.cost += STORE * math.prod(node.shape)
                    fuses = name in _LOOPS
                    stack += [(arg, under, shared or again, fuses) for arg, under in reversed(parts)]
                    continue
            self.factors.append(Factor(node, labels))
            if not fused and is_loop(node):
                self.cost += STORE * math.prod(node.shape)
            if name == "linalg.inv" and not fused and self.is_single(node) and not shared:
                self.inverses.append(node)
                self.cost += INVERT * node.shape[-1] * math.prod(node.shape)


def is_loop(node: Node) -> bool:
    """Whether the elements of `node` are made one by one, so that a kernel can use them where it makes them."""
    for _ in range(FAR):
        if node.op.kind != "movement":
            break
        node = node.args[0]
    return node.op.kind in ("elementwise", "cast")


def is_scalar(factor: Factor) -> bool:
    """Whether `factor` is one number."""
    return not any(label is not None for label in factor.labels)


def is_mild(factor: Factor) -> bool:
    """Whether `factor` is a number known to be neither so large nor so small that it leads out of range elsewhere."""
    return factor.node.op is CONSTANT and 2.0**-16 <= abs(factor.node.params["value"]) <= 2.0**16


# --- what moves axes: the labels of the argument, or None ------------------------------------------------------------


def _aligned(labels: Labels, shape: tuple[int | None, ...]) -> Labels:
    """The labels of an operand of `shape` that broadcasts to axes with `labels`."""
    start = len(labels) - len(shape)
    return tuple([None if side == 1 else label for label, side in zip(labels[start:], shape, strict=True)])


def _permute_dims(node: Node, labels: Labels) -> Labels:
    found: list[int | None] = [None] * len(labels)
    for axis, label in zip(node.params["axes"], labels, strict=True):
        found[axis] = label
    return tuple(found)


def _expand_dims(node: Node, labels: Labels) -> Labels:
    new = node.params["axis"]
    return tuple([label for i, label in enumerate(labels) if i not in new])


def _squeeze(node: Node, labels: Labels) -> Labels:
    gone = node.params["axis"]
    rest = iter(labels)
    return tuple([None if i in gone else next(rest) for i in range(len(node.args[0].shape))])


def _broadcast_to(node: Node, labels: Labels) -> Labels:
    return _aligned(labels, node.args[0].shape)


def _getitem(node: Node, labels: Labels) -> Labels | None:
    found: list[int | None] = []
    for i, entry in enumerate(node.params["key"]):
        if entry == slice(None):
            found.append(labels[i])
        elif entry is not None:
            return None
    return (*found, *labels[len(node.params["key"]) :])


def _reshape(node: Node, labels: Labels) -> Labels | None:
    """Only axes of length 1 may come and go."""
    shape = node.args[0].shape
    if [n for n in shape if n != 1] != [n for n in node.shape if n != 1]:
        return None
    rest = iter([label for label, n in zip(labels, node.shape, strict=True) if n != 1])
    return tuple([None if n == 1 else next(rest) for n in shape])


MOVES: Mapping[str, Callable[[Node, Labels], Labels | None]] = {
    "permute_dims": _permute_dims,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "broadcast_to": _broadcast_to,
    "getitem": _getitem,
    "reshape": _reshape,
}


# --- products and sums: the arguments and their labels, or None; they add to the network's cost -----------------------

Parts = list[tuple[Node, Labels]]


def _matmul(net: Network, node: Node, labels: Labels) -> Parts:
    a, b = node.args
    over = net.label(a.shape[-1])
    net.cost += (1 if _is_gram(a, b) else 2) * math.prod(node.shape) * a.shape[-1]
    if len(a.shape) == len(b.shape) == 2:
        return [(a, (labels[0], over)), (b, (over, labels[1]))]
    rows: Labels = ()
    columns: Labels = ()
    batch = labels
    if len(b.shape) > 1:
        batch, columns = batch[:-1], batch[-1:]
    if len(a.shape) > 1:
        batch, rows = batch[:-1], batch[-1:]
    left = (*_aligned(batch, a.shape[:-2]), *rows, over)
    right = (*_aligned(batch, b.shape[:-2]), over, *columns)
    return [(a, left), (b, right)]


def _is_gram(a: Node, b: Node) -> bool:
    """Whether the product is that of a matrix and its own transpose: BLAS computes half of it."""
    for one, other in ((a, b), (b, a)):
        if one.op.name == "permute_dims" and one.args[0] is other:
            n = len(other.shape)
            return bool(one.params["axes"] == (*range(n - 2), n - 1, n - 2))
    return False


def _tensordot(net: Network, node: Node, labels: Labels) -> Parts:
    a, b = node.args
    first, second = node.params["axes"]
    over = [net.label(a.shape[i]) for i in first]
    rest = iter(labels)
    left = tuple([over[first.index(i)] if i in first else next(rest) for i in range(len(a.shape))])
    right = tuple([over[second.index(i)] if i in second else next(rest) for i in range(len(b.shape))])
    net.cost += 2 * math.prod(node.shape) * math.prod([a.shape[i] for i in first])
    return [(a, left), (b, right)]


def _vecdot(net: Network, node: Node, labels: Labels) -> Parts | None:
    a = node.args[0]
    axis = node.params["axis"]
    over = net.label(a.shape[axis])
    parts = []
    for arg in node.args:
        at = len(arg.shape) + axis
        under = _aligned(labels, arg.shape[:at] + arg.shape[at + 1 :])
        parts.append((arg, (*under[:at], over, *under[at:])))
    net.cost += 2 * math.prod(node.shape) * a.shape[axis]
    if node.dtype.kind != "c":
        return parts
    net.factors.append(Factor(a, parts[0][1], conjugate=True))
    return parts[1:]


def _outer(net: Network, node: Node, labels: Labels) -> Parts:
    net.cost += LOOP * math.prod(node.shape)
    return [(node.args[0], labels[:1]), (node.args[1], labels[1:])]


def _multiply(net: Network, node: Node, labels: Labels) -> Parts | None:
    if not net.scalars and any(not arg.shape and not is_mild(Factor(arg, ())) for arg in node.args):
        return None
    if any(not arg.shape for arg in node.args):
        net.numbers += 1
        if net.numbers > _MOST_NUMBERS:
            return None
    net.cost += LOOP * math.prod(node.shape)
    return [(arg, _aligned(labels, arg.shape)) for arg in node.args]


def _square(net: Network, node: Node, labels: Labels) -> Parts:
    net.cost += LOOP * math.prod(node.shape)
    arg = node.args[0]
    net.factors.append(Factor(arg, labels))
    # The second time as a factor as well: what is below is needed twice.
    net.factors.append(Factor(arg, labels))
    return []


def _sum(net: Network, node: Node, labels: Labels) -> Parts:
    (arg,) = node.args
    axes = node.params["axis"]
    rest = iter(labels)
    under: list[int | None] = []
    for i, side in enumerate(arg.shape):
        if i in axes:
            under.append(net.label(side))
            if node.params["keepdims"]:
                next(rest)
        else:
            under.append(next(rest))
    net.cost += LOOP * math.prod(arg.shape)
    return [(arg, tuple(under))]


def _mean(net: Network, node: Node, labels: Labels) -> Parts | None:
    """The sum; whoever replaces a mean divides."""
    return _sum(net, node, labels) if node is net.root else None


def _diagonal(net: Network, node: Node, labels: Labels) -> Parts | None:
    arg = _square_part(net, node.args[0], node.params["offset"])
    return None if arg is None else [(arg, (*labels, labels[-1]))]


def _trace(net: Network, node: Node, labels: Labels) -> Parts | None:
    arg = _square_part(net, node.args[0], node.params["offset"])
    if arg is None:
        return None
    over = net.label(arg.shape[-1])
    net.cost += LOOP * arg.shape[-1] * math.prod(node.shape)
    return [(arg, (*labels, over, over))]


def _square_part(net: Network, x: Node, offset: int) -> Node | None:
    """The part of a matrix whose main diagonal is the diagonal of `x` at `offset`; None where it is not at hand."""
    rows, columns = x.shape[-2:]
    if rows is None or columns is None:
        return None
    length = min(rows + min(offset, 0), columns - max(offset, 0))
    if length <= 0:
        return None
    if rows == columns == length:
        return x
    if x.op.name != "matmul" or not net.is_single(x) or min(len(a.shape) for a in x.args) < 2:
        return None
    net.inner.append(x)
    a, b = x.args
    top, left = max(-offset, 0), max(offset, 0)
    a = _sliced(net, a, -2, top, top + length)
    b = _sliced(net, b, -1, left, left + length)
    return net.graph.make("matmul", a, b, site=x.site)


def _sliced(net: Network, x: Node, axis: int, start: int, stop: int) -> Node:
    if (start, stop) == (0, x.shape[axis]):
        return x
    key: list[slice] = [slice(None)] * len(x.shape)
    key[axis] = slice(start, stop, 1)
    return net.graph.make("getitem", x, site=x.site, key=tuple(key))


def _selected(net: Network, node: Node) -> Node | None:
    """The product of what is selected of two matrices, instead of what is selected of their product."""
    product, key = node.args[0], node.params["key"]
    if product.op.name != "matmul" or any(len(a.shape) != 2 for a in product.args):
        return None
    if len(key) > 2 or not all(isinstance(entry, int | slice) for entry in key):
        return None
    a, b = product.args
    every = slice(None)
    if key[:1] not in ((), (every,)):
        a = net.graph.make("getitem", a, site=node.site, key=(key[0], every))
    if key[1:] not in ((), (every,)):
        b = net.graph.make("getitem", b, site=node.site, key=(every, key[1]))
    return net.graph.make("matmul", a, b, site=node.site)


def _matrix_power(net: Network, node: Node, labels: Labels) -> Parts | None:
    n = node.params["n"]
    if not 2 <= n <= _MOST_POWERS:
        return None
    arg = node.args[0]
    *batch, row, column = labels
    side = arg.shape[-1]
    net.cost += 2 * (n.bit_length() + n.bit_count() - 2) * math.prod(node.shape) * side
    ends = [row, *[net.label(side) for _ in range(n - 1)], column]
    net.factors += [Factor(arg, (*batch, i, j)) for i, j in itertools.pairwise(ends)]
    return []


PRODUCTS: Mapping[str, Callable[[Network, Node, Labels], Parts | None]] = {
    "matmul": _matmul,
    "tensordot": _tensordot,
    "vecdot": _vecdot,
    "linalg.outer": _outer,
    "multiply": _multiply,
    "square": _square,
    "sum": _sum,
    "mean": _mean,
    "linalg.diagonal": _diagonal,
    "linalg.trace": _trace,
    "linalg.matrix_power": _matrix_power,
}
# Their arguments are used where they are made, in one loop over the elements.
_LOOPS = frozenset(("multiply", "square", "sum", "mean"))
