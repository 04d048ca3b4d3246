"""How a plan runs: one executor a backend, resolved by name, by module or by the data itself.

The names below are what other packages write executors with.
"""

import importlib as _importlib
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

__all__ = ["ArrayAPIExecutor", "Executor", "Plan", "Status", "Step", "failure"]

if _TYPE_CHECKING:
    from lazyxp.executors.array_api import ArrayAPIExecutor
    from lazyxp.executors.base import Executor, Status, failure
    from lazyxp.plan import Plan, Step

# Imported when they are first asked for, so that what needs the registry alone stays quick.
_LATER = {
    "ArrayAPIExecutor": "lazyxp.executors.array_api",
    "Executor": "lazyxp.executors.base",
    "Plan": "lazyxp.plan",
    "Status": "lazyxp.executors.base",
    "Step": "lazyxp.plan",
    "failure": "lazyxp.executors.base",
}


def __getattr__(name: str) -> _Any:
    if name in _LATER:
        value = globals()[name] = getattr(_importlib.import_module(_LATER[name]), name)
        return value
    raise AttributeError(f"module 'lazyxp.executors' has no attribute {name!r}")
