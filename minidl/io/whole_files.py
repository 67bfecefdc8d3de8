"""Files that are either old or new, whatever happens while they are written."""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from minidl.errors import ArgumentError


def make_folder_of(path: Path, who: str) -> None:
    """Make the folder that a file is to be in; raise now rather than after an epoch."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise ArgumentError(f"{who}: {error.filename} is a file, expected a folder.") from error
    if path.is_dir():
        raise ArgumentError(f"{who}: {path} is a folder. Name a file, such as one in it.")


@contextlib.contextmanager
def replacing(path: Path, *, keep_previous: bool = False) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` once all of it is on the disk.

    A full disk, an error or a crash in between leaves the old file as it was. As if the old file
    were written over, it keeps its permissions, and a link goes on leading to it.

    Args:
        path: The file.
        keep_previous: Whether the file that was there stays, as `previous_of(path)`.
    """
    path = followed(path)
    if path.exists() and not path.is_file():  # a device that is replaced is gone for everybody
        raise ArgumentError(f"{path} is no file that could be replaced. Name another one.")
    unfinished = _unfinished(path)
    try:
        with unfinished.open("wb") as file:
            with contextlib.suppress(OSError):  # there is none, or its file system keeps no modes
                shutil.copymode(path, unfinished)
            yield file
            file.flush()
            os.fsync(file.fileno())
        if keep_previous and path.exists():
            _give_second_name(path, previous_of(path))
        os.replace(unfinished, path)
    except BaseException as error:
        unfinished.unlink(missing_ok=True)
        error.add_note(f"while writing {path}, which is as it was before")
        raise
    settle_names_in(path.parent)


def followed(path: Path) -> Path:
    """The file that a link leads to; any other path as it is."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def previous_of(path: Path) -> Path:
    """The name of the file before the last: `run.previous.ckpt` beside `run.ckpt`."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def _give_second_name(path: Path, name: Path) -> None:
    """Let a file have another name, too; at no time is there no file of either name."""
    between = _unfinished(name)
    between.unlink(missing_ok=True)
    try:
        os.link(path, between)
        os.replace(between, name)
    except OSError:  # a file system without second names: until the next one there is none `path`
        between.unlink(missing_ok=True)
        os.replace(path, name)


def _unfinished(path: Path) -> Path:
    """A name beside a file for this thread alone, which `remove_unfinished` knows."""
    return path.with_name(f".{path.name}.{threading.get_ident()}.{os.getpid()}")


def remove_unfinished(path: Path) -> None:
    """Remove what processes that were killed while they wrote a file have left of it."""
    for name in (path.name, previous_of(path).name):
        for left in path.parent.glob(f".{glob.escape(name)}.*"):
            if left.suffix[1:].isdigit() and left.suffix != f".{os.getpid()}":
                left.unlink(missing_ok=True)


def settle_names_in(folder: Path) -> None:
    """See to it that new names of files in a folder outlast a loss of power.

    Not every system and file system lets folders be opened and flushed.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
