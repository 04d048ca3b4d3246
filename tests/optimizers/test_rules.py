"""Every rewrite fires where it should, rests where it must, and changes no more than its level allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.differential.strategies import examples
from tests.optimizers.harness import Case, cases, check, check_layout, draw_operands, rewrites

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

LEVEL_OF = rewrites()
CASES = cases("CASES")
REFUSED = cases("REFUSED")


def test_every_rewrite_has_a_case_and_every_case_a_rewrite() -> None:
    assert sorted(LEVEL_OF) == sorted({case.rule for case in CASES})
    assert {case.rule for case in REFUSED} <= set(LEVEL_OF)


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_fires_and_agrees(case: Case) -> None:
    level = case.level or LEVEL_OF[case.rule]

    @examples(25)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        check(case, draw_operands(data.draw, case, level), level, fires=True)

    run()


@pytest.mark.parametrize("case", REFUSED, ids=repr)
def test_rests(case: Case) -> None:
    level = case.level or LEVEL_OF[case.rule]

    @examples(10)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        check(case, draw_operands(data.draw, case, level), level, fires=False)

    run()


@pytest.mark.parametrize("case", [case for case in CASES if LEVEL_OF.get(case.rule) == "exact"], ids=repr)
def test_sums_do_not_notice(case: Case) -> None:
    @examples(5)
    @given(st.data())
    def run(data: st.DataObject) -> None:
        check_layout(case, draw_operands(data.draw, case, "rounding", (9, 33)))

    run()
