"""Functions of floats in compiled kernels: accuracy, special values, and results that do not depend on the place."""

import ctypes

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from llvmlite import binding

from lazyxp.executors.numpy.llvm import exponential, functions
from lazyxp.executors.numpy.llvm.ir import Emitter, Names

NUMPY = {
    **{"asin": "arcsin", "acos": "arccos", "atan": "arctan", "asinh": "arcsinh", "acosh": "arccosh"},
    **{"atanh": "arctanh", "atan2": "arctan2", "pow": "power"},
}
BINARY = ("atan2", "hypot", "pow", "logaddexp")
DTYPES = {"double": np.float64, "float": np.float32}
NATIVE = 8  # doubles in the widest vectors there are
MOST_ULPS = 4

CASES = [(name, element) for name in functions.NAMES for element in DTYPES]
cases = pytest.mark.parametrize(("name", "element"), CASES)
# What is taken away from this processor.
LESSER = {"this": (), "avx2": ("avx512f",), "sse": ("avx512f", "avx2", "fma")}


@pytest.fixture
def forgotten():
    """What is known to be available is forgotten before and after the test."""
    functions.available.cache_clear()
    yield
    functions.available.cache_clear()


@pytest.fixture(params=LESSER)
def processor(request, monkeypatch, forgotten):
    """This processor, or what it would be without some instructions."""
    has = functions._has
    gone = LESSER[request.param]
    if request.param != "this" and (functions._architecture() != "x86_64" or not any(map(has, gone))):
        pytest.skip("this processor is no better")
    monkeypatch.setattr(functions, "_has", lambda *features: not set(gone) & set(features) and has(*features))
    return request.param


@pytest.fixture(scope="module")
def target():
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    functions.load_libraries()
    return binding.Target.from_default_triple()


@pytest.fixture(scope="module")
def compiled(target):
    """``compiled(emit, count, element, width)`` is a function of `count` arrays; with a key, it is compiled once."""
    made = {}

    def compiled(emit, count, element, width, key=None):
        whole = key or emit, element, width
        if whole not in made:
            made[whole] = build(target, emit, count, element, width)
        return made[whole][0]

    return compiled


def build(target, emit, count, element, width):
    dtype = DTYPES[element]
    e = Emitter(Names(), width)
    args = [e.new(f"load {e.type(element)}, ptr %p{n}, align {dtype().itemsize}") for n in range(count)]
    loads, e.lines = e.lines, []
    result = emit(e, element, *args)
    step = "\n".join(f"%p{n} = getelementptr {element}, ptr %a{n}, i64 %i" for n in range(count))
    text = "\n".join(
        [
            *e.names.declarations.values(),
            f"define void @loop({', '.join(f'ptr %a{n}' for n in range(count))}, ptr %out, i64 %n) {{",
            "start:\nbr label %body\nbody:\n%i = phi i64 [0, %start], [%next, %body]",
            *(step, *loads, *e.lines),
            f"%q = getelementptr {element}, ptr %out, i64 %i",
            f"store {e.type(element)} {result}, ptr %q, align {dtype().itemsize}",
            f"%next = add i64 %i, {width}\n%more = icmp slt i64 %next, %n",
            "br i1 %more, label %body, label %end\nend:\nret void\n}",
        ]
    )
    flags = binding.get_host_cpu_features().flatten()
    machine = target.create_target_machine(cpu=binding.get_host_cpu_name(), features=flags, opt=2)
    engine = binding.create_mcjit_compiler(binding.parse_assembly(text), machine)
    engine.finalize_object()
    loop = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (count + 1), ctypes.c_int64)(engine.get_function_address("loop"))

    def run(*arrays):
        size = arrays[0].size
        padded = [np.append(a, np.ones(-size % width, dtype)) for a in arrays]
        assert all(a.dtype == dtype for a in padded)
        out = np.empty_like(padded[0])
        loop(*[a.ctypes.data for a in padded], out.ctypes.data, out.size)
        return out[:size]

    return run, engine


def run_function(compiled, name, element, width):
    def emit(e, element, *args):
        return functions.emit(e, name, element, *args)

    if not functions.available(name, element):
        pytest.skip("not available on this machine")
    return compiled(emit, 1 + (name in BINARY), element, width, (name, functions._vector_bytes()))


def from_bits(rng, dtype, count):
    """Floats of all sizes."""
    kind = np.uint64 if dtype == np.float64 else np.uint32
    values = rng.integers(0, np.iinfo(kind).max, count, dtype=kind, endpoint=True).view(dtype)
    return values[np.isfinite(values)]


def subnormal(rng, dtype, count):
    return (np.finfo(dtype).tiny * rng.uniform(-2, 2, count)).astype(dtype)


def one_argument(name, dtype):
    """Where these functions are hard: all sizes, near 1 and where results begin to be infinite or zero."""
    rng = np.random.default_rng(7)
    info, n = np.finfo(dtype), 4000
    near = 1 + rng.choice([-1, 1], n) * np.exp2(rng.uniform(-info.nmant - 2, 0, n))
    parts = [from_bits(rng, dtype, n), subnormal(rng, dtype, n), near, -near]
    parts += [rng.uniform(-r, r, n) for r in (0.01, 1, 3, 20, 100, 1000, 1e6)]
    parts += [np.arange(-2000, 2001) * (np.pi / 2), rng.uniform(-1e22, 1e22, 100)]
    ends = (info.maxexp, info.minexp, info.minexp - info.nmant)
    parts += [edge * np.log(2) * (1 + np.arange(-300, 301) * info.eps) for edge in (*ends, -info.maxexp)]
    parts += [rng.uniform((ends[2] - 2) * np.log(2), ends[1] * np.log(2), n)]
    with np.errstate(over="ignore"):
        return (np.concatenate(parts).astype(dtype),)


def two_arguments(name, dtype):
    rng = np.random.default_rng(7)
    info, n = np.finfo(dtype), 3000
    x, y = (from_bits(rng, dtype, n)[: n - 200] for _ in range(2))
    parts = [(x, y), (x, x * dtype(1.5)), (subnormal(rng, dtype, n), subnormal(rng, dtype, n))]
    parts += [(rng.uniform(-r, r, n), rng.uniform(-r, r, n)) for r in (1, 10, 100)]
    if name == "pow":
        base = np.exp2(rng.uniform(info.minexp, info.maxexp, n)).astype(dtype)
        near = (1 + rng.choice([-1, 1], n) * np.exp2(rng.uniform(-info.nmant, -1, n))).astype(dtype)
        for b in (base, near):
            parts.append((b, rng.uniform(info.minexp - info.nmant - 2, info.maxexp + 2, n) / np.log2(b.astype(float))))
        parts.append((rng.uniform(-30, 30, n), rng.integers(-40, 41, n)))
    with np.errstate(over="ignore"):
        return tuple(np.concatenate(side).astype(dtype) for side in zip(*parts, strict=True))


def samples(name, dtype):
    return (two_arguments if name in BINARY else one_argument)(name, dtype)


def special(name, dtype):
    """What the standard and C list, and numbers at the ends of domains."""
    info = np.finfo(dtype)
    one = dtype(1)
    sides = [0.0, 1, 2, 3, 0.5, 1.5, 1000, np.inf, np.nan, info.tiny, info.tiny / 2, info.smallest_subnormal, info.max]
    sides += [np.nextafter(one, dtype(2)), np.nextafter(one, dtype(0)), 2.0**info.nmant, 2.0**info.nmant + 1]
    values = np.array([*sides, *[-s for s in sides]], dtype)
    if name not in BINARY:
        return (values,)
    return tuple(side.ravel() for side in np.meshgrid(values, values))


def reference(name, args):
    wide = np.longdouble if args[0].dtype == np.float64 else np.float64
    if wide is np.longdouble and np.finfo(np.longdouble).nmant < 60:
        pytest.skip("there is no longer format here")
    with np.errstate(all="ignore"):
        return getattr(np, NUMPY.get(name, name))(*[a.astype(wide) for a in args])


def ulps(got, exact):
    """How many units in the last place of the right result; infinite where signs or NaN differ."""
    info = np.finfo(got.dtype)
    # An infinity is off by what the next number would be.
    limit = exact.dtype.type(2) ** info.maxexp
    with np.errstate(all="ignore"):
        found, right = (np.clip(v.astype(exact.dtype), -limit, limit) for v in (got, exact))
        exponent = np.clip(np.frexp(right)[1] - 1, info.minexp, info.maxexp - 1)
        error = np.abs(found - right) / np.ldexp(exact.dtype.type(1), exponent - info.nmant)
    nan = np.isnan(found)
    wrong = (nan != np.isnan(right)) | (~nan & (np.signbit(found) != np.signbit(right)))
    return np.where(wrong, np.inf, np.where(nan, 0, error))


@pytest.mark.parametrize(("name", "element"), [case for case in CASES if case[0] != "logaddexp"])
def test_errors_are_at_most_4_ulps(compiled, processor, name, element):
    args = samples(name, DTYPES[element])
    error = ulps(run_function(compiled, name, element, NATIVE)(*args), reference(name, args))
    worst = int(np.argmax(error))
    assert error[worst] <= MOST_ULPS, [float(a[worst]) for a in args]


@pytest.mark.parametrize("element", DTYPES)
def test_logaddexp_loses_digits_only_where_it_is_near_zero(compiled, processor, element):
    args = samples("logaddexp", DTYPES[element])
    exact = reference("logaddexp", args)
    got = run_function(compiled, "logaddexp", element, NATIVE)(*args)
    unit = np.spacing(np.maximum(np.abs(np.maximum(*args)), DTYPES[element](1)))
    finite = np.isfinite(unit)
    assert np.all(np.abs(got - exact)[finite] <= MOST_ULPS * unit[finite])
    error = ulps(got, exact)
    assert np.all(error[exact >= 0.5] <= MOST_ULPS)


@cases
@pytest.mark.parametrize("width", [1, NATIVE])
def test_special_values_are_numpys(compiled, processor, name, element, width):
    args = special(name, DTYPES[element])
    with np.errstate(all="ignore"):
        want = getattr(np, NUMPY.get(name, name))(*args)
    got = run_function(compiled, name, element, width)(*args)
    exact = ~np.isfinite(want) | (want == 0)
    np.testing.assert_array_equal(got[exact], want[exact])
    np.testing.assert_array_equal(np.isfinite(got), np.isfinite(want))
    numbers = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[numbers]), np.signbit(want[numbers]))


@cases
def test_a_result_does_not_depend_on_its_place_or_the_others(compiled, processor, name, element):
    dtype = DTYPES[element]
    rng = np.random.default_rng(3)
    args = [np.concatenate(both) for both in zip(samples(name, dtype), special(name, dtype), strict=True)]
    order = rng.permutation(args[0].size)
    args = [a[order] for a in args]
    alone = run_function(compiled, name, element, 1)(*args)
    for width in (2, NATIVE, 4 * NATIVE):
        together = run_function(compiled, name, element, width)(*args)
        numbers = ~np.isnan(alone)
        np.testing.assert_array_equal(np.isnan(together), ~numbers)
        kind = f"u{dtype().itemsize}"
        np.testing.assert_array_equal(together[numbers].view(kind), alone[numbers].view(kind))


@pytest.mark.skipif(not functions.is_written("exp"), reason="exp is a call on this processor")
@pytest.mark.parametrize("element", DTYPES)
def test_exp_is_the_same_on_processors_without_an_instruction_to_scale(compiled, element):
    def emit(e, element, x):
        return exponential.exp(e, element, x, scales=False)

    for args in (samples("exp", DTYPES[element]), special("exp", DTYPES[element])):
        one, other = compiled(emit, 1, element, NATIVE), run_function(compiled, "exp", element, NATIVE)
        np.testing.assert_array_equal(one(*args), other(*args))


@pytest.mark.parametrize("name", functions.NAMES)
def test_nothing_is_available_where_there_is_neither_a_library_nor_an_instruction(monkeypatch, forgotten, name):
    monkeypatch.setattr(functions, "_library", lambda: None)
    monkeypatch.setattr(functions, "_has", lambda *features: False)
    monkeypatch.setattr(functions, "_architecture", lambda: "x86_64")
    assert not functions.available(name, "double")
