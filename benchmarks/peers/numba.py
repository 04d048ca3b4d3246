"""numba: loops as somebody writes them who knows it, parallel where that helps.

All of it is compiled with `fastmath`, which allows more than lazyxp's default: reductions do not vectorise otherwise.
Constants are made of the dtype of the arrays: Python's are float64, and would make what they meet so, too.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np
from numba import prange

from benchmarks import peers
from benchmarks.workloads import CDF, DT, ITERATIONS, RATE, STEPS, TURN, VOLATILITY, Arrays, Workload

VERSION = numba.__version__

# What is compiled is kept on disk only where the first call itself is measured.
_kept = peers.CACHES["numba"] in os.environ
serial = numba.njit(fastmath=True, cache=_kept)
parallel = numba.njit(fastmath=True, parallel=True, cache=_kept)

THREADS = peers.threads()
P, A, B, C, D, E, SCALE = CDF
DRIFT = RATE + 0.5 * VOLATILITY**2


def call(workload: Workload, arrays: Arrays) -> Callable[[], Any] | None:
    form = FORMS.get(workload.name)
    return None if form is None else partial(form, *arrays)


def values(result: Any) -> Any:
    return result


@parallel
def chain(x):
    number = x.dtype.type
    p, q, r, s = number(0.9), number(0.1), number(0.3), number(0.2)
    out = np.empty_like(x)
    for i in prange(x.size):
        out[i] = abs(((x[i] * p + q) * x[i] - r) * x[i] + s)
    return out


@serial
def cdf(x):
    number = type(x)
    one = number(1)
    k = one / (one + number(P) * abs(x))
    polynomial = k * (number(A) + k * (number(B) + k * (number(C) + k * (number(D) + k * number(E)))))
    tail = number(SCALE) * math.exp(number(-0.5) * x * x) * polynomial
    return one - tail if x > 0 else tail


@parallel
def black_scholes(spot, strike, time):
    number = spot.dtype.type
    rate, volatility, drift = number(RATE), number(VOLATILITY), number(DRIFT)
    call, put = np.empty_like(spot), np.empty_like(spot)
    for i in prange(spot.size):
        deviation = volatility * math.sqrt(time[i])
        d1 = (math.log(spot[i] / strike[i]) + drift * time[i]) / deviation
        discounted = strike[i] * math.exp(-rate * time[i])
        call[i] = spot[i] * cdf(d1) - discounted * cdf(d1 - deviation)
        put[i] = call[i] - spot[i] + discounted
    return call, put


@parallel
def squares(a, b):
    total = a.dtype.type(0)
    for i in prange(a.size):
        total += (a[i] - b[i]) ** 2
    return total


@parallel
def softmax(x):
    rows, columns = x.shape
    out = np.empty_like(x)
    for i in prange(rows):
        top = x[i, 0]
        for j in range(columns):
            top = max(top, x[i, j])
        total = x.dtype.type(0)
        for j in range(columns):
            out[i, j] = math.exp(x[i, j] - top)
            total += out[i, j]
        for j in range(columns):
            out[i, j] /= total
    return out


@serial
def part_sums(x, start, stop):
    sums = np.zeros(x.shape[1], x.dtype)
    for i in range(start, stop):
        for j in range(x.shape[1]):
            sums[j] += x[i, j]
    return sums


@serial
def part_squares(x, mean, start, stop):
    sums = np.zeros(x.shape[1], x.dtype)
    for i in range(start, stop):
        for j in range(x.shape[1]):
            sums[j] += (x[i, j] - mean[j]) ** 2
    return sums


@parallel
def column_sums(x):
    parts = np.zeros((THREADS, x.shape[1]), x.dtype)
    for part in prange(THREADS):
        parts[part] = part_sums(x, len(x) * part // THREADS, len(x) * (part + 1) // THREADS)
    return parts


@parallel
def column_squares(x, mean):
    parts = np.zeros((THREADS, x.shape[1]), x.dtype)
    for part in prange(THREADS):
        parts[part] = part_squares(x, mean, len(x) * part // THREADS, len(x) * (part + 1) // THREADS)
    return parts


@parallel
def scaled(x, mean, scale):
    out = np.empty_like(x)
    for i in prange(len(x)):
        for j in range(x.shape[1]):
            out[i, j] = (x[i, j] - mean[j]) * scale[j]
    return out


def standardise(x):
    mean = column_sums(x).sum(axis=0) / x.dtype.type(len(x))
    return scaled(x, mean, 1 / np.sqrt(column_squares(x, mean).sum(axis=0) / x.dtype.type(len(x))))


@parallel
def statistics(x):
    number = x.dtype.type
    total, low, high = number(0), x[0], x[0]
    for i in prange(x.size):
        total += x[i]
        low = min(low, x[i])
        high = max(high, x[i])
    mean = total / number(x.size)
    squared = number(0)
    for i in prange(x.size):
        squared += (x[i] - mean) ** 2
    return mean, number(math.sqrt(squared / number(x.size))), low, high


@parallel
def kmeans(x, centres):
    out = np.empty(len(x), np.int64)
    for i in prange(len(x)):
        best, least = 0, x.dtype.type(np.inf)
        for k in range(len(centres)):
            distance = x.dtype.type(0)
            for j in range(x.shape[1]):
                distance += (x[i, j] - centres[k, j]) ** 2
            if distance < least:
                best, least = k, distance
        out[i] = best
    return out


@parallel
def edges(a):
    rows, columns = a.shape
    ninth, two = a.dtype.type(1 / 9), a.dtype.type(2)
    b = np.empty((rows - 2, columns - 2), a.dtype)
    for i in prange(rows - 2):
        for j in range(columns - 2):
            top = a[i, j] + a[i, j + 1] + a[i, j + 2]
            middle = a[i + 1, j] + a[i + 1, j + 1] + a[i + 1, j + 2]
            bottom = a[i + 2, j] + a[i + 2, j + 1] + a[i + 2, j + 2]
            b[i, j] = (top + middle + bottom) * ninth
    out = np.empty((rows - 4, columns - 4), a.dtype)
    for i in prange(rows - 4):
        for j in range(columns - 4):
            right = b[i, j + 2] + two * b[i + 1, j + 2] + b[i + 2, j + 2]
            left = b[i, j] + two * b[i + 1, j] + b[i + 2, j]
            bottom = b[i + 2, j] + two * b[i + 2, j + 1] + b[i + 2, j + 2]
            top = b[i, j] + two * b[i, j + 1] + b[i, j + 2]
            out[i, j] = math.sqrt((right - left) ** 2 + (bottom - top) ** 2)
    return out


@parallel
def mandelbrot(cx, cy):
    out = np.empty(cx.shape, np.int32)
    two, four = cx.dtype.type(2), cx.dtype.type(4)
    for i in prange(cx.shape[0]):
        for j in range(cx.shape[1]):
            x, y = cx[i, j], cy[i, j]
            count = 0
            while count < ITERATIONS and x * x + y * y <= four:
                x, y = x * x - y * y + cx[i, j], two * x * y + cy[i, j]
                count += 1
            out[i, j] = count
    return out


@parallel
def log_density(x, y):
    number = x.dtype.type
    out = np.empty_like(x)
    for i in prange(x.size):
        top = number(-np.inf)
        for j in range(y.size):
            top = max(top, number(-0.5) * (x[i] - y[j]) ** 2)
        total = number(0)
        for j in range(y.size):
            total += math.exp(number(-0.5) * (x[i] - y[j]) ** 2 - top)
        out[i] = top + math.log(total)
    return out


@parallel
def conditions(a, b):
    number = a.dtype.type
    out = np.empty_like(a)
    count = 0
    for i in prange(a.size):
        keep = ((a[i] > 100) & (b[i] < 900)) | (a[i] == b[i])
        out[i] = a[i] * number(3) + b[i] if keep else a[i] - b[i]
        count += keep
    return out, count


@parallel
def selection(a, b):
    starts = np.zeros(THREADS + 1, np.int64)
    for part in prange(THREADS):
        count = 0
        for i in range(a.size * part // THREADS, a.size * (part + 1) // THREADS):
            count += (a[i] > 250) & (b[i] < 750)
        starts[part + 1] = count
    starts = np.cumsum(starts)
    out = np.empty(starts[THREADS], a.dtype)
    for part in prange(THREADS):
        position = starts[part]
        for i in range(a.size * part // THREADS, a.size * (part + 1) // THREADS):
            if (a[i] > 250) & (b[i] < 750):
                out[position] = a[i]
                position += 1
    return out


@parallel
def turned(z, power):
    turn = z.dtype.type(TURN)
    w = np.empty_like(z)
    for i in prange(z.size):
        w[i] = z[i] * turn
        power[i] = w[i].real * w[i].real + w[i].imag * w[i].imag
    return w, power


def rotation(z):
    return turned(z, np.empty(z.shape, z.real.dtype))


@parallel
def walks(x):
    result = np.empty_like(x)
    scale, drift = x.dtype.type(0.01), x.dtype.type(0.001)
    width = 250
    for part in prange(-(-x.shape[1] // width)):
        first, last = part * width, min((part + 1) * width, x.shape[1])
        total = np.zeros(last - first, x.dtype)
        for i in range(x.shape[0]):
            for j in range(first, last):
                total[j - first] += x[i, j] * scale + drift
                result[i, j] = total[j - first]
    return result


@parallel
def stacked(x, y):
    real, imag = x.dtype.type(TURN.real), x.dtype.type(TURN.imag)
    result = np.empty((x.size, 2), x.dtype)
    for i in prange(x.size):
        result[i, 0] = x[i] * real - y[i] * imag
        result[i, 1] = x[i] * imag + y[i] * real
    return result


@serial
def ode(x, y):
    x, y = x.copy(), y.copy()
    for _ in range(STEPS):
        for i in range(x.size):
            mx = x[i] + (0.5 * DT) * (x[i] * (1.0 - y[i]))
            my = y[i] + (0.5 * DT) * (y[i] * (x[i] - 1.0))
            x[i], y[i] = x[i] + DT * (mx * (1.0 - my)), y[i] + DT * (my * (mx - 1.0))
    return x, y


@serial
def row_of_product(a, b, c, v):
    return (a @ b)[0]


@serial
def products(a, b, c, v):
    return a @ b @ c @ v


@serial
def small(a, b, c):
    out = np.empty_like(a)
    for i in range(a.size):
        out[i] = (a[i] * b[i] + c[i] - a[i] / (b[i] + 2.0) * c[i]) * 0.5
    return out


@parallel
def four(x, y):
    out = np.empty_like(x)
    for i in prange(x.size):
        out[i] = (x[i] - y[i]) * 0.5 + x[i]
    return out


@parallel
def twenty(x, y):
    out = np.empty_like(x)
    for i in prange(x.size):
        a = math.exp(-0.5 * (x[i] - y[i]) ** 2) + 0.25 * x[i]
        b = math.sqrt(x[i] * x[i] + y[i] * y[i] + 1.0) - abs(y[i])
        c = (a * b if x[i] > y[i] else a - b) / (1.0 + b * b)
        out[i] = math.tanh(c) * 0.75 + a
    return out


FORMS: dict[str, Callable[..., Any]] = {
    "chain": chain,
    "black-scholes": black_scholes,
    "squares": squares,
    "softmax": softmax,
    "standardise": standardise,
    "statistics": statistics,
    "k-means": kmeans,
    "edges": edges,
    "mandelbrot": mandelbrot,
    "log-density": log_density,
    "conditions": conditions,
    "selection": selection,
    "rotation": rotation,
    "walks": walks,
    "stacked": stacked,
    "ode": ode,
    "ode-jit": ode,
    "row-of-product": row_of_product,
    "products": products,
    "small": small,
    "warming": four,
    "new": twenty,
}
