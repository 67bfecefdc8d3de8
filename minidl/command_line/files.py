"""Files that are written by a command: never over another one unless --force says so."""

from __future__ import annotations

from pathlib import Path

from minidl.errors import ArgumentError
from minidl.io.whole_files import make_folder_of


def free_path(path: Path, force: bool, *sources: Path) -> Path:
    """Return the path if a file may be written there; raise before anything is computed.

    Args:
        path: The file to be written.
        force: Whether it may replace one.
        sources: What is read, which is replaced in no case.
    """
    if any(source.exists() and path.exists() and source.samefile(path) for source in sources):
        raise ArgumentError(f"{path} is what is read. Name another file for the output.")
    if path.is_file() and not force:
        raise ArgumentError(f"{path} exists already. --force replaces it.")
    make_folder_of(path, "output")
    return path
