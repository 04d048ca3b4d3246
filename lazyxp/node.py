"""The recorded graph: ops, nodes and walks over them.

A :class:`Node` is one call: an op, the nodes it was called on and its static parameters, with the shape and dtype that
the op's rule inferred. Nodes are immutable with one exception: :meth:`Node.remember` turns a node whose value is known
into a source, which changes what it costs but never what it means.
"""

from __future__ import annotations

import os
import sys
import threading
import weakref
from collections.abc import Callable, Container, Iterable, Mapping
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from lazyxp.dtypes import canonical

Shape = tuple[int | None, ...]
# Where a node was recorded: code and instruction offset, or text; in templates, the number of the recorded node.
Site = tuple[CodeType, int] | str | int | None

NO_PARAMS: dict[str, Any] = {}


class SharedParams(dict[str, Any]):
    """Parameters that are the same object in many nodes, so that these are compared at less cost.

    `kind` is what `lazyxp.structure` has made of them.
    """

    __slots__ = ("kind",)

    def __init__(self, params: Mapping[str, Any]) -> None:
        super().__init__(params)
        self.kind: tuple[Any, ...] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return SharedParams, (dict(self),)


# Planning and `remember` exclude each other, so that no thread sees a node half turned into a source.
graph_lock = threading.RLock()


class Meta(NamedTuple):
    """What is known of an array without computing it."""

    shape: Shape
    dtype: np.dtype[Any]


Inferred = Meta | tuple[Meta, ...]
OPS: dict[str, Op] = {}


class Op:
    """One row of the op table.

    Attributes
    ----------
    name : str
        The standard's name; `linalg.` or `fft.` in front for the extensions.
    kind : str
        The family the op belongs to ("elementwise", "reduction", ...).
    infer : callable
        ``infer(*metas, **params)`` gives the result's `Meta`, or a tuple of them for several outputs.
    commutative, associative, identity, zero_preserving
        Algebraic facts: `identity` is the neutral element, `zero_preserving` says that zeros map to zero.
    """

    __slots__ = ("associative", "commutative", "identity", "infer", "kind", "name", "zero_preserving")

    def __init__(
        self,
        name: str,
        kind: str,
        infer: Callable[..., Inferred],
        *,
        commutative: bool = False,
        associative: bool = False,
        identity: int | bool | None = None,
        zero_preserving: bool = False,
    ) -> None:
        if name in OPS:
            raise ValueError(f"op {name!r} is declared twice")
        self.name = name
        self.kind = kind
        self.infer = infer
        self.commutative = commutative
        self.associative = associative
        self.identity = identity
        self.zero_preserving = zero_preserving
        OPS[name] = self

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return op_named, (self.name,)


def op_named(name: str) -> Op:
    """The op called `name`."""
    return OPS[name]


def _not_inferred(*args: Any, **params: Any) -> Meta:
    raise TypeError("sources, constants and outputs carry their own shape and dtype")


SOURCE = Op("source", "source", _not_inferred)
CONSTANT = Op("constant", "source", _not_inferred)
OUTPUT = Op("output", "output", _not_inferred)
# Stands for a leaf in the template that a plan is made of (`lazyxp.structure`).
INPUT = Op("input", "source", _not_inferred)


class Node:
    """One recorded call.

    `shape` and `dtype` are tuples of shapes and of dtypes where the op has several outputs; an `OUTPUT` node then picks
    one. `value` is the native array of a source, else None: nodes with a value are what graphs start from, whatever
    their op was. `site` is where the user recorded the call.
    """

    __slots__ = ("__weakref__", "args", "dtype", "op", "params", "shape", "site", "value")

    def __init__(
        self,
        op: Op,
        args: tuple[Node, ...],
        params: dict[str, Any],
        shape: Any,
        dtype: Any,
        site: Site = None,
        value: Any = None,
    ) -> None:
        self.op = op
        self.args = args
        self.params = params
        self.shape = shape
        self.dtype = dtype
        self.site = site
        self.value = value

    @property
    def where(self) -> str:
        """The user's line that recorded this node, as ``file.py:12 in function``."""
        return format_site(self.site)

    @property
    def several(self) -> bool:
        """Whether the op has several outputs."""
        return type(self.dtype) is tuple

    def remember(self, value: Any, shape: Any) -> None:
        """Hold `value` as the result of this node, which is a source from now on: its arguments are let go."""
        with graph_lock:
            if self.value is None:
                self.shape = shape
                self.value = value
                self.args = ()

    def __repr__(self) -> str:
        return f"<{self.op.name} {describe(self)}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, _bundled(self)


def describe(node: Node | Meta) -> str:
    """`node`'s dtype and shape as messages print them: ``float64[3, ?]``."""
    if type(node.dtype) is tuple:
        return ", ".join(describe(Meta(s, d)) for s, d in zip(node.shape, node.dtype, strict=True))
    sides = ", ".join("?" if n is None else str(n) for n in node.shape)
    return f"{node.dtype}[{sides}]"


def make(op: Op, *args: Node, site: Site, **params: Any) -> Node:
    """The node of `op` on `args`, its shape and dtype inferred."""
    meta = op.infer(*args, **params)
    if isinstance(meta, Meta):
        return Node(op, args, params, meta.shape, meta.dtype, site)
    return Node(op, args, params, tuple(m.shape for m in meta), tuple(m.dtype for m in meta), site)


def output(node: Node, index: int) -> Node:
    """Output number `index` of a node that has several."""
    return Node(OUTPUT, (node,), {"index": index}, node.shape[index], node.dtype[index], node.site)


def walk(roots: Iterable[Node], known: Container[Node] = ()) -> list[Node]:
    """Every node that `roots` need, once, arguments before users (iterative: graphs may be very deep).

    It stops at nodes that are `known`.
    """
    order: list[Node] = []
    seen: set[Node] = set()
    with graph_lock:
        stack: list[Node | None] = list(roots)
        stack.reverse()
        path: list[Node] = []
        while stack:
            node = stack.pop()
            if node is None:
                order.append(path.pop())
            elif node not in seen and node not in known:
                seen.add(node)
                if node.args:
                    path.append(node)
                    stack.append(None)
                    stack.extend(reversed(node.args))
                else:
                    order.append(node)
    return order


# --- the user's line ---------------------------------------------------------------------------------------------

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_DEMO = _PACKAGE + "demo" + os.sep
_internal: dict[str, bool] = {}


def _is_internal(filename: str) -> bool:
    answer = filename.startswith(_PACKAGE) and not filename.startswith(_DEMO)
    _internal[filename] = answer
    return answer


# The places that record, once each however often they do: graphs are smaller, and the garbage collector has less to
# walk over. By the number of the code object, which it keeps while it is here, and the offset.
_sites: dict[int, dict[int, tuple[CodeType, int]]] = {}
_MOST_CODES = 2_000


def user_site(depth: int = 2) -> Site:
    """Code and instruction offset of the nearest caller outside this package, at least `depth` frames up."""
    frame = sys._getframe(depth)
    known = _internal.get
    while True:
        filename = frame.f_code.co_filename
        internal = known(filename)
        if internal is None:
            internal = _is_internal(filename)
        if not internal or frame.f_back is None:
            break
        frame = frame.f_back
    code = frame.f_code
    offset = frame.f_lasti
    try:
        return _sites[id(code)][offset]
    except KeyError:
        if len(_sites) >= _MOST_CODES:
            _sites.clear()
        found = _sites.setdefault(id(code), {})[offset] = code, offset
        return found


def format_site(site: Site) -> str:
    """`site` as ``file.py:12 in function``."""
    if site is None:
        return "<unknown>"
    if isinstance(site, str):
        return site
    if isinstance(site, int):
        return f"<recorded node {site}>"
    code, offset = site
    line = code.co_firstlineno
    for start, end, number in code.co_lines():
        if start <= offset < end and number is not None:
            line = number
    return f"{code.co_filename}:{line} in {code.co_name}"


# --- pickling ----------------------------------------------------------------------------------------------------


class _Bundle:
    """Nodes that are pickled as one flat list.

    Pickling a deep graph then does not recurse, and what several nodes in one pickle share stays shared.
    """

    __slots__ = ("__weakref__", "nodes")

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    def __reduce__(self) -> tuple[Any, ...]:
        number = {node: i for i, node in enumerate(self.nodes)}
        with graph_lock:
            flat = [
                (
                    n.op,
                    [number.get(a, a) for a in n.args],  # a node itself where it is in another bundle
                    n.params,
                    n.shape,
                    n.dtype,
                    format_site(n.site),
                    n.value,
                )
                for n in self.nodes
            ]
        return _unbundled, (flat,)


# Where each node is bundled, as long as a pickler holds the bundle.
_bundles: weakref.WeakKeyDictionary[Node, tuple[weakref.ref[_Bundle], int]] = weakref.WeakKeyDictionary()


def _bundled(node: Node) -> tuple[_Bundle, int]:
    """The bundle of `node`, and its place there."""
    with graph_lock:
        reference, place = _bundles.get(node, (None, 0))
        bundle = reference() if reference is not None else None
        if bundle is None:
            bundle = _Bundle(walk([node], known=_Bundled()))
            known = weakref.ref(bundle)
            for i, n in enumerate(bundle.nodes):
                _bundles[n] = known, i
            place = len(bundle.nodes) - 1
    return bundle, place


class _Bundled:
    """The nodes that are in a bundle which is still held."""

    def __contains__(self, node: object) -> bool:
        known = _bundles.get(node)  # type: ignore[call-overload]
        return known is not None and known[0]() is not None


def _unbundled(flat: list[tuple[Any, ...]]) -> _Bundle:
    nodes: list[Node] = []
    for op, args, params, shape, dtype, site, value in flat:
        found = tuple(nodes[a] if isinstance(a, int) else a for a in args)
        one = tuple(map(canonical, dtype)) if type(dtype) is tuple else canonical(dtype)
        nodes.append(Node(op, found, params, shape, one, site, value))
    return _Bundle(nodes)


def _unpickled(bundle: _Bundle, place: int) -> Node:
    return bundle.nodes[place]


def short(params: Mapping[str, Any], limit: int = 40) -> dict[str, str]:
    """The parameters as short text, for labels and messages."""
    return {k: r if len(r := _plain(v)) <= limit else r[: limit - 1] + "…" for k, v in params.items()}


def _plain(value: Any) -> str:
    if isinstance(value, slice):
        parts = ["" if p is None else str(p) for p in (value.start, value.stop, value.step)]
        return ":".join(parts if parts[2] else parts[:2])
    if isinstance(value, tuple):
        inner = ", ".join(_plain(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, np.dtype):
        return value.name
    return "..." if value is Ellipsis else repr(value)
