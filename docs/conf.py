"""The Sphinx site. What it lists of functions is written anew from the package at each build."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

import lazyxp

project = "lazyxp"
author = "the lazyxp developers"
project_copyright = f"2026, {author}"
version = release = lazyxp.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "myst_parser"]
exclude_patterns = ["_build", "support-matrix.md"]
numpydoc_show_class_members = False
autosummary_generate = True
autodoc_default_options = {"members": True}
autodoc_typehints = "none"  # numpydoc's sections tell the types

html_theme = "pydata_sphinx_theme"
html_title = f"lazyxp {release}"
html_show_sourcelink = False

GENERATED = Path(__file__).parent / "generated"


def write(path: Path, text: str) -> None:
    """Write `path` where its text is new, so that Sphinx reads again only what changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def sections() -> dict[str, list[str]]:
    """Public functions and classes by the module of `lazyxp.api` that defines them, "" for all others."""
    names: dict[str, list[str]] = defaultdict(list)
    for name in lazyxp.__all__:
        thing = getattr(lazyxp, name)
        if isinstance(thing, ModuleType):
            sys.modules[f"lazyxp.{name}"] = thing  # autodoc looks its functions up under this name
            names[thing.__name__] += [f"{name}.{inner}" for inner in thing.__all__]
        elif hasattr(thing, "__qualname__"):
            names[thing.__module__ if thing.__module__.startswith("lazyxp.api.") else ""].append(name)
    return names


def write_sections() -> None:
    """One page for each section of the standard, and one for what goes beyond it."""
    for module, names in sections().items():
        section = module.rpartition(".")[2] or "beyond_the_standard"
        title = section.replace("_", " ").capitalize()
        summary = (sys.modules[module].__doc__ or "") if module else "Running graphs, and looking at them.\n"
        listing = "\n".join(f"   {name}" for name in sorted(names))
        write(
            GENERATED / "sections" / f"{section}.rst",
            f"{title}\n{'=' * len(title)}\n\n{summary.splitlines()[0]}\n\n.. currentmodule:: lazyxp\n\n"
            f".. autosummary::\n   :toctree: ../names\n\n{listing}\n",
        )


write_sections()
