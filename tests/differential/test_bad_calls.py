"""Bad shapes, axes, keys and arguments: errors of array_api_strict's family, when the call is recorded."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import array_api_strict as strict
import pytest

import lazyxp as xp
from tests.differential import calls  # noqa: F401 - sets array_api_strict's version

# Errors of types, of numbers, and of shapes, axes and keys: NumPy's AxisError is both a ValueError and an IndexError.
FAMILIES: tuple[Any, ...] = (TypeError, OverflowError, (ValueError, IndexError))
ERRORS = (TypeError, OverflowError, ValueError, IndexError)
Bad = Callable[[Any], Any]


def of(ns: Any, *shape: int, dtype: str = "float64") -> Any:
    """Ones of a shape, in the namespace."""
    return ns.ones(shape, dtype=getattr(ns, dtype))


# What NumPy refuses as well.
ALWAYS: dict[str, Bad] = {
    # shapes that do not broadcast or fit
    "add": lambda ns: ns.add(of(ns, 2), of(ns, 3)),
    "x + y": lambda ns: of(ns, 2, 3) + of(ns, 2, 1, 4),
    "x += wider": lambda ns: of(ns, 3).__iadd__(of(ns, 2, 3)),
    "x == y": lambda ns: of(ns, 2) == of(ns, 3),
    "where": lambda ns: ns.where(of(ns, 2, dtype="bool"), of(ns, 3), of(ns, 3)),
    "clip": lambda ns: ns.clip(of(ns, 2), of(ns, 3)),
    "broadcast_to": lambda ns: ns.broadcast_to(of(ns, 3), (2, 2)),
    "broadcast_to fewer axes": lambda ns: ns.broadcast_to(of(ns, 1, 3), (3,)),
    "broadcast_to negative": lambda ns: ns.broadcast_to(of(ns, 1), (-1,)),
    "broadcast_arrays": lambda ns: ns.broadcast_arrays(of(ns, 2), of(ns, 3)),
    "broadcast_shapes": lambda ns: ns.broadcast_shapes((2,), (3,)),
    "concat": lambda ns: ns.concat([of(ns, 2, 2), of(ns, 2, 3)]),
    "concat ndim": lambda ns: ns.concat([of(ns, 2, 2), of(ns, 2)]),
    "concat 0-d": lambda ns: ns.concat([of(ns), of(ns)]),
    "concat nothing": lambda ns: ns.concat([]),
    "stack": lambda ns: ns.stack([of(ns, 2), of(ns, 3)]),
    "stack nothing": lambda ns: ns.stack([]),
    "reshape size": lambda ns: ns.reshape(of(ns, 2, 3), (4,)),
    "reshape two unknown": lambda ns: ns.reshape(of(ns, 4), (-1, -1)),
    "reshape does not divide": lambda ns: ns.reshape(of(ns, 4), (3, -1)),
    "reshape unknown of empty": lambda ns: ns.reshape(of(ns, 0), (0, -1)),
    "reshape negative": lambda ns: ns.reshape(of(ns, 4), (-2, -2)),
    "reshape float": lambda ns: ns.reshape(of(ns, 4), (2.0, 2.0)),
    "squeeze": lambda ns: ns.squeeze(of(ns, 2), 0),
    "squeeze None": lambda ns: ns.squeeze(of(ns, 1), None),
    "matmul": lambda ns: ns.matmul(of(ns, 2, 3), of(ns, 2, 3)),
    "matmul 0-d": lambda ns: ns.matmul(of(ns), of(ns, 2)),
    "matmul stacks": lambda ns: ns.matmul(of(ns, 2, 3, 3), of(ns, 4, 3, 3)),
    "x @= y": lambda ns: of(ns, 2, 3).__imatmul__(of(ns, 3, 2)),
    "tensordot": lambda ns: ns.tensordot(of(ns, 2, 3), of(ns, 2, 3), axes=1),
    "tensordot too many": lambda ns: ns.tensordot(of(ns, 2), of(ns, 2), axes=2),
    "tensordot axes differ": lambda ns: ns.tensordot(of(ns, 2, 2), of(ns, 2, 2), axes=((0, 1), (0,))),
    "tensordot axis": lambda ns: ns.tensordot(of(ns, 2), of(ns, 2), axes=((1,), (0,))),
    "vecdot": lambda ns: ns.vecdot(of(ns, 2), of(ns, 3)),
    "vecdot axis": lambda ns: ns.vecdot(of(ns, 2), of(ns, 2), axis=-2),
    "vecdot broadcast": lambda ns: ns.vecdot(of(ns, 2, 4), of(ns, 3, 4)),
    "meshgrid indexing": lambda ns: ns.meshgrid(of(ns, 2), indexing="yx"),
    # axes that do not exist, or are named twice
    "sum axis": lambda ns: ns.sum(of(ns, 2), axis=1),
    "sum axis from the back": lambda ns: ns.sum(of(ns, 2), axis=-2),
    "sum axis repeated": lambda ns: ns.sum(of(ns, 2, 2), axis=(0, -2)),
    "sum axis float": lambda ns: ns.sum(of(ns, 2), axis=0.0),
    "max of nothing": lambda ns: ns.max(of(ns, 0)),
    "min of nothing along an axis": lambda ns: ns.min(of(ns, 2, 0), axis=1),
    "argmax of nothing": lambda ns: ns.argmax(of(ns, 0)),
    "argmin axis": lambda ns: ns.argmin(of(ns, 2), axis=1),
    "all axis": lambda ns: ns.all(of(ns, 2), axis=3),
    "mean axis": lambda ns: ns.mean(of(ns, 2), axis=(0, 1)),
    "std axis": lambda ns: ns.std(of(ns, 2), axis=1),
    "count_nonzero axis": lambda ns: ns.count_nonzero(of(ns, 2), axis=1),
    "sort axis": lambda ns: ns.sort(of(ns, 2), axis=1),
    "sort 0-d": lambda ns: ns.sort(of(ns)),
    "argsort axis": lambda ns: ns.argsort(of(ns, 2), axis=-2),
    "cumulative_sum needs an axis": lambda ns: ns.cumulative_sum(of(ns, 2, 2)),
    "cumulative_prod axis": lambda ns: ns.cumulative_prod(of(ns, 2), axis=1),
    "diff 0-d": lambda ns: ns.diff(of(ns)),
    "diff n": lambda ns: ns.diff(of(ns, 2), n=-1),
    "diff prepend": lambda ns: ns.diff(of(ns, 2, 3), prepend=of(ns, 3, 1)),
    "expand_dims axis": lambda ns: ns.expand_dims(of(ns, 2), 3),
    "expand_dims repeated": lambda ns: ns.expand_dims(of(ns, 2), (0, 0)),
    "flip axis": lambda ns: ns.flip(of(ns, 2), axis=1),
    "roll axis": lambda ns: ns.roll(of(ns, 2), 1, axis=1),
    "roll lengths": lambda ns: ns.roll(of(ns, 2, 2), (1, 2, 3), axis=(0, 1)),
    "moveaxis": lambda ns: ns.moveaxis(of(ns, 2, 2), 0, 2),
    "moveaxis lengths": lambda ns: ns.moveaxis(of(ns, 2, 2), (0, 1), 0),
    "moveaxis repeated": lambda ns: ns.moveaxis(of(ns, 2, 2), (0, 0), (0, 1)),
    "permute_dims": lambda ns: ns.permute_dims(of(ns, 2, 2), (0,)),
    "permute_dims repeated": lambda ns: ns.permute_dims(of(ns, 2, 2), (0, 0)),
    "permute_dims axis": lambda ns: ns.permute_dims(of(ns, 2, 2), (0, 2)),
    "concat axis": lambda ns: ns.concat([of(ns, 2)], axis=1),
    "stack axis": lambda ns: ns.stack([of(ns, 2)], axis=2),
    "unstack axis": lambda ns: ns.unstack(of(ns, 2), axis=1),
    "repeat axis": lambda ns: ns.repeat(of(ns, 2), 2, axis=1),
    "repeat negative": lambda ns: ns.repeat(of(ns, 2), -1),
    "repeat lengths": lambda ns: ns.repeat(of(ns, 3), of(ns, 2, dtype="int64")),
    "repeat float": lambda ns: ns.repeat(of(ns, 3), 1.5),
    "tile negative": lambda ns: ns.tile(of(ns, 3), (-1,)),
    "tile float": lambda ns: ns.tile(of(ns, 3), (1.5,)),
    "take axis": lambda ns: ns.take(of(ns, 2), of(ns, 1, dtype="int64"), axis=1),
    "take float indices": lambda ns: ns.take(of(ns, 2), of(ns, 1)),
    "take_along_axis ndim": lambda ns: ns.take_along_axis(of(ns, 2, 2), of(ns, 2, dtype="int64")),
    "take_along_axis axis": lambda ns: ns.take_along_axis(of(ns, 2), of(ns, 2, dtype="int64"), axis=1),
    "take_along_axis shape": lambda ns: ns.take_along_axis(of(ns, 2, 2), of(ns, 3, 2, dtype="int64")),
    "searchsorted 2-d": lambda ns: ns.searchsorted(of(ns, 2, 2), of(ns, 2)),
    "searchsorted side": lambda ns: ns.searchsorted(of(ns, 2), of(ns, 2), side="middle"),
    "searchsorted sorter": lambda ns: ns.searchsorted(of(ns, 2), of(ns, 2), sorter=of(ns, 3, dtype="int64")),
    "nonzero 0-d": lambda ns: ns.nonzero(of(ns)),
    # keys
    "x[index]": lambda ns: of(ns, 2)[2],
    "x[negative index]": lambda ns: of(ns, 2)[-3],
    "x[too many]": lambda ns: of(ns, 2)[0, 0],
    "x[0-d]": lambda ns: of(ns)[0],
    "x[two ellipses]": lambda ns: of(ns, 2, 2)[..., ...],
    "x[float]": lambda ns: of(ns, 2)[1.0],
    "x[str]": lambda ns: of(ns, 2)["a"],
    "x[::0]": lambda ns: of(ns, 2)[::0],
    "x[mask]": lambda ns: of(ns, 2)[of(ns, 3, dtype="bool")],
    "x[float array]": lambda ns: of(ns, 2)[of(ns, 2)],
    "x[index] = v": lambda ns: of(ns, 2).__setitem__(2, 1.0),
    "x[key] = shape": lambda ns: of(ns, 4).__setitem__(slice(0, 2), of(ns, 3)),
    "x[mask] = v": lambda ns: of(ns, 2).__setitem__(of(ns, 3, dtype="bool"), 1.0),
    "x[key] = complex": lambda ns: of(ns, 2).__setitem__(0, 1j),
    # scalars out of a 0-d array of a fitting dtype
    "bool": lambda ns: bool(of(ns, 2)),
    "int": lambda ns: int(of(ns, 2)),
    "float": lambda ns: float(of(ns, 2)),
    "float of complex": lambda ns: float(of(ns, dtype="complex128")),
    "complex": lambda ns: complex(of(ns, 2)),
    "index of float": lambda ns: of(ns).__index__(),
    "iter 0-d": lambda ns: iter(of(ns)),
    # dtypes and numbers
    "bitwise_and": lambda ns: ns.bitwise_and(of(ns, 2), of(ns, 2)),
    "bitwise_invert": lambda ns: ns.bitwise_invert(of(ns, 2)),
    "~x": lambda ns: ~of(ns, 2),
    "x << y": lambda ns: of(ns, 2) << of(ns, 2),
    "floor complex": lambda ns: ns.floor(of(ns, 2, dtype="complex64")),
    "atan2 complex": lambda ns: ns.atan2(of(ns, 2, dtype="complex64"), of(ns, 2, dtype="complex64")),
    "subtract booleans": lambda ns: ns.subtract(of(ns, 2, dtype="bool"), of(ns, 2, dtype="bool")),
    "uint8 + 256": lambda ns: of(ns, 2, dtype="uint8") + 256,
    "uint8 + -1": lambda ns: of(ns, 2, dtype="uint8") + -1,
    "x += wider kind": lambda ns: of(ns, 2, dtype="int64").__iadd__(1.5),
    "full overflow": lambda ns: ns.full(2, 300, dtype=ns.uint8),
    "zeros negative": lambda ns: ns.zeros((2, -1)),
    "zeros float": lambda ns: ns.zeros((2.0,)),
    "zeros device": lambda ns: ns.zeros(2, device="no device"),
    "eye negative": lambda ns: ns.eye(-1),
    "linspace num": lambda ns: ns.linspace(0, 1, -1),
    "linspace float num": lambda ns: ns.linspace(0, 1, 2.5),
    "asarray ragged": lambda ns: ns.asarray([[1, 2], [3]]),
    "asarray list without copy": lambda ns: ns.asarray([1, 2], copy=False),
    "asarray object": lambda ns: ns.asarray(object()),
    "tril 1-d": lambda ns: ns.tril(of(ns, 2)),
    "isdtype": lambda ns: ns.isdtype(ns.float64, "float"),
    "result_type of nothing": lambda ns: ns.result_type(),
    "mT 1-d": lambda ns: of(ns, 2).mT,
    "matrix_transpose 1-d": lambda ns: ns.matrix_transpose(of(ns, 2)),
    # linear algebra
    "inv not square": lambda ns: ns.linalg.inv(of(ns, 2, 3)),
    "inv 1-d": lambda ns: ns.linalg.inv(of(ns, 2)),
    "det not square": lambda ns: ns.linalg.det(of(ns, 2, 3)),
    "solve not square": lambda ns: ns.linalg.solve(of(ns, 2, 3), of(ns, 2)),
    "solve": lambda ns: ns.linalg.solve(of(ns, 2, 2), of(ns, 3)),
    "solve stacks": lambda ns: ns.linalg.solve(of(ns, 2, 2, 2), of(ns, 3, 2, 2)),
    "cholesky not square": lambda ns: ns.linalg.cholesky(of(ns, 2, 3)),
    "eigh 1-d": lambda ns: ns.linalg.eigh(of(ns, 2)),
    "svd 1-d": lambda ns: ns.linalg.svd(of(ns, 2)),
    "qr mode": lambda ns: ns.linalg.qr(of(ns, 2, 2), mode="no mode"),
    "matrix_power float": lambda ns: ns.linalg.matrix_power(of(ns, 2, 2), 1.5),
    "matrix_power not square": lambda ns: ns.linalg.matrix_power(of(ns, 2, 3), 2),
    "matrix_rank 1-d": lambda ns: ns.linalg.matrix_rank(of(ns, 2)),
    "matrix_norm ord": lambda ns: ns.linalg.matrix_norm(of(ns, 2, 2), ord=3),
    "matrix_norm 1-d": lambda ns: ns.linalg.matrix_norm(of(ns, 2)),
    "vector_norm axis": lambda ns: ns.linalg.vector_norm(of(ns, 2), axis=1),
    "cross": lambda ns: ns.linalg.cross(of(ns, 4), of(ns, 4)),
    "cross axis": lambda ns: ns.linalg.cross(of(ns, 3), of(ns, 3), axis=-2),
    "cross broadcast": lambda ns: ns.linalg.cross(of(ns, 2, 3), of(ns, 4, 3)),
    "outer 2-d": lambda ns: ns.linalg.outer(of(ns, 2, 2), of(ns, 2)),
    "diagonal 1-d": lambda ns: ns.linalg.diagonal(of(ns, 2)),
    "trace 1-d": lambda ns: ns.linalg.trace(of(ns, 2)),
    # transforms
    "fft 0-d": lambda ns: ns.fft.fft(of(ns, dtype="complex128")),
    "fft axis": lambda ns: ns.fft.fft(of(ns, 2, dtype="complex128"), axis=1),
    "fft n": lambda ns: ns.fft.fft(of(ns, 2, dtype="complex128"), n=0),
    "fft norm": lambda ns: ns.fft.fft(of(ns, 2, dtype="complex128"), norm="no norm"),
    "fftn lengths": lambda ns: ns.fft.fftn(of(ns, 2, 2, dtype="complex128"), s=(2, 2), axes=(0,)),
    "rfft complex": lambda ns: ns.fft.rfft(of(ns, 2, dtype="complex128")),
    "irfft too short": lambda ns: ns.fft.irfft(of(ns, 1, dtype="complex128")),
    "fftshift axes": lambda ns: ns.fft.fftshift(of(ns, 2), axes=1),
}
# Where array_api_strict lets a bad call pass, or takes another error than the rest of it does.
OTHERWISE: dict[str, tuple[Any, Bad]] = {
    "x @ scalar": ((TypeError, ValueError), lambda ns: of(ns, 2) @ 3.0),
    "sum 0-d": (ValueError, lambda ns: ns.sum(of(ns), axis=0)),
    "full complex": (TypeError, lambda ns: ns.full(2, 1j, dtype=ns.float64)),
    "zeros dtype": (TypeError, lambda ns: ns.zeros(2, dtype="no dtype")),
    "arange step": (ValueError, lambda ns: ns.arange(0, 5, 0)),
    "iinfo": (TypeError, lambda ns: ns.iinfo(ns.float64)),
    "finfo": (TypeError, lambda ns: ns.finfo(ns.int64)),
    "fftfreq dtype": (TypeError, lambda ns: ns.fft.fftfreq(2, dtype=ns.int64)),
    "reshape in place": (ValueError, lambda ns: ns.reshape(of(ns, 2, 3).mT, (6,), copy=False)),
}
# What NumPy takes, and the standard does not define.
ONLY_STRICT: dict[str, Bad] = {
    "int64 + float64": lambda ns: of(ns, 2, dtype="int64") + of(ns, 2),
    "int64 + 1.5": lambda ns: of(ns, 2, dtype="int64") + 1.5,
    "bool + bool": lambda ns: of(ns, 2, dtype="bool") + of(ns, 2, dtype="bool"),
    "bool + 1": lambda ns: of(ns, 2, dtype="bool") + 1,
    "float + True": lambda ns: of(ns, 2) + True,
    "x + list": lambda ns: operator.add(of(ns, 2), [1.0, 2.0]),
    "float32 += float64": lambda ns: of(ns, 2, dtype="float32").__iadd__(of(ns, 2)),
    "add two scalars": lambda ns: ns.add(1, 2),
    "sin of a scalar": lambda ns: ns.sin(1.0),
    "sin of a list": lambda ns: ns.sin([1.0]),
    "sin of integers": lambda ns: ns.sin(of(ns, 2, dtype="int64")),
    "less complex": lambda ns: ns.less(of(ns, 2, dtype="complex64"), of(ns, 2, dtype="complex64")),
    "logical_not of numbers": lambda ns: ns.logical_not(of(ns, 2)),
    "mean of integers": lambda ns: ns.mean(of(ns, 2, dtype="int64")),
    "std of complex": lambda ns: ns.std(of(ns, 2, dtype="complex64")),
    "sum of booleans": lambda ns: ns.sum(of(ns, 2, dtype="bool")),
    "max of booleans": lambda ns: ns.max(of(ns, 2, dtype="bool")),
    "sort complex": lambda ns: ns.sort(of(ns, 2, dtype="complex64")),
    "argmax complex": lambda ns: ns.argmax(of(ns, 2, dtype="complex64")),
    "imag of real": lambda ns: ns.imag(of(ns, 2)),
    "clip floats for integers": lambda ns: ns.clip(of(ns, 2, dtype="int64"), 0.5, 1.5),
    "where numbers": lambda ns: ns.where(of(ns, 2), of(ns, 2), of(ns, 2)),
    "where scalars": lambda ns: ns.where(of(ns, 2, dtype="bool"), 1.0, 2.0),
    "isin floats": lambda ns: ns.isin(of(ns, 2), of(ns, 2)),
    "concat kinds": lambda ns: ns.concat([of(ns, 2), of(ns, 2, dtype="int64")]),
    "stack kinds": lambda ns: ns.stack([of(ns, 2), of(ns, 2, dtype="bool")]),
    "result_type kinds": lambda ns: ns.result_type(ns.int64, ns.float64),
    "result_type uint64": lambda ns: ns.result_type(ns.int64, ns.uint64),
    "result_type scalars": lambda ns: ns.result_type(1, 2.0),
    "astype complex to real": lambda ns: ns.astype(of(ns, 2, dtype="complex64"), ns.float32),
    "reshape list": lambda ns: ns.reshape(of(ns, 4), [2, 2]),
    "tile int": lambda ns: ns.tile(of(ns, 4), 2),
    "take 2-d": lambda ns: ns.take(of(ns, 4), of(ns, 1, 1, dtype="int64")),
    "full of an array": lambda ns: ns.full(2, of(ns)),
    "asarray of arrays": lambda ns: ns.asarray([of(ns), of(ns)]),
    "meshgrid dtypes": lambda ns: ns.meshgrid(of(ns, 2), of(ns, 2, dtype="float32")),
    "cumulative_prod 0-d": lambda ns: ns.cumulative_prod(of(ns)),
    "iterate over 2-d": lambda ns: iter(of(ns, 2, 2)),
    "x.T of 3-d": lambda ns: of(ns, 2, 2, 2).T,
    "x[fewer]": lambda ns: of(ns, 2, 2)[0],
    "x[list]": lambda ns: of(ns, 2)[[0, 1]],
    "x[True]": lambda ns: of(ns, 2)[True],
    "x[array, slice]": lambda ns: of(ns, 2, 2)[of(ns, 1, dtype="int64"), :],
    "x[mask, int]": lambda ns: of(ns, 2, 2)[of(ns, 2, dtype="bool"), 0],
    "x[out of bounds slice]": lambda ns: of(ns, 2)[:5],
    "x[array] = v": lambda ns: of(ns, 2).__setitem__(of(ns, 1, dtype="int64"), 1.0),
    "x[None] = v": lambda ns: of(ns, 2).__setitem__((None, 0), 1.0),
    "integers[key] = float": lambda ns: of(ns, 2, dtype="int64").__setitem__(0, 1.5),
    "float32[key] = float64": lambda ns: of(ns, 2, dtype="float32").__setitem__(slice(None), of(ns, 2)),
    "vecdot axis from the front": lambda ns: ns.vecdot(of(ns, 2), of(ns, 2), axis=0),
    "cross axis from the front": lambda ns: ns.linalg.cross(of(ns, 3), of(ns, 3), axis=0),
    "det of integers": lambda ns: ns.linalg.det(of(ns, 2, 2, dtype="int64")),
    "fft of real": lambda ns: ns.fft.fft(of(ns, 2)),
    "rfft of integers": lambda ns: ns.fft.rfft(of(ns, 2, dtype="int64")),
}
# What depends on values, which may not be known yet.
BY_VALUE: dict[str, Bad] = {
    "inv singular": lambda ns: ns.linalg.inv(of(ns, 2, 2)),
    "solve singular": lambda ns: ns.linalg.solve(of(ns, 2, 2), of(ns, 2)),
    "cholesky not positive": lambda ns: ns.linalg.cholesky(-of(ns, 2, 2)),
    "take": lambda ns: ns.take(of(ns, 2), ns.asarray([2])),
    "take_along_axis": lambda ns: ns.take_along_axis(of(ns, 2), ns.asarray([2])),
    "x[array]": lambda ns: of(ns, 2)[ns.asarray([-3])],
    "repeat": lambda ns: ns.repeat(of(ns, 2), ns.asarray([1, -1])),
    "integer power": lambda ns: ns.pow(ns.asarray([2]), ns.asarray([-1])),
}


def families(error: BaseException) -> set[Any]:
    """The families of errors that `error` belongs to."""
    return {f for f in FAMILIES if isinstance(error, f)}


def raised(call: Bad, namespace: Any) -> BaseException:
    """The error of a bad call."""
    with pytest.raises(ERRORS) as caught:
        call(namespace)
    return caught.value


@pytest.mark.parametrize("strictly", [False, True], ids=["default", "strict"])
@pytest.mark.parametrize("name", ALWAYS)
def test_bad_calls_raise_when_recorded(name: str, *, strictly: bool) -> None:
    wanted = raised(ALWAYS[name], strict)
    with xp.set_options(strict=strictly):
        assert families(raised(ALWAYS[name], xp)) & families(wanted)


@pytest.mark.parametrize("strictly", [False, True], ids=["default", "strict"])
@pytest.mark.parametrize("name", OTHERWISE)
def test_bad_calls_that_array_api_strict_takes_otherwise(name: str, *, strictly: bool) -> None:
    error, call = OTHERWISE[name]
    with xp.set_options(strict=strictly):
        assert isinstance(raised(call, xp), error)


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("name", ONLY_STRICT)
def test_undefined_calls_raise_under_strict(name: str) -> None:
    wanted = raised(ONLY_STRICT[name], strict)
    ONLY_STRICT[name](xp)
    with xp.set_options(strict=True):
        assert families(raised(ONLY_STRICT[name], xp)) & families(wanted)


@pytest.mark.parametrize("name", BY_VALUE)
def test_bad_values_raise_when_computed_at_the_latest(name: str) -> None:
    wanted = raised(BY_VALUE[name], strict)
    assert families(raised(lambda ns: BY_VALUE[name](ns).compute(), xp)) & families(wanted)
