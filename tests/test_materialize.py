"""Values that recorded code demands: the policy, and the memory of what was computed."""

from __future__ import annotations

import operator
import threading

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import MaterializationError, SourceMutated, UnknownBackend
from lazyxp.executors.numpy import NumPyExecutor


class Counting(NumPyExecutor):
    """NumPy, counting the ops that run."""

    ran: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.name = "counting"
        self.ran = []

    def execute(self, step, arrays):
        self.ran.append(step.node.op.name)
        return super().execute(step, arrays)


@pytest.fixture
def counting():
    executor = Counting()
    with xp.set_options(backend=executor):
        yield executor


DEMANDS = {
    "bool": (bool, 1.0, True),
    "int": (int, 2.5, 2),
    "float": (float, 2.5, 2.5),
    "complex": (complex, 2.5, 2.5 + 0j),
    "index": (operator.index, 3, 3),
    "asarray": (np.asarray, 2.5, 2.5),
    "dlpack": (np.from_dlpack, 2.5, 2.5),
    "bool of int": (bool, 0, False),
    "int of bool": (int, True, 1),
}


@pytest.mark.parametrize("name", DEMANDS)
def test_demands_compute_once(name: str, counting: Counting) -> None:
    demand, value, expected = DEMANDS[name]
    x = xp.max(xp.asarray([value, value]))
    for _ in range(3):
        assert demand(x) == expected
    assert counting.ran == ["max"]


@pytest.mark.parametrize("name", DEMANDS)
def test_demands_obey_the_policy(name: str) -> None:
    demand, value, expected = DEMANDS[name]
    x = xp.max(xp.asarray([value, value]))
    with xp.set_options(materialize="raise"), pytest.raises(MaterializationError, match=r"max, recorded at .*test_mat"):
        demand(x)
    with xp.set_options(materialize="warn"), pytest.warns(UserWarning, match="demands the value"):
        assert demand(x) == expected
    with xp.set_options(materialize="raise"):
        assert demand(x) == expected  # it is known now


def test_repr_never_computes(counting: Counting) -> None:
    x = xp.asarray([1.0, 2.0]) + 1
    assert repr(x) == "Array<add: float64[2]>"
    assert repr(x[x > 1]) == "Array<gather: float64[?]>"
    assert counting.ran == []
    float(x[0])
    assert repr(x) == "Array([2., 3.], dtype=float64)"


def test_data_dependent_shapes_are_computed_when_asked_for(counting: Counting) -> None:
    x = xp.asarray([3, 1, 3, 2])
    values = xp.unique_values(x)
    big = x[x > 1] + 1
    with xp.set_options(materialize="raise"):
        assert values.shape == big.shape == (None,)
        assert big.size is None
        with pytest.raises(TypeError, match="data-dependent"):
            len(big)
    assert counting.ran == []
    assert values.shape == (3,)
    assert len(big) == big.size == 3
    assert [int(v) for v in big] == [4, 4, 3]
    assert counting.ran.count("gather") == 1


def test_a_read_starts_from_what_is_held(counting: Counting) -> None:
    x = xp.asarray([1.0, 2.0, 3.0])
    for _ in range(10):
        x = x * 2 - 1
        float(xp.sum(x))
    assert counting.ran == ["multiply", "subtract", "sum"] * 10


def test_a_read_drops_what_nobody_holds() -> None:
    x = xp.asarray([1.0, 2.0])
    held = x * 2
    total = xp.sum(held * 3 + 1)
    float(total)
    assert isinstance(held._node.value, np.ndarray)
    assert total._node.args == ()
    other = xp.sum(x * 5)
    inner = other._node.args[0]
    del other
    assert inner.value is None


def test_outputs_of_one_op_are_computed_together(counting: Counting) -> None:
    q, r = xp.linalg.qr(xp.asarray([[1.0, 2.0], [3.0, 4.0]]))
    float(q[0, 0])
    float(r[0, 0])
    np.testing.assert_allclose((q @ r).compute(), [[1, 2], [3, 4]])
    assert counting.ran.count("linalg.qr") == 1


def test_views_of_what_was_computed_follow_writes() -> None:
    x = xp.asarray([1.0, 2.0, 3.0]) * 2
    view = x[1:]
    assert float(view[0]) == 4
    x[1] = 10
    assert float(view[0]) == 10
    view[1] = 20
    assert np.asarray(x).tolist() == [2, 10, 20]


def test_numpy_gets_a_copy_where_it_asks_for_one() -> None:
    x = xp.asarray([1.0, 2.0]) + 1
    assert not np.asarray(x, copy=False).flags.writeable
    own = np.array(x)
    own[0] = 100
    assert x.compute().tolist() == [2, 3]
    assert np.asarray(x, dtype=np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(x, dtype=np.float32, copy=False)


def test_dlpack_exports_a_copy() -> None:
    x = xp.asarray([1.0, 2.0]) + 1
    exported = np.from_dlpack(x)
    assert exported.tolist() == [2, 3]
    if exported.flags.writeable:
        exported[0] = 50
    assert x.compute().tolist() == [2, 3]
    assert x.__dlpack_device__() == (1, 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bool(xp.zeros(2)), "0-d array"),
        (lambda: float(xp.asarray(1j)), "complex128"),
        (lambda: int(xp.asarray(1j)), "complex128"),
        (lambda: operator.index(xp.asarray(1.0)), "float64"),
        (lambda: len(xp.asarray(1.0)), "0-d"),
        (lambda: iter(xp.asarray(1.0)), "0-d"),
    ],
)
def test_demands_that_make_no_sense(call, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        call()


def test_compute_and_persist() -> None:
    x = xp.arange(5)
    total, double = xp.compute(xp.sum(x), x * 2)
    assert isinstance(total, np.ndarray)
    assert int(total) == 10
    assert double.tolist() == [0, 2, 4, 6, 8]
    held = (x * 2).persist()
    assert isinstance(held._node.value, np.ndarray)
    assert xp.persist(x, x + 1)[1].compute().tolist() == [1, 2, 3, 4, 5]
    assert xp.compute() == ()
    assert xp.compute(3)[0] == 3


def test_numpy_ufuncs_record(counting: Counting) -> None:
    x = xp.asarray([1.0, 4.0])
    results = [
        np.sqrt(x),
        np.add(x, 1),
        np.ones(2) + x,
        np.float64(2) * x,
        np.ones((2, 2)) @ x,
        np.matmul(np.eye(2), x),
    ]
    assert all(isinstance(r, xp.Array) for r in results)
    assert counting.ran == []
    assert [r.compute().tolist() for r in results] == [[1, 2], [2, 5], [2, 5], [2, 8], [5, 5], [1, 4]]
    total = np.add.reduce(x)
    assert total == 5
    target = np.zeros(2)
    target += x
    assert target.tolist() == [1, 4]


def test_options() -> None:
    before = xp.get_options()
    with xp.set_options(strict=True, materialize="warn"):
        assert xp.get_options()["strict"]
    assert xp.get_options() == before
    with pytest.raises(TypeError, match="no option 'speed'"):
        xp.set_options(speed=1)
    with pytest.raises(ValueError, match=r"materialize='never' is none of 'compute', 'warn', 'raise'"):
        xp.set_options(materialize="never")
    with pytest.raises(ValueError, match="optimize='more' is none of"):
        xp.zeros(1).compute(optimize="more")
    assert xp.get_options() == before


def test_functions_that_need_a_shape_compute_it_or_say_so() -> None:
    x = xp.asarray([3, 1, 2])
    needs = {
        "broadcast_arrays": lambda big: xp.broadcast_arrays(big, xp.zeros((2, 1)))[0],
        "meshgrid": lambda big: xp.meshgrid(big, big)[1],
        "zeros_like": lambda big: xp.zeros_like(big),
        "unstack": lambda big: xp.stack(xp.unstack(big)),
        "roll": lambda big: xp.roll(xp.stack([big, big]), 1),
    }
    a = np.asarray([3, 2])
    expected = [np.broadcast_to(a, (2, 2)), np.meshgrid(a, a)[1], np.zeros_like(a), a, np.roll(np.stack([a, a]), 1)]
    for (name, call), answer in zip(needs.items(), expected, strict=True):
        with xp.set_options(materialize="raise"), pytest.raises(MaterializationError, match=f"{name}: needs"):
            call(x[x > 1])
        np.testing.assert_array_equal(call(x[x > 1]).compute(), answer)


def test_formatting_a_scalar_computes_it() -> None:
    total = xp.sum(xp.asarray([1.0, 2.25]))
    assert f"{total}" == "Array<sum: float64[]>"
    assert f"{total:.1f}" == "3.2"


def test_options_in_a_with_block_are_this_threads_own() -> None:
    seen = []
    with xp.set_options(strict=True):
        thread = threading.Thread(target=lambda: seen.append(xp.get_options()["strict"]))
        thread.start()
        thread.join()
        with xp.set_options(materialize="warn"):
            assert xp.get_options()["strict"]
    assert seen == [False]
    assert not xp.get_options()["strict"]
    for backend in ("nonsense", 42, "lazyxp.nothing"):
        with pytest.raises((TypeError, UnknownBackend)):
            xp.set_options(backend=backend)
    assert xp.get_options()["backend"] is None


def test_in_place_results_of_unknown_length_must_fit_when_the_graph_runs() -> None:
    x, m = xp.asarray([1.0]), xp.asarray([1.0, 2.0, 3.0])
    x += m[m > 0]
    with pytest.raises(ValueError, match="broadcast"):
        x.compute()


def test_divmod_records(counting: Counting) -> None:
    quotient, rest = divmod(xp.asarray([7, -7]), 3)
    assert counting.ran == []
    assert (quotient.compute().tolist(), rest.compute().tolist()) == ([2, -3], [1, 2])
    assert [int(n) for n in divmod(7, xp.asarray(2))] == [3, 1]


def test_dlpack_without_a_copy_is_watched() -> None:
    x = xp.asarray([1.0, 2.0]) + 1
    y = x * 2

    class Exported:
        def __dlpack__(self, **kwargs):
            return x.__dlpack__(copy=False)

        def __dlpack_device__(self):
            return x.__dlpack_device__()

    alias = np.from_dlpack(Exported())
    assert np.shares_memory(alias, x._node.value)
    np.asarray(x._node.value)[0] = 7
    with pytest.raises(SourceMutated):
        y.compute()


def test_with_blocks_of_many_threads_leave_the_options_as_they_were() -> None:
    before = xp.get_options()
    seen = []

    def work(strict: bool) -> None:
        for _ in range(300):
            with xp.set_options(strict=strict):
                seen.append(xp.get_options()["strict"] is strict)

    threads = [threading.Thread(target=work, args=(k % 2 == 0,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(seen)
    assert xp.get_options() == before
    for _ in range(200):
        xp.set_options(materialize="warn")
        xp.set_options(materialize="compute")
    assert xp.get_options() == before


def is_known(x) -> bool:
    return not repr(x).startswith("Array<")


@pytest.mark.parametrize(
    "make",
    [
        lambda x: xp.exp(x) * 2 + xp.sin(x),
        lambda x: xp.reshape(x, (500, 500)) @ xp.reshape(x, (500, 500)),
        lambda x: xp.cumulative_sum(x),
    ],
)
def test_an_element_of_a_large_array_is_computed_without_it(make) -> None:
    data = np.random.default_rng(1).random(250_000)
    x = make(xp.asarray(data))
    wanted = make(xp.asarray(data)).compute().reshape(-1)[0]
    assert float(xp.reshape(x, (-1,))[0]) == pytest.approx(wanted, rel=1e-12)
    assert not is_known(x)
    assert bool(xp.any(xp.reshape(x, (-1,))[0]))  # how array-api-compat asks whether an array is lazy
    assert not is_known(x)
    np.testing.assert_allclose(np.asarray(x).reshape(-1)[0], wanted, rtol=1e-12)
    assert is_known(x)


def test_an_array_that_is_read_again_and_again_is_computed() -> None:
    x = xp.exp(xp.asarray(np.ones(250_000)))
    for i in range(1_000):
        x[i].item()
        if is_known(x):
            break
    assert 1 < i < 999


def test_what_costs_no_more_is_remembered() -> None:
    x = xp.asarray(np.ones(250_000)) * 3
    assert float(xp.sum(x)) == 750_000
    assert is_known(x)


def test_what_costs_nobody_knows_how_much_is_remembered() -> None:
    x = xp.asarray(np.linspace(-1, 1, 250_000))
    roots = xp.zeros_like(x)
    roots[x > 0] = xp.sqrt(x[x > 0])
    assert float(xp.max(roots)) == 1
    assert is_known(roots)
