"""Files that are either old or new, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from minidl.errors import ArgumentError


def make_folder_of(path: Path, who: str) -> None:
    """Make the folder that a file is to be in; raise now rather than after an epoch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise ArgumentError(f"{who}: {path} is a folder. Name a file, such as one in it.")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` once all of it is on the disk.

    A full disk, an error or a crash in between leaves the old file as it was.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        error.add_note(f"while writing {path}, which is as it was before")
        raise
