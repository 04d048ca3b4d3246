"""What is measured: data and, for each workload, a function of a namespace and that data.

The functions are what one would write for NumPy. They run as they are on lazyxp, NumPy, JAX and PyTorch; the modules of
the peers say where one of them takes another form.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = tuple[Any, ...]
FLOATS = ("float64", "float32")

STEPS = 1_000
DT = 0.01
ITERATIONS = 50


@dataclass(frozen=True)
class Workload:
    """One workload: rows of the table, one for each dtype."""

    name: str
    title: str
    function: Callable[..., Any]
    make: Callable[..., Arrays]
    """The arrays, from a random generator, a dtype, and sizes."""
    size: tuple[int, ...]
    quick: tuple[int, ...]
    dtypes: tuple[str, ...] = FLOATS
    counts: bool = True
    """Whether it is in the geometric means: elementwise functions and reductions are."""
    reads: int = 0
    """How often the inputs must be read; with the outputs, written once, that gives the floor. 0: there is none."""
    memory_bound: bool = False
    """Whether memory and not arithmetic is what limits it: no transcendental functions, few operations a byte."""
    small: bool = False
    """Whether it is about overhead on small arrays, with a bound of its own, where lazyxp's form is `jit`."""
    mismatches: float = 0.0
    """The fraction of the elements that may differ, where rounding decides between two values far apart."""

    def arrays(self, dtype: str, quick: bool) -> Arrays:
        """The data, the same in every process."""
        return self.make(np.random.default_rng(0), np.dtype(dtype), *(self.quick if quick else self.size))


# --- data ------------------------------------------------------------------------------------------------------------


def normal(rng: np.random.Generator, dtype: np.dtype[Any], *shape: int) -> Arrays:
    """One array of normally distributed numbers."""
    return (rng.standard_normal(shape, dtype=dtype.type),)


def two_normal(rng: np.random.Generator, dtype: np.dtype[Any], *shape: int) -> Arrays:
    """Two such arrays."""
    return normal(rng, dtype, *shape) + normal(rng, dtype, *shape)


def off_centre(rng: np.random.Generator, dtype: np.dtype[Any], *shape: int) -> Arrays:
    """Numbers whose mean is not near zero."""
    (x,) = normal(rng, dtype, *shape)
    x += 3
    return (x,)


def options_data(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Arrays:
    """Spot prices, strikes and times to expiry."""
    bounds = ((10, 50), (10, 50), (0.5, 2.0))
    return tuple(rng.uniform(low, high, n).astype(dtype) for low, high in bounds)


def points(rng: np.random.Generator, dtype: np.dtype[Any], n: int, k: int, features: int) -> Arrays:
    """Points and centres."""
    return normal(rng, dtype, n, features) + normal(rng, dtype, k, features)


def vectors(rng: np.random.Generator, dtype: np.dtype[Any], n: int, m: int) -> Arrays:
    """Two vectors whose pairs are looked at."""
    return normal(rng, dtype, n) + normal(rng, dtype, m)


def plane(rng: np.random.Generator, dtype: np.dtype[Any], n: int, m: int) -> Arrays:
    """Real and imaginary parts of a grid of the complex plane."""
    re, im = np.meshgrid(np.linspace(-2, 0.5, n), np.linspace(-1.25, 1.25, m))
    return re.astype(dtype), im.astype(dtype)


def integers(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Arrays:
    """Two arrays of numbers from 0 to 999."""
    return tuple(rng.integers(0, 1_000, n, dtype=dtype) for _ in range(2))


def complexes(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Arrays:
    """Complex numbers."""
    return ((rng.standard_normal(n) + 1j * rng.standard_normal(n)).astype(dtype),)


def populations(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Arrays:
    """Prey and predators."""
    return tuple(rng.uniform(0.5, 1.5, n).astype(dtype) for _ in range(2))


def small_arrays(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Arrays:
    """Three positive arrays."""
    return tuple(rng.uniform(1, 2, n).astype(dtype) for _ in range(3))


def matrices_and_vector(rng: np.random.Generator, dtype: np.dtype[Any], n: int) -> Arrays:
    """Three square matrices and a vector."""
    return tuple(a / n**0.5 for _ in range(3) for a in normal(rng, dtype, n, n)) + normal(rng, dtype, n)


# --- functions -------------------------------------------------------------------------------------------------------


def chain(xp: Any, x: Any) -> Any:
    """Seven elementwise operations."""
    return xp.abs(((x * 0.9 + 0.1) * x - 0.3) * x + 0.2)


RATE, VOLATILITY = 0.02, 0.3
# The normal distribution function, after Abramowitz and Stegun, 26.2.17: no namespace here has erf.
CDF = (0.2316419, 0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429, 0.3989422804014327)


def black_scholes(xp: Any, spot: Any, strike: Any, time: Any) -> Any:
    """Prices of European calls and puts."""

    def cdf(x: Any) -> Any:
        p, a, b, c, d, e, scale = CDF
        k = 1.0 / (1.0 + p * xp.abs(x))
        tail = scale * xp.exp(-0.5 * x * x) * (k * (a + k * (b + k * (c + k * (d + k * e)))))
        return xp.where(x > 0, 1.0 - tail, tail)

    deviation = VOLATILITY * xp.sqrt(time)
    d1 = (xp.log(spot / strike) + (RATE + 0.5 * VOLATILITY**2) * time) / deviation
    discounted = strike * xp.exp(-RATE * time)
    call = spot * cdf(d1) - discounted * cdf(d1 - deviation)
    return call, call - spot + discounted


def squared_difference(xp: Any, a: Any, b: Any) -> Any:
    """A sum of squares."""
    return xp.sum((a - b) ** 2)


def softmax(xp: Any, x: Any) -> Any:
    """Over rows."""
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def standardise(xp: Any, x: Any) -> Any:
    """Columns to mean 0 and standard deviation 1."""
    return (x - xp.mean(x, axis=0)) / xp.std(x, axis=0)


def statistics(xp: Any, x: Any) -> Any:
    """Four reductions of the same data."""
    return xp.mean(x), xp.std(x), xp.min(x), xp.max(x)


def kmeans(xp: Any, x: Any, centres: Any) -> Any:
    """For each point the nearest centre. Eager, the differences take n * k * features numbers."""
    return xp.argmin(xp.sum((x[:, None, :] - centres[None, :, :]) ** 2, axis=-1), axis=-1)


def edges(xp: Any, image: Any) -> Any:
    """The magnitude of Sobel's gradient of an image that is blurred over nine points."""
    a = image
    blurred = (
        a[:-2, :-2] + a[:-2, 1:-1] + a[:-2, 2:]
        + a[1:-1, :-2] + a[1:-1, 1:-1] + a[1:-1, 2:]
        + a[2:, :-2] + a[2:, 1:-1] + a[2:, 2:]
    ) / 9.0  # fmt: skip
    b = blurred
    gx = (b[:-2, 2:] - b[:-2, :-2]) + 2.0 * (b[1:-1, 2:] - b[1:-1, :-2]) + (b[2:, 2:] - b[2:, :-2])
    gy = (b[2:, :-2] - b[:-2, :-2]) + 2.0 * (b[2:, 1:-1] - b[:-2, 1:-1]) + (b[2:, 2:] - b[:-2, 2:])
    return xp.sqrt(gx * gx + gy * gy)


def mandelbrot_step(xp: Any, cx: Any, cy: Any, x: Any, y: Any, count: Any) -> Any:
    """One iteration: points, and how many times each was near."""
    xx, yy = x * x, y * y
    inside = xx + yy <= 4.0
    x, y = xp.where(inside, xx - yy + cx, x), xp.where(inside, 2.0 * x * y + cy, y)
    return x, y, count + xp.astype(inside, xp.int32)


def mandelbrot(xp: Any, cx: Any, cy: Any) -> Any:
    """For how many of a fixed number of iterations each point stays near."""
    x, y, count = cx, cy, xp.zeros(cx.shape, dtype=xp.int32)
    for _ in range(ITERATIONS):
        x, y, count = mandelbrot_step(xp, cx, cy, x, y, count)
    return count


def log_density(xp: Any, x: Any, y: Any) -> Any:
    """The logarithm of a sum over all pairs: a kernel density, safe from underflow."""
    exponent = -0.5 * (x[:, None] - y[None, :]) ** 2
    top = xp.max(exponent, axis=1, keepdims=True)
    return top[:, 0] + xp.log(xp.sum(xp.exp(exponent - top), axis=1))


def conditions(xp: Any, a: Any, b: Any) -> Any:
    """Comparisons, logic and a choice; how many elements they hold for."""
    keep = ((a > 100) & (b < 900)) | (a == b)
    return xp.where(keep, a * 3 + b, a - b), xp.sum(xp.astype(keep, xp.int64))


def selection(xp: Any, a: Any, b: Any) -> Any:
    """The elements for which two comparisons hold."""
    return a[(a > 250) & (b < 750)]


TURN = complex(np.exp(0.3j))


def rotation(xp: Any, z: Any) -> Any:
    """Complex numbers turned, and their squared magnitudes."""
    w = z * TURN
    re, im = xp.real(w), xp.imag(w)
    return w, re * re + im * im


def stacked(xp: Any, x: Any, y: Any) -> Any:
    """Coordinates turned, one point beside the other."""
    return xp.stack([x * TURN.real - y * TURN.imag, x * TURN.imag + y * TURN.real], axis=-1)


def accumulation(xp: Any, x: Any) -> Any:
    """Paths of random walks, a column each, from steps that are scaled."""
    return xp.cumulative_sum(x * 0.01 + 0.001, axis=0)


def ode_step(x: Any, y: Any) -> Any:
    """A step of the explicit midpoint method for the predator-prey equations: 16 operations."""
    mx, my = x + (0.5 * DT) * (x * (1.0 - y)), y + (0.5 * DT) * (y * (x - 1.0))
    return x + DT * (mx * (1.0 - my)), y + DT * (my * (mx - 1.0))


def ode(xp: Any, x: Any, y: Any) -> Any:
    """Many such steps."""
    for _ in range(STEPS):
        x, y = ode_step(x, y)
    return x, y


def row_of_product(xp: Any, a: Any, b: Any, c: Any, v: Any) -> Any:
    """One row of a product."""
    return (a @ b)[0]


def products(xp: Any, a: Any, b: Any, c: Any, v: Any) -> Any:
    """A chain of products that ends with a vector."""
    return a @ b @ c @ v


def seven_small(xp: Any, a: Any, b: Any, c: Any) -> Any:
    """Seven operations."""
    return (a * b + c - a / (b + 2.0) * c) * 0.5


def twenty(xp: Any, x: Any, y: Any) -> Any:
    """Twenty operations, among them four functions: a kernel to compile."""
    a = xp.exp(-0.5 * (x - y) ** 2) + 0.25 * x
    b = xp.sqrt(x * x + y * y + 1.0) - xp.abs(y)
    c = xp.where(x > y, a * b, a - b) / (1.0 + b * b)
    return xp.tanh(c) * 0.75 + a


def four(xp: Any, x: Any, y: Any) -> Any:
    """Another, smaller kernel."""
    return (x - y) * 0.5 + x


WORKLOADS = (
    Workload(
        "chain", "7-op chain", chain, normal, (10_000_000,), (100_000,), reads=1, memory_bound=True
    ),
    Workload(
        "black-scholes", "Black-Scholes", black_scholes, options_data, (5_000_000,), (50_000,), reads=1
    ),
    Workload(
        "squares", "sum((a - b)**2)", squared_difference, two_normal, (10_000_000,), (100_000,),
        reads=1, memory_bound=True,
    ),
    Workload("softmax", "softmax of rows", softmax, normal, (20_000, 512), (200, 512), reads=1),
    Workload(
        "standardise", "standardise columns", standardise, off_centre, (1_000_000, 16), (10_000, 16),
        reads=2, memory_bound=True,
    ),
    Workload(
        "statistics", "mean, std, min, max", statistics, off_centre, (10_000_000,), (100_000,),
        reads=1, memory_bound=True,
    ),
    Workload(
        "k-means", "nearest centre (k-means)", kmeans, points, (200_000, 32, 16), (2_000, 32, 16),
        reads=1, mismatches=1e-4,
    ),
    Workload(
        "edges", "9-point blur + Sobel", edges, normal, (4_000, 4_000), (200, 200),
        reads=1, memory_bound=True,
    ),
    Workload(
        "mandelbrot", "Mandelbrot, 50 iterations", mandelbrot, plane, (1_000, 1_000), (50, 50), reads=1, mismatches=1e-2
    ),
    Workload("log-density", "pairwise logsumexp", log_density, vectors, (4_000, 4_000), (200, 200), reads=1),
    Workload(
        "conditions", "comparisons and where", conditions, integers, (10_000_000,), (100_000,),
        dtypes=("int64", "int32"), reads=1, memory_bound=True,
    ),
    Workload(
        "selection", "a[mask]", selection, integers, (10_000_000,), (100_000,), dtypes=("int64", "int32"), reads=1
    ),
    Workload(
        "rotation", "complex rotation, |z|**2", rotation, complexes, (5_000_000,), (50_000,),
        dtypes=("complex128", "complex64"), reads=1, memory_bound=True,
    ),
    Workload("walks", "random walks by steps", accumulation, normal, (10_000, 1_000), (100, 1_000), reads=1),
    Workload("stacked", "stack of two coordinates", stacked, two_normal, (5_000_000,), (50_000,), reads=1),
    Workload(
        "ode", "1000 ODE steps, one graph", ode, populations, (100,), (100,), dtypes=("float64",), counts=False
    ),
    Workload(
        "ode-jit", "1000 ODE steps, each jitted", ode, populations, (100,), (100,),
        dtypes=("float64",), counts=False,
    ),
    Workload(
        "row-of-product", "(A @ B)[0]", row_of_product, matrices_and_vector, (1_500,), (100,), counts=False
    ),
    Workload("products", "A @ B @ C @ v", products, matrices_and_vector, (1_500,), (100,), counts=False),
    Workload(
        "small", "a jitted call, 7 ops", seven_small, small_arrays, (100,), (100,),
        dtypes=("float64",), counts=False, small=True,
    ),
)  # fmt: skip

# The kernels of which only the first call is measured: one that warms the process up, and the one that is then new.
WARMING = Workload("warming", "", four, two_normal, (1_000_000,), (100_000,), ("float64",), counts=False)
NEW = Workload("new", "", twenty, two_normal, (1_000_000,), (100_000,), ("float64",), counts=False)

BY_NAME = {w.name: w for w in (*WORKLOADS, WARMING, NEW)}
