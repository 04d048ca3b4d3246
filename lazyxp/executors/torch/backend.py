"""The PyTorch executor: PyTorch's functions through array-api-compat, and lowerings where they depart."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import array_api_compat.torch
import numpy as np
import torch

from lazyxp.errors import UnsupportedOperation
from lazyxp.executors.array_api import ArrayAPIExecutor
from lazyxp.executors.torch.lowerings import LOWERINGS
from lazyxp.node import OUTPUT, Node
from lazyxp.plan import Plan, Step

# Signed types that PyTorch has kernels for, where it has none for the unsigned ones. The results of ops on them, cast
# back, are those of the unsigned type: modulo a power of two, or because it holds all of its values.
_SIGNED = {torch.uint16: torch.int32, torch.uint32: torch.int64, torch.uint64: torch.int64}
# The ops whose results are right modulo a power of two, or for which only equality counts: int64 stands for uint64.
_MODULAR = frozenset(
    (
        *("add", "subtract", "multiply", "negative", "positive", "square", "equal", "not_equal", "where"),
        *("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "bitwise_left_shift", "logical_not"),
        *("sum", "prod", "cumulative_sum", "cumulative_prod", "diff", "count_nonzero", "any", "all"),
        *("matmul", "tensordot", "vecdot", "linalg.trace", "linalg.cross", "linalg.outer", "linalg.matrix_power"),
        *("gather", "scatter", "getitem", "setitem", "take", "take_along_axis", "repeat", "roll", "tile", "flip"),
        *("tril", "triu", "concat", "stack", "nonzero", "full", "eye", "arange", "broadcast_to", "isin"),
        *("unique_inverse",),
    )
)
# The ops that only compare: an order-preserving map from uint64 to int64, and back, does for them.
_COMPARING = frozenset(
    (
        *("less", "less_equal", "greater", "greater_equal", "maximum", "minimum", "max", "min", "argmax", "argmin"),
        *("sort", "argsort", "searchsorted"),
    )
)
_SMALLEST = torch.iinfo(torch.int64).min


class TorchExecutor(ArrayAPIExecutor):
    """Runs plans on PyTorch, on the device of the tensors that a graph reads."""

    lowerings = LOWERINGS

    def __init__(self) -> None:
        super().__init__(array_api_compat.torch, "torch")

    def run(self, plan: Plan, *, keep: bool, **options: Any) -> list[Any]:
        """Run the steps of `plan` on the device of the tensors that it reads, also those that read nothing."""
        devices = {leaf.value.device for leaf in plan.leaves if self.owns(leaf.value)}
        with torch.device(devices.pop()) if len(devices) == 1 else nullcontext():
            return super().run(plan, keep=keep, **options)

    def execute(self, step: Step, arrays: list[Any]) -> Any:
        """The result of one step, by way of signed integers where PyTorch lacks a kernel for unsigned ones."""
        try:
            result = super().execute(step, arrays)
        except NotImplementedError as error:
            if isinstance(error, UnsupportedOperation):
                raise
            result = self._signed(step.node, arrays)
            if result is None:
                raise UnsupportedOperation(
                    f"PyTorch has no kernel for this ({error}); cast with astype, or compute this part with "
                    "backend='numpy'"
                ) from error
        except RuntimeError as error:
            if "out of bounds" in str(error):
                raise IndexError(str(error)) from error
            raise
        if type(result) is torch.Tensor:
            return result.resolve_conj().resolve_neg()
        return result

    def _signed(self, node: Node, arrays: list[Any]) -> Any:
        """The result of `node` computed with signed integers; None where it would be another one."""
        types = {a.dtype for a in arrays} & _SIGNED.keys()
        wanted = self.dtype(node.dtype, node) if isinstance(node.dtype, np.dtype) else None
        name = node.op.name
        if not (types or wanted in _SIGNED) or node.op is OUTPUT or wanted is None:
            return None
        if torch.uint64 in types | {wanted} and (name not in _MODULAR | _COMPARING or wanted.is_floating_point):
            return None
        shift = _SMALLEST if name in _COMPARING else 0
        params = dict(node.params)
        if "dtype" in params:
            params["dtype"] = _SIGNED.get(wanted, wanted)
        implementation = self.implementation(name)
        assert implementation is not None, name
        found = implementation(*[_as_signed(a, shift) for a in arrays], **params)
        return (found ^ shift if wanted == torch.uint64 and shift else found).to(wanted)

    def owns(self, value: Any) -> bool:
        """Whether `value` is a tensor."""
        return isinstance(value, torch.Tensor)

    def from_numpy(self, value: np.ndarray[Any, Any]) -> Any:
        """A tensor on the memory of `value`; a copy of what is read-only, has negative strides or is elsewhere."""
        if not value.flags.writeable or any(s < 0 for s in value.strides):
            value = value.copy()
        return torch.from_numpy(value).to(torch.get_default_device())

    def to_numpy(self, value: Any) -> np.ndarray[Any, Any]:
        """The memory of a tensor on the CPU; a copy of others."""
        return np.asarray(value.detach().cpu().resolve_conj().resolve_neg().numpy())

    def deliver(self, value: Any, shared: bool) -> Any:
        """A result; a copy where its memory is `shared`."""
        return value.clone() if shared else value


def _as_signed(x: Any, shift: int) -> Any:
    """`x` in a signed type that holds its values, or those of uint64 in their order (by `shift`) or modulo."""
    signed = x.to(_SIGNED.get(x.dtype, x.dtype))
    return signed ^ shift if x.dtype == torch.uint64 and shift else signed
