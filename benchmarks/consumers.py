"""`python -m benchmarks.consumers`: what calls of SciPy, scikit-learn and others cost on lazyxp, beside NumPy.

Each call of `tests/consumers/calls.py` runs on NumPy arrays and, in turn with that, on lazyxp arrays of the same values
until all that comes out is computed. The ratio is lazyxp's median time to NumPy's: below 1, lazyxp is faster.
"""

from __future__ import annotations

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported

import argparse
import json
import math
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import lazyxp as xp
from benchmarks.__main__ import progress
from tests.consumers.calls import CALLS, Call, leaves

# The ratio that no call should pass, by the number of elements.
BOUNDS = {100: 20.0, 1_000_000: 1.5}
FEWEST, MOST = 5, 300
SECONDS = 0.5  # for each call and size, beyond the fewest rounds


class Timed(NamedTuple):
    """Median seconds of one call on arrays of one size."""

    name: str
    size: int
    numpy: float
    lazyxp: float

    @property
    def ratio(self) -> float:
        """How many times NumPy's time lazyxp takes."""
        return self.lazyxp / self.numpy


def main() -> int:
    """Time every call; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.consumers", description=__doc__)
    parser.add_argument("--only", metavar="WORD", default="", help="calls with this word in their name")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the times")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that everything runs")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rows, failures = [], []
    for call in CALLS:
        if given.only in call.name:
            progress(call.name)
            try:
                rows += [timed(call, size, given.quick) for size in BOUNDS]
            except Exception as error:
                failures.append(f"{call.name} failed: {type(error).__name__}: {error}")
    progress("")
    print("\n".join([table(rows), *failures]))
    if given.json:
        given.json.write_text(json.dumps([row._asdict() for row in rows], indent=1))


def timed(call: Call, size: int, quick: bool = False) -> Timed:
    """Time `call` on arrays of about `size` elements."""
    values = call.values(size)
    arrays = [xp.asarray(value) for value in values]
    for _ in range(2):  # plans are made and kernels compiled
        seconds(np, call, values)
        seconds(xp, call, arrays)
    ours, theirs = [], []
    end = time.perf_counter() + (0 if quick else SECONDS)
    while len(ours) < FEWEST or (len(ours) < MOST and time.perf_counter() < end):
        theirs.append(seconds(np, call, values))
        ours.append(seconds(xp, call, arrays))
    return Timed(call.name, size, statistics.median(theirs), statistics.median(ours))


def seconds(namespace: Any, call: Call, arrays: list[Any]) -> float:
    """How long `call` takes until everything that it gives is computed."""
    start = time.perf_counter()
    xp.compute(*[part for part in leaves(call.run(namespace, *arrays)) if type(part) is xp.Array])
    return time.perf_counter() - start


def table(rows: list[Timed]) -> str:
    """The times and ratios, and what they come to."""
    lines = [f"{'call':55}" + "".join(f" |{f'NumPy ms, {n:,}':>17} {'lazyxp ms':>10} {'ratio':>7}" for n in BOUNDS)]
    by_name: dict[str, list[Timed]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    for name, timings in by_name.items():
        cells = "".join(f" |{t.numpy * 1e3:17.3f} {t.lazyxp * 1e3:10.3f} {t.ratio:6.2f}{mark(t)}" for t in timings)
        lines.append(f"{name:55}{cells}")
    for size, bound in BOUNDS.items():
        ratios = [row.ratio for row in rows if row.size == size]
        if not ratios:
            continue
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        within, wins = sum(r <= bound for r in ratios), sum(r < 1 for r in ratios)
        lines.append(
            f"{size:,} elements: geometric mean {mean:.2f}; {within} of {len(ratios)} calls within {bound:g} times "
            f"NumPy's time, {wins} faster than NumPy"
        )
    return "\n".join(lines)


def mark(row: Timed) -> str:
    """An exclamation mark where the bound is passed, a plus where lazyxp is faster."""
    return "!" if row.ratio > BOUNDS[row.size] else "+" if row.ratio < 1 else " "


if __name__ == "__main__":
    sys.exit(main())
