"""Steps of random graphs that are made of several calls: what rewrites look for."""

from __future__ import annotations

from itertools import pairwise

from lazyxp.testing.inputs import DTYPES
from tests.optimizers.random_graphs import Maker
from tests.optimizers.random_linear import matrix, product
from tests.optimizers.random_steps import (
    axis,
    basic_key,
    indices,
    joining,
    mask,
    moved,
    reduced,
    scalar,
    step,
)


def chained(m: Maker, name: str, length: int) -> str:
    """A chain of calls on a variable, each element by element or moving elements."""
    for _ in range(length):
        kind = m.rng.randrange(8)
        if kind < 2:
            name = moved(m, name)
        elif kind < 4:
            name = m.add(f"{name} {m.one('+', '*', '-')} {m.one(scalar(m), m.fitting(name))}")
        elif kind == 4:
            name = m.add(f"{m.one('xp.exp', 'xp.sin', 'xp.abs', 'xp.sqrt', '-', 'xp.square')}({name})")
        elif kind == 5:
            name = m.add(f"xp.where({m.fitting(name, 'b')}, {name}, {m.one(scalar(m), m.fitting(name))})")
        elif kind == 6:
            name = m.add(f"xp.astype({name}, xp.{m.rng.choice(DTYPES).name})")
        else:
            name = m.add(f"{name}[{basic_key(m, m.shape(name))}]")
    return name


@step(5)
def slice_of_chain(m: Maker) -> None:
    name = chained(m, m.pick(least=1), m.rng.randint(1, 4))
    m.add(f"{name}[{basic_key(m, m.shape(name))}]")


@step(2)
def taken_of_chain(m: Maker) -> None:
    name = chained(m, m.pick(least=1), m.rng.randint(1, 3))
    i = axis(m, name)
    m.add(f"xp.take({name}, {indices(m, m.shape(name)[i])}, axis={i})")


@step(4)
def slice_of_result(m: Maker) -> None:
    """A slice of what is no element-wise result."""
    choices = [product, joining, lambda m: reduced(m, m.pick(least=2)), lambda m: moved(m, m.pick(least=1))]
    name = m.rng.choice(choices)(m)
    if m.chance(0.3):
        name = chained(m, name, 1)
    m.add(f"{name}[{basic_key(m, m.shape(name))}]")


@step(2)
def reduced_chain(m: Maker) -> None:
    reduced(m, chained(m, m.pick(), m.rng.randint(1, 3)))


@step(3)
def moved_twice(m: Maker) -> None:
    name = m.pick(least=1)
    for _ in range(m.rng.randint(2, 4)):
        name = moved(m, name)


@step(3)
def selected_chain(m: Maker) -> None:
    """Chains on what one mask selects from several arrays, and what is made of them."""
    name = m.pick(least=1)
    shape = m.shape(name)
    chosen = mask(m, shape[: m.rng.randint(1, len(shape))])
    others = [m.array(shape) if None not in shape else name for _ in range(m.rng.randint(0, 2))]
    selections = [m.add(f"{one}[{chosen}]") for one in (name, *others)]
    if m.chance(0.2):
        selections.append(m.several(f"xp.nonzero({chosen})")[0])
    made = selections[0]
    for _ in range(m.rng.randint(1, 5)):
        other = m.rng.choice([*selections, scalar(m)])
        kind = m.rng.randrange(5)
        if kind < 3:
            made = m.add(f"{made} {m.one('+', '*', '-')} {other}")
        elif kind == 3:
            made = m.add(f"{m.one('xp.abs', 'xp.square', 'xp.exp', '-')}({made})")
        else:
            made = m.add(f"xp.where({m.rng.choice(selections)} != 0, {made}, {other})")
        if m.chance(0.2):
            selections.append(made)
    if m.chance(0.3):
        made = m.add(f"{made}[{m.one('1:', ':-1', '::-1', made + ' == ' + made)}]")
        m.add(f"{made} * {scalar(m)} + {made}")
    if m.chance(0.6):
        reduced(m, made)


@step(2)
def undone(m: Maker) -> None:
    """Something and its inverse."""
    name = m.pick()
    first, second = m.one(
        ("xp.exp", "xp.log"),
        ("xp.log", "xp.exp"),
        ("-", "-"),
        ("~", "~"),
        ("xp.conj", "xp.conj"),
        ("xp.real", "xp.conj"),
        ("xp.abs", "xp.abs"),
        ("xp.square", "xp.sqrt"),
        ("xp.reciprocal", "xp.reciprocal"),
        ("xp.logical_not", "xp.logical_not"),
        ("xp.flip", "xp.flip"),
        ("xp.sort", "xp.sort"),
        ("xp.floor", "xp.ceil"),
        ("xp.sign", "xp.abs"),
        ("xp.isnan", "xp.any"),
        ("xp.sort", "xp.max"),
    )
    m.add(f"{second}({m.add(f'{first}({name})')})")


@step(4)
def identities(m: Maker) -> None:
    x = m.pick(m.one("biufc", "f", "iu", "b", "c"))
    y, z = m.fitting(x), m.fitting(x)
    for _ in range(3):
        identity(m, x, y, z)


def identity(m: Maker, x: str, y: str, z: str) -> None:
    n = scalar(m, m.kind(x))
    m.add(
        m.one(
            *(
                f"{x} ** 2",
                f"{x} ** 3",
                f"{x} ** 0.5",
                f"{x} ** -1",
                f"{x} ** 1",
                f"{x} ** 0",
                f"{x} ** 4",
                f"2 ** {x}",
            ),
            *(f"{x} * 1", f"{x} + 0", f"{x} - 0", f"0 - {x}", f"0.0 + {x}", f"{x} + (-0.0)", f"{x} * 0", f"{x} / 1"),
            *(f"{x} / 2", f"{x} / 4.0", f"{x} / 3.0", f"1 / {x}", f"{x} * -1", f"{x} // 1", f"{x} % 1", f"{x} * 2"),
            *(f"{x} + {x}", f"{x} - {x}", f"{x} * {x}", f"{x} / {x}", f"{x} == {x}", f"{x} < {x}", f"{x} & {x}"),
            *(
                f"{x} + -{y}",
                f"{x} - -{y}",
                f"-{x} * -{y}",
                f"-({x} - {y})",
                f"({x} + {n}) + {n}",
                f"({x} * {n}) * {n}",
            ),
            *(f"({x} * {n}) / {n}", f"({x} + {n}) - {n}", f"({x} - {y}) + {y}", f"{x} * {y} + {x} * {z}"),
            *(f"~({x} < {y})", f"~({x} == {y})", f"({x} < {y}) & ({x} < {y})", f"xp.where({x} > {y}, {x}, {y})"),
            *(f"xp.maximum({x}, xp.maximum({x}, {y}))", f"xp.minimum(xp.maximum({x}, 0), {n})"),
            *(f"xp.clip(xp.clip({x}, -1, 2), 0, 3)", f"xp.sqrt({x}) ** 2", f"xp.exp({x}) * xp.exp({y})"),
            *(f"xp.log({x} * {y})", f"xp.real({x} * 1j)", f"xp.isnan({x}) | xp.isinf({x})", f"xp.abs({x} * {y})"),
            *(f"xp.where({x} == {x}, {x}, {y})", f"xp.where(~({x} > {y}), {x}, {y})", f"xp.abs({x}) ** 2"),
            *(f"{x} + xp.zeros_like({x})", f"{x} * xp.ones_like({x})", f"{x} * xp.zeros_like({x})"),
            *(f"{x} & True", f"{x} | False", f"{x} ^ True", f"{x} | True", f"xp.where(True, {x}, {y})"),
            *(f"{x} << 0", f"{x} >> 1", f"{x} * 8", f"{x} // 2", f"{x} % 4", f"{x} // -1", f"xp.sqrt({x} * {x})"),
        )
    )


@step(3)
def chain_of_products(m: Maker) -> None:
    sides = [m.rng.randint(1, 5) for _ in range(m.rng.randint(3, 5))]
    kinds = m.one("f", "f", "fc", "iuf")
    terms = []
    for n, k in pairwise(sides):
        terms.append(m.one(matrix(m, n, k, kinds), f"{matrix(m, k, n, kinds)}.T"))
    if m.chance(0.4):
        terms.append(m.array((sides[-1],), kinds))
    if m.chance(0.3) and len(terms) > 2:
        made = m.add(f"{terms[0]} @ ({' @ '.join(terms[1:])})")
    else:
        made = m.add(" @ ".join(terms))
    if m.chance(0.3):
        m.add(f"{made} * {scalar(m)}")
    if m.chance(0.5):
        m.add(f"{made}[{basic_key(m, m.shape(made))}]")


@step(3)
def contractions(m: Maker) -> None:
    n, k = m.rng.randint(1, 5), m.rng.randint(1, 5)
    kinds = m.one("f", "f", "fc", "iuf")
    a, b = matrix(m, n, k, kinds), matrix(m, k, n, kinds)
    x, y = m.array((n,), kinds), m.array((k,), kinds)
    other = matrix(m, n, k, kinds)
    m.add(
        m.one(
            *(
                f"xp.linalg.trace({a} @ {b})",
                f"xp.linalg.diagonal({a} @ {b})",
                f"xp.sum({a} @ {b}, axis={m.one(0, 1, None)})",
            ),
            *(f"({a} @ {b})[0]", f"({a} @ {b})[:, -1]", f"({a} @ {b})[0, 0]", f"({a} @ {b}).T", f"({a} @ {b}) @ {a}"),
            *(
                f"xp.sum({a} * {other})",
                f"xp.sum({a} * {other}, axis={m.one(0, 1)})",
                f"xp.sum({x}[:, None] * {y}[None, :])",
            ),
            *(f"xp.sum({x}[:, None] * {y}[None, :], axis={m.one(0, 1)})", f"xp.sum({a} * {y}, axis=1)", f"{a}.T @ {a}"),
            *(
                f"xp.sum({a}[:, :, None] * {b}[None, :, :], axis=1)",
                f"{x}[:, None] * {y}",
                f"xp.linalg.outer({x}, {y}) @ {y}",
            ),
            *(f"xp.sum(({a}[:, None, :] - {other}[None, :, :]) ** 2, axis=-1)", f"xp.vecdot({a}, {other})"),
            *(f"xp.tensordot({a}, {b}, axes=1)[0]", f"xp.tensordot({a}, {b}, axes=([0, 1], [1, 0]))", f"{a}.T @ {x}"),
            *(f"xp.sum({a} ** 2)", f"xp.sqrt(xp.sum({a} ** 2, axis=-1))", f"xp.eye({n}) @ {a}", f"{a} @ xp.eye({k})"),
            *(
                f"({a} + {other}) @ {y}",
                f"(2.0 * {a}) @ {b}",
                f"({a} * {x}[:, None]) @ {y}",
                f"{a} @ ({b} @ {a}) @ {y}",
            ),
            *(
                f"xp.sum({x} * {x})",
                f"xp.sum(xp.abs({x}) ** 2)",
                f"xp.sum(xp.conj({x}) * {x})",
                f"xp.linalg.outer({x}, {y})[0]",
            ),
            *(
                f"xp.concat([{a}, {other}]) @ {y}",
                f"xp.linalg.trace({a} @ {b} @ {a} @ {b})",
                f"xp.mean({a} @ {b}, axis=0)",
            ),
        )
    )


@step(2)
def solved(m: Maker) -> None:
    n = m.rng.randint(1, 4)
    a, b = m.array((n, n), "f", tame=True), m.array((n, 2), "f", tame=True)
    line = m.array((n,), "f", tame=True)
    m.add(
        m.one(
            *(f"xp.linalg.inv({a}) @ {b}", f"xp.linalg.inv({a}) @ {line}", f"{line} @ xp.linalg.inv({a})"),
            *(
                f"{b}.T @ xp.linalg.inv({a})",
                f"xp.linalg.inv({a}.T @ {a}) @ {line}",
                f"xp.linalg.inv(xp.linalg.inv({a}))",
            ),
            *(
                f"xp.linalg.det({a} @ {a})",
                f"xp.linalg.det({a}.T)",
                f"xp.linalg.inv({a}.T)",
                f"xp.linalg.solve({a}, {b})[0]",
            ),
        )
    )


@step(3)
def moments(m: Maker) -> None:
    x = m.pick(m.one("f", "fc", "iuf"))
    i = axis(m, x) if m.shape(x) and m.chance(0.7) else None
    mean = (
        m.add(f"xp.mean({x}, axis={i}, keepdims=True)")
        if m.kind(x) in "fc"
        else f"xp.sum({x}, axis={i}, keepdims=True)"
    )
    deviation = m.add(f"{x} - {mean}")
    if m.chance(0.5):
        m.add(m.one(f"xp.mean({deviation} ** 2, axis={i})", f"{deviation} / xp.std({x}, axis={i}, keepdims=True)"))


@step(3)
def several_reductions(m: Maker) -> None:
    x = m.pick(m.one("f", "f", "fc", "iuf"))
    i = axis(m, x) if m.shape(x) and m.chance(0.6) else None
    names = ["sum", "any", "all", "count_nonzero", "prod"]
    names += ["mean"] if m.kind(x) in "fc" else []
    names += ["max", "min"] if m.kind(x) in "iuf" else []
    names += ["var", "std"] if m.kind(x) == "f" else []
    keep = m.one("", ", keepdims=True")
    for name in m.rng.sample(names, m.rng.randint(2, 4)):
        m.add(f"xp.{name}({x}, axis={i}{keep})")


@step(3)
def sums(m: Maker) -> None:
    x = m.pick(m.one("f", "f", "iufc"), 1)
    y = m.fitting(x)
    i, n = axis(m, x), scalar(m, m.kind(x))
    m.add(
        m.one(
            *(
                f"xp.sum({x} * {n}, axis={i})",
                f"xp.sum({x} / {n}, axis={i})",
                f"xp.sum({x} + {n}, axis={i})",
                f"xp.sum(-{x})",
            ),
            *(
                f"xp.mean({x} * {n} + {n}, axis={i})",
                f"xp.max({x} * {n})",
                f"xp.max(-{x}, axis={i})",
                f"xp.var({x} + {n})",
            ),
            *(
                f"xp.sum(xp.concat([{x}, {x}], axis={i}), axis={i})",
                f"xp.sum(xp.stack([{x}, {x}]), axis=0)",
                f"xp.std({x} * {n})",
            ),
            *(
                f"xp.sum(xp.broadcast_to({x}, (3, *{x}.shape)), axis=0)",
                f"xp.sum({x}.mT, axis={i})",
                f"xp.sum(xp.flip({x}))",
            ),
            *(
                f"xp.sum(xp.reshape({x}, (-1,)))",
                f"xp.max(xp.sort({x}, axis={i}), axis={i})",
                f"xp.sum(xp.sum({x}, axis={i}))",
            ),
            *(f"xp.max(xp.max({x}, axis={i}))", f"xp.sum(xp.where({x} > {y}, {x}, 0))", f"xp.sum({x} > {y}, axis={i})"),
            *(
                f"xp.any({x} == {n}, axis={i})",
                f"xp.all({x} < {n}, axis={i})",
                f"xp.count_nonzero({x} > {n})",
                f"~xp.any({x} > {y})",
            ),
            *(
                f"xp.any(xp.isnan({x}))",
                f"~xp.all({x} == {y}, axis={i})",
                f"xp.sum({x} * {y}, axis={i})",
                f"xp.sum({x} + {y})",
            ),
            *(f"xp.diff(xp.cumulative_sum({x}, axis={i}), axis={i})", f"xp.cumulative_sum({x}, axis={i})[..., -1]"),
            *(
                f"xp.sum(xp.tile({x}, (2,)))",
                f"xp.sum(xp.repeat({x}, 3, axis={i}), axis={i})",
                f"xp.sum(xp.roll({x}, 1, axis={i}))",
            ),
            *(
                f"xp.sum(xp.take({x}, xp.asarray([0, 0]), axis={i}))",
                f"xp.sum({x} * xp.sum({x}))",
                f"xp.min(xp.concat([{x}, {x}]))",
            ),
            *(
                f"xp.argmax(-{x})",
                f"xp.sort({x}, axis={i})[..., 0]",
                f"xp.sort({x})[..., -1]",
                f"xp.sort({x})[..., :2]",
            ),
            *(
                f"xp.sort(-{x})[..., ::-1]",
                f"xp.sum(xp.sort({x}, axis={i}))",
                f"xp.mean(xp.mean({x}, axis={i}))",
                f"xp.prod({x} * {n})",
            ),
            *(
                f"xp.sum(xp.expand_dims({x}, axis=0), axis=0)",
                f"xp.sum({x}, axis=())",
                f"xp.sum(xp.astype({x}, xp.float64))",
            ),
        )
    )


@step(2)
def stencil(m: Maker) -> None:
    x = m.array((m.rng.randint(3, 9),) if m.chance(0.6) else m.sides(1, 2), "f")
    m.add(
        m.one(
            f"{x}[1:-1] * 2 - {x}[:-2] - {x}[2:]",
            f"({x}[:-2] + {x}[1:-1] + {x}[2:]) / 3.0",
            f"xp.roll({x}, 1, axis=0) - {x}",
            f"{x}[1:] - {x}[:-1]",
            f"xp.concat([{x}[:2], {x}[2:]])",
            f"xp.concat([{x}[1:], {x}[:1]])[1:3]",
            f"xp.stack([{x}, {x} * 2])[0]",
            f"(xp.diff({x}, axis=0) ** 2)[:1]",
        )
    )


@step(2)
def windows(m: Maker) -> None:
    """Parts of a matrix that lie near each other in its rows and columns."""
    rows, columns, high, wide = m.rng.randint(3, 9), m.rng.randint(10, 40), m.rng.randint(0, 2), m.rng.randint(1, 9)
    x = m.array((rows, columns), m.one("f", "f", "i"))
    parts = []
    for _ in range(m.rng.randint(3, 6)):
        i, j = m.rng.randint(0, high), m.rng.randint(0, wide)
        parts.append(f"{x}[{i}:{rows - high + i}, {j}:{columns - wide + j}] * {scalar(m)}")
    name = m.add(m.one(" + ", " - ").join(parts))
    if m.chance(0.3):
        reduced(m, name)


@step(2)
def windows_of_computed(m: Maker) -> None:
    """Neighbours of what a function gives, once or twice: kernels that run together."""
    name = m.array(m.one((m.rng.randint(9, 60),), (m.rng.randint(9, 20), m.rng.randint(5, 9))), "f")
    for _ in range(m.rng.randint(1, 2)):
        name = m.add(f"{m.one('xp.sin', 'xp.exp', 'xp.tanh')}({name} * {scalar(m)})")
        name = m.add(m.one(f"{name}[:-2] - {name}[2:]", f"{name}[1:] * {name}[:-1]", f"{name}[3:] + {name}[1:-2]"))
    if m.chance(0.4):
        reduced(m, name)


@step(2)
def softmax(m: Maker) -> None:
    x = m.pick("f", 1)
    i = axis(m, x)
    top = m.add(f"xp.exp({x} - xp.max({x}, axis={i}, keepdims=True))")
    m.add(m.one(f"{top} / xp.sum({top}, axis={i}, keepdims=True)", f"xp.log(xp.sum({top}, axis={i}))"))


@step(3)
def written_and_read(m: Maker) -> None:
    """What is written to is read again: there, elsewhere, and all of it."""
    x = m.add(
        m.one(f"{m.pick(least=1)} + 0", f"xp.asarray({m.pick(least=1)}, copy=True)", f"xp.zeros({m.sides(1, 3)})")
    )
    for _ in range(m.rng.randint(1, 3)):
        key = basic_key(m, m.shape(x))
        value = m.one(
            scalar(m, m.kind(x)), m.add(f"{x}[{key}]"), f"{x}[{key}] {m.one('+', '*')} {scalar(m, m.kind(x))}"
        )
        m.write(f"{x}[{key}] = {value}")
    m.add(f"{x}[{m.one(basic_key(m, m.shape(x)), '...')}]")
