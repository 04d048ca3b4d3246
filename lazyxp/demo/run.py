"""Run the photo job on lazyxp's backends and on NumPy itself, and compare."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import lazyxp as xp
from lazyxp.demo.photo import develop
from lazyxp.errors import LazyxpError

REPEATS = 3
_TOLERANCE = 1e-12  # backends may add up a mean in another order


class DemoError(Exception):
    """The demo cannot run as asked; the message says why and what to do."""


def run(photo: str | None = None, output: str = "demo-output", backends: Sequence[str] = ()) -> bool:
    """Develop one photograph, print what was done and whether all results are equal.

    Parameters
    ----------
    photo : str, optional
        An image file; without it, a photograph that comes with scikit-learn.
    output : str
        Where the picture and the graph are written.
    backends : sequence of str
        What to run on; nothing named means NumPy, and Dask where it is installed.

    Returns
    -------
    bool
        Whether each backend gave what NumPy itself gave.

    Raises
    ------
    DemoError
        If the photograph, the directory or a backend cannot be used.
    """
    name, image = load(photo)
    directory = _directory(output)
    known = xp.backends()
    chosen = list(backends) or [b for b in ("numpy", "dask") if known[b].available]
    for backend in chosen:
        if backend in known and not known[backend].available:
            raise DemoError(f"the backend {backend!r} cannot run here: {known[backend].reason}")

    height, width, _ = image.shape
    print(f"photograph    {name}, {width} x {height}")
    print(f"recorded      {_record(image, directory / 'graph.svg')}")

    eager_time, (picture, statistics) = best(partial(develop, np, image))
    print(f"numpy itself  {eager_time * 1e3:.1f} ms")

    equal = True
    for backend in chosen:
        duration, (ours, theirs) = best(partial(_compute, image, backend))
        same = ours.dtype == picture.dtype and np.array_equal(ours, picture)
        close = np.allclose(theirs, statistics, rtol=_TOLERANCE, atol=_TOLERANCE)
        equal = equal and same and close
        print(
            f"on {backend:<10} {duration * 1e3:.1f} ms, recording included: every pixel {_or_not('equal', same)} to "
            f"NumPy's, statistics {_or_not('equal', close)} within {_TOLERANCE}"
        )
        if backend == chosen[0]:
            _save(ours, directory / "picture.png")

    if not backends and "dask" not in chosen:
        print(f"on dask       not run: {known['dask'].reason}")

    print(_table(statistics))
    print(f"files         {directory / 'picture.png'}, {directory / 'graph.svg'}")
    print("result        " + ("all equal" if equal else "NOT EQUAL"))
    return equal


def load(photo: str | None) -> tuple[str, Any]:
    """The photograph's name and its pixels: float64, from 0 to 1, shape ``(height, width, 3)``."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise DemoError('reading a photograph needs Pillow: python -m pip install "lazyxp[demo]"') from None
    if photo is None:
        try:
            from sklearn.datasets import load_sample_image
        except ImportError:
            raise DemoError(
                'the demo\'s own photograph comes with scikit-learn: python -m pip install "lazyxp[demo]", '
                "or name an image file"
            ) from None
        return "china.jpg of scikit-learn", load_sample_image("china.jpg") / 255.0
    try:
        with Image.open(photo) as file:
            return photo, np.asarray(ImageOps.exif_transpose(file).convert("RGB")) / 255.0
    except FileNotFoundError:
        raise DemoError(f"there is no file {photo!r}: name an image file, or none for the demo's own") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DemoError(f"cannot read {photo!r} as an image ({error}): name a JPEG, PNG or TIFF file") from None


def best(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of the fastest of a few calls, and the result of the last."""
    times, result = [], None
    for _ in range(REPEATS):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def _record(image: Any, drawing: Path) -> str:
    """Record the job, draw its graph, and say how large it is."""
    duration, arrays = best(lambda: develop(xp, xp.asarray(image)))
    graph = xp.to_networkx(*arrays)
    given = ("source", "constant", "output")
    calls = sum(op not in given for _, op in graph.nodes(data="op"))
    xp.visualize(*arrays, filename=drawing)
    return f"{calls} calls in {duration * 1e3:.2f} ms; with its inputs and constants the graph has {len(graph)} nodes"


def _compute(image: Any, backend: str) -> tuple[Any, Any]:
    """Record and compute the job on one backend, as NumPy arrays."""
    try:
        picture, statistics = xp.compute(*develop(xp, xp.asarray(image)), backend=backend)
    except LazyxpError as error:
        raise DemoError(f"the backend {backend!r} cannot run the photo job: {error}") from None
    return _as_numpy(picture), _as_numpy(statistics)


def _as_numpy(native: Any) -> Any:
    """`native` on the host and dense; nothing but a comparison needs this."""
    for method in ("todense", "get"):
        if hasattr(native, method):
            return getattr(native, method)()
    return np.asarray(native)


def _or_not(word: str, yes: bool) -> str:
    return word if yes else f"NOT {word}"


def _table(statistics: Any) -> str:
    rows = [f"{'':14}{'mean':>8}{'std':>8}{'min':>8}{'max':>8}"]
    for channel, values in zip(("red", "green", "blue"), statistics.T, strict=True):
        rows.append(f"{channel:14}" + "".join(f"{value:8.4f}" for value in values))
    return "\n".join(rows)


def _directory(output: str) -> Path:
    directory = Path(output)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoError(f"cannot write to {output!r} ({error.strerror}): name a directory with --output") from None
    if not os.access(directory, os.W_OK):
        raise DemoError(f"cannot write to {output!r} (no permission): name a directory with --output")
    return directory


def _save(picture: Any, path: Path) -> None:
    from PIL import Image

    Image.fromarray(picture).save(path)
