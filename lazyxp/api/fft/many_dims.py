"""Fourier transforms along several axes."""

from __future__ import annotations

from collections.abc import Sequence

from lazyxp.api.array import Array
from lazyxp.api.fft.checks import (
    any_input,
    complex_input,
    half,
    norm_mode,
    output_length,
    points,
    real_input,
    transformed_axes,
    with_side,
)
from lazyxp.api.fft.one_dim import Norm
from lazyxp.api.recording import cast, copy_of, current, record
from lazyxp.dtypes import complex_of, real_of
from lazyxp.node import Meta, Op, Shape, describe

Lengths = tuple[int, ...] | None


def _transformed(x: Meta, s: Lengths, axes: tuple[int, ...]) -> Shape:
    """The shape of `x` with the lengths `s` along `axes`; -1 and None leave an unknown length as it is."""
    shape = x.shape
    for axis, n in zip(axes, s or (), strict=bool(s)):
        if n != -1:
            shape = with_side(shape, axis, n)
    return shape


def _infer_complex(x: Meta, *, s: Lengths, axes: tuple[int, ...], norm: str) -> Meta:
    return Meta(_transformed(x, s, axes), complex_of(x.dtype))


def _infer_to_half(x: Meta, *, s: Lengths, axes: tuple[int, ...], norm: str) -> Meta:
    shape = _transformed(x, s, axes)
    return Meta(with_side(shape, axes[-1], half(shape[axes[-1]])), complex_of(x.dtype))


def _infer_to_real(x: Meta, *, s: Lengths, axes: tuple[int, ...], norm: str) -> Meta:
    shape = _transformed(x, s, axes)
    if s is None:
        shape = with_side(shape, axes[-1], output_length(shape[axes[-1]]))
    return Meta(shape, real_of(x.dtype))


FFTN = Op("fft.fftn", "fft", _infer_complex)
IFFTN = Op("fft.ifftn", "fft", _infer_complex)
RFFTN = Op("fft.rfftn", "fft", _infer_to_half)
IRFFTN = Op("fft.irfftn", "fft", _infer_to_real)


def _record(op: Op, x: Array, s: Sequence[int] | None, axes: Sequence[int] | None, norm: Norm) -> Array:
    name = op.name
    mode = norm_mode(norm, name)
    given, which = transformed_axes(s, axes, x.ndim, name)
    if not which:
        if op.infer is _infer_complex:
            return copy_of(cast(x, complex_of(x.dtype)))
        raise ValueError(f"{name}: expected at least one axis to transform, got {describe(current(x))} and no axes")
    lengths = [x._node.shape[axis] for axis in which]
    if op.infer is _infer_to_real:
        lengths[-1] = output_length(lengths[-1])
    if given is not None:
        lengths = [side if n == -1 else n for side, n in zip(lengths, given, strict=True)]
    for n, axis in zip(lengths, which, strict=True):
        points(n, x, axis, name)
    if given is None and None in lengths:
        return record(op, x, s=None, axes=which, norm=mode)
    if op.infer is _infer_to_real and lengths[-1] is None:
        raise ValueError(f"{name}: s[-1] must be a length, not -1, where that of {describe(current(x))} is unknown")
    return record(op, x, s=tuple(-1 if n is None else n for n in lengths), axes=which, norm=mode)


def fftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """The discrete Fourier transform along several axes.

    Parameters
    ----------
    x : Array
        Complex floating-point. Real data is taken as in NumPy, ``strict=True`` refuses it.
    s : sequence of int, optional
        The number of points along each of `axes`: `x` is cut, or padded with zeros, to these lengths; -1 takes the axis
        as it is. By default all of them.
    axes : sequence of int, optional
        The axes to transform; by default all, or the last ``len(s)`` (``strict=True`` wants `axes` wherever `s` is).
    norm : {"backward", "ortho", "forward"}, optional
        What the sum is multiplied with: 1, ``1 / sqrt(n)`` or ``1 / n``, ``n`` being the product of the lengths.

    Returns
    -------
    Array
        The shape of `x` with `s` along `axes`; complex, in the precision of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist or is repeated, a length is not positive, `s` and `axes` differ in length, or there is
        no such mode.
    TypeError
        If `s` or `axes` does not consist of integers.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.fftn(xp.asarray([[1 + 0j, 2], [3, 4]])).compute()
    array([[10.+0.j, -2.+0.j],
           [-4.+0.j,  0.+0.j]])
    """
    return _record(FFTN, any_input(x, "fft.fftn"), s, axes, norm)


def ifftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """The inverse of `fftn`.

    Parameters
    ----------
    x : Array
        Complex floating-point. Real data is taken as in NumPy, ``strict=True`` refuses it.
    s : sequence of int, optional
        The number of points along each of `axes`: `x` is cut, or padded with zeros, to these lengths; -1 takes the axis
        as it is. By default all of them.
    axes : sequence of int, optional
        The axes to transform; by default all, or the last ``len(s)`` (``strict=True`` wants `axes` wherever `s` is).
    norm : {"backward", "ortho", "forward"}, optional
        The mode of the `fftn` that is inverted; the sum is multiplied with ``1 / n``, ``1 / sqrt(n)`` or 1, ``n`` being
        the product of the lengths.

    Returns
    -------
    Array
        The shape of `x` with `s` along `axes`; complex, in the precision of `x`.

    Raises
    ------
    ValueError
        If an axis does not exist or is repeated, a length is not positive, `s` and `axes` differ in length, or there is
        no such mode.
    TypeError
        If `s` or `axes` does not consist of integers.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.ifftn(xp.asarray([[10 + 0j, -2], [-4, 0]])).compute()
    array([[1.+0.j, 2.+0.j],
           [3.+0.j, 4.+0.j]])
    """
    return _record(IFFTN, any_input(x, "fft.ifftn"), s, axes, norm)


def rfftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """The discrete Fourier transform of real data along several axes, halved along the last of them.

    Parameters
    ----------
    x : Array
        At least one axis, real floating-point.
    s : sequence of int, optional
        The number of points along each of `axes`: `x` is cut, or padded with zeros, to these lengths; -1 takes the axis
        as it is. By default all of them.
    axes : sequence of int, optional
        The axes to transform; by default all, or the last ``len(s)`` (``strict=True`` wants `axes` wherever `s` is).
    norm : {"backward", "ortho", "forward"}, optional
        What the sum is multiplied with: 1, ``1 / sqrt(n)`` or ``1 / n``, ``n`` being the product of the lengths.

    Returns
    -------
    Array
        The shape of `x` with `s` along `axes`, but ``s[-1] // 2 + 1`` along the last one; complex, in the precision of
        `x`.

    Raises
    ------
    ValueError
        If there are no axes, an axis does not exist or is repeated, a length is not positive, `s` and `axes` differ in
        length, or there is no such mode.
    TypeError
        If `x` is complex, or `s` or `axes` does not consist of integers.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.rfftn(xp.asarray([[1.0, 2.0], [3.0, 4.0]])).compute()
    array([[10.+0.j, -2.+0.j],
           [-4.+0.j,  0.+0.j]])
    """
    return _record(RFFTN, real_input(x, "fft.rfftn"), s, axes, norm)


def irfftn(
    x: Array, /, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, norm: Norm = "backward"
) -> Array:
    """The inverse of `rfftn`.

    Parameters
    ----------
    x : Array
        At least one axis, complex floating-point. Real data is taken as in NumPy, ``strict=True`` refuses it.
    s : sequence of int, optional
        The lengths of the result along `axes`. `x` is cut, or padded with zeros, to them, along the last one to
        ``s[-1] // 2 + 1`` points. -1, and the default, takes the axis as it is: the last one, of ``m`` points, then
        gives ``2 * (m - 1)``; an odd length must be asked for.
    axes : sequence of int, optional
        The axes to transform; by default all, or the last ``len(s)`` (``strict=True`` wants `axes` wherever `s` is).
    norm : {"backward", "ortho", "forward"}, optional
        The mode of the `rfftn` that is inverted; the sum is multiplied with ``1 / n``, ``1 / sqrt(n)`` or 1, ``n``
        being the product of the lengths.

    Returns
    -------
    Array
        The shape of `x` with `s` along `axes`; real, in the precision of `x`.

    Raises
    ------
    ValueError
        If there are no axes, an axis does not exist or is repeated, a length is not positive, `s` and `axes` differ in
        length, or there is no such mode.
    TypeError
        If `s` or `axes` does not consist of integers.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.irfftn(xp.asarray([[10 + 0j, -2], [-4, 0]])).compute()
    array([[1., 2.],
           [3., 4.]])
    """
    return _record(IRFFTN, complex_input(x, "fft.irfftn"), s, axes, norm)
