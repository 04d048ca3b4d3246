"""NumPy: the reference."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np

from benchmarks.workloads import Arrays, Workload

VERSION = np.__version__

as_if_large = nullcontext


def call(workload: Workload, arrays: Arrays) -> Callable[[], Any] | None:
    return partial(workload.function, np, *arrays)


def values(result: Any) -> Any:
    return result
