"""The push-down pass: what is selected of a result is selected of the operands instead, as early as it can be.

From the roots to the sources, each node learns what is asked of it: all, or selections. Where only selections are asked
of a node and computing just those is cheaper, they go through it (`push_ways`) and are asked of its operands. Then the
new graph is made, from the sources to the roots.
"""

from __future__ import annotations

from collections.abc import Sequence

from lazyxp.node import Node, Site
from lazyxp.optimizers import (  # noqa: F401  they fill HANDLERS
    push_creation,
    push_joining,
    push_movement,
    push_numeric,
    push_reading,
    push_setitem,
)
from lazyxp.optimizers.graph import Graph, sensitive_nodes
from lazyxp.optimizers.keys import (
    Entries,
    Entry,
    Index,
    is_all,
    select,
    selection_of,
    shape_of,
    size_of,
    span,
)
from lazyxp.optimizers.push_ways import HANDLERS, Way, handler_of, may_raise

_STARTS = frozenset(("getitem", "take", "gather"))
# What decides on the fill value of its result: parts of the result, made of parts of the operands, may have another.
_FILLING = frozenset(("concat", "stack", "setitem", "triangle"))
# How many selections of one node may go through it side by side, and how many nodes may be made more than there were.
_MOST_OF_ONE = 8
_MORE = 64

FAMILIES = dict.fromkeys(["elementwise", *[h.family for h in HANDLERS.values()]])
_INEXACT = (
    *("elementwise", "cast", "matmul", "tensordot", "vecdot", "outer", "cross"),
    *("reduction", "matrix reduction", "scan", "sort", "fft"),
)
REWRITES: tuple[tuple[str, str], ...] = (
    *[(f"selection before {family}", "exact") for family in FAMILIES if family != "fft"],
    *[(f"selection before {family}, inexact", "rounding") for family in _INEXACT],
    ("selections within one", "exact"),
)
_NAMES = {
    (family, exact): f"selection before {family}" if exact else f"selection before {family}, inexact"
    for family in FAMILIES
    for exact in (True, False)
}

Part = tuple[Node, Entries]
# A selection of a node, and how it is made: through the node, or of another selection that holds it.
Made = tuple[Entries, Way | Entries]


def run(graph: Graph) -> list[Node]:
    """The new roots."""
    order = graph.order()
    if not any(node.op.name in _STARTS for node in order):
        return graph.roots
    push = _Push(graph, order)
    push.ask(order)
    return push.build(order)


class _Push:
    """The state of one run of the pass."""

    def __init__(self, graph: Graph, order: list[Node]) -> None:
        self.graph = graph
        # At level exact, what is added up must stay where it is in memory.
        self.fixed = set() if "rounding" in graph.allowed else sensitive_nodes(graph.roots, order)
        self.whole = set(graph.roots)
        self.raising = _raising(order)
        self.asked: dict[Node, dict[Entries, None]] = {}
        self.ways: dict[Node, list[Made]] = {}
        self.starts: dict[Node, tuple[Entries, tuple[int, ...]]] = {}
        self.spare = len(order) // 2 + _MORE
        self.has_index = False
        # Where the user indexed with each array: that line is told if it is out of bounds.
        self.index_sites: dict[Node, Site] = {}

    # --- from the roots to the sources -------------------------------------------------------------------------------

    def ask(self, order: list[Node]) -> None:
        """Find out for each node what is needed of it."""
        whole, asked = self.whole, self.asked
        for node in reversed(order):
            if node not in whole:
                parts = asked.pop(node, None)
                if parts is None:
                    continue  # nothing needs it any more
                if self._goes_through(node, parts):
                    continue
                whole.add(node)
            if node.args:
                if node.op.name in _STARTS and node not in self.fixed and self._starts(node):
                    continue
                whole.update(node.args)

    def _starts(self, node: Node) -> bool:
        """Ask for what a node of getitem, take or gather selects."""
        found = selection_of(node)
        if found is None:
            return False
        x = node.args[0]
        if len(node.args) > 1 and 0 in x.shape:
            return False  # of nothing, NumPy selects by any index; of an operand that is not empty it would not
        self.starts[node] = found
        self.asked.setdefault(x, {})[found[0]] = None
        if len(node.args) > 1:
            self.has_index = True
            self.index_sites.setdefault(node.args[1], node.site)
            self.whole.add(node.args[1])
        return True

    def _goes_through(self, node: Node, parts: dict[Entries, None]) -> bool:
        """Whether the selections `parts` of `node` go through it; if so, they are asked of its operands."""
        handler = handler_of(node)
        if handler is None:
            return False
        if handler.family in _FILLING and not self.graph.every_element:
            return False
        if not handler.is_exact(node) and "rounding" not in self.graph.allowed:
            return False
        wanted = self._worth(node, parts)
        if wanted is None:
            return False
        found = [handler.way(node, entries) for entries in wanted]
        ways = [way for way in found if way is not None]
        if len(ways) < len(wanted):
            return False
        if self.raising and any(arg in self.raising and not _is_read(arg, ways) for arg in node.args):
            return False  # an error would not be raised any more
        if any(_is_unchecked(entries) for way in ways for _, entries in way.parts):
            return False
        made: list[Made] = [*zip(wanted, ways, strict=True)]
        self.ways[node] = made + [(entries, wanted[0]) for entries in parts if entries not in wanted]
        whole, asked = self.whole, self.asked
        if node.op.name in ("take", "gather"):
            self.has_index = True
            self.index_sites.setdefault(node.args[1], node.site)
            whole.add(node.args[1])
        for way in ways:
            for arg, entries in way.parts:
                if is_all(entries, arg.shape):
                    whole.add(arg)
                else:
                    known = asked.get(arg)
                    if known is None:
                        asked[arg] = {entries: None}
                    else:
                        known[entries] = None
        return True

    def _worth(self, node: Node, parts: dict[Entries, None]) -> list[Entries] | None:
        """The selections that are cheaper to compute than `node`: these, or one that holds them all."""
        if len(parts) > 1 and self.has_index and any(type(e) is Index for entries in parts for e in entries):
            return None  # an index may depend on the other parts
        if node.op.name == "getitem":
            return list(parts)  # a view, which costs nothing either way
        size = size_of(node.shape)
        if len(parts) == 1:
            (entries,) = parts
            return [entries] if size_of(shape_of(entries)) < size else None
        total = sum(size_of(shape_of(entries)) for entries in parts)
        hull = _hull(list(parts), node)
        held = size if hull is None else size_of(shape_of(hull))
        count = len(parts) - 1
        if total * 2 <= min(size, held) and count < _MOST_OF_ONE and count <= self.spare:
            self.spare -= count
            return list(parts)
        return [hull] if hull is not None and held < size else None

    # --- from the sources to the roots -------------------------------------------------------------------------------

    def build(self, order: list[Node]) -> list[Node]:
        """Make the new graph, and give its roots."""
        made: dict[Node, Node] = {}
        parts: dict[Part, Node] = {}
        for node in self._ordered(order) if self.has_index else order:
            ways = self.ways.get(node)
            if ways is not None:
                for entries, way in ways:
                    self._make_part(node, entries, way, made, parts)
            elif node in self.whole:
                made[node] = self._make_whole(node, made, parts)
        return [made[root] for root in self.graph.roots]

    def _ordered(self, order: list[Node]) -> list[Node]:
        """`order`, but each node behind the indices that are selected of it."""
        done: dict[Node, None] = {}
        stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(self.graph.roots)]
        while stack:
            node, is_ready = stack.pop()
            if is_ready:
                done[node] = None
            elif node not in done:
                stack.append((node, True))
                stack += [(need, False) for need in self._needs(node) if need not in done]
        return list(done)

    def _needs(self, node: Node) -> Sequence[Node]:
        """What has to be made before `node`, or before what is selected of it."""
        ways = self.ways.get(node)
        if ways is None:
            return node.args
        needs: list[Node] = []
        for entries, way in ways:
            selections = [entries]
            if isinstance(way, Way):
                for arg, own in way.parts:
                    needs.append(arg)
                    selections.append(own)
            needs += [e.node for selection in selections for e in selection if type(e) is Index]
        return needs

    def _make_whole(self, node: Node, made: dict[Node, Node], parts: dict[Part, Node]) -> Node:
        start = self.starts.get(node)
        if start is not None and node.args[0] not in self.whole:
            entries, new = start
            part = parts[node.args[0], entries]
            return self.graph.make("expand_dims", part, site=node.site, axis=new) if new else part
        return self.graph.remade(node, tuple([made[a] for a in node.args])) if node.args else node

    def _make_part(
        self, node: Node, entries: Entries, way: Way | Entries, made: dict[Node, Node], parts: dict[Part, Node]
    ) -> None:
        graph = self.graph
        if not isinstance(way, Way):
            parts[node, entries] = after = select(
                graph, parts[node, way], _inside(entries, way), self._site(entries, node)
            )
            graph.fired("selections within one", "exact", node, after)
            return
        selected = []
        for arg, own in way.parts:
            part = parts.get((arg, own))
            if part is None:
                part = made[arg]
                if not is_all(own, arg.shape):
                    part = parts[arg, own] = select(graph, part, self._new(own, made), self._site(own, node))
            selected.append(part)
        after = way.build(graph, selected)
        if way.rest is not None:
            after = select(graph, after, self._new(way.rest, made), self._site(way.rest, node))
        handler = handler_of(node)
        assert handler is not None
        is_exact = handler.is_exact(node)
        graph.fired(_NAMES[handler.family, is_exact], "exact" if is_exact else "rounding", node, after)
        parts[node, entries] = after

    def _site(self, entries: Entries, node: Node) -> Site:
        """Where `entries` of an operand of `node` were asked for, if they may be out of bounds."""
        if not self.has_index:
            return node.site
        return next((self.index_sites.get(e.node, node.site) for e in entries if type(e) is Index), node.site)

    def _new(self, entries: Entries, made: dict[Node, Node]) -> Entries:
        """`entries` with the new nodes of their indices."""
        if not self.has_index:
            return entries
        return tuple([Index(made[e.node], e.op) if type(e) is Index else e for e in entries])


def _raising(order: list[Node]) -> set[Node]:
    """The nodes that may raise an error when they are computed, or need one that may."""
    found: set[Node] = set()
    for node in order:
        if may_raise(node) or (found and not found.isdisjoint(node.args)):
            found.add(node)
    return found


def _is_read(arg: Node, ways: list[Way]) -> bool:
    return any(node is arg for way in ways for node, _ in way.parts)


def _is_unchecked(entries: Entries) -> bool:
    """Whether an index would be looked up in nothing, of which NumPy selects by any index."""
    return any(type(e) is Index for e in entries) and any(type(e) is tuple and e[1] == 0 for e in entries)


def _hull(parts: list[Entries], node: Node) -> Entries | None:
    """The smallest selection by spans that holds all of `parts`; None where there is none smaller than all."""
    hull = []
    for axis, n in enumerate(node.shape):
        low, high = n, 0
        for entries in parts:
            entry = entries[axis]
            if type(entry) is Index or n is None:
                low, high = 0, n
                break
            if type(entry) is int:
                first = last = entry
            else:
                first, length, step = entry
                if length == 0:
                    continue
                last = first + (length - 1) * step
                first, last = min(first, last), max(first, last)
            low, high = min(low, first), max(high, last + 1)
        hull.append(span(low, high - low, 1) if n is not None and low < high else (0, n, 1))
    found = tuple(hull)
    return None if is_all(found, node.shape) else found


def _inside(entries: Entries, hull: Entries) -> Entries:
    """`entries`, told for the part that `hull` selects."""
    found: list[Entry] = []
    for entry, (low, _, _) in zip(entries, hull, strict=True):
        if type(entry) is int:
            found.append(entry - low)
        elif type(entry) is Index or entry[1] == 0:
            found.append(entry)
        else:
            found.append((entry[0] - low, *entry[1:]))
    return tuple(found)
