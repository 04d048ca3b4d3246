"""Results as tables: as text, and as Markdown for the documentation.

    python -m benchmarks.report RESULTS.json docs/performance.md

puts the tables of RESULTS.json between the two markers of the page.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import bounds, peers
from benchmarks.peers import OURS, REFERENCE

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


class Table(NamedTuple):
    """A table: what it shows, the heads of its columns, and its rows of text."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables(results: dict[str, Any]) -> list[Table]:
    """All tables of the results."""
    made = [_times(results), _first(results), _memory(results), _new_kernels(results), _means(results)]
    return [table for table in made if table.rows]


def _names(results: dict[str, Any]) -> list[str]:
    return [name for name in peers.NAMES if any(name in row["peers"] for row in results["rows"])]


def _times(results: dict[str, Any]) -> Table:
    names = _names(results)
    rows = []
    for row in results["rows"]:
        ours, numpy = bounds.median(row, OURS), bounds.median(row, REFERENCE)
        best, floor = bounds.best(row), row["floor"]
        cells = [_time(row["peers"].get(n, {})) for n in names]
        rows.append([*_about(row), *cells, ms(floor), ratio(ours, floor), ratio(numpy, ours), ratio(best, ours)])
    heads = ["workload", "size", "dtype", *names, "floor", "of floor", "x NumPy", "x best"]
    title = "Medians in milliseconds; lazyxp in floors, and how many times as fast as NumPy and as the best it is"
    return Table(title, heads, rows)


def _time(result: dict[str, Any]) -> str:
    """The median of a peer, or why there is none."""
    if "failure" in result:
        return "inexact" if "error" in result else "failed"
    return ms(result.get("median"))


def _about(row: dict[str, Any]) -> list[str]:
    """What a row is about: workload, size and dtype."""
    sizes = [f"{n:.0e}".replace("e+0", "e") if n >= 1_000_000 else str(n) for n in row["size"]]
    return [row["title"], " x ".join(sizes), row["dtype"]]


def _first(results: dict[str, Any]) -> Table:
    names = _names(results)
    rows = [[*_about(row), *(ms(row["peers"].get(n, {}).get("first")) for n in names)] for row in results["rows"]]
    return Table("The first call, compilation included, in milliseconds", ["workload", "size", "dtype", *names], rows)


def _memory(results: dict[str, Any]) -> Table:
    rows = []
    for row in results["rows"]:
        sizes = [row["bytes_in"], row["bytes_out"], row["memory"].get(REFERENCE), row["memory"].get(OURS)]
        if sizes[2] is not None:
            rows.append([*_about(row), *("" if size is None else f"{size / 1e6:.1f}" for size in sizes)])
    heads = ["workload", "size", "dtype", "inputs", "result", REFERENCE, OURS]
    return Table("Peak memory of a call beyond its inputs, result included, in megabytes", heads, rows)


def _new_kernels(results: dict[str, Any]) -> Table:
    kinds = list(bounds.FIRST)
    rows = [
        [name, *(ms(statistics.median(found[kind])) if kind in found else "" for kind in kinds)]
        for name, found in results["first_calls"].items()
    ]
    return Table("What a kernel of 20 operations adds to its first call, in milliseconds", ["", *kinds], rows)


def _means(results: dict[str, Any]) -> Table:
    rows = [
        [name, f"{mean:.2f}", f"{bounds.MEANS[name]:.1f}" if name in bounds.MEANS else ""]
        for name, mean in bounds.means(results).items()
    ]
    title = "How many times as fast lazyxp is, in the geometric mean over elementwise functions and reductions"
    return Table(title, ["than", "times", "bound"], rows)


def ms(seconds: float | None) -> str:
    """Seconds as milliseconds, in three digits or so."""
    if seconds is None:
        return ""
    value = seconds * 1e3
    return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 4}f}"


def ratio(one: float | None, other: float | None) -> str:
    """One over the other, where there are both."""
    return f"{one / other:.2f}" if one and other else ""


def text(table: Table) -> str:
    """A table for a terminal; columns of numbers to the right."""
    lines = [table.heads, *table.rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.heads))]
    shown = []
    for line in lines:
        cells = zip(line, widths, map(_of_words, table.heads), strict=True)
        shown.append("  ".join(c.ljust(w) if words else c.rjust(w) for c, w, words in cells).rstrip())
    return "\n".join([table.title, "", *shown, ""])


def _of_words(head: str) -> bool:
    """Whether a column has words, and so stands to the left."""
    return head in ("", "workload", "dtype", "than")


def markdown(table: Table) -> str:
    """A table for the documentation."""
    marks = ["---" if _of_words(head) else "--:" for head in table.heads]
    rows = [[cell.replace("|", r"\|").replace("*", r"\*") for cell in row] for row in table.rows]
    lines = ["| " + " | ".join(line) + " |" for line in (table.heads, marks, *rows)]
    return "\n".join([f"**{table.title}**", "", *lines, ""])


def closing(results: dict[str, Any]) -> list[str]:
    """What failed, and which bounds are missed; a quick run has none."""
    lines = [
        f"{row['workload']} {row['dtype']}, {name}: {result['failure']}"
        for row in results["rows"]
        for name, result in row["peers"].items()
        if "failure" in result
    ]
    missed = [] if results["quick"] else bounds.missed(results)
    return lines + [f"missed: {line}" for line in missed]


def whole_text(results: dict[str, Any]) -> str:
    """Everything, for a terminal."""
    return "\n".join([*map(text, tables(results)), *closing(results)])


def whole_markdown(results: dict[str, Any]) -> str:
    """Everything, for the documentation: machine and versions, tables, what failed and what was missed."""
    facts = results["machine"] | {name: version for name, version in results["versions"].items()}
    about = Table("Machine and versions", ["", ""], [[key, str(value)] for key, value in facts.items()])
    ending = [f"* {line}" for line in closing(results)]
    return "\n".join([*map(markdown, [about, *tables(results)]), *ending])


def main() -> None:
    """Write the results into the page."""
    results = json.loads(Path(sys.argv[1]).read_text())
    page = Path(sys.argv[2])
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{page} has no {BEGIN} and {END}")
    page.write_text(f"{before}{begin}\n\n{whole_markdown(results)}\n\n{end}{after}")


if __name__ == "__main__":
    main()
