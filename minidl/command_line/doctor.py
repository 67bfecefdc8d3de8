"""`minidl doctor`: the report on this machine."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from minidl.command_line.words import new_command

if TYPE_CHECKING:
    from minidl.command_line.words import Commands

EXAMPLES = """
minidl doctor
minidl doctor --json > machine.json
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "say how fast this machine computes, and what would make it faster"
    command = new_command(commands, "doctor", run, summary, EXAMPLES)
    command.add_argument("--json", action="store_true", help="print the facts as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Examine the machine and print what was found."""
    import json

    from minidl.doctor import examine

    if sys.stderr.isatty():
        print("Measuring, which takes a few seconds ...\n", file=sys.stderr)
    report = examine()
    print(json.dumps(report.as_dict(), indent=2) if arguments.json else report)
