"""In which order to multiply several factors, two at a time, so that it costs least.

An order is a list of pairs: of factors, by number, and of the results of earlier pairs, numbered on from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lazyxp.optimizers.chains import Order, Prices, chain_of, every_bracketing, long_chain, sides_of, unfolded
from lazyxp.optimizers.networks import LOOP, STORE

# Up to so many factors every order is looked at; of longer chains, every way to bracket them; of other networks, the
# pair that is best for the moment.
_EVERY_ORDER = 5
_EVERY_BRACKETING = 12
_GREEDY = 12


def best_order(
    factors: Sequence[frozenset[int]],
    out: frozenset[int],
    lengths: Sequence[int],
    loops: Sequence[bool],
    kin: Mapping[tuple[int, int], float],
    dot: int,
) -> tuple[float, Order] | None:
    """The cost of multiplying factors, and the order that costs least (of those looked at); None if there are too many.

    Parameters
    ----------
    factors : sequence of frozenset
        The labels of each factor; each is in `out` or in another factor as well.
    out : frozenset
        The labels of the result.
    lengths : sequence of int
        The length of each label.
    loops : sequence of bool
        Which factors have to be stored first, as they are made element by element.
    kin : mapping
        For pairs of factors that are one matrix and its transpose: the share of the full cost.
    dot : int
        The price of each element of a dot product over all axes.
    """
    n = len(factors)
    parts = [list(range(n))] if n <= _EVERY_ORDER else _parts(factors, out)
    if len(parts) == 1:
        return _order_of_part(factors, out, lengths, loops, kin, dot)
    cost = 0.0
    order: Order = []
    results: list[tuple[int, int, frozenset[int]]] = []
    for part in parts:
        number = part[0]
        labels = frozenset[int]().union(*[factors[i] for i in part]) & out
        size = math.prod([lengths[i] for i in labels])
        if len(part) > 1:
            place = {i: k for k, i in enumerate(part)}
            inside = {(place[i], place[j]): share for (i, j), share in kin.items() if i in place and j in place}
            found = _order_of_part([factors[i] for i in part], labels, lengths, [loops[i] for i in part], inside, dot)
            if found is None:
                return None
            numbers = [*part, *range(n + len(order), n + len(order) + len(found[1]))]
            order += [(numbers[i], numbers[j]) for i, j in found[1]]
            number = numbers[-1]
            cost += found[0] + STORE * size
        results.append((size, number, labels))
    # The parts have nothing to be summed over between them: the smallest first.
    results.sort(key=lambda result: result[0])
    _, current, labels = results[0]
    for _, number, more in results[1:]:
        order.append((current, number))
        current = n + len(order) - 1
        labels |= more
        cost += LOOP * math.prod([lengths[i] for i in labels])
    return cost, order


def _parts(factors: Sequence[frozenset[int]], out: frozenset[int]) -> list[list[int]]:
    """The numbers of the factors, those together between which something is summed over."""
    users: dict[int, list[int]] = {}
    for i, labels in enumerate(factors):
        for label in labels - out:
            users.setdefault(label, []).append(i)
    parts = []
    seen: set[int] = set()
    for i in range(len(factors)):
        if i in seen:
            continue
        seen.add(i)
        part = [i]
        for k in part:
            for label in factors[k] - out:
                for other in users.pop(label, ()):
                    if other not in seen:
                        seen.add(other)
                        part.append(other)
        parts.append(sorted(part))
    return parts


def _order_of_part(
    factors: Sequence[frozenset[int]],
    out: frozenset[int],
    lengths: Sequence[int],
    loops: Sequence[bool],
    kin: Mapping[tuple[int, int], float],
    dot: int,
) -> tuple[float, Order] | None:
    """`best_order` of factors that belong together."""
    n = len(factors)
    if n <= _EVERY_ORDER:
        return every_order(Prices(factors, out, lengths, loops, kin, dot))
    path = chain_of(factors, out)
    if path is None and n > _GREEDY:
        return _grouped(factors, out, lengths, loops, dot)
    if path is None:
        return greedy(Prices(factors, out, lengths, loops, kin, dot))
    if n <= _EVERY_BRACKETING:
        return every_bracketing(Prices(factors, out, lengths, loops, kin, dot), path)
    sides = sides_of([factors[i] for i in path], lengths)
    if sides is None:
        return None
    cost, order = long_chain(*sides, path)
    return cost + STORE * sum([math.prod([lengths[i] for i in factors[k]]) for k in path if loops[k]]), order


def _grouped(
    factors: Sequence[frozenset[int]],
    out: frozenset[int],
    lengths: Sequence[int],
    loops: Sequence[bool],
    dot: int,
) -> tuple[float, Order] | None:
    """Factors that have the same labels are multiplied first, then the groups."""
    groups: dict[frozenset[int], list[int]] = {}
    for i, labels in enumerate(factors):
        groups.setdefault(labels, []).append(i)
    if len(groups) > _GREEDY or len(groups) < 2:
        return None
    order: Order = []
    cost = 0.0
    numbers = []
    for labels, members in groups.items():
        number = members[0]
        for i in members[1:]:
            order.append((number, i))
            number = len(factors) + len(order) - 1
        numbers.append(number)
        cost += LOOP * (len(members) - 1) * math.prod([lengths[i] for i in labels])
    stored = [len(members) > 1 or loops[members[0]] for members in groups.values()]
    between, rest = greedy(Prices(list(groups), out, lengths, stored, {}, dot))
    start = len(factors) + len(order)
    numbers += range(start, start + len(rest))
    return cost + between, order + [(numbers[i], numbers[j]) for i, j in rest]


def every_order(prices: Prices) -> tuple[float, Order]:
    """The best of all orders (dynamic programme over the subsets of the factors)."""
    masks, n = prices.masks, len(prices.masks)
    if n == 2:
        price = prices.pair(masks[0], masks[1], prices.out, True) * prices.kin.get((0, 1), 1.0)
        return prices.single(0) + prices.single(1) + price, [(0, 1)]
    full = (1 << n) - 1
    labels = [0] * (full + 1)
    for subset in range(1, full + 1):
        lowest = subset & -subset
        labels[subset] = labels[subset ^ lowest] | masks[lowest.bit_length() - 1]
    kept = [labels[s] & (prices.out | labels[full ^ s]) for s in range(full + 1)]
    cost = [0.0] * (full + 1)
    split = [0] * (full + 1)
    for subset in range(1, full + 1):
        lowest = subset & -subset
        if subset == lowest:
            cost[subset] = prices.single(lowest.bit_length() - 1)
            continue
        best = math.inf
        part = (subset - 1) & subset
        while part:
            if part & lowest:
                rest = subset ^ part
                price = prices.pair(kept[part], kept[rest], kept[subset], subset == full)
                if prices.kin and price and part == lowest and rest & (rest - 1) == 0:
                    price *= prices.kin.get((part.bit_length() - 1, rest.bit_length() - 1), 1.0)
                price += cost[part] + cost[rest]
                if price < best:
                    best, split[subset] = price, part
            part = (part - 1) & subset
        cost[subset] = best
    return cost[full], unfolded(full, n, lambda s: (split[s], s ^ split[s]) if s & (s - 1) else s.bit_length() - 1)


def greedy(prices: Prices) -> tuple[float, Order]:
    """An order in which each pair adds as little as possible to what must be kept."""
    live = dict(enumerate(prices.masks))
    total = sum(prices.single(i) for i in live)
    order: Order = []
    while len(live) > 1:
        best: tuple[float, float, int, int, int] | None = None
        for i, a in live.items():
            for j, b in live.items():
                if i < j:
                    others = prices.out
                    for k, mask in live.items():
                        if k not in (i, j):
                            others |= mask
                    kept = (a | b) & others
                    price = prices.pair(a, b, kept, len(live) == 2)
                    growth = prices.size(kept) - prices.size(a) - prices.size(b)
                    if best is None or (growth, price) < best[:2]:
                        best = growth, price, i, j, kept
        assert best is not None
        _, price, i, j, kept = best
        total += price
        del live[i], live[j]
        live[len(prices.masks) + len(order)] = kept
        order.append((i, j))
    return total, order
