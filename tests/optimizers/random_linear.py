"""Steps of random graphs: linear algebra and Fourier transforms."""

from __future__ import annotations

from tests.optimizers.random_graphs import Maker
from tests.optimizers.random_steps import axis, basic_key, step


def matrix(m: Maker, rows: int, columns: int, kinds: str = "iufc") -> str:
    return m.array((rows, columns), kinds)


@step(3)
def product(m: Maker) -> str:
    n, k, p = (m.rng.randint(1, 4) for _ in range(3))
    kinds = m.one("fc", "f", "iuf")
    kind = m.rng.randrange(8)
    if kind < 3:
        stacks = [m.one((), (), (2,), (1,), (3, 1)) for _ in range(2)]
        one, two = m.array((*stacks[0], n, k), kinds), m.array((*stacks[1], k, p), kinds)
        return m.add(m.one(f"{one} @ {two}", f"xp.matmul({one}, {two})"))
    if kind == 3:
        one, two = m.array((n, k, p), kinds), m.array((p, k, n), kinds)
        return m.add(
            f"xp.tensordot({one}, {two}, axes={m.one('([1], [1])', '([0, 1], [2, 1])', '1', '0', '([2], [0])')})"
        )
    if kind == 4:
        one = m.pick(kinds, 1)
        return m.add(f"xp.vecdot({one}, {m.fitting(one, kinds)}{m.one('', ', axis=-1')})")
    if kind == 5:
        return m.add(f"xp.linalg.outer({m.array((n,), kinds)}, {m.array((k,), kinds)})")
    if kind == 6:
        return m.add(f"xp.linalg.cross({m.array((n, 3), kinds)}, {m.array((3,), kinds)})")
    return m.add(f"xp.linalg.trace({m.pick(kinds, 2)}, offset={m.one(0, 0, 1, -1)})")


@step(4)
def solving(m: Maker) -> None:
    n = m.rng.randint(1, 4)
    stack = m.one((), (), (2,))
    square = m.array((*stack, n, n), "fc", tame=m.chance(0.8))
    name = m.one(
        *("cholesky", "det", "inv", "slogdet", "solve", "eig", "eigh", "eigvals", "eigvalsh", "matrix_power"),
        *("qr", "svd", "svdvals", "pinv", "matrix_rank", "matrix_norm", "vector_norm"),
    )
    if name in ("qr", "svd", "svdvals", "pinv", "matrix_rank", "matrix_norm", "vector_norm"):
        square = m.array((*stack, n, m.rng.randint(1, 4)), "fc", tame=m.chance(0.8))
    if name in ("cholesky", "eigh", "eigvalsh") or m.chance(0.2):
        square = m.add(f"{square} @ xp.conj({square}.mT)")
    if name in ("svd", "svdvals", "pinv", "matrix_rank", "matrix_norm"):
        # Of what is not finite, LAPACK's singular values may never come back.
        square = m.add(f"xp.where(xp.isfinite({square}), {square}, 1)")
    if name in ("slogdet", "eig", "eigh", "qr", "svd"):
        more = {"svd": m.one("", ", full_matrices=False"), "qr": m.one("", ", mode='complete'")}.get(name, "")
        made = m.several(f"xp.linalg.{name}({square}{more})")
        if m.chance(0.5):
            m.add(f"xp.abs({m.rng.choice(made)})")
    elif name == "solve":
        right = m.array((*stack, n, m.rng.randint(1, 2)) if m.chance(0.6) else (n,), "fc")
        m.add(f"xp.linalg.solve({square}, {right})")
    else:
        more = {
            "matrix_power": m.one(", 0", ", 1", ", 2", ", 3", ", -1"),
            "matrix_norm": m.one("", ", ord=1", ", ord=-2", ", ord='nuc'", ", keepdims=True", ", ord=xp.inf"),
            "vector_norm": m.one("", ", ord=1", ", ord=xp.inf", ", ord=0", ", axis=0", ", ord=3"),
            "cholesky": m.one("", ", upper=True"),
        }.get(name, "")
        made = m.add(f"xp.linalg.{name}({square}{more})")
        if name == "inv" and m.chance(0.7):
            right = m.array((*stack, n, 2), "fc")
            m.add(f"{made} @ {right}")


@step(2.5)
def fourier(m: Maker) -> None:
    name = m.pick("fc", 1, 3)
    real = m.kind(name) == "f"
    function = m.one(
        "fft", "ifft", "fftn", "ifftn", *(("rfft", "ihfft", "rfftn") if real else ("irfft", "hfft", "irfftn"))
    )
    if function[-1] == "n":
        more = m.one("", ", axes=(0,)")
    else:
        more = f", n={m.one(None, 2, 5)}, axis={axis(m, name)}"
    made = m.add(f"xp.fft.{function}({name}{more}, norm='{m.one('backward', 'ortho', 'forward')}')")
    if m.chance(0.3):
        m.add(f"{made}[{basic_key(m, m.shape(made))}]")
    if m.chance(0.2) and function in ("fft", "fftn"):
        m.add(f"xp.fft.i{function}({made})")
