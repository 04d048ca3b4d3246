"""The steps of random graphs: every function of the namespace, and the patterns that rewrites look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lazyxp.testing.inputs import DTYPES
from tests.optimizers.random_graphs import Dropped, Maker

Step = Callable[[Maker], Any]
STEPS: list[Step] = []
WEIGHTS: list[float] = []

_REAL = "biuf"
_TELLING = ("0", "1", "2", "-1", "0.5", "-0.0", "0.0", "1.0", "2.0", "4", "0.25", "3", "3.0", "-2.0", "1024", "2.0**-3")
_OTHER = ("3.7", "0.1", "7", "-5", "1e10", "xp.nan", "xp.inf", "-xp.inf", "True", "1j", "2.0+0.5j", "1e-30")

UNARY = {
    "biufc": "abs conj isfinite isinf isnan negative positive real round sign square",
    "biuf": "ceil floor trunc",
    "fc": "acos acosh asin asinh atan atanh cos cosh exp expm1 log log10 log1p log2 reciprocal sin sinh sqrt tan tanh",
    "f": "signbit",
    "c": "imag",
    "biu": "bitwise_invert",
    "b": "logical_not",
}
BINARY = {
    "biufc": "add subtract multiply equal not_equal pow",
    "fc": "divide",
    "biuf": "floor_divide remainder maximum minimum less less_equal greater greater_equal",
    "f": "atan2 copysign hypot logaddexp nextafter",
    "biu": "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift",
    "b": "logical_and logical_or logical_xor",
}
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=", "==", "!=", "&", "|", "^", "<<", ">>")


def step(weight: float = 1.0) -> Callable[[Step], Step]:
    """Register a step; those of greater weight are taken more often."""

    def register(function: Step) -> Step:
        STEPS.append(function)
        WEIGHTS.append(weight)
        return function

    return register


def scalar(m: Maker, kind: str = "f") -> str:
    """A Python scalar, most often one that rewrites know."""
    text = m.rng.choice(_TELLING if m.chance(0.75) else _OTHER)
    if kind in "biu" and m.chance(0.8):
        return m.one("0", "1", "2", "-1", "4", "3", "True")
    return f"({text})" if text[0] == "-" or "*" in text else text


def axis(m: Maker, name: str) -> int:
    """An axis of a variable, from the front or from the back."""
    ndim = len(m.shape(name))
    if not ndim:
        raise Dropped("no axes")
    return m.rng.randrange(-ndim, ndim)


def axes(m: Maker, name: str) -> Any:
    """None, one axis or several."""
    ndim = len(m.shape(name))
    if ndim < 2 or m.chance(0.6):
        return axis(m, name) if ndim and m.chance(0.7) else None
    return tuple(m.rng.sample(range(ndim), m.rng.randint(0, ndim)))


def slice_of(m: Maker, side: int | None) -> str:
    """A slice."""
    n = 4 if side is None else side
    if m.chance(0.1):
        return m.one(":", "::-1", "::2", "1:", ":-1", ":1", "-2:", "0:0", "1:-1")
    if m.chance(0.25):
        return ":"
    ends = [m.one("", m.rng.randint(-n - 1, n + 2)) for _ in range(2)]
    pace = m.rng.choices(("", ":2", ":-1", ":3", ":-2"), (60, 12, 14, 7, 7))[0]
    return f"{ends[0]}:{ends[1]}{pace}"


def basic_key(m: Maker, shape: tuple[int | None, ...]) -> str:
    """A key of slices, integers, new axes and an ellipsis."""
    entries = []
    for side in shape[: m.rng.randint(0, len(shape)) if m.chance(0.3) else len(shape)]:
        if side and m.chance(0.25):
            entries.append(str(m.rng.randrange(-side, side)))
        else:
            entries.append(slice_of(m, side))
    if m.chance(0.15):
        entries.insert(m.rng.randint(0, len(entries)), "None")
    if m.chance(0.1) or not entries:
        entries.insert(m.rng.randint(0, len(entries)), "...")
    return ", ".join(entries)


def indices(m: Maker, side: int | None, shape: tuple[int, ...] | None = None) -> str:
    """Integers that select from an axis of this length, as an array."""
    n = 3 if side is None else side
    if n and m.chance(0.3):
        found = m.pick("iu", 0 if shape is None else len(shape), 3 if shape is None else len(shape))
        return m.add(f"{found} % {n}")
    if m.chance(0.04):
        n += 1
    if shape is None:
        shape = m.one((), (0,), (1,), (3,), (4,), (2, 2))
    if not n and 0 not in shape:
        raise Dropped("nothing to select")

    def nested(sides: tuple[int, ...]) -> Any:
        return [nested(sides[1:]) for _ in range(sides[0])] if sides else m.rng.randrange(-n if side else 0, n)

    dtype = m.one("int64", "int64", "int32", "uint8") if 0 in shape else m.one("int64", "int64", "int8")
    return m.add(f"xp.asarray({nested(shape)}, dtype='{dtype}')")


def mask(m: Maker, shape: tuple[int | None, ...]) -> str:
    """A mask of this shape."""
    if m.chance(0.5):
        name = m.array(shape, _REAL)
        return m.add(f"{name} {m.one('>', '<', '==', '!=')} {scalar(m)}")
    return m.array(shape, "b")


def any_key(m: Maker, name: str) -> str:
    """A key of any kind."""
    shape = m.shape(name)
    if m.chance(0.6):
        return basic_key(m, shape)
    if m.chance(0.35):
        return mask(m, shape[: m.rng.randint(0, len(shape))] if m.chance(0.3) else shape)
    entries = []
    for side in shape:
        kind = m.rng.choices(("index", "slice", "int"), (50, 35, 15))[0]
        if kind == "index":
            entries.append(indices(m, side, m.one((), (2,), (2,), (2, 1), (0,))))
        else:
            entries.append(slice_of(m, side) if kind == "slice" or not side else str(m.rng.randrange(side)))
    return ", ".join(entries) or "..."


# --- single calls ----------------------------------------------------------------------------------------------------


@step(10)
def unary(m: Maker) -> None:
    kinds = m.rng.choices(tuple(UNARY), [len(v.split()) for v in UNARY.values()])[0]
    name = m.rng.choice(UNARY[kinds].split())
    m.add(f"xp.{name}({m.pick(kinds)})")


@step(9)
def binary(m: Maker) -> None:
    kinds = m.rng.choices(tuple(BINARY), [len(v.split()) for v in BINARY.values()])[0]
    name = m.rng.choice(BINARY[kinds].split())
    one = m.pick(kinds)
    two = scalar(m, m.kind(one)) if m.chance(0.3) else m.fitting(one, kinds)
    if m.chance(0.3):
        one, two = two, one
    m.add(f"xp.{name}({one}, {two})")


@step(5)
def operator(m: Maker) -> None:
    sign = m.rng.choice(OPERATORS)
    kinds = {"<": "biuf", ">": "biuf", "/": "fc", "%": "biuf", "&": "biu", "|": "biu", "^": "biu"}
    one = m.pick(kinds.get(sign[0], "biufc"))
    two = scalar(m, m.kind(one)) if m.chance(0.5) else m.fitting(one)
    if m.chance(0.3):
        one, two = two, one
    m.add(f"{one} {sign} {two}")


@step(1)
def sign_operator(m: Maker) -> None:
    m.add(f"{m.one('-', '+', '~', 'abs')}({m.pick()})")


@step(2)
def cast(m: Maker) -> None:
    name = m.pick()
    for _ in range(m.one(1, 1, 2)):
        name = m.add(f"xp.astype({name}, xp.{m.rng.choice(DTYPES).name})")


@step(1)
def clip(m: Maker) -> None:
    name = m.pick(_REAL)
    low, high = (m.one("None", scalar(m, m.kind(name)), m.fitting(name, m.kind(name))) for _ in range(2))
    m.add(f"xp.clip({name}, {low}, {high})")


@step(2)
def where(m: Maker) -> None:
    name = m.pick()
    other = m.one(name, scalar(m), m.fitting(name))
    one, two = (name, other) if m.chance(0.5) else (other, name)
    made = m.add(f"xp.where({m.fitting(name, 'b')}, {one}, {two})")
    if m.chance(0.3):
        m.add(f"xp.where({m.fitting(made, 'b')}, {made}, {m.one(one, two)})")


@step(5)
def getitem(m: Maker) -> None:
    name = m.pick(least=1)
    m.add(f"{name}[{any_key(m, name)}]")


@step(3)
def setitem(m: Maker) -> None:
    name = m.pick(least=m.one(0, 1, 1))
    if m.chance(0.5):
        name = m.add(f"xp.asarray({name}, copy=True)")
    target = name
    for _ in range(m.one(0, 0, 1, 2)):
        target = view_of(m, target)
    key = any_key(m, target)
    value = scalar(m, m.kind(target)) if m.chance(0.4) else m.pick(most=1)
    if m.chance(0.3):
        value = m.fitting(m.add(f"{target}[{key}]"))
    m.write(f"{target}[{key}] {m.one('=', '=', '+=', '*=', '-=')} {value}")
    if target != name and m.chance(0.7):
        m.add(f"{name} + {scalar(m)}")


def view_of(m: Maker, name: str) -> str:
    ndim = len(m.shape(name))
    choices = [
        f"{name}[{basic_key(m, m.shape(name))}]",
        f"xp.reshape({name}, (-1,))",
        f"xp.expand_dims({name}, axis=0)",
    ]
    if ndim:
        choices += [f"xp.flip({name}, axis={axis(m, name)})"]
    if ndim == 2:
        choices += [f"{name}.T", f"{name}.mT"]
    if m.kind(name) == "c":
        choices += [f"xp.real({name})", f"xp.imag({name})"] * 2
    return m.add(m.rng.choice(choices))


@step(1)
def in_place(m: Maker) -> None:
    name = m.add(f"xp.asarray({m.pick()}, copy=True)")
    m.write(f"{name} {m.one('+', '-', '*', '/', '**', '//', '%', '&', '|', '^')}= {m.one(scalar(m), m.fitting(name))}")


@step(1)
def part_written(m: Maker) -> None:
    name = m.add(f"xp.asarray({m.pick('c')}, copy=True)")
    part = m.add(f"xp.{m.one('real', 'imag')}({name})")
    m.write(f"{part}[{basic_key(m, m.shape(part))}] = {scalar(m)}")


@step(5)
def movement(m: Maker) -> str:
    return moved(m, m.pick())


def moved(m: Maker, name: str) -> str:
    shape = m.shape(name)
    ndim = len(shape)
    size = m.node(name).shape
    order = m.rng.sample(range(ndim), ndim)
    choices = [
        f"xp.permute_dims({name}, {tuple(order)})",
        f"xp.expand_dims({name}, axis={m.rng.randint(-ndim - 1, ndim)})",
        f"xp.flip({name}, axis={axes(m, name)})",
        f"xp.broadcast_to({name}, ({m.one('2, ', '3, ', '')}*{name}.shape,))",
        f"xp.roll({name}, {m.rng.randint(-6, 6)}, axis={m.rng.randrange(ndim) if ndim else None})",
        f"xp.roll({name}, {m.rng.randint(-6, 6)})",
        f"xp.tile({name}, {tuple(m.rng.choice((1, 2, 1, 3, 0)) for _ in range(m.rng.randint(0, ndim + 1)))})",
        f"xp.reshape({name}, (-1,))",
        f"xp.fft.{m.one('fftshift', 'ifftshift')}({name})",
    ]
    if None not in size and ndim:
        total = m.env[name].size
        sides = [n for n in (1, 2, 3, 4, 5, 6) if total % n == 0]
        if sides:
            choices += [f"xp.reshape({name}, ({m.rng.choice(sides)}, {m.one(-1, '-1, 1')}))"] * 2
    if ndim:
        i = axis(m, name)
        choices += [
            f"xp.repeat({name}, {m.rng.randint(0, 3)}, axis={i})",
            f"xp.roll({name}, ({m.rng.randint(-3, 3)}, 1), axis=({i}, {axis(m, name)}))",
            f"xp.moveaxis({name}, {i}, {axis(m, name)})",
            f"xp.flip({name}, axis={i})",
        ]
    ones = [i for i, n in enumerate(shape) if n == 1]
    if ones:
        choices += [f"xp.squeeze({name}, axis={m.rng.choice(ones)})"] * 2
    if any(n == 1 for n in shape):
        choices += [f"xp.broadcast_to({name}, {tuple(3 if n == 1 else n for n in shape)})"] * 3
    if ndim >= 2:
        choices += [
            f"{name}.mT",
            f"xp.matrix_transpose({name})",
            f"xp.linalg.diagonal({name}, offset={m.rng.randint(-2, 3)})",
            f"xp.tril({name}, k={m.rng.randint(-2, 2)})",
            f"xp.triu({name}, k={m.rng.randint(-2, 2)})",
        ]
    return m.add(m.rng.choice(choices))


@step(3)
def joining(m: Maker) -> str:
    name = m.pick(least=1)
    others = [m.one(name, m.array(m.shape(name))) for _ in range(m.rng.randint(0, 2))]
    both = f"[{', '.join([name, *others])}]"
    if m.chance(0.6):
        made = m.add(f"xp.concat({both}, axis={m.one(axis(m, name), None)})")
    else:
        made = m.add(f"xp.stack({both}, axis={axis(m, name)})")
    if m.chance(0.5):
        return m.add(f"{made}[{basic_key(m, m.shape(made))}]")
    return made


@step(0.7)
def parting(m: Maker) -> None:
    name = m.pick(least=1, most=3)
    if (m.shape(name)[0] or 9) > 6:
        raise Dropped("too many parts")
    m.several(f"xp.unstack({name}, axis=0)")


@step(0.7)
def broadcasting(m: Maker) -> None:
    name = m.pick()
    m.several(f"xp.broadcast_arrays({name}, {m.fitting(name)})")


@step(0.7)
def repeated(m: Maker) -> None:
    name = m.pick(least=1)
    i = axis(m, name)
    counts = m.add(f"{m.array((m.shape(name)[i],), 'biu')} % 3")
    m.add(f"xp.repeat({name}, {counts}, axis={i})")


@step(5)
def reduction(m: Maker) -> str:
    return reduced(m, m.pick())


def reduced(m: Maker, name: str) -> str:
    keep = m.one("", "", ", keepdims=True")
    kind = m.kind(name)
    names = ["all", "any", "count_nonzero"]
    if kind != "b":
        names += ["sum"] * 3 + ["prod"]
    if kind in "iuf":
        names += ["max", "min"] * 2
    if kind in "fc":
        names += ["mean"] * 2
    if kind == "f":
        names += ["var", "std"]
    function = m.rng.choice(names)
    more = m.one("", ", dtype=xp.float64", ", dtype=xp.complex128") if function in ("sum", "prod") else ""
    if function in ("var", "std"):
        more = m.one("", ", correction=1", ", correction=0.5")
    return m.add(f"xp.{function}({name}, axis={axes(m, name)}{keep}{more})")


@step(1.5)
def scan(m: Maker) -> None:
    name = m.pick("iufc", 1)
    choices = [
        f"xp.cumulative_{m.one('sum', 'prod')}({name}, axis={axis(m, name)}{m.one('', ', include_initial=True')})"
    ]
    choices += [f"xp.diff({name}, axis={axis(m, name)}, n={m.one(0, 1, 1, 2)})"]
    choices += [f"xp.diff({name}, prepend={name}, append={name})"]
    made = m.add(m.rng.choice(choices))
    if m.chance(0.4):
        m.add(f"{made}[{basic_key(m, m.shape(made))}]")


@step(3)
def searching(m: Maker) -> None:
    name = m.pick("iuf", 1)
    flags = m.one("", ", descending=True", ", stable=False")
    i = axis(m, name)
    kind = m.one("sort", "sort", "argsort", "argmax", "argmin", "searchsorted", "isin", "unique", "nonzero", "nonzero")
    if kind in ("sort", "argsort"):
        made = m.add(f"xp.{kind}({name}, axis={i}{flags if kind == 'sort' or 'un' not in flags else ''})")
        if m.chance(0.6):
            m.add(f"{made}[{basic_key(m, m.shape(made))}]")
        elif kind == "argsort":
            m.add(f"xp.take_along_axis({name}, {made}, axis={i})")
    elif kind in ("argmax", "argmin"):
        m.add(f"xp.{kind}({name}, axis={m.one(i, None)}, keepdims={m.one(True, False)})")
    elif kind == "searchsorted":
        line = m.array((m.rng.randint(1, 6),), "iuf")
        order = m.add(f"xp.argsort({line})")
        side = m.one("left", "right")
        if m.chance(0.5):
            m.add(f"xp.searchsorted({line}, {name}, side='{side}', sorter={order})")
        else:
            m.add(f"xp.searchsorted(xp.sort({line}), {name}, side='{side}')")
    elif kind == "isin":
        m.add(f"xp.isin({name}, {m.array((3,), m.kind(name))}, invert={m.one(True, False)})")
    elif kind == "unique":
        function = m.one("all", "counts", "inverse", "values")
        if function == "values":
            m.add(f"xp.unique_values({name})")
        else:
            m.several(f"xp.unique_{function}({name})")
    else:
        found = m.several(f"xp.nonzero({m.pick(least=1)})")
        m.add(f"{m.one('xp.sum', 'xp.max', 'xp.flip')}({m.rng.choice(found)})")


@step(2)
def taking(m: Maker) -> None:
    name = m.pick(least=1)
    i = m.rng.randrange(len(m.shape(name)))
    side = m.shape(name)[i]
    if m.chance(0.7):
        made = m.add(f"xp.take({name}, {indices(m, side)}, axis={i})")
        if m.chance(0.5):
            m.add(f"{made}[{basic_key(m, m.shape(made))}]")
    else:
        shape = tuple(2 if j == i else n or 0 for j, n in enumerate(m.shape(name)))
        m.add(f"xp.take_along_axis({name}, {indices(m, side, shape)}, axis={i})")


@step(3)
def creation(m: Maker) -> str:
    dtype = m.rng.choice(DTYPES).name
    n = m.rng.randint(0, 6)
    shape = m.sides()
    choices = [
        f"xp.arange({m.rng.randint(-3, 3)}, {m.rng.randint(-3, 9)}, {m.one(1, 2, -1, 0.5, 0.3)})",
        f"xp.arange({n}, dtype=xp.{m.one('int64', 'float32', 'uint8')})",
        f"xp.linspace({m.one(0, 1.0, -2)}, {m.one(1, 0.3, 7)}, {n}, endpoint={m.one(True, False)})",
        f"xp.eye({n}, {m.rng.randint(0, 6)}, k={m.rng.randint(-2, 2)}, dtype=xp.{dtype})",
        f"xp.full({shape}, {scalar(m)}{m.one('', f', dtype=xp.{dtype}')})",
        f"xp.{m.one('zeros', 'ones', 'empty')}({shape}, dtype=xp.{dtype})",
        f"xp.{m.one('zeros', 'ones', 'empty')}_like({m.pick()})",
        f"xp.full_like({m.pick()}, {m.one(0, 1, 3)})",
        f"xp.fft.{m.one('fftfreq', 'rfftfreq')}({n + 1}, d={m.one(1.0, 0.5)})",
    ]
    made = m.add(m.rng.choice(choices))
    if m.chance(0.4):
        return m.add(f"{made}[{basic_key(m, m.shape(made))}]")
    if m.chance(0.2):
        grid = m.several(f"xp.meshgrid({m.array((3,))}, {m.array((2,))}, indexing='{m.one('xy', 'ij')}')")
        return m.add(f"{grid[0]} + {grid[1]}")
    return made
