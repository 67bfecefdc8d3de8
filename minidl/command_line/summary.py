"""`minidl summary`: a model file as a table."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from minidl.command_line.words import add_model_file, new_command

if TYPE_CHECKING:
    from minidl.command_line.words import Commands

EXAMPLES = "minidl summary digits.safetensors"


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "print a model's layers, output shapes and numbers of parameters"
    add_model_file(new_command(commands, "summary", run, summary, EXAMPLES))


def run(arguments: argparse.Namespace) -> None:
    """Read the file and print the table."""
    import minidl as dl

    dl.load(arguments.file).summary()
