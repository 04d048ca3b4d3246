"""Random graphs give at "exact" the bits of "none", and at "default" what rounding explains, whatever runs kernels.

``LAZYXP_GRAPHS=20000 LAZYXP_SEED=1`` in the environment checks more graphs, from another seed on.
"""

import os
import warnings
from collections import Counter

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.node import OPS, walk
from lazyxp.optimizers import pipeline
from lazyxp.optimizers.pipeline import rules_pass
from lazyxp.optimizers.rewrite import Rule, Scalar, call, x, y, z
from lazyxp.planning import make_plan
from lazyxp.structure import structure_of
from lazyxp.testing.inputs import DTYPES
from tests.optimizers.agreement import disagreement
from tests.optimizers.random_graphs import REFUSALS, Program, data, random_graph, shrunk

GRAPHS = int(os.environ.get("LAZYXP_GRAPHS", "1000"))
FIRST = int(os.environ.get("LAZYXP_SEED", "0")) * 1_000_000
CHUNK = 100
# Every op occurs in so many graphs; recording them is quick.
COVERING = 1_500
NEVER_RECORDED = {
    "input": "stands for a leaf in templates",
    "kernel": "made by the optimizer",
    "sliding": "made by the optimizer",
    "read": "stands for a source outside of the program",
}


@pytest.mark.parametrize("start", range(FIRST, FIRST + GRAPHS, CHUNK))
def test_levels_agree(start):
    for seed in range(start, start + CHUNK):
        program = random_graph(seed)
        check(program)
        if seed % 4 == 0 and can_record(program, shift=1):  # the same plan, from the cache, on other data
            check(program, shift=1)


def check(program, shift=0):
    problem = disagreement(program, shift)
    if problem is not None:
        small = shrunk(program, lambda smaller: disagreement(smaller, shift) is not None)
        replay = f"python -m tests.optimizers.random_graphs {program.seed}"
        pytest.fail(f"seed {program.seed} (shift {shift}; {replay}): {problem}\n\n{small.source()}", pytrace=False)


def can_record(program, shift):
    try:
        program.record(shift)
    except REFUSALS:  # an index that is out of bounds
        return False
    return True


def test_graphs_hold_everything():
    ops, dtypes, fired = Counter(), Counter(), 0
    executor = registry.get("numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(COVERING):
            roots = [current(x) for x in random_graph(seed).record()]
            nodes = walk(roots)
            ops.update({node.op.name for node in nodes})
            dtypes.update(d for node in nodes for d in (node.dtype if node.several else (node.dtype,)))
            if seed < 300:
                fired += bool(make_plan(structure_of(roots), executor, "default")[0].trace)
    assert {name for name in OPS if not ops[name]} - NEVER_RECORDED.keys() == set()
    assert {d for d in DTYPES if not dtypes[d]} == set()
    print(f"rewrites fired in {fired / 300:.0%} of the graphs")
    assert fired > 0.3 * 300


@pytest.mark.filterwarnings("ignore")
def test_programs_replay():
    for seed in range(20):
        program = random_graph(seed)
        assert program == random_graph(seed)
        printed = {}
        skipped = ("print(", "xp.set_options(")  # the option would hold for the whole process
        lines = [line for line in program.source().splitlines() if not line.startswith(skipped)]
        with xp.set_options(materialize="raise"):
            exec(compile("\n".join(lines), "<source>", "exec"), printed)
        for name, recorded in zip(program.outputs, program.record(), strict=True):
            assert printed[name].dtype == recorded.dtype


def test_data_is_what_its_number_says():
    for layout in ("C", "F", "reversed", "strided", "transposed"):
        for dtype in DTYPES:
            got = data(3, (2, 3), dtype.name, "special", layout)
            np.testing.assert_array_equal(got, data(3, (2, 3), dtype.name, "special"))
            assert got.dtype == dtype


@pytest.mark.parametrize(
    ("level", "wrong"),
    [("exact", lambda m: m.x), ("rounding", lambda m: m.make("add", m.x, m.scalar(1.0 + 1e-9)))],
)
def test_a_wrong_rule_is_noticed(monkeypatch, level, wrong):
    def replacement(match):
        return wrong(match) if match.node.dtype == np.float64 and match.x.shape == match.node.shape else None

    rule = Rule("wrong", level, call("add", x, Scalar("c", (1.0,))), replacement)
    monkeypatch.setitem(pipeline._registered, "wrong", rules_pass("wrong", [rule]))
    monkeypatch.setattr(pipeline, "version", pipeline.version + 1)
    lines = ("v0 = xp.asarray(data(3, (5,), 'float64'))", "v1 = v0 + 1.0", "v2 = v0 * 3.7", "v3 = v1 - 2.0")
    program = Program(0, lines, ("v2", "v3"))
    assert disagreement(program) is not None
    small = shrunk(program, lambda p: disagreement(p) is not None)
    assert small.lines == lines[:2]
    with pytest.raises(pytest.fail.Exception, match=r"seed 0 (.|\n)*v1 = v0 \+ 1\.0"):
        check(program)


def test_rounding_is_no_disagreement(monkeypatch):
    product = call("matmul", call("matmul", x, y), z)
    other_order = Rule("other order", "rounding", product, lambda m: m.make("matmul", m.x, m.make("matmul", m.y, m.z)))
    monkeypatch.setitem(pipeline._registered, "wrong", rules_pass("wrong", [other_order]))
    monkeypatch.setattr(pipeline, "version", pipeline.version + 1)
    sources = [f"v{i} = xp.asarray(data({i}, (9, 9), 'float32', 'smooth'))" for i in range(3)]
    assert disagreement(Program(0, (*sources, "v3 = v0 @ v1 @ v2"), ("v3",))) is None
