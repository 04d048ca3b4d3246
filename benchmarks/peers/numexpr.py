"""numexpr: the workloads that it has the functions for, in as few expressions as they take."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numexpr
import numpy as np

from benchmarks.workloads import CDF, DT, ITERATIONS, RATE, STEPS, TURN, VOLATILITY, Arrays, Workload

VERSION = numexpr.__version__


def call(workload: Workload, arrays: Arrays) -> Callable[[], Any] | None:
    form = FORMS.get(workload.name)
    if form is None or arrays[0].dtype == np.complex64:  # which it would compute as complex128
        return None
    return partial(form, *arrays)


def values(result: Any) -> Any:
    return result


def evaluate(expression: str, **names: Any) -> Any:
    return numexpr.evaluate(expression, local_dict=names, global_dict={})


def like(array: Any, **constants: float) -> dict[str, Any]:
    """Constants of the dtype of an array: those in an expression are float64 and would make float32 so, too."""
    return {name: array.dtype.type(value) for name, value in constants.items()}


def chain(x: Any) -> Any:
    return evaluate("abs(((x * p + q) * x - r) * x + s)", x=x, **like(x, p=0.9, q=0.1, r=0.3, s=0.2))


def _cdf(x: str) -> str:
    k = f"(1 / (1 + p * abs({x})))"
    tail = f"scale * exp(minus_half * {x} * {x}) * ({k} * (a + {k} * (b + {k} * (c + {k} * (d + {k} * e)))))"
    return f"where({x} > 0, 1 - {tail}, {tail})"


_D1 = "((log(spot / strike) + drift * time) / (sigma * sqrt(time)))"
_D2 = f"({_D1} - sigma * sqrt(time))"
_CALL = f"spot * {_cdf(_D1)} - strike * exp(minus_rate * time) * {_cdf(_D2)}"


def black_scholes(spot: Any, strike: Any, time: Any) -> Any:
    p, a, b, c, d, e, scale = CDF
    drift = RATE + 0.5 * VOLATILITY**2
    names = like(spot, p=p, a=a, b=b, c=c, d=d, e=e, scale=scale, minus_half=-0.5, drift=drift, sigma=VOLATILITY)
    names |= like(spot, minus_rate=-RATE) | {"spot": spot, "strike": strike, "time": time}
    call = evaluate(_CALL, **names)
    return call, evaluate("call - spot + strike * exp(minus_rate * time)", call=call, **names)


def squares(a: Any, b: Any) -> Any:
    return evaluate("sum((a - b) ** 2)", a=a, b=b)


def kmeans(x: Any, centres: Any) -> Any:
    distances = evaluate("sum((x - c) ** 2, axis=2)", x=x[:, None, :], c=centres[None, :, :])
    return np.argmin(distances, axis=-1)


# Top, middle, bottom; left, centre, right.
_PARTS = dict(zip("tmblcr", 2 * (slice(None, -2), slice(1, -1), slice(2, None)), strict=True))


def _around(a: Any) -> dict[str, Any]:
    """The nine slices of an image, by names such as `tl` for the one at the top left."""
    return {r + c: a[_PARTS[r], _PARTS[c]] for r in "tmb" for c in "lcr"}


def edges(image: Any) -> Any:
    blurred = evaluate("(tl + tc + tr + ml + mc + mr + bl + bc + br) / 9", **_around(image))
    gx, gy = "((tr - tl) + 2 * (mr - ml) + (br - bl))", "((bl - tl) + 2 * (bc - tc) + (br - tr))"
    return evaluate(f"sqrt({gx} * {gx} + {gy} * {gy})", **_around(blurred))


def mandelbrot(cx: Any, cy: Any) -> Any:
    x, y = cx, cy
    count = np.zeros(cx.shape, dtype=np.int32)
    for _ in range(ITERATIONS):
        inside = evaluate("x * x + y * y <= 4", x=x, y=y)
        names = {"x": x, "y": y, "cx": cx, "cy": cy, "inside": inside}
        x, y = (
            evaluate("where(inside, x * x - y * y + cx, x)", **names),
            evaluate("where(inside, 2 * x * y + cy, y)", **names),
        )
        count = evaluate("where(inside, count + 1, count)", count=count, inside=inside)
    return count


def conditions(a: Any, b: Any) -> Any:
    keep = evaluate("((a > 100) & (b < 900)) | (a == b)", a=a, b=b)
    return evaluate("where(keep, a * 3 + b, a - b)", keep=keep, a=a, b=b), np.sum(keep)


def selection(a: Any, b: Any) -> Any:
    return a[evaluate("(a > 250) & (b < 750)", a=a, b=b)]


def rotation(z: Any) -> Any:
    w = evaluate("z * turn", z=z, turn=np.complex128(TURN))
    return w, evaluate("real(w) * real(w) + imag(w) * imag(w)", w=w)


def stacked(x: Any, y: Any) -> Any:
    names = {"x": x, "y": y, "c": x.dtype.type(TURN.real), "s": x.dtype.type(TURN.imag)}
    return np.stack([evaluate("x * c - y * s", **names), evaluate("x * s + y * c", **names)], axis=-1)


def ode(x: Any, y: Any) -> Any:
    for _ in range(STEPS):
        names = {"x": x, "y": y, "h": 0.5 * DT}
        mx, my = evaluate("x + h * (x * (1 - y))", **names), evaluate("y + h * (y * (x - 1))", **names)
        names = {"x": x, "y": y, "mx": mx, "my": my, "h": DT}
        x, y = evaluate("x + h * (mx * (1 - my))", **names), evaluate("y + h * (my * (mx - 1))", **names)
    return x, y


def small(a: Any, b: Any, c: Any) -> Any:
    return evaluate("(a * b + c - a / (b + 2) * c) * 0.5", a=a, b=b, c=c)


def four(x: Any, y: Any) -> Any:
    return evaluate("(x - y) * 0.5 + x", x=x, y=y)


def twenty(x: Any, y: Any) -> Any:
    a, b = "(exp(-0.5 * (x - y) ** 2) + 0.25 * x)", "(sqrt(x * x + y * y + 1) - abs(y))"
    c = f"(where(x > y, {a} * {b}, {a} - {b}) / (1 + {b} * {b}))"
    return evaluate(f"tanh({c}) * 0.75 + {a}", x=x, y=y)


FORMS: dict[str, Callable[..., Any]] = {
    "chain": chain,
    "black-scholes": black_scholes,
    "squares": squares,
    "k-means": kmeans,
    "edges": edges,
    "mandelbrot": mandelbrot,
    "conditions": conditions,
    "selection": selection,
    "rotation": rotation,
    "stacked": stacked,
    "ode": ode,
    "ode-jit": ode,
    "small": small,
    "warming": four,
    "new": twenty,
}
