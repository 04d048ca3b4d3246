"""How results are compared: exactly, within a bound on rounding, or by what they must satisfy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

NDArray = np.ndarray[Any, Any]
# Takes the outputs, the expected outputs and the call, and raises AssertionError.
Compare = Callable[[list[Any], list[Any], Any], None]


def same_kind(got: Any, expected: Any) -> None:
    """Assert equal types; for arrays, equal dtypes and shapes."""
    if isinstance(expected, np.ndarray):
        assert isinstance(got, (np.ndarray, np.generic)), type(got)
        assert got.dtype == expected.dtype, f"dtype {got.dtype}, expected {expected.dtype}"
        assert got.shape == expected.shape, f"shape {got.shape}, expected {expected.shape}"
    else:
        assert type(got) is type(expected), f"{got!r}, expected {expected!r}"


def components(x: NDArray) -> tuple[NDArray, ...]:
    """The real and imaginary parts of complex data; else the data itself."""
    return (x.real, x.imag) if x.dtype.kind == "c" else (x,)


def same_specials(got: NDArray, expected: NDArray) -> None:
    """Assert that NaN and infinities are in the same places, of the same sign."""
    for mine, theirs in zip(components(got), components(expected), strict=True):
        wild = ~np.isfinite(theirs)
        np.testing.assert_array_equal(~np.isfinite(mine), wild)
        np.testing.assert_array_equal(mine[wild], theirs[wild])


def same_values(got: Any, expected: Any, *, zeros: bool = True) -> None:
    """Assert equal values with NaN in the same places, and (unless `zeros` is False) zeros of the same signs."""
    if not isinstance(expected, np.ndarray):
        assert got == expected or (got != got and expected != expected), f"{got!r}, expected {expected!r}"
        return
    for mine, theirs in zip(components(got), components(expected), strict=True):
        np.testing.assert_array_equal(mine, theirs)
        if zeros and theirs.dtype.kind == "f":
            known = ~np.isnan(theirs)
            np.testing.assert_array_equal(np.signbit(mine[known]), np.signbit(theirs[known]), "signs of zeros")


def exact(got: list[Any], expected: list[Any], call: Any) -> None:
    """The same bits, but for what is inside a NaN."""
    for mine, theirs in zip(got, expected, strict=True):
        same_kind(mine, theirs)
        same_values(np.asarray(mine) if isinstance(theirs, np.ndarray) else mine, theirs)


def either_zero(got: list[Any], expected: list[Any], call: Any) -> None:
    """Equal values: the standard leaves open which of two equal zeros is meant."""
    for mine, theirs in zip(got, expected, strict=True):
        same_kind(mine, theirs)
        same_values(mine, theirs, zeros=False)


def kind_only(got: list[Any], expected: list[Any], call: Any) -> None:
    """Dtypes and shapes only: the values of `empty` are unspecified."""
    for mine, theirs in zip(got, expected, strict=True):
        same_kind(mine, theirs)


def rounded(real: float = 0, complex: float = 0) -> Compare:
    """Within so many units in the last place of the absolute value, for real and for complex arguments.

    0 means the same bits, which integer and boolean results have to have anyway.
    """

    def compare(got: list[Any], expected: list[Any], call: Any) -> None:
        ulps = complex if any(getattr(x, "dtype", np.dtype(type(x))).kind == "c" for x in call.args) else real
        for mine, theirs in zip(got, expected, strict=True):
            same_kind(mine, theirs)
            mine = np.asarray(mine)
            if not ulps or theirs.dtype.kind not in "fc":
                same_values(mine, theirs)
                continue
            same_specials(mine, theirs)
            finite = np.isfinite(theirs)
            mine, theirs = mine[finite], theirs[finite]
            size = np.abs(theirs.astype(np.clongdouble))  # what does not overflow near the largest numbers
            largest = np.finfo(theirs.dtype).max
            unit = np.spacing(np.minimum(size, largest).astype(largest.dtype))
            worst = np.max(np.abs(mine - theirs.astype(np.clongdouble)) / unit, initial=0)
            assert worst <= ulps, f"{worst} ulp: {mine}, expected {theirs}"
            for one, other in zip(components(mine), components(theirs), strict=True):
                zeros = (one == 0) & (other == 0)
                np.testing.assert_array_equal(np.signbit(one[zeros]), np.signbit(other[zeros]), "signs of zeros")

    return compare


def scaled(ulps: float, scale: Callable[..., Any] = lambda *args, **keywords: 0.0) -> Compare:
    """Within `ulps` times the rounding unit of the expected value plus `scale`, a number made of the arguments.

    For what is summed up: cancellation leaves the rounding errors of the terms, whose size `scale` knows.
    """

    def compare(got: list[Any], expected: list[Any], call: Any) -> None:
        size = float(scale(*call.args, **call.keywords))
        for mine, theirs in zip(got, expected, strict=True):
            same_kind(mine, theirs)
            mine = np.asarray(mine)
            if theirs.dtype.kind not in "fc":
                same_values(mine, theirs)
                continue
            same_specials(mine, theirs)
            finite = np.isfinite(theirs)
            near(mine[finite], theirs[finite], ulps, size)

    return compare


def near(got: NDArray, expected: NDArray, ulps: float, size: float = 0.0) -> None:
    """Assert that finite `got` is within `ulps` rounding units of `expected` and of `size`."""
    limits = np.finfo(expected.dtype)
    bound = ulps * (float(limits.eps) * (np.abs(expected).astype(float) + size) + float(limits.smallest_subnormal))
    wrong = ~(np.abs(got - expected) <= bound)
    assert not wrong.any(), f"{got[wrong]}, expected {expected[wrong]} within {bound[wrong]}"


def largest(*arrays: Any) -> float:
    """The largest finite absolute value in `arrays`, at least 1."""
    return max([1.0, *[float(np.max(np.abs(x[np.isfinite(x)]), initial=1)) for x in arrays]])
