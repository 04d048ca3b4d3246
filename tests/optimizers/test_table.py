"""The table: for each rewrite what an expression costs as recorded and as optimized, from the plan and from what ran.

``pytest -rP tests/optimizers/test_table.py`` prints it.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import lazyxp as xp
from lazyxp import planning
from lazyxp.amounts import amount
from lazyxp.api.recording import current
from lazyxp.cost import VIEWS, cost_of
from lazyxp.estimate import estimate_of
from lazyxp.evaluate import prepare
from tests.measuring import Counting, agrees, measured_peak
from tests.optimizers.table_rows import ROWS

# Ops whose flops follow from the arrays that a call is given.
COUNTED = ("elementwise", "reduction", "contraction", "search")
NOT_COUNTED = ("var", "std", "tensordot", "linalg.trace", *VIEWS)


def recorded(row):
    """The expression of `row` on random numbers."""
    rng = np.random.default_rng(0)
    return row.build(*[xp.asarray(rng.uniform(0.1, 1, shape)) for shape in row.shapes])


def check_counts(prepared):
    """Run a plan, and compare its steps with the calls that were made and the elements that they worked on."""
    plan = prepared.planned.plan
    counting = Counting()
    counting.run(plan, keep=False)
    assert counting.calls == Counter(s.node.op.name for s in plan.steps if s.node.op.name not in VIEWS)
    flops: Counter[str] = Counter()
    for step in plan.steps:
        name = step.node.op.name
        if step.node.op.kind in COUNTED and name not in NOT_COUNTED:
            flops[name] += cost_of(step.node).flops
    assert flops == {name: counting.elements[name] for name in flops}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_table(row):
    node = current(recorded(row))
    plain, better = prepare([node], "numpy", "none"), prepare([node], "numpy", row.level)
    before, after = estimate_of(plain.planned.plan), estimate_of(better.planned.plan)
    graph, _ = planning.make_plan(better.structure, better.executor, row.level)
    fired = {one.rule for one in graph.trace}
    for prepared, estimate in ((plain, before), (better, after)):
        check_counts(prepared)
        measured = measured_peak(prepared.planned.plan)
        assert agrees(estimate.peak_bytes, measured), f"estimated {estimate.peak_bytes:,}, measured {measured:,}"
    print(
        f"{row.name:<30} {amount(before.flops, 'flop'):>10} -> {amount(after.flops, 'flop'):>10}   "
        f"{amount(before.peak_bytes):>8} -> {amount(after.peak_bytes):>8}   {', '.join(sorted(fired))}"
    )
    assert fired >= {name for name in row.rules.split("; ") if name}
    assert after.flops <= row.flops * before.flops
    assert after.peak_bytes <= row.peak * before.peak_bytes


@pytest.mark.parametrize("row", [row for row in ROWS if "fused kernel" in row.rules], ids=lambda row: row.name)
def test_memory_where_kernels_are_interpreted(row):
    with xp.set_options(kernels="interpreted"):
        plan = prepare([current(recorded(row))], "numpy", row.level).planned.plan
        estimated, measured = estimate_of(plan).peak_bytes, measured_peak(plan)
    assert estimate_of(plan).kernels
    assert agrees(estimated, measured), f"estimated {estimated:,}, measured {measured:,}"


def test_the_table_is_long():
    assert len({row.name for row in ROWS}) == len(ROWS) >= 40


def test_statistics_read_the_data_once():
    (row,) = [row for row in ROWS if row.name == "mean, std, min and max"]
    x = recorded(row)
    (size,) = row.shapes[0]
    assert x.estimate(optimize="none").bytes_read >= 4 * 8 * size
    assert x.estimate().bytes_read < 1.01 * 8 * size
    assert x.estimate().kernels == 1
