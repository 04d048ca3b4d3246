"""What nodes would be in a kernel."""

from __future__ import annotations

from lazyxp.kernel import POSITIONS, reduced_dims
from lazyxp.node import Node, Op

MAP, REDUCTION, VIEW, SCAN, TAKE = 1, 2, 3, 4, 5
_REDUCTIONS = frozenset(("sum", "prod", "max", "min", "any", "all", "count_nonzero", "mean", "var", "std"))
_SCANS = frozenset(("cumulative_sum", "cumulative_prod"))
_VIEWS = frozenset(("expand_dims", "squeeze", "broadcast_to", "permute_dims"))
_ALL = slice(None)


def role(node: Node) -> int:
    """What `node` would be in a kernel: MAP, REDUCTION, VIEW, SCAN, TAKE, or 0 for none."""
    if type(node.dtype) is tuple:
        return 0
    known = _role_of.get(node.op)
    if known is None:
        known = _role_of[node.op] = _role(node.op)
    if known == MAP:
        # Negative integer powers raise: the error must name the op.
        return MAP if node.op.name != "pow" or node.dtype.kind in "fc" else 0
    if known == REDUCTION:
        return REDUCTION if _is_reducible(node) else 0
    if known == SCAN:
        return SCAN if not node.params["include_initial"] and node.shape[node.params["axis"]] != 1 else 0
    if known == TAKE:
        return TAKE if _takes_several(node) else 0
    if node.op.name == "getitem":
        return VIEW if all(e is None or e == _ALL for e in node.params["key"]) else 0
    return known


def _role(op: Op) -> int:
    if op.kind in ("elementwise", "cast"):
        return MAP
    if op.name in _REDUCTIONS or op.name in POSITIONS:
        return REDUCTION
    if op.name in _SCANS:
        return SCAN
    if op.name == "take":
        return TAKE
    return VIEW if op.name in _VIEWS else 0


_role_of: dict[Op, int] = {}


def _is_reducible(node: Node) -> bool:
    """Whether a reduction has something to reduce; a position has to be one along a single axis."""
    (x,) = node.args
    along = reduced_dims(node, len(x.shape))
    if node.op.name in POSITIONS:
        return [x.shape[i] != 1 for i in along].count(True) == 1
    return bool(along)


def _takes_several(node: Node) -> bool:
    """Whether several elements are taken from several others."""
    x, index = node.args
    return len(index.shape) == 1 and index.shape[0] != 1 != x.shape[node.params["axis"]] and x is not index


def combines(node: Node) -> bool:
    """Whether a reduction can be put together from those of blocks, without overflow that was not there."""
    if node.op.name in POSITIONS:
        return False
    if node.op.name == "prod":
        return bool(node.dtype.kind in "biu")
    return True
