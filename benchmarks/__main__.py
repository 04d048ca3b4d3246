"""`python -m benchmarks`: lazyxp beside NumPy and others that fuse, on whole workloads."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import harness, peers, report
from benchmarks.workloads import WORKLOADS

FIRST_CALL = "first-call"


def main() -> int:
    """Run what is asked for; 1 if lazyxp failed or was wrong."""
    names = [w.name for w in WORKLOADS] + [FIRST_CALL]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results, every single time among them")
    parser.add_argument("--only", metavar="NAMES", help="these workloads, with commas between: " + ", ".join(names))
    parser.add_argument(
        "--peers", metavar="NAMES", default=",".join(peers.NAMES), help="these, of %(default)s; NumPy always runs"
    )
    parser.add_argument("--quick", action="store_true", help="small data and few rounds, to see that everything runs")
    given = parser.parse_args()
    only = chosen(parser, given.only, names) if given.only else ()
    wanted = chosen(parser, given.peers, peers.NAMES)
    ours = [name for name in peers.NAMES if name in (*wanted, peers.REFERENCE)]
    results = harness.run(harness.Settings(ours, only, given.quick), progress)
    progress("")
    print(report.whole_text(results))
    if given.json:
        given.json.write_text(json.dumps(results, indent=1))
    return 0 if sound(results) else 1


def chosen(parser: argparse.ArgumentParser, names: str, known: Any) -> tuple[str, ...]:
    """The names in a list with commas; anything else is an error."""
    found = tuple(name.strip() for name in names.split(","))
    for name in found:
        if name not in known:
            parser.error(f"{name!r} is none of {', '.join(known)}")
    return found


def progress(text: str) -> None:
    """Say what is done now: on one line of a terminal, or on lines of their own."""
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, end="" if sys.stderr.isatty() else "\n", file=sys.stderr)


def sound(results: dict[str, Any]) -> bool:
    """Whether nothing of lazyxp failed, or was wrong."""
    return not any("failure" in row["peers"].get(peers.OURS, {}) for row in results["rows"])


if __name__ == "__main__":
    sys.exit(main())
