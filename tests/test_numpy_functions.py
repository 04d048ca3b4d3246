"""NumPy's functions on lazy arrays: what the standard has records, the rest computes."""

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.methods import NumPyMethods
from lazyxp.api.numpy_functions import FUNCTIONS
from lazyxp.errors import MaterializationError
from lazyxp.testing.inputs import equal

A = np.array([[3.0, -1.0, 2.5], [0.0, 4.0, -2.0]])
SQUARE = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])
INTS = np.array([[3, 1, 3], [0, 2, 2]])
MASK = A > 0
Z = A + 1j * A[::-1]

# Arrays are passed as lazy ones, in sequences too.
CALLS = {
    "all": [(MASK,), (MASK, 0), {"a": MASK, "axis": 1, "keepdims": True}],
    "allclose": [(A, A + 1e-9), (A, A + 1), {"a": A, "b": A + 0.1, "atol": 1}],
    "amax": [(A,), (A, 1)],
    "amin": [(A,), {"a": A, "axis": 0}],
    "any": [(MASK,), (MASK, 0)],
    "argmax": [(A,), (A, 1), {"a": A, "axis": 0, "keepdims": True}],
    "argmin": [(A,), (A, 0)],
    "argsort": [(A,), (A, 0), (A, None)],
    "argwhere": [(A,), (A[0],)],
    "around": [(A,)],
    "array_equal": [(A, A), (A, A + 1), (A, A[0])],
    "array_repr": [],
    "array_str": [],
    "astype": [(A, np.float32)],
    "atleast_1d": [(A[0, 0],), (A, A[0])],
    "atleast_2d": [(A[0],), (A[0, 0],)],
    "atleast_3d": [(A,), (A[0],), (A[0, 0],)],
    "broadcast_arrays": [(A, A[0])],
    "broadcast_to": [(A[0], (2, 3))],
    "clip": [(A, 0, 2), {"a": A, "a_min": 0, "a_max": None}, {"a": A, "max": 1}],
    "column_stack": [([A[0], A[1]],), ([A, A],)],
    "concat": [([A, A],), ((A, A), 1)],
    "concatenate": [([A, A],), ((A, A), 1), ([A, A], None)],
    "copy": [(A,)],
    "copyto": [],
    "count_nonzero": [(A,), (A, 1)],
    "cumprod": [(A,), (A, 1)],
    "cumsum": [(A,), (A, 0), {"a": INTS, "axis": -1, "dtype": np.float64}],
    "cumulative_prod": [(A[0],)],
    "cumulative_sum": [(A[0],)],
    "diagonal": [(A,), (A, 1), {"a": np.stack([A, A]), "axis1": 2, "axis2": 1}],
    "diff": [(A,), (A, 2), {"a": A, "axis": 0}],
    "dot": [(A, SQUARE), (A[0], A[1]), (A, A[0]), (A[0, 0], A)],
    "dstack": [([A, A],), ([A[0], A[1]],)],
    "empty_like": [],
    "expand_dims": [(A, 1), (A, (0, 3))],
    "flatnonzero": [(A,)],
    "flip": [(A,), (A, 1)],
    "fliplr": [(A,)],
    "flipud": [(A,)],
    "full_like": [(A, 3), {"a": A, "fill_value": 1, "dtype": np.int32}],
    "hstack": [([A, A],), ([A[0], A[1]],), ([A[0, 0], A[1, 0]],)],
    "imag": [(Z,)],
    "inner": [(A, A), (A[0], A[1]), (A[0, 0], A[1])],
    "iscomplexobj": [(A,), (Z,)],
    "isclose": [
        (A, A + 1e-9),
        (INTS.astype(np.uint8), INTS[::-1].astype(np.uint8)),
        (INTS, INTS),
        (A / 0, A / 0),
        {"a": np.full(2, np.nan), "b": np.full(2, np.nan), "equal_nan": True},
    ],
    "isin": [(INTS, np.array([2, 3])), {"element": INTS, "test_elements": np.array([2]), "invert": True}],
    "isrealobj": [(A,), (Z,)],
    "matrix_transpose": [(A,)],
    "max": [(A,), (A, 0), {"a": A, "axis": (0, 1), "keepdims": True}],
    "mean": [(A,), (A, 0), (INTS, 1)],
    "meshgrid": [(A[0], A[1])],
    "min": [(A,), (A, 0)],
    "moveaxis": [(A, 0, 1)],
    "ndim": [(A,)],
    "nonzero": [(A,)],
    "ones_like": [(A,), {"a": A, "dtype": np.int64}],
    "outer": [(A, A[0])],
    "permute_dims": [(A, (1, 0))],
    "prod": [(A,), (A, 0)],
    "ptp": [(A,), (A, 1)],
    "ravel": [(A,), (A.T,)],
    "real": [(Z,)],
    "repeat": [(A, 2), (A, 2, 1)],
    "reshape": [(A, (3, 2)), (A, -1)],
    "result_type": [(A, np.float32), (INTS, np.int8)],
    "roll": [(A, 1), (A, 1, 0)],
    "round": [(A,)],
    "searchsorted": [(np.sort(A[0]), A[1]), (np.sort(A[0]), A[1], "right")],
    "shape": [(A,)],
    "size": [(A,), (A, 1)],
    "sort": [(A,), (A, 0), (A, None)],
    "squeeze": [(A[:, None],), (A[:, None], 1)],
    "stack": [([A, A],), ([A, A], 1)],
    "std": [(A,), (A, 0), {"a": A, "ddof": 1}, {"a": A, "axis": 1, "correction": 1}],
    "sum": [(A,), (A, 0), {"a": INTS, "axis": 1, "dtype": np.float64}],
    "swapaxes": [(A, 0, 1), (A, -1, 0)],
    "take": [(A, INTS), (A, np.array([1, 0]), 1), (A, INTS % 3, -1)],
    "take_along_axis": [(A, INTS[:, :2] % 2, 1)],
    "tensordot": [(A, SQUARE, 1), (A, A)],
    "tile": [(A, (2, 1)), (A, 2)],
    "trace": [(A,), (A, -1), {"a": np.stack([A, A]), "dtype": np.float32}],
    "transpose": [(A,), (A, (1, 0)), (A[None],)],
    "tril": [(A,), (A, 1)],
    "triu": [(A,), (A, -1)],
    "unique_all": [(INTS,)],
    "unique_counts": [(INTS,)],
    "unique_inverse": [(INTS,)],
    "unique_values": [(INTS[0],)],
    "unstack": [(A,)],
    "var": [(A,), {"a": A, "ddof": 1, "axis": 0}],
    "vstack": [([A, A],), ([A[0], A[1]],)],
    "where": [(MASK, A, 0.0), (MASK,)],
    "zeros_like": [(A,)],
    "linalg.cholesky": [(SQUARE,)],
    "linalg.cross": [(A[0], A[1])],
    "linalg.det": [(SQUARE,)],
    "linalg.diagonal": [(SQUARE,)],
    "linalg.eig": [],
    "linalg.eigh": [],
    "linalg.eigvals": [],
    "linalg.eigvalsh": [(SQUARE,)],
    "linalg.inv": [(SQUARE,)],
    "linalg.matmul": [(A, SQUARE)],
    "linalg.matrix_norm": [(A,)],
    "linalg.matrix_power": [(SQUARE, 3)],
    "linalg.matrix_rank": [(SQUARE,)],
    "linalg.matrix_transpose": [(A,)],
    "linalg.norm": [(A,), (A[0],), (A, None, 1), (A[0], 1), (A, "nuc"), {"x": A, "axis": 0, "ord": np.inf}],
    "linalg.outer": [(A[0], A[1])],
    "linalg.pinv": [(A,)],
    "linalg.qr": [],
    "linalg.slogdet": [(SQUARE,)],
    "linalg.solve": [(SQUARE, SQUARE)],
    "linalg.svd": [],
    "linalg.svdvals": [(A,)],
    "linalg.tensordot": [],
    "linalg.trace": [(SQUARE,)],
    "linalg.vecdot": [(A, A)],
    "linalg.vector_norm": [(A,)],
    **{f"fft.{name}": [(A,)] for name in ("fft", "fftn", "fftshift", "hfft", "ifft", "ifftn", "ifftshift", "ihfft")},
    **{f"fft.{name}": [(A,)] for name in ("irfft", "irfftn", "rfft", "rfftn")},
}
VALUES = {"allclose", "array_equal", "iscomplexobj", "isrealobj", "ndim", "result_type", "shape", "size"}


def numpys(name):
    function = np
    for part in name.split("."):
        function = getattr(function, part)
    return function


def lazily(argument):
    if isinstance(argument, np.ndarray | np.floating):
        return xp.asarray(argument)
    if isinstance(argument, (list, tuple)):
        return type(argument)(lazily(a) for a in argument)
    return argument


def several(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


def test_every_function_has_a_row():
    assert {numpys(name) for name in CALLS} == set(FUNCTIONS)


@pytest.mark.parametrize("name", CALLS)
def test_functions_record(name):
    function = numpys(name)
    for call in CALLS[name]:
        args, kwargs = ((), call) if isinstance(call, dict) else (call, {})
        wanted = function(*args, **kwargs)
        with xp.set_options(materialize="compute" if name in VALUES or name.startswith("unique") else "raise"):
            got = function(*lazily(args), **{key: lazily(value) for key, value in kwargs.items()})
        if name in VALUES:
            assert got == wanted
            continue
        for one, answer in zip(several(got), several(wanted), strict=True):
            assert type(one) is xp.Array, (name, call)
            equal(one.compute(), np.asarray(answer), (name, call), rounding=True)


def test_decompositions_record():
    x = xp.asarray(SQUARE)
    for function, product in [
        (np.linalg.eigh, lambda w, v: v * w @ v.T),
        (np.linalg.qr, lambda q, r: q @ r),
        (np.linalg.svd, lambda u, s, vh: u * s @ vh),
        (np.linalg.eig, lambda w, v: np.real(v * w @ np.linalg.inv(v))),
    ]:
        parts = function(x)
        assert all(type(part) is xp.Array for part in parts)
        np.testing.assert_allclose(product(*[part.compute() for part in parts]), SQUARE, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(x).compute()), np.sort(np.linalg.eigvals(SQUARE)))
    assert np.empty_like(x).shape == SQUARE.shape
    assert type(np.empty_like(x)) is xp.Array


def test_lazy_and_numpy_arrays_mix():
    x = xp.asarray(A)
    for result, wanted in [
        (np.concatenate([A, x]), np.concatenate([A, A])),
        (np.sin(x), np.sin(A)),
        (A * x, A * A),
        (np.float64(2) * x, 2 * A),
        (np.add(A, x), A + A),
        (np.where(MASK, x, A), A),
    ]:
        assert type(result) is xp.Array
        equal(result.compute(), wanted)


def test_text_computes_nothing():
    with xp.set_options(materialize="raise"):
        x = xp.asarray(A) + 1
        assert np.array_repr(x) == repr(x)
        assert np.array_str(x) == str(x)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.percentile(x, 30),
        lambda x: np.sum(x, where=MASK),
        lambda x: np.round(x, 1),
        lambda x: np.einsum("ij,kj->ik", x, x),
        lambda x: np.block([[x, x], [x, x]]),
        lambda x: np.histogram(x, bins=3)[0],
        lambda x: np.modf(x)[0],
        lambda x: np.rot90(x),
        lambda x: np.median(x),
        lambda x: np.add.reduceat(x, [0, 1]),
        lambda x: np.add(x, x, where=MASK, out=np.zeros_like(A)),
    ],
)
def test_other_functions_compute(call):
    x = xp.asarray(A)
    got = call(x)
    with pytest.raises(MaterializationError), xp.set_options(materialize="raise"):
        call(xp.asarray(A) + 0)
    if type(got) is not xp.Array:  # what was given as out=
        assert type(got) is np.ndarray
    equal(np.asarray(got), np.asarray(call(A)))
    np.asarray(x)[...] = 0
    equal(np.asarray(got), np.asarray(call(A)))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_several_results_of_other_functions(axis):
    x = xp.asarray(A)
    for call in (
        lambda a: np.array_split(a, 2, axis=axis),
        lambda a: np.unique(a, return_counts=True),
        lambda a: np.linalg.svd(a, hermitian=False, compute_uv=True, full_matrices=False)[1:2],
        lambda a: np.divmod(a, 2),
    ):
        got, wanted = call(x), call(A)
        assert type(got) is type(wanted)
        for one, answer in zip(got, wanted, strict=True):
            assert type(one) is xp.Array
            equal(one.compute(), answer, rounding=True)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_methods_of_ufuncs(axis):
    x = xp.asarray(A)
    for method in (np.add.reduce, np.multiply.reduce, np.maximum.reduce, np.add.accumulate, np.logical_or.reduce):
        got = method(x, axis=axis)
        assert type(got) is xp.Array
        equal(got.compute(), method(A, axis=axis))
    equal(np.add.reduce(x).compute(), np.add.reduce(A))
    equal(np.multiply.outer(x, xp.asarray(A[0])).compute(), np.multiply.outer(A, A[0]))


def test_out_is_written_to():
    x, target = xp.asarray(A), xp.zeros((2, 3))
    view = target[0]
    assert np.add(x, 1, out=target) is target
    equal(view.compute(), A[0] + 1)
    array = np.zeros((2, 3))
    assert np.add(x, 1, out=array) is array
    equal(array, A + 1)
    assert np.percentile(x, 50, axis=0, out=target[0]) is not None
    equal(target[0].compute(), np.percentile(A, 50, axis=0))
    with pytest.raises(TypeError, match="float64"):
        np.add(x, 1, out=xp.zeros((2, 3), dtype=xp.int64))
    with pytest.raises(ValueError, match="shape"):
        np.add(x, 1, out=xp.zeros((3, 3)))


def test_functions_that_write_are_seen():
    x = xp.asarray(A)
    np.copyto(x, 7)
    np.fill_diagonal(x, 1)
    np.add.at(x, ([0, 0], [1, 1]), 1)
    np.put_along_axis(x, np.array([[2], [2]]), -1.0, axis=1)
    equal(x.compute(), np.array([[1.0, 9.0, -1.0], [7.0, 1.0, -1.0]]))


def test_other_array_types_have_a_say():
    class Other:
        def __array_function__(self, function, types, args, kwargs):
            return "mine"

    assert np.concatenate([xp.asarray(A), Other()]) == "mine"


METHODS = {
    "all": [()],
    "any": [(1,)],
    "argmax": [(), (0,)],
    "argmin": [(1,)],
    "argsort": [(), (0,)],
    "astype": [(np.float32,), ("int64",)],
    "clip": [(0, 2), (None, 1)],
    "conj": [()],
    "conjugate": [()],
    "copy": [()],
    "cumprod": [(), (1,)],
    "cumsum": [(), (0,)],
    "diagonal": [(), (1,)],
    "dot": [(SQUARE,)],
    "fill": [(3,)],
    "flatten": [()],
    "item": [(4,), (1, 2)],
    "max": [(), (0,)],
    "mean": [(), (1,)],
    "min": [(), (-1,)],
    "nonzero": [()],
    "prod": [()],
    "ravel": [()],
    "repeat": [(2,), (2, 0)],
    "reshape": [(3, 2), ((3, 2),), (-1,)],
    "round": [()],
    "searchsorted": [(1.5,)],
    "sort": [(), (0,)],
    "squeeze": [()],
    "std": [(), (0,)],
    "sum": [(), (0,)],
    "swapaxes": [(0, 1)],
    "take": [(np.array([0, 4]),), (np.array([1]), 1)],
    "tolist": [()],
    "trace": [()],
    "transpose": [(), (1, 0), ((1, 0),)],
    "var": [(), (1,)],
}


def test_every_method_has_a_row():
    assert METHODS.keys() == {name for name in vars(NumPyMethods) if not name.startswith("_")}


@pytest.mark.parametrize("name", METHODS)
def test_methods(name):
    for call in METHODS[name]:
        array = np.sort(A[0]) if name == "searchsorted" else A.copy()
        x = xp.asarray(array, copy=True)
        wanted = getattr(array, name)(*call)
        got = getattr(x, name)(*call)
        if name in ("item", "tolist"):
            assert got == wanted
            assert type(got) is type(wanted)
            continue
        for one, answer in zip(several(got), several(wanted), strict=True):
            assert type(one) is (xp.Array if answer is not None else type(None))
            if answer is not None:
                equal(one.compute(), np.asarray(answer), (name, call), rounding=True)
        equal(x.compute(), array)  # fill and sort write to it
    with xp.set_options(strict=True), pytest.raises(AttributeError, match=name):
        getattr(x, name)


def test_astype_refuses_casts():
    with pytest.raises(TypeError, match="'safe'"):
        xp.asarray(A).astype(np.int8, casting="safe")
