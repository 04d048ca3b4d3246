"""The command line: ``python -m lazyxp demo`` and ``python -m lazyxp info``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        The command line; None means the program's own.

    Returns
    -------
    int
        Exit code: 0 if all went well, 1 if results differ, 2 if the command cannot run as asked.
    """
    parser = argparse.ArgumentParser(prog="python -m lazyxp", description="Lazy arrays of the Array API standard.")
    commands = parser.add_subparsers(dest="command", required=True)

    demo = commands.add_parser("demo", help="develop a photograph, and compare the result with NumPy's")
    demo.add_argument("photo", nargs="?", help="an image file (default: a photograph that comes with scikit-learn)")
    demo.add_argument("--output", default="demo-output", metavar="DIR", help="where files go (default: %(default)s)")
    demo.add_argument(
        "--backend",
        action="append",
        default=[],
        metavar="NAME",
        help="a backend to run on, may be given several times (default: numpy, and dask where it is installed)",
    )
    commands.add_parser("info", help="print versions, backends and threads")

    options = parser.parse_args(arguments)
    return _demo(options) if options.command == "demo" else _info()


def _demo(options: argparse.Namespace) -> int:
    from lazyxp.demo.run import DemoError, run

    try:
        return 0 if run(options.photo, options.output, options.backend) else 1
    except DemoError as error:
        print(f"python -m lazyxp demo: error: {error}", file=sys.stderr)
        return 2


def _info() -> int:
    from lazyxp.info import show_versions

    show_versions()
    return 0


if __name__ == "__main__":
    sys.exit(main())
