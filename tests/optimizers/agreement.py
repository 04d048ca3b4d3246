"""Whether a program gives the same at every level: the same bits at "exact", within a bound at "default".

At "default", kernels are interpreted or compiled, and for some programs both, which is compared as well.

How far rounding may carry a result is measured: the program runs on an executor that adds a rounding error of a few
units to everything that is rounded. What these runs do not agree on (a comparison of nearly equal numbers, an
eigenvector of a singular matrix, the sum of infinities of either sign) depends on rounding, and is not compared.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import pytest

import lazyxp as xp
from lazyxp import plan, schedule
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.executors.numpy import NumPyExecutor, interpreter
from lazyxp.executors.numpy.llvm import course, form, runtime
from lazyxp.node import walk
from lazyxp.optimizers import group
from lazyxp.plan import Step
from lazyxp.planning import optimized_graph
from lazyxp.structure import structure_of
from tests.optimizers.random_graphs import REFUSALS, Program

Arrays = list[np.ndarray[Any, Any]]
Outcome = Arrays | Exception

_UNITS = 4.0
# How many times further than the disturbed runs, and how many rounding units of its own, a result may be away.
_SPREADS, _OWN = 16.0, 32.0
_ADD_UP = frozenset(("contraction", "scan", "fft", "linalg"))
_ROUNDED_REDUCTIONS = frozenset(("sum", "prod", "mean", "var", "std"))
_UNROUNDED = frozenset(
    (
        *("real", "imag", "complex", "negative", "positive", "conj", "clip", "where", "maximum", "minimum"),
        *("copysign", "nextafter", "ceil", "floor", "round", "trunc"),
    )
)


class Disturbed(NumPyExecutor):
    """NumPy with rounding errors of several units, other ones in each run."""

    rng = np.random.default_rng(0)
    # Without rounding errors, only what is open at level exact is: the signs of NaN.
    rounds = True

    def execute(self, step: Step, arrays: list[Any]) -> Any:
        """The result of a step, disturbed."""
        op = step.node.op
        if op.name in ("signbit", "copysign"):  # a NaN's sign is as open as what else is inside it
            return super().execute(step, [self._any_sign(a) for a in arrays])
        if not self.rounds:
            return super().execute(step, arrays)
        if op.kind in _ADD_UP or op.name in _ROUNDED_REDUCTIONS or "norm" in op.name or op.name == "linalg.trace":
            arrays = [_as_terms(a, step.node.dtype) for a in arrays]
            result = super().execute(step, [self._disturbed(a) for a in arrays])  # the terms: their sum may cancel
            if isinstance(result, tuple):
                return tuple(self._disturbed(r) for r in result)
            terms = result if op.kind != "contraction" else super().execute(step, [np.abs(a) for a in arrays])
            size = float(np.abs(terms[np.isfinite(terms)]).max(initial=0))
            return self._added_up(self._disturbed(result), arrays, size)
        result = super().execute(step, arrays)
        if op.kind == "cast" and result.dtype.kind in "iu" and arrays[0].dtype.kind in "fc":
            return self._from_wild(result, arrays[0])
        rounds = op.name not in _UNROUNDED and op.kind == "elementwise"
        if rounds or (op.kind == "cast" and result.dtype.itemsize < arrays[0].dtype.itemsize):
            return self._in_range(self._disturbed(result), arrays)
        return result

    def _disturbed(self, x: Any) -> Any:
        """`x` with a relative error."""
        if x.dtype.kind not in "fc":
            return x
        error = self.rng.uniform(-1, 1, np.shape(x)) * (_UNITS * float(np.finfo(x.dtype).eps))
        return np.asarray(x + x * error.astype(x.real.dtype)) if np.isfinite(x).all() else _parts(x, error)

    def _any_sign(self, x: Any) -> Any:
        return np.where(np.isnan(x), np.copysign(np.nan, self.rng.choice([-1, 1], np.shape(x))).astype(x.dtype), x)

    def _one_of(self, values: list[float], like: Any) -> Any:
        """Elements like those of `like`, each part of which is one of `values`."""
        result = np.empty(np.shape(like), like.dtype)
        for part in (result.real, result.imag) if result.dtype.kind == "c" else (result,):
            part[...] = self.rng.choice(values, np.shape(like))
        return result

    def _from_wild(self, x: Any, source: Any) -> Any:
        """What is not in an integer's range is cast to just anything."""
        limits = np.iinfo(x.dtype)
        value = np.real(source)
        outside = ~((value >= float(limits.min)) & (value < float(limits.max)))
        return np.where(outside, self.rng.choice(np.array([0, 1, limits.max], x.dtype), np.shape(x)), x)

    def _added_up(self, x: Any, arrays: list[Any], terms: float) -> Any:
        """A sum: open is which zero, or which of NaN and the infinities it is, and whether it overflows.

        What is nothing beside the size of its `terms` may be zero as well.
        """
        if x.dtype.kind not in "fc":
            return x
        limits = np.finfo(x.dtype)
        size = np.abs(np.where(np.isfinite(x), x, 0))
        nothing = np.isfinite(x) & (size < 64 * float(limits.eps) * terms) & (self.rng.random(np.shape(x)) < 0.5)
        x = np.where(nothing | (x == 0), self._one_of([0.0, -0.0], x), x)
        wild = [*_WILD] * 4
        # BLAS passes over a factor of zero in some shapes, and with it over a NaN.
        passes_over = any((a == 0).any() for a in arrays)
        if passes_over:
            wild.append(0.0)
        beyond = size > float(np.sqrt(limits.max))
        if not np.isfinite(x).all() and not (all(map(_without_infinity, arrays)) and not passes_over):
            beyond |= ~np.isfinite(x)
        if any((np.isfinite(a) & (np.abs(a) > float(np.sqrt(limits.max)))).any() for a in arrays):
            beyond |= True  # in another order of the factors, two such numbers may meet
        if all(np.isfinite(a).all() for a in arrays):
            wild.append(float(limits.max) / 8)
            beyond |= np.isinf(x)
        return np.where(beyond, self._one_of(wild, x), x)

    def _in_range(self, x: Any, arrays: list[Any]) -> Any:
        """What overflows or underflows may not do so when it is computed in another way."""
        if x.dtype.kind not in "fc":
            return x
        limits = np.finfo(x.dtype)
        regular = np.all([np.isfinite(a) for a in np.broadcast_arrays(*arrays)], axis=0)
        over = regular & np.isinf(x)
        if over.any():
            x = np.where(over, self._one_of([*_WILD, float(limits.max) / 8], x), x)
        under = regular & (np.abs(x) < float(limits.tiny))
        under &= np.all([a != 0 for a in np.broadcast_arrays(*arrays)], axis=0)
        if under.any():
            tiny = 4 * float(limits.tiny)
            x = np.where(under, self._one_of([0.0, tiny, -tiny], x), x)
        return x


_WILD = (np.nan, np.inf, -np.inf)


def _as_terms(x: Any, dtype: Any) -> Any:
    """What adds up in floating point: integers too, unless their sums are exact in any order."""
    if x.dtype.kind not in "iu" or not isinstance(dtype, np.dtype) or dtype.kind not in "fc":
        return x
    terms = x.astype(dtype)
    return terms if np.abs(terms).sum() * np.finfo(dtype).eps > 1 else x


def _without_infinity(x: Any) -> bool:
    return not np.isinf(x).any()


def _parts(x: Any, error: Any) -> Any:
    """Real and imaginary parts disturbed one by one, so that infinity in one does not spoil the other."""
    result = np.array(x)
    factor = (1 + error).astype(result.real.dtype)
    result.real *= factor
    if x.dtype.kind == "c":
        result.imag *= factor
    return result


_DISTURBED = Disturbed()


def disagreement(program: Program, shift: int = 0) -> str | None:
    """What is wrong with the results of a program at the levels "exact" and "default", if anything."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        outputs = program.record(shift)
        values = [node.value for node in walk([current(x) for x in outputs]) if node.value is not None]
        before = [value.tobytes() for value in values]
        plain = _outcome(outputs, "none")
        ways = [("exact", "auto", _other_bits), *[("default", kernels, _too_far) for kernels in _kinds(program.seed)]]
        found_with: dict[str, Outcome] = {}
        for level, kernels, problem in ways:
            with _eager(program.seed), xp.set_options(kernels=kernels):
                other = _outcome(outputs, level)
            found = problem(outputs, plain, other) or _not_own(other, values)
            if found and isinstance(plain, Exception) and _may_raise_else(plain, other, outputs, level):
                continue
            if [value.tobytes() for value in values] != before:
                found = "a source was written to"
            if found:
                return f"{level} (kernels {kernels}): {found}"
            found_with[kernels] = other
        if found_with.keys() >= {"interpreted", "always"}:
            found = _too_far(outputs, found_with["interpreted"], found_with["always"], plain)
            if found:
                return f"compiled kernels, beside interpreted ones: {found}"
    return None


def _kinds(seed: int) -> tuple[str, ...]:
    """Which kernels run at "default": for some seeds compiled ones as well, which takes long."""
    if seed % 3 == 0:
        return ("auto",)
    return ("interpreted", "always") if seed // 7 % 4 == 0 else ("interpreted",)


@contextmanager
def _eager(seed: int) -> Iterator[None]:
    """For most seeds, what is done for large arrays only is done for all: other orders, reused buffers, pieces."""
    if seed % 3 == 0:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for module in (schedule, plan):
            patch.setattr(module, "SMALLEST", 1)
        patch.setattr(group, "MOST_OPS", (3, 64)[seed % 2])
        patch.setattr(group, "MOST_WHOLE", (3, 1_000)[seed // 2 % 2])
        patch.setattr(interpreter, "CACHE", (1, 40, 300, 2_000)[seed // 3 % 4])
        # Compiled kernels are cut into pieces of a few elements, added up in runs, and shared by threads.
        patch.setattr(form, "_PIECE", (65_536, 4, 10)[seed % 3])
        patch.setattr(form, "_ON", (4, 70)[seed // 3 % 2])
        patch.setattr(form, "_SHORTEST", (1, 3)[seed // 2 % 2])
        patch.setattr(form, "_SHORT", (0, 128)[seed // 2 % 2])
        # Those that run together do a few rows at a time.
        patch.setattr(course, "_BUFFERS", (16, 64, 200)[seed // 2 % 3])
        patch.setattr(course, "_PER_PARTIAL", (1, 64)[seed % 2])
        patch.setattr(runtime, "_SHARED", (0, 1 << 40)[seed // 4 % 2])
        yield


def _outcome(outputs: Sequence[xp.Array], level: str, backend: Any = None) -> Outcome:
    """The results, or the error."""
    try:
        return list(xp.compute(*outputs, optimize=level, backend=backend))
    except (*REFUSALS, np.linalg.LinAlgError) as error:
        return error


def _may_raise_else(error: Exception, other: Outcome, outputs: Sequence[xp.Array], level: str) -> bool:
    """Whether another outcome than `error` is right as well.

    Of several errors any may come first, and a rewrite may leave a node without users: `x ^ x` needs no `x`.
    """
    if isinstance(other, Exception):
        return any(type(_outcome([x], "none")) is type(other) for x in outputs)
    failed = re.search(r"ran (\S+) on", " ".join(getattr(error, "__notes__", ())))
    if failed is None:
        return False
    structure = structure_of([current(x) for x in outputs])
    graphs = [optimized_graph(structure, registry.get("numpy"), one) for one in ("none", level)]
    before, after = ([node.op.name for node in walk(graph.roots)].count(failed[1]) for graph in graphs)
    return after < before


def _not_own(outcome: Outcome, values: Arrays) -> str | None:
    """Which results share memory: they are the caller's."""
    if isinstance(outcome, Exception):
        return None
    for i, x in enumerate(outcome):
        if any(np.may_share_memory(x, y) for y in (*values, *outcome[:i])):
            return f"output {i} shares memory with a source or with another output"
    return None


def _differ(plain: Outcome, other: Outcome) -> str | None:
    if isinstance(plain, Exception) or isinstance(other, Exception):
        return None if type(plain) is type(other) else f"{_show(other)} instead of {_show(plain)}"
    for i, (wanted, got) in enumerate(zip(plain, other, strict=True)):
        if wanted.dtype != got.dtype or wanted.shape != got.shape:
            return f"output {i} is {got.dtype}{got.shape} instead of {wanted.dtype}{wanted.shape}"
        wrong = ~_same_bits(wanted, got)
        if wrong.any():
            return (
                f"output {i} has {got[wrong][:4]} instead of {wanted[wrong][:4]} at {np.argwhere(wrong)[:4].tolist()}"
            )
    return None


def _other_bits(outputs: Sequence[xp.Array], plain: Outcome, other: Outcome) -> str | None:
    """Where the bits differ, but for what hangs on the sign of a NaN."""
    found = _differ(plain, other)
    if found is None or isinstance(plain, Exception) or isinstance(other, Exception):
        return found
    if any(x.shape != y.shape or x.dtype != y.dtype for x, y in zip(plain, other, strict=True)):
        return found
    settled = [np.ones(x.shape, bool) for x in plain]
    for run in _runs(outputs, 8, rounds=False):
        if isinstance(run, Exception) or any(r.shape != x.shape for r, x in zip(run, plain, strict=True)):
            return None
        settled = [s & _same_bits(r, x) for s, r, x in zip(settled, run, plain, strict=True)]
    return _differ(plain, [np.where(s, y, x) for s, x, y in zip(settled, plain, other, strict=True)])


def _runs(outputs: Sequence[xp.Array], count: int, *, rounds: bool) -> Iterator[Outcome]:
    """Disturbed results."""
    for number in range(count):
        _DISTURBED.rng, _DISTURBED.rounds = np.random.default_rng(number), rounds
        yield _outcome(outputs, "none", _DISTURBED)


def _same_bits(one: np.ndarray[Any, Any], two: np.ndarray[Any, Any]) -> Any:
    """Where both have the same bits, but for what is inside a NaN."""
    if one.dtype.kind == "c":
        return _same_bits(one.real, two.real) & _same_bits(one.imag, two.imag)
    if one.dtype.kind == "f":
        return ((one == two) & (np.signbit(one) == np.signbit(two))) | (np.isnan(one) & np.isnan(two))
    return one == two


def _too_far(outputs: Sequence[xp.Array], wanted: Outcome, other: Outcome, *right: Outcome) -> str | None:
    """What is further from the wanted results than rounding explains; with more disturbed runs in case of doubt.

    What the disturbed runs, and other results that are `right` as well, do not agree on is open.
    """
    if _differ(wanted, other) is None:
        return None
    found = None
    disturbed = _runs(outputs, 40, rounds=True)
    runs: list[Outcome] = []
    for count in (4, 12, 40):
        runs += islice(disturbed, count - len(runs))
        found = _beyond(wanted, other, [*right, *runs])
        if found is None:
            return None
    return found


def _beyond(plain: Outcome, other: Outcome, runs: list[Outcome]) -> str | None:
    if any(isinstance(run, Exception) for run in (plain, other, *runs)):
        alike = all(type(run) is type(plain) for run in runs)
        return f"{_show(other)} instead of {_show(plain)}" if alike and type(other) is not type(plain) else None
    for i, (wanted, got, *disturbed) in enumerate(zip(plain, other, *runs, strict=True)):  # type: ignore[arg-type]
        if any(d.shape != wanted.shape for d in disturbed):
            continue
        if wanted.dtype != got.dtype or wanted.shape != got.shape:
            return f"output {i} is {got.dtype}{got.shape} instead of {wanted.dtype}{wanted.shape}"
        wrong = _wrong(wanted, got, disturbed)
        if wrong.any():
            return (
                f"output {i} has {got[wrong][:4]} instead of {wanted[wrong][:4]} at {np.argwhere(wrong)[:4].tolist()}"
            )
    return None


def _wrong(wanted: Any, got: Any, disturbed: list[Any]) -> Any:
    """Which elements are further away than the disturbed runs allow."""
    if wanted.dtype.kind not in "fc":
        settled = np.all([d == wanted for d in disturbed], axis=0)
        return settled & (got != wanted)
    kinds = [_class(d) for d in (wanted, *disturbed)]
    settled = np.all([k == kinds[0] for k in kinds], axis=0)
    finite = np.isfinite(wanted)
    wide = np.clongdouble if wanted.dtype.kind == "c" else np.longdouble
    exact = wanted.astype(wide)
    spread = np.max([np.abs(np.where(finite, d.astype(wide) - exact, 0)) for d in disturbed], axis=0)
    limits = np.finfo(wanted.dtype)
    size = np.abs(np.where(finite, exact, 0))
    bound = _SPREADS * spread + _OWN * float(limits.eps) * size + 64 * np.longdouble(limits.smallest_subnormal)
    distance = np.abs(np.where(finite, got.astype(wide) - exact, 0))
    return settled & ((_class(got) != kinds[0]) | (finite & ~(distance <= bound)))


def _class(x: Any) -> Any:
    """Finite, NaN, or which infinity; a product spreads what is not finite over both parts of a complex number."""
    if x.dtype.kind == "c":
        return np.where(np.isfinite(x), 0, 1)
    return np.where(np.isnan(x), 1, np.where(np.isinf(x), np.where(x > 0, 2, 3), 0))


def _show(outcome: Outcome) -> str:
    return f"{type(outcome).__name__} ({outcome})" if isinstance(outcome, Exception) else "results"
