"""Decompositions give what the op gives, on an executor that has nothing but them."""

import array_api_compat.numpy
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.optimizers.decompositions import DECOMPOSITIONS
from lazyxp.planning import make_plan
from lazyxp.structure import structure_of
from lazyxp.testing.cases import cases
from lazyxp.testing.inputs import equal

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


class Bare(ArrayAPIExecutor):
    """NumPy's namespace without any op that has a decomposition."""

    def __init__(self):
        super().__init__(array_api_compat.numpy, "bare")

    def _find(self, name):
        return None if name in DECOMPOSITIONS else super()._find(name)


BARE = Bare()


def several(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("op", DECOMPOSITIONS)
def test_same_answer(op, strict):
    ran = 0
    for case in cases():
        if case.group != op:
            continue
        with xp.set_options(strict=strict):
            try:
                results = several(case.function(xp, *[xp.asarray(a) for a in case.arrays]))
            except (TypeError, ValueError, IndexError):
                assert strict
                continue
            got = xp.compute(*results, backend=BARE)
        for value, wanted in zip(got, xp.compute(*results), strict=True):
            equal(value, wanted, case, rounding=True)
        ran += 1
    assert ran


def test_complex_numbers_keep_every_bit():
    edges = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0, 1.5, -2.5])
    real, imag = (part.ravel() for part in np.meshgrid(edges, edges))
    for dtype in (np.float32, np.float64):
        z = xp.asarray(np.zeros(real.size, np.result_type(dtype, np.complex64)))
        xp.real(z)[...] = xp.asarray(real.astype(dtype))
        xp.imag(z)[...] = xp.asarray(imag.astype(dtype))
        got = z.compute(backend=BARE)
        equal(got.real, real.astype(dtype))
        equal(got.imag, imag.astype(dtype))


def key_of(rng, shape):
    """A random key with index arrays, masks, slices, integers and new axes, for NumPy."""
    key = []
    broad = ((2,), (3, 1), (), (1,))[rng.integers(4)]
    for side in shape:
        kind = rng.integers(6)
        if kind == 0:
            key.append(None)
        key.append(
            (
                int(rng.integers(-side, side)),
                slice(*sorted(rng.integers(-side, side + 1, 2))),
                slice(None, None, -2),
                rng.integers(-side, side, broad),
                np.arange(side) == rng.integers(side),
                slice(None),
            )[kind]
        )
    return tuple(key)


def test_random_keys():
    rng = np.random.default_rng(0)
    for _ in range(400):
        x = rng.integers(0, 99, tuple(rng.integers(1, 5, rng.integers(1, 4))))
        key = key_of(rng, x.shape)
        try:
            wanted = x[key]
        except IndexError:
            continue
        lazy = tuple(xp.asarray(k) if isinstance(k, np.ndarray) else k for k in key)
        equal(xp.asarray(x)[lazy].compute(backend=BARE), wanted, key)
        for value in (rng.integers(0, 99, wanted.shape), rng.integers(0, 99, wanted.shape[1:]), np.asarray(7)):
            y, written = xp.asarray(x), x.copy()
            y[lazy], written[key] = value, value
            equal(y.compute(backend=BARE), written, key)


@pytest.mark.parametrize("index", [[0, 4], [-5, 1], [9]])
def test_positions_out_of_bounds_are_refused(index):
    x = xp.asarray(np.zeros((4, 6)))
    with pytest.raises(IndexError) as caught:
        x[xp.asarray(index) + 0, 0].compute(backend=BARE)
    assert "ran take" in caught.value.__notes__[-1]
    x[xp.asarray(index) + 0] = xp.asarray(1.0)
    with pytest.raises(IndexError):
        x.compute(backend=BARE)


def test_values_that_do_not_fit_a_mask_are_refused():
    x = xp.asarray(np.arange(4.0))
    x[x > 1] = xp.asarray([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"broadcast|shape"):
        x.compute(backend=BARE)


def test_new_nodes_carry_the_users_line():
    x = xp.linalg.trace(xp.asarray(np.eye(3)))
    _, plan = make_plan(structure_of([current(x)]), BARE, "none")
    assert {step.node.op.name for step in plan.steps} == {"sum", "linalg.diagonal"}
    assert {plan.line(step.node) for step in plan.steps} == {current(x).where}
    assert "test_new_nodes_carry_the_users_line" in current(x).where


def test_legalizing_is_linear():
    x = xp.asarray(np.eye(3))
    for _ in range(3000):
        x = x + xp.linalg.trace(x) * 0.0
    equal(x.compute(backend=BARE), np.eye(3))
