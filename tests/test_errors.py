"""Bad input: each mistake is named at the user's own line, says what would be right, and leaves the graph usable."""

from __future__ import annotations

import traceback

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.errors import LazyxpError, UnknownBackend, UnsupportedOperation

M = xp.asarray(np.arange(6.0).reshape(2, 3))
I = xp.asarray([1, 2, 3])  # noqa: E741

RECORDED = {
    "add shapes": (lambda: M + xp.zeros((4,)), ValueError, "add: shape mismatch: cannot broadcast (2, 3) with (4,)"),
    "add dtypes": (lambda: I & 1.5, TypeError, "bitwise_and: expected integer or boolean data, got int64 and float"),
    "bool minus": (lambda: xp.asarray([True]) - xp.asarray([True]), TypeError, "subtract: expected numeric data"),
    "text": (lambda: M + "text", TypeError, "unsupported operand"),
    "none": (lambda: M * None, TypeError, "unsupported operand"),
    "too large": (lambda: xp.asarray([1], dtype=xp.int8) + 300, OverflowError, "300 out of bounds for int8"),
    "matmul": (
        lambda: M @ M,
        ValueError,
        "matmul: shape mismatch: axis -1 of float64[2, 3] and axis -2 of float64[2, 3]",
    ),
    "matmul 0-d": (lambda: xp.matmul(xp.asarray(1), M), ValueError, "matmul: 0-d operands are not allowed"),
    "tensordot": (lambda: xp.tensordot(M, M, axes=1), ValueError, "tensordot: shape mismatch"),
    "tensordot axes": (lambda: xp.tensordot(M, M, axes=3), ValueError, "cannot contract 3 axes"),
    "vecdot": (lambda: xp.vecdot(M, xp.zeros(2)), ValueError, "vecdot: shape mismatch"),
    "sum axis": (lambda: xp.sum(M, axis=2), ValueError, "sum: axis 2 is out of bounds"),
    "sum axes": (lambda: xp.sum(M, axis=(0, -2)), ValueError, "sum: an axis is repeated"),
    "axis type": (lambda: xp.sum(M, axis=1.5), TypeError, "axis must be an integer, not 1.5"),
    "max of nothing": (lambda: xp.max(xp.zeros(0)), ValueError, "max"),
    "reshape": (lambda: xp.reshape(M, (4, 2)), ValueError, "reshape: cannot reshape (2, 3), which has 6 elements"),
    "reshape -1": (lambda: xp.reshape(M, (-1, -1)), ValueError, "at most one -1"),
    "reshape 4": (lambda: xp.reshape(M, (-1, 4)), ValueError, "cannot reshape (2, 3)"),
    "permute": (lambda: xp.permute_dims(M, (0,)), ValueError, "(0,) is no permutation of the axes of float64[2, 3]"),
    "squeeze": (lambda: xp.squeeze(M, 0), ValueError, "axis 0 of float64[2, 3] has length 2"),
    "expand_dims": (lambda: xp.expand_dims(M, 5), ValueError, "expand_dims: axis 5 is out of bounds"),
    "broadcast_to": (lambda: xp.broadcast_to(M, (3, 3)), ValueError, "cannot broadcast float64[2, 3] to (3, 3)"),
    "concat shapes": (lambda: xp.concat([M, xp.zeros((2, 2))]), ValueError, "concat: shape mismatch"),
    "concat ndim": (lambda: xp.concat([M, I]), ValueError, "one number of dimensions"),
    "concat none": (lambda: xp.concat([]), ValueError, "needs at least one array"),
    "concat 0-d": (lambda: xp.concat([xp.asarray(1)]), ValueError, "use stack"),
    "stack": (lambda: xp.stack([M, I]), ValueError, "stack: shape mismatch: (2, 3) and (3,) must be equal"),
    "roll": (lambda: xp.roll(M, (1, 2), axis=(0, 1, 1)), ValueError, "differ in length"),
    "repeat": (lambda: xp.repeat(M, -1), ValueError, "repeats must not be negative"),
    "repeat float": (lambda: xp.repeat(M, xp.asarray([1.0])), TypeError, "repeat: expected integer data"),
    "tile": (lambda: xp.tile(M, (-1,)), ValueError, "negative sides"),
    "take": (lambda: xp.take(M, xp.asarray([0])), ValueError, "axis must be given"),
    "take float": (lambda: xp.take(M, xp.asarray([0.5]), axis=0), TypeError, "take: expected integer data"),
    "take along": (lambda: xp.take_along_axis(M, I), ValueError, "one number of dimensions"),
    "zeros": (lambda: xp.zeros((-1,)), ValueError, "negative sides"),
    "zeros float": (lambda: xp.zeros(1.5), TypeError, "must be an integer, not 1.5"),
    "full": (lambda: xp.full(2, 1j, dtype=xp.float64), TypeError, "complex 1j does not fit float64"),
    "arange": (lambda: xp.arange(1, 2, 0), ValueError, "step must not be zero"),
    "arange inf": (lambda: xp.arange(float("inf")), ValueError, "not finite"),
    "linspace": (lambda: xp.linspace(0, 1, -1), ValueError, "num must not be negative"),
    "linspace complex": (
        lambda: xp.linspace(0, 1j, 3, dtype=xp.float64),
        TypeError,
        "complex ends need a complex dtype",
    ),
    "eye": (lambda: xp.eye(-1), ValueError, "negative sides"),
    "meshgrid": (lambda: xp.meshgrid(M), ValueError, "expected 1-D arrays"),
    "meshgrid order": (lambda: xp.meshgrid(I, indexing="yx"), ValueError, "'xy' or 'ij'"),
    "tril": (lambda: xp.tril(I), ValueError, "tril: expected at least 2 dimensions, got int64[3]"),
    "astype": (lambda: xp.astype(M, "text"), TypeError, "is not a data type"),
    "isdtype": (lambda: xp.isdtype(xp.int8, "float"), ValueError, "'float' is no kind"),
    "finfo": (lambda: xp.finfo(xp.int8), TypeError, "not a floating-point data type"),
    "iinfo": (lambda: xp.iinfo(xp.float32), TypeError, "not an integer data type"),
    "result_type": (lambda: xp.result_type(), ValueError, "at least one array or dtype"),
    "broadcast_shapes": (lambda: xp.broadcast_shapes((2,), (3,)), ValueError, "cannot broadcast (2,) with (3,)"),
    "version": (lambda: M.__array_namespace__(api_version="2019.12"), ValueError, "not '2019.12'"),
    "stage": (lambda: xp.to_networkx(M, stage="melted"), ValueError, "stage='melted' is none of"),
    "suffix": (lambda: M.visualize("graph.pdf"), ValueError, ".svg"),
    "backend": (lambda: M.compute(backend="nump"), UnknownBackend, "did you mean 'numpy'?"),
    "backend number": (lambda: M.compute(backend=3), TypeError, "must be a name, a module or an array namespace"),
    "option": (lambda: M.compute(schedule="x"), TypeError, "takes no option 'schedule'"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_mistakes_are_named_at_the_users_line(name: str) -> None:
    call, error, words = RECORDED[name]
    before = M + 1
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value)
    frames = traceback.extract_tb(raised.value.__traceback__)
    assert any(f.filename == __file__ and f.lineno == call.__code__.co_firstlineno for f in frames)
    assert before.compute().tolist() == [[1, 2, 3], [4, 5, 6]]


STRICT = {
    "mixed kinds": (lambda: I + M, "add: the standard defines no promotion of int64 and float64"),
    "float scalar": (lambda: I + 1.5, "a Python float cannot be mixed with int64 data"),
    "int division": (lambda: I / I, "divide: expected"),
    "category": (lambda: xp.sin(I), "sin: expected floating-point data, got int64"),
    "scalars": (lambda: xp.add(1, 2), "at least one operand must be an array"),
    "ndarray": (lambda: xp.add(I, np.asarray([1, 2, 3])), "expected a lazyxp array, got ndarray"),
    "list": (lambda: I - [1, 2, 3], "unsupported operand"),
    "order of complex": (lambda: xp.asarray([1j]) < 1, "less: expected"),
    "float16": (lambda: xp.zeros(2, dtype=np.float16), "float16 is not one of the standard's"),
    "uint64 and int64": (lambda: I + xp.asarray([1, 2, 3], dtype=xp.uint64), "no promotion of int64 and uint64"),
    "in place": (lambda: xp.asarray([1], dtype=xp.int8).__iadd__(I[:1]), "in place"),
    "result_type": (lambda: xp.result_type(xp.int8, xp.float32), "no promotion"),
}


@pytest.mark.parametrize("name", STRICT)
def test_strict_refuses_what_the_standard_leaves_undefined(name: str) -> None:
    call, words = STRICT[name]
    with xp.set_options(strict=True), pytest.raises(TypeError) as raised:
        call()
    assert words in str(raised.value)
    call()  # what NumPy does, by default


def test_errors_of_lazyxp_are_also_the_builtin_ones() -> None:
    assert issubclass(UnknownBackend, ValueError)
    assert issubclass(UnsupportedOperation, NotImplementedError)
    assert issubclass(UnknownBackend, LazyxpError)


def test_an_int_beyond_the_dtype_compares_as_in_numpy() -> None:
    small = np.asarray([0, 255], dtype=np.uint8)
    x = xp.asarray(small)
    for value in (-1, 256, 10**30, -(10**30)):
        for compare in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
            expected = getattr(small, compare)(value)
            np.testing.assert_array_equal(getattr(x, compare)(value).compute(), expected)
    with pytest.raises(OverflowError, match="256 out of bounds for uint8"):
        x + 256
    unsigned, signed = np.asarray([0, 2**63 + 1], dtype=np.uint64), np.asarray([-1, 2**62])
    np.testing.assert_array_equal((xp.asarray(unsigned) > xp.asarray(signed)).compute(), unsigned > signed)
