"""Files that are written by a command: never over another one unless --force says so."""

from __future__ import annotations

from pathlib import Path

from minidl.errors import ArgumentError


def free_path(path: Path, force: bool) -> Path:
    """Return the path if a file may be written there; raise before anything is computed."""
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder. Name a file, such as one in it.")
    if path.exists() and not force:
        raise ArgumentError(f"{path} exists already. --force replaces it.")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
