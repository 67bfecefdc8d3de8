"""The command line: `minidl doctor`, or `python -m minidl doctor`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of minidl's and return the exit code.

    Args:
        argv: The words after the program's name; by default those that it was started with.

    Raises:
        SystemExit: With code 2 if the words make no command, with 0 after `--help`.

    Example:
        >>> main([])  # doctest: +ELLIPSIS
        usage: minidl ...
        0
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
    else:
        doctor(as_json=arguments.json)
    return 0


def doctor(*, as_json: bool) -> None:
    """Examine the machine and print what was found."""
    from minidl.doctor import examine

    if sys.stderr.isatty():
        print("Measuring, which takes a few seconds ...\n", file=sys.stderr)
    report = examine()
    print(json.dumps(report.as_dict(), indent=2) if as_json else report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="minidl", description="Deep learning on NumPy and SciPy: commands beside the library."
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    text = "how fast this machine computes, and what would make it faster"
    command = commands.add_parser(
        "doctor",
        help=text,
        description=f"Find out {text}: the processor, the BLAS libraries and their threads, the "
        "rate of matrix products with each choice of kernels. Nothing is changed.",
    )
    command.add_argument("--json", action="store_true", help="print the same facts as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
