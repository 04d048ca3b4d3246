"""What goes in: arrays of any library, scalars, sequences, buffers; and what is refused."""

from __future__ import annotations

import array
import warnings

import array_api_strict
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import SourceMutated

LARGE = 100_000


class Exporter:
    """An array that speaks one protocol only."""

    def __init__(self, value: np.ndarray, protocol: str) -> None:
        self.value = value
        self.protocol = protocol

    def __getattr__(self, name: str):
        if name == self.protocol or (name == "__dlpack_device__" and self.protocol == "__dlpack__"):
            return getattr(self.value, name)
        raise AttributeError(name)


class ArrayExporter:
    def __array__(self, dtype=None, copy=None):
        return np.arange(3.0)


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (3, np.asarray(3)),
        (True, np.asarray(True)),
        (2.5, np.asarray(2.5)),
        (1j, np.asarray(1j)),
        (2**63, np.asarray(2**63, dtype=np.uint64)),
        (np.float32(2), np.asarray(2, dtype=np.float32)),
        ([], np.asarray([])),
        ([[1, 2], [3, 4]], np.asarray([[1, 2], [3, 4]])),
        ([1, 2.5, 1j], np.asarray([1, 2.5, 1j])),
        ([True, 2], np.asarray([True, 2])),
        (range(4), np.arange(4)),
        (array.array("d", [1, 2]), np.asarray([1.0, 2.0])),
        (memoryview(np.arange(4, dtype=np.int16)), np.arange(4, dtype=np.int16)),
        (np.arange(6).reshape(2, 3)[:, ::-1].T, np.arange(6).reshape(2, 3)[:, ::-1].T),
        (np.arange(3, dtype=">i4"), np.arange(3, dtype="i4")),
        (np.arange(3, dtype=np.float16), np.arange(3, dtype=np.float16)),
        (ArrayExporter(), np.arange(3.0)),
        (Exporter(np.arange(3), "__dlpack__"), np.arange(3)),
        (array_api_strict.asarray([1, 2]), np.asarray([1, 2])),
    ],
    ids=lambda v: type(v).__name__,
)
def test_asarray_takes(obj: object, expected: np.ndarray) -> None:
    x = xp.asarray(obj)
    assert isinstance(x, xp.Array)
    assert x.dtype == expected.dtype
    assert x.shape == expected.shape
    result = np.asarray(x)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype.isnative


def test_asarray_of_sequences_of_arrays() -> None:
    x = xp.asarray([1.0, 2.0])
    assert xp.asarray([x, x + 1]).compute().tolist() == [[1, 2], [2, 3]]
    assert xp.asarray([[x[0], 3], [x[1], np.float64(4)]]).compute().tolist() == [[1, 3], [2, 4]]
    with xp.set_options(strict=True), pytest.raises(TypeError, match="use stack"):
        xp.asarray([x, x])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: xp.asarray("text"), TypeError, "text"),
        (lambda: xp.asarray(["a", "b"]), TypeError, "not one of the standard's"),
        (lambda: xp.asarray(None), TypeError, "NoneType is no array"),
        (lambda: xp.asarray({1: 2}), TypeError, "dict is no array"),
        (lambda: xp.asarray([[1, 2], [3]]), ValueError, "inhomogeneous"),
        (lambda: xp.asarray([10**30]), OverflowError, "fit no data type"),
        (lambda: xp.asarray(np.asarray(["2020"], dtype="M8[Y]")), TypeError, "datetime64"),
        (lambda: xp.asarray(np.ma.masked_array([1, 2], [True, False])), TypeError, "mask"),
        (lambda: xp.asarray([1], dtype="object"), TypeError, "object"),
        (lambda: xp.asarray([1], dtype="no such type"), TypeError, "not a data type"),
        (lambda: xp.asarray([300], dtype=xp.int8), OverflowError, "300"),
        (lambda: xp.asarray(300, dtype=xp.int8), OverflowError, "300 out of bounds for int8"),
        (lambda: xp.asarray([1], copy=False), ValueError, "copy=False"),
        (lambda: xp.asarray(1, copy=False), ValueError, "copy=False"),
        (lambda: xp.asarray(np.arange(2), dtype=xp.float32, copy=False), ValueError, "copy=False"),
        (lambda: xp.asarray([1], device="gpu"), ValueError, "there is no device 'gpu'"),
        (lambda: xp.from_dlpack([1]), TypeError, "has no __dlpack__"),
        (lambda: xp.zeros(3).to_device("tpu"), ValueError, "there is no device 'tpu'"),
    ],
)
def test_asarray_refuses(call, error: type[Exception], words: str) -> None:
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)


def test_small_arrays_are_copied_when_recorded() -> None:
    a = np.arange(3)
    x = xp.asarray(a)
    y = x + 1
    a[0] = 100
    assert y.compute().tolist() == [1, 2, 3]


@pytest.mark.parametrize("where", [0, LARGE // 2, slice(None)])
def test_large_arrays_must_not_change_before_the_graph_runs(where: object) -> None:
    a = np.zeros(LARGE)
    a[: LARGE // 2] = 1
    y = xp.asarray(a) + 1
    a[where] = 7
    a[0] = 7
    with pytest.raises(SourceMutated, match=r"float64 recorded at .*test_conversion.*copy=True"):
        y.compute()
    a[...] = 0
    a[: LARGE // 2] = 1
    assert y.compute()[0] == 2  # the graph is as good as before


def test_a_copy_does_not_see_changes() -> None:
    a = np.zeros(LARGE)
    y = xp.asarray(a, copy=True) + 1
    a[...] = 7
    assert y.compute().max() == 1


def test_large_arrays_are_not_copied() -> None:
    a = np.zeros(LARGE)
    assert xp.asarray(a)._node.value is a
    assert xp.asarray(a, copy=False)._node.value is a


def test_writing_to_an_array_does_not_touch_its_source() -> None:
    a = np.zeros(LARGE)
    x = xp.asarray(a)
    x[0] = 1
    x += 1
    assert x.compute()[:2].tolist() == [2, 1]
    assert not a.any()


def test_memory_maps_are_sources(tmp_path) -> None:
    path = tmp_path / "data.bin"
    np.arange(LARGE, dtype=np.float64).tofile(path)
    x = xp.asarray(np.memmap(path, dtype=np.float64, mode="r"))
    assert float(xp.sum(x)) == np.arange(LARGE).sum()
    with pytest.raises(ValueError, match="read-only NumPy array"):
        x[0] = 1


def test_asarray_gives_the_array_itself_where_nothing_changes() -> None:
    x = xp.asarray([1, 2])
    assert xp.asarray(x) is x
    assert xp.asarray(x, dtype=xp.int64) is x
    assert xp.astype(x, xp.int64, copy=False) is x
    copied = xp.asarray(x, copy=True)
    copied[0] = 5
    assert x.compute().tolist() == [1, 2]


def test_casting_complex_to_real_warns_and_is_refused_when_strict() -> None:
    x = xp.asarray([1 + 2j])
    with pytest.warns(np.exceptions.ComplexWarning):
        y = xp.astype(x, xp.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert y.compute().tolist() == [1]
    with xp.set_options(strict=True), pytest.raises(TypeError, match="take real"):
        xp.astype(x, xp.float32)


def test_values_read_from_a_source_are_checked_too() -> None:
    a = np.zeros(LARGE)
    x = xp.asarray(a)
    a[...] = 1
    with pytest.raises(SourceMutated):
        np.asarray(x)


def test_what_is_held_does_not_share_the_users_memory() -> None:
    a = np.zeros(LARGE)
    x = xp.asarray(a)
    view = x[10:]
    kept = view.persist()
    assert float(xp.sum(view)) == 0
    a[...] = 5
    assert kept.compute()[0] == 0
    with pytest.raises(SourceMutated):
        (view + 0).compute()


def test_constants_are_rounded_to_their_dtype() -> None:
    assert float(xp.asarray(0.1, dtype=xp.float32)) == float(np.float32(0.1))
    assert not xp.asarray(1e-60, dtype=xp.float32)
    assert repr(xp.asarray(3)) == "Array(3, dtype=int64)"


def test_arange_of_large_integers() -> None:
    x = xp.arange(2**63, 2**63 + 3)
    assert x.dtype == np.uint64
    assert x.compute().tolist() == [2**63, 2**63 + 1, 2**63 + 2]
    assert xp.arange(2**70).shape == (2**70,)
    with pytest.raises(TypeError, match="arange: expected real numbers"):
        xp.arange(3j)
