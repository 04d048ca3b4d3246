"""Random graphs: programs that record through the public namespace, made from a seed and printable as Python.

``python -m tests.optimizers.random_graphs SEED`` prints the program of a seed, checks it, and makes it smaller while it
still fails.
"""

from __future__ import annotations

import math
import random
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import lazyxp as xp
from lazyxp.api.recording import current
from lazyxp.errors import LazyxpError
from lazyxp.node import Node
from lazyxp.testing.inputs import DTYPES

# What recording says no with; anything else that it raises is a bug.
REFUSALS = (TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError, LazyxpError)
_SMALL, _LARGE = 4_000, 200_000
_EXTREME = {"f": (np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 1e-40, 5e-324, 3e38, 1e300)}


def data(
    number: int, shape: tuple[int, ...], dtype: str, values: str = "plain", layout: str = "C"
) -> np.ndarray[Any, Any]:
    """The array of this number: `values` are "plain", "smooth" or "special", `layout` says how it lies in memory."""
    rng = np.random.default_rng(number)
    wanted = np.dtype(dtype)
    if wanted.kind == "c":
        parts = [_numbers(rng, shape, np.zeros(0, wanted).real.dtype, values) for _ in range(2)]
        result = np.empty(shape, wanted)
        result.real, result.imag = parts
    else:
        result = _numbers(rng, shape, wanted, values)
    return _laid_out(result, layout)


def _numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any], values: str) -> Any:
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "iu":
        result = rng.integers(0 if dtype.kind == "u" else -4, 6, shape).astype(dtype)
        if values == "special":
            limits = np.iinfo(dtype)
            result = np.where(rng.random(shape) < 0.4, rng.choice([limits.min, limits.max], shape), result)
        return np.asarray(result).astype(dtype)
    result = rng.integers(-4, 6, shape) / 2 if values != "smooth" else rng.normal(size=shape)
    if values == "special":
        with np.errstate(all="ignore"):
            extreme = np.array(_EXTREME["f"]).astype(dtype)
        result = np.where(rng.random(shape) < 0.3, rng.choice(extreme, shape), result)
    return np.asarray(result).astype(dtype)


def _laid_out(x: np.ndarray[Any, Any], layout: str) -> np.ndarray[Any, Any]:
    """`x` with other strides."""
    if layout == "F":
        return np.asfortranarray(x)
    if layout == "reversed":
        return np.flip(np.flip(x).copy())
    if layout == "strided" and x.ndim:
        wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), x.dtype)
        wide[..., ::2] = x
        return wide[..., ::2]
    if layout == "transposed" and x.ndim > 1:
        return x.swapaxes(0, -1).copy().swapaxes(0, -1)
    return x


class Program(NamedTuple):
    """A program: lines of Python that make arrays, and the names of those that are computed."""

    seed: int
    lines: tuple[str, ...]
    outputs: tuple[str, ...]

    def source(self) -> str:
        """Python code that computes the outputs at two levels."""
        head = ["import numpy as np", "import lazyxp as xp", "from tests.optimizers.random_graphs import data"]
        names = ", ".join(self.outputs)
        tail = [f'print(xp.compute({names}, optimize="{level}"))' for level in ("none", "exact")]
        return "\n".join([*head, 'xp.set_options(materialize="raise")', *self.lines, *tail])

    def record(self, shift: int = 0) -> list[xp.Array]:
        """The outputs, recorded anew; another `shift` gives other data in the same places."""
        env = {"xp": xp, "np": np, "data": lambda number, *args: data(number + shift, *args)}
        with xp.set_options(materialize="raise"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile("\n".join(self.lines), f"<graph {self.seed}>", "exec"), env)
        return [env[name] for name in self.outputs]

    def without(self, drop: set[int]) -> Program:
        """The program without some lines, those that need them, and the outputs that are then gone."""
        known: set[str] = set()
        kept = []
        for i, line in enumerate(self.lines):
            made, needed = _names(line)
            if i not in drop and needed <= known:
                known |= made
                kept.append(line)
        return Program(self.seed, tuple(kept), tuple(name for name in self.outputs if name in known))


_NAME = re.compile(r"\bv\d+\b")
_ASSIGNED = re.compile(r"((?:v\d+, )*v\d+) = ")


def _names(line: str) -> tuple[set[str], set[str]]:
    """The names that a line makes and those that it needs."""
    assigned = _ASSIGNED.match(line)
    made = set(_NAME.findall(assigned[1])) if assigned else set()
    return made, set(_NAME.findall(line[assigned.end() :] if assigned else line))


class Dropped(Exception):
    """Recording refused a step."""


class Maker:
    """A program while it is made: lines are recorded one by one, and those that recording refuses are dropped."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lines: list[str] = []
        self.names: list[str] = []
        self.large = self.rng.random() < 0.03
        self.most = _LARGE if self.large else _SMALL
        self.env: dict[str, Any] = {"xp": xp, "np": np, "data": data}
        self._count = 0

    # --- lines -------------------------------------------------------------------------------------------------------

    def write(self, line: str) -> None:
        """Run `line`, and keep it unless recording refuses it."""
        try:
            exec(compile(line, "<graph>", "exec"), self.env)
        except REFUSALS:
            raise Dropped(line) from None
        self.lines.append(line)

    def add(self, expression: str) -> str:
        """The name of the array that `expression` makes."""
        return self.several(expression, 1)[0]

    def several(self, expression: str, count: int | None = None) -> list[str]:
        """The names of the arrays that `expression`, a tuple of them, makes."""
        try:
            value = eval(compile(expression, "<graph>", "eval"), self.env)
        except REFUSALS:
            raise Dropped(expression) from None
        values = [value] if count == 1 else list(value)
        if not values or any(self._elements(current(v).shape) > self.most for v in values):
            raise Dropped(expression)
        names = [f"v{self._count + i}" for i in range(len(values))]
        self._count += len(values)
        self.env.update(zip(names, values, strict=True))
        comma = "," if count is None and len(values) == 1 else ""
        self.lines.append(f"{', '.join(names)}{comma} = {expression}")
        self.names += names
        return names

    def _elements(self, shape: Sequence[int | None]) -> int:
        """At most how many elements there are: an unknown side is not longer than what is large here."""
        return math.prod(self.most // 8 if n is None else n for n in shape)

    # --- what there is -----------------------------------------------------------------------------------------------

    def node(self, name: str) -> Node:
        """The node of a variable."""
        return current(self.env[name])

    def shape(self, name: str) -> tuple[int | None, ...]:
        """Its shape."""
        return tuple(self.node(name).shape)

    def kind(self, name: str) -> str:
        """The kind of its dtype."""
        return str(self.node(name).dtype.kind)

    def chance(self, share: float) -> bool:
        """True in this share of the cases."""
        return self.rng.random() < share

    def one(self, *choices: Any) -> Any:
        """One of the choices."""
        return self.rng.choice(choices)

    def pick(
        self, kinds: str = "biufc", least: int = 0, most: int = 9, fits: Callable[[str], bool] | None = None
    ) -> str:
        """A variable of these kinds of dtype with so many axes; a new source where there is none."""
        found = [n for n in self.names if self.kind(n) in kinds and least <= len(self.shape(n)) <= most]
        if fits is not None:
            found = [n for n in found if fits(n)]
        if not found or self.chance(0.05):
            return self.array(self.sides(least, most), kinds)
        return self.rng.choice(found[-5:] if self.chance(0.7) else found)

    def sides(self, least: int = 0, most: int = 9) -> tuple[int, ...]:
        """A random shape."""
        if self.large and self.chance(0.5):
            shapes = [s for s in ((70_000,), (300, 240), (7, 10_000), (40, 41, 43)) if least <= len(s) <= most]
            if shapes:
                return tuple(self.rng.choice(shapes))
        ndim = min(max(self.rng.choices(range(5), (10, 30, 40, 15, 5))[0], least), most)
        return tuple([0 if self.chance(0.02) else self.rng.randint(1, 5) for _ in range(ndim)])

    def array(self, shape: tuple[int | None, ...], kinds: str = "biufc", *, tame: bool = False) -> str:
        """A variable of this shape: one that exists, or a new source (of small finite values where `tame`)."""
        found = [n for n in self.names if self.shape(n) == shape and self.kind(n) in kinds]
        if found and not tame and self.chance(0.6):
            return self.rng.choice(found)
        if None in shape:
            raise Dropped("no array of unknown shape")
        dtypes = [d for d in DTYPES if d.kind in kinds]
        if "f" in kinds and self.chance(0.4):
            dtypes = [d for d in dtypes if d.kind == "f"]
        dtype = self.rng.choice(dtypes)
        values = "smooth" if tame else self.rng.choices(("plain", "smooth", "special"), (40, 35, 25))[0]
        number = self.rng.randrange(1_000)
        layout = self.one("C", "C", "C", "F", "reversed", "strided", "transposed")
        what = f"data({number}, {shape}, {dtype.name!r}, {values!r}, {layout!r})"
        return self.add(f"xp.asarray({what}{self.one('', '', ', copy=False', ', copy=True')})")

    def fitting(self, name: str, kinds: str = "biufc") -> str:
        """A variable that broadcasts with `name`."""
        shape = self.shape(name)
        if self.chance(0.15):
            return name
        found = [n for n in self.names if self.kind(n) in kinds and _broadcast(self.shape(n), shape)]
        if found and self.chance(0.6):
            return self.rng.choice(found)
        known = [1 if n is None or self.chance(0.3) else n for n in shape]
        return self.array(tuple(known[self.rng.choice((0, 0, 0, 1)) :]), kinds)


def _broadcast(one: Sequence[int | None], two: Sequence[int | None]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(one[::-1], two[::-1], strict=False))


def random_graph(seed: int) -> Program:
    """The program of `seed`."""
    from tests.optimizers import random_linear, random_patterns  # noqa: F401 - they register their steps
    from tests.optimizers.random_steps import STEPS, WEIGHTS

    maker = Maker(seed)
    rng = maker.rng
    with xp.set_options(materialize="raise"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(rng.choice((4, 8, 15, 25, 40))):
            try:
                rng.choices(STEPS, WEIGHTS)[0](maker)
            except Dropped:
                continue
        if not maker.names:
            maker.array((2, 3))
    computed = [name for name in maker.names if maker.node(name).value is None] or maker.names
    if maker.chance(0.5):  # every result that nothing else reads
        read = set().union(*[_names(line)[1] for line in maker.lines])
        outputs = [name for name in computed if name not in read] or computed[-1:]
    else:
        outputs = rng.sample(computed[-30:], min(rng.choice((1, 2, 4, 7, 12)), len(computed[-30:])))
    return _needed(Program(seed, tuple(maker.lines), tuple(outputs)))


def _needed(program: Program) -> Program:
    """The program without lines that no output needs; assignments count for all that follows."""
    wanted = set(program.outputs)
    kept = []
    for line in reversed(program.lines):
        made, needed = _names(line)
        if not made or made & wanted:
            wanted |= needed
            kept.append(line)
    return Program(program.seed, tuple(reversed(kept)), program.outputs)


def shrunk(program: Program, fails: Callable[[Program], bool]) -> Program:
    """A smaller program that still fails."""
    smaller = True
    while smaller:
        smaller = False
        for trial in _smaller(program):
            if trial.outputs and _records(trial) and fails(trial):
                program, smaller = trial, True
                break
    return program


def _smaller(program: Program) -> Any:
    for output in program.outputs if len(program.outputs) > 1 else ():
        yield _needed(program._replace(outputs=(output,)))
    for output in program.outputs if len(program.outputs) > 1 else ():
        yield _needed(program._replace(outputs=tuple(o for o in program.outputs if o != output)))
    for i in reversed(range(len(program.lines))):
        yield _needed(program.without({i}))
    for line in reversed(program.lines):  # what goes into an output instead of the output
        made, needed = _names(line)
        if made & set(program.outputs):
            for name in sorted(needed - set(program.outputs)):
                yield _needed(program._replace(outputs=(*[o for o in program.outputs if o not in made], name)))


def _records(program: Program) -> bool:
    try:
        program.record()
    except (*REFUSALS, NameError):
        return False
    return True


def main() -> None:
    """Print, check and shrink the program of each seed given."""
    from tests.optimizers.agreement import disagreement

    for seed in map(int, sys.argv[1:]):
        program = random_graph(seed)
        print(program.source())
        problem = disagreement(program)
        print(f"# seed {seed}:", problem or "agrees")
        if problem:
            small = shrunk(program, lambda p: disagreement(p) is not None)
            print(f"# smaller:\n{small.source()}\n# {disagreement(small)}")


if __name__ == "__main__":
    from tests.optimizers import random_graphs  # the module that the steps know, not this copy of it

    random_graphs.main()
