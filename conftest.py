"""What pytest must not collect: the package a second time through its symlinks, and backends that are not installed."""

from importlib.util import find_spec

collect_ignore = ["executors", "optimizers"]
collect_ignore += [f"lazyxp/executors/{name}" for name in ("cupy", "dask", "sparse") if find_spec(name) is None]
