"""The acceptance suite of executors: what holds on every backend.

``pytest --pyargs lazyxp.testing.executor --executor NAME`` runs it on one backend, through the functions that users
call. NumPy is the oracle. A backend may refuse ops and data types, with a reason; the summary at the end lists them.

A module of tests with a fixture `backend` of its own, which gives a `lazyxp.testing.backend.Backend`, runs the same
tests with ``from lazyxp.testing.executor import *``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import array_api_compat.numpy as eager
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import UnsupportedOperation
from lazyxp.executors.base import Status
from lazyxp.node import OPS
from lazyxp.testing import support
from lazyxp.testing.backend import Backend
from lazyxp.testing.cases import Case, cases
from lazyxp.testing.inputs import DTYPES, SHAPES, equal, plain, special

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
GROUPS: dict[str, list[Case]] = defaultdict(list)
for _case in cases():
    GROUPS[_case.group].append(_case)

RecordProperty = Callable[[str, object], None]


def reason_of(error: UnsupportedOperation) -> str:
    """What a refusal says, which has to say something."""
    assert str(error), "refused without a reason"
    return str(error)


@contextmanager
def refusals(backend: Backend) -> Iterator[None]:
    """Skip what the backend refuses with a reason, if it may refuse anything."""
    try:
        yield
    except UnsupportedOperation as error:
        if backend.may_refuse is not None:
            raise
        pytest.skip(reason_of(error))


@pytest.fixture(scope="module")
def real(backend: Backend) -> np.dtype[Any]:
    """The real floating-point dtype of the tests that need one."""
    for dtype in (np.dtype("float64"), np.dtype("float32")):
        try:
            backend.compute(xp.asarray(np.ones(2, dtype)))
        except UnsupportedOperation:
            continue
        return dtype
    pytest.skip("it has no real floating-point data type")


def numbers(real: np.dtype[Any], *shape: int) -> np.ndarray[Any, Any]:
    """0, 1, 2, ... in an array of `shape`."""
    return np.arange(np.prod(shape), dtype=real).reshape(shape)


def agrees(backend: Backend, got: tuple[Any, ...], *expected: Any) -> None:
    """Assert what the backend gave, in the dtypes of `expected`."""
    for value, answer in zip(got, expected, strict=True):
        equal(backend.as_numpy(value), answer)


# --- every op ---------------------------------------------------------------------------------------------------------


def several(result: Any) -> list[Any]:
    """The results of a case."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def is_lenient(case: Case) -> bool:
    """Whether the standard leaves the case undefined, so that a strict namespace may refuse it."""
    try:
        with xp.set_options(strict=True):
            several(case.function(xp, *[xp.asarray(a) for a in case.arrays]))
    except (TypeError, ValueError, IndexError):
        return True
    return False


@pytest.mark.parametrize("group", GROUPS)
def test_numpys_answer(backend: Backend, group: str, record_property: RecordProperty) -> None:
    """The dtype, shape and values of NumPy; what was read stays as it was."""
    table = _selection(GROUPS[group], backend.most_cases)
    departs = backend.executor.departures.get(group, "")
    refused: list[str] = []
    different = 0
    for case in table:
        arrays = [xp.asarray(a) for a in case.arrays]
        try:
            got = backend.compute(*several(case.function(xp, *arrays)))
        except UnsupportedOperation as error:
            assert backend.may_refuse is None or group in backend.may_refuse, case
            refused.append(reason_of(error))
            continue
        except TypeError as error:
            if backend.may_refuse is None and is_lenient(case):
                refused.append(f"TypeError: {error}")
                continue
            raise
        wanted = several(case.function(eager, *[a.copy() for a in case.arrays]))
        for value, answer in zip(got, wanted, strict=True):
            different += not _same(backend.as_numpy(value), answer, case, departs and case.is_special)
        for x, before in zip(arrays, case.arrays, strict=True):
            equal(np.asarray(x), before, f"{case} wrote to its operand")
    why = backend.executor.refuses(OPS[group])
    assert len(refused) < len(table) or why, f"{group} is refused, and `refuses` has no reason: {refused[0]}"
    record_property("op", group)
    record_property("result", _result(len(refused), len(table), different))
    told = re.sub(r",? recorded at .*? in \w+", "", refused[0]) if refused else ""
    record_property("reason", why or told or (departs if different else ""))


def _selection(table: list[Case], most: int | None) -> list[Case]:
    """At most so many cases, from the whole table."""
    if most is None or len(table) <= most:
        return table
    return [table[i * len(table) // most] for i in range(most)]


def _same(got: Any, answer: Any, case: Case, may_depart: object) -> bool:
    """Whether a result is NumPy's; asserts at least its dtype and shape."""
    try:
        equal(got, answer, case, rounding=True, norm=case.group.startswith(("fft.", "linalg.")))
    except AssertionError:
        if not may_depart or (got.dtype, got.shape) != (np.asarray(answer).dtype, np.shape(answer)):
            raise
        return False
    return True


def _result(refused: int, count: int, different: int) -> str:
    if refused:
        return "refused" if refused == count else "ran, and refused some operands"
    return "ran, and depart from NumPy" if different else "ran"


@pytest.mark.parametrize("op", support.ops(), ids=lambda op: op.name)
def test_what_it_says_of_ops(backend: Backend, op: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An op runs, is made of others, or is refused for a reason before anything runs."""
    executor = backend.executor
    assert isinstance(executor.supports(op), bool)
    mark, reason = support.support(op, executor)
    assert bool(mark and isinstance(mark, str)), "`how` says nothing"
    if executor.supports(op):
        assert not executor.refuses(op), "it is supported and refused"
        return
    if mark != "no":
        return
    assert reason, f"nothing runs {op.name}, and `refuses` gives no reason"
    assert backend.may_refuse is None
    monkeypatch.setattr(executor, "run", lambda *args, **options: pytest.fail("it ran"))
    case = GROUPS[op.name][0]
    results = several(case.function(xp, *[xp.asarray(a) for a in case.arrays]))
    with pytest.raises(UnsupportedOperation) as caught:
        backend.compute(*results)
    assert reason in str(caught.value)


def test_departures_are_of_ops(backend: Backend) -> None:
    """What departs from NumPy is an op, and for a reason."""
    for name, reason in backend.executor.departures.items():
        assert name in GROUPS
        assert reason


# --- data -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_data_types(backend: Backend, dtype: np.dtype[Any]) -> None:
    """Arrays of all shapes come back with the same bits, however they lie in memory."""
    with refusals(backend):
        for shape in SHAPES:
            x = plain(shape, dtype)
            agrees(backend, backend.compute(xp.asarray(x)), x)
            agrees(backend, backend.compute(xp.asarray(x[..., ::-1] if shape else x)), x[..., ::-1] if shape else x)
            agrees(backend, backend.compute(xp.asarray(x.T)), x.T)
            agrees(backend, backend.compute(xp.zeros(shape, dtype=dtype)), np.zeros(shape, dtype))
        frozen, swapped = plain((2, 3), dtype), plain((2, 3), dtype).astype(dtype.newbyteorder(">"))
        frozen.flags.writeable = False
        agrees(backend, backend.compute(xp.asarray(frozen)[:, ::-2]), frozen[:, ::-2])
        agrees(backend, backend.compute(xp.asarray(swapped)), swapped.astype(dtype))


EXACT: dict[str, Callable[..., Any]] = {
    "moved": lambda ns, x: (ns.flip(x), ns.concat([x, x]), x[::2], ns.stack([x, x])),
    "signs": lambda ns, x: (-x, ns.abs(x), ns.copysign(x, ns.flip(x)), ns.signbit(x)),
    "arithmetic": lambda ns, x: (x + x, x * 0.5, x * ns.flip(x), x - ns.flip(x), x / 2, ns.square(x)),
    "division by zero": lambda ns, x: (1 / x, x / ns.flip(x)),
    "rounding": lambda ns, x: (ns.floor(x), ns.ceil(x), ns.trunc(x), ns.round(x)),
    "questions": lambda ns, x: (ns.isnan(x), ns.isinf(x), ns.isfinite(x), x < 1, x == x, x != ns.flip(x)),
    "choices": lambda ns, x: (ns.where(x > 0, x, -x), ns.maximum(x, ns.asarray(1.0, dtype=x.dtype)), ns.sqrt(x)),
    "reductions": lambda ns, x: (ns.max(x), ns.min(x[3:5]), ns.all(x), ns.any(x), ns.count_nonzero(x), ns.sum(x[4:])),
}


@pytest.mark.parametrize("name", EXACT)
def test_special_values(backend: Backend, real: np.dtype[Any], name: str) -> None:
    """NaN, infinities and signs of zeros are those of NumPy."""
    x = special((8,), real)
    with refusals(backend):
        got = backend.compute(*EXACT[name](xp, xp.asarray(x)))
    for value, answer in zip(got, EXACT[name](eager, x), strict=True):
        # What is not stored has the sign of the one fill value.
        equal(backend.as_numpy(value), answer, name, rounding=not backend.executor.every_element)


def test_unknown_lengths(backend: Backend, real: np.dtype[Any]) -> None:
    """Masks select, and what they selected goes on; index arrays and masks on top of that."""
    x = xp.asarray(np.array([3, 0, 1, 2], real))
    mask = x != 0
    found = x[mask]
    with refusals(backend):
        got = backend.compute(found, found * 2 + xp.sum(found), found + x[mask], xp.sum(found), found[found > 1])
        agrees(backend, got, *(np.asarray(a, real) for a in ([3, 1, 2], [12, 8, 10], [6, 2, 4], 6, [3, 2])))
        agrees(backend, backend.compute(xp.nonzero(mask)[0]), np.asarray([0, 2, 3], np.int64))
        agrees(backend, backend.compute(found[xp.asarray(np.array([2, -2]))]), np.asarray([2, 1], real))
        agrees(backend, backend.compute(x[x > 7]), np.empty(0, real))


def test_positions_from_the_end(backend: Backend, real: np.dtype[Any]) -> None:
    """Negative positions count from the end."""
    x, index = numbers(real, 2, 3), np.array([[-1, 0], [1, -2]])
    functions: tuple[Callable[..., Any], ...] = (
        lambda ns, x, i: ns.take(x, i[0], axis=1),
        lambda ns, x, i: x[:, i[1]],
        lambda ns, x, i: x[::-1, ::-2],
    )
    for function in functions:
        with refusals(backend):
            got = backend.compute(function(xp, xp.asarray(x), xp.asarray(index)))
        agrees(backend, got, function(eager, x, index))


# --- results ----------------------------------------------------------------------------------------------------------


def test_several_outputs_share_no_memory(backend: Backend, real: np.dtype[Any]) -> None:
    """Results are the caller's: who writes to one changes no other, no source and no remembered value."""
    a = numbers(real, 3, 4)
    x = xp.asarray(a)
    y = x * 2
    with refusals(backend):
        (kept,) = backend.persist(x + 1)
        results = backend.compute(y, y, y + 1, y[1:], x, x[:, 0], xp.sum(y), xp.real(y), kept, kept[0])
    answers = (2 * a, 2 * a, 2 * a + 1, 2 * a[1:], a, a[:, 0], np.sum(2 * a), 2 * a, a + 1, a[0] + 1)
    agrees(backend, results, *answers)
    for i, one in enumerate(results):
        if isinstance(one, np.ndarray):
            assert one.flags.writeable, "a result of NumPy's that cannot be written to"
            assert not any(np.may_share_memory(one, other) for other in results[:i])
        try:
            one[...] = 77
        except TypeError:
            continue  # arrays of this backend never change
        agrees(backend, results[i + 1 :], *answers[i + 1 :])
    agrees(backend, backend.compute(x, kept, y), a, a + 1, 2 * a)
    equal(np.asarray(x), a)
    equal(np.asarray(kept), a + 1)


@pytest.mark.parametrize("dtype", ["int64", "float64", "complex128"])
@pytest.mark.parametrize("name", ["positive", "conj", "abs", "floor", "round", "real", "astype", "sum"])
def test_ops_that_may_give_their_operand(backend: Backend, name: str, dtype: str) -> None:
    """Where a library gives the operand itself, or a view of it, the result is the caller's own all the same."""
    data = np.arange(6).reshape(2, 3).astype(dtype)
    params = {"axis": ()} if name == "sum" else {}
    more = (data.dtype,) if name == "astype" else ()
    if name == "floor" and dtype == "complex128":
        return
    answer = getattr(eager, name)(data.copy(), *more, **params)
    with refusals(backend):
        (result,) = backend.compute(getattr(xp, name)(xp.asarray(data, copy=False), *more, **params))
    before = data.copy()
    data[...] = 0
    equal(backend.as_numpy(result), answer, rounding=not backend.executor.every_element)
    data[...] = before
    with suppress(TypeError):  # arrays of this backend never change
        result[...] = 7
    equal(data, before)


class Reader:
    """A source that notes in a file how often it was read, and can fail."""

    shape = (3, 4)

    def __init__(self, dtype: np.dtype[Any], log: Path, error: str = "") -> None:
        self.dtype = dtype
        self.log = log
        self.error = error

    def __getitem__(self, key: Any) -> Any:
        with self.log.open("a") as log:  # a file, as other processes may read
            log.write("x")
        if self.error:
            raise OSError(self.error)
        return numbers(self.dtype, *self.shape)[key]


def test_common_work_is_done_once(backend: Backend, real: np.dtype[Any], tmp_path: Path) -> None:
    """What several outputs need is computed once."""
    log = tmp_path / "log"
    x = xp.from_source(Reader(real, log))
    y = x * 2
    with refusals(backend):
        got = backend.compute(y + 1, xp.sum(y), y)
    a = numbers(real, *Reader.shape)
    agrees(backend, got, 2 * a + 1, np.sum(2 * a), 2 * a)
    assert log.read_text() == "x"


def test_sources_are_never_written_to(backend: Backend, real: np.dtype[Any]) -> None:
    """Assignments change the Array, not what it was made of; large arrays, which are not copied."""
    source = numbers(real, 1 << 15)
    before = source.copy()
    x = xp.asarray(source)
    y = x + 0
    x[0] = 5
    x[2:4] += 1
    y[1] = 2
    y[y > 30000] = 0
    z = xp.asarray(source)
    with refusals(backend):
        got = backend.compute(x, y, z * z, -z, xp.flip(z))
    expected = before.copy()
    expected[0], expected[2:4] = 5, expected[2:4] + 1
    equal(backend.as_numpy(got[0]), expected)
    expected = before.copy()
    expected[1], expected[expected > 30000] = 2, 0
    equal(backend.as_numpy(got[1]), expected)
    agrees(backend, got[2:], before * before, -before, before[::-1])
    equal(source, before)
    agrees(backend, backend.compute(xp.asarray(source)), before)


def test_persisted_results_are_sources(backend: Backend, real: np.dtype[Any]) -> None:
    """`persist` gives Arrays of known shape that go on, here and on NumPy."""
    a = np.array([1, 0, 2], real)
    x = xp.asarray(a)
    with refusals(backend):
        y, found = backend.persist(x + 1, x[x != 0])
        assert (y.shape, found.shape) == ((3,), (2,))
        assert (y.dtype, found.dtype) == (real, real)
        agrees(backend, backend.compute(y * 2, found * 2), 2 * (a + 1), 2 * a[a != 0])
        (again,) = backend.persist(y)
    equal(np.asarray(again), a + 1)
    equal((y * 2).compute(backend="numpy"), 2 * (a + 1))
    assert float(xp.sum(found)) == 3.0


def test_data_of_a_backend_runs_on_it(backend: Backend, real: np.dtype[Any]) -> None:
    """Native arrays are taken as they are, and without `backend=` the data decides."""
    a = numbers(real, 2, 3)
    with refusals(backend):
        (kept,) = backend.persist(xp.asarray(a) + 1)
        (native,) = backend.compute(kept)
        if not backend.executor.owns(native):
            pytest.skip("compute gives NumPy arrays")
        x = xp.asarray(native)
        assert x.shape == (2, 3)
        assert x.dtype == real
        result = (x * 2 + 1).compute()
    assert type(result) is type(native)
    equal(backend.as_numpy(result), 2 * a + 3)
    equal(np.asarray(x), a + 1)
    assert float(xp.max(x)) == 6.0
    equal((x + 1).compute(backend="numpy"), a + 2)


def test_ownership(backend: Backend, real: np.dtype[Any]) -> None:
    """An executor knows its own arrays, and turns them into NumPy's."""
    executor = backend.executor
    assert not executor.owns(object())
    assert not executor.owns([1.0, 2.0])
    for shape in SHAPES:
        a = plain(shape, real)
        with refusals(backend):
            (value,) = backend.compute(xp.asarray(a))
        if executor.owns(value):
            converted = executor.to_numpy(value)
            assert type(converted) is np.ndarray
            equal(converted, a)


# --- plans ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["none", "exact", "default", "fast"])
def test_levels_of_the_optimizer(backend: Backend, real: np.dtype[Any], level: str) -> None:
    """Plans of all levels run."""
    a = numbers(real, 3, 4)
    x = xp.asarray(a)
    y = xp.permute_dims(x * 2 + 0, (1, 0))[1:, ::-1]
    y[0] = 1
    with refusals(backend):
        got = backend.compute(y, xp.sum(y, axis=0), xp.flip(xp.flip(x)), optimize=level)
    answer = (2 * a.T)[1:, ::-1].copy()
    answer[0] = 1
    agrees(backend, got, answer, answer.sum(axis=0), a)


def test_deep_graphs(backend: Backend, real: np.dtype[Any]) -> None:
    """The depth of a graph is not bound by Python's stack, nor by what is held at a time."""
    x = y = xp.asarray(np.ones(4, real))
    depth = 300
    for _ in range(depth):
        y = y * 0.5 + x
    with refusals(backend):
        got = backend.compute(y, optimize="none")
    agrees(backend, got, np.full(4, 2, real))


def test_traced_functions(backend: Backend, real: np.dtype[Any]) -> None:
    """A plan is run again on other arrays, and gives arrays of the caller's own."""
    function = xp.jit(lambda x, y: (x * 2 + y, xp.sum(x)), backend=backend.backend)
    a = numbers(real, 3, 4)
    with refusals(backend):
        runs = [function(xp.asarray(a + k), xp.asarray(a)) for k in range(3)]
    for k, (first, second) in enumerate(runs):
        equal(np.asarray(first), 3 * a + 2 * k)
        equal(np.asarray(second), np.sum(a + k))


def test_threads(backend: Backend, real: np.dtype[Any]) -> None:
    """Several threads compute the same graph, and graphs of their own, at a time."""
    a = numbers(real, 8, 8)
    shared = xp.asarray(a) * 2

    def run(k: int) -> tuple[Any, ...]:
        return backend.compute(shared + k, xp.sum(shared, axis=0), xp.asarray(a) - k)

    with refusals(backend):
        run(0)
    with ThreadPoolExecutor(4) as pool:
        for k, got in enumerate(pool.map(run, range(16))):
            agrees(backend, got, 2 * a + k, (2 * a).sum(axis=0), a - k)


# --- errors -----------------------------------------------------------------------------------------------------------


def test_errors_tell_op_and_line(backend: Backend, real: np.dtype[Any], tmp_path: Path) -> None:
    """An error while an op runs goes through, with a note of the op and of the user's line; the graph stays usable."""
    source = Reader(real, tmp_path / "log", "the disk is gone")
    user: dict[str, Any] = {}  # code outside lazyxp, whose frames are not the user's
    exec(compile("def work(xp, source):\n    return xp.from_source(source) * 2", "theirs.py", "exec"), user)
    with pytest.raises(OSError, match="the disk is gone") as caught, refusals(backend):
        backend.compute(user["work"](xp, source))
    (note,) = [note for note in getattr(caught.value, "__notes__", ()) if note.startswith("lazyxp: ")]
    assert " ran read on " in note or " ran multiply on " in note
    assert "recorded at theirs.py:2 in work" in note
    source.error = ""
    agrees(backend, backend.compute(xp.asarray(np.ones(2, real)) + 1), np.full(2, 2, real))


def test_an_index_out_of_bounds(backend: Backend, real: np.dtype[Any]) -> None:
    """A position out of bounds raises IndexError."""
    x, index = xp.asarray(numbers(real, 2, 3)), xp.asarray(np.array([0, 7]))
    for taken in (xp.take(x, index, axis=1), xp.take(x, index - 8, axis=0)):
        with pytest.raises(IndexError), refusals(backend):
            backend.compute(xp.sum(taken * 2))


def test_options_of_another_backend(backend: Backend) -> None:
    """An option that the backend does not know is refused."""
    with pytest.raises(TypeError, match="colour"):
        xp.compute(xp.asarray(np.ones(2, bool)), backend=backend.backend, colour="red")


def test_status(backend: Backend) -> None:
    """A backend that runs is listed as available, with what is known of it."""
    if backend.backend not in xp.backends():
        pytest.skip("it is a namespace, which no list has")
    status = xp.backends()[backend.backend]
    assert isinstance(status, Status)
    assert status.available
    assert status.reason == ""
    assert status.version is None or isinstance(status.version, str)
    assert all(isinstance(device, str) for device in status.devices)
