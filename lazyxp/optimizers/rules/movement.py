"""Movement ops that do nothing, that undo one another, or that are one."""

from __future__ import annotations

from lazyxp.node import Node
from lazyxp.optimizers.rewrite import Match, Rule, call, x


def _same_shape(m: Match) -> Node | None:
    return m.x if m.x.shape == m.node.shape and None not in m.x.shape else None


def _same_axes(m: Match) -> Node | None:
    axes = m.node.params["axes"]
    return m.x if axes == tuple(range(len(axes))) else None


def _joined_axes(m: Match) -> Node:
    outer, inner = m.node.params["axes"], m.inner.params["axes"]
    return m.make("permute_dims", m.x, axes=tuple(inner[i] for i in outer))


def _reshaped(m: Match) -> Node | None:
    # Whether a length that is not known fits one of the shapes shows when the graph runs.
    return None if None in m.x.shape else m.make("reshape", m.x, shape=m.node.shape)


# --- axes of length one ----------------------------------------------------------------------------------------------


def _after(node: Node, axes: list[int | None]) -> list[int | None]:
    """The axes that expand_dims or squeeze leaves of `axes`, None for new ones."""
    axis = node.params["axis"]
    if node.op.name == "squeeze":
        return [a for i, a in enumerate(axes) if i not in axis]
    rest = iter(axes)
    return [None if i in axis else next(rest) for i in range(len(axes) + len(axis))]


def _traced(m: Match) -> Node | None:
    """One op where no axis of x goes, or no axis is new."""
    axes = _after(m.node, _after(m.inner, list(range(len(m.x.shape)))))
    new = tuple(i for i, a in enumerate(axes) if a is None)
    gone = tuple(a for a in range(len(m.x.shape)) if a not in axes)
    if new and gone:
        return None
    if not new and not gone:
        return m.x
    return m.make("expand_dims", m.x, axis=new) if new else m.make("squeeze", m.x, axis=gone)


def _no_axis(m: Match) -> Node | None:
    return None if m.node.params["axis"] else m.x


# --- flip and roll ---------------------------------------------------------------------------------------------------


def _flipped(m: Match) -> Node:
    axes = set(m.node.params["axis"]) ^ set(m.inner.params["axis"])
    return m.make("flip", m.x, axis=tuple(sorted(axes))) if axes else m.x


def _flip_of_little(m: Match) -> Node | None:
    """An axis of at most one element reads the same from behind."""
    axis = m.node.params["axis"]
    kept = tuple([i for i in axis if m.x.shape[i] not in (0, 1)])
    if len(kept) == len(axis):
        return None
    return m.make("flip", m.x, axis=kept) if kept else m.x


def _rolled(m: Match) -> Node:
    shift: dict[int, int] = {}
    for node in (m.inner, m.node):
        for axis, by in zip(node.params["axis"], node.params["shift"], strict=True):
            shift[axis] = shift.get(axis, 0) + by
    return m.make("roll", m.x, shift=tuple(shift.values()), axis=tuple(shift))


def _roll_by_nothing(m: Match) -> Node | None:
    for axis, by in zip(m.node.params["axis"], m.node.params["shift"], strict=True):
        side = m.x.shape[axis]
        if by and (side is None or by % (side or 1)):
            return None
    return m.x


def _same_params(m: Match) -> Node | None:
    return m.x if m.inner.params == m.node.params else None


# --- copies ----------------------------------------------------------------------------------------------------------


def _repeated_once(m: Match) -> Node | None:
    return m.x if m.node.params["count"] == 1 else None


def _repeated(m: Match) -> Node | None:
    axis, outer, inner = m.node.params["axis"], m.node.params["count"], m.inner.params["count"]
    return m.make("repeat", m.x, axis=axis, count=outer * inner) if m.inner.params["axis"] == axis else None


def _tiled_once(m: Match) -> Node | None:
    repetitions = m.node.params["repetitions"]
    if any(n != 1 for n in repetitions):
        return None
    new = len(repetitions) - len(m.x.shape)
    return m.make("expand_dims", m.x, axis=tuple(range(new))) if new > 0 else m.x


def _tiled(m: Match) -> Node:
    outer, inner = m.node.params["repetitions"], m.inner.params["repetitions"]
    ndim = max(len(outer), len(inner))
    outer, inner = ((1,) * (ndim - len(r)) + r for r in (outer, inner))
    return m.make("tile", m.x, repetitions=tuple(a * b for a, b in zip(outer, inner, strict=True)))


def _broadcast_at_once(m: Match) -> Node | None:
    return None if None in m.x.shape else m.make("broadcast_to", m.x, shape=m.node.params["shape"])


def _leading_axes_added(m: Match) -> Node | None:
    axis = m.inner.params["axis"]
    return _broadcast_at_once(m) if axis == tuple(range(len(axis))) else None


# --- basic indexing --------------------------------------------------------------------------------------------------


def _everything(m: Match) -> Node | None:
    key, shape = m.node.params["key"], m.x.shape
    if len(key) != len(shape):
        return None
    for entry, n in zip(key, shape, strict=True):
        if type(entry) is not slice or entry.step not in (None, 1) or entry.start not in (None, 0):
            return None
        if entry.stop is not None and (n is None or entry.stop < n):
            return None
    return m.x


_ONES = "expand_dims squeeze"
MOVEMENT = (
    Rule("permute_dims to the same order", "exact", call("permute_dims", x), _same_axes),
    Rule(
        "permute_dims of permute_dims",
        "exact",
        call("permute_dims", call("permute_dims", x, name="inner")),
        _joined_axes,
    ),
    Rule("reshape to the same shape", "exact", call("reshape", x), _same_shape, moves=True),
    Rule("reshape of reshape", "exact", call("reshape", call(f"reshape {_ONES}", x)), _reshaped, moves=True),
    Rule("axes of a reshape", "exact", call(_ONES, call("reshape", x)), _reshaped, moves=True),
    Rule("axes of axes", "exact", call(_ONES, call(_ONES, x, name="inner")), _traced, moves=True),
    Rule("no axes", "exact", call(f"{_ONES} flip", x), _no_axis),
    Rule("flip of flip", "exact", call("flip", call("flip", x, name="inner")), _flipped),
    Rule("flip of one element", "exact", call("flip", x), _flip_of_little, moves=True),
    Rule("roll of roll", "exact", call("roll", call("roll", x, name="inner")), _rolled, moves=True),
    Rule("roll by nothing", "exact", call("roll", x), _roll_by_nothing, moves=True),
    Rule(
        "ifftshift of fftshift",
        "exact",
        call("fft.ifftshift", call("fft.fftshift", x, name="inner")),
        _same_params,
        True,
    ),
    Rule(
        "fftshift of ifftshift",
        "exact",
        call("fft.fftshift", call("fft.ifftshift", x, name="inner")),
        _same_params,
        True,
    ),
    Rule("repeat once", "exact", call("repeat", x), _repeated_once, moves=True),
    Rule("repeat of repeat", "exact", call("repeat", call("repeat", x, name="inner")), _repeated, moves=True),
    Rule("tile once", "exact", call("tile", x), _tiled_once, moves=True),
    Rule("tile of tile", "exact", call("tile", call("tile", x, name="inner")), _tiled, moves=True),
    Rule("broadcast to the same shape", "exact", call("broadcast_to", x), _same_shape),
    Rule(
        "broadcast of broadcast", "exact", call("broadcast_to", call("broadcast_to", x)), _broadcast_at_once, moves=True
    ),
    Rule(
        "broadcast of new axes in front",
        "exact",
        call("broadcast_to", call("expand_dims", x, name="inner")),
        _leading_axes_added,
        moves=True,
    ),
    Rule("everything selected", "exact", call("getitem", x), _everything),
)
