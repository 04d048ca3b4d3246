"""The acceptance suite as others run it: installed, by name, on executors of their own, and able to fail."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.executors import broken_executors

ROOT = Path(__file__).parents[2]
TALLY = ROOT / "examples" / "lazyxp-tally"
# All tests but those of single ops, of which a few are enough here.
FEW = "not test_numpys_answer and not test_what_it_says_of_ops or [add] or [exp] or [sort] or [sum] or [negative]"


def install(folder, project):
    """Write into `folder` what tells Python of an installed project, and its module where that is not on the path."""
    name = project["name"].replace("-", "_")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of packages: lazyxp, the example, and the broken executors."""
    folder = tmp_path_factory.mktemp("site")
    for root in (ROOT, TALLY):
        install(folder, tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"])
    (folder / "lazyxp_tally.py").write_text((TALLY / "lazyxp_tally.py").read_text(encoding="utf-8"), encoding="utf-8")
    module = broken_executors.__name__
    points = {name: f"{module}:{name}" for name, c in vars(broken_executors).items() if isinstance(c, type)}
    install(folder, {"name": "broken-executors", "entry-points": {"lazyxp.executors": points}})
    return folder


def run(site, folder, *arguments):
    """The exit status and the output of pytest in `folder`, where the packages of `site` are installed."""
    path = os.pathsep.join([str(site), str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": "", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


def accept(site, folder, name, *arguments):
    """The suite's exit status and output for one executor."""
    return run(site, folder, "--pyargs", "lazyxp.testing.executor", "--executor", name, "-q", "--tb=short", *arguments)


def failures(output):
    """The tests that failed."""
    return set(re.findall(r"^FAILED \S*::(\w+(?:\[[^\]]*\])?)", output, re.MULTILINE))


@pytest.mark.slow
def test_the_example_passes(site, tmp_path):
    status, output = accept(site, tmp_path, "tally")
    assert status == 0, output
    assert "lazyxp's ops on tally" in output
    assert re.search(r"^\d{3} ran$", output, re.MULTILINE)
    assert "skipped" not in output


def test_numpy_passes(site, tmp_path):
    status, output = accept(site, tmp_path, "numpy", "-k", FEW)
    assert status == 0, output


@pytest.mark.parametrize(
    ("name", "wanted"),
    {
        "WrongDtype": {"test_numpys_answer[exp]"},
        "WrongShape": {"test_numpys_answer[exp]"},
        "SlightlyWrong": {"test_numpys_answer[exp]"},
        "DepartsTooFar": {"test_numpys_answer[exp]"},
        "LosesSigns": {
            "test_special_values[signs]",
            "test_special_values[choices]",
            "test_sources_are_never_written_to",
        },
        "SharesMemory": {"test_several_outputs_share_no_memory"},
        "WritesToSources": {
            "test_numpys_answer[add]",
            "test_special_values[arithmetic]",
            "test_several_outputs_share_no_memory",
            "test_common_work_is_done_once",
            "test_sources_are_never_written_to",
            "test_persisted_results_are_sources",
            "test_threads",
        },
        "SwallowsNotes": {"test_errors_tell_op_and_line"},
        "IgnoresOptions": {"test_options_of_another_backend"},
        "RefusesSilently": {"test_numpys_answer[sort]", "test_what_it_says_of_ops[sort]"},
        "RunsBeforeItRefuses": {"test_numpys_answer[sort]"},
        "WorksTwice": {"test_common_work_is_done_once"},
    }.items(),
)
def test_a_fault_fails_its_test(site, tmp_path, name, wanted):
    status, output = accept(site, tmp_path, name, "-k", FEW)
    assert status == 1, output
    assert failures(output) == wanted, output


def test_what_an_executor_lacks_is_listed(site, tmp_path):
    status, output = accept(site, tmp_path, "NoComplex", "-k", FEW)
    assert status == 0, output
    assert "1 refused\n  sort: it has no order\n" in output
    assert "  test_data_types[complex64]: no-complex has no data type complex64\n" in output
    assert "refused some operands\n  add, exp, negative, sum: no-complex has no data type complex64\n" in output


def test_departures_are_listed(site, tmp_path):
    status, output = accept(site, tmp_path, "Departs", "-k", FEW)
    assert status == 0, output
    assert "1 ran, and depart from NumPy\n  exp: its infinities are NaN\n" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the suite needs to be told what to run on: --executor NAME"),
        (("--executor", "nunpy"), "there is no backend 'nunpy': did you mean 'numpy'?"),
        (("--executor", "math"), "there is no backend 'math'"),
    ],
)
def test_without_an_executor(site, tmp_path, arguments, message):
    status, output = run(site, tmp_path, "--pyargs", "lazyxp.testing.executor", *arguments)
    assert status == pytest.ExitCode.USAGE_ERROR
    assert message in output
    assert "\n  numpy\n" in output
    assert "\n  tally\n" in output


def test_other_runs_do_not_import_lazyxp(site, tmp_path):
    (tmp_path / "test_it.py").write_text(
        "import sys\ndef test_it(): assert '_lazyxp_pytest' in sys.modules and 'lazyxp' not in sys.modules\n"
    )
    status, output = run(site, tmp_path)
    assert status == 0, output
