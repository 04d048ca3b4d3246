"""The plugin of pytest for `pytest --pyargs lazyxp.testing.executor`: its option, its fixture and its summary."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from lazyxp.testing import ASSERTING

pytest.register_assert_rewrite(*ASSERTING)

import lazyxp as xp  # noqa: E402
from lazyxp.errors import LazyxpError  # noqa: E402
from lazyxp.executors import registry  # noqa: E402
from lazyxp.testing.backend import Backend  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the executor."""
    group = parser.getgroup("lazyxp")
    group.addoption("--executor", metavar="NAME", help="the backend whose executor lazyxp's acceptance suite runs on")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without a backend that can run here."""
    if config.getoption("help"):
        return
    name = config.getoption("executor")
    try:
        if name is None:
            raise ValueError("the suite needs to be told what to run on: --executor NAME")
        registry.get(name)
    except (LazyxpError, TypeError, ValueError) as error:
        known = "\n".join(
            f"  {name}{'' if status.available else f': cannot run here, {status.reason}'}"
            for name, status in xp.backends().items()
        )
        raise pytest.UsageError(f"{error}\nBackends that are installed or registered:\n{known}") from error


@pytest.fixture(scope="session")
def backend(pytestconfig: pytest.Config) -> Backend:
    """The backend that the command line names."""
    name = pytestconfig.getoption("executor")
    return Backend(name, name)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell which ops ran, which were refused, and why; and why tests were skipped."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for report in terminalreporter.stats.get("passed", ()):
        facts = dict(report.user_properties)
        if "op" in facts:
            found[facts["result"]][facts["op"]] = facts["reason"]
    for report in terminalreporter.stats.get("skipped", ()):
        _, _, reason = report.longrepr
        found["skipped"][report.nodeid.rpartition("::")[2]] = reason.removeprefix("Skipped: ")
    if found:
        terminalreporter.section(f"lazyxp's ops on {config.getoption('executor')}")
    for result, told in found.items():
        terminalreporter.line(f"{len(told)} {result}")
        for reason in dict.fromkeys(reason for reason in told.values() if reason):
            names = sorted(name for name in told if told[name] == reason)
            terminalreporter.line(f"  {', '.join(names)}: {reason}")
