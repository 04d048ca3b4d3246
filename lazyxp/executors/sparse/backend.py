"""The sparse executor: PyData/sparse, where it is right, on arrays in coordinate format."""

from __future__ import annotations

from typing import Any

import numpy as np
import sparse

from lazyxp.executors import registry
from lazyxp.executors.array_api import ArrayAPIExecutor, Lowering
from lazyxp.executors.sparse.coo import from_numpy
from lazyxp.executors.sparse.lowerings import DECOMPOSED, LOWERINGS, REFUSED, elementwise
from lazyxp.external import External
from lazyxp.node import CONSTANT, OPS, Node, Op


class SparseExecutor(ArrayAPIExecutor):
    """Runs plans on PyData/sparse. It takes and gives sparse arrays, and refuses what would make data dense.

    Any format is taken; results are `sparse.COO`. What a result does not store has the sign of the fill value: -0.0 may
    come back as 0.0.
    """

    lowerings = LOWERINGS
    refused = REFUSED
    every_element = False

    def __init__(self) -> None:
        super().__init__(sparse, "sparse")

    def _find(self, name: str) -> Lowering | None:
        if name in DECOMPOSED:
            return None
        if name not in self.lowerings and OPS[name].kind == "elementwise":
            return elementwise(name)
        return super()._find(name)

    def how(self, op: Op) -> str:
        """How `op` runs."""
        return "lowered" if op.name in self.lowerings or op.kind == "elementwise" else "native"

    def load(self, node: Node) -> Any:
        """A source in coordinate format; a constant as the fill value of a 0-d array."""
        if node.op is CONSTANT:
            return from_numpy(np.asarray(node.params["value"], dtype=node.dtype))
        value = node.value
        if type(value) is External:
            return value
        return sparse.as_coo(value) if self.owns(value) else from_numpy(registry.owner(value).to_numpy(value))

    def dtype(self, dtype: np.dtype[Any], node: Node) -> Any:
        """The recorded dtypes are NumPy's, and so are sparse's."""
        return dtype

    def owns(self, value: Any) -> bool:
        """Whether `value` is a sparse array of any format."""
        return isinstance(value, sparse.SparseArray)

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """The dense array; only reads that the user's code demands ask for it."""
        return np.asarray(value.todense())

    def deliver(self, value: Any, shared: bool) -> Any:
        """The result; a copy where its memory is `shared`."""
        return value.copy() if shared else value
