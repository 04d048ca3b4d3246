"""Libraries that consume the standard take lazyxp arrays, give lazyxp arrays, and find what they find on NumPy's."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import lazyxp as xp
from tests.consumers.calls import CALLS, leaves

SIZE = 100
BACKENDS = ["numpy", "array_api_strict", "torch", "jax"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_call(call, backend):
    pytest.importorskip(call.library)
    pytest.importorskip(backend)
    values = call.values(SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of the libraries about themselves, and about points that are too few
        wanted = list(leaves(call.run(np, *[value.copy() for value in values])))
        with xp.set_options(backend=backend):
            arrays = [xp.asarray(value) for value in values]
            found = list(leaves(call.run(xp, *arrays)))
            assert len(found) == len(wanted)
            native = type(xp.asarray(0).compute())
            for ours, theirs in zip(found, wanted, strict=True):
                if isinstance(theirs, np.ndarray):
                    assert type(ours) is xp.Array
                    assert ours.shape == theirs.shape
                    assert ours.dtype == theirs.dtype
                    assert type(ours.compute()) is native
                close(np.asarray(ours), theirs)
            for array, value in zip(arrays, values, strict=True):
                close(np.asarray(array), value)


def close(ours, theirs):
    """Equal but for rounding, of which there is more where numbers that are large cancel each other out."""
    largest = np.max(np.abs(theirs), initial=0.0, where=np.isfinite(theirs))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * largest)


def test_names_are_unique():
    assert len({call.name for call in CALLS}) == len(CALLS)
