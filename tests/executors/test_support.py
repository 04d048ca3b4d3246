"""Every op on every backend: it resolves, or it is refused with a reason; and the docs say the same."""

from pathlib import Path

import pytest

import lazyxp as xp
from lazyxp.executors import registry
from lazyxp.testing import support
from lazyxp.testing.cases import cases

EXECUTORS = support.executors()


@pytest.mark.parametrize("op", support.ops(), ids=lambda op: op.name)
@pytest.mark.parametrize("backend", EXECUTORS)
def test_every_op_resolves(backend, op):
    mark, reason = support.support(op, EXECUTORS[backend])
    assert mark
    assert bool(reason) == (mark == "no"), f"{op.name} on {backend}: nothing runs it, and no reason is given"


def test_the_page_is_current():
    page = Path(__file__).parents[2] / support.PAGE
    assert page.read_text(encoding="utf-8") == support.matrix(), "run python -m lazyxp.testing.support"


def test_the_page_can_be_written(tmp_path, capsys):
    assert support.main([str(tmp_path / "page.md")]) == 0
    assert "page.md" in capsys.readouterr().out
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == support.matrix()


def test_reasons_are_of_ops():
    names = {op.name for op in support.ops()}
    for executor in EXECUTORS.values():
        refused = {name for name in names if executor.refuses(next(op for op in support.ops() if op.name == name))}
        assert not any(executor.supports(op) for op in support.ops() if op.name in refused)
    assert {case.group for case in cases()} == names


def test_cupy_is_told_without_a_gpu():
    if not xp.backends()["cupy"].available:
        pytest.skip(xp.backends()["cupy"].reason)
    stand_in = support._CuPyLike(support.array_api_compat.numpy, "cupy")
    for op in support.ops():
        assert support.support(op, stand_in) == support.support(op, registry.get("cupy")), op.name
