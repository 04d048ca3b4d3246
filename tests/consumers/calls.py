"""Calls of libraries that consume the standard, as data: what is called, on which inputs, and with which parameters.

A call is named after what it calls, and is a function of a namespace and of arrays of that namespace. SciPy looks at
arrays of other namespaces only if SCIPY_ARRAY_API=1 was set before it was imported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pkgutil import resolve_name
from typing import Any, NamedTuple

import numpy as np

Values = np.ndarray[Any, Any]


class Call(NamedTuple):
    """One call: `run(xp, *arrays)` on the arrays that `INPUTS` makes under these names."""

    name: str
    inputs: tuple[str, ...]
    run: Callable[..., Any]

    @property
    def library(self) -> str:
        """The package that is called."""
        return self.name.partition(".")[0]

    def values(self, size: int) -> list[Values]:
        """The inputs, of about `size` elements each."""
        return [INPUTS[name](np.random.default_rng(len(name)), size) for name in self.inputs]


# --- inputs: functions of a generator and of about how many elements are wanted --------------------------------------


def _table(size: int, columns: int = 10) -> tuple[int, int]:
    """The shape of a table with few columns."""
    return max(size // columns, 1), columns


def _distances(rng: np.random.Generator, size: int) -> Values:
    """Distances between points of a line, as SciPy condenses them: one for each pair."""
    points = rng.random(int(math.sqrt(2 * size)) + 1)
    first, second = np.triu_indices(len(points), 1)
    return np.abs(points[first] - points[second])


def _square(size: int) -> tuple[int, int]:
    return math.isqrt(size), math.isqrt(size)


def _rotations(rng: np.random.Generator, size: int) -> Values:
    quaternions = rng.standard_normal((size // 4, 4))
    return quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)


INPUTS: dict[str, Callable[[np.random.Generator, int], Values]] = {
    "x": lambda rng, n: rng.standard_normal(n),
    "other": lambda rng, n: rng.standard_normal(n) + 0.25,
    "positive": lambda rng, n: rng.random(n) + 0.5,
    "unit": lambda rng, n: rng.uniform(0.01, 0.99, n),
    "signal": lambda rng, n: np.sin(np.arange(n) / 7) + rng.standard_normal(n) / 10,
    "complex": lambda rng, n: rng.standard_normal(n) + 1j * rng.standard_normal(n),
    "sorted": lambda rng, n: np.sort(rng.random(n)),
    "integers": lambda rng, n: rng.integers(0, 10, n),
    "labels": lambda rng, n: rng.integers(0, 3, n),
    "predicted": lambda rng, n: rng.integers(0, 3, n),
    "mask": lambda rng, n: rng.random(n) < 0.3,
    "half": lambda rng, n: rng.standard_normal(2**max(round(math.log2(n)), 1) + 1),
    "kernel": lambda rng, n: rng.random(25),
    "square": lambda rng, n: rng.random(_square(n)),
    "points": lambda rng, n: rng.standard_normal((3, 10)),
    "image": lambda rng, n: rng.random(_square(n)),
    "weights": lambda rng, n: rng.random((3, 3)),
    "volume": lambda rng, n: rng.random((round(n ** (1 / 3)),) * 3),
    "table": lambda rng, n: rng.standard_normal(_table(n)),
    "table2": lambda rng, n: rng.standard_normal((20, 10)),
    "target": lambda rng, n: rng.standard_normal(_table(n)[0]),
    "estimate": lambda rng, n: rng.standard_normal(_table(n)[0]),
    "classes": lambda rng, n: np.arange(_table(n)[0]) % 3,
    "channels": lambda rng, n: rng.standard_normal((10, max(n // 10, 1))),
    "batch": lambda rng, n: rng.random((2, max(n // 200, 1) * 2, 10, 5)),
    "vector": lambda rng, n: rng.standard_normal(3),
    "quaternions": _rotations,
    "distances": _distances,
}  # fmt: skip


# --- kinds of calls --------------------------------------------------------------------------------------------------


def call(name: str, *inputs: str, **parameters: Any) -> Call:
    """A call of the function called `name`."""
    return Call(name, inputs, lambda xp, *arrays: resolve_name(name)(*arrays, **parameters))


def custom(name: str, *inputs: str) -> Callable[[Callable[..., Any]], Call]:
    """A call that is written out below."""
    return lambda run: Call(name, inputs, run)


def learn(name: str, *inputs: str, **parameters: Any) -> Call:
    """A call of one of scikit-learn's functions."""

    def run(xp: Any, *arrays: Any) -> Any:
        from sklearn import config_context

        with config_context(array_api_dispatch=True):
            return resolve_name(name)(*arrays, **parameters)

    return Call(name, inputs, run)


def fit(name: str, *inputs: str, then: str, **parameters: Any) -> Call:
    """A call of `fit` of one of scikit-learn's estimators on all inputs, and of the method `then` on the first."""

    def run(xp: Any, *arrays: Any) -> Any:
        from sklearn import config_context

        with config_context(array_api_dispatch=True):
            return getattr(resolve_name(name)(**parameters).fit(*arrays), then)(arrays[0])

    return Call(name, inputs, run)


def rotate(method: str, *more: str, **parameters: Any) -> Call:
    """A call of a method of SciPy's rotations."""

    def run(xp: Any, quaternions: Any, *arrays: Any) -> Any:
        rotation = resolve_name("scipy.spatial.transform.Rotation").from_quat(quaternions)
        return getattr(rotation, method)(*arrays, **parameters)

    return Call(f"scipy.spatial.transform.Rotation.{method}", ("quaternions", *more), run)


def rearrange(name: str, pattern: str, *more: str, **parameters: Any) -> Call:
    """A call of einops."""

    def run(xp: Any, x: Any) -> Any:
        return resolve_name(f"einops.array_api.{name}")(x, pattern, *more, **parameters)

    return Call(f"einops.{name}", ("batch",), run)


def labelled(name: str, run: Callable[..., Any], *inputs: str) -> Call:
    """A call of xarray: `run` on tables with named axes."""

    def on_tables(xp: Any, *arrays: Any) -> Any:
        from xarray import DataArray

        return run(*[DataArray(a, dims=("time", "place")[: a.ndim]) for a in arrays]).data

    return Call(f"xarray.{name}", inputs, on_tables)


# --- calls that take functions or more than one line -----------------------------------------------------------------


@custom("scipy.differentiate.derivative", "x")
def _derivative(xp: Any, x: Any) -> Any:
    found = resolve_name("scipy.differentiate.derivative")(xp.sin, x)
    return found.df, found.success


@custom("scipy.optimize.elementwise.find_root", "unit")
def _find_root(xp: Any, c: Any) -> Any:
    found = resolve_name("scipy.optimize.elementwise.find_root")(
        lambda x, c: x**3 - c, (xp.zeros_like(c), xp.ones_like(c)), args=(c,)
    )
    return found.x, found.success


@custom("scipy.integrate.tanhsinh", "positive")
def _tanhsinh(xp: Any, b: Any) -> Any:
    return resolve_name("scipy.integrate.tanhsinh")(lambda x: xp.exp(-x * x), xp.zeros_like(b), b).integral


@custom("scipy.interpolate.CubicSpline", "unit")
def _spline(xp: Any, x: Any) -> Any:
    knots = xp.linspace(0.0, 1.0, 30)
    return resolve_name("scipy.interpolate.CubicSpline")(knots, xp.sin(knots * 6))(x)


@custom("scipy.signal.sosfilt", "channels")
def _sosfilt(xp: Any, x: Any) -> Any:
    sections = resolve_name("scipy.signal.butter")(4, 0.2, output="sos")
    return resolve_name("scipy.signal.sosfilt")(xp.asarray(sections), x)


@custom("scipy.signal.filtfilt", "signal")
def _filtfilt(xp: Any, x: Any) -> Any:
    b, a = resolve_name("scipy.signal.butter")(3, 0.2)
    return resolve_name("scipy.signal.filtfilt")(xp.asarray(b), xp.asarray(a), x)


@custom("scipy.signal.windows.hann", "x")
def _hann(xp: Any, x: Any) -> Any:
    return x * resolve_name("scipy.signal.windows.hann")(x.shape[0], xp=xp)


@custom("scipy.cluster.vq.kmeans2", "table", "points")
def _kmeans2(xp: Any, x: Any, start: Any) -> Any:
    return resolve_name("scipy.cluster.vq.kmeans2")(x, start, iter=3, minit="matrix")


@custom("scipy.cluster.hierarchy.linkage", "distances")
def _linkage(xp: Any, distances: Any) -> Any:
    tree = resolve_name("scipy.cluster.hierarchy.linkage")(distances, method="average")
    return tree, resolve_name("scipy.cluster.hierarchy.fcluster")(tree, 0.1, criterion="distance")


@custom("array_api_extra.at", "x", "mask")
def _at(xp: Any, x: Any, mask: Any) -> Any:
    at = resolve_name("array_api_extra.at")
    return at(at(x, mask).set(0.0, copy=True), slice(None, 5)).add(1.0)


@custom("array_api_extra.apply_where", "x")
def _apply_where(xp: Any, x: Any) -> Any:
    return resolve_name("array_api_extra.apply_where")(x > 0, x, xp.sqrt, xp.square)


@custom("array_api_extra.pad", "image")
def _pad(xp: Any, x: Any) -> Any:
    return resolve_name("array_api_extra.pad")(x, ((1, 2), (0, 1)), constant_values=3.0)


# --- the calls -------------------------------------------------------------------------------------------------------

CALLS = [
    call("scipy.fft.fft", "complex"),
    call("scipy.fft.irfft", "complex"),
    call("scipy.fft.rfft2", "image"),
    call("scipy.fft.fftshift", "image"),
    call("scipy.fft.dct", "x", norm="ortho"),
    call("scipy.special.logsumexp", "table", axis=1),
    call("scipy.special.softmax", "table", axis=1),
    call("scipy.special.log_softmax", "x"),
    call("scipy.special.erf", "x"),
    call("scipy.special.gammaln", "positive"),
    call("scipy.special.expit", "x"),
    call("scipy.special.xlogy", "positive", "unit"),
    call("scipy.special.rel_entr", "positive", "unit"),
    call("scipy.cluster.vq.whiten", "table"),
    call("scipy.cluster.vq.vq", "table", "points"),
    _kmeans2,
    _linkage,
    rotate("as_matrix"),
    rotate("as_euler", seq="zyx"),
    rotate("as_rotvec"),
    rotate("apply", "vector"),
    call("scipy.signal.fftconvolve", "x", "kernel", mode="same"),
    call("scipy.signal.convolve2d", "image", "weights", mode="same"),
    call("scipy.signal.hilbert", "signal"),
    call("scipy.signal.envelope", "signal"),
    call("scipy.signal.detrend", "channels"),
    call("scipy.signal.resample_poly", "signal", up=2, down=3),
    call("scipy.signal.savgol_filter", "signal", window_length=7, polyorder=2),
    call("scipy.signal.vectorstrength", "positive", period=0.7),
    _sosfilt,
    _filtfilt,
    _hann,
    call("scipy.integrate.trapezoid", "channels"),
    call("scipy.integrate.cumulative_trapezoid", "channels", initial=0),
    call("scipy.integrate.cumulative_simpson", "channels"),
    call("scipy.integrate.romb", "half"),
    _tanhsinh,
    call("scipy.ndimage.gaussian_filter", "image", sigma=1.5),
    call("scipy.ndimage.median_filter", "image", size=3),
    call("scipy.ndimage.sobel", "image"),
    call("scipy.ndimage.zoom", "image", zoom=1.5, order=1),
    call("scipy.ndimage.center_of_mass", "image"),
    call("scipy.stats.zscore", "table"),
    call("scipy.stats.skew", "x"),
    call("scipy.stats.kurtosis", "channels", axis=1),
    call("scipy.stats.moment", "table", order=3),
    call("scipy.stats.describe", "table"),
    call("scipy.stats.gmean", "positive"),
    call("scipy.stats.entropy", "positive", "unit"),
    call("scipy.stats.variation", "positive"),
    call("scipy.stats.pearsonr", "x", "other"),
    call("scipy.stats.ttest_ind", "x", "other"),
    call("scipy.stats.f_oneway", "x", "other", "positive"),
    call("scipy.stats.normaltest", "x"),
    call("scipy.stats.rankdata", "x"),
    call("scipy.stats.quantile", "x", p=0.3),
    call("scipy.stats.circmean", "x"),
    _derivative,
    _find_root,
    _spline,
    learn("sklearn.metrics.accuracy_score", "labels", "predicted"),
    learn("sklearn.metrics.zero_one_loss", "labels", "predicted"),
    learn("sklearn.metrics.r2_score", "x", "other"),
    learn("sklearn.metrics.mean_squared_error", "x", "other"),
    learn("sklearn.metrics.mean_absolute_error", "x", "other"),
    learn("sklearn.metrics.pairwise.cosine_similarity", "table", "table2"),
    learn("sklearn.metrics.pairwise.euclidean_distances", "table", "table2"),
    learn("sklearn.metrics.pairwise.rbf_kernel", "table", "table2"),
    fit("sklearn.decomposition.PCA", "table", then="transform", n_components=3, svd_solver="full"),
    fit("sklearn.linear_model.Ridge", "table", "target", then="predict", solver="svd"),
    fit("sklearn.discriminant_analysis.LinearDiscriminantAnalysis", "table", "classes", then="predict_proba"),
    fit("sklearn.naive_bayes.GaussianNB", "table", "classes", then="predict_proba"),
    fit("sklearn.mixture.GaussianMixture", "table", then="predict_proba",
        n_components=2, init_params="random", random_state=0, max_iter=5, tol=0.5),
    fit("sklearn.preprocessing.MinMaxScaler", "table", then="transform"),
    fit("sklearn.preprocessing.StandardScaler", "table", then="transform"),
    fit("sklearn.preprocessing.MaxAbsScaler", "table", then="transform"),
    fit("sklearn.preprocessing.Normalizer", "table", then="transform"),
    fit("sklearn.preprocessing.PolynomialFeatures", "table", then="transform", degree=2),
    fit("sklearn.preprocessing.KernelCenterer", "square", then="transform"),
    call("array_api_extra.cov", "channels"),
    call("array_api_extra.kron", "x", "weights"),
    call("array_api_extra.sinc", "x"),
    call("array_api_extra.nunique", "integers"),
    call("array_api_extra.setdiff1d", "integers", "labels"),
    call("array_api_extra.isclose", "x", "other"),
    call("array_api_extra.one_hot", "labels", num_classes=3),
    call("array_api_extra.nan_to_num", "x"),
    _at,
    _apply_where,
    _pad,
    rearrange("rearrange", "b (h h2) w c -> (b h) w (h2 c)", h2=2),
    rearrange("reduce", "b (h h2) w c -> b h w c", "mean", h2=2),
    rearrange("repeat", "b h w c -> b h (w 2) c"),
    labelled("arithmetic", lambda x: (x - 1.0) * 2.0 / (x * x + 1.0), "table"),
    labelled("mean", lambda x: x.mean("time"), "table"),
    labelled("std", lambda x: (x - x.mean("time")) / x.std("time"), "table"),
    labelled("where", lambda x: x.where(x > 0, 0.0), "table"),
    labelled("transpose", lambda x: x.transpose("place", "time") + 1.0, "table"),
    labelled("concat", lambda x: resolve_name("xarray.concat")([x, x * 2.0], dim="time"), "table"),
]  # fmt: skip


def leaves(result: Any) -> Iterator[Any]:
    """The arrays and numbers in what a call gave, in a fixed order."""
    if isinstance(result, Mapping):
        result = [result[key] for key in sorted(result)]
    if isinstance(result, (tuple, list)):
        for part in result:
            yield from leaves(part)
    elif hasattr(result, "dtype") or isinstance(result, (bool, int, float, complex)):
        yield result
    elif result is not None:
        raise TypeError(f"a call gave a {type(result).__name__}, of which nothing is known here")
