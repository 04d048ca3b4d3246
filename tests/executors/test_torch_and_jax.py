"""What is particular to PyTorch and JAX as executors."""

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import UnsupportedOperation
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


def test_tensors_are_used_where_they_are(torch):
    tensor = torch.arange(100_000.0)
    x = xp.asarray(tensor)
    assert xp.asarray(tensor, copy=True).persist().compute() is not tensor
    assert x.persist(backend="torch").compute(backend="torch").data_ptr() != tensor.data_ptr()  # a result is a copy
    x[0] = 5
    assert float(x[0]) == 5
    assert float(tensor[0]) == 0


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
