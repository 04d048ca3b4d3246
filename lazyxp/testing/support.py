"""The support matrix: what every backend does with every op.

``python -m lazyxp.testing.support`` writes it for the docs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import array_api_compat.numpy

import lazyxp
from lazyxp.executors import registry
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.executors.base import Executor
from lazyxp.executors.cupy.lowerings import LOWERINGS
from lazyxp.node import OPS, Op
from lazyxp.optimizers.decompositions import DECOMPOSITIONS

PAGE = Path("docs", "support-matrix.md")
BACKENDS = ("numpy", "dask", "sparse", "cupy", "array_api_strict")
BY_OTHER_OPS = "other ops"
_HEAD = """\
| mark | meaning |
|---|---|
| native | a function of the backend |
| lowered | lazyxp's own way of running the op, such as NumPy's function on blocks of Dask arrays |
| other ops | rewritten into ops that the backend has |
| one chunk | Dask only: in one task, on the operands gathered into one chunk each |
| one chunk along axis | Dask only: a task has all of the axes that the op works along, and blocks of the others |
| one chunk of matrices | Dask only: a task has whole matrices, and a block of the stack |
| no | refused with `UnsupportedOperation`, for the reason below the table |

`array_api_strict` stands for any namespace that has all of the standard. An op that runs on one chunk needs the memory
for it on the machine that runs the task.

"""


class _CuPyLike(ArrayAPIExecutor):
    """What CuPy's executor does, told without CuPy: its lowerings over another complete namespace."""

    lowerings = LOWERINGS


def executors() -> dict[str, Executor]:
    """The executor of each backend in the table; CuPy's is stood in for where there is no GPU."""
    gpu = lazyxp.backends()["cupy"].available
    found = {name: registry.get(name) for name in BACKENDS if gpu or name != "cupy"}
    found.setdefault("cupy", _CuPyLike(array_api_compat.numpy, "cupy"))
    return {name: found[name] for name in BACKENDS}


def ops() -> list[Op]:
    """The ops that calls record and backends have to run, by name."""
    recorded = [op for op in OPS.values() if op.kind not in ("source", "output", "kernel", "read")]
    return sorted(recorded, key=lambda op: op.name)


def support(op: Op, executor: Executor) -> tuple[str, str]:
    """A mark of the table, and where it is "no" the reason."""
    if executor.supports(op):
        return executor.how(op), ""
    reason = executor.refuses(op)
    if op.name in DECOMPOSITIONS and not reason:
        return BY_OTHER_OPS, ""
    return "no", reason


def matrix() -> str:
    """The page: a table with one row for each op, and the reasons for what is refused."""
    columns = executors()
    reasons: dict[tuple[str, str], list[str]] = {}
    lines = [f"| op | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for op in ops():
        marks = []
        for name, executor in columns.items():
            mark, reason = support(op, executor)
            marks.append(mark)
            if mark == "no":
                reasons.setdefault((name, reason), []).append(f"`{op.name}`")
        lines.append(f"| `{op.name}` | {' | '.join(marks)} |")
    notes = [f"* **{name}** refuses {', '.join(ops)}: {reason}." for (name, reason), ops in sorted(reasons.items())]
    return _HEAD + "\n".join(lines) + "\n\n" + "\n".join(notes) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page to the path that is given, or to where the docs have it, seen from the root of a checkout."""
    given = sys.argv[1:] if arguments is None else arguments
    path = Path(given[0]) if given else PAGE
    path.write_text(matrix(), encoding="utf-8")
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
