"""What is particular to PyTorch and JAX as executors."""

import os
import subprocess
import sys

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import UnsupportedOperation
from lazyxp.executors import registry
from lazyxp.testing.inputs import equal


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def jax():
    return pytest.importorskip("jax")


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_the_data_is_followed(name):
    library = pytest.importorskip("torch" if name == "torch" else "jax.numpy")
    native = library.asarray([1.0, 2.0, 3.0])
    x = xp.asarray(native)
    assert (x.shape, x.dtype, x.device) == ((3,), np.float32, "cpu")
    result = xp.sum(x * 2 + xp.arange(3, dtype=xp.float32) + np.ones(3, np.float32)).compute()
    assert type(result) is type(native)
    assert float(result) == 18
    assert float(xp.sum(x)) == 6
    equal(np.asarray(x + 1), np.array([2, 3, 4], np.float32))
    equal((x + 1).compute(backend="numpy"), np.array([2, 3, 4], np.float32))
    assert type(xp.asarray(np.ones(3)).compute(backend=library)) is type(native)


def aligned(count):
    """Numbers in memory that every library can use: at a multiple of 64 bytes."""
    memory = np.zeros(count + 8)
    start = -memory.ctypes.data % 64 // 8
    memory[start : start + count] = np.arange(count)
    return memory[start : start + count]


ADDRESS = {
    "torch": lambda x: x.data_ptr(),
    "jax": lambda x: x.unsafe_buffer_pointer(),
    "array_api_strict": lambda x: np.asarray(x).ctypes.data,
}


@pytest.mark.parametrize("name", ADDRESS)
def test_numpys_memory_is_used_and_not_given_away(name, monkeypatch):
    pytest.importorskip(name)
    seen = []
    executor = registry.get(name)
    execute = executor.execute

    def watched(step, arrays):
        seen.append(ADDRESS[name](arrays[0]))
        return execute(step, arrays)

    monkeypatch.setattr(executor, "execute", watched)
    data = aligned(100_000)
    x = xp.asarray(data, copy=False)
    kept = xp.reshape(x, (10, -1)).persist(backend=name)
    functions = (xp.negative, xp.positive, xp.real, lambda x: x, lambda x: x[1:], lambda x: xp.astype(x, x.dtype))
    own = [f(x).compute(backend=name, optimize="none") for f in functions]
    assert data.ctypes.data in seen
    assert not {ADDRESS[name](result) for result in own} & {data.ctypes.data, data.ctypes.data + 8}
    data[...] = -1
    assert [float(result[-1]) for result in own] == [-99_999, *[99_999] * 5]
    assert float(kept[-1, -1]) == 99_999


def test_tensors_are_not_written_to(torch):
    tensor = torch.arange(100_000.0)
    x = xp.asarray(tensor)
    assert x.persist(backend="torch").compute(backend="torch").data_ptr() != tensor.data_ptr()
    x[0] = 5
    assert float(x[0]) == 5
    assert float(tensor[0]) == 0


def test_a_graph_runs_on_the_device_of_its_tensors(torch):
    """PyTorch's device of shapes without values takes part in no op with tensors of the CPU."""
    x = xp.asarray(torch.ones(3, device="meta"))
    assert x.device == "meta"
    result = (x + xp.arange(3, dtype=xp.float32) * np.ones(3, np.float32) + xp.ones(3, dtype=xp.float32)).compute()
    assert result.device.type == "meta"


TWO_DEVICES = """
import jax, numpy as np, lazyxp as xp
first, second = jax.devices()
x = xp.asarray(jax.device_put(np.arange(3.0, dtype=np.float32), second))
y = (x + xp.arange(3, dtype=xp.float32) + xp.asarray(np.ones(3, np.float32))).compute()
assert y.device == second, y.device
assert y.tolist() == [1, 3, 5]
assert (xp.arange(3) + 1).compute(backend="jax").device == first
"""


def test_a_graph_runs_on_the_device_of_its_jax_arrays(jax):
    flags = "--xla_force_host_platform_device_count=2"
    subprocess.run([sys.executable, "-c", TWO_DEVICES], env={**os.environ, "XLA_FLAGS": flags}, check=True)


def test_gradients_flow(torch):
    tensor = torch.tensor([1.0, 2.0], requires_grad=True)
    xp.sum(xp.asarray(tensor) ** 2 * 3).compute().backward()
    assert tensor.grad.tolist() == [6, 12]
    assert np.asarray(xp.asarray(tensor) + 1).tolist() == [2, 3]


def test_unsigned_integers_without_kernels(torch):
    data = np.array([0, 1, 2**63, 2**64 - 1, 2**63 - 1], np.uint64)
    x = xp.asarray(data)
    for function in (
        lambda ns, a: a < a[::-1],
        lambda ns, a: ns.max(a),
        lambda ns, a: ns.argmin(a),
        lambda ns, a: ns.sort(a),
        lambda ns, a: ns.maximum(a, a[::-1]),
        lambda ns, a: a * a + a,
        lambda ns, a: ns.sum(a),
    ):
        recorded = function(xp, x)
        equal(np.asarray(recorded.compute(backend="torch")), np.asarray(recorded.compute(backend="numpy")))
    with pytest.raises(UnsupportedOperation, match="backend='numpy'") as caught:
        (x // x[1:2]).compute(backend="torch")
    assert any("ran floor_divide on uint64[5] and uint64[1]" in note for note in caught.value.__notes__)


def test_jax_keeps_the_recorded_types(jax):
    before = jax.config.jax_enable_x64
    for dtype in ("float64", "int64", "uint64", "complex128"):
        result = (xp.ones(3, dtype=dtype) + xp.asarray(np.ones(3, dtype))).compute(backend="jax")
        assert result.dtype == dtype
    assert jax.config.jax_enable_x64 == before


def test_jax_refuses_positions_out_of_bounds(jax):
    x, index = xp.arange(3.0), xp.arange(1)
    for recorded in (xp.take(x, index + 8), x[index - 8]):
        with pytest.raises(IndexError, match="out of bounds"):
            recorded.compute(backend="jax")
    x[index + 5] = 1.0
    with pytest.raises(IndexError, match="out of bounds"):
        x.compute(backend="jax")


@pytest.mark.parametrize("name", ["torch", "jax", "array_api_strict"])
def test_sources_are_not_written_to(name):
    pytest.importorskip(name)
    data = np.arange(100_000.0)
    x = xp.asarray(data, copy=False)
    x[::-2] = 7
    x[xp.asarray([0, 0, 1])] = xp.asarray([1.0, 2.0, 3.0])
    result = np.asarray(x.compute(backend=name))
    equal(data, np.arange(100_000.0))
    assert result[:3].tolist() == [2, 3, 2]
    assert result[-1] == 7


def test_tensors_are_plain(torch):
    """Nothing is left to be conjugated or negated when a tensor is read, which NumPy and others refuse."""
    z = xp.asarray(torch.tensor([1 + 2j, 3 - 1j]))
    for result in xp.compute(xp.conj(z), xp.imag(xp.conj(z)), xp.conj(z)[::-1], xp.persist(xp.conj(z))[0]):
        assert not result.is_conj()
        assert not result.is_neg()
