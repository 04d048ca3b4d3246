"""The inspection API: devices, dtypes, defaults and capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lazyxp import dtypes
from lazyxp.node import Node, walk
from lazyxp.sources import any_device
from lazyxp.sources import device_of as device_of_source

if TYPE_CHECKING:
    from lazyxp.typing import Device, DType

CPU = "cpu"


class Info:
    """What the namespace offers; returned by `__array_namespace_info__`."""

    __slots__ = ()

    def capabilities(self) -> dict[str, bool | int | None]:
        """Optional features: boolean indexing, data-dependent shapes, and the largest number of dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Device:
        """The device of arrays that are created without one."""
        return CPU

    def default_dtypes(self, *, device: Device | None = None) -> dict[str, DType]:
        """The dtypes of arrays that are created without one."""
        check_device(device, "default_dtypes")
        return dict(dtypes.DEFAULTS)

    def devices(self) -> tuple[Device, ...]:
        """The devices on which arrays can be created."""
        return (CPU,)

    def dtypes(self, *, device: Device | None = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """The dtypes by name, all or those of one or several kinds (see `isdtype`)."""
        check_device(device, "dtypes")
        kinds = (kind,) if isinstance(kind, str) else kind
        letters = "biufc" if kinds is None else "".join(_letters(k) for k in kinds)
        return {d.name: d for d in dtypes.STANDARD if d.kind in letters}


def _letters(kind: str) -> str:
    if kind not in dtypes.KINDS:
        raise ValueError(f"dtypes: {kind!r} is no kind; the kinds are {', '.join(dtypes.KINDS)}")
    return dtypes.KINDS[kind]


def __array_namespace_info__() -> Info:
    """What this namespace offers.

    Returns
    -------
    Info
        An object with the methods `capabilities`, `default_device`, `default_dtypes`, `devices` and `dtypes`.

    References
    ----------
    Array API standard 2025.12, inspection.

    Examples
    --------
    >>> import lazyxp as xp
    >>> xp.__array_namespace_info__().default_dtypes()["real floating"]
    dtype('float64')
    """
    return Info()


def check_device(device: Device | None, function: str) -> None:
    """Refuse a device on which no array can be created."""
    if device not in (None, CPU):
        raise ValueError(
            f"{function}: there is no device {device!r}; arrays are created on {CPU!r}, "
            "and compute(backend='cupy') runs a graph on the GPU"
        )


def device_of(node: Node) -> Device:
    """The device of the data that the graph of `node` reads."""
    if any_device():
        for source in walk([node]):
            device = device_of_source(source)
            if device != CPU:
                return device
    return CPU
