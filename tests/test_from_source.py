"""Out-of-core sources: only the parts that are needed are read, when the graph runs."""

import pickle

import numpy as np
import pytest

import lazyxp as xp

DATA = np.arange(2400, dtype=np.float64).reshape(60, 40)


class Recorder:
    """A source that remembers which regions it was asked for."""

    def __init__(self, data=DATA):
        self.data = data
        self.shape = data.shape
        self.dtype = data.dtype
        self.asked = []

    def __getitem__(self, key):
        assert all(isinstance(k, slice) and 0 <= k.start <= k.stop <= n for k, n in zip(key, self.shape, strict=True))
        assert all(k.step is None or k.step > 1 for k in key)
        self.asked.append(tuple((k.start, k.stop, k.step or 1) for k in key))
        return self.data[key]

    @property
    def elements(self):
        return sum(np.prod([len(range(*k)) for k in region]) for region in self.asked)


EXPRESSIONS = {
    "a row": (lambda x: x[7], 40),
    "an element": (lambda x: x[7, -1], 1),
    "rows of a chain": (lambda x: (xp.exp(-x / 100) + 1)[10:12], 80),
    "steps": (lambda x: x[::20, 4:30:5], 18),
    "from behind": (lambda x: x[::-1, 3][:5], 5),
    "transposed": (lambda x: xp.permute_dims(x, (1, 0))[2:4], 120),
    "a product's row": (lambda x: (x @ xp.ones((40, 3)))[5], 40),
    "a sum's part": (lambda x: xp.sum(x, axis=1)[2:4], 80),
    "a new axis": (lambda x: x[None, 3:5, None, 2], 2),
    "nothing": (lambda x: x[5:5], 0),
    "everything": (lambda x: x * 2, 2400),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_reads_what_is_needed(name):
    build, elements = EXPRESSIONS[name]
    source = Recorder()
    y = build(xp.from_source(source))
    assert source.asked == []
    got = y.compute()
    assert source.elements == elements
    np.testing.assert_allclose(got, build(xp.asarray(DATA)).compute(optimize="none"), rtol=1e-12)
    assert got.flags.writeable


@pytest.mark.parametrize("optimize", ["none", "exact", "default", "fast"])
def test_values_at_every_level(optimize):
    x = xp.from_source(Recorder())
    np.testing.assert_array_equal((x * 2)[3:9, ::-2].compute(optimize=optimize), (DATA * 2)[3:9, ::-2])


def test_an_index_array_takes_from_what_is_read():
    source = Recorder()
    x = xp.from_source(source)
    np.testing.assert_array_equal(xp.take(x[:, 5:7], xp.asarray([1, -1]), axis=0).compute(), DATA[[1, -1], 5:7])
    assert source.elements == 120


def test_each_run_reads_anew_and_persist_keeps():
    data = DATA.copy()
    x = xp.from_source(data)[0]
    assert x.compute()[0] == 0
    data[0, 0] = 7
    assert x.compute()[0] == 7
    (kept,) = xp.persist(x)
    data[0, 0] = 8
    assert kept.compute()[0] == 7


def test_a_plan_serves_sources_of_one_shape():
    first, second = Recorder(), Recorder(DATA + 1)
    for source in (first, second):
        np.testing.assert_array_equal((xp.from_source(source) + 1)[2].compute(), source.data[2] + 1)
        assert source.elements == 40


def test_nothing_is_written_to_the_source():
    data = DATA.copy()
    x = xp.from_source(data)
    x[0] = -1
    x += 1
    assert x.compute()[0, 0] == 0
    np.testing.assert_array_equal(data, DATA)
    got = xp.from_source(data).compute()
    got[:] = 0
    np.testing.assert_array_equal(data, DATA)


def test_memmap(tmp_path):
    path = tmp_path / "data.bin"
    written = np.memmap(path, np.float64, "w+", shape=DATA.shape)
    written[:] = DATA
    written.flush()
    x = xp.from_source(np.memmap(path, np.float64, "r", shape=DATA.shape))
    np.testing.assert_array_equal((x + 1)[::7].compute(), (DATA + 1)[::7])
    copy = pickle.loads(pickle.dumps(x))
    assert len(pickle.dumps(x)) < 2000
    np.testing.assert_array_equal(copy[3:5].compute(), DATA[3:5])


def test_pickled_part_of_a_memmap_holds_its_own_data(tmp_path):
    path = tmp_path / "data.bin"
    DATA.tofile(path)
    part = np.memmap(path, np.float64, "r", shape=DATA.shape)[10:20]
    copy = pickle.loads(pickle.dumps(xp.from_source(part)))
    np.testing.assert_array_equal(copy.compute(), DATA[10:20])


def test_zarr(tmp_path):
    zarr = pytest.importorskip("zarr")
    store = zarr.create_array(str(tmp_path / "data.zarr"), shape=DATA.shape, chunks=(10, 40), dtype="f8")
    store[:] = DATA
    x = xp.from_source(store)
    np.testing.assert_array_equal((x + 1)[5:25, ::-3].compute(), (DATA + 1)[5:25, ::-3])
    np.testing.assert_allclose(xp.sum(x, axis=0)[:4].compute(), DATA.sum(axis=0)[:4])


def test_h5py(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        x = xp.from_source(file.create_dataset("data", data=DATA, chunks=(10, 40)))
        np.testing.assert_array_equal((x + 1)[5:25, ::-3].compute(), (DATA + 1)[5:25, ::-3])


def test_byte_order_and_no_dimensions():
    swapped = DATA.astype(">f8")
    x = xp.from_source(swapped)
    assert x.dtype == xp.float64
    np.testing.assert_array_equal(x[3].compute(), DATA[3])
    assert xp.from_source(np.asarray(2.5)).compute() == 2.5


@pytest.mark.parametrize("backend", ["dask", "sparse", "array_api_strict"])
def test_other_backends(backend):
    pytest.importorskip(backend)
    source = Recorder()
    got = (xp.from_source(source)[4:6] * 2).compute(backend=backend)
    got = got.todense() if hasattr(got, "todense") else np.asarray(got)
    np.testing.assert_array_equal(got, (DATA * 2)[4:6])
    assert source.elements == 80


def test_dask_reads_chunk_by_chunk():
    pytest.importorskip("dask")
    source = Recorder()
    x = xp.from_source(source, chunks=(20, 40))
    assert float(xp.sum(x).compute(backend="dask")) == DATA.sum()
    assert sorted(source.asked) == [((i, i + 20, 1), (0, 40, 1)) for i in (0, 20, 40)]


class Broken:
    shape, dtype = (4,), np.dtype("float64")

    def __getitem__(self, key):
        return np.zeros(3)


def test_errors():
    with pytest.raises(TypeError, match="list has no shape and no dtype"):
        xp.from_source([1, 2])
    with pytest.raises(TypeError, match="an Array is no source"):
        xp.from_source(xp.zeros(3))
    with pytest.raises(TypeError, match="chunks must be"):
        xp.from_source(DATA, chunks=2.5)
    with pytest.raises(TypeError, match="from_source"):
        xp.from_source(np.zeros(3, "M8[s]"))
    with pytest.raises(ValueError, match=r"Broken\[0:4\] gave float64\[3\] where its shape and dtype promise"):
        xp.from_source(Broken()).compute()


def test_jit_and_looking():
    x = xp.from_source(Recorder())
    np.testing.assert_array_equal(xp.jit(lambda v: v[2] + 1)(x).compute(), DATA[2] + 1)
    assert "read" in str((x + 1)[2].explain())
