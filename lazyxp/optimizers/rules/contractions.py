"""Products that are one of their operands, and what is known of symmetric ones."""

from __future__ import annotations

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, any_call, call, x, y


def _is_identity(node: Node) -> bool:
    params = node.params
    return bool(params["n_rows"] == params["n_cols"] and params["k"] == 0)


def _other_operand(m: Match) -> Node | None:
    return m.x if _is_identity(m.eye) and m.x.shape == m.node.shape else None


def _other_integers(m: Match) -> Node | None:
    return _other_operand(m) if m.node.dtype.kind in "iu" else None


def _is_matrix_transpose(node: Node) -> bool:
    n = len(node.shape)
    return bool(node.params["axes"] == (*range(n - 2), n - 1, n - 2))


def _symmetric(m: Match) -> Node | None:
    """``x.mT @ x`` or ``x @ x.mT``, whose elements (i, j) and (j, i) are sums of the same products."""
    if len(m.product.shape) < 2 or not _is_matrix_transpose(m.node):
        return None
    for one, other in (m.product.args, m.product.args[::-1]):
        if one.op.name == "permute_dims" and one.args[0] is other and _is_matrix_transpose(one):
            return m.product
    return None


def _symmetric_integers(m: Match) -> Node | None:
    return _symmetric(m) if m.node.dtype.kind in "iu" else None


_EYE = any_call("eye", name="eye")

CONTRACTIONS = (
    Rule("product of integers with an identity", "exact", call("matmul", _EYE, x), _other_integers, moves=True),
    Rule("integers times an identity", "exact", call("matmul", x, _EYE), _other_integers, moves=True),
    Rule("product with an identity", "finite", call("matmul", _EYE, x), _other_operand),
    Rule("matrix times an identity", "finite", call("matmul", x, _EYE), _other_operand),
    Rule(
        "transpose of a symmetric product of integers",
        "exact",
        call("permute_dims", call("matmul", x, y, name="product")),
        _symmetric_integers,
        moves=True,
    ),
    Rule(
        "transpose of a symmetric product",
        "rounding",
        call("permute_dims", call("matmul", x, y, name="product")),
        _symmetric,
    ),
)
