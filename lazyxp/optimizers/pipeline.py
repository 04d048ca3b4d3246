"""The passes in the order in which they run, and how others are added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import NamedTuple

from lazyxp.node import Node, describe
from lazyxp.optimizers.graph import LEVELS, Graph
from lazyxp.optimizers.rewrite import Rule, rewrite

GROUP = "lazyxp.optimizers"


class Pass(NamedTuple):
    """One pass over the graph.

    Attributes
    ----------
    name : str
        Unique; registering another pass of this name replaces it.
    level : {"exact", "rounding", "finite"}
        What the pass may change; it is left out where `optimize=` does not allow that.
    run : callable
        ``run(graph)`` takes a `lazyxp.optimizers.graph.Graph` and returns the new roots, as many as there were.
    """

    name: str
    level: str
    run: Callable[[Graph], list[Node]]


def rules_pass(name: str, rules: Sequence[Rule]) -> Pass:
    """A pass that applies `rules`, each as far as its own level is allowed."""
    fixed = tuple(rules)
    return Pass(name, LEVELS[0], lambda graph: rewrite(graph, fixed))


def _builtin() -> list[Pass]:
    """The passes that come with lazyxp."""
    from lazyxp.optimizers import contractions, push_down, push_up, reductions
    from lazyxp.optimizers.rules import CLEANING

    return [
        rules_pass("cleaning", CLEANING),
        Pass("push-up", "exact", push_up.run),
        Pass("push-down", "exact", push_down.run),
        Pass("contractions", "exact", contractions.run),
        Pass("reductions", "exact", reductions.run),
        rules_pass("cleaning again", CLEANING),
    ]


def _last() -> list[Pass]:
    """What runs after every other pass: kernels are opaque to rules."""
    from lazyxp.optimizers import fuse, initials, joining, selections, sliding

    return [
        Pass("selections", "rounding", selections.run),
        Pass("initials", "rounding", initials.run),
        Pass("fuse", "rounding", fuse.run),
        Pass("joining", "rounding", joining.run),
        Pass("sliding", "rounding", sliding.run),
    ]


_registered: dict[str, Pass] = {}
_plugins: dict[str, Pass] | None = None
# Goes up with every pass that is registered: cached plans are those of one version.
version = 0


def register_pass(new: Pass) -> None:
    """Add a pass to the optimizer: it runs after lazyxp's own, in the order of registration.

    Parameters
    ----------
    new : Pass
        See `lazyxp.optimizers.Pass`; `lazyxp.optimizers.rules_pass` makes one of rules.

    Raises
    ------
    TypeError
        If `new` is no `Pass`.
    ValueError
        If its level is none of "exact", "rounding", "finite".

    Notes
    -----
    A package adds passes without being imported through the entry-point group ``lazyxp.optimizers``, whose entry
    points refer to a `Pass`.

    Examples
    --------
    >>> import lazyxp as xp
    >>> from lazyxp.optimizers import Rule, call, rules_pass, x
    >>> rule = Rule("abs of negative", "exact", call("abs", call("negative", x)), lambda m: m.make("abs", m.x))
    >>> xp.register_pass(rules_pass("toy", [rule]))
    >>> xp.abs(-xp.asarray([1.0, -2.0])).compute()
    array([1., 2.])
    """
    global version
    _check(new)
    _registered[new.name] = new
    version += 1


def _check(new: object) -> None:
    if not isinstance(new, Pass) or not callable(new.run):
        raise TypeError(f"register_pass: expected a lazyxp.optimizers.Pass, got {new!r}")
    if new.level not in LEVELS:
        raise ValueError(f"pass {new.name!r}: level {new.level!r} is none of {', '.join(map(repr, LEVELS))}")


def is_extended() -> bool:
    """Whether there are passes besides those that come with lazyxp."""
    return bool(_registered) or bool(_loaded())


def _loaded() -> dict[str, Pass]:
    """The passes of other packages."""
    global _plugins
    if _plugins is None:
        loaded: dict[str, Pass] = {}
        for point in entry_points(group=GROUP):
            one = point.load()
            _check(one)
            loaded[one.name] = one
        _plugins = loaded  # not before all are there: what cannot be loaded is said each time, never left out
    return _plugins


def passes() -> list[Pass]:
    """Every pass, in order."""
    named = {one.name: one for one in _builtin()}
    last = {one.name: one for one in _last()}
    found = {**named, **last, **_loaded(), **_registered}
    return [*[one for name, one in found.items() if name not in last], *[found[name] for name in last]]


def optimize(graph: Graph) -> None:
    """Run every pass that `graph` allows."""
    for one in passes():
        if one.level in graph.allowed:
            graph.roots = _run(one, graph)


def _run(one: Pass, graph: Graph) -> list[Node]:
    """The roots that a pass gives, which have to be of the shapes and data types that they had."""
    before = list(graph.roots)
    try:
        after = list(one.run(graph))
    except Exception as error:
        error.add_note(f"lazyxp: while pass {one.name!r} ran")
        raise
    if len(after) != len(before):
        raise ValueError(f"pass {one.name!r} returned {len(after)} roots for {len(before)}")
    if not all(map(_is_alike, after, before)):
        raise ValueError(f"pass {one.name!r} returned roots {_described(after)} for {_described(before)}")
    return after


def _is_alike(new: Node, old: Node) -> bool:
    """Whether both are of one data type and shape; lengths that were not known may be known now."""
    if new is old:
        return True
    alike = new.dtype == old.dtype and len(new.shape) == len(old.shape)
    return alike and all(n == m or m is None for n, m in zip(new.shape, old.shape, strict=True))


def _described(roots: Sequence[Node]) -> str:
    return ", ".join([describe(node) for node in roots])
