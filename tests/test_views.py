"""Views alias as NumPy's do: the same random program on both, every handle compared after every step."""

from __future__ import annotations

import operator
import threading
import tracemalloc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import lazyxp as xp

SHAPES = [(), (0,), (1,), (6,), (2, 3), (3, 1, 2), (2, 0, 3), (2, 2, 2)]
DTYPES = ["bool", "int8", "int64", "uint16", "float32", "float64", "complex64", "complex128"]


def base(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    values = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    if dtype == "bool":
        return np.asarray(values % 3 == 0)
    return np.asarray(values + (1j if dtype.startswith("c") else 0)).astype(dtype)


class Pair:
    """A NumPy array and the lazyxp array that stands for the same thing."""

    def __init__(self, expected: np.ndarray, array: xp.Array) -> None:
        self.expected = expected
        self.array = array


def basic_keys(shape: tuple[int, ...]) -> st.SearchStrategy:
    return npst.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True)


def draw_view(data: st.DataObject, pair: Pair) -> Pair | None:
    """A view of `pair` by a random movement, or None where NumPy gives no view."""
    a, x = pair.expected, pair.array
    moves = ["getitem", "T", "flip", "expand_dims", "reshape"]
    moves += ["permute_dims", "moveaxis"] * (a.ndim > 1)
    moves += ["mT"] * (a.ndim >= 2)
    moves += ["squeeze"] * (1 in a.shape)
    moves += ["real", "imag"] * (a.dtype.kind == "c")
    moves += ["unstack"] * (a.ndim > 0 and a.shape[0] > 0)
    move = data.draw(st.sampled_from(moves))
    if move == "getitem":
        key = data.draw(basic_keys(a.shape))
        result = Pair(a[key], x[key])
    elif move in ("T", "mT"):
        result = Pair(getattr(a, move), getattr(x, move))
    elif move in ("real", "imag"):
        result = Pair(getattr(a, move), getattr(xp, move)(x))
    elif move == "flip":
        axis = data.draw(st.none() | st.integers(-a.ndim, a.ndim - 1)) if a.ndim else None
        result = Pair(np.flip(a, axis), xp.flip(x, axis=axis))
    elif move == "expand_dims":
        axis = data.draw(st.integers(-a.ndim - 1, a.ndim))
        result = Pair(np.expand_dims(a, axis), xp.expand_dims(x, axis))
    elif move == "squeeze":
        axis = a.shape.index(1)
        result = Pair(np.squeeze(a, axis), xp.squeeze(x, axis))
    elif move == "permute_dims":
        axes = tuple(data.draw(st.permutations(range(a.ndim))))
        result = Pair(np.permute_dims(a, axes), xp.permute_dims(x, axes))
    elif move == "moveaxis":
        source, target = data.draw(st.integers(0, a.ndim - 1)), data.draw(st.integers(-a.ndim, -1))
        result = Pair(np.moveaxis(a, source, target), xp.moveaxis(x, source, target))
    elif move == "unstack":
        result = Pair(a[0, ...], xp.unstack(x)[0])
    else:
        shape = data.draw(st.sampled_from([(-1,), (a.size,), (1, a.size), (*a.shape, 1)]))
        if a.size == 0 and -1 in shape:
            return None
        result = Pair(np.reshape(a, shape), xp.reshape(x, shape))
    return result if isinstance(result.expected, np.ndarray) else None


def draw_value(data: st.DataObject, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return data.draw(
        npst.arrays(dtype, shape, elements=st.integers(0, 1) if dtype.kind == "b" else st.integers(0, 100))
    )


def write(data: st.DataObject, pair: Pair) -> None:
    a, x = pair.expected, pair.array
    kind = data.draw(st.sampled_from(["basic", "scalar", "mask", "integers", "in place", "whole"]))
    if kind == "in place":
        value = draw_value(data, (), a.dtype)
        if a.dtype.kind in "fc":
            a += value
            x += xp.asarray(value)
        else:
            a |= value
            x |= xp.asarray(value)
    elif kind == "mask":
        mask = draw_value(data, a.shape, np.dtype(bool))
        a[mask] = 7
        x[xp.asarray(mask)] = 7
    elif kind == "integers" and a.ndim and a.shape[0]:
        index = data.draw(npst.arrays(np.int64, (3,), elements=st.integers(-a.shape[0], a.shape[0] - 1)))
        value = draw_value(data, a[index].shape, a.dtype)
        a[index] = value
        x[xp.asarray(index)] = xp.asarray(value)
    elif kind == "whole":
        a[...] = value = draw_value(data, a.shape, a.dtype)
        x[...] = value
    else:
        key = data.draw(basic_keys(a.shape))
        shape = np.shape(a[key])
        value = 1 if kind == "scalar" else draw_value(data, shape, a.dtype)
        a[key] = value
        x[key] = value


def check(pair: Pair) -> None:
    result = np.asarray(pair.array)
    assert pair.array.shape == pair.expected.shape
    assert result.dtype == pair.expected.dtype
    np.testing.assert_array_equal(result, pair.expected)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_views_alias_as_numpys(data: st.DataObject) -> None:
    a = base(data.draw(st.sampled_from(SHAPES)), data.draw(st.sampled_from(DTYPES)))
    pairs = [Pair(a, xp.asarray(a, copy=True))]
    for _ in range(data.draw(st.integers(2, 8))):
        pair = data.draw(st.sampled_from(pairs))
        step = data.draw(st.sampled_from(["view", "view", "write", "write", "read", "copy"]))
        if step == "view":
            made = draw_view(data, pair)
            if made is not None:
                pairs.append(made)
        elif step == "write":
            write(data, pair)
        elif step == "copy":
            pairs.append(Pair(pair.expected.copy(), xp.asarray(pair.array, copy=True)))
        else:
            check(data.draw(st.sampled_from(pairs)))
    for pair in pairs:
        check(pair)


def test_a_write_to_a_slice_is_seen_in_the_base_and_in_its_other_views() -> None:
    x = xp.zeros((2, 3))
    row, transposed, flat = x[0, :], x.T, xp.reshape(x, (-1,))
    row += 1
    transposed[2, 1] = 5.0
    flat[3] = 9.0
    np.testing.assert_array_equal(x.compute(), [[1, 1, 1], [9, 0, 5]])
    np.testing.assert_array_equal(row.compute(), [1, 1, 1])
    np.testing.assert_array_equal(flat.compute(), [1, 1, 1, 9, 0, 5])


def test_the_diagonal_can_be_written_through_a_strided_reshape() -> None:
    x = xp.zeros((3, 3))
    xp.reshape(x, (-1,))[::4] += 1
    np.testing.assert_array_equal(x.compute(), np.eye(3))


def test_what_was_recorded_before_a_write_does_not_change() -> None:
    x = xp.asarray([1, 2, 3])
    before = x + 1
    view = x[1:]
    view[0] = 10
    assert before.compute().tolist() == [2, 3, 4]
    assert (x + 1).compute().tolist() == [2, 11, 4]


def test_integer_keys_give_copies() -> None:
    x = xp.asarray([1, 2, 3])
    element, picked = x[1], x[xp.asarray([0, 1])]
    x[1] = 7
    assert int(element) == 2
    assert picked.compute().tolist() == [1, 2]


def test_reshape_aliases_only_where_numpy_does() -> None:
    x = xp.asarray(np.arange(6).reshape(2, 3))
    copied = xp.reshape(x.T, (-1,))
    x[0, 0] = 100
    assert copied.compute().tolist() == [0, 3, 1, 4, 2, 5]
    with pytest.raises(ValueError, match="without a copy"):
        xp.reshape(x.T, (-1,), copy=False)
    kept = xp.reshape(x, (-1,), copy=True)
    x[0, 0] = 200
    assert int(kept[0]) == 100


def test_fortran_ordered_sources_reshape_as_in_numpy() -> None:
    a = np.asfortranarray(np.arange(6).reshape(2, 3))
    x = xp.asarray(a)
    flat = xp.reshape(x, (-1,))
    flat[0] = 100
    assert int(x[0, 0]) == 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: xp.broadcast_to(xp.asarray([1, 2]), (2, 2)), "broadcast_to"),
        (lambda: xp.linalg.diagonal(xp.zeros((2, 2), dtype=xp.int64)), "diagonal"),
        (lambda: xp.broadcast_to(xp.asarray([1, 2]), (2, 2))[0, :], "broadcast_to"),
        (lambda: xp.asarray(np.broadcast_to(np.arange(2), (2, 2))), "read-only NumPy array"),
    ],
)
def test_read_only_views_refuse_writes(make: object, reason: str) -> None:
    x = make()
    before = x.compute().tolist()
    with pytest.raises(ValueError, match=f"read-only.*{reason}"):
        x[0, ...] = 5
    with pytest.raises(ValueError, match="read-only"):
        x += 1
    assert x.compute().tolist() == before
    copy = xp.asarray(x, copy=True)
    copy[0, ...] = 5
    assert x.compute().tolist() == before


def test_a_broadcast_view_follows_its_base() -> None:
    x = xp.asarray([1, 2])
    wide = xp.broadcast_to(x, (2, 2))
    x[0] = 9
    assert wide.compute().tolist() == [[9, 2], [9, 2]]


def test_writes_through_real_and_imag_keep_the_other_part() -> None:
    x = xp.asarray([1 + 2j, complex(np.inf, np.nan)])
    xp.real(x)[0] = -0.0
    xp.imag(x)[1] = 5.0
    result = x.compute()
    assert np.signbit(result[0].real)
    assert result[0].imag == 2
    assert result[1] == complex(np.inf, 5)


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float32", "float64", "complex64"])
@pytest.mark.parametrize("other", [2, 2.5, True, 1j, np.float64(2), np.arange(3.0), np.arange(3, dtype="int8")])
@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand", "ilshift"])
def test_in_place_operators_are_numpys(dtype: str, other: object, name: str) -> None:
    apply = getattr(operator, name)
    a = np.arange(1, 4).astype(dtype)
    x, alias = xp.asarray(a, copy=True), None
    alias = x[:]
    with np.errstate(all="ignore"):
        try:
            expected = apply(a.copy(), other)
        except (TypeError, ValueError):
            with pytest.raises((TypeError, ValueError)):
                apply(x, xp.asarray(other) if isinstance(other, np.ndarray) else other).compute()
            assert x.compute().tolist() == a.tolist()
            return
        apply(x, xp.asarray(other) if isinstance(other, np.ndarray) else other)
        assert x.dtype == expected.dtype
        np.testing.assert_array_equal(x.compute(), expected)
        np.testing.assert_array_equal(alias.compute(), expected)


def test_in_place_results_must_fit() -> None:
    x = xp.zeros(3)
    with pytest.raises(ValueError, match=r"in-place add: shape mismatch.*float64\[2, 3\]"):
        x += xp.zeros((2, 3))
    with pytest.raises(TypeError, match="cannot cast the result"):
        xp.asarray([1, 2]).__iadd__(0.5)
    assert x.compute().tolist() == [0, 0, 0]


def test_deep_view_chains_do_not_recurse() -> None:
    x = y = xp.arange(3000)
    for _ in range(2999):
        y = y[1:]
    y[0] = -1
    assert int(x[2999]) == -1


def test_an_index_that_leaves_axes_gives_a_view() -> None:
    x = xp.zeros((2, 3))
    row = x[0]
    row[:] = 1
    x[1][2] = 5
    for line in x:
        line += 1
    whole = x[()]
    whole[0, 0] = 9
    assert x.compute().tolist() == [[9, 2, 2], [1, 1, 6]]


def test_the_layout_of_a_source_outlives_writes_and_reads() -> None:
    for touch in (lambda x: x.__setitem__((0, 0), 0.0), lambda x: x.__iadd__(1), lambda x: float(x[0, 0]), xp.flip):
        a = np.asfortranarray(np.arange(6.0).reshape(2, 3))
        x = xp.asarray(a)
        touch(x)
        before = x.compute().tolist()
        xp.reshape(x, (-1,))[...] = 7
        assert x.compute().tolist() == before
        xp.reshape(x.T, (-1,))[...] = 7
        assert x.compute().tolist() == [[7, 7, 7], [7, 7, 7]]


def test_a_reshape_aliases_whether_or_not_the_array_was_read() -> None:
    results = []
    for read in (False, True):
        x = xp.asarray(np.arange(6.0).reshape(2, 3)).T + 1
        if read:
            assert bool(xp.all(x > 0))
        xp.reshape(x, (-1,))[...] = 99
        results.append(x.compute().tolist())
    assert results[0] == results[1]


def test_old_versions_of_a_storage_are_let_go() -> None:
    x = xp.zeros((10, 10))
    views, nodes = [], []
    for i in range(10):
        views.append(x[i, ...])
        nodes.append(weakref.ref(x._node))
        x += 1
        assert float(x[0, 0]) == i + 1
    assert sum(node() is not None for node in nodes) <= 1
    assert all(float(v[0]) == 10 for v in views)


def test_alternating_views_and_writes_keep_chains_short() -> None:
    x = xp.asarray(np.arange(6.0).reshape(2, 3))
    for _ in range(300):
        x = xp.flip(xp.reshape(x.T, (3, 2)).T, axis=0)
        x += 1
    expected = np.arange(6.0).reshape(2, 3) + 300
    np.testing.assert_array_equal(x.compute(), expected)
    assert len(xp.to_networkx(x)) < 6 * 300 + 10


def test_threads_that_write_to_one_array_lose_nothing() -> None:
    x = xp.zeros(400)
    barrier = threading.Barrier(4)

    def work(k: int) -> None:
        barrier.wait()
        mine = x[k : k + 1]
        for i in range(4 + k, 400, 4):
            x[i] = 1.0
            mine += 1

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert x.compute().tolist() == [99.0] * 4 + [1.0] * 396


def test_reshapes_of_views_of_unknown_length_alias() -> None:
    array = np.arange(12.0).reshape(3, 4)
    x = xp.asarray(array)
    for mask in ([False, True, False], [True, True, False], [False, False, False]):
        for reshaped in (lambda a: np.reshape(a.T, (2, 2, a.shape[0])), lambda a: np.reshape(a[:, ::2], (-1,))):
            part, lazy = array[np.asarray(mask)], x[xp.asarray(mask)]
            whole, lazy_whole = part * 2, lazy * 2
            reshaped(whole)[...] = 7
            reshaped(lazy_whole)[...] = 7
            np.testing.assert_array_equal(lazy_whole.compute(), whole)


def test_reshapes_of_unknown_views_are_read_only_where_nothing_may_be_computed() -> None:
    x = xp.asarray(np.arange(12.0).reshape(3, 4))
    with xp.set_options(materialize="raise"):
        rows = x[x[:, 0] > 3]
        flat = xp.reshape(rows[:, ::2], (-1,))
        with pytest.raises(ValueError, match="lengths that are not known"):
            flat[0] = 1
        assert (flat + 1).compute().tolist() == [5, 7, 9, 11]
        xp.reshape(rows, (-1,))[0] = 1  # of what is no view, it is one for sure
        assert rows.compute()[0, 0] == 1


def test_views_that_are_gone_take_no_memory() -> None:
    x = xp.asarray(np.arange(8.0))
    kept = [x[i:] for i in range(5)]
    for _ in range(10_000):
        x[1:3]
    tracemalloc.start()
    try:
        for _ in range(10_000):
            x[1:3]
        assert tracemalloc.get_traced_memory()[0] < 100_000  # ten bytes a view
    finally:
        tracemalloc.stop()
    x[:] = 1.0
    assert all(float(xp.sum(view)) == len(view) for view in kept)
