"""What the tests of compiled kernels share: running only compiled code, and how far results may be apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.executors import registry
from lazyxp.executors.numpy import interpreter
from lazyxp.kernel import KERNEL, Kernel
from lazyxp.node import Node, walk
from lazyxp.planning import optimized_graph
from lazyxp.sliding import SLIDING
from lazyxp.structure import structure_of
from tests.differential.compare import components, same_kind, same_specials

NDArray = np.ndarray[Any, Any]


@contextmanager
def only_compiled() -> Iterator[None]:
    """Kernels of any size, none of which is interpreted, in this process."""

    def refused(kernel: Kernel, *arrays: Any) -> Any:
        raise AssertionError(f"interpreted: {kernel}")

    with pytest.MonkeyPatch.context() as patch, xp.set_options(kernels="always"):
        patch.setattr(interpreter, "run", refused)
        yield


def compiled(*arrays: xp.Array) -> tuple[NDArray, ...]:
    """The results of compiled kernels."""
    with only_compiled():
        return xp.compute(*arrays)


def interpreted(*arrays: xp.Array) -> tuple[NDArray, ...]:
    """The results of the same kernels, interpreted."""
    with xp.set_options(kernels="interpreted"):
        return xp.compute(*arrays)


def plain(*arrays: xp.Array) -> tuple[NDArray, ...]:
    """What NumPy gives, op by op."""
    return xp.compute(*arrays, optimize="none")


def same_on_threads(run: Callable[[], Sequence[Any]], counts: Sequence[int] = (1, 2, 3)) -> Sequence[Any]:
    """What `run` gives, the same bits on any number of threads."""
    found = []
    for count in counts:
        with xp.set_options(num_threads=count):
            found.append(run())
        assert [x.tobytes() for x in found[-1]] == [x.tobytes() for x in found[0]], count
    return found[0]


def shared(x: Any) -> xp.Array:
    """An array that lies in memory as `x`."""
    return xp.asarray(x, copy=False if x.dtype.isnative else None)


def planned(*arrays: xp.Array) -> list[Node]:
    """The nodes that run, where kernels are of any size."""
    with xp.set_options(kernels="always"):
        graph = optimized_graph(structure_of([current(a) for a in arrays]), registry.get("numpy"), "default")
        return walk(graph.roots)


def outside(*arrays: xp.Array) -> set[str]:
    """The elementwise ops and reductions that are in no kernel."""
    return {node.op.name for node in planned(*arrays) if node.op.kind in ("elementwise", "cast", "reduction")}


def kernels_of(*arrays: xp.Array) -> list[Kernel]:
    """The kernels that run."""
    return [kernel for node in planned(*arrays) for kernel in kernels_in(node)]


def kernels_in(node: Node) -> list[Kernel]:
    """The kernels that a node runs."""
    if node.op is SLIDING:
        return [stage.kernel for stage in node.params["sliding"].stages]
    return [node.params["kernel"]] if node.op is KERNEL else []


def same_bits(got: NDArray, want: NDArray, what: Any = "", *, zeros: bool = True) -> None:
    """Assert the same dtype, shape and bits, but for what is inside a NaN and, unless `zeros`, which zero it is."""
    same_kind(got, want)
    for mine, theirs in zip(components(got), components(want), strict=True):
        same = (mine == theirs) | ((mine != mine) & (theirs != theirs))
        if zeros and theirs.dtype.kind == "f":
            same &= (np.signbit(mine) == np.signbit(theirs)) | np.isnan(theirs)
        assert np.all(same), f"{what}: {mine[~same][:5]} instead of {theirs[~same][:5]} at {np.argwhere(~same)[:5]}"


def close(got: NDArray, want: NDArray, ulps: float, what: Any = "", size: Any = 0.0) -> None:
    """Assert values within so many units in the last place of `want`, or of `size`; the same infinities and NaN."""
    same_kind(got, want)
    if want.dtype.kind not in "fc":
        same_bits(got, want, what)
        return
    same_specials(got, want)
    real = want.real.dtype
    finite = np.isfinite(want) & np.isfinite(got)
    wide = np.clongdouble if want.dtype.kind == "c" else np.longdouble
    exact = want[finite].astype(wide)
    size = np.maximum(np.abs(exact), np.broadcast_to(size, want.shape)[finite])
    unit = np.spacing(np.minimum(size, np.finfo(real).max).astype(real))
    error = np.abs(got[finite] - exact) / unit
    worst = np.argmax(error) if error.size else 0
    assert not error.size or error[worst] <= ulps, (
        f"{what}: {got[finite][worst]} instead of {want[finite][worst]}, {error[worst]} ulps"
    )
