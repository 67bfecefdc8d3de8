"""From the words of a command line to the command's work and its exit code."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import minidl
from minidl.command_line import doctor, evaluate, export, predict, summary, train
from minidl.command_line.messages import FAILED, INTERRUPTED, PIPE_CLOSED, say
from minidl.command_line.words import Parser, epilog
from minidl.errors import MinidlError

COMMANDS = (summary, predict, evaluate, export, train, doctor)

EXAMPLES = """
minidl train examples/two_layer_mnist.toml
minidl summary digits.safetensors
minidl predict digits.safetensors seven.png
minidl evaluate digits.safetensors mnist
minidl export digits.safetensors --to onnx
minidl doctor
"""
CODES = """
minidl COMMAND --help says more of a command. Results go to standard output, everything else to
standard error. Exit codes: 0 all is well, 1 a file, its content or an argument is wrong, 2 the
words make no command, 130 Ctrl-C.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command of minidl's and return the exit code.

    Args:
        argv: The words after the program's name; by default those that it was started with.

    Returns:
        0 if all went well, 1 if a file, its content or an argument is wrong, 130 after Ctrl-C, 141
        if the program that reads the output has ended.

    Raises:
        SystemExit: With code 2 if the words make no command, with 0 after `--help` and `--version`.

    Example:
        >>> main([])
        usage: minidl ...
        0
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        return _outcome(arguments)


def _outcome(arguments: argparse.Namespace) -> int:
    """Run a command; a user's mistake is a message, any other error is minidl's and is raised."""
    try:
        code: int | None = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has all that it wants
        _let_go_of_output()
        return PIPE_CLOSED
    except (MinidlError, OSError, MemoryError) as error:
        _let_go_of_output()
        say(f"error: {_text(error)}")
        return FAILED
    except ImportError as error:
        if "pip install" not in str(error):
            raise
        say(f"error: {error}")
        return FAILED
    return code or 0


def _let_go_of_output() -> None:
    """Drop what cannot be written, as to a full disk; Python would try, and complain, at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _text(error: BaseException) -> str:
    """An error as its message, with the notes on it."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif isinstance(error, MemoryError):
        text = f"not enough memory. {error}".strip()
    return "\n".join([text, *getattr(error, "__notes__", ())])


def _show_warning(message: Warning | str, *_: Any) -> None:
    say(f"warning: {message}")


def _parser() -> Parser:
    parser = Parser(
        prog="minidl",
        description="Train, examine, use and ship small neural networks.",
        epilog=epilog(EXAMPLES) + "\n" + CODES,
    )
    parser.add_argument("--version", action="version", version=f"minidl {minidl.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add_to(commands)
    return parser
