"""The executor suite: what holds on every backend."""

import contextlib
import inspect
from collections import defaultdict

import array_api_compat.numpy as eager
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.errors import UnsupportedOperation
from lazyxp.executors import registry
from lazyxp.node import OPS, walk
from tests.executors.cases import cases
from tests.inputs import equal

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Increasing number of chunks"),  # Dask's, on chunks of a few bytes
]
GROUPS = defaultdict(list)
for _case in cases():
    GROUPS[_case.group].append(_case)


# --- every op ---------------------------------------------------------------------------------------------------------


def several(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def record(case):
    return several(case.function(xp, *[xp.asarray(a) for a in case.arrays]))


def is_lenient(case):
    """Whether the standard leaves the expression undefined, so that a strict namespace may refuse it."""
    try:
        with xp.set_options(strict=True):
            record(case)
    except (TypeError, ValueError, IndexError):
        return True
    return False


def test_the_table_covers_every_op():
    seen = {node.op.name for case in cases() for result in record(case) for node in walk([current(result)])}
    assert {name for name, op in OPS.items() if op.kind not in ("source", "kernel", "read")} <= seen


def has_special_values(case):
    return any(not np.isfinite(a).all() for a in case.arrays)


def is_out_of_range(case):
    return has_special_values(case) or any(a.dtype.kind == "f" and (a < 0).any() for a in case.arrays)


# Where the library that runs an op departs from NumPy: on which cases, and why that is left to it.
COMPLEX = (has_special_values, "complex infinities, NaN and signed zeros are the library's")
DEPARTURES = {
    **{("jax", group): COMPLEX for group in ("acosh", "asinh", "atan", "divide", "exp", "reciprocal")},
    ("jax", "astype"): (is_out_of_range, "the standard leaves open what becomes of values out of an integer's range"),
}

# PyTorch has no kernels for these ops on uint64 or complex numbers.
REFUSED = {
    ("torch", group)
    for group in (
        *("bitwise_right_shift", "floor_divide", "pow", "remainder"),
        *("unique_all", "unique_counts", "unique_inverse", "unique_values"),
    )
}


@pytest.mark.parametrize("group", GROUPS)
def test_numpys_answer(backend, group, small_chunks):
    """The dtype, shape and values of NumPy, in the backend's own arrays."""
    table = GROUPS[group]
    ran = 0
    # A task on the cluster takes milliseconds, and what can go wrong there is pickling.
    for case in table[:1] if backend.id == "dask-cluster" else table:
        departs, _ = DEPARTURES.get((backend.id, group), (None, ""))
        if departs is not None and departs(case):
            continue
        try:
            got = backend.compute(*record(case))
        except UnsupportedOperation:
            assert backend.id == "sparse" or (backend.id, group) in REFUSED, case
            continue
        except TypeError:
            if backend.id == "array_api_strict" and is_lenient(case):
                continue
            raise
        wanted = several(case.function(eager, *[a.copy() for a in case.arrays]))
        for value, answer in zip(got, wanted, strict=True):
            equal(backend.as_numpy(value), answer, case, rounding=True, norm=group.startswith(("fft.", "linalg.")))
        ran += 1
    assert ran or registry.get(backend.backend).refuses(OPS[group])


# --- results ----------------------------------------------------------------------------------------------------------


def test_several_outputs_share_work_and_no_memory(backend):
    x = xp.asarray(np.arange(12.0).reshape(3, 4))
    y = x * 2
    results = backend.compute(y, y, y + 1, y[1:], x, x[:, 0], xp.sum(y), xp.asarray(5))
    for got, wanted in zip(results, (x * 2, x * 2, x * 2 + 1, (x * 2)[1:], x, x[:, 0], xp.sum(x * 2), 5), strict=True):
        equal(backend.as_numpy(got), np.asarray(wanted))
    if backend.type is np.ndarray or backend.id == "torch":
        for i, one in enumerate(results):
            one = np.asarray(one)
            assert one.flags.writeable
            assert not any(np.may_share_memory(one, np.asarray(other)) for other in results[:i])
            one[...] = 0
    equal(np.asarray(x), np.arange(12.0).reshape(3, 4))


def test_unknown_lengths(backend):
    x = xp.asarray([3.0, 0.0, 1.0, 2.0])
    mask = x != 0
    found = x[mask]
    values = backend.compute(found, found * 2 + xp.sum(found), found + x[mask], xp.nonzero(mask)[0], xp.sum(found))
    for got, wanted in zip(values, ([3, 1, 2], [12, 8, 10], [6, 2, 4], [0, 2, 3], 6), strict=True):
        got = backend.as_numpy(got)
        equal(got, np.asarray(wanted, dtype=got.dtype))


def test_persisted_results_are_sources(backend):
    if backend.id == "cupy-lowerings":
        pytest.skip("its arrays are NumPy's")
    x = xp.asarray([1.0, 0.0, 2.0])
    y, found = xp.persist(x + 1, x[x != 0], backend=backend.backend, **backend.options)
    assert y.shape == (3,)
    assert found.shape == (2,)
    name = "dask.array" if backend.id.startswith("dask") else backend.id
    assert type(current(y).value).__module__.startswith(name)  # "jaxlib" for JAX's
    equal(backend.as_numpy(backend.compute(y * 2)[0]), np.array([4.0, 2.0, 6.0]))
    equal(backend.as_numpy(backend.compute(found * 2)[0]), np.array([2.0, 4.0]))


def test_data_of_a_backend_runs_on_it(backend):
    if backend.id in ("dask-cluster", "cupy-lowerings"):
        pytest.skip("its arrays do not say so")
    (native,) = backend.compute(xp.asarray(np.eye(3)))
    if backend.id == "dask":
        import dask.array

        native = dask.array.from_array(native, chunks=2)
    x = xp.asarray(native)
    result = (x @ x + 1).compute()
    equal(backend.as_numpy(result), np.eye(3) + 1)
    assert float(xp.sum(x)) == 3.0
    equal(np.asarray(x * 2), 2 * np.eye(3))
    with xp.set_options(backend="numpy"):
        assert type((x + 1).compute()) is np.ndarray
    equal((x + 1).compute(backend="numpy"), np.eye(3) + 1)
    if backend.id in ("dask", "sparse"):
        equal(np.from_dlpack(x * 2), 2 * np.eye(3))


def test_data_of_numpy_runs_there(backend):
    x = np.array([[0.0, 1.0], [2.0, 0.0]])
    equal(backend.as_numpy(backend.compute(xp.asarray(x) * 2)[0]), 2 * x)
    equal(backend.as_numpy(backend.compute(xp.asarray(x[::-1, ::-1]) * 2)[0]), 2 * x[::-1, ::-1])
    equal(backend.as_numpy(backend.compute(xp.asarray(x[:0]) * 2)[0]), 2 * x[:0])


# --- errors -----------------------------------------------------------------------------------------------------------


def here():
    return inspect.currentframe().f_back.f_lineno


def test_errors_tell_op_and_line(backend):
    x = xp.asarray(np.arange(6.0).reshape(2, 3))
    line, taken = here(), xp.take(x, xp.asarray([0, 7]), axis=1)
    with pytest.raises(IndexError) as caught:
        backend.compute(xp.sum(taken * 2))
    (note,) = [note for note in caught.value.__notes__ if note.startswith("lazyxp: ")]
    assert "ran take on float64[2, 3] and int64[2]" in note
    assert f"{__file__}:{line} in test_errors_tell_op_and_line" in note
    equal(backend.as_numpy(backend.compute(x + 1)[0]), np.arange(6.0).reshape(2, 3) + 1)  # the graph stays usable


def test_options_of_another_backend(backend):
    with pytest.raises(TypeError, match="takes no option 'colour'"):
        xp.compute(xp.asarray(1), backend=backend.backend, colour="red")
    if not backend.id.startswith("dask"):
        with pytest.raises(TypeError, match="takes no option 'scheduler'"):
            xp.compute(xp.asarray(1), backend=backend.backend, scheduler="threads")


# --- what every library may give in memory of its operands, and what it may not ---------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        xp.positive,
        xp.conj,
        xp.abs,
        xp.floor,
        xp.round,
        xp.real,
        lambda x: xp.astype(x, x.dtype),
        lambda x: xp.sum(x, axis=()),
    ],
)
@pytest.mark.parametrize("dtype", ["int64", "float64", "complex128"])
def test_results_are_the_callers_own(backend, call, dtype):
    data = np.arange(6).reshape(2, 3).astype(dtype)
    try:
        x = xp.asarray(data, copy=False)
        recorded = call(x)
    except TypeError:
        return
    wanted = np.asarray(call(xp.asarray(data.copy())).compute(backend="numpy"))
    (result,) = backend.compute(recorded)
    data[...] = 0
    equal(backend.as_numpy(result), wanted)
    with contextlib.suppress(TypeError, ValueError, NotImplementedError, RuntimeError):  # immutable, or read-only
        result[...] = 7
        assert not data.any()


def test_positions_from_the_end(backend):
    x = np.arange(6.0).reshape(2, 3)
    index = np.array([[-1, 0], [1, -2]])
    for function in (
        lambda xp, x, i: xp.take(x, i[0], axis=1),
        lambda xp, x, i: xp.take_along_axis(x, i, axis=1),
        lambda xp, x, i: x[:, i[1]],
        lambda xp, x, i: x[::-1, ::-2],
    ):
        try:
            (got,) = backend.compute(function(xp, xp.asarray(x), xp.asarray(index)))
        except UnsupportedOperation:
            assert backend.id == "sparse"
            continue
        equal(backend.as_numpy(got), function(eager, x, index))
