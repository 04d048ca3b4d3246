"""The memory that NumPy takes for itself while it runs an op, on top of operands and result.

Each rule is what was measured with tracemalloc on NumPy 2.4, as a function of shapes and dtypes; buffers of constant
size (casts take up to 64 KiB at a time) are left out. `tests/test_workspace.py` measures every op again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from lazyxp.node import Node
from lazyxp.schedule import nbytes

Rule = Callable[[Node], float]


def workspace(node: Node) -> int:
    """The bytes that NumPy allocates while it computes `node`, and has freed when the result is there."""
    rule = _RULES.get(node.op.name)
    return 0 if rule is None else max(0, int(rule(node)))


def size(node: Node) -> int:
    """The number of elements; a side that is not known counts as 0."""
    return math.prod([n or 0 for n in node.shape])


def _first(node: Node) -> Node:
    return node.args[0]


def _per_element(number: float, kinds: str) -> Rule:
    """So many bytes for each element, where the operand is of one of these kinds."""
    return lambda node: number * size(node) if _first(node).dtype.kind in kinds else 0


def _operand(node: Node) -> int:
    return nbytes(_first(node))


# --- elementwise, creation, movement ---------------------------------------------------------------------------------


def _sign(node: Node) -> int:
    return nbytes(node) + size(node) if node.dtype.kind == "c" else 0


def _round(node: Node) -> int:
    return nbytes(node) // 2 if node.dtype.kind == "c" else 0


def _linspace(node: Node) -> int:
    return 0 if node.dtype in ("float64", "complex128") else 8 * size(node)


def _fftfreq(node: Node) -> int:
    n = size(node)
    return 16 * n if node.dtype.itemsize == 8 else 20 * n


def _rfftfreq(node: Node) -> int:
    return 8 * size(node) if node.dtype.itemsize == 8 else 12 * size(node)


def _tile(node: Node) -> int:
    """Tiled axis by axis: what the axes before the last one made."""
    repetitions = node.params["repetitions"]
    tiled = [r for r in repetitions if r != 1]
    return nbytes(node) // int(tiled[-1]) if len(tiled) > 1 and tiled[-1] else 0


def _triangle(node: Node) -> int:
    """A mask of one matrix."""
    return math.prod([n or 0 for n in node.shape[-2:]])


def _diff(node: Node) -> float:
    (x,) = node.args
    n = node.params["n"]
    side = x.shape[node.params["axis"]]
    return 0 if n < 2 or not side else nbytes(x) * (side - n + 1) / side


# --- reductions, scans, sorting, searching, sets ---------------------------------------------------------------------


def _count_nonzero(node: Node) -> int:
    (x,) = node.args
    whole = len(node.params["axis"]) == len(x.shape) and not node.params["keepdims"]
    return 0 if whole or x.dtype.kind == "b" else size(x)


def _cast_first(node: Node) -> int:
    return nbytes(node) if _first(node).dtype != node.dtype else 0


def _arg(node: Node) -> int:
    """A copy in which the axis is the last one."""
    axis = node.params.get("axis")
    return 0 if axis is None or axis in (-1, len(_first(node).shape) - 1) else _operand(node)


def _argsort(node: Node) -> int:
    return nbytes(node) if node.params["descending"] else 0


def _norm(node: Node) -> float:
    (x,) = node.args
    order = node.params.get("ord", 2)
    if order in (2, "fro") and (order == "fro" or node.op.name == "linalg.vector_norm"):
        return nbytes(x)
    magnitudes: int = size(x) * (x.dtype.itemsize // 2 if x.dtype.kind == "c" else x.dtype.itemsize)
    if node.op.name == "linalg.matrix_norm" and order in (2, -2, "nuc"):
        return _in_double(node)
    return magnitudes + size(x) if order == 0 else magnitudes


def _unique(results: int, overhead: int) -> Rule:
    """Sorted copies, a permutation, and a mask."""

    def rule(node: Node) -> int:
        x = node.args[0]
        itemsize: int = x.dtype.itemsize
        return size(x) * (results * itemsize + overhead)

    return rule


def _isin(node: Node) -> int:
    x, y = node.args
    return 18 * size(x) if x.dtype.kind in "biu" else 44 * (size(x) + size(y))


# --- contractions and linear algebra ---------------------------------------------------------------------------------


def _tensordot(node: Node) -> int:
    """Copies of operands whose contracted axes do not lie next to each other, in order."""
    total = 0
    for x, axes in zip(node.args, node.params["axes"], strict=True):
        free = tuple(i for i in range(len(x.shape)) if i not in axes)
        if not (_is_run(free) and _is_run(axes)):
            total += nbytes(x)
    return total


def _is_run(axes: tuple[int, ...]) -> bool:
    return axes == tuple(range(axes[0], axes[0] + len(axes))) if axes else True


def _is_single(node: Node) -> bool:
    """Whether LAPACK runs in double precision on copies."""
    x = _first(node)
    return bool(x.dtype.itemsize == (8 if x.dtype.kind == "c" else 4))


def _in_double(node: Node) -> int:
    """The operands and the results in double precision, of which the result itself is half."""
    return 2 * sum([nbytes(a) for a in node.args]) + nbytes(node) if _is_single(node) else 0


def _matrix_power(node: Node) -> int:
    n = abs(node.params["n"])
    if n == 0:
        rows = node.shape[-1] or 0
        return int(rows * rows * node.dtype.itemsize)  # one identity, which is written into each matrix
    inverse = nbytes(node) if node.params["n"] < 0 else 0
    if n < 3:
        return inverse
    return inverse + nbytes(node) * (1 if n == 3 or n & (n - 1) == 0 else 2)


def _sides(node: Node) -> tuple[int, int, int]:
    """Rows, columns and number of the matrices of the operand."""
    shape = [n or 0 for n in _first(node).shape]
    return shape[-2], shape[-1], math.prod(shape[:-2])


def _qr(node: Node) -> int:
    m, n, _ = _sides(node)
    x = _first(node)
    q, _ = node.shape
    width: int = math.prod([s or 0 for s in q]) * x.dtype.itemsize
    if _is_single(node):
        return 2 * nbytes(x) + nbytes(node) + width
    return nbytes(x) + min(m, n) * n


def _pinv(node: Node) -> int:
    m, n, count = _sides(node)
    k = min(m, n)
    x = _first(node)
    factors: int = (m * k + k * n) * count * x.dtype.itemsize
    last: int = factors + m * k * count * x.dtype.itemsize
    if x.dtype.kind == "c":
        last += nbytes(x)
    return max(last, 2 * nbytes(x) + 2 * factors - nbytes(node)) if _is_single(node) else last


# --- Fourier transforms ----------------------------------------------------------------------------------------------


def transforms(node: Node) -> list[tuple[int, int]]:
    """The axes along which `node` transforms, and the number of points along each."""
    params = node.params
    axes: tuple[int, ...] = params["axes"] if "axes" in params else (params["axis"],)
    lengths: tuple[int | None, ...] = params["s"] if "axes" in params else (params["n"],)
    lengths = lengths or (None,) * len(axes)
    whole = _first(node) if node.op.name in ("fft.rfft", "fft.rfftn", "fft.ihfft") else node
    return [(i, whole.shape[i] or 0 if n in (None, -1) else n) for i, n in zip(axes, lengths, strict=True)]


def _to_double(elements: float, produced: float) -> float:
    """A transform in double precision of data in single precision: both sides as complex128."""
    return 16 * elements + 16 * produced


def _half(node: Node) -> bool:
    """Whether the result is in single precision."""
    return bool(node.dtype.itemsize == (8 if node.dtype.kind == "c" else 4))


def _fft(node: Node) -> float:
    x = _first(node)
    if _half(node):
        return _to_double(size(x), size(node))
    return 0 if x.dtype.kind == "c" else 16 * size(x)


def _ifft(node: Node) -> float:
    x = _first(node)
    if x.dtype.kind == "c":
        return 0
    return _to_double(size(x), size(node)) if _half(node) else 16 * size(x)


def _rfft(node: Node) -> float:
    return 8 * size(_first(node)) + 16 * size(node) if _half(node) else 0


def _hfft(node: Node) -> float:
    """The conjugate, and in single precision both sides in double."""
    return _operand(node) + (16 * size(_first(node)) + 8 * size(node) if _half(node) else 0)


def _many(forward: bool, real: bool) -> Rule:
    """Transforms axis by axis, the last one first: the result of the step before is held."""

    def rule(node: Node) -> float:
        shape = [n or 0 for n in _first(node).shape]
        item = 8 if _half(node) else 16
        most = 0.0
        held = 0.0
        before = math.prod(shape)
        for step, (axis, n) in enumerate(reversed(transforms(node))):
            shape[axis] = n // 2 + 1 if real and step == 0 else n
            after = math.prod(shape)
            work = held
            if real and step == 0:
                work += 8 * before + 16 * after if _half(node) else 0
            elif _half(node) and (forward or (step == 0 and _first(node).dtype.kind != "c")):
                work += _to_double(before, after)
            elif step == 0 and _first(node).dtype.kind != "c":
                work += 16 * before
            most = max(most, work + item * after)
            held = item * after
            before = after
        return most - nbytes(node)

    return rule


def _irfftn(node: Node) -> float:
    """Complex transforms along all axes but the last, each of which holds the one before."""
    shape = [n or 0 for n in _first(node).shape]
    item = 8 if _half(node) else 16
    held = 0.0
    most = float(nbytes(node))
    for axis, n in transforms(node)[:-1]:
        shape[axis] = n
        after = item * math.prod(shape)
        most = max(most, held + after)
        held = after
    return max(most, held + nbytes(node)) - nbytes(node)


_RULES: Mapping[str, Callable[[Any], float]] = {
    "sign": _sign,
    "round": _round,
    "expm1": _per_element(2, "c"),
    "tanh": _per_element(3, "c"),
    "floor_divide": _per_element(3, "f"),
    "linspace": _linspace,
    "fft.fftfreq": _fftfreq,
    "fft.rfftfreq": _rfftfreq,
    "tile": _tile,
    "tril": _triangle,
    "triu": _triangle,
    "diff": _diff,
    "var": _operand,
    "std": _operand,
    "count_nonzero": _count_nonzero,
    "cumulative_sum": _cast_first,
    "cumulative_prod": _cast_first,
    "argmax": _arg,
    "argmin": _arg,
    "argsort": _argsort,
    "linalg.vector_norm": _norm,
    "linalg.matrix_norm": _norm,
    "unique_all": _unique(2, 17),
    "unique_inverse": _unique(2, 17),
    "unique_counts": _unique(1, 2),
    "unique_values": _unique(1, 1),
    "isin": _isin,
    "tensordot": _tensordot,
    "linalg.cross": lambda node: nbytes(node) * 7 / 3,
    "linalg.matrix_power": _matrix_power,
    "linalg.qr": _qr,
    "linalg.pinv": _pinv,
    **{
        f"linalg.{name}": _in_double
        for name in (
            *("cholesky", "eig", "eigh", "eigvals", "eigvalsh", "svd", "svdvals", "det", "inv", "matrix_rank"),
            *("slogdet", "solve"),
        )
    },
    "fft.fft": _fft,
    "fft.ifft": _ifft,
    "fft.rfft": _rfft,
    "fft.hfft": _hfft,
    "fft.fftn": _many(True, False),
    "fft.ifftn": _many(False, False),
    "fft.rfftn": _many(True, True),
    "fft.irfftn": _irfftn,
}
