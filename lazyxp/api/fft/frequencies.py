"""The frequencies of a transform, and putting them in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lazyxp import dtypes
from lazyxp.api.array import Array
from lazyxp.api.info import check_device
from lazyxp.api.recording import copy_of, operand, record
from lazyxp.node import Meta, Op
from lazyxp.shapes import as_index, normalize_axes

if TYPE_CHECKING:
    from lazyxp.typing import Device, DType, DTypeLike


def _infer_fftfreq(*, n: int, d: float, dtype: DType) -> Meta:
    return Meta((n,), dtype)


def _infer_rfftfreq(*, n: int, d: float, dtype: DType) -> Meta:
    return Meta((n // 2 + 1,), dtype)


def _infer_shift(x: Meta, *, axes: tuple[int, ...]) -> Meta:
    return Meta(x.shape, x.dtype)


FFTFREQ = Op("fft.fftfreq", "creation", _infer_fftfreq)
RFFTFREQ = Op("fft.rfftfreq", "creation", _infer_rfftfreq)
FFTSHIFT = Op("fft.fftshift", "movement", _infer_shift)
IFFTSHIFT = Op("fft.ifftshift", "movement", _infer_shift)


def _record_frequencies(op: Op, n: int, d: float, dtype: DTypeLike | None, device: Device | None) -> Array:
    name = op.name
    check_device(device, name)
    count = as_index(n, f"{name}: n")
    if count < 1:
        raise ValueError(f"{name}: n must be at least 1, not {count}")
    try:
        spacing = float(d)
    except TypeError:
        raise TypeError(f"{name}: d must be a real number, not {d!r}") from None
    if spacing == 0:
        raise ValueError(f"{name}: d, the distance between samples, must not be 0")
    target = dtypes.float64 if dtype is None else dtypes.as_dtype(dtype, name)
    if target.kind != "f":
        raise TypeError(f"{name}: dtype must be real floating-point, not {target}")
    return record(op, n=count, d=spacing, dtype=target)


def _record_shift(op: Op, x: Array, axes: int | Sequence[int] | None) -> Array:
    x = operand(x, "floating-point", op.name)
    which = normalize_axes(axes, x.ndim, op.name)
    return record(op, x, axes=which) if which else copy_of(x)


def fftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """The frequencies that belong to the points of `fft`, in cycles per unit of `d`.

    Parameters
    ----------
    n : int
        The number of points.
    d : float, optional
        The distance between samples.
    dtype : dtype, optional
        A real floating-point dtype; float64 by default.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        Shape ``(n,)``: multiples of ``1 / (n * d)``, first 0 and the positive ones, then the negative ones, ascending.

    Raises
    ------
    ValueError
        If `n` is not positive, `d` is 0, or there is no such device.
    TypeError
        If `n` is not an integer, `d` is not a real number, or `dtype` is not real floating-point.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.fftfreq(4, d=0.5).compute()
    array([ 0. ,  0.5, -1. , -0.5])
    """
    return _record_frequencies(FFTFREQ, n, d, dtype, device)


def rfftfreq(n: int, /, *, d: float = 1.0, dtype: DTypeLike | None = None, device: Device | None = None) -> Array:
    """The frequencies that belong to the points of `rfft`, in cycles per unit of `d`.

    Parameters
    ----------
    n : int
        The number of real points.
    d : float, optional
        The distance between samples.
    dtype : dtype, optional
        A real floating-point dtype; float64 by default.
    device : str, optional
        "cpu" or None.

    Returns
    -------
    Array
        Shape ``(n // 2 + 1,)``: multiples of ``1 / (n * d)`` from 0 up; for even `n` the last one is positive, unlike
        that of `fftfreq`.

    Raises
    ------
    ValueError
        If `n` is not positive, `d` is 0, or there is no such device.
    TypeError
        If `n` is not an integer, `d` is not a real number, or `dtype` is not real floating-point.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.rfftfreq(4, d=0.5).compute()
    array([0. , 0.5, 1. ])
    """
    return _record_frequencies(RFFTFREQ, n, d, dtype, device)


def fftshift(x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """Move the zero frequency from the front to the middle of each axis.

    Parameters
    ----------
    x : Array
        Any shape, floating-point. Other dtypes are taken as in NumPy, ``strict=True`` refuses them.
    axes : int or sequence of int, optional
        The axes to rearrange; by default all.

    Returns
    -------
    Array
        A copy in the shape and dtype of `x`, rolled by half (rounded down) of each of `axes`.

    Raises
    ------
    ValueError
        If an axis does not exist or is repeated.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.fftshift(xp.fft.fftfreq(5, d=0.2)).compute()
    array([-2., -1.,  0.,  1.,  2.])
    """
    return _record_shift(FFTSHIFT, x, axes)


def ifftshift(x: Array, /, *, axes: int | Sequence[int] | None = None) -> Array:
    """The inverse of `fftshift`: move the zero frequency from the middle to the front.

    Parameters
    ----------
    x : Array
        Any shape, floating-point. Other dtypes are taken as in NumPy, ``strict=True`` refuses them.
    axes : int or sequence of int, optional
        The axes to rearrange; by default all.

    Returns
    -------
    Array
        A copy in the shape and dtype of `x`, rolled back by half (rounded down) of each of `axes`.

    Raises
    ------
    ValueError
        If an axis does not exist or is repeated.

    References
    ----------
    Array API standard 2025.12, Fourier transform extension.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.fft.ifftshift(xp.asarray([-2.0, -1.0, 0.0, 1.0, 2.0])).compute()
    array([ 0.,  1.,  2., -2., -1.])
    """
    return _record_shift(IFFTSHIFT, x, axes)
