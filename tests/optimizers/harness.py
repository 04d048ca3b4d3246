"""What every rewrite is tested with: random operands, the trace, and the values of ``optimize="none"``.

A family's cases_<family>.py has ``CASES``, where the rule must fire in every example, and may have ``REFUSED``, where
it must not: lists of ``Case("name in the trace", lambda x, y: ..., "f c", of("int8", (3, 4)))``. `build` gets an Array
for each operand and gives one or a tuple. An operand is ``of(dtypes, shape, values)``, or the string ``dtypes`` alone:
names ("float64 int8"), kinds ("f c i u b") or "same" (as the first operand); `shape` is a tuple, ANY (one drawn shape
for all) or MIXED (shapes that broadcast together); `values` is a pool of tests/differential/strategies.py.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import lazyxp as xp
import lazyxp.optimizers
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.optimizers import Rule
from lazyxp.optimizers.graph import LEVELS
from lazyxp.planning import optimized_graph
from lazyxp.structure import structure_of
from tests.differential import strategies
from tests.differential.compare import near, same_kind, same_specials, same_values

NDArray = np.ndarray[Any, Any]
ANY, MIXED = "any", "mixed"
# The value of `optimize` that allows a level and nothing above it.
OPTIMIZE = dict(zip(LEVELS, ("exact", "default", "fast"), strict=True))
_POOLS = dict(zip(LEVELS, ("any", "moderate", "finite"), strict=True))


class Operand(NamedTuple):
    """What is drawn for one argument of `build`; made by `of`."""

    dtypes: str
    shape: tuple[int, ...] | str
    values: str


def of(dtypes: str, shape: tuple[int, ...] | str = ANY, values: str = "") -> Operand:
    """An operand; its values come from the pool that suits the level unless told."""
    return Operand(dtypes, shape, values)


class Case:
    """One expression for one rewrite.

    Parameters
    ----------
    rule : str
        The name in the trace.
    build : callable
        Records the expression; takes as many Arrays as there are `operands`.
    *operands : Operand or str
        See `of`.
    level : {"exact", "rounding", "finite"}, optional
        What is allowed; the level of the rule unless told. Cases of REFUSED name the level at which the rule must rest.
    bound : float
        Rounding units (of each expected value, and of `size`) that results may differ by; unused at level exact.
    size : callable, optional
        ``size(*operands)``, of NumPy arrays: the largest magnitude that occurs on the way, where things cancel.
    zeros : bool
        Whether zeros keep their sign. Level finite never checks.
    """

    def __init__(
        self,
        rule: str,
        build: Callable[..., Any],
        *operands: Operand | str,
        level: str = "",
        bound: float = 4,
        size: Callable[..., float] | None = None,
        zeros: bool = True,
    ) -> None:
        self.rule = rule
        self.build = build
        self.operands = [of(o) if isinstance(o, str) else o for o in operands]
        self.level = level
        self.bound = bound
        self.size = size
        self.zeros = zeros

    def __repr__(self) -> str:
        return self.rule


# --- what there is to test -------------------------------------------------------------------------------------------


def rewrites() -> dict[str, str]:
    """Name and level of every rewrite of lazyxp's own passes: rules in tuples, and the names in REWRITES."""
    found: dict[str, str] = {}
    for module in pkgutil.walk_packages(lazyxp.optimizers.__path__, "lazyxp.optimizers."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if name == "REWRITES":
                found.update(value)
            elif isinstance(value, tuple) and value and all(type(v) is Rule for v in value):
                found.update({rule.name: rule.level for rule in value})
    return found


def cases(kind: str) -> list[Case]:
    """The entries of every list called `kind`, CASES or REFUSED."""
    found: list[Case] = []
    for file in sorted(Path(__file__).parent.glob("cases_*.py")):
        found += getattr(importlib.import_module(f"tests.optimizers.{file.stem}"), kind, [])
    return found


# --- one example -----------------------------------------------------------------------------------------------------


def draw_operands(draw: strategies.Draw, case: Case, level: str, shape: tuple[int, ...] | None = None) -> list[NDArray]:
    """An array for each operand of `case`; `shape` is the one of ANY unless that is drawn."""
    if shape is None and any(o.shape == ANY for o in case.operands):
        shape = draw(strategies.shapes())
    mixed = iter(strategies.broadcastable(draw, sum(o.shape == MIXED for o in case.operands), shape))
    found: list[NDArray] = []
    for operand in case.operands:
        dtypes = [found[0].dtype.newbyteorder("=")] if operand.dtypes == "same" else _dtypes(operand.dtypes)
        sides = shape if operand.shape == ANY else next(mixed) if operand.shape == MIXED else operand.shape
        assert isinstance(sides, tuple)
        found.append(strategies.array(draw, dtypes, sides, operand.values or _POOLS[level]))
    return found


def _dtypes(spec: str) -> list[np.dtype[Any]]:
    found = []
    for word in spec.split():
        found += [d for d in strategies.ALL if word in (d.name, d.kind)]
    assert found, spec
    return found


def trace(outputs: Sequence[xp.Array], level: str) -> list[str]:
    """The names of the rewrites that fire where `level` is allowed."""
    structure = structure_of([current(y) for y in outputs])
    graph = optimized_graph(structure, registry.get("numpy"), OPTIMIZE[level])
    return [fired.rule for fired in graph.trace]


def check(case: Case, operands: list[NDArray], level: str, *, fires: bool) -> None:
    """Assert that the rule fires, or rests, and that results agree with those of ``optimize="none"``."""
    built = case.build(*map(xp.asarray, operands))
    outputs = built if isinstance(built, tuple) else (built,)
    fired = trace(outputs, level)
    assert (case.rule in fired) is fires, f"{case.rule!r} {'did not fire' if fires else 'fired'}; what fired: {fired}"
    expected, got = both(outputs, level)
    size = 0.0 if case.size is None else float(case.size(*operands))
    for mine, theirs in zip(got, expected, strict=True):
        same_kind(mine, theirs)
        if level == "exact" or theirs.dtype.kind in "biu":
            same_values(mine, theirs)
            continue
        same_specials(mine, theirs)
        finite = np.isfinite(theirs)
        near(mine[finite], theirs[finite], case.bound, size)
        if level == "rounding" and case.zeros:
            _same_zeros(mine, theirs)


def both(outputs: Sequence[xp.Array], level: str) -> tuple[list[NDArray], list[NDArray]]:
    """The values without and with what `level` allows; none where both raise the same."""
    expected, error = _computed(outputs, "none")
    got, other = _computed(outputs, OPTIMIZE[level])
    assert error == other, f"raised {other}, expected {error}"
    return expected, got


def check_layout(case: Case, operands: list[NDArray]) -> None:
    """Assert that at level exact no sum notices where in memory the rewrites left what it adds up."""
    built = case.build(*map(xp.asarray, operands))
    sums: list[xp.Array] = []
    for y in built if isinstance(built, tuple) else (built,):
        if y.dtype.kind in "fc":
            line = xp.reshape(y, (1, -1))
            sums += [xp.sum(y), xp.matmul(line, line.mT), *[xp.sum(y, axis=i) for i in range(y.ndim)]]
    for theirs, mine in zip(*both(sums, "exact"), strict=True):
        same_values(mine, theirs)


def _computed(outputs: Sequence[xp.Array], optimize: str) -> tuple[list[NDArray], type[Exception] | None]:
    try:
        return [np.asarray(y) for y in xp.compute(*outputs, optimize=optimize)], None
    except Exception as error:
        return [], type(error)


def _same_zeros(got: NDArray, expected: NDArray) -> None:
    pairs = ((got.real, expected.real), (got.imag, expected.imag)) if got.dtype.kind == "c" else ((got, expected),)
    for mine, theirs in pairs:
        zero = (mine == 0) & (theirs == 0)
        np.testing.assert_array_equal(np.signbit(mine[zero]), np.signbit(theirs[zero]), "signs of zeros")
