"""How values will lie in memory, against what NumPy makes of real arrays."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.cost import VIEWS
from lazyxp.evaluate import prepare
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.node import OUTPUT
from lazyxp.strides import Layout, computed, layout_of, new, view_of

rng = np.random.default_rng(0)
SHAPE = (4, 5, 6)


def arrays():
    """Every order of the axes, with gaps, backwards, with axes of length 1, and stretched."""
    for axes in itertools.permutations(range(3)):
        x = np.ascontiguousarray(rng.uniform(1, 2, SHAPE).transpose(axes)).transpose(np.argsort(axes))
        yield x
        yield x[:, ::-2]
        yield x[::2, ::-1, 1:5:3]
        yield x[:, :1]
    yield np.broadcast_to(rng.uniform(1, 2, (5, 1)), SHAPE)


VIEWING = {
    "getitem": lambda x: x[1:, :, ::-1],
    "elements": lambda x: x[-1, 0, ..., None],
    "ends": lambda x: x[:0],
    "reshape": lambda x: xp.reshape(x, (-1, x.shape[2])),
    "reshape to one": lambda x: xp.reshape(x, (-1,)),
    "reshape to more": lambda x: xp.reshape(x, (1, *x.shape[:2], 1, x.shape[2])),
    "permute_dims": lambda x: xp.permute_dims(x, (2, 0, 1)),
    "matrix_transpose": lambda x: xp.matrix_transpose(x),
    "expand_dims": lambda x: xp.expand_dims(x, axis=(0, 2)),
    "squeeze": lambda x: xp.squeeze(x[:, 0:1], axis=1),
    "flip": lambda x: xp.flip(x, axis=(0, 2)),
    "flip all": lambda x: xp.flip(x),
    "broadcast_to": lambda x: xp.broadcast_to(x, (3, *x.shape)),
    "linalg.diagonal": lambda x: xp.linalg.diagonal(x, offset=1),
    "real": lambda x: xp.real(x * 1j),
    "imag": lambda x: xp.imag(x * 1j)[:, ::2],
}
COMPUTING = {
    "elementwise": lambda x, y: x + 1,
    "of two": lambda x, y: x * y,
    "of a row": lambda x, y: x * y[0],
    "of a column": lambda x, y: y[:, :, :1] + x,
    "choice": lambda x, y: xp.where(x > y, x, 0.5),
    "cast": lambda x, y: xp.astype(x, xp.float32),
    "sum": lambda x, y: xp.sum(x, axis=1),
    "sum of two": lambda x, y: xp.sum(x, axis=(0, 2)),
    "sum that keeps": lambda x, y: xp.std(x, axis=0, keepdims=True),
    "sum of all": lambda x, y: xp.sum(x),
    "product": lambda x, y: xp.matmul(x, xp.matrix_transpose(x)),
    "scan": lambda x, y: xp.cumulative_sum(x, axis=1),
    "sort": lambda x, y: xp.sort(x, axis=0),
    "argsort": lambda x, y: xp.argsort(x, axis=0),
    "concat": lambda x, y: xp.concat([x, y, x], axis=2),
    "roll": lambda x, y: xp.roll(x, 2, axis=0),
    "repeat": lambda x, y: xp.repeat(x, 2, axis=1),
    "take": lambda x, y: xp.take(x, xp.asarray([0, 1]), axis=2),
}


class Watching(NumPyExecutor):
    """Compares how results lie with how they were said to."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0

    def execute(self, step, arrays):
        result = super().execute(step, arrays)
        node = step.node
        if node.op is OUTPUT or step.into is not None or not isinstance(result, np.ndarray):
            return result
        operands = [layout_of(np.asarray(a)) for a in arrays]
        said = view_of(node, operands[0]) if node.op.name in VIEWS else None
        is_view = np.may_share_memory(result, arrays[0]) if arrays and result.size else said is not None
        assert (said is not None) == is_view, node.op
        said = said or computed(node, operands)
        assert (said.shape, said.dtype) == (result.shape, result.dtype), node.op
        assert moving(said) == moving(layout_of(result)), (node.op, operands)
        self.seen += 1
        return result


def moving(x):
    """The strides that matter."""
    return [] if 0 in x.shape else [s for s, n in zip(x.strides, x.shape, strict=True) if n != 1]


def watch(x):
    executor = Watching()
    executor.run(prepare([current(x)], "numpy", "none").planned.plan, keep=False)
    return executor.seen


@pytest.mark.parametrize("name", VIEWING)
def test_views(name):
    assert sum([watch(VIEWING[name](xp.asarray(x, copy=False))) for x in arrays()]) >= 20


def test_views_of_one_element_read_nothing():
    x = xp.asarray(np.zeros((1_000, 1_000)))[-1, -1] + xp.asarray(np.zeros((1_000, 1_000)))[500:, 300]
    assert xp.flip(xp.reshape(x[7], (1, 1))[0, 0]).estimate().calls == 1


def test_views_of_nothing():
    x = xp.asarray(np.zeros((4, 0, 6)))
    for y in (x[1:, :, ::-1], xp.reshape(x, (0, 24)), xp.flip(x), xp.permute_dims(x, (2, 0, 1)), x[2], x[:, None]):
        assert watch(y)


@pytest.mark.parametrize("name", COMPUTING)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_new_arrays(name):
    several = list(arrays())
    for x in several:
        for y in several:
            if x.shape == y.shape:
                watch(COMPUTING[name](xp.asarray(x, copy=False), xp.asarray(y, copy=False)))


def test_layouts_are_plain_data():
    x = new((3, None, 2), np.dtype(np.float32))
    assert x == Layout((3, 0, 2), np.dtype(np.float32), (8, 8, 4))
    assert new((2, 3), np.dtype(np.int64)).in_rows
    assert not new((2, 3), np.dtype(np.int64)).in_columns
    assert layout_of(np.zeros((2, 3)).T).in_columns
