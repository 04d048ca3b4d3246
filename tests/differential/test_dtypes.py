"""Every pair of dtypes, inside and outside of the standard, with every pair of special values.

By default a function gives what NumPy gives, in the dtype that was recorded, and refuses what NumPy refuses; under
``strict=True`` it refuses whatever array_api_strict refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_compat.numpy as compat
import array_api_strict as strict
import numpy as np
import pytest

import lazyxp as xp
from tests.differential.calls import Call, converted, from_strict, parts
from tests.differential.compare import Compare, either_zero, scaled
from tests.differential.corrections import CORRECTIONS
from tests.differential.elementwise import BINARY, UNARY, kind_of
from tests.differential.strategies import ALL, STRICT_DTYPES, DType, NDArray, pool, promoted

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::numpy.exceptions.ComplexWarning")

DTYPES = sorted(ALL, key=str)
SCALARS = (True, 3, 0.5, 1 + 2j)
Function = Callable[..., Any]


def specials(dtype: DType, kind: str = "any", count: int = 14) -> NDArray:
    """The first different values of a pool; a zero of each sign."""
    seen: dict[str, Any] = {}
    for value in pool(dtype, kind):
        seen.setdefault(str(value), value)
    return np.array(list(seen.values())[:count], dtype)


def one_each(name: str) -> list[tuple[Any, ...]]:
    """The arguments of a function of one array: every dtype."""
    return [(specials(d, count=200),) for d in DTYPES]


def pairs(name: str) -> list[tuple[Any, ...]]:
    """The arguments of a function of two: every dtype with every dtype, and every kind of scalar on either side."""
    columns = [specials(d)[:, None] for d in DTYPES]
    rows = [specials(d, kind_of(name, d, True)) for d in DTYPES]
    calls: list[tuple[Any, ...]] = [(a, b) for a in columns for b in rows]
    calls += [(a, s) for a in columns for s in SCALARS]
    return calls + [(s, b) for b in rows for s in SCALARS]


REAL_FUNCTIONS = [name for name, (category, _) in BINARY.items() if category.startswith("real")]
CASES = [pytest.param(name, one_each, UNARY[name][1], id=name) for name in UNARY]
CASES += [pytest.param(name, pairs, BINARY[name][1], id=name) for name in BINARY]


@pytest.mark.parametrize(("name", "arguments", "compare"), CASES)
def test_default_is_numpys(name: str, arguments: Callable[[str], list[tuple[Any, ...]]], compare: Compare) -> None:
    correct = CORRECTIONS.get(name, lambda result, *args: result)
    with np.errstate(all="ignore"):
        agree(
            [Call(args) for args in arguments(name)],
            getattr(xp, name),
            lambda *args: correct(np.asarray(getattr(np, name)(*args)), *args),
            compare,
        )


@pytest.mark.parametrize(("name", "arguments", "compare"), CASES)
def test_strict_is_array_api_stricts(
    name: str, arguments: Callable[[str], list[tuple[Any, ...]]], compare: Compare
) -> None:
    with np.errstate(all="ignore"):
        for args in arguments(name):
            small = Call(tuple(x[:1] if isinstance(x, np.ndarray) else x for x in args))
            refuse_alike(small, getattr(xp, name), getattr(strict, name), is_real=name in REAL_FUNCTIONS)


def agree(calls: list[Call], lazy: Function, wanted: Function, compare: Compare) -> None:
    """Record all calls, compute them together, and compare with NumPy; what NumPy refuses, recording has to refuse."""
    recorded, expected = [], []
    for call in calls:
        try:
            value = wanted(*call.args)
        except (TypeError, IndexError):
            with pytest.raises((TypeError, IndexError)):
                lazy(*converted(call.args, xp.asarray, lambda d: d))
            continue
        result = lazy(*converted(call.args, xp.asarray, lambda d: d))
        assert [r.dtype for r in parts(result)] == [v.dtype for v in parts(value)], shown(call)
        recorded.append((call, parts(result)))
        expected.append([np.asarray(v) for v in parts(value)])
    computed = iter(xp.compute(*[r for _, results in recorded for r in results]))
    for (call, results), values in zip(recorded, expected, strict=True):
        try:
            compare([next(computed) for _ in results], values, call)
        except AssertionError as error:
            error.add_note(shown(call))
            raise


def refuse_alike(call: Call, lazy: Function, wanted: Function, *, is_real: bool = False) -> None:
    """What array_api_strict refuses, ``strict=True`` refuses; what it takes has the same dtypes and shapes.

    It does not refuse all that the standard leaves undefined: there ``strict=True`` may.
    """
    given = converted(call.args, xp.asarray, lambda d: d)
    theirs = converted(call.args, strict.asarray, STRICT_DTYPES.__getitem__)
    with xp.set_options(strict=True):
        try:
            values = parts(from_strict(wanted(*theirs)))
        except (TypeError, IndexError):
            with pytest.raises((TypeError, IndexError)):
                lazy(*given)
            return
        if not is_defined(call, is_real):
            return
        results = parts(lazy(*given))
    assert [r.dtype for r in results] == [v.dtype for v in values], shown(call)
    assert all(r.shape == v.shape for r, v in zip(results, values, strict=True)), shown(call)


def is_defined(call: Call, is_real: bool) -> bool:
    """Whether the standard says what comes of these dtypes and scalars."""
    if is_real and any(isinstance(x, complex) for x in call.args):
        return False
    return promoted(*[x.dtype for x in call.args if isinstance(x, np.ndarray)]) is not None


def shown(call: Call) -> str:
    """The dtypes and scalars of a call."""
    return " and ".join(str(x.dtype) if isinstance(x, np.ndarray) else repr(x) for x in call.args)


# --- functions that are not elementwise ------------------------------------------------------------------------------

_SQUARE = np.array([[3, 0, 0], [1, 4, 0], [1, 2, 5]])  # has an inverse as booleans, too
_MASK = np.array([True, False, True])


def _of_one(name: str, *others: Any, **keywords: Any) -> Function:
    def call(namespace: Any, x: Any) -> Any:
        function = namespace
        for part in name.split("."):
            function = getattr(function, part)
        return function(x, *others, **keywords)

    return call


_REDUCTIONS = ("max", "min", "sum", "prod", "mean", "std", "var", "argmax", "argmin", "all", "any", "count_nonzero")
_OTHERS = ("sort", "argsort", "diff", "nonzero", "flip", "tril", "triu", "unique_values", "unique_counts", "zeros_like")
_LINEAR = ("trace", "diagonal", "det", "inv", "slogdet", "svdvals", "eigvalsh", "matrix_norm", "vector_norm")
_TRANSFORMS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fftn", "ifftn", "rfftn", "irfftn", "fftshift")
ONE: dict[str, Function] = {
    **{name: _of_one(name) for name in (*_REDUCTIONS, *_OTHERS, "ones_like", "matrix_transpose")},
    **{f"linalg.{name}": _of_one(f"linalg.{name}") for name in _LINEAR},
    **{f"fft.{name}": _of_one(f"fft.{name}") for name in (*_TRANSFORMS, "ifftshift")},
    "cumulative_sum": _of_one("cumulative_sum", axis=0),
    "cumulative_prod": _of_one("cumulative_prod", axis=0),
    "linalg.matrix_power": _of_one("linalg.matrix_power", 2),
    "linalg.pinv": _of_one("linalg.pinv", rtol=1e-6),
    "linalg.cross": lambda ns, x: ns.linalg.cross(x, x),
    "matmul": lambda ns, x: ns.matmul(x, x),
    "tensordot": lambda ns, x: ns.tensordot(x, x),
    "vecdot": lambda ns, x: ns.vecdot(x, x),
    "linalg.outer": lambda ns, x: ns.linalg.outer(x[0, :], x[1, :]),
    "linalg.solve": lambda ns, x: ns.linalg.solve(x, x),
    "clip": lambda ns, x: ns.clip(x, x, x),
    "isin": lambda ns, x: ns.isin(x, x),
    "searchsorted": lambda ns, x: ns.searchsorted(x[0, :], x),
    "where (condition)": lambda ns, x: ns.where(x, ns.zeros_like(x), ns.ones_like(x)),
    "take (indices)": lambda ns, x: ns.take(ns.ones(9), x[0, :]),
    # NumPy does not count in uint64.
    "repeat (repeats)": lambda ns, x: ns.repeat(
        ns.ones(3), x[0, :].astype(int) if ns is compat and x.dtype == np.uint64 else x[0, :]
    ),
    "x[index]": lambda ns, x: ns.ones(9)[ns.concat([x[0, :]] * 3)],
}
TWO: dict[str, Function] = {
    "concat": lambda ns, x, y: ns.concat([x, y]),
    "stack": lambda ns, x, y: ns.stack([x, y]),
    "matmul": lambda ns, x, y: ns.matmul(x, y),
    "vecdot": lambda ns, x, y: ns.vecdot(x, y),
    "where": lambda ns, x, y: ns.where(ns.asarray(_MASK), x, y),
    "isin": lambda ns, x, y: ns.isin(x, y),
    "searchsorted": lambda ns, x, y: ns.searchsorted(x[0, :], y),
    "result_type": lambda ns, x, y: ns.zeros(1, dtype=ns.result_type(x, y)),
}
# The values are checked elsewhere, over all of their range: here they are small.
_CLOSE = scaled(64, lambda *args: 100)


def test_can_cast() -> None:
    for one in DTYPES:
        for two in DTYPES:
            assert xp.can_cast(one, two) is np.can_cast(one, two)
            with xp.set_options(strict=True):
                assert xp.can_cast(one, two) is strict.can_cast(STRICT_DTYPES[one], STRICT_DTYPES[two])


@pytest.mark.parametrize("name", ONE)
def test_other_functions_of_one_array(name: str) -> None:
    calls = [Call((_SQUARE.astype(d),)) for d in DTYPES]
    function = ONE[name]
    for call in calls:
        refuse_alike(call, lambda x: function(xp, x), lambda x: function(strict, x))
    agree(calls, lambda x: function(xp, x), lambda x: function(compat, x), _CLOSE)


@pytest.mark.parametrize("name", TWO)
def test_other_functions_of_two_arrays(name: str) -> None:
    calls = [Call((_SQUARE.astype(one), _SQUARE.astype(two))) for one in DTYPES for two in DTYPES]
    function = TWO[name]
    for call in calls:
        refuse_alike(call, lambda x, y: function(xp, x, y), lambda x, y: function(strict, x, y))
    agree(calls, lambda x, y: function(xp, x, y), lambda x, y: function(compat, x, y), either_zero)
