"""Amounts of bytes, operations and the like, as people read and write them."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FACTORS = {
    "": 1,
    "b": 1,
    **{f"{p}b": 1000 ** (i + 1) for i, p in enumerate("kmgtp")},
    **{f"{p}ib": 1024 ** (i + 1) for i, p in enumerate("kmgtp")},
}


def amount(number: float, unit: str = "B") -> str:
    """`number` with three digits and a prefix: ``12.3 MB``."""
    scale = 0
    while abs(number) >= 999.5 and scale < len(_PREFIXES) - 1:
        number /= 1000
        scale += 1
    digits = f"{number:.0f}" if scale == 0 or number >= 99.95 else f"{number:.3g}"
    return f"{digits} {_PREFIXES[scale]}{unit}".strip()


def parse_bytes(given: Any) -> int:
    """A number of bytes, from a number or from text such as ``"2 GB"`` or ``"512MiB"``; ValueError for others."""
    if isinstance(given, str):
        words = given.strip()
        digits = words.rstrip(_LETTERS)
        factor = _FACTORS.get(words[len(digits) :].lower())
        if factor is None:
            raise ValueError(f"no unit of bytes in {given!r}")
        number = float(digits) * factor
    elif isinstance(given, (int, float, np.number)) and not isinstance(given, bool):
        number = float(min(given, sys.maxsize))
        if not number.is_integer():
            raise ValueError(f"no whole number of bytes: {given!r}")
    else:
        raise ValueError(f"no number of bytes: {given!r}")
    if not 1 <= number < float("inf"):
        raise ValueError(f"no positive number of bytes: {given!r}")
    return int(number)
