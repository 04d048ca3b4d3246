"""Inputs that are windows of the same memory: what neighbours share, rows walked together, what must not be read."""

from __future__ import annotations

import subprocess
import sys

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import lazyxp as xp
from lazyxp.executors.numpy.llvm import compiler, form
from lazyxp.kernel import KERNEL
from tests.executors.kernel_checks import compiled, planned, shared

DTYPES = ["float64", "float32", "int64", "int32", "uint32", "int16", "complex64"]


def three_of_a_row(xp, a):
    return a[..., :-2] * 2 + a[..., 1:-1] - a[..., 2:]


def far_apart_in_a_row(xp, a):
    return a[..., :-40] + a[..., 1:-39] * a[..., 2:-38] - a[..., 40:] + a[..., 39:-1] * a[..., 38:-2]


def nine(xp, a):
    return (
        a[:-2, :-2] + a[:-2, 1:-1] * 3 + a[:-2, 2:] - a[1:-1, :-2] + a[1:-1, 1:-1] + a[1:-1, 2:]
        + a[2:, :-2] * a[2:, 1:-1] - a[2:, 2:]
    )  # fmt: skip


def laplacian(xp, a):
    return a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] - a[1:-1, 1:-1] * 4


def cross_without_its_center(xp, a):
    return (a[:-2, 1:-1] - a[2:, 1:-1]) * (a[1:-1, :-2] - a[1:-1, 2:])


def rows_of_one_column(xp, a):
    return a[:-3, 1:] + a[1:-2, 1:] * a[2:-1, 1:] - a[3:, 1:]


def diagonal(xp, a):
    return a[:-3, :-3] + a[1:-2, 1:-2] * a[2:-1, 2:-1] - a[3:, 3:]


def other_diagonal(xp, a):
    return a[:-2, 2:] - a[1:-1, 1:-1] * a[2:, :-2]


def wide(xp, a):
    """Columns that do not all fit on one line of the cache."""
    return a[1:, :-20] + a[1:, 1:-19] + a[1:, 9:-11] * a[:-1, 10:-10] - a[:-1, 11:-9] + a[:-1, 20:]


def windows_of_two(xp, a):
    b = a[::-1, :]
    return a[:-1, :-2] + b[:-1, 1:-1] * a[1:, 1:-1] - b[1:, 2:] + a[1:, 2:] - b[1:, :-2]


def with_a_number_for_each_row(xp, a):
    return three_of_a_row(xp, a) * a[:, 1:2] + a[:, :1]


def with_a_row_for_all(xp, a):
    return laplacian(xp, a) * a[:1, 1:-1]


def every_other_row(xp, a):
    return three_of_a_row(xp, a[::2]) + three_of_a_row(xp, a[::2])


def backwards(xp, a):
    return laplacian(xp, a[::-1, ::-1])


def several_results(xp, a):
    x, y = a[1:-1, 2:] - a[1:-1, :-2], a[2:, 1:-1] - a[:-2, 1:-1]
    return x, y, x * y


def sum_of_all(xp, a):
    return xp.sum(laplacian(xp, a), axis=0)


def largest_of_rows(xp, a):
    return xp.max(nine(xp, a), axis=1) if a.dtype.kind != "c" else xp.sum(nine(xp, a), axis=1)


def spread(xp, a):
    """A window that does not vary along the rows, beside some that do."""
    return a[:-2, :-2] + a[1:-1, 1:-1] + a[2:, 2:] + a[:1, 2:]


CASES = [
    three_of_a_row, far_apart_in_a_row, nine, laplacian, cross_without_its_center, rows_of_one_column, diagonal,
    other_diagonal, wide, windows_of_two, with_a_number_for_each_row, with_a_row_for_all, every_other_row, backwards,
    several_results, sum_of_all, largest_of_rows, spread,
]  # fmt: skip

LAYOUTS = {
    "rows": lambda x: x,
    "columns": lambda x: np.asfortranarray(x),
    "rows backwards": lambda x: x[::-1].copy()[::-1],
    "columns backwards": lambda x: x[:, ::-1].copy()[:, ::-1],
    "inside": lambda x: np.pad(x, ((3, 1), (5, 2)))[3:-1, 5:-2],
    "not on a line": lambda x: np.concat([x[:1, :1].ravel(), x.ravel()])[1:].reshape(x.shape),
    "apart": lambda x: np.repeat(x, 2, axis=0)[::2],
}


def numbers(shape, dtype):
    """Whole numbers, so small that results are exact, whether products are fused with sums or not."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, shape)
    return (x + 1j * rng.integers(0, 40, shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


@pytest.fixture
def cut(monkeypatch):
    """Kernels of few elements are cut into pieces, and what they write goes past the cache."""
    monkeypatch.setattr(form, "_PIECE", 256)
    monkeypatch.setattr(form, "_STREAM", 4096)


def agree(case, x):
    """The results of compiled kernels are NumPy's."""
    want = case(np, x)
    got = case(xp, shared(x))
    several = isinstance(want, tuple)
    assert KERNEL in {node.op for node in planned(*got if several else (got,))}
    for one, expected in zip(compiled(*got) if several else compiled(got), want if several else [want], strict=True):
        assert one.dtype == expected.dtype
        np.testing.assert_array_equal(one, expected)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_windows_in_any_layout(case, layout, cut):
    for dtype, shape in zip(("float64", "float32", "int32"), ((41, 66), (40, 82), (39, 131)), strict=True):
        agree(case, LAYOUTS[layout](numbers(shape, dtype)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_windows_of_any_dtype(case, dtype, cut):
    for columns in (66, 68, 75):
        agree(case, numbers((43, columns), dtype))


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
def test_windows_of_one_and_of_three_dimensions(dtype, cut):
    agree(three_of_a_row, numbers((3_001,), dtype))
    agree(far_apart_in_a_row, numbers((3_001,), dtype))

    def seven(xp, a):
        c = a[1:-1, 1:-1, 1:-1]
        return (
            a[:-2, 1:-1, 1:-1] + a[2:, 1:-1, 1:-1] + a[1:-1, :-2, 1:-1] + a[1:-1, 2:, 1:-1]
            + a[1:-1, 1:-1, :-2] + a[1:-1, 1:-1, 2:] - c * 6
        )  # fmt: skip

    def twenty_seven(xp, a):
        ends = [slice(k, -2 + k or None) for k in range(3)]
        total = None
        for i, x in enumerate(ends):
            for j, y in enumerate(ends):
                for k, z in enumerate(ends):
                    part = a[x, y, z] * (i + 3 * j + 9 * k)
                    total = part if total is None else total + part
        return total

    for shape in ((11, 12, 33), (5, 3, 70)):
        agree(seven, numbers(shape, dtype))
        agree(twenty_seven, numbers(shape, dtype))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20)), min_size=3, max_size=9),
    st.integers(30, 50),
    st.integers(30, 90),
    st.sampled_from(["float64", "float32", "int64", "uint32"]),
    st.sampled_from(list(LAYOUTS)),
)
def test_any_windows(cut, corners, rows, columns, dtype, layout):
    def case(xp, a):
        total = None
        for n, (i, j) in enumerate(corners):
            part = a[i : rows - 4 + i, j : columns - 20 + j] * (n + 1)
            total = part if total is None else total - part
        return total

    agree(case, LAYOUTS[layout](numbers((rows, columns), dtype)))


def test_other_windows_of_the_same_shapes_are_told_apart(cut):
    """A kernel that was made ready for some distances is not used for others."""
    x = numbers((60, 80), "float64")
    sums = xp.jit(lambda a, b, c: a + b * c)
    for i, j, k in [(0, 1, 2), (0, 2, 1), (0, 1, 3), (5, 4, 0), (0, 0, 0), (1, 1, 2), (0, 9, 18)]:
        a, b, c = (x[:, s : s + 60] for s in (i, j, k))
        np.testing.assert_array_equal(sums(a, b, c), a + b * c)
        a, b, c = (x[s : s + 40] for s in (i, j, k))
        np.testing.assert_array_equal(sums(a, b, c), a + b * c)
        np.testing.assert_array_equal(sums(a, b.copy(), c), a + b * c)


def test_specials_go_through(cut):
    x = numbers((40, 70), "float64")
    x.flat[::7], x.flat[3::11], x.flat[5::13] = np.nan, np.inf, -0.0
    with np.errstate(all="ignore"):
        agree(nine, x)
        agree(cross_without_its_center, x)


def test_the_code_says_what_is_shared():
    if not compiler.is_available() or compiler.vector_bytes() < 64:
        pytest.skip("vectors of this processor are shorter than a line of its cache")
    a = xp.asarray(numbers((700, 700), "float64"))

    def loads(case):
        """How many vectors of a matrix are loaded in the loop over two rows, and in the one over the row left over."""
        code = case(xp, a).explain().source("llvm")
        return code.count("load <8 x double>") + code.count("load <8 x i64>")

    # Two rows of results need one row more than one does. A corner that only one of two rows reads is loaded alone.
    assert [loads(case) for case in (nine, laplacian, cross_without_its_center, rows_of_one_column)] == [7, 7, 7, 9]
    assert loads(three_of_a_row) == 1
    assert "llvm.prefetch" in nine(xp, a).explain().source("llvm")
    assert "llvm.prefetch" not in (a * 2 + a[::-1] * a[:, ::-1]).explain().source("llvm")


_BETWEEN_GUARDS = """
import ctypes, mmap, sys
import numpy as np
import lazyxp as xp
from lazyxp.executors.numpy.llvm import form
from tests.executors import test_windows

form._PIECE = 256
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
page = mmap.PAGESIZE
inside = 8 * page
held = mmap.mmap(-1, inside + 2 * page)
start = ctypes.addressof(ctypes.c_char.from_buffer(held))
for guard in (start, start + page + inside):
    assert libc.mprotect(guard, page, 0) == 0
memory = np.frombuffer(held, np.uint8)
for dtype in ("float64", "float32"):
    for shape in ((40, 70), (41, 66), (56, 73)):
        size = shape[0] * shape[1] * np.dtype(dtype).itemsize
        for first in (page, page + inside - size):
            x = memory[first : first + size].view(dtype).reshape(shape)
            x[...] = test_windows.numbers(shape, dtype)
            for case in test_windows.CASES:
                test_windows.agree(case, x)
print("done")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="protects pages by mprotect")
def test_nothing_outside_of_the_windows_is_read():
    found = subprocess.run([sys.executable, "-c", _BETWEEN_GUARDS], capture_output=True, text=True, timeout=300)
    assert found.stdout == "done\n", found.stderr
