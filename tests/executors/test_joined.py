"""Parts of `concat` and `stack` that kernels write in place: the bits of parts that are copied, in no more memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.evaluate import prepare
from lazyxp.executors.numpy.llvm import compiler
from lazyxp.kernel import KERNEL
from lazyxp.optimizers import joining
from lazyxp.planning import clear_cache
from tests.executors.kernel_checks import compiled, interpreted, plain, planned, same_bits, shared

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

RNG = np.random.default_rng(0)
SHAPES = ((7,), (70_001,), (3, 5), (130, 331), (4, 6, 50), (0, 3), (1,))


def u(x):
    return x * 3 + 1


def v(x):
    return x - x * x


def joins(x, y):
    """Joined parts of kernels, sources, views, casts, library calls, and of what others read as well."""
    last = x.ndim - 1
    found = {
        "concat": xp.concat([u(x), v(y)]),
        "with sources": xp.concat([y, u(x), x, v(y), y], axis=last),
        "with views": xp.concat([xp.flip(x, axis=0), u(x), xp.roll(y, 1)], axis=0),
        "flat": xp.concat([u(x), xp.reshape(y, (-1,)), v(y)], axis=None),
        "with one element": xp.concat([u(x), xp.asarray([3], dtype=x.dtype)], axis=None),
        "the same part twice": xp.concat([u(x), u(x), v(x)]),
        "a cast": xp.concat([u(x), xp.astype(x, xp.complex128)]),
        "different kernels": xp.concat([u(x), v(xp.sort(y, axis=-1)), xp.sort(u(x) * 2, axis=-1)]),
        "joined again": xp.concat([v(xp.concat([u(x), y])), xp.concat([x, u(y)])]),
        "one needs the other": xp.concat([u(x), v(y) + xp.count_nonzero(u(x))]),
        "reductions": xp.stack([xp.sum(x, axis=0), xp.max(u(y), axis=0), xp.prod(y, axis=0)])
        if x.shape[0] and x.dtype.kind == "f"
        else u(x),
        "scan": xp.concat([xp.cumulative_sum(v(y), axis=last), u(x)]) if x.ndim == 1 else u(y),
    }
    for axis in range(-x.ndim - 1, x.ndim + 1):
        found[f"stack {axis}"] = xp.stack([u(x), v(x), y, x * y], axis=axis)
    for axis in range(x.ndim):
        found[f"concat {axis}"] = xp.concat([x * y, u(x), v(y)], axis=axis)
    return found


def together(x, y):
    """Outputs that share kernels and parts."""
    a, b = u(x), v(x)
    return xp.concat([a, b]), xp.stack([x * y, y]), xp.concat([y, b * 2]), a, xp.sum(b), xp.stack([b, b])


LAYOUTS = {
    "rows": lambda x: x,
    "columns": lambda x: np.asfortranarray(x),
    "reversed": lambda x: x[::-1],
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float64", "float32", "int16", "complex128", "bool"])
def test_bits_are_those_of_copied_parts(dtype, layout, monkeypatch):
    for shape in SHAPES:
        x, y = (LAYOUTS[layout]((RNG.standard_normal(shape) * 9).astype(dtype)) for _ in range(2))
        if dtype == "bool":
            x, y = x.astype("int8"), y.astype("uint8").view("int8")
        for name, output in joins(shared(x), shared(y)).items():
            results = [interpreted(output)[0]]
            if compiler.is_available():
                results.append(compiled(output)[0])
            with monkeypatch.context() as patch:
                patch.setattr(joining, "run", lambda graph: graph.roots)
                clear_cache()
                wanted = [interpreted(output)[0], *[compiled(output)[0] for _ in results[1:]]]
            clear_cache()
            for got, want in zip(results, wanted, strict=True):
                same_bits(got, want, (name, shape))


@pytest.mark.parametrize("shape", SHAPES[:-2])
def test_several_outputs_share_kernels(shape):
    x, y = (shared(RNG.standard_normal(shape)) for _ in range(2))
    for results in (interpreted(*together(x, y)), xp.compute(*together(x, y))):
        for got, want in zip(results, plain(*together(x, y)), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)
            assert got.flags.writeable
        for i, one in enumerate(results):
            assert not any(np.shares_memory(one, other) for other in results[:i])


def ops(*arrays):
    return Counter(node.op.name for node in planned(*arrays))


def test_what_kernels_compute_is_not_copied():
    x, y = (shared(RNG.standard_normal((50, 60))) for _ in range(2))
    one = ops(xp.stack([u(x), v(x)], axis=1))
    assert (one["kernel"], one["stack"], one["setitem"]) == (1, 0, 0)
    two = ops(xp.concat([u(x), y, v(xp.sort(y))]))
    assert (two["kernel"], two["concat"], two["setitem"]) == (2, 0, 1)
    # A part that somebody else reads is copied.
    assert ops(xp.concat([u(x), y]), u(x))["concat"] == 1
    assert ops(xp.concat([x, y]))["concat"] == 1


def test_the_first_kernel_makes_what_the_others_are_given():
    x = shared(RNG.standard_normal(500))
    parts = [v(xp.sort(u(x) * i)) for i in range(1, 4)]
    kernels = [node for node in planned(xp.concat(parts)) if node.op is KERNEL and "joined" in node.params]
    assert [node.params["joined"].begun for node in kernels] == [0, 1, 1]
    assert [node.shape for node in kernels] == [(1_500,)] * 3


def test_work_and_memory_are_what_they_are():
    """Data is read once and written once, and there is nothing but the result."""
    n = 1 << 18
    x, y = (shared(RNG.standard_normal(n)) for _ in range(2))
    output = xp.concat([xp.sqrt(xp.abs(x)), y, v(y)])
    estimate = output.estimate()
    assert estimate.peak_bytes < 1.01 * 3 * 8 * n
    # Each kernel writes its part, and the source is read and written.
    assert estimate.bytes_written == 3 * 8 * n
    assert estimate.bytes_read == 3 * 8 * n
    plan = prepare([current(output)], None, None).planned.plan
    assert [step.reuses for step in plan.steps if step.node.op.name == "setitem"] == [True]


def test_what_is_shown():
    x, y = (shared(RNG.standard_normal((300, 500))) for _ in range(2))
    explanation = xp.stack([u(x) * y, v(x)], axis=1).explain()
    assert "joined in place" in str(explanation)
    assert "in result 0[:, 0]" in explanation.source("text")
    assert "in result 0[:, 1]" in explanation.source("text")
    chained = xp.concat([u(x) * y, v(xp.sort(y) + 1)]).explain()
    assert "in result 0[300:600]" in chained.source("text")
    (second,) = [step for step in chained.steps if step.note.startswith("into ")]
    assert second.note == f"into {second.operands[-1]}"
    assert second.bytes > 0


def test_an_index_out_of_bounds_is_an_error_of_the_users_line():
    x = shared(RNG.standard_normal((10, 20)))
    index = xp.asarray(np.array([0, 25, 3]))
    with xp.set_options(kernels="always"), pytest.raises(IndexError) as caught:
        xp.compute(xp.concat([u(xp.take(x, index, axis=1)), u(xp.take(x, xp.asarray([1]), axis=1))], axis=1))
    assert "take" in caught.value.__notes__[0]


def test_errors_name_the_op_where_others_have_begun():
    x = shared(np.array([1.0, 0.0, 2.0]))
    with xp.set_options(kernels="always"), np.errstate(divide="raise"), pytest.raises(FloatingPointError) as caught:
        xp.compute(xp.concat([xp.sort(u(x)) * 2 + 1, 1 / x + 1]))
    assert "ran divide" in caught.value.__notes__[0]


def test_jit():
    f = xp.jit(lambda x, y: (xp.stack([x * 2 + y, x - y], axis=-1), xp.concat([y, x * y - 1])))
    for shape in ((5,), (300, 40)):
        for _ in range(3):
            x, y = RNG.standard_normal((2, *shape))
            stacked, joined = f(x, y)
            np.testing.assert_allclose(stacked, np.stack([x * 2 + y, x - y], axis=-1), rtol=1e-14, atol=1e-14)
            np.testing.assert_allclose(joined, np.concat([y, x * y - 1]), rtol=1e-14, atol=1e-14)


def test_large_results_past_the_cache():
    """Parts that begin on a line of the cache are stored past it, others are not."""
    for n in (1_500_000, 1_500_001):
        x, y = (RNG.standard_normal(n) for _ in range(2))
        a, b = shared(x), shared(y)
        got = xp.compute(xp.concat([u(a) * 2, v(b)]), xp.stack([u(a), b - a]), xp.concat([u(a), y, v(xp.flip(b))]))
        want = (
            np.concat([u(x) * 2, v(y)]),
            np.stack([u(x), y - x]),
            np.concat([u(x), y, v(y[::-1])]),
        )
        for mine, theirs in zip(got, want, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-13, atol=1e-13)
