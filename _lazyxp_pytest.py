"""Loads lazyxp's plugin for pytest into the runs that name the acceptance suite of executors.

pytest imports this module in every run wherever lazyxp is installed. It lies outside the package, which would import
NumPy, and does nothing in other runs.
"""

from __future__ import annotations

import os

import pytest


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Load the plugin before pytest parses the options that it adds."""
    if any("lazyxp.testing.executor" in arg.replace(os.sep, ".") for arg in args):
        early_config.pluginmanager.import_plugin("lazyxp.testing.plugin")
