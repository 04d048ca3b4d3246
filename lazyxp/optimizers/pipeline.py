"""The passes in the order in which they run, and how others are added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import NamedTuple

from lazyxp.node import Node
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
    from lazyxp.optimizers import fuse

    return [Pass("fuse", "rounding", fuse.run)]


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


def passes() -> list[Pass]:
    """Every pass, in order."""
    global _plugins
    if _plugins is None:
        _plugins = {}
        for point in entry_points(group=GROUP):
            loaded = point.load()
            _check(loaded)
            _plugins[loaded.name] = loaded
    named = {one.name: one for one in _builtin()}
    return [*{**named, **_plugins, **_registered}.values(), *_last()]


def optimize(graph: Graph) -> None:
    """Run every pass that `graph` allows."""
    for one in passes():
        if one.level in graph.allowed:
            before = len(graph.roots)
            graph.roots = one.run(graph)
            if len(graph.roots) != before:
                raise ValueError(f"pass {one.name!r} returned {len(graph.roots)} roots for {before}")
