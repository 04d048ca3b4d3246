"""Every function, method and operator of the standard gives what array_api_strict gives.

Dtypes and shapes as recorded and as computed, and values, over random calls; under ``strict=True`` as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import array_api_strict as strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lazyxp as xp
from tests.differential import creating, elementwise, linear, methods, moving, reducing, transforms
from tests.differential.calls import Call, Row, converted, fields, oracle, parts, plain, recorded
from tests.differential.compare import exact
from tests.differential.strategies import examples

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

STANDARD = json.loads((Path(__file__).parents[1] / "namespace_2025_12.json").read_text())["categories"]
ELEMENTWISE = [row.name for row in elementwise.rows()]
SECTIONS = (creating, elementwise, linear, methods, moving, reducing, transforms)
TABLE = {row.name: row for section in SECTIONS for row in section.rows()}


def test_every_name_of_the_standard_has_a_row() -> None:
    names = [n for group, found in STANDARD.items() if group.endswith("_functions") for n in found]
    names += [f"{extension}.{n}" for extension in ("linalg", "fft") for n in STANDARD[extension]]
    names += [n for group, found in STANDARD.items() if group.startswith("array_") for n in found]
    assert sorted(set(names)) == sorted(TABLE)


def test_constants() -> None:
    for name in STANDARD["constants"]:
        mine, theirs = getattr(xp, name), getattr(strict, name)
        assert type(mine) is type(theirs)
        assert mine == theirs or (mine != mine and theirs != theirs)


@pytest.mark.parametrize("name", ELEMENTWISE)
@examples(50)
@given(data=st.data())
def test_elementwise(name: str, data: st.DataObject) -> None:
    agrees_with_array_api_strict(TABLE[name], data)


@pytest.mark.parametrize("name", [name for name in TABLE if name not in ELEMENTWISE])
@examples(100)
@given(data=st.data())
def test_others(name: str, data: st.DataObject) -> None:
    agrees_with_array_api_strict(TABLE[name], data)


def agrees_with_array_api_strict(row: Row, data: st.DataObject) -> None:
    """Draw a call, and compare all ways of getting its result, with and without ``strict=True``."""
    call = data.draw(row.calls)
    with np.errstate(all="ignore"):
        before = leaves(call)
        expected = oracle(row, call)
        check(row, call, expected)
        with xp.set_options(strict=True):
            check(row, call, expected)
        exact(leaves(call), before, call)


def check(row: Row, call: Call, expected: Any) -> None:
    """Record, compute, and read through NumPy's protocol."""
    lenient = not xp.get_options()["strict"]
    result = recorded(row, call, share=lenient)
    assert fields(result) == fields(expected)
    outputs, wanted = parts(result), parts(expected)
    assert len(outputs) == len(wanted)
    arrays = [p for p in outputs if isinstance(p, xp.Array)]
    for output, value in zip(outputs, wanted, strict=True):
        if isinstance(output, xp.Array):
            check_recorded(output, value)
    computed = iter(xp.compute(*arrays))
    row.compare([next(computed) if isinstance(p, xp.Array) else p for p in outputs], wanted, call)
    if lenient:
        row.compare([np.asarray(p) if isinstance(p, xp.Array) else p for p in outputs], wanted, call)


def check_recorded(output: xp.Array, value: Any) -> None:
    """What was recorded about an output is what it turns out to be, as far as it could be known."""
    assert output.dtype == value.dtype, f"recorded dtype {output.dtype}, expected {value.dtype}"
    with xp.set_options(materialize="raise"):
        shape = output.shape
    assert len(shape) == value.ndim
    assert all(n is None or n == m for n, m in zip(shape, value.shape, strict=True)), f"recorded shape {shape}"


def leaves(call: Call) -> list[Any]:
    """The arrays among the arguments, in native byte order."""
    found: list[Any] = []
    converted(call, lambda x: found.append(plain(x)), lambda d: d)
    return found
