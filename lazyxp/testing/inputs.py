"""Arrays that differential tests share (every dtype, awkward shapes, special values), and how they are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Shape = tuple[int, ...]
NumPyArray = np.ndarray[Any, Any]

DTYPES = tuple(
    np.dtype(name)
    for name in (
        "bool",
        *(f"int{n}" for n in (8, 16, 32, 64)),
        *(f"uint{n}" for n in (8, 16, 32, 64)),
        "float32",
        "float64",
        "complex64",
        "complex128",
    )
)
NUMERIC = tuple(d for d in DTYPES if d.kind != "b")
REAL = tuple(d for d in DTYPES if d.kind in "iuf")
SHAPES: tuple[Shape, ...] = ((), (0,), (1,), (5,), (0, 3), (3, 0), (2, 3), (1, 1, 4), (2, 1, 3))

_INTEGERS = (3, 0, 1, 3, 2, 7, 5, 1)
_SPECIAL = (1.5, -0.0, np.nan, np.inf, 0.0, -2.5, -np.inf, 1.5)


def plain(shape: Shape, dtype: np.dtype[Any]) -> NumPyArray:
    """Small ordinary values, with ties."""
    values: Any = np.resize(np.array(_INTEGERS), shape)
    if dtype.kind in "if":
        values = np.where(values > 2, -values, values)
    if dtype.kind == "f":
        values = values * 0.75
    if dtype.kind == "c":
        values = values * 0.5 - values[..., ::-1] * 1j if values.ndim else values * (0.5 - 1j)
    return np.asarray(values).astype(dtype)


def special(shape: Shape, dtype: np.dtype[Any]) -> NumPyArray:
    """NaN, infinities and zeros of both signs."""
    values = np.resize(np.array(_SPECIAL), shape)
    result = np.zeros(shape, dtype)
    result.real = values
    if dtype.kind == "c":
        result.imag = np.roll(values, 3)
    return result


def samples(dtype: np.dtype[Any], shapes: Sequence[Shape] = SHAPES) -> list[NumPyArray]:
    """Arrays of `dtype` in many shapes."""
    result = [plain(shape, dtype) for shape in shapes]
    if dtype.kind in "fc":
        result += [special(shape, dtype) for shape in shapes if shape]
    return result


def axes_of(ndim: int) -> list[Any]:
    """Every way to name axes of an array: all, one, from the back, several, none."""
    return [None, (), *range(-ndim, ndim), *[(i, j) for i in range(ndim) for j in range(-ndim, 0) if j != i - ndim]]


def equal(got: Any, expected: Any, label: object = "", *, rounding: bool = False, norm: bool = False) -> None:
    """Assert the dtype, shape and values of `expected`, signs of zeros included unless `rounding`.

    With `norm`, errors count beside the largest element, as those of sums do.
    """
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.dtype == expected.dtype, (label, got.dtype, expected.dtype)
    assert got.shape == expected.shape, (label, got.shape, expected.shape)
    if rounding and expected.dtype.kind in "fc":
        tolerance = 32 * float(np.finfo(expected.dtype).eps)
        sizes = np.abs(expected[np.isfinite(expected)])
        atol = tolerance * max(1.0, float(sizes.max(initial=0))) if norm else tolerance
        nan, finite = np.isnan(expected), np.isfinite(expected)
        np.testing.assert_array_equal(np.isnan(got), nan, err_msg=str(label))
        pairs = [(got[finite], expected[finite])]
        if expected.dtype.kind == "c":  # beside an infinite part the other one is rounded, too
            infinite = ~finite & ~nan
            pairs += [(got[infinite].real, expected[infinite].real), (got[infinite].imag, expected[infinite].imag)]
        else:
            pairs.append((got[~finite], expected[~finite]))
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=atol, err_msg=str(label))
        return
    np.testing.assert_array_equal(got, expected, err_msg=str(label))
    if expected.dtype.kind == "f":
        known = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(got)[known], np.signbit(expected)[known], err_msg=str(label))
