"""Functions of complex numbers in compiled kernels: accuracy, special values, and lanes that are on their own."""

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from llvmlite import binding

import lazyxp as xp
from lazyxp.executors.numpy.llvm import complex_functions, functions
from tests.executors.kernel_checks import compiled, kernels_of, outside, plain, same_bits, shared
from tests.executors.test_vector_functions import MOST_ULPS, build, from_bits, ulps

pytestmark = [
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.skipif(not complex_functions.available(), reason="complex functions are NumPy's on this machine"),
]

DTYPES = (np.complex64, np.complex128)
NUMPY = {f"a{name}": f"arc{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")}
# What is NumPy's own function of the C library, or its own formula, in double precision.
SAME = (*NUMPY, "log1p")
# Where NumPy's formula cancels, digits are lost: errors are those of the size of the number.
CANCELS = {"expm1", "log1p"}
UNARY = ("sign", *sorted(complex_functions.NAMES - {"pow"}))
MOST_EXACT = 8


def complexes(real, imag, dtype):
    """Complex numbers of these parts, NaN and infinities among them."""
    found = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), dtype)
    found.real, found.imag = real, imag
    return found


def special(dtype):
    """Zeros, infinities, NaN, the least and the largest numbers, and where formulas end: each with each."""
    info = np.finfo(dtype)
    sides = [0.0, info.smallest_subnormal, info.tiny, 1e-10, 0.5, 1, np.pi / 2, 2.5, 20, 354, 708.5, 720, 2.0**25, 1e30]
    sides += [float(info.max) / 2, info.max, np.inf, np.nan, 2.0**-450, 2.0**500]
    with np.errstate(all="ignore"):
        sides = np.array([*sides, *[-s for s in sides]]).astype(info.dtype)
    return complexes(*np.meshgrid(sides, sides), dtype).ravel()


def ordinary(dtype):
    """Numbers of all kinds of sizes: near 1, where the real part of a logarithm vanishes, and near multiples of pi."""
    rng, n, info = np.random.default_rng(11), 800, np.finfo(dtype)
    near = 1 + rng.choice([-1, 1], n) * np.exp2(rng.uniform(-info.nmant - 2, -1, n))
    turn = np.exp(1j * rng.uniform(-np.pi, np.pi, n))
    angles = rng.integers(-100, 100, n) * (np.pi / 2)
    parts = [near * turn, np.exp2(rng.uniform(-100, 100, n)) * turn, near + 1j * np.exp2(rng.uniform(-60, -10, n))]
    for real, imag in ((1, 1), (5, 5), (80, 80), (1e-3, 1e-3), (5, 1e-6), (1e-6, 5), (3e7, 2), (2, 3e7)):
        parts.append(rng.uniform(-real, real, n) + 1j * rng.uniform(-imag, imag, n))
    parts += [angles + 1j * rng.uniform(-3, 3, n), rng.uniform(-3, 3, n) + 1j * angles]
    parts += [angles + 1e-8j * rng.uniform(-1, 1, n), 1e-8 * rng.uniform(-1, 1, n) + 1j * angles]
    return np.concatenate(parts).astype(dtype)


def longer(name, z):
    """What a longer format gives."""
    wide = np.clongdouble if z.dtype == np.complex128 else np.complex128
    if wide is np.clongdouble and np.finfo(np.longdouble).nmant < 60:
        pytest.skip("there is no longer format here")
    w = z.astype(wide)
    with np.errstate(all="ignore"):
        return w / np.abs(w) if name == "sign" else getattr(np, NUMPY.get(name, name))(w)


def run(name, *args):
    """The function in a kernel that does nothing else."""
    call = getattr(xp, name)(*[shared(a) for a in args])
    assert not outside(call)
    return compiled(call)[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name in UNARY if name not in SAME])
def test_errors_of_each_part_are_at_most_4_ulps(name, dtype):
    z = ordinary(dtype)
    got, exact = run(name, z), longer(name, z)
    for part in ("real", "imag"):
        mine, right = getattr(got, part), getattr(exact, part)
        if name in CANCELS:
            unit = np.spacing(np.abs(got))
            assert np.nanmax(np.abs(mine - right) / unit) <= MOST_ULPS
            continue
        error = ulps(mine, right)
        worst = int(np.argmax(error))
        assert error[worst] <= MOST_ULPS, (z[worst], got[worst], exact[worst])


@pytest.mark.parametrize("name", SAME)
def test_the_librarys_functions_have_numpys_bits(name):
    for z in (ordinary(np.complex128), special(np.complex128)):
        with np.errstate(all="ignore"):
            want = getattr(np, NUMPY.get(name, name))(z)
        same_bits(run(name, z), want, name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_special_values_are_those_of_the_backend(name, dtype):
    """Infinities, NaN, and zeros with their signs: each part; and no others than where NumPy has them."""
    z = special(dtype)
    got = run(name, z)
    (want,) = plain(getattr(xp, name)(shared(z)))
    # Of single precision, the parts of a number may be finite or not zero where NumPy's overflow or underflow.
    exact = longer(name, z) if dtype == np.complex64 else want
    for part in ("real", "imag"):
        mine, theirs, right = (getattr(w, part) for w in (got, want, exact))
        regular = np.isfinite(z)
        edge = regular & ~(np.isfinite(theirs) & (np.abs(theirs) > np.finfo(dtype).tiny))
        special_one = ~regular | (z == 0)
        differs = (np.isnan(mine) != np.isnan(theirs)) | (
            ~np.isnan(theirs)
            & (~np.isfinite(theirs) | (theirs == 0) | ~np.isfinite(mine) | (mine == 0))
            & ((mine != theirs) | (np.signbit(mine) != np.signbit(theirs)))
        )
        assert not np.any(differs & special_one), (name, z[differs & special_one][:5], part)
        assert not np.any(differs & ~edge), (name, z[differs & ~edge][:5], part)
        if name not in CANCELS:
            error = ulps(mine[edge], right[edge])
            assert np.all((error <= MOST_ULPS) | ~differs[edge]), (name, z[edge][error > MOST_ULPS][:5], part)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_a_result_does_not_depend_on_its_place_or_the_others(name, dtype):
    """Special numbers among ordinary ones, in vectors and in what is left over."""
    z = np.concatenate([ordinary(dtype)[::7], special(dtype)[::3]])
    whole = run(name, z)
    order = np.random.default_rng(3).permutation(z.size)
    same_bits(run(name, z[order]), whole[order], name)
    for start, size in ((0, 1), (5, 7), (900, 17), (z.size - 33, 33)):
        same_bits(run(name, z[start : start + size]), whole[start : start + size], (name, start, size))


@pytest.mark.skipif(not functions._has("avx512f", "avx2", "fma"), reason="this processor is no better")
@pytest.mark.parametrize("name", sorted(complex_functions.NAMES - {"pow"}))
def test_narrower_vectors_have_the_same_bits(name, monkeypatch):
    z = np.concatenate([ordinary(np.complex128)[::7], special(np.complex128)[::3]])
    wide = run(name, z)
    has = functions._has
    monkeypatch.setattr(functions, "_has", lambda *features: "avx512f" not in features and has(*features))
    target = binding.Target.from_default_triple()
    complex_functions.load_library()
    for part, want in enumerate((wide.real, wide.imag)):
        call, keep = build(
            target, lambda e, t, x, y, k=part: complex_functions.emit(e, name, t, [(x, y)])[k], 2, "double", 8
        )
        same_bits(call(z.real.copy(), z.imag.copy()), want.copy(), (name, part))
        assert keep


# --- powers and neighbours --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_have_numpys_bits(dtype):
    z = np.concatenate([special(dtype)[::5], ordinary(dtype)[::97]])
    with np.errstate(all="ignore"):
        for exponent in (
            0,
            1,
            2,
            3,
            4,
            -1,
            -2,
            7,
            99,
            -99,
            100,
            0.5,
            2.5,
            1j,
            2 + 1j,
            -1 - 1j,
            complex(0, np.nan),
            np.inf,
        ):
            same_bits(run("pow", z, np.array(exponent, dtype)), np.power(z, np.array(exponent, dtype)), exponent)
        exponents = np.random.default_rng(2).permutation(z)
        same_bits(run("pow", z, exponents), np.power(z, exponents), "pairs")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nextafter_has_numpys_bits(dtype):
    info = np.finfo(dtype)
    one = [0.0, info.smallest_subnormal, 2 * info.smallest_subnormal, info.tiny, 0.5, 1, 2, info.max, np.inf, np.nan]
    one = np.array([*one, *[-x for x in one]], dtype)
    x, y = (side.ravel() for side in np.meshgrid(one, one))
    x = np.concatenate([x, from_bits(np.random.default_rng(1), dtype, 3000)[:2800]])
    y = np.concatenate([y, from_bits(np.random.default_rng(2), dtype, 3000)[:2800]])
    same_bits(run("nextafter", x, y), np.nextafter(x, y))
    same_bits(run("nextafter", x, x), np.nextafter(x, x))


def test_a_chain_is_one_kernel():
    x = shared(np.random.default_rng(0).standard_normal(1000))
    z = shared(np.random.default_rng(1).standard_normal(1000) + 1j)
    chain = xp.nextafter(xp.abs(xp.sqrt(xp.log(xp.exp(1j * x) * z) + xp.tanh(z))), 0.0)
    assert len(kernels_of(chain)) == 1
    assert not outside(chain)
