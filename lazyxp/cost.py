"""What nodes cost: floating-point operations, and the bytes that they read and write.

An operation is what changes one element: a function counts as one, however hard it is. Views cost nothing. What depends
on a length that is not known yet counts as nothing, so that totals are lower bounds then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lazyxp.kernel import KERNEL, NO_AXIS, Kernel, reduces
from lazyxp.node import Node
from lazyxp.schedule import nbytes
from lazyxp.sliding import SLIDING
from lazyxp.workspace import size, transforms

# Ops whose results are views of their first operand on NumPy; `reshape` is one unless the operand is no row of memory.
VIEWS = frozenset(
    (
        *("getitem", "permute_dims", "reshape", "expand_dims", "squeeze", "flip", "broadcast_to", "linalg.diagonal"),
        *("real", "imag", "output"),
    )
)
# Ops that read only the parts of their first operand that they give.
_PICKING = frozenset(("gather", "take", "take_along_axis", "tril", "triu", "linalg.trace"))


class Cost(NamedTuple):
    """What one node costs.

    Attributes
    ----------
    flops : int
        Operations on elements.
    read, written : int
        Bytes of the operands, and of the result.
    """

    flops: int
    read: int
    written: int


FREE = Cost(0, 0, 0)


def cost_of(node: Node) -> Cost:
    """What `node` costs."""
    op = node.op
    name = op.name
    if op.kind == "source" or name in VIEWS:
        return FREE
    written = nbytes(node)
    args = node.args
    if op is KERNEL:
        kernel = node.params["kernel"]
        read = sum([nbytes(a) for a in args[: len(kernel.inputs)]])
        return Cost(_of_kernel(kernel), read, sum(map(nbytes, kernel.kept)))
    if op is SLIDING:
        sliding = node.params["sliding"]
        flops = sum([_of_kernel(stage.kernel) for stage in sliding.stages])
        return Cost(flops, sum(map(nbytes, args)), sum(map(nbytes, sliding.kernel.kept)))
    if op.kind == "read":
        return Cost(0, written, written)
    read = written + sum([nbytes(a) for a in args[1:]]) if name in _PICKING else sum([nbytes(a) for a in args])
    count = _FLOPS.get(name) or _KINDS.get(op.kind)
    return Cost(0 if count is None else int(count(node)), read, written)


def is_unknown(node: Node) -> bool:
    """Whether a side of the result is not known yet."""
    if type(node.dtype) is tuple:
        return any(None in shape for shape in node.shape)
    return None in node.shape


# --- by kind ---------------------------------------------------------------------------------------------------------


def _operand(node: Node) -> int:
    return size(node.args[0])


def _sorting(node: Node) -> float:
    n = _operand(node)
    axis = node.params.get("axis")
    along = n if axis is None else node.args[0].shape[axis] or 0
    return n * math.log2(max(along, 2))


def _of_kernel(kernel: Kernel) -> int:
    """The operations of the body, which no block does twice."""
    total = 0
    for one in kernel.body:
        if (one.node.op.kind in ("elementwise", "cast") or reduces(one.node)) and one.node.op.name not in VIEWS:
            weight = _SPREAD if one.node.op.name in ("var", "std") else 1
            axes = [a for a in (*one.axes, *one.reduced) if a != NO_AXIS]
            total += weight * math.prod([0 if a in kernel.unknown else kernel.lengths[a] for a in axes])
    return total


# A mean, differences from it, their squares, and the sum of those.
_SPREAD = 4

_KINDS: Mapping[str, Callable[[Node], float]] = {
    "elementwise": size,
    "cast": size,
    "reduction": _operand,
    "scan": size,
    "search": _operand,
    "sort": _sorting,
    "set": _sorting,
}


# --- contractions ----------------------------------------------------------------------------------------------------


def _matmul(node: Node) -> int:
    return 2 * size(node) * (node.args[0].shape[-1] or 0)


def _tensordot(node: Node) -> int:
    first, _ = node.params["axes"]
    contracted: int = math.prod([node.args[0].shape[i] or 0 for i in first])
    return 2 * size(node) * contracted


def _vecdot(node: Node) -> int:
    return 2 * size(node) * (node.args[0].shape[node.params["axis"]] or 0)


def _trace(node: Node) -> int:
    return math.prod([n or 0 for n in node.args[0].shape[:-1]])


# --- matrices --------------------------------------------------------------------------------------------------------


def _matrices(count: Callable[[int, int], float]) -> Callable[[Node], float]:
    """`count` of the longer and the shorter side, for each matrix of the first operand."""

    def flops(node: Node) -> float:
        *stack, m, n = [n or 0 for n in node.args[0].shape]
        return math.prod(stack) * count(max(m, n), min(m, n))

    return flops


def _svd(m: int, n: int) -> float:
    return 4 * m * m * n + 8 * m * n * n + 9 * n**3


def _values(m: int, n: int) -> float:
    return 2 * m * n * n + 2 * n**3


def _solve(node: Node) -> float:
    n: int = node.args[0].shape[-1] or 0
    stack: int = math.prod([k or 0 for k in node.shape[: len(node.args[0].shape) - 2]])
    each = 2 / 3 * float(n**3)
    return each * stack + 2 * n * size(node)


def _power(node: Node) -> float:
    *stack, _, n = [k or 0 for k in node.shape]
    power = abs(node.params["n"])
    products = max(0, power.bit_length() + power.bit_count() - 2) + (node.params["n"] < 0)
    return float(2 * products * n**3 * math.prod(stack))


def _matrix_norm(node: Node) -> float:
    if node.params.get("ord", "fro") in (2, -2, "nuc"):
        return _matrices(_values)(node)
    return 2 * _operand(node)


# --- Fourier transforms ----------------------------------------------------------------------------------------------


def _transform(node: Node) -> float:
    """5 n log2 n for each transform; half of it where one side is real."""
    shape = [k or 0 for k in node.args[0].shape]
    real = node.dtype.kind != "c" or node.args[0].dtype.kind != "c"
    total = 0.0
    for axis, n in transforms(node):
        shape[axis] = n
        total += 5 * math.prod(shape) * math.log2(max(n, 2))
    return total / 2 if real else total


_FLOPS: Mapping[str, Callable[[Node], float]] = {
    "var": lambda node: _SPREAD * _operand(node),
    "std": lambda node: _SPREAD * _operand(node),
    "linalg.vector_norm": lambda node: 2 * _operand(node),
    "linalg.matrix_norm": _matrix_norm,
    "linalg.trace": _trace,
    "diff": lambda node: node.params["n"] * size(node),
    "searchsorted": lambda node: size(node) * math.log2(max(_operand(node), 2)),
    "arange": size,
    "linspace": size,
    "matmul": _matmul,
    "tensordot": _tensordot,
    "vecdot": _vecdot,
    "linalg.outer": size,
    "linalg.cross": lambda node: 3 * size(node),
    "linalg.cholesky": _matrices(lambda m, n: n**3 / 3),
    "linalg.eig": _matrices(lambda m, n: 25 * n**3),
    "linalg.eigh": _matrices(lambda m, n: 9 * n**3),
    "linalg.eigvals": _matrices(lambda m, n: 10 * n**3),
    "linalg.eigvalsh": _matrices(lambda m, n: 4 / 3 * n**3),
    "linalg.qr": _matrices(lambda m, n: 4 * m * n**2 - 4 / 3 * n**3),
    "linalg.svd": _matrices(_svd),
    "linalg.svdvals": _matrices(_values),
    "linalg.matrix_rank": _matrices(_values),
    "linalg.pinv": _matrices(lambda m, n: _svd(m, n) + 2 * m * n * n),
    "linalg.matrix_power": _power,
    "linalg.det": _matrices(lambda m, n: 2 / 3 * n**3),
    "linalg.slogdet": _matrices(lambda m, n: 2 / 3 * n**3),
    "linalg.inv": _matrices(lambda m, n: 2 * n**3),
    "linalg.solve": _solve,
    **{
        f"fft.{name}": _transform
        for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn")
    },
}
