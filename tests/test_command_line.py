"""`python -m lazyxp`, and the programs under examples/."""

import os
import subprocess
import sys
from pathlib import Path

import array_api_strict
import numpy as np
import pytest

import lazyxp as xp
from lazyxp.__main__ import main
from lazyxp.demo.photo import develop

Image = pytest.importorskip("PIL.Image")
ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.fixture
def photo(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, size=(13, 17, 3), dtype=np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


def test_demo_writes_the_picture_that_numpy_gives(photo, tmp_path, capsys):
    output = tmp_path / "new" / "folder"
    assert main(["demo", str(photo), "--output", str(output), "--backend", "numpy"]) == 0
    text = capsys.readouterr().out
    assert "123 calls" in text
    assert "all equal" in text
    expected, _ = develop(np, np.asarray(Image.open(photo)) / 255.0)
    assert np.array_equal(np.asarray(Image.open(output / "picture.png")), expected)
    assert (output / "graph.svg").read_text().startswith("<svg")


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 5, 3)])
def test_develop_keeps_to_the_standard(shape):
    image = np.random.default_rng(0).random(shape)
    strict, _ = develop(array_api_strict, array_api_strict.asarray(image))
    with xp.set_options(strict=True):
        lazy, _ = develop(xp, xp.asarray(image))
    assert np.array_equal(lazy.compute(), np.asarray(strict))


def test_demo_says_in_one_line_what_is_wrong(photo, tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("no picture")
    for arguments, message in [
        ([str(tmp_path / "missing.jpg")], "there is no file"),
        ([str(text)], "as an image"),
        ([str(photo), "--output", str(text)], "cannot write to"),
        ([str(photo), "--output", str(tmp_path), "--backend", "nunpy"], "did you mean 'numpy'"),
    ]:
        assert main(["demo", *arguments]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1


def test_demo_without_pillow(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert main(["demo"]) == 2
    assert "lazyxp[demo]" in capsys.readouterr().err


def test_demo_fails_when_results_differ(photo, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("lazyxp.demo.run._compute", lambda image, _: develop(np, image[::-1]))
    assert main(["demo", str(photo), "--output", str(tmp_path), "--backend", "numpy"]) == 1
    assert "NOT EQUAL" in capsys.readouterr().out


def test_info(capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("lazyxp")
    for name in xp.backends():
        assert f"backend {name}" in text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example_runs(example):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
