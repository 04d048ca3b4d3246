"""The linear algebra extension of the standard: ``xp.linalg``.

Matrices are the last two axes of an array, the other axes a stack of them. Integers and booleans become the default
floating-point dtype where a function needs one, as in NumPy; ``strict=True`` refuses them.
"""

from __future__ import annotations

from lazyxp.api.linalg.decompositions import cholesky, eig, eigh, eigvals, eigvalsh, qr, svd, svdvals
from lazyxp.api.linalg.norms import diagonal, matrix_norm, trace, vector_norm
from lazyxp.api.linalg.products import cross, matrix_power, outer
from lazyxp.api.linalg.solving import det, inv, matrix_rank, pinv, slogdet, solve
from lazyxp.api.linear_algebra import matmul, tensordot, vecdot
from lazyxp.api.manipulation import matrix_transpose

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
