"""How selections go into what is read from files and stores: less is read."""

from __future__ import annotations

from lazyxp.node import Node
from lazyxp.optimizers.keys import Entries, Entry, Index, drops, key_of, parse, shape_of, within
from lazyxp.optimizers.push_ways import Way, remade, through, without


@through("read", "read")
def _read(node: Node, entries: Entries) -> Way | None:
    entries, rest = without(entries, node.shape, [i for i, e in enumerate(entries) if type(e) is Index])
    shape = node.params["shape"]
    known = parse(shape, node.params["key"])
    assert known is not None
    selected = iter(entries)
    own: list[Entry] = [e if drops(e) else within(e, next(selected)) for e in known[0]]
    if tuple(own) == known[0]:
        return None
    return Way([(node.args[0], ())], remade(node, shape_of(entries), key=key_of(tuple(own), shape)), rest)
