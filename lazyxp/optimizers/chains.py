"""What it costs to multiply factors, and chains of matrices, whose best bracketing is found fast."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from lazyxp.optimizers.networks import LOOP, STORE

# Pairs of numbers: those of factors, and of the products of earlier pairs, which are numbered on from there.
Order = list[tuple[int, int]]
S = TypeVar("S")


def chain_of(factors: Sequence[frozenset[int]], out: frozenset[int]) -> list[int] | None:
    """The factors in the order in which they are one chain of (stacks of) matrices, or None."""
    count: dict[int, int] = {}
    for labels in factors:
        for label in labels:
            count[label] = count.get(label, 0) + 1
    stack = {label for label in out if count.get(label, 0) > 1}
    users: dict[int, list[int]] = {}
    links: list[list[int]] = []
    for i, labels in enumerate(factors):
        own = labels - stack if stack else labels
        inner = [label for label in own if label not in out]
        if len(own) > 2 or not inner:
            return None
        links.append(inner)
        for label in inner:
            users.setdefault(label, []).append(i)
    if any(len(u) != 2 for u in users.values()):
        return None
    start = next((i for i, inner in enumerate(links) if len(inner) == 1), None)
    if start is None:
        return None
    path = [start]
    label = links[start][0]
    while True:
        a, b = users[label]
        i = b if a == path[-1] else a
        path.append(i)
        onward = [other for other in links[i] if other != label]
        if not onward:
            break
        (label,) = onward
    if len(path) != len(factors):
        return None
    return path if path[0] < path[-1] else path[::-1]


def sides_of(factors: Sequence[frozenset[int]], lengths: Sequence[int]) -> tuple[list[int], int] | None:
    """The sides of the matrices of a chain, and how many matrices each factor holds; None where that differs."""
    stack = frozenset.intersection(*factors)
    sides = []
    before: frozenset[int] = frozenset()
    for labels, following in zip(factors, [*factors[1:], frozenset[int]()], strict=True):
        own = labels - stack
        link = own & following
        for group in ([own - link] if not before else []) + [link or own - before]:
            if len(group) > 1:
                return None
            sides.append(math.prod([lengths[i] for i in group]))
        before = link
    return sides, math.prod([lengths[i] for i in stack])


class Prices:
    """What it costs to multiply factors; see `orders.best_order` for the parameters. Sets of labels are bit masks."""

    def __init__(
        self,
        factors: Sequence[frozenset[int]],
        out: frozenset[int],
        lengths: Sequence[int],
        loops: Sequence[bool],
        kin: Mapping[tuple[int, int], float],
        dot: int,
    ) -> None:
        bits: dict[int, int] = {}
        for labels in factors:
            for label in labels:
                bits.setdefault(label, len(bits))
        self.masks = [sum([1 << bits[i] for i in labels]) for labels in factors]
        self.out = sum([1 << bits[i] for i in out])
        self.lengths = [lengths[label] for label in bits]
        self.loops = loops
        self.kin = kin
        self.dot = dot
        self._sizes: dict[int, int] = {0: 1}

    def size(self, mask: int) -> int:
        """How many elements an array with these labels has."""
        found = self._sizes.get(mask)
        if found is None:
            lowest = mask & -mask
            found = self._sizes[mask] = self.size(mask ^ lowest) * self.lengths[lowest.bit_length() - 1]
        return found

    def single(self, i: int) -> float:
        """Of having factor `i` at hand."""
        return STORE * self.size(self.masks[i]) if self.loops[i] else 0.0

    def pair(self, a: int, b: int, kept: int, last: bool) -> float:
        """Of multiplying arrays with labels `a` and `b`, and of summing over all but `kept`."""
        union = a | b
        store = 0 if last else STORE * self.size(kept)
        if union == kept:
            return LOOP * self.size(union) + store
        if a == b:
            return (2 * LOOP if kept else self.dot) * self.size(union) + store
        return 2 * self.size(union) + store


def every_bracketing(prices: Prices, path: Sequence[int]) -> tuple[float, Order]:
    """The best bracketing of a chain whose factors are in the order `path` (the classic dynamic programme)."""
    n = len(path)
    masks = [prices.masks[i] for i in path]
    before, after = [0] * (n + 1), [0] * (n + 1)
    for i in range(n):
        before[i + 1] = before[i] | masks[i]
        after[n - i - 1] = after[n - i] | masks[n - i - 1]
    kept = {}
    for i in range(n):
        inside = 0
        for j in range(i, n):
            inside |= masks[j]
            kept[i, j] = inside & (prices.out | before[i] | after[j + 1])
    cost = {(i, i): prices.single(path[i]) for i in range(n)}
    split = {}
    for width in range(1, n):
        for i in range(n - width):
            j = i + width
            best = math.inf
            whole = kept[i, j]
            for k in range(i, j):
                price = prices.pair(kept[i, k], kept[k + 1, j], whole, width == n - 1)
                if width == 1 and prices.kin:
                    price *= prices.kin.get((path[i], path[j]), prices.kin.get((path[j], path[i]), 1.0))
                price += cost[i, k] + cost[k + 1, j]
                if price < best:
                    best, split[i, j] = price, k
            cost[i, j] = best

    def parts(span: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]] | int:
        i, j = span
        return path[i] if i == j else ((i, split[span]), (split[span] + 1, j))

    return cost[0, n - 1], unfolded((0, n - 1), n, parts)


def unfolded(whole: S, count: int, parts: Callable[[S], tuple[S, S] | int]) -> Order:
    """The pairs of a tree, where `parts` gives the two branches of a node or the number of a factor."""
    order: Order = []
    numbers: list[int] = []
    stack: list[S | None] = [whole]
    while stack:
        node = stack.pop()
        if node is None:
            second, first = numbers.pop(), numbers.pop()
            numbers.append(count + len(order))
            order.append((first, second))
            continue
        found = parts(node)
        if isinstance(found, int):
            numbers.append(found)
        else:
            stack += [None, found[1], found[0]]
    return order


def long_chain(sides: Sequence[int], stack: int, path: Sequence[int]) -> tuple[float, Order]:
    """A good bracketing of a long chain, in linear time.

    The heuristic of Chin, and of Hu and Shing: a side is multiplied away early where that costs less than to keep it
    until the end, when the product grows from the smallest side of all.

    Parameters
    ----------
    sides : sequence of int
        Factor ``i`` is a matrix of shape ``(sides[i], sides[i + 1])``.
    stack : int
        How many matrices each factor holds.
    path : sequence of int
        The numbers of the factors.
    """
    n = len(path)
    least = min(range(n + 1), key=lambda i: sides[i])
    order: Order = []
    total = 0.0

    def product(a: tuple[int, int, int], b: tuple[int, int, int]) -> tuple[int, int, int]:
        nonlocal total
        total += 2.0 * stack * sides[a[1]] * sides[a[2]] * sides[b[2]]
        total += STORE * stack * sides[a[1]] * sides[b[2]]
        order.append((a[0], b[0]))
        return n + len(order) - 1, a[1], b[2]

    # What is left of the chain: a number, and the two sides of the product that it stands for.
    left: list[tuple[int, int, int]] = []
    smallest = sides[least]
    for i, number in enumerate(path):
        right = (number, i, i + 1)
        while left and left[-1][2] != least:
            a, b, c = sides[left[-1][1]], sides[right[1]], sides[right[2]]
            if a * b * c + smallest * a * c >= smallest * (a * b + b * c):
                break
            right = product(left.pop(), right)
        left.append(right)
    # Then from the smallest side outwards, on both sides of it.
    halves = ([t for t in left if t[2] <= least], [t for t in left if t[1] >= least])
    done = []
    for half, forwards in zip(halves, (False, True), strict=True):
        ordered = half if forwards else half[::-1]
        if ordered:
            current = ordered[0]
            for term in ordered[1:]:
                current = product(current, term) if forwards else product(term, current)
            done.append(current)
    if len(done) == 2:
        product(*done)
    return total, order
