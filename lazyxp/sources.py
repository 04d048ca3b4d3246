"""Sources: how data from outside becomes a node, and how a change made behind the graph's back is noticed.

NumPy arrays up to `SNAPSHOT_BYTES` are copied when they are recorded. Larger ones are shared, not copied; about
`SAMPLES` of their elements are compared before each run, which raises `SourceMutated` where one has changed. A change
that misses every sampled element goes unnoticed: comparing all of them would cost as much as many a computation.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

import numpy as np

from lazyxp import dtypes
from lazyxp.errors import SourceMutated
from lazyxp.node import NO_PARAMS, SOURCE, Node, Site

SNAPSHOT_BYTES = 1 << 16
SAMPLES = 4096

Value = np.ndarray[Any, Any]


def _sample(value: Value) -> bytes:
    """The bytes of elements spread over `value`, both ends included."""
    step = value.size // SAMPLES | 1  # odd: where sides are powers of two, not all elements are of one column
    elements: Any = value.flat
    if value.flags.c_contiguous:
        elements = value.reshape(-1)
    elif value.flags.f_contiguous:
        elements = value.T.reshape(-1)
    # A slice, as an index array would cost several times the reading.
    ends: tuple[bytes, bytes] = elements[::step].tobytes(), elements[-1:].tobytes()
    return b"".join(ends)


# What is compared before each run: the sampled bytes of each array that others can change.
_shared: weakref.WeakKeyDictionary[Node, bytes] = weakref.WeakKeyDictionary()


def share(node: Node) -> None:
    """Remember what the array of source `node` holds now, as others may change it from now on."""
    _shared.setdefault(node, _sample(node.value))


def is_shared(node: Node) -> bool:
    """Whether others can change the array of source `node`."""
    return node in _shared


def verify(node: Node) -> None:
    """Raise SourceMutated when the array of source `node` is not what it was when it was first shared."""
    sample = _shared.get(node)
    if sample is not None and _sample(node.value) != sample:
        raise SourceMutated(
            f"the array of shape {node.shape} and dtype {node.dtype} recorded at {node.where} was changed in place "
            "before the graph that reads it ran; record a copy (asarray(x, copy=True)), or compute before changing it"
        )


def owned(value: Value, site: Site) -> Node:
    """A source that holds `value`, which nobody else can change."""
    return Node(SOURCE, (), NO_PARAMS, value.shape, dtypes.canonical(value.dtype), site, value)


def from_numpy(value: Value, *, copy: bool | None, site: Site) -> Node:
    """A source that holds `value`: copied, shared, or as its size says (`copy` None)."""
    value = value.view(np.ndarray) if type(value) is not np.ndarray else value
    if not value.dtype.isnative:
        return owned(value.astype(value.dtype.newbyteorder("=")), site)
    if copy or (copy is None and value.nbytes <= SNAPSHOT_BYTES):
        return owned(value.copy(order="K"), site)
    node = owned(value, site)
    share(node)
    return node


def device_of(node: Node) -> str:
    """The device of a source: "cpu", or the name of the device that holds it."""
    if type(node.value) is np.ndarray:
        return "cpu"
    library = type(node.value).__module__.partition(".")[0]
    if library not in ("cupy", "torch", "jaxlib"):
        return "cpu"
    device = node.value.device
    if library == "torch":
        return str(device)
    return f"cuda:{device.id}" if library == "cupy" or device.platform == "gpu" else str(device.platform)


_elsewhere = False


def note_device(node: Node) -> None:
    """Remember whether the array of source `node` is not in the host's memory."""
    global _elsewhere
    _elsewhere = _elsewhere or device_of(node) != "cpu"


def any_device() -> bool:
    """Whether there may be sources that are not in the host's memory: else no graph need be searched for them."""
    return _elsewhere or "cupy" in sys.modules
