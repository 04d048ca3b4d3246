"""Words for nodes and steps that several texts have in common."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lazyxp.kernel import KERNEL
from lazyxp.node import OUTPUT, Node, short
from lazyxp.sliding import SLIDING


def place(line: str) -> str:
    """The user's line, short: ``file.py:12``."""
    where, _, _ = line.partition(" in ")
    return os.path.basename(where)


def params_of(node: Node) -> dict[str, str]:
    """The parameters that are not switched off, and that the result does not tell."""
    if node.op in (KERNEL, SLIDING):
        return {}
    told = ("None", "False", str(node.dtype), str(node.shape))
    return {k: v for k, v in short(node.params).items() if v not in told}


def call(op: str, operands: Sequence[str], params: dict[str, str]) -> str:
    """A call as it is written."""
    if op == OUTPUT.name:
        return f"{operands[0]}[{params['index']}]"
    return f"{op}({', '.join([*operands, *[f'{k}={v}' for k, v in params.items()]])})"


def count(number: int, what: str) -> str:
    """So many of something."""
    return f"{number:,} {what}{'s' * (number != 1)}"
