"""The namespace is the standard's: names, signatures, documentation."""

from __future__ import annotations

import doctest
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

import lazyxp as xp

STANDARD = json.loads((Path(__file__).parent / "namespace_2025_12.json").read_text())
CATEGORIES = STANDARD["categories"]
FUNCTIONS = sorted(name for group, names in CATEGORIES.items() if group.endswith("_functions") for name in names)
QUALIFIED = {*FUNCTIONS, *(f"linalg.{n}" for n in CATEGORIES["linalg"]), *(f"fft.{n}" for n in CATEGORIES["fft"])}
METHODS = sorted(
    n for group, names in CATEGORIES.items() if group.startswith(("array_methods", "array_i", "array_r")) for n in names
)


def find(path: str) -> object:
    thing: object = xp
    for part in path.replace("__array_namespace_info__().", "info.").split("."):
        if part == "info":
            thing = xp.__array_namespace_info__()
        elif part == "array":
            thing = xp.Array
        else:
            thing = getattr(thing, part)
    return thing


def parameters(signature: str) -> list[tuple[str, str, str]]:
    """Name, kind and default of each parameter of a signature of the standard's stubs."""
    text = re.sub(r"->.*$", "", signature.partition("(")[2]).strip()[:-1]
    namespace = {name: None for name in re.findall(r"[A-Za-z_]+", text)}
    bare = inspect.signature(eval(f"lambda {strip_annotations(text)}: 0", namespace | {"None": None}))
    return [(p.name, p.kind.name, repr(p.default)) for p in bare.parameters.values()]


def strip_annotations(text: str) -> str:
    parts, depth, start = [], 0, 0
    for i, letter in enumerate(text + ","):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return ", ".join(re.sub(r":\s.*?(?=(=[^=]+)?$)", "", p.strip()) for p in parts)


SIGNATURES = {
    name: signature
    for name, signature in STANDARD["signatures"].items()
    if name != "dtype.__eq__"
    and not isinstance(inspect.getattr_static(xp.Array, name.partition(".")[2], None), property)
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signature_is_the_standards(name: str) -> None:
    ours = inspect.signature(find(name))
    wanted = parameters(SIGNATURES[name])
    found = [(p.name, p.kind.name, repr(p.default)) for p in ours.parameters.values()]
    # 1.0 and 1 are the same default.
    assert [(n, k, d.removesuffix(".0")) for n, k, d in found] == [(n, k, d.removesuffix(".0")) for n, k, d in wanted]


def test_every_name_is_there() -> None:
    missing = [n for n in QUALIFIED if not callable(find(n))]
    assert not missing
    assert all(hasattr(xp.Array, n) for n in [*METHODS, *CATEGORIES["array_attributes"]])
    assert all(hasattr(xp, n) for n in [*CATEGORIES["constants"], *CATEGORIES["dtypes"]])
    assert xp.newaxis is None
    assert xp.__array_api_version__ == "2025.12"


def test_all_lists_what_is_there() -> None:
    assert all(hasattr(xp, name) for name in xp.__all__)
    assert set(FUNCTIONS) <= set(xp.__all__)


def test_dtypes_equal_numpys() -> None:
    for name in CATEGORIES["dtypes"]:
        assert getattr(xp, name) == np.dtype(name)
        assert xp.zeros(1, dtype=getattr(xp, name)).dtype == np.dtype(name)


@pytest.mark.parametrize("name", sorted(QUALIFIED))
def test_docstring_is_complete_and_its_example_runs(name: str) -> None:
    function = find(name)
    text = inspect.getdoc(function) or ""
    sections = ["Parameters", "Returns", "Examples"] if inspect.signature(function).parameters else ["Returns"]
    for section in sections:
        assert f"\n{section}\n---" in text, f"{name} has no section {section}"
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    assert test.examples
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(test, out=report.append)
    assert not report, "".join(report)


def test_info_describes_the_namespace() -> None:
    info = xp.__array_namespace_info__()
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert info.default_device() in info.devices()
    assert info.default_dtypes()["real floating"] == xp.float64
    assert set(info.dtypes()) == set(CATEGORIES["dtypes"])
    assert set(info.dtypes(kind=("bool", "complex floating"))) == {"bool", "complex64", "complex128"}
    with pytest.raises(ValueError, match="no kind"):
        info.dtypes(kind="float")
    with pytest.raises(ValueError, match="no device"):
        info.dtypes(device="gpu")
