"""Plans on disk: what another process planned is run as it is, and no other graph's plan is taken for it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import lazyxp as xp
from lazyxp import disk_cache, plan_files, planning
from lazyxp.api.recording import current
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.optimizers import pipeline
from lazyxp.structure import structure_of
from tests.executors.kernel_checks import shared
from tests.optimizers.random_graphs import REFUSALS, random_graph
from tests.optimizers.test_plan_cache import ALL_DIFFERENT

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::numpy.exceptions.ComplexWarning")

ROOT = Path(__file__).parents[1]
RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 50))


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty directory, and no plan in memory."""
    monkeypatch.setenv(disk_cache.VARIABLE, str(tmp_path))
    planning.clear_cache()
    yield tmp_path
    planning.clear_cache()


@pytest.fixture(autouse=True)
def kernels():
    """Kernels of any size."""
    with xp.set_options(kernels="always"):
        yield


def plans(place):
    """The files of plans."""
    return sorted(place.glob(f"*{disk_cache.PLAN}"))


def run(*arrays, **options):
    """What arrays are computed to, as bytes, in a process that has no plan yet; and whether it made one."""
    planning.clear_cache()
    before = planning.cache_info().misses
    results = xp.compute(*arrays, **options)
    return [(v.dtype, v.shape, v.tobytes()) for v in results], planning.cache_info().misses > before


def softmax(x):
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def blurred(x):
    """Two stencils, one after the other."""
    y = (x[:, :-2] + x[:, 1:-1] * 2 + x[:, 2:]) / 4
    y = (y[:-2] + y[1:-1] * 2 + y[2:]) / 4
    return xp.sqrt((y[2:] - y[:-2])[:, 1:-1] ** 2 + (y[:, 2:] - y[:, :-2])[1:-1] ** 2)


GRAPHS = {
    "chain": lambda x: [x * 0.3 + xp.sin(x) - 1],
    "several outputs": lambda x: [x + 1, xp.sum(x * x, axis=0), xp.std(x), xp.any(x > 3)],
    "casts": lambda x: [xp.astype(x * 9, xp.int16) // 2, xp.astype(x, xp.complex64) * 1j, xp.where(x > 0, x, -0.0)],
    "softmax": lambda x: [softmax(x)],
    "windows of windows": lambda x: [blurred(x)],
    "parts": lambda x: [xp.concat([x * 2, x + 1, xp.zeros((3, 50))]), xp.stack([xp.exp(x), x])],
    "what a mask selects": lambda x: [xp.sum(x[x > 0] * 2), x[x > 0.5] + 1, xp.nonzero(x > 0)[1]],
    "between library calls": lambda x: [xp.linalg.qr(x * 2).R + 1, xp.sort(x + 1, axis=0) * 2],
    "views and writes": lambda x: [xp.permute_dims(x, (1, 0))[::-1, 3:] + 1, xp.cumulative_sum(x * 2, axis=1)],
    "indices": lambda x: [xp.take(x, xp.asarray([3, 0, -1]), axis=1) * 2, xp.argmax(x * x, axis=0)],
    "made inside": lambda x: [xp.linspace(0, 1, 50) * x, xp.full((60, 1), np.inf) - x, xp.eye(60, 50) + x],
}


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("level", ["default", "fast"])
def test_a_plan_is_found_and_gives_the_same(place, name, level):
    first, made = run(*GRAPHS[name](shared(X)), optimize=level)
    assert made
    (file,) = plans(place)
    again, made = run(*GRAPHS[name](shared(X)), optimize=level)
    assert again == first
    assert not made
    assert plans(place) == [file]


def test_other_data_finds_it_too(place):
    run(shared(X) + 0.3)
    got, made = run(shared(X * 3) + 0.7)
    assert not made
    assert got[0][2] == (X * 3 + 0.7).tobytes()


PROGRAM = """
import numpy as np
import lazyxp as xp
from lazyxp import planning
x = xp.asarray(np.arange(300_000.0))
y = xp.asarray(np.arange(300_000, dtype=">f4"))
mean, small = xp.compute(xp.mean(xp.sqrt(x) + xp.astype(y, xp.float64) * 2), xp.astype(x * 2, xp.float32)[:3])
total = xp.jit(lambda a: xp.sum(a * 2 + 1))(np.arange(10.0))
print(float(mean), small, float(total), planning.cache_info()[:2])
"""


def test_another_process_finds_it(place):
    said = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
        ).stdout
        for _ in range(2)
    ]
    assert said[0].endswith("(0, 2)\n")
    assert said[1] == said[0].replace("(0, 2)", "(2, 0)")
    assert len(plans(place)) == 2


def test_random_graphs_are_found(place):
    found = 0
    for seed in range(7_700, 7_800):
        graph = random_graph(seed)
        with suppress(*REFUSALS):  # what NumPy refuses as well
            first, _ = run(*graph.record(0))
            before = len(plans(place))
            again, made = run(*graph.record(0))
            assert again == first, seed
            assert len(plans(place)) == before
            found += not made
    assert found > 50


def test_only_one_structure_has_a_key():
    keys = []
    executor = NumPyExecutor()
    for _, build in itertools.product(range(2), ALL_DIFFERENT):
        a, b, c = [xp.asarray(np.arange(6.0) + i) for i in range(3)]
        nodes = [current(x) for x in (*build(a, b, c), xp.exp(a))]
        keys.append(plan_files.key_of(structure_of(nodes), executor, 1))
    half = len(keys) // 2
    assert None not in keys
    assert keys[:half] == keys[half:]
    assert len(set(keys)) == half


OTHER = {
    "dtype": lambda x: xp.astype(x, xp.float32) + 1,
    "shape": lambda x: x[1:] + 1,
    "op": lambda x: x - 1,
    "parameter": lambda x: xp.max(x + 1, axis=1),
    "another parameter": lambda x: xp.max(x + 1, axis=0),
    "telling scalar": lambda x: x + 2,
    "sign of zero": lambda x: xp.where(x > 0, x, 0.0),
    "another sign of zero": lambda x: xp.where(x > 0, x, -0.0),
}


def test_what_a_plan_is_made_for_is_all_in_its_key(place):
    for number, build in enumerate(OTHER.values(), 1):
        for new in (True, False):
            got, made = run(build(shared(X)))
            assert made == new
            assert got == [(v.dtype, v.shape, v.tobytes()) for v in xp.compute(build(shared(X)), optimize="none")]
        assert len(plans(place)) == number


def test_levels_and_options_have_their_own(place, monkeypatch):
    x = xp.asarray(RNG.standard_normal(300_000))
    y = xp.sum(xp.sin(x) * x)
    for level, kernels in itertools.product(("default", "fast"), ("auto", "always")):
        with xp.set_options(kernels=kernels):
            assert [run(y, optimize=level)[1] for _ in range(2)] == [True, False]
    assert len(plans(place)) == 4
    monkeypatch.setattr(plan_files, "_VERSIONS", plan_files._VERSIONS + " later")
    assert run(y)[1]
    assert len(plans(place)) == 5
    monkeypatch.setattr(np, "__version__", "99")
    assert run(y)[1]
    assert len(plans(place)) == 6


def test_only_plans_with_compiled_kernels_are_kept(place):
    x = shared(X)
    for options in ({"kernels": "never"}, {"kernels": "auto"}):  # too small
        with xp.set_options(**options):
            assert [run(x * 2 + 1)[1] for _ in range(2)] == [True, True]
    assert [run(xp.sort(x))[1] for _ in range(2)] == [True, True]
    for options in ({"optimize": "exact"}, {"backend": "dask"}):
        assert [run(x * 2 + 1, **options)[1] for _ in range(2)] == [True, True]
    assert not plans(place)


WITHOUT = """
import sys
import numpy as np
import lazyxp as xp
x = xp.asarray(np.ones((400, 400)))
xp.compute(x @ x, xp.sort(x), xp.concat([x, x])[::2], xp.linalg.qr(x).R)
assert "llvmlite" not in sys.modules
xp.sum(x * x).compute()
assert "llvmlite" in sys.modules
"""


def test_the_compiler_is_not_loaded_to_look_for_plans():
    subprocess.run([sys.executable, "-c", WITHOUT], cwd=ROOT, check=True, timeout=120)


def test_other_peoples_passes_and_executors_keep_nothing(place, monkeypatch):
    """What they do is not known from what they are called."""

    class Own(NumPyExecutor):
        def supports(self, op):
            return op.name != "multiply" and super().supports(op)

    assert run(shared(X) + 1, backend=Own())[1]
    assert not plans(place)
    run(shared(X) + 1)
    (file,) = plans(place)
    monkeypatch.setattr(pipeline, "_registered", {})
    monkeypatch.setattr(pipeline, "version", pipeline.version)
    xp.register_pass(pipeline.Pass("nothing", "exact", lambda graph: graph.roots))
    assert [run(shared(X) + 1)[1] for _ in range(2)] == [True, True]
    assert plans(place) == [file]


def test_parameters_that_only_this_process_has(place):
    """A reader is an object, and what it reads is data."""

    class Reader:
        shape, dtype = X.shape, X.dtype

        def __getitem__(self, key):
            return X[key]

    for _ in range(2):
        got, _ = run(xp.from_source(Reader()) * 2 + 1)
        assert got[0][2] == (X * 2 + 1).tobytes()


BROKEN = {
    "truncated": lambda data: data[:-7],
    "changed": lambda data: data[:90] + b"?" + data[91:],
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_broken_is_planned_again(place, how):
    first, _ = run(shared(X) * 2 + 1)
    (file,) = plans(place)
    data = file.read_bytes()
    file.write_bytes(BROKEN[how](data))
    assert run(shared(X) * 2 + 1) == (first, True)
    assert run(shared(X) * 2 + 1) == (first, False)


def test_without_source_files_nothing_is_kept(place, monkeypatch):
    monkeypatch.setattr(plan_files, "_MAKER", "")
    assert [run(shared(X) * 2 + 1)[1] for _ in range(2)] == [True, True]
    assert not plans(place)


def test_other_files_of_the_package_make_other_plans(tmp_path):
    """Each file counts, by its path, size and time."""
    folder = tmp_path / "package"
    (folder / "inner").mkdir(parents=True)
    file, inner = folder / "one.py", folder / "inner" / "two.py"
    said = []
    for change in (
        lambda: (file.write_text("a"), inner.write_text("b")),
        lambda: inner.write_text("bb"),
        lambda: os.utime(inner, (1, 1)),
        lambda: (folder / "inner" / "new.py").write_text(""),
        lambda: inner.unlink(),
    ):
        change()
        said.append(sorted(plan_files._files(str(folder))))
    assert len(set(map(repr, said))) == len(said)
    (folder / "notes.txt").write_text("no source")
    assert sorted(plan_files._files(str(folder))) == said[-1]


def test_errors_name_the_line_of_the_graph_that_failed(place):
    def taken(i):
        return xp.take(shared(X) * 2, xp.asarray(i), axis=0) + 1

    run(taken(np.asarray([1])))
    later = xp.take(shared(X) * 2, xp.asarray(np.asarray([99])), axis=0) + 1
    with pytest.raises(IndexError) as caught:
        run(later)
    assert len(plans(place)) == 1
    assert any("test_errors_name_the_line_of_the_graph_that_failed" in note for note in caught.value.__notes__)


def test_explain_shows_the_same():
    y = blurred(shared(X))
    planning.clear_cache()
    first = y.explain()
    planning.clear_cache()
    again = y.explain()
    assert (first.cache, again.cache) == ("miss", "hit")
    for part in ("recorded", "rewrites", "before", "after"):
        assert getattr(again, part) == getattr(first, part)
    assert list(map(str, again.steps)) == list(map(str, first.steps))


def test_deep_graphs(place):
    def deep():
        x = shared(X)
        for _ in range(3_000):
            x = xp.sin(x * 0.3 + 1)
        return x

    first, _ = run(deep())
    assert len(plans(place)) == 1
    assert run(deep()) == (first, False)


def test_what_is_too_large_is_not_kept(place, monkeypatch):
    monkeypatch.setattr(plan_files, "MOST_NODES", 5)
    run(xp.sin(shared(X) * 0.3 + 1))
    assert not plans(place)
    run(shared(X) + 1)
    assert len(plans(place)) == 1
