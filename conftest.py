"""What pytest must not collect (the package twice, backends that are not installed), and not use: the user's cache."""

import os
from importlib.util import find_spec

# Kernels are compiled anew, in processes that tests start as well: what lies in the user's cache is neither used nor
# added to.
os.environ["LAZYXP_CACHE_DIR"] = ""
# Read when SciPy is first imported, by whichever test: without it, its functions refuse arrays that are not NumPy's.
os.environ["SCIPY_ARRAY_API"] = "1"

collect_ignore = ["executors", "optimizers"]
collect_ignore += [
    f"lazyxp/executors/{name}" for name in ("cupy", "dask", "jax", "sparse", "torch") if find_spec(name) is None
]
