"""concat and stack: of one array, of joined arrays, of the parts of one array."""

from __future__ import annotations

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, any_call
from lazyxp.optimizers.rules.common import filled

# Joins of more are not seen as one: a long chain of joins would be quadratic work.
_MOST = 32
_ALL = slice(None, None, None)


def _concat_of_one(m: Match) -> Node | None:
    return m.node.args[0] if len(m.node.args) == 1 else None


def _stack_of_one(m: Match) -> Node | None:
    args = m.node.args
    return m.make("expand_dims", args[0], axis=(m.node.params["axis"],)) if len(args) == 1 else None


def _without_empty(m: Match) -> Node | None:
    axis = m.node.params["axis"]
    kept = [a for a in m.node.args if a.shape[axis] != 0] or m.node.args[:1]
    if len(kept) == len(m.node.args) or any(None in a.shape for a in m.node.args):
        return None
    return m.make("concat", *kept, axis=axis)


def _flattened(m: Match) -> Node | None:
    axis = m.node.params["axis"]
    args: list[Node] = []
    for arg in m.node.args:
        args += arg.args if arg.op.name == "concat" and arg.params["axis"] == axis else (arg,)
    return m.make("concat", *args, axis=axis) if len(m.node.args) < len(args) <= _MOST else None


def _source(m: Match) -> Node | None:
    """The array that all operands select from, if its shape is known."""
    source = m.node.args[0].args[0] if m.node.args[0].op.name == "getitem" else None
    if source is None or None in source.shape:
        return None
    return source if all(a.op.name == "getitem" and a.args[0] is source for a in m.node.args) else None


def _adjacent(m: Match) -> Node | None:
    """Slices that follow one another along the axis, and are the same along the others, are one slice."""
    axis, source = m.node.params["axis"], _source(m)
    if source is None:
        return None
    keys = [a.params["key"] for a in m.node.args]
    first = keys[0]
    if any(type(e) is not slice for key in keys for e in key):
        return None
    after = first[axis].start
    for key in keys:
        part = key[axis]
        if part.start != after or part.stop is None or part.step != 1:
            return None
        if key[:axis] != first[:axis] or key[axis + 1 :] != first[axis + 1 :]:
            return None
        after = part.stop
    return m.make("getitem", source, key=(*first[:axis], slice(first[axis].start, after, 1), *first[axis + 1 :]))


def _unstacked(m: Match) -> Node | None:
    """Every index of an axis in order, stacked along the same axis."""
    axis, source = m.node.params["axis"], _source(m)
    if source is None or len(source.shape) <= axis or source.shape[axis] != len(m.node.args):
        return None
    before, behind = (_ALL,) * axis, (_ALL,) * (len(source.shape) - axis - 1)
    return source if all(a.params["key"] == (*before, i, *behind) for i, a in enumerate(m.node.args)) else None


def _full(m: Match) -> Node | None:
    values = {(a.op.name, repr(a.params.get("fill_value"))) for a in m.node.args}
    return filled(m, m.node.args[0].params["fill_value"]) if len(values) == 1 and values.pop()[0] == "full" else None


_concat, _stack = any_call("concat"), any_call("stack")
JOINING = (
    Rule("concat of one", "exact", _concat, _concat_of_one, moves=True),
    Rule("stack of one", "exact", _stack, _stack_of_one, moves=True),
    Rule("concat with nothing", "exact", _concat, _without_empty, moves=True),
    Rule("concat of concat", "exact", _concat, _flattened, moves=True),
    Rule("concat of adjacent slices", "exact", _concat, _adjacent, moves=True),
    Rule("stack of all indices", "exact", _stack, _unstacked, moves=True),
    Rule("full arrays joined", "exact", any_call("concat stack"), _full, moves=True),
)
