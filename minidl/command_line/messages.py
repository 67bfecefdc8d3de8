"""What a command says beside its results, and the codes that it ends with."""

from __future__ import annotations

import sys
from pathlib import Path

from minidl.errors import DataError

FAILED, INTERRUPTED, PIPE_CLOSED = 1, 130, 141  # the last two as of a program ended by the signal


def say(text: str) -> None:
    """Print a line to standard error, where it is no part of the results."""
    print(f"minidl: {text}", file=sys.stderr)


def wrong_file(path: Path, expected: str, got: str, fix: str) -> DataError:
    """The error for a file that is not what it should be."""
    return DataError(f"{path}: expected {expected}, got {got}. {fix}")
