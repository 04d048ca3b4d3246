"""The benchmarks run, and what they write is there to read. Nothing is said about speed here."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import bounds, consumers, worker

ROOT = Path(__file__).parent.parent


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    file = tmp_path_factory.mktemp("benchmarks") / "results.json"
    done = run("--quick", "--only", "squares,k-means,small", "--peers", "numpy,lazyxp", "--json", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(file.read_text())


@pytest.mark.slow
def test_quick_run(quick):
    text, results = quick
    assert [row["workload"] for row in results["rows"]] == ["squares", "k-means", "small"]
    assert set(results["versions"]) == {"python", "numpy", "lazyxp"}
    for row in results["rows"]:
        assert row["title"] in text
        assert set(row["peers"]) == {"numpy", "lazyxp"}
        for peer in row["peers"].values():
            assert peer["error"] <= 1
            assert len(peer["times"]) == 3
            assert min(peer["times"]) <= peer["median"] <= max(peer["times"])
            assert peer["first"] > 0
    squares = results["rows"][0]
    assert squares["bytes_in"] == 2 * 8 * 100_000
    assert squares["bytes_out"] == 8
    assert squares["floor"] == pytest.approx((squares["bytes_in"] + 8) / squares["bandwidth"])
    assert results["rows"][2]["floor"] is None


@pytest.mark.slow
def test_report_into_a_page(quick, tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(quick[1]))
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- results: begin -->old<!-- results: end -->\nafter\n")
    command = [sys.executable, "-m", "benchmarks.report", str(tmp_path / "results.json"), str(page)]
    subprocess.run(command, cwd=ROOT, check=True)
    written = page.read_text()
    assert "old" not in written
    assert written.startswith("before\n")
    assert written.endswith("<!-- results: end -->\nafter\n")
    assert r"| sum((a - b)\*\*2) | 100000 | float64 |" in written


def test_unknown_names_are_refused():
    for option in ("--only", "--peers"):
        done = run(option, "no-such-name")
        assert done.returncode == 2
        assert "'no-such-name' is none of" in done.stderr


def test_wrong_results_are_found():
    wanted = np.arange(1.0, 101.0)
    wrong = wanted.copy()
    wrong[3] += 1e-3
    assert worker.error(wanted, wanted, 0) == 0
    assert worker.error(wrong, wanted, 0) > 1
    assert worker.error(wrong, wanted, 0.01) <= 1
    assert worker.error(wanted[:-1], wanted, 0) == np.inf
    assert worker.error(np.full(100, np.nan), wanted, 0) == np.inf
    assert worker.error(np.array([1, 2, 4]), np.array([1, 2, 3]), 0) > 1


def row(workload, ours, numpy, *, counts=True, small=False, memory_bound=False, floor=None, memory=(0, 0)):
    peers = {"numpy": {"median": numpy}, "lazyxp": {"median": ours}}
    return {
        "workload": workload, "dtype": "float64", "peers": peers, "counts": counts, "small": small,
        "memory_bound": memory_bound, "floor": floor, "memory": dict(zip(("numpy", "lazyxp"), memory, strict=True)),
        "bytes_out": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (row("softmax", 1.0, 5.0), ""),
        (row("softmax", 5.1, 5.0), "no slower than NumPy"),
        (row("edges", 1.0, 5.0, memory_bound=True, floor=0.8), ""),
        (row("edges", 1.0, 5.0, memory_bound=True, floor=0.7), "times the floor"),
        (row("small", 5e-6, 2e-6, counts=False, small=True), ""),
        (row("small", 7e-6, 2e-6, counts=False, small=True), "6 us"),
        (row("softmax", 1.0, 5.0, memory=(50_000_000, 60_000_000)), "no more memory than NumPy"),
        (row("chain", 1.0, 5.0, memory=(50_000_000, 20_000_000)), "result + 16 MB"),
        (row("softmax", 1.0, 2.0), "4.0 times as fast as numpy"),
    ],
)
def test_bounds(one, said):
    missed = bounds.missed({"rows": [one], "first_calls": {}})
    if said:
        assert any(said in line for line in missed), missed
    else:
        assert missed == []


@pytest.mark.slow
def test_consumers_are_timed():
    command = [sys.executable, "-m", "benchmarks.consumers", "--quick", "--only", "scipy.fft.fftshift"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "scipy.fft.fftshift" in done.stdout
    assert "1,000,000 elements: geometric mean" in done.stdout


def test_the_table_of_consumers_says_what_is_within_the_bounds():
    times = [(100, 1e-3, 19e-3), (1_000_000, 2e-3, 1e-3)], [(100, 1e-3, 21e-3), (1_000_000, 2e-3, 4e-3)]
    rows = [consumers.Timed(f"call {i}", *row) for i, of_call in enumerate(times) for row in of_call]
    text = consumers.table(rows)
    assert text.count("!") == 2
    assert "100 elements: geometric mean 19.97; 1 of 2 calls within 20 times NumPy's time, 0 faster" in text
    assert "1,000,000 elements: geometric mean 1.00; 1 of 2 calls within 1.5 times NumPy's time, 1 faster" in text
