"""Fourier transforms along one axis."""

from __future__ import annotations

from typing import Literal

from lazyxp.api.array import Array
from lazyxp.api.fft.checks import (
    any_input,
    complex_input,
    half,
    norm_mode,
    output_length,
    points,
    real_input,
    with_side,
)
from lazyxp.api.recording import record
from lazyxp.dtypes import complex_of, real_of
from lazyxp.node import Meta, Op
from lazyxp.shapes import as_index, normalize_axis

Norm = Literal["backward", "ortho", "forward"]


def _infer_complex(x: Meta, *, n: int | None, axis: int, norm: str) -> Meta:
    return Meta(with_side(x.shape, axis, n), complex_of(x.dtype))


def _infer_to_half(x: Meta, *, n: int | None, axis: int, norm: str) -> Meta:
    return Meta(with_side(x.shape, axis, half(n)), complex_of(x.dtype))


def _infer_to_real(x: Meta, *, n: int | None, axis: int, norm: str) -> Meta:
    return Meta(with_side(x.shape, axis, n), real_of(x.dtype))


FFT = Op("fft.fft", "fft", _infer_complex)
IFFT = Op("fft.ifft", "fft", _infer_complex)
RFFT = Op("fft.rfft", "fft", _infer_to_half)
IRFFT = Op("fft.irfft", "fft", _infer_to_real)
HFFT = Op("fft.hfft", "fft", _infer_to_real)
IHFFT = Op("fft.ihfft", "fft", _infer_to_half)


def _record(op: Op, x: Array, n: int | None, axis: int, norm: Norm) -> Array:
    name = op.name
    axis = normalize_axis(axis, x.ndim, name)
    if n is None:
        side = x._node.shape[axis]
        length = output_length(side) if op.infer is _infer_to_real else side
    else:
        length = as_index(n, f"{name}: n")
    return record(op, x, n=points(length, x, axis, name), axis=axis, norm=norm_mode(norm, name))


def fft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """The discrete Fourier transform along one axis.

    Parameters
    ----------
    x : Array
        At least one axis, complex floating-point. Real data is taken as in NumPy, ``strict=True`` refuses it.
    n : int, optional
        The number of points: `x` is cut, or padded with zeros, to that length. By default the length of the axis.
    axis : int, optional
        The axis to transform.
    norm : {"backward", "ortho", "forward"}, optional
        What the sum is multiplied with: 1, ``1 / sqrt(n)`` or ``1 / n``.

    Returns
    -------
    Array
        The shape of `x` with `n` along `axis`; complex, in the precision of `x`.

    Raises
    ------
    ValueError
        If there is no such axis or mode, or `n` is not positive.
    TypeError
        If `n` or `axis` is not an integer.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.fft(xp.asarray([1 + 0j, 2, 3, 2])).compute()
    array([ 8.+0.j, -2.+0.j,  0.+0.j, -2.+0.j])
    """
    return _record(FFT, any_input(x, "fft.fft"), n, axis, norm)


def ifft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """The inverse of `fft`.

    Parameters
    ----------
    x : Array
        At least one axis, complex floating-point. Real data is taken as in NumPy, ``strict=True`` refuses it.
    n : int, optional
        The number of points: `x` is cut, or padded with zeros, to that length. By default the length of the axis.
    axis : int, optional
        The axis to transform.
    norm : {"backward", "ortho", "forward"}, optional
        The mode of the `fft` that is inverted; the sum is multiplied with ``1 / n``, ``1 / sqrt(n)`` or 1.

    Returns
    -------
    Array
        The shape of `x` with `n` along `axis`; complex, in the precision of `x`.

    Raises
    ------
    ValueError
        If there is no such axis or mode, or `n` is not positive.
    TypeError
        If `n` or `axis` is not an integer.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.ifft(xp.asarray([8 + 0j, -2, 0, -2])).compute()
    array([1.+0.j, 2.+0.j, 3.+0.j, 2.+0.j])
    """
    return _record(IFFT, any_input(x, "fft.ifft"), n, axis, norm)


def rfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """The discrete Fourier transform of real data along one axis: the half of it that the other half mirrors.

    Parameters
    ----------
    x : Array
        At least one axis, real floating-point.
    n : int, optional
        The number of points: `x` is cut, or padded with zeros, to that length. By default the length of the axis.
    axis : int, optional
        The axis to transform.
    norm : {"backward", "ortho", "forward"}, optional
        What the sum is multiplied with: 1, ``1 / sqrt(n)`` or ``1 / n``.

    Returns
    -------
    Array
        The shape of `x` with ``n // 2 + 1`` along `axis`; complex, in the precision of `x`.

    Raises
    ------
    ValueError
        If there is no such axis or mode, or `n` is not positive.
    TypeError
        If `x` is complex, or `n` or `axis` is not an integer.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.rfft(xp.asarray([1.0, 2.0, 3.0, 2.0])).compute()
    array([ 8.+0.j, -2.+0.j,  0.+0.j])
    """
    return _record(RFFT, real_input(x, "fft.rfft"), n, axis, norm)


def irfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """The inverse of `rfft`.

    Parameters
    ----------
    x : Array
        At least one axis, complex floating-point: the first half of a transform whose other half mirrors it. Real data
        is taken as in NumPy, ``strict=True`` refuses it.
    n : int, optional
        The length of the result along `axis`: ``n // 2 + 1`` points of `x` are used, zeros where it has fewer. By
        default ``2 * (m - 1)`` for ``m`` points; an odd length must be asked for.
    axis : int, optional
        The axis to transform.
    norm : {"backward", "ortho", "forward"}, optional
        The mode of the `rfft` that is inverted; the sum is multiplied with ``1 / n``, ``1 / sqrt(n)`` or 1.

    Returns
    -------
    Array
        The shape of `x` with `n` along `axis`; real, in the precision of `x`.

    Raises
    ------
    ValueError
        If there is no such axis or mode, or `n` (by default, too) is not positive.
    TypeError
        If `n` or `axis` is not an integer.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.irfft(xp.asarray([8 + 0j, -2, 0])).compute()
    array([1., 2., 3., 2.])
    """
    return _record(IRFFT, complex_input(x, "fft.irfft"), n, axis, norm)


def hfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """The discrete Fourier transform of data with Hermitian symmetry, of which one half is given.

    Parameters
    ----------
    x : Array
        At least one axis, complex floating-point: the first half of data whose other half is its mirrored conjugate.
        Real data is taken as in NumPy, ``strict=True`` refuses it.
    n : int, optional
        The length of the result along `axis`: ``n // 2 + 1`` points of `x` are used, zeros where it has fewer. By
        default ``2 * (m - 1)`` for ``m`` points; an odd length must be asked for.
    axis : int, optional
        The axis to transform.
    norm : {"backward", "ortho", "forward"}, optional
        What the sum is multiplied with: 1, ``1 / sqrt(n)`` or ``1 / n``.

    Returns
    -------
    Array
        The shape of `x` with `n` along `axis`; real, in the precision of `x`.

    Raises
    ------
    ValueError
        If there is no such axis or mode, or `n` (by default, too) is not positive.
    TypeError
        If `n` or `axis` is not an integer.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.hfft(xp.asarray([1 + 0j, 2, 3])).compute()
    array([ 8., -2.,  0., -2.])
    """
    return _record(HFFT, complex_input(x, "fft.hfft"), n, axis, norm)


def ihfft(x: Array, /, *, n: int | None = None, axis: int = -1, norm: Norm = "backward") -> Array:
    """The inverse of `hfft`.

    Parameters
    ----------
    x : Array
        At least one axis, real floating-point.
    n : int, optional
        The number of points: `x` is cut, or padded with zeros, to that length. By default the length of the axis.
    axis : int, optional
        The axis to transform.
    norm : {"backward", "ortho", "forward"}, optional
        The mode of the `hfft` that is inverted; the sum is multiplied with ``1 / n``, ``1 / sqrt(n)`` or 1.

    Returns
    -------
    Array
        The shape of `x` with ``n // 2 + 1`` along `axis`; complex, in the precision of `x`.

    Raises
    ------
    ValueError
        If there is no such axis or mode, or `n` is not positive.
    TypeError
        If `x` is complex, or `n` or `axis` is not an integer.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.abs(xp.fft.ihfft(xp.asarray([8.0, -2.0, 0.0, -2.0]))).compute()
    array([1., 2., 3.])
    """
    return _record(IHFFT, real_input(x, "fft.ihfft"), n, axis, norm)
