"""One function of the Array API standard, run by NumPy, by lazyxp, and by lazyxp on every backend found here.

Run it with ``python examples/standardize.py``.
"""

import numpy as np

import lazyxp as xp


def standardize(x, axis=0):
    """`x` with mean 0 and standard deviation 1 along `axis`; columns without variation become 0."""
    namespace = x.__array_namespace__()
    centered = x - namespace.mean(x, axis=axis, keepdims=True)
    spread = namespace.std(x, axis=axis, keepdims=True)
    return centered / namespace.where(spread > 0, spread, 1.0)


data = np.random.default_rng(1).gamma(2.0, size=(10_000, 8))
expected = standardize(data)
lazy = standardize(xp.asarray(data))
print("recorded:", lazy)

for name in ("numpy", "dask"):
    backend = xp.backends()[name]
    if backend.available:
        print(f"{name}: equal to NumPy's own result: {np.allclose(lazy.compute(backend=name), expected)}")
    else:
        print(f"{name}: {backend.reason}")
