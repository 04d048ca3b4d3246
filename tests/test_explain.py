"""What is told before anything runs: explain, estimate, the limit on memory, and the order and buffers of plans."""

from __future__ import annotations

import gc
import html
import importlib.util
import inspect
import pickle
import sys
import weakref

import numpy as np
import pytest

import lazyxp as xp
from lazyxp import errors, plan, planning
from lazyxp.amounts import amount, parse_bytes
from lazyxp.api.recording import current
from lazyxp.evaluate import prepare
from lazyxp.executors import registry
from lazyxp.executors.numpy import NumPyExecutor
from lazyxp.executors.numpy.llvm import compiler
from lazyxp.looking.explain import Explanation
from lazyxp.node import OPS
from tests.measuring import measured_peak

rng = np.random.default_rng(0)
N = 300


def square():
    return xp.asarray(rng.uniform(1, 2, (N, N)))


def large():
    """Large enough for kernels."""
    return xp.asarray(rng.uniform(1, 2, (500, 500)))


def steps_of(x, level="default"):
    return prepare([current(x)], "numpy", level).planned.plan.steps


# --- estimate --------------------------------------------------------------------------------------------------------


def test_estimate_is_a_named_tuple_of_six():
    a, b = square(), square()
    flops, read, written, peak, kernels, calls = (a @ b).estimate()
    assert (flops, read, written) == (2 * N**3, 16 * N * N, 8 * N * N)
    assert (peak, kernels, calls) == (8 * N * N, 0, 1)
    assert not (a @ b).estimate().lower_bound
    assert (a @ b)[0].estimate(optimize="none").flops == 2 * N**3
    assert (a @ b)[0].estimate().flops == 2 * N**2


def test_estimate_of_lengths_that_are_not_known():
    estimate = (xp.unique_values(square()) * 2).estimate()
    assert estimate.lower_bound
    assert "lower_bound=True" in repr(estimate)
    assert "at least" in str((xp.unique_values(square()) * 2).explain())


def test_nothing_runs(monkeypatch):
    def run(*args, **kwargs):
        raise AssertionError("something ran")

    monkeypatch.setattr(registry.get("numpy"), "run", run)
    x = xp.linalg.svd(square()).S * 2
    x.estimate()
    str(x.explain())
    with xp.set_options(memory_limit=1), pytest.raises(xp_error()):
        x.compute()


def xp_error():
    return errors.MemoryLimitExceeded


@pytest.mark.parametrize("name", sorted(OPS))
def test_every_op_has_a_cost(name):
    """Nothing is missing: an op without a cost is one that only makes or moves data."""
    from lazyxp.cost import _FLOPS, _KINDS

    op = OPS[name]
    free = ("movement", "indexing", "creation", "source", "output", "kernel", "read")
    assert name in _FLOPS or op.kind in _KINDS or op.kind in free


@pytest.mark.parametrize("backend", ["numpy", "array_api_strict"])
def test_estimate_takes_a_backend_and_a_level(backend):
    if backend != "numpy":
        pytest.importorskip(backend)
    x = square() + 1
    assert x.estimate(backend, "none").flops == N * N
    with pytest.raises(ValueError, match="is none of"):
        x.estimate(optimize="sloppy")


# --- explain ---------------------------------------------------------------------------------------------------------


def test_explanation_tells_everything():
    a, b = square(), square()
    x = (a @ b)[0] + 0.3
    line = inspect.currentframe().f_lineno - 1
    explanation = x.explain()
    assert isinstance(explanation, Explanation)
    assert explanation.backend == "numpy"
    assert explanation.level == "default"
    assert explanation.before == x.estimate(optimize="none")
    assert explanation.after == x.estimate()
    assert [step.op for step in explanation.steps] == ["getitem", "matmul", "add"]
    assert explanation.steps[0].note == "view"
    assert explanation.steps[1].flops == 2 * N**2
    assert explanation.steps[2].operands[1] == "0.3"
    (rewrite,) = explanation.rewrites
    assert rewrite.level == "rounding"
    assert rewrite.before == "matmul(%0, %1)"
    assert rewrite.line.endswith("in test_explanation_tells_everything")
    text = str(explanation)
    assert f"test_explain.py:{line}" in text
    for part in ("%2 = matmul(%0, %1)  float64[300, 300]", rewrite.rule, "[rounding]", "54 M", "180 k", "as planned"):
        assert part in text


def test_explanation_shows_hits_and_misses():
    def expression():
        return xp.cos(square()) * 0.12345

    assert expression().explain().cache == "miss"
    again = expression().explain()
    assert again.cache == "hit"
    assert again.cache_info.hits >= 1
    assert "plan cache: hit" in str(again)


def test_explanation_shows_the_plan_that_runs():
    x = chain(large(), 6)
    explanation = x.explain()
    plan = prepare([current(x)], None, None).planned.plan
    assert [s.op for s in explanation.steps] == [s.node.op.name for s in plan.steps]
    assert max(s.peak_bytes for s in explanation.steps) == explanation.after.peak_bytes


def chain(x, length):
    for i in range(length):
        x = xp.sin(x) * (i + 1.5)
    return x


def test_kernels_show_what_they_fuse():
    (step,) = chain(large(), 3).explain().steps
    assert step.op == "kernel"
    assert step.fused == ("sin", "multiply") * 3
    assert "fuses sin, multiply, sin" in str(chain(large(), 3).explain())


def test_explanations_in_notebooks_are_escaped():
    shown = (square() < 2).explain()._repr_html_()
    assert shown.startswith("<pre")
    assert html.escape("'numpy'") in shown
    assert "<details>" not in shown


def test_long_explanations_are_short():
    x = xp.asarray(np.zeros(3))
    for i in range(2_000):
        x = xp.sin(x) if i % 2 else xp.cos(x)
    text = str(x.explain())
    assert "more ..." in text
    assert len(text.splitlines()) < 200
    assert len(x.explain().recorded) == 2_001


def test_rewrites_of_one_line_are_counted():
    x = square()
    for _ in range(50):
        x = xp.negative(-x) + x
    rewrites = x.explain().rewrites
    assert max(r.count for r in rewrites) >= 10


def test_common_subexpressions_are_rewrites():
    a = square()
    x = xp.exp(a) * 2 + xp.exp(a) / a
    (rewrite,) = [r for r in x.explain().rewrites if r.rule == "common subexpression"]
    assert (rewrite.level, rewrite.count, rewrite.before) == ("exact", 1, "exp(%0)")
    assert not x.explain(optimize="none").rewrites


def test_explain_of_what_is_known():
    assert "0 calls" in str(square().explain())
    assert "1 recorded nodes" in repr(square().explain())
    assert xp.asarray(2.0).explain().steps == []


def test_explain_of_several_outputs():
    text = str((xp.linalg.svd(square()).U + 1).explain())
    assert "%1[0]" in text


# --- the source of kernels -------------------------------------------------------------------------------------------


@pytest.fixture
def _fresh_plans():
    """For tests that change what plans depend on."""
    planning.clear_cache()
    yield
    planning.clear_cache()


def test_the_listing_of_a_kernel():
    x = xp.asarray(rng.uniform(1, 2, (900, 500)))
    y = xp.asarray(rng.uniform(1, 2, (900, 1000)))[:, ::-2]
    e = xp.exp(x - y) * 2
    normalized = e / xp.sum(e, axis=1, keepdims=True)
    line = inspect.currentframe().f_lineno - 1
    explanation = normalized.explain()
    kernel = explanation.steps[-1]
    runs = "compiled" if compiler.is_available() else kernel.runs
    assert (
        explanation.source()
        == explanation.source("text")
        == f"""\
%3 = kernel(%0, %2, 2.0)  float64[900, 500]  test_explain.py:{line}
{runs}
  axes: i of 900, j of 500 (never cut)
  inputs:
    %0 = %0 of the plan  float64[i, j]  in C order
    %1 = %2 of the plan  float64[i, j]  strides of 8000, -16 bytes
    %2 = 2.0  float64[]
  body:
    %3 = subtract(%0, %1)  float64[i, j]
    %4 = exp(%3)  float64[i, j]
    %5 = multiply(%4, %2)  float64[i, j]
    %6 = sum(%5) over j  float64[i, 1]
    %7 = divide(%5, %6)  float64[i, j]
  outputs: %7
"""
    )
    assert f"{runs}; fuses subtract, exp" in str(explanation)


def test_the_listing_of_reductions():
    x = xp.asarray(rng.uniform(1, 2, (600, 500)))
    s = xp.std(x, axis=0, correction=1) * xp.sum(x > 1.5, axis=0)
    text = s.explain().source()
    assert "std(%0, correction=1.0) over i  float64[j]" in text
    assert "axes: i of 600, j of 500\n" in text


def test_every_kernel_has_a_heading():
    x = large()
    y = chain(chain(x, 2) @ x, 2)
    explanation = y.explain()
    kernels = [s for s in explanation.steps if s.op == "kernel"]
    assert len(kernels) == 2
    for form, comment in (("text", ""), ("llvm", "; "), ("assembly", "# ")):
        if form != "text" and not compiler.is_available():
            continue
        lines = explanation.source(form).splitlines()
        for step in kernels:
            place = step.line.rsplit("/", 1)[-1].split(" in ")[0]
            heading = f"{comment}{step.result} = kernel({', '.join(step.operands)})  {step.described}  {place}"
            assert lines.count(heading) == 1


def test_where_there_are_no_kernels():
    explanation = square().explain()
    assert [explanation.source(form) for form in ("text", "llvm", "assembly")] == ["", "", ""]
    with pytest.raises(ValueError, match="'c' is none of 'text', 'llvm', 'assembly'"):
        explanation.source("c")


LAYOUTS = {
    "in rows": lambda x: xp.asarray(x),
    "in columns": lambda x: xp.asarray(np.asfortranarray(x)),
    "reversed": lambda x: xp.asarray(x)[::-1, ::-1],
    "strided": lambda x: xp.asarray(np.repeat(x, 2, axis=1))[:, ::2],
    "swapped": lambda x: xp.permute_dims(xp.asarray(x), (1, 0)),
    "stretched": lambda x: xp.broadcast_to(xp.asarray(x[:1]), x.shape) - xp.asarray(x),
    "reshaped": lambda x: xp.reshape(xp.asarray(x), (1, *x.shape, 1)),
    "reshaped copy": lambda x: xp.reshape(xp.asarray(np.asfortranarray(x)), (1, *x.shape, 1)),
    "computed": lambda x: xp.asarray(x) @ xp.asarray(x),
    "computed from columns": lambda x: xp.cumulative_sum(xp.asarray(np.asfortranarray(x)), axis=1),
    "one of several": lambda x: xp.linalg.qr(xp.asarray(x))[0],
    "part of a complex": lambda x: xp.real(xp.asarray(x + 1j)),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "function",
    [
        lambda x: xp.exp(x) * 2 + x,
        lambda x: xp.sum(xp.exp(x) * 2 + x, axis=0),
        lambda x: (x - xp.mean(x, axis=-1, keepdims=True)) / xp.std(x, axis=-1, keepdims=True),
        lambda x: xp.sort(xp.exp(x) * 2, axis=-1) * 3 + x,
    ],
    ids=["map", "columns", "rows", "kernel on kernel"],
)
def test_the_llvm_that_is_shown_is_what_is_compiled(monkeypatch, layout, function):
    pytest.importorskip("llvmlite")
    planning.clear_cache()
    x = function(LAYOUTS[layout](rng.uniform(1, 2, (500, 500))))
    shown = x.explain().source("llvm")
    compiled = []
    compile_ = compiler.compiled

    def collected(text, *description, exported=()):
        compiled.append(text())
        return compile_(text, *description, exported=exported)

    monkeypatch.setattr(compiler, "compiled", collected)
    x.compute()
    assert compiled
    functions = ["".join(t.splitlines(True)[2:]) for t in sections(shown)]
    assert len(functions) == len(compiled)
    for text in compiled:
        assert any(text.startswith(function) for function in functions), shown


def sections(shown):
    """The parts of a text that begin with headings, two lines of comment."""
    lines = shown.splitlines(True)
    starts = [i for i, line in enumerate(lines) if line.startswith("; %")]
    return ["".join(lines[a:b]).rstrip("\n") + "\n" for a, b in zip(starts, [*starts[1:], None], strict=True)]


def test_assembly_is_what_processors_run():
    pytest.importorskip("llvmlite")
    text = chain(large(), 2).explain().source("assembly")
    assert "kernel:" in text
    assert "ret" in text


def test_nothing_is_compiled_for_a_look(monkeypatch):
    def refuse(*args):
        raise AssertionError("something was compiled")

    for name in ("compiled", "assembly"):
        monkeypatch.setattr(compiler, name, refuse)
    explanation = chain(large(), 4).explain()
    explanation.source()
    if compiler.is_available():
        explanation.source("llvm")
    explanation._repr_html_()


def test_explanations_hold_no_data():
    data = rng.uniform(1, 2, (500, 500))
    held = weakref.ref(data)
    explanation = (xp.exp(xp.asarray(data, copy=False)) * 2).explain()
    del data
    gc.collect()
    assert held() is None
    assert "in C order" in explanation.source()


@pytest.mark.usefixtures("_fresh_plans")
def test_kernels_say_why_they_are_interpreted(monkeypatch):
    x = chain(large(), 2)
    with xp.set_options(kernels="interpreted"):
        assert x.explain().steps[-1].runs == "interpreted, as kernels='interpreted' is set"
    monkeypatch.setattr(compiler, "is_available", lambda: False)
    find = importlib.util.find_spec
    for spec, reason in ((None, "llvmlite is not installed"), (1, "llvmlite does not work on this machine")):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, s=spec: s if name == "llvmlite" else find(name))
        explanation = x.explain()
        assert f"interpreted, as {reason}" in str(explanation)
        assert "sin(%0)" in explanation.source()
        for form in ("llvm", "assembly"):
            with pytest.raises(errors.BackendUnavailable, match=reason):
                explanation.source(form)


@pytest.mark.usefixtures("_fresh_plans")
def test_kernels_that_there_is_no_code_for(monkeypatch):
    pytest.importorskip("llvmlite")
    monkeypatch.setattr(NumPyExecutor, "fuses", lambda self, node: True)
    x = xp.exp(xp.asarray(rng.uniform(1, 2, 200_000).astype(np.float16))) * 2
    explanation = x.explain()
    assert explanation.steps[-1].runs == "interpreted, as there is no code for float16"
    assert explanation.source("llvm").startswith("; %1 = kernel(%0, ")
    assert "define" not in explanation.source("llvm")
    np.testing.assert_allclose(x.compute(), x.compute(optimize="none"))


def test_notebooks_show_the_source():
    shown = chain(large(), 2).explain()._repr_html_()
    assert "<details>" in shown
    assert "axes: i of 500, j of 500" in shown


# --- memory limit ----------------------------------------------------------------------------------------------------


def test_memory_limit_refuses_before_running():
    a = square()
    x = chain(a @ a, 1)
    with xp.set_options(memory_limit="100 kB"):
        with pytest.raises(errors.MemoryLimitExceeded) as caught:
            x.compute()
        with pytest.raises(MemoryError):
            x.persist()
    message = str(caught.value)
    assert "memory_limit is 100 kB" in message
    assert "float64[300, 300]" in message
    assert "test_memory_limit_refuses_before_running" in message
    assert "explain" in message
    with xp.set_options(memory_limit="1 GB"):
        x.compute()


def test_memory_limit_holds_for_jit():
    jitted = xp.jit(lambda x: xp.linalg.svd(x).U @ x)
    x = rng.uniform(1, 2, (N, N))
    jitted(x)
    with xp.set_options(memory_limit=1_000), pytest.raises(errors.MemoryLimitExceeded):
        jitted(x)


def test_memory_limit_leaves_dask_alone():
    pytest.importorskip("dask")
    with xp.set_options(memory_limit=1_000):
        chain(square(), 1).compute(backend="dask")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1, 1),
        ("2 GB", 2_000_000_000),
        ("512MiB", 512 << 20),
        ("1.5 kB", 1500),
        ("100", 100),
        ("7 b", 7),
        (None, None),
    ],
)
def test_memory_limit_takes_bytes(given, expected):
    with xp.set_options(memory_limit=given):
        assert xp.get_options()["memory_limit"] == expected


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "", "GB", "2 XB", "two GB", "-3 MB", [], "inf", "1e400 GB"])
def test_memory_limit_refuses_others(given):
    with pytest.raises(ValueError, match=r"memory_limit=.* is no number of bytes"):
        xp.set_options(memory_limit=given)


def test_amounts():
    assert [amount(n) for n in (0, 999, 1000, 12_345, 999_600, 2e9)] == [
        "0 B",
        "999 B",
        "1 kB",
        "12.3 kB",
        "1 MB",
        "2 GB",
    ]
    assert parse_bytes("1 TiB") == 1 << 40


# --- order and buffers -----------------------------------------------------------------------------------------------


def nested(depth):
    """Each term is needed last, so that the recorded order holds all of them."""
    terms = [xp.linalg.matrix_power(square(), 2) for _ in range(depth)]
    total = terms[-1]
    for term in terms[-2::-1]:
        total = xp.linalg.matmul(term, total)
    return total


def test_order_holds_less():
    x = nested(6)
    plain, better = x.estimate(optimize="none").peak_bytes, x.estimate(optimize="exact").peak_bytes
    assert better < 0.6 * plain
    np.testing.assert_array_equal(x.compute(optimize="exact"), x.compute(optimize="none"))
    for level in ("none", "exact"):
        plan = prepare([current(x)], "numpy", level).planned.plan
        assert measured_peak(plan) == pytest.approx(x.estimate(optimize=level).peak_bytes, rel=0.1)


def test_the_recorded_order_stays_where_nothing_is_gained():
    x = square()
    y = xp.linalg.inv(x) @ (x @ x)
    recorded = [s.node.op.name for s in steps_of(y, "none")]
    assert recorded == ["linalg.inv", "matmul", "matmul"]


def in_place(x, level="exact"):
    return [s.node.op.name for s in steps_of(x, level) if s.into is not None]


def test_elementwise_steps_overwrite_what_dies():
    a, b = square(), square()
    product = a @ b
    assert in_place(product + a) == ["add"]
    assert in_place(a + product) == ["add"]
    assert in_place(xp.atan2(product, product)) == ["atan2"]
    assert in_place(product + a, "none") == []


def test_elementwise_steps_overwrite_nothing_else():
    a, b = square(), square()
    product = a @ b
    assert in_place(a + b) == []  # leaves
    assert in_place(product.T + a) == []  # a view
    assert in_place(product + product.T) == []  # another operand is a view of it
    assert in_place(product < 1) == []  # another data type
    assert in_place(xp.stack([product, product + 1])) == []  # read later
    small = xp.asarray(np.ones((3, 3)))
    assert in_place(small @ small + 1) == []  # not worth it
    x, y = xp.compute(product, product + 1, optimize="exact")
    np.testing.assert_array_equal(x + 1, y)


def test_overwriting_changes_no_values():
    a, b = square(), square()
    source = np.asarray(a.compute())
    for function in (
        lambda p: p + a,
        lambda p: xp.exp(p) - p,
        lambda p: (p + a) * (p - a),
        lambda p: xp.maximum(p, a) + p.T,
        lambda p: xp.reshape(p.T, (-1,)) * 2,
        lambda p: p[::-1] * p,
        lambda p: xp.where(p > 450, p * 2, p / 3),
        lambda p: xp.concat([p + 1, p + 2]) * 2,
        lambda p: xp.sum(p[0]) + (p + 1),
        lambda p: xp.linalg.qr(p).R * 2 + xp.linalg.qr(p).Q,
    ):
        x = function(a @ b)
        np.testing.assert_array_equal(x.compute(optimize="exact"), x.compute(optimize="none"))
    np.testing.assert_array_equal(a.compute(), source)


@pytest.mark.parametrize("size", [1, 2, 3, 64])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_overwriting_small_results_changes_no_bits(monkeypatch, size, dtype):
    monkeypatch.setattr(plan, "SMALLEST", 1)
    planning.clear_cache()
    for _ in range(20):
        x = rng.standard_normal(size) + (1j * rng.standard_normal(size) if dtype.startswith("complex") else 0)
        negated = -xp.asarray(x.astype(dtype))
        for y in (negated * -negated, negated * (negated + 1), xp.exp(negated) / negated):
            assert y.compute(optimize="exact").tobytes() == y.compute(optimize="none").tobytes()
    planning.clear_cache()


DTYPES = ("bool", "int8", "uint8", "int64", "uint64", "float32", "float64", "complex64", "complex128")


def numbers(dtype, n):
    """Special values among others."""
    kind = np.dtype(dtype).kind
    if kind in "biu":
        return rng.integers(0, 2 if kind == "b" else 100, n).astype(dtype)
    x = rng.standard_normal(n) * 10.0 ** rng.uniform(-3, 3, n)
    x[rng.random(n) < 0.1] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1e308])
    return (x if kind == "f" else x + 1j * rng.permutation(x)).astype(dtype)


@pytest.mark.parametrize("name", [op.name for op in OPS.values() if op.kind == "elementwise"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_bits_do_not_depend_on_where_results_go(name):
    """What lets an operand be overwritten at level exact: the ufuncs of NumPy give the same bits."""
    function = registry.get("numpy").implementation(name)
    if not isinstance(function, np.ufunc):
        pytest.skip("never runs in place")
    with np.errstate(all="ignore"):
        for dtype in DTYPES:
            for n in (7, 64, 1000, 8193, 50_003):
                xs = [numbers(dtype, n) for _ in range(function.nin)]
                for operands in (xs, [xs[0]] * len(xs), [xs[0], *[x[:1].reshape(()) for x in xs[1:]]]):
                    try:
                        expected = function(*operands)
                    except TypeError:
                        continue
                    if expected.dtype == operands[0].dtype:
                        target = operands[0].copy()
                        got = function(*[target if x is operands[0] else x for x in operands], out=target)
                        differ = got.view(np.uint8).reshape(n, -1) != expected.view(np.uint8).reshape(n, -1)
                        assert not (differ.any(axis=1) & (got == got)).any(), (dtype, n)


def test_estimates_are_tuples_that_can_be_changed_and_copied():
    estimate = (xp.asarray([1.0, 2.0]) + 1).estimate()
    assert repr(estimate._replace(flops=0)).startswith("Estimate(flops=0, ")
    assert repr(pickle.loads(pickle.dumps(estimate))) == repr(estimate)


@pytest.mark.parametrize(("given", "bytes_"), [(2e9, 2_000_000_000), (np.int64(5), 5), (10**400, sys.maxsize + 1)])
def test_numbers_of_bytes_of_any_type(given, bytes_):
    assert parse_bytes(given) == bytes_


@pytest.mark.parametrize("given", [True, 0, 0.5, "0.5", float("nan"), float("-inf"), "1,5 GB", 2j])
def test_what_is_no_number_of_bytes(given):
    with pytest.raises(ValueError, match="memory_limit"):
        xp.set_options(memory_limit=given)
