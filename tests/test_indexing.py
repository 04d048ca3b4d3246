"""Keys select and write what NumPy's do: basic, mask and integer-array keys, alone and mixed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import lazyxp as xp

SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@st.composite
def keys(draw: st.DrawFn, shape: tuple[int, ...]) -> tuple:
    """A random key for `shape`, mixing everything that NumPy takes."""
    entries: list = []
    axis = 0
    index_shape = draw(npst.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3))
    while axis < len(shape):
        side = shape[axis]
        kinds = ["slice", "new", "stop"] + ["int", "array", "list"] * (side > 0) + ["mask"]
        kind = draw(st.sampled_from(kinds))
        if kind == "stop":
            break
        if kind == "slice":
            entries.append(draw(st.slices(side)))
        elif kind == "new":
            entries.append(None)
            continue
        elif kind == "int":
            entries.append(draw(st.integers(-side, side - 1)))
        elif kind == "mask":
            depth = draw(st.integers(1, min(2, len(shape) - axis)))
            entries.append(draw(npst.arrays(bool, shape[axis : axis + depth])))
            axis += depth - 1
        else:
            index = draw(npst.arrays(np.int64, index_shape, elements=st.integers(-side, side - 1)))
            entries.append(index.tolist() if kind == "list" and index.ndim else index)
        axis += 1
    if draw(st.booleans()):
        entries.insert(len(entries), Ellipsis)
    return tuple(entries)


def write(x: xp.Array, key: tuple, value: object) -> xp.Array:
    x[key] = value
    return x


def ours(key: tuple) -> tuple:
    return tuple(xp.asarray(k) if isinstance(k, np.ndarray) else k for k in key)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_reading_is_numpys(data: st.DataObject) -> None:
    a = np.arange(np.prod(shape := data.draw(SHAPES), dtype=int)).reshape(shape)
    key = data.draw(keys(shape))
    x = xp.asarray(a)
    try:
        expected = a[key]
    except IndexError:
        with pytest.raises(IndexError):
            x[ours(key)].compute()
        return
    result = x[ours(key)]
    recorded = result._node.shape
    np.testing.assert_array_equal(result.compute(), expected, strict=True)
    assert all(n is None or n == m for n, m in zip(recorded, expected.shape, strict=True))


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_writing_is_numpys(data: st.DataObject) -> None:
    shape = data.draw(SHAPES)
    a = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    key = data.draw(keys(shape))
    x = xp.asarray(a, copy=True)
    try:
        target = np.shape(a[key])
    except IndexError:
        with pytest.raises(IndexError):
            write(x, ours(key), 1).compute()
        return
    drop = data.draw(st.integers(0, len(target)))
    value = 1000 + np.arange(np.prod(target[drop:], dtype=int)).reshape(target[drop:])
    if data.draw(st.booleans()):
        value = value.reshape(1, *value.shape)
        target = (1, *target)
    expected = a.copy()
    try:
        expected[key] = value
    except (TypeError, ValueError):  # NumPy takes no more dimensions than the key selects
        return
    x[ours(key)] = xp.asarray(value)
    np.testing.assert_array_equal(x.compute(), expected, strict=True)


@pytest.mark.parametrize(
    "key",
    [
        True,
        False,
        np.True_,
        (True, 0),
        (slice(None), False),
        [0, 1],
        ([0], [1]),
        (0, [1, 0]),
        (None, 1),
        [],
        [True, False],
    ],
    ids=repr,
)
def test_lenient_keys_are_numpys(key: object) -> None:
    a = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(xp.asarray(a)[key].compute(), a[key], strict=True)


def test_lazy_indices_stay_lazy() -> None:
    x = xp.asarray([10, 20, 30])
    with xp.set_options(materialize="raise"):
        element = x[xp.sum(xp.asarray([1, 1]))]
        mask = x[x > 10]
        assert element.shape == ()
        assert mask.shape == (None,)
    assert int(element) == 30
    assert mask.compute().tolist() == [20, 30]


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (5, IndexError, "index 5 is out of bounds for axis 0 of int64[2, 3]"),
        ((0, -4), IndexError, "index -4 is out of bounds for axis 1"),
        ((0, 0, 0), IndexError, "too many indices: 3 for int64[2, 3]"),
        ((..., 0, ...), IndexError, "single ellipsis"),
        (1.0, IndexError, "only integers, slices"),
        ("a", IndexError, "only integers, slices"),
        (np.asarray([0.5]), IndexError, "integer or boolean type, got float64[1]"),
        (np.asarray([True]), IndexError, "boolean index bool[1] does not match int64[2, 3] along axis 0"),
        (slice(None, None, 0), ValueError, "step cannot be zero"),
        ((np.asarray([0, 1]), np.asarray([0, 1, 2])), IndexError, "shape mismatch"),
    ],
    ids=repr,
)
def test_bad_keys_are_refused_when_recorded(key: object, error: type[Exception], words: str) -> None:
    x = xp.asarray(np.arange(6).reshape(2, 3))
    with pytest.raises(error) as raised:
        x[key]
    assert words in str(raised.value)
    with pytest.raises(error):
        x[key] = 1
    assert x.compute().tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("dtype", "value", "error", "words"),
    [
        ("int8", 300, OverflowError, "300 out of bounds for int8"),
        ("uint8", -1, OverflowError, "-1 out of bounds for uint8"),
        ("float64", 1j, TypeError, "complex 1j does not fit float64"),
        ("int64", float("nan"), ValueError, "NaN"),
        ("int64", [1, 2, 3, 4], ValueError, "shape mismatch: int64[4] does not broadcast to (2,)"),
        ("int64", "text", TypeError, "text"),
    ],
)
def test_values_that_do_not_fit_are_refused(dtype: str, value: object, error: type[Exception], words: str) -> None:
    x = xp.zeros(3, dtype=np.dtype(dtype))
    with pytest.raises(error) as raised:
        x[1:] = value
    assert words in str(raised.value)
    assert x.compute().tolist() == [0, 0, 0]


def test_values_are_cast_as_in_numpy() -> None:
    x = xp.zeros(2, dtype=xp.int64)
    x[0] = 1.9
    x[1] = xp.asarray(2.9)
    assert x.compute().tolist() == [1, 2]
    with pytest.warns(np.exceptions.ComplexWarning, match="discards the imaginary part"):
        x[0] = xp.asarray(3 + 1j)
    assert int(x[0]) == 3
    with xp.set_options(strict=True), pytest.raises(TypeError, match="no promotion of float64 and int64"):
        x[0] = xp.asarray(2.9)


def test_out_of_bounds_index_arrays_are_found_when_the_graph_runs() -> None:
    x = xp.asarray([1, 2, 3])[xp.asarray([0, 6]) + xp.asarray([0, 1])]
    with pytest.raises(IndexError) as raised:
        x.compute()
    assert any("gather on int64[3] and int64[2], recorded at" in note for note in raised.value.__notes__)


def test_strict_keys() -> None:
    x = xp.zeros((2, 3))
    with xp.set_options(strict=True):
        assert x[xp.asarray([0, 1]), 1].shape == (2,)
        with pytest.raises(IndexError, match="strict=True"):
            x[xp.asarray([0, 1])]
        with pytest.raises(IndexError, match="only index"):
            x[xp.asarray([True, False]), 0]


def test_an_ellipsis_for_no_axis_still_sets_index_arrays_apart() -> None:
    a = np.arange(8).reshape(2, 1, 4)
    key = (slice(1, 2), np.array(0), Ellipsis, np.array([[2, -3]]))
    np.testing.assert_array_equal(xp.asarray(a)[key].compute(), a[key], strict=True)


def test_known_indices_out_of_bounds_are_refused_before_anything_is_written() -> None:
    x = xp.zeros(3)
    with pytest.raises(IndexError, match="index 9 is out of bounds for axis 0"):
        x[[0, 9]] = 1
    x[0] = 5
    assert x.compute().tolist() == [5, 0, 0]


def test_indices_that_select_nothing_are_not_checked() -> None:
    a = np.arange(6).reshape(2, 3)
    key = ([9], [])
    np.testing.assert_array_equal(xp.asarray(a)[key].compute(), a[key], strict=True)
