"""Benchmarks. ``python -m benchmarks`` compares lazyxp with NumPy and with others that fuse; --help has the options.

The programs beside it (`depth`, `optimizing`, `recording`, `rewrites`) measure what goes on inside lazyxp.
"""
