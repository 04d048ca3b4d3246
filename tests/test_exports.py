"""NumPy arrays on the storage of lazy ones: what is written to them is seen as NumPy's views would see it."""

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import lazyxp as xp
from lazyxp.testing.inputs import DTYPES, equal, plain

KEYS = [
    (Ellipsis,),
    (slice(1, None),),
    (slice(None), slice(None, None, -1)),
    (1,),
    (Ellipsis, 2),
    (None, slice(None), slice(0, 3, 2)),
    (0, 1),
]


class Storage(RuleBasedStateMachine):
    """A lazy array and its views beside NumPy's, exported, written to in all ways and recorded."""

    def __init__(self) -> None:
        super().__init__()
        mirror = np.arange(12.0).reshape(3, 4)
        x = xp.asarray(mirror.copy()) * 1.0
        self.handles = [(x, mirror)]
        self.exports: list[tuple[np.ndarray, np.ndarray]] = []
        self.recorded: list[tuple[xp.Array, np.ndarray]] = []
        self.next = 100.0

    def value(self) -> float:
        self.next += 1
        return self.next

    @rule(of=st.integers(0, 9), key=st.sampled_from(KEYS))
    def view(self, of: int, key: tuple) -> None:
        x, mirror = self.handles[of % len(self.handles)]
        try:
            seen = mirror[key]
        except IndexError:
            return
        if len(self.handles) < 6 and isinstance(seen, np.ndarray):
            self.handles.append((x[key], seen))

    @rule(of=st.integers(0, 9))
    def export(self, of: int) -> None:
        x, mirror = self.handles[of % len(self.handles)]
        exported = np.asarray(x)
        equal(exported, mirror)
        self.exports.append((exported, mirror))

    @precondition(lambda self: self.exports)
    @rule(of=st.integers(0, 9), place=st.integers(0, 11))
    def write_with_numpy(self, of: int, place: int) -> None:
        exported, mirror = self.exports[of % len(self.exports)]
        if not mirror.size:
            return
        value = self.value()
        for target in (exported, mirror):
            target[np.unravel_index(place % target.size, target.shape)] = value
        if len(self.exports) > 1:  # which of two writes to separate memory came first is known only by looking
            self.look()

    @rule(of=st.integers(0, 9), key=st.sampled_from(KEYS))
    def write(self, of: int, key: tuple) -> None:
        x, mirror = self.handles[of % len(self.handles)]
        value = self.value()
        try:
            mirror[key] = value
        except IndexError:
            return
        x[key] = value

    @rule(of=st.integers(0, 9))
    def record(self, of: int) -> None:
        x, mirror = self.handles[of % len(self.handles)]
        self.recorded.append((x * 2, mirror * 2))

    @precondition(lambda self: self.exports)
    @rule(of=st.integers(0, 9))
    def drop(self, of: int) -> None:
        del self.exports[of % len(self.exports)]

    @precondition(lambda self: self.recorded)
    @rule()
    def compute(self) -> None:
        for x, wanted in self.recorded:
            equal(x.compute(), wanted)

    @rule()
    def look(self) -> None:
        for x, mirror in self.handles:
            equal(x.compute(), mirror)

    @invariant()
    def what_was_recorded_stays(self) -> None:
        if self.recorded:
            x, wanted = self.recorded[-1]
            equal((x + 0).compute(), wanted)

    def teardown(self) -> None:
        self.look()
        for x, wanted in self.recorded:
            equal(x.compute(), wanted)


TestStorage = Storage.TestCase
TestStorage.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_writes_are_seen(dtype, shape):
    x = xp.asarray(plain(shape, dtype))
    before = x + x
    exported = np.asarray(x)
    exported[...] = 1
    equal(x.compute(), np.ones(shape, dtype))
    exported[...] = 0
    del exported
    equal(np.asarray(x), np.zeros(shape, dtype))
    equal(before.compute(), np.asarray(plain(shape, dtype) + plain(shape, dtype)))


@pytest.mark.parametrize(("old", "new"), [(0.0, -0.0), (np.nan, 1.0), (1.0, np.nan)])
def test_bits_are_compared(old, new):
    x = xp.asarray([old, old])
    exported = np.asarray(x)
    assert xp.all(x == x) or np.isnan(old)  # from now on the memory is not that of x
    exported[1] = new
    equal(x.compute(), np.array([old, new]))


def test_the_users_array_is_not_written_to():
    data = np.arange(100_000.0)
    x = xp.asarray(data)
    y = x + 1
    exported = np.asarray(x)
    exported[0] = 5
    assert data[0] == 0
    assert float(x[0]) == 5
    assert float(y[0]) == 1


def test_the_layout_is_that_of_the_data():
    x = xp.asarray(np.asfortranarray(np.ones((200, 300))))
    assert np.asarray(x).flags.f_contiguous
    assert np.asarray(xp.permute_dims(xp.ones((200, 300)), (1, 0))).shape == (300, 200)


@pytest.mark.parametrize(
    "make",
    [
        lambda: xp.broadcast_to(xp.asarray([1.0]), (3,)),
        lambda: xp.linalg.diagonal(xp.eye(3)),
        lambda: xp.asarray(np.broadcast_to(np.ones(1), (3,))),
    ],
)
def test_read_only_arrays_stay_read_only(make):
    exported = np.asarray(make())
    assert not exported.flags.writeable
    assert exported.tolist() == [1, 1, 1]


def test_exports_of_the_storage_and_its_views_share_memory():
    x = xp.reshape(xp.arange(6.0), (2, 3))
    row = x[1]
    whole, part = np.asarray(x), np.asarray(row)
    part[0] = 10
    assert whole[1, 0] == 10
    whole[1, 1] = 20
    assert row.compute().tolist() == [10, 20, 5]


def test_other_handles_keep_what_they_have():
    x = xp.asarray([1.0, 2.0])
    other = xp.asarray(x, copy=True)
    held = x.persist()
    np.asarray(x)[0] = 7
    assert (x.compute().tolist(), other.compute().tolist(), held.compute().tolist()) == ([7, 2], [1, 2], [1, 2])


def test_results_of_other_backends_are_exported_as_copies():
    strict = pytest.importorskip("array_api_strict")
    x = xp.asarray(strict.asarray([1.0, 2.0]))
    exported = np.asarray(x)
    assert type(x.compute()).__module__.startswith("array_api_strict")
    exported[0] = 5
    assert xp.sum(x).compute() == 7


def test_what_belongs_to_nobody_else_is_not_copied():
    """One array's memory for the result, and none for the export, nor for a second look once it is dropped."""
    x = xp.asarray(np.arange(400_000.0), copy=True)
    np.asarray(x + 1)
    gc.collect()
    y = x + 1
    tracemalloc.start()
    try:
        exported = np.asarray(y)
        del exported
        np.asarray(y)[0] = 3
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert float(y[0]) == 3
    assert peak < 1.5 * 8 * 400_000


def test_threads_write_to_parts():
    x = xp.zeros((32, 50))

    def fill(i):
        np.asarray(x[i])[...] = i + 1
        x[i, 0] = -1 - i

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(32)))
    wanted = np.repeat(np.arange(1.0, 33.0)[:, None], 50, axis=1)
    wanted[:, 0] *= -1
    equal(x.compute(), wanted)
