"""Parts that pieces of work have left, put together to outputs.

What does not depend on data is found once: these few steps run after the caches have been filled with data, where each
one costs several times what it usually does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyxp.executors.numpy.combining import mean_of, overflowed, real_product
from lazyxp.executors.numpy.llvm.lower import Finish
from lazyxp.kernel import NO_AXIS, Axes

if TYPE_CHECKING:
    from lazyxp.executors.numpy.llvm.runtime import Case

Array = np.ndarray[Any, Any]
# Makes one output of the partial results.
Finisher = Callable[[Sequence[Array], Sequence[Array]], None]

_FOLDED: dict[str, np.ufunc] = {"sum": np.add, "prod": np.multiply}
_CHOSEN: dict[str, np.ufunc] = {
    "max": np.maximum,
    "min": np.minimum,
    "any": np.logical_or,
    "all": np.logical_and,
}


def put_together(
    case: Case,
    finishers: Sequence[Finisher],
    inputs: Sequence[Array],
    partials: Sequence[Array],
    outputs: Sequence[Array],
) -> bool:
    """Make the outputs of a kernel that pieces of work have left parts of; False if these do not tell what they are."""
    if not finishers:
        return True
    with np.errstate(all="ignore"):
        for finish in finishers:
            finish(partials, outputs)
        return not any([_is_unclear(one, inputs, partials, outputs) for one in case.lowered.finishes])


def _is_unclear(finish: Finish, inputs: Sequence[Array], partials: Sequence[Array], outputs: Sequence[Array]) -> bool:
    """Whether a variance is NaN and perhaps should be infinite, because a sum of finite elements is."""
    if finish.instruction.node.op.name not in ("var", "std") or not np.isnan(outputs[finish.output]).any():
        return False
    totals = partials[finish.partials[0]]
    return totals.dtype.kind == "f" and bool(np.isinf(totals).any()) and all([np.isfinite(x).all() for x in inputs])


def finishers_of(case: Case) -> tuple[Finisher, ...]:
    """What makes the outputs of a kernel that are made of parts."""
    return tuple([_finisher(case, finish) for finish in case.lowered.finishes])


def _finisher(case: Case, finish: Finish) -> Finisher:
    one, kernel = finish.instruction, case.lowered.kernel
    first = case.lowered.partials[finish.partials[0]]
    count = math.prod([kernel.lengths[a] for a in one.reduced])
    value = _value(case, finish, first.how, count)
    axes = [a for loop in sorted(first.loops) for a in case.lowered.form.loops[loop]]
    shape = [kernel.lengths[a] for a in axes]
    order = [axes.index(a) for a in one.axes if a != NO_AXIS]

    def put(partials: Sequence[Array], outputs: Sequence[Array]) -> None:
        result = value(*[partials[i] for i in finish.partials])
        output = outputs[finish.output]
        if shape:
            result = result.reshape(shape).transpose(order).reshape(output.shape)
        output[...] = result

    return put


def _value(case: Case, finish: Finish, how: str, count: int) -> Callable[..., Any]:
    """What makes a result of its parts, its axes those of the parts."""
    one = finish.instruction
    name = one.node.op.name
    if name in ("var", "std"):
        shape, real = case.partials[finish.partials[-1]]
        sizes = _part_sizes(case, one.reduced, shape).astype(real)
        return _variance(sizes, count, one.node.params["correction"], root=name == "std")
    if name == "mean":
        return lambda parts: mean_of(_folded(np.add, parts), count)
    if how in _CHOSEN:
        return lambda parts: _CHOSEN[how].reduce(parts, axis=0)
    return lambda parts: _folded(_FOLDED[how], parts)


def _folded(merge: np.ufunc, parts: Array) -> Any:
    """All parts as one: numbers that are added with one rounding error, others in pairs, and pairs in pairs."""
    if merge is np.add and parts.ndim == 1 and parts.dtype.kind == "f":
        try:
            return parts.dtype.type(math.fsum(parts.tolist()))
        except (OverflowError, ValueError):
            pass  # beyond the largest number on the way, or infinities of both signs
    parts = parts.copy()
    n = len(parts)
    while n > 1:
        half = n // 2
        merge(parts[:half], parts[n - half : n], out=parts[:half])
        n -= half
    return parts[0]


def _variance(sizes: Array, count: int, correction: float, *, root: bool) -> Callable[..., Any]:
    """The variance from the sums, and the sums of distances and of squared distances from each part's own center.

    Seen from the mean as it is rounded, as NumPy does: ``(x - mean(x)) / std(x)`` is then never large.
    """
    degrees = count - correction
    divisor = degrees if degrees > 0 else math.nan

    def variance(totals: Array, center: Array, sums: Array, squares: Array) -> Any:
        real = squares.dtype.type
        total = _folded(np.add, totals)
        away = center - mean_of(total, count)
        apart = squares + real(2) * real_product(away, sums) + sizes * real_product(away, away)
        squared = overflowed(np.maximum(_folded(np.add, apart), real(0)), total, np.isfinite(totals).all(axis=0))
        result = squared / real(divisor)
        return np.sqrt(result) if root else result

    return variance


def _part_sizes(case: Case, reduced: Axes, shape: tuple[int, ...]) -> Array:
    """How many elements each part stands for, along the first axis of parts of this shape."""
    lengths, count = case.lowered.kernel.lengths, shape[0]
    whole = math.prod([lengths[a] for a in reduced])
    each = case.space.step * (whole // case.space.lengths[case.lowered.form.pieces]) if count > 1 else whole
    sizes = np.full(count, each)
    sizes[-1] = whole - (count - 1) * each
    return sizes.reshape(-1, *[1] * (len(shape) - 1))
