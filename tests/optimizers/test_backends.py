"""What rewrites may not do on other backends: make ops that refuse the data, store more, or gather chunks."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.kernel import KERNEL
from lazyxp.node import OPS
from lazyxp.planning import make_plan
from lazyxp.sliding import SLIDING
from lazyxp.structure import structure_of
from tests.optimizers import agreement, random_graphs

LEVELS = ("exact", "default", "fast")
GRAPHS = 40
BACKENDS = {"array_api_strict": "array_api_strict", "dask": "dask", "sparse": "sparse"}
# Chunks of a few elements: graphs are small.
SMALL_CHUNKS = {"array.chunk-size": "640B", "scheduler": "sync"}


@pytest.fixture(params=BACKENDS)
def backend(request):
    """Each backend in turn."""
    pytest.importorskip(BACKENDS[request.param])
    if request.param != "dask":
        yield request.param
        return
    import dask

    with dask.config.set(SMALL_CHUNKS):
        yield "dask"


def as_numpy(value):
    """A result as a NumPy array."""
    return np.asarray(value.todense() if hasattr(value, "todense") else getattr(value, "_array", value))


def computed(outputs, backend, level):
    """The results as NumPy arrays, or the error."""
    try:
        return [as_numpy(x) for x in xp.compute(*outputs, backend=backend, optimize=level)]
    except Exception as error:
        return error


def trace(executor, array, level):
    """The names of the rewrites that fire."""
    return {fired.rule for fired in make_plan(structure_of([current(array)]), executor, level)[0].trace}


# --- random graphs ---------------------------------------------------------------------------------------------------

_dense = random_graphs.data


def mostly_zero(number, shape, *args):
    """What `random_graphs.data` gives, with zeros for most of the elements."""
    kept = np.random.default_rng(number + 7).random(shape) < 0.3
    dense = _dense(number, shape, *args)
    return np.where(kept, dense, np.zeros((), dense.dtype))


@pytest.mark.filterwarnings("ignore")
def test_levels_agree(backend, monkeypatch):
    if backend == "sparse":
        monkeypatch.setattr(random_graphs, "data", mostly_zero)
    done = seed = 0
    while done < GRAPHS:
        seed += 1
        if random_graphs.Maker(seed).large:
            continue
        program = random_graphs.random_graph(seed)
        outputs = program.record()
        plain = computed(outputs, backend, "none")
        if isinstance(plain, Exception):  # the backend refuses some ops and some data
            continue
        done += 1
        for level in LEVELS[:2]:
            found = problem(outputs, plain, computed(outputs, backend, level), backend, level)
            assert found is None, f"seed {seed}, {level}: {found}\n{program.source()}"


def problem(outputs, plain, other, backend, level):
    """What differs, if anything."""
    if isinstance(other, Exception):
        return f"{other!r} {getattr(other, '__notes__', '')}"
    if backend == "sparse":  # what is not stored has the sign of the fill value
        plain, other = (
            [np.add(x, 0, dtype=x.dtype) if x.dtype.kind in "fc" else x for x in xs] for xs in (plain, other)
        )
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return agreement._differ(plain, other) if level == "exact" else agreement._too_far(outputs, plain, other)


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_errors_name_the_line_behind_rewrites(backend, level):
    x = xp.asarray(np.eye(6)) * 2.0 * 4.0
    index = xp.asarray(np.array([1, 6]))
    line = inspect.currentframe().f_lineno + 1
    taken = xp.take(x, index, axis=0)
    with pytest.raises(IndexError) as caught:
        xp.compute(xp.permute_dims(taken * 2.0, (1, 0))[1:3], backend=backend, optimize=level)
    assert any("ran take" in note and f"test_backends.py:{line}" in note for note in caught.value.__notes__)


def test_ops_that_are_not_standard_are_not_looked_up():
    """PyTorch's gather is another function than the op."""

    class Namespace:
        __name__ = "jax.numpy of another kind"

        def __getattr__(self, name):
            return getattr(np, name, None) or (lambda *args, **kwargs: pytest.fail(f"{name} was called"))

    executor = ArrayAPIExecutor(Namespace(), "namespace")
    assert not any(map(executor.supports, (OPS["gather"], OPS["scatter"], KERNEL, SLIDING)))


# --- sparse ----------------------------------------------------------------------------------------------------------


def sparse_vector(n=20, fill=None):
    """One vector in which few elements are not zero, and one in which few are not `fill`."""
    values = np.zeros(n)
    values[[3, 7]] = 1.5, -2.0
    x = xp.asarray(values)
    return x if fill is None else xp.where(x == 0, fill, x)


def assigned(x, value):
    """`x` with `value` in its first ten elements."""
    x = x + 0.0
    x[:10] = value
    return x


class Refused(NamedTuple):
    """A graph that runs as it was recorded, though `sparse` would refuse a product of its operands."""

    id: str
    build: Callable[[], Any]


REFUSED = [
    Refused("sum of products", lambda: xp.sum(sparse_vector(fill=1.0) * sparse_vector(fill=-2.0))),
    Refused("sum of squares", lambda: xp.sum((sparse_vector() + 3.0) ** 2)),
    Refused("sum of products with NaN", lambda: xp.sum(sparse_vector() * xp.asarray([np.nan] + [0.0] * 19))),
    Refused("mean of products", lambda: xp.mean(sparse_vector(fill=1.0) * sparse_vector(fill=2.0))),
    Refused("product of integers", lambda: xp.sum((xp.asarray([[0, 0, 1]]) + 1) * xp.asarray([[5], [0]]) * 3)),
    Refused("outer and matmul", lambda: xp.linalg.outer(sparse_vector(), sparse_vector(fill=1.0)) @ sparse_vector()),
    Refused("vecdot of a product", lambda: xp.vecdot(sparse_vector() + 1.0, sparse_vector() * 2.0)),
    Refused("weighted product", lambda: xp.sum((sparse_vector() + 1.0) * (xp.asarray(np.eye(20)) @ sparse_vector()))),
    Refused("part of concat", lambda: xp.concat([sparse_vector(200), sparse_vector(fill=1.0)])[-20:] @ sparse_vector()),
    Refused("part of stack", lambda: xp.stack([*[sparse_vector()] * 9, sparse_vector(fill=1.0)])[9] @ sparse_vector()),
    Refused("part of setitem", lambda: assigned(sparse_vector(), 5.0)[:10] @ sparse_vector(10)),
    Refused("part of tril", lambda: xp.tril(xp.asarray(np.eye(20)) + 1.0)[5, :] @ sparse_vector()),
]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_sparse_runs_what_it_ran(case, level):
    pytest.importorskip("sparse")
    (plain,) = computed([case.build()], "sparse", "none")
    result = computed([case.build()], "sparse", level)
    assert isinstance(result, list), result
    np.testing.assert_allclose(result[0], plain, rtol=1e-12)


def wide(number):
    """A matrix of a hundred million elements, a hundred of which are stored."""
    import sparse

    rng = np.random.default_rng(number)
    return xp.asarray(sparse.COO(rng.integers(0, 10_000, (2, 100)), rng.normal(size=100), shape=(10_000, 10_000)))


WIDE = {
    "any": lambda a, b: xp.any(a),
    "sum of squares": lambda a, b: xp.sum(a * a),
    "sum of products": lambda a, b: xp.sum(a * b, axis=0),
    "sum of booleans": lambda a, b: xp.sum(a > 0),
    "trace": lambda a, b: xp.linalg.trace(a @ b),
    "diagonal": lambda a, b: xp.linalg.diagonal(a @ b),
    "chain": lambda a, b: a @ b @ a,
    "sum of a product": lambda a, b: xp.sum(a @ b, axis=1),
    "common factor": lambda a, b: a * b + a * a,
    "halved": lambda a, b: (a / 2.0 + b / 4.0) * 2.0,
    "power": lambda a, b: (a**2 + b**3) * 1.0,
    "part": lambda a, b: (a + b).T[5:5000, ::2],
    "part of concat": lambda a, b: xp.concat([a, b])[9_000:11_000],
    "flat": lambda a, b: xp.reshape(a - b, (-1,))[1000:],
    "constants": lambda a, b: (a + 1.0 - 1.0) * xp.ones((10_000, 10_000)) + xp.zeros((10_000, 10_000)),
    "extrema": lambda a, b: xp.max(xp.exp(a)) - xp.min(a * 2.0 + 1.0),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", WIDE)
def test_sparse_stays_sparse(name, level, monkeypatch):
    pytest.importorskip("sparse")
    executor = registry.get("sparse")
    stored = []
    execute = type(executor).execute

    def measured(self, step, arrays):
        result = execute(self, step, arrays)
        stored.append(max(x.nnz for x in (result if isinstance(result, tuple) else (result,))))
        return result

    monkeypatch.setattr(type(executor), "execute", measured)
    most = []
    for one in ("none", level):
        WIDE[name](wide(1), wide(2)).compute(backend="sparse", optimize=one)
        most.append(max(stored, default=0))
        stored.clear()
    assert most[1] <= max(2 * most[0], 400)


# --- dask ------------------------------------------------------------------------------------------------------------


def numbers(number, *shape):
    """An array of random numbers."""
    return xp.asarray(np.random.default_rng(number).normal(size=shape))


def softmax(x):
    """Along the last axis."""
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


A, B = (lambda: numbers(1, 300, 300)), (lambda: numbers(2, 300, 300))
V, W = (lambda: numbers(3, 300)), (lambda: numbers(4, 300))
T, U = (lambda: numbers(5, 40, 50, 60)), (lambda: numbers(6, 40, 50, 60))
CHUNKED = {
    "sum of products": lambda: xp.sum(A() * B()),
    "sum of squares": lambda: xp.sqrt(xp.sum(A() ** 2)),
    "mean of products": lambda: xp.mean(A() * B()),
    "sum of products along an axis": lambda: xp.sum(A() * B(), axis=1),
    "sum of products of stacks": lambda: xp.sum(T() * U(), axis=(0, 2)),
    "sum of integers": lambda: xp.sum(xp.astype(T() * 9, xp.int64) * xp.astype(U() * 9, xp.int64)),
    "trace": lambda: xp.linalg.trace(A() @ B()),
    "diagonal": lambda: xp.linalg.diagonal(A() @ B()),
    "chain": lambda: A() @ B() @ V(),
    "quadratic form": lambda: V() @ A() @ W(),
    "weighted sum": lambda: xp.sum(V()[:, None] * A(), axis=0),
    "sum of a matrix product": lambda: xp.sum(A() @ B(), axis=0),
    "broadcast product": lambda: xp.sum(A()[:, :, None] * B()[None, :, :40], axis=1),
    "sum of booleans": lambda: xp.sum(A() > 0),
    "distances": lambda: xp.sum((A()[:, None, :10] - B()[None, :, :10]) ** 2, axis=-1),
    "softmax": lambda: softmax(A()),
    "kernel": lambda: xp.sqrt(xp.exp(numbers(1, 1000, 600)) * 2.0 + 1.0),
    "standardized": lambda: (A() - xp.mean(A(), axis=0)) / xp.std(A(), axis=0),
    "elementwise": lambda: xp.sqrt(xp.exp(A()) * 2.0 + B() ** 2) - xp.where(A() > 0, A(), B()),
    "mean of mean": lambda: xp.mean(xp.mean(T(), axis=0), axis=0),
    "part of reshape": lambda: xp.reshape(xp.exp(A()), (300, 20, 15))[:, 3],
    "part of concat": lambda: xp.concat([A() + 1.0, B()])[200:400],
    "part of roll": lambda: xp.roll(A() * 3.0, 20, axis=0)[10:200],
    "taken": lambda: xp.take(xp.exp(A() + B()), xp.asarray([3, 5, 7]), axis=0),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", CHUNKED)
def test_dask_stays_in_chunks(name, level, monkeypatch):
    dask = pytest.importorskip("dask")
    from lazyxp.executors.dask import backend as module

    largest = [0]
    lower = module._lower

    def measured(node, arrays):
        result = lower(node, arrays)
        for x in result if isinstance(result, tuple) else (result,):
            if getattr(x, "ndim", 0) and hasattr(x, "chunks"):
                largest[0] = max(largest[0], x.itemsize * int(np.prod([max(sides) for sides in x.chunks])))
        return result

    monkeypatch.setattr(module, "_lower", measured)
    executor = registry.get("dask")
    found = []
    with dask.config.set({"array.chunk-size": "40KB"}):
        structure = structure_of([current(CHUNKED[name]())])
        for one in ("none", level):
            largest[0] = 0
            (array,) = executor._build(make_plan(structure, executor, one)[1])
            found.append((largest[0], array.npartitions, len(array.dask), array.compute(scheduler="sync")))
    (chunk, blocks, tasks, plain), (new_chunk, new_blocks, new_tasks, result) = found
    np.testing.assert_allclose(result, plain, rtol=1e-9, atol=1e-9)
    assert new_chunk <= chunk
    assert new_blocks >= min(blocks, array.nbytes // 40_000)
    assert new_tasks <= 1.3 * tasks


def test_dask_has_no_kernels():
    pytest.importorskip("dask")
    graph = xp.sqrt(xp.exp(numbers(1, 1000, 600)) * 2.0 + 1.0)
    assert "fused kernel" in trace(registry.get("numpy"), graph, "default")
    assert "fused kernel" not in trace(registry.get("dask"), graph, "default")
