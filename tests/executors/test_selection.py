"""Large arrays indexed by a mask: compiled, on several threads, with NumPy's elements in NumPy's order."""

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.executors.numpy import selection

DTYPES = ("bool", "uint8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128")
SIZE = selection.SMALLEST + 65_537


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_elements_and_their_order(dtype, share):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 100, SIZE).astype(dtype)
    mask = rng.random(SIZE) < share
    result = xp.asarray(values)[xp.asarray(mask)].compute()
    assert result.dtype == values.dtype
    np.testing.assert_array_equal(result, values[mask])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_any_number_of_threads(threads):
    values = np.arange(SIZE)
    mask = values % 3 == 0
    with xp.set_options(num_threads=threads):
        np.testing.assert_array_equal(xp.asarray(values)[xp.asarray(mask)].compute(), values[mask])


LAYOUTS = {
    "two dimensions": (lambda x: x.reshape(-1, 7), lambda m: m.reshape(-1, 7)),
    "a mask of rows": (lambda x: x.reshape(-1, 7), lambda m: m.reshape(-1, 7)[:, 0]),
    "transposed": (lambda x: x.reshape(-1, 7).T, lambda m: m.reshape(7, -1)),
    "a part": (lambda x: x[::2], lambda m: m[: -(-m.size // 2)]),
    "backwards": (lambda x: x[::-1], lambda m: m[::-1]),
    "at an odd address": (lambda x: np.frombuffer(b"-" + x.tobytes(), np.int64, offset=1), lambda m: m),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout):
    of_values, of_mask = LAYOUTS[layout]
    size = SIZE // 7 * 7
    values = of_values(np.arange(size))
    mask = of_mask(np.random.default_rng(1).random(size) < 0.3)
    np.testing.assert_array_equal(xp.asarray(values, copy=False)[xp.asarray(mask)].compute(), values[mask])


def test_a_mask_of_another_length_is_refused():
    with pytest.raises(IndexError, match=r"mask|boolean"):
        xp.asarray(np.zeros(SIZE))[xp.asarray(np.ones(SIZE - 1, bool))].compute()
