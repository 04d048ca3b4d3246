"""The acceptance suite on the repository's own backends, and what holds on these alone."""

import inspect

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.node import OPS, walk
from lazyxp.testing.cases import cases
from lazyxp.testing.executor import *  # noqa: F403
from lazyxp.testing.executor import several
from lazyxp.testing.inputs import equal

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore:Increasing number of chunks"),  # Dask's, on chunks of a few bytes
]


def test_the_table_covers_every_op():
    results = [result for case in cases() for result in several(case.function(xp, *map(xp.asarray, case.arrays)))]
    seen = {node.op.name for node in walk([current(result) for result in results])}
    assert {name for name, op in OPS.items() if op.kind not in ("source", "kernel", "read")} <= seen


def test_persisted_results_stay_on_the_backend(backend):
    if backend.id == "cupy-lowerings":
        pytest.skip("its arrays are NumPy's")
    y, found = backend.persist(xp.asarray([1.0, 0.0, 2.0]) + 1, xp.asarray([1.0, 0.0])[xp.asarray([True, False])])
    name = "dask.array" if backend.id.startswith("dask") else backend.id
    assert type(current(y).value).__module__.startswith(name)
    assert type(current(found).value).__module__.startswith(name)


def test_data_of_dask_runs_on_it():
    da = pytest.importorskip("dask.array")
    x = xp.asarray(da.from_array(np.eye(3), chunks=2))
    equal((x @ x + 1).compute(), np.eye(3) + 1)
    assert float(xp.sum(x)) == 3.0
    equal(np.from_dlpack(x * 2), 2 * np.eye(3))
    with xp.set_options(backend="numpy"):
        equal((x + 1).compute(), np.eye(3) + 1)


def test_sparse_data_goes_out_through_dlpack():
    sparse = pytest.importorskip("sparse")
    equal(np.from_dlpack(xp.asarray(sparse.COO.from_numpy(np.eye(3))) * 2), 2 * np.eye(3))


def test_an_option_decides_before_the_data(backend):
    x = backend.persist(xp.asarray(np.eye(3)))[0]
    with xp.set_options(backend="numpy"):
        assert type((x + 1).compute()) is np.ndarray


def here():
    return inspect.currentframe().f_back.f_lineno


def test_errors_tell_operands_and_line(backend):
    x = xp.asarray(np.arange(6.0).reshape(2, 3))
    line, taken = here(), xp.take(x, xp.asarray([0, 7]), axis=1)
    with pytest.raises(IndexError) as caught:
        backend.compute(xp.sum(taken * 2))
    (note,) = [note for note in caught.value.__notes__ if note.startswith("lazyxp: ")]
    assert "ran take on float64[2, 3] and int64[2]" in note
    assert f"{__file__}:{line} in test_errors_tell_operands_and_line" in note
    equal(backend.as_numpy(backend.compute(x + 1)[0]), np.arange(6.0).reshape(2, 3) + 1)  # the graph stays usable


def test_the_option_of_dask(backend):
    if not backend.id.startswith("dask"):
        with pytest.raises(TypeError, match="takes no option 'scheduler'"):
            xp.compute(xp.asarray(1), backend=backend.backend, scheduler="threads")
