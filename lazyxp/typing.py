"""Types for annotations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from lazyxp.api.array import Array

Scalar: TypeAlias = bool | int | float | complex
# Arrays, Python scalars, and whatever `asarray` takes: NumPy's default leniency.
ArrayLike: TypeAlias = "Array | Scalar | np.ndarray[Any, Any] | np.generic | Sequence[Any]"
DType: TypeAlias = np.dtype[Any]
# What a `dtype` argument takes: `lazyxp.float64` is NumPy's scalar type, `x.dtype` a NumPy dtype; the two are equal.
DTypeLike: TypeAlias = np.dtype[Any] | type[np.generic]
Device: TypeAlias = str
Axes: TypeAlias = int | tuple[int, ...] | None
