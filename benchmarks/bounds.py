"""How fast lazyxp is to be, as data, and what the results say to it."""

from __future__ import annotations

import math
from typing import Any

from benchmarks.peers import OURS, REFERENCE

BEST = "the best of them"
# How many times faster it is to be, in the geometric mean over elementwise functions and reductions.
MEANS = {"numpy": 4.0, "numexpr": 2.0, "jax": 1.5, BEST: 1.3}
# How many times the floor a workload that is bound by memory may take.
FLOOR = 1.3
# Seconds for a jitted call on small arrays.
JITTED = 6e-6
# Seconds that a new kernel may add to its first call.
FIRST = {"compiled": 0.040, "from disk": 0.003}
# Bytes beyond inputs and outputs that a chain may take, and what the measurement of memory leaves open.
CHAIN, NOISE = 16_000_000, 2_000_000


def median(row: dict[str, Any], name: str) -> float | None:
    """The median of a peer in a row, in seconds; None if it has none."""
    found: float | None = row["peers"].get(name, {}).get("median")
    return found


def best(row: dict[str, Any]) -> float | None:
    """The median of the fastest of the others."""
    others = [t for name in row["peers"] if name != OURS and (t := median(row, name)) is not None]
    return min(others, default=None)


def means(results: dict[str, Any]) -> dict[str, float]:
    """How many times faster lazyxp is, in the geometric mean over the rows that count and that the peer can do."""
    names = list(dict.fromkeys(name for row in results["rows"] for name in row["peers"] if name != OURS))
    found = {}
    for name in (*names, BEST):
        logs = []
        for row in results["rows"]:
            ours, theirs = median(row, OURS), best(row) if name == BEST else median(row, name)
            if row["counts"] and ours and theirs:
                logs.append(math.log(theirs / ours))
        if logs:
            found[name] = math.exp(sum(logs) / len(logs))
    return found


def missed(results: dict[str, Any]) -> list[str]:
    """Each bound that is missed, as a line of text."""
    found = [
        f"{MEANS[name]} times as fast as {name}, in the geometric mean: {mean:.2f}"
        for name, mean in means(results).items()
        if mean < MEANS.get(name, 0)
    ]
    for row in results["rows"]:
        where = f"{row['workload']} {row['dtype']}: "
        found += [where + line for line in [*_too_slow(row), *_too_much(row)]]
    for kind, times in results["first_calls"].get(OURS, {}).items():
        time = sorted(times)[len(times) // 2]
        if time > FIRST[kind]:
            found.append(f"a new kernel, {kind}: {FIRST[kind] * 1e3:.0f} ms, is {time * 1e3:.1f}")
    return found


def _too_slow(row: dict[str, Any]) -> list[str]:
    ours, numpy, floor = median(row, OURS), median(row, REFERENCE), row["floor"]
    if ours is None:
        return ["no result"]
    if row["small"]:
        return [] if ours <= JITTED else [f"{JITTED * 1e6:.0f} us, takes {ours * 1e6:.1f}"]
    found = []
    if numpy is not None and ours > numpy:
        found.append(f"no slower than NumPy: takes {ours / numpy:.2f} times as long")
    if row["memory_bound"] and ours > FLOOR * floor:
        found.append(f"{FLOOR} times the floor: takes {ours / floor:.2f} times")
    return found


def _too_much(row: dict[str, Any]) -> list[str]:
    ours, numpy = (row["memory"].get(name) for name in (OURS, REFERENCE))
    if ours is None or numpy is None:
        return []
    found = []
    if ours > numpy + NOISE:
        found.append(f"no more memory than NumPy, {numpy / 1e6:.1f} MB: takes {ours / 1e6:.1f}")
    if row["workload"] == "chain" and ours > row["bytes_out"] + CHAIN:
        found.append(f"result + {CHAIN / 1e6:.0f} MB: takes {ours / 1e6:.1f} MB")
    return found
