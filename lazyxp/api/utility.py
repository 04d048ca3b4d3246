"""Utility functions: tests of truth over axes, and differences along one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp import dtypes, options
from lazyxp.api import joining, manipulation
from lazyxp.api.recording import at_least, common, copy_of, operand, record
from lazyxp.node import Meta, Op, describe
from lazyxp.shapes import as_index, normalize_axes, normalize_axis, reduced

if TYPE_CHECKING:
    from lazyxp.api.array import Array
    from lazyxp.typing import ArrayLike, Axes


def _infer_test(x: Meta, *, axis: tuple[int, ...], keepdims: bool) -> Meta:
    return Meta(reduced(x.shape, axis, keepdims), dtypes.bool)


def _infer_diff(x: Meta, *, axis: int, n: int) -> Meta:
    side = x.shape[axis]
    length = None if side is None else side - n if side > n else 0
    return Meta((*x.shape[:axis], length, *x.shape[axis + 1 :]), x.dtype)


ALL = Op("all", "reduction", _infer_test, identity=True)
ANY = Op("any", "reduction", _infer_test, identity=False)
DIFF = Op("diff", "scan", _infer_diff)


def all(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Test whether every element along axes is true.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype; numbers are true unless they are zero.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        Booleans, in the shape of `x` without the reduced axes.

    Raises
    ------
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    All of no elements is True. NaN and infinities are true; a complex number is if either of its parts is.

    References
    ----------
    Array API standard 2025.12, utility functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.all(xp.asarray([[True, False], [True, True]]), axis=1).compute()
    array([False,  True])
    """
    x = operand(x, "all", "all")
    return record(ALL, x, axis=normalize_axes(axis, x.ndim, "all"), keepdims=bool(keepdims))


def any(x: ArrayLike, /, *, axis: Axes = None, keepdims: bool = False) -> Array:
    """Test whether at least one element along axes is true.

    Parameters
    ----------
    x : ArrayLike
        Elements of any dtype; numbers are true unless they are zero.
    axis : int, tuple of ints or None
        The axes to reduce, all of them if None; negative ones count from the last.
    keepdims : bool
        Whether reduced axes stay in the result with length 1.

    Returns
    -------
    Array
        Booleans, in the shape of `x` without the reduced axes.

    Raises
    ------
    ValueError
        If an axis is out of bounds or repeated.

    Notes
    -----
    Any of no elements is False. NaN and infinities are true; a complex number is if either of its parts is.

    References
    ----------
    Array API standard 2025.12, utility functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> bool(xp.any(xp.asarray([0.0, float("nan")])))
    True
    """
    x = operand(x, "all", "any")
    return record(ANY, x, axis=normalize_axes(axis, x.ndim, "any"), keepdims=bool(keepdims))


def diff(
    x: ArrayLike,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: ArrayLike | None = None,
    append: ArrayLike | None = None,
) -> Array:
    """Subtract each element from the next along an axis, `n` times over.

    Parameters
    ----------
    x : ArrayLike
        Numbers, in at least one dimension. Booleans give whether neighbours differ as in NumPy, refused under
        ``strict=True``.
    axis : int
        The axis to go along; a negative one counts from the last.
    n : int
        How often to take differences; 0 leaves the elements as they are.
    prepend, append : ArrayLike, optional
        What to put before and after `x` along `axis` first: of the shape of `x` but for the length of `axis`. As in
        NumPy, scalars stand for one such element everywhere, and other dtypes promote; both are refused under
        ``strict=True`` where the standard does not define them.

    Returns
    -------
    Array
        The differences, in the dtype of `x` (promoted with those of `prepend` and `append`) and in its shape, but
        shorter by `n` along `axis`, not below 0, after what was prepended and appended.

    Raises
    ------
    TypeError
        If `n` is not an integer; under ``strict=True``, if an operand is boolean or the dtypes do not promote.
    ValueError
        If `x` is 0-d, the axis is out of bounds, `n` is negative, or `prepend` or `append` does not fit `x`.

    Notes
    -----
    Differences of unsigned integers wrap around.

    References
    ----------
    Array API standard 2025.12, utility functions.

    Examples
    --------
    >>> import lazyxp as xp
    >>> x = xp.asarray([1, 4, 9, 16])
    >>> xp.diff(x).compute()
    array([3, 5, 7])
    >>> xp.diff(x, n=2, prepend=xp.asarray([0])).compute()
    array([2, 2, 2])
    """
    x = at_least(operand(x, "numeric", "diff"), 1, "diff")
    axis = normalize_axis(axis, x.ndim, "diff")
    n = as_index(n, "diff: n")
    if n < 0:
        raise ValueError(f"diff: n must not be negative, got {n}")
    parts = [_edge(prepend, x, axis, "prepend"), x, _edge(append, x, axis, "append")]
    whole, *others = common("diff", *[part for part in parts if part is not None])
    if others:
        whole = joining.concat([whole, *others], axis=axis)
    return record(DIFF, whole, axis=axis, n=n) if n else copy_of(whole)


def _edge(edge: ArrayLike | None, x: Array, axis: int, name: str) -> Array | None:
    """`edge` as an Array that can be joined to `x` along `axis`."""
    if edge is None:
        return None
    edge = operand(edge, "numeric", "diff")
    if edge.ndim == 0 and not options.current().strict:
        sides = x._node.shape
        if None in (*sides[:axis], *sides[axis + 1 :]):
            sides = x.shape
        return manipulation.broadcast_to(copy_of(edge), (*sides[:axis], 1, *sides[axis + 1 :]))
    wanted, given = x._node.shape, edge._node.shape
    if len(wanted) != len(given) or [
        i for i, (m, n) in enumerate(zip(wanted, given, strict=True)) if i != axis and None not in (m, n) and m != n
    ]:
        raise ValueError(
            f"diff: shape mismatch: {name} {describe(edge._node)} must have the shape of x {describe(x._node)}, "
            f"except along axis {axis}"
        )
    return edge
