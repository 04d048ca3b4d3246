"""Layered drawing, second half: where in its row each vertex stands.

The method is Brandes and Köpf's: vertices are chained into vertical *blocks*, each with the middle one of its
neighbours, the blocks are pushed together, and the mean of the four ways to do this (from above or below, to the left
or to the right) is taken. Long edges come out straight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from math import inf
from statistics import mean

from lazyxp.looking.layers import Layers

Gap = Callable[[int, int], float]


def columns(layers: Layers, gap: Gap) -> list[float]:
    """The x coordinate of each vertex; `gap(u, v)` is the least distance between neighbours in a row."""
    loose = _side_branches(layers) | _crossing_long_edges(layers)
    candidates = []
    for downwards in (True, False):
        for leftwards in (True, False):
            rows = layers.rows if downwards else layers.rows[::-1]
            rows = rows if leftwards else [row[::-1] for row in rows]
            sides = layers.up if downwards else layers.down
            firm = [[u for u, _ in side if (u, v) not in loose and (v, u) not in loose] for v, side in enumerate(sides)]
            root = _blocks(rows, firm)
            x = _push_left(rows, root, gap)
            candidates.append(x if leftwards else [-place for place in x])
    x = _agree(candidates)
    _draw_near(layers, x, gap)
    return x


def _side_branches(layers: Layers) -> set[tuple[int, int]]:
    """Segments (upper, lower) that give way to the main line: branches off a long edge, and constants beside arrays."""
    loose = set()
    for upper, below in enumerate(layers.down):
        if layers.is_bend(upper) and any(layers.is_bend(v) for v, _ in below):
            loose |= {(upper, v) for v, _ in below if not layers.is_bend(v)}
    for lower, above in enumerate(layers.up):
        leaves = {(u, lower) for u, _ in above if layers.is_leaf(u)}
        if len(leaves) < len(above):
            loose |= leaves
    return loose


def _crossing_long_edges(layers: Layers) -> set[tuple[int, int]]:
    """Segments (upper, lower) that cross one between two bends: they give way, so that long edges are straight."""
    position = {v: i for row in layers.rows for i, v in enumerate(row)}
    loose = set()
    for row in layers.rows[1:]:
        start, left = 0, -1
        for i, v in enumerate(row):
            above = [u for u, _ in layers.up[v] if layers.is_bend(u)] if layers.is_bend(v) else []
            if not above and i < len(row) - 1:
                continue
            right = position[above[0]] if above else len(position)
            for lower in row[start : i + 1]:
                for upper, _ in layers.up[lower]:
                    long = layers.is_bend(upper) and layers.is_bend(lower)
                    if not left <= position[upper] <= right and not long:
                        loose.add((upper, lower))
            start, left = i + 1, right
    return loose


def _blocks(rows: Sequence[Sequence[int]], above: list[list[int]]) -> list[int]:
    """For each vertex the first one of its block; blocks are filled from the top and from the left."""
    root = list(range(len(above)))
    position = {v: i for row in rows for i, v in enumerate(row)}
    for row in rows[1:]:
        taken = -1
        for v in row:
            neighbours = sorted(set(above[v]), key=position.__getitem__)
            for u in dict.fromkeys(neighbours[(len(neighbours) - 1) // 2 : len(neighbours) // 2 + 1]):
                if root[v] == v and position[u] > taken:
                    root[v] = root[u]
                    taken = position[u]
    return root


def _push_left(rows: Sequence[Sequence[int]], root: list[int], gap: Gap) -> list[float]:
    """Coordinates that keep all gaps: blocks as far left as they go, then back right as far as their neighbours let."""
    left: dict[int, dict[int, float]] = {block: {} for block in root}
    right: dict[int, dict[int, float]] = {block: {} for block in root}
    for row in rows:
        for u, v in pairwise(row):
            distance = max(gap(u, v), left[root[v]].get(root[u], 0.0))
            left[root[v]][root[u]] = right[root[u]][root[v]] = distance
    order = list(TopologicalSorter(left).static_order())
    x: dict[int, float] = {}
    for block in order:
        x[block] = max((x[other] + distance for other, distance in left[block].items()), default=0.0)
    for block in reversed(order):
        x[block] = min((x[other] - distance for other, distance in right[block].items()), default=x[block])
    return [x[block] for block in root]


def _agree(candidates: list[list[float]]) -> list[float]:
    """The mean of the two middle candidates for each vertex, after all are moved over the narrowest one."""
    spans = [(min(x), max(x)) for x in candidates]
    low, high = min(spans, key=lambda span: span[1] - span[0])
    for i, (x, span) in enumerate(zip(candidates, spans, strict=True)):
        shift = low - span[0] if i % 2 == 0 else high - span[1]
        candidates[i] = [place + shift for place in x]
    return [mean(sorted(places)[1:3]) for places in zip(*candidates, strict=True)]


def _draw_near(layers: Layers, x: list[float], gap: Gap) -> None:
    """Move leaves towards their users as far as their neighbours in the row let them."""
    for row in layers.rows:
        for i, v in enumerate(row):
            if layers.is_leaf(v):
                least = x[row[i - 1]] + gap(row[i - 1], v) if i else -inf
                most = x[row[i + 1]] - gap(v, row[i + 1]) if i + 1 < len(row) else inf
                x[v] = min(max(x[layers.down[v][0][0]], least), most)
