"""Named arrays and texts in one file of the safetensors format, with a checksum over all of it.

The safetensors library writes; reading is done here. The library maps a file into memory, so that
one that shrinks meanwhile ends the process, and it says little of what is wrong with a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from minidl.errors import ArgumentError, DataError
from minidl.io.strict_json import is_too_much, shortened
from minidl.io.tensor_header import MOST_BYTES, read_header
from minidl.io.whole_files import make_folder_of, replacing
from minidl.typing import Array

CHECKSUM = "sha256"  # the key of the checksum among the texts
BLOCK = 2**20  # bytes at a time


class TensorFile:
    """An open file whose header is well-formed.

    Attributes:
        path: Where it is.
        metadata: Texts by name.
        entries: Data type, shape and place of each array by its name.
    """

    def __init__(self, path: Path, file: BufferedReader) -> None:
        self.path, self._file = path, file
        try:
            self.metadata, self.entries = read_header(file)
        except ValueError as error:
            raise self.error(f"is no whole safetensors file: {error}") from error
        self._stated = self.metadata.pop(CHECKSUM, None)
        self._is_intact = False

    def check_content(self, *, required: bool = False) -> None:
        """Raise unless the content is what its checksum was taken of.

        Names and shapes are looked at before, as more can be said of them; values come after it.

        Args:
            required: Whether a file without a checksum, as other programs write it, is an error.
        """
        if self._stated is None:
            if required:
                raise self.error(f"is not as minidl wrote it: its metadata has no {CHECKSUM!r}")
        elif not self._is_intact and self._stated != self._checksum():
            fix = f", or another program changed it, which should drop the text {CHECKSUM!r}"
            problem = "has other content than its checksum was taken of: it is damaged"
            raise self.error(problem if required else problem + fix)
        self._is_intact = True  # once is enough, as for the model in a checkpoint

    def read(self, name: str) -> Array:
        """Return an array of its own with the values of this name."""
        entry = self.entries[name]
        values = np.empty(entry.shape, entry.dtype)
        self._file.seek(entry.start)
        if self._file.readinto(values.reshape(-1).view(np.uint8).data) != values.nbytes:
            raise self.error(f"ended while {name!r} was read")
        return values

    def error(self, message: str) -> DataError:
        """An error about this file, to be raised."""
        text = shortened(message, 1000)
        return DataError(f"{self.path}: {text}{'' if text.endswith('.') else '.'}")

    def _checksum(self) -> str:
        table = [(name, entry.dtype, entry.shape) for name, entry in self.entries.items()]
        return _checksum(self.metadata, table, map(self._blocks, sorted(self.entries)))

    def _blocks(self, name: str) -> Iterator[bytes]:
        entry = self.entries[name]
        self._file.seek(entry.start)
        for start in range(entry.start, entry.stop, BLOCK):
            yield self._file.read(min(BLOCK, entry.stop - start))


@contextlib.contextmanager
def reading(path: Path) -> Iterator[TensorFile]:
    """Open a file to read arrays from it; raise DataError unless its header is well-formed."""
    if path.is_dir():
        raise ArgumentError(f"{path} is a folder. Name a file, such as one in it.")
    with path.open("rb") as file:
        yield TensorFile(path, file)


def write(
    path: Path,
    tensors: Mapping[str, Array],
    metadata: Mapping[str, str],
    *,
    keep_previous: bool = False,
) -> None:
    """Write arrays and texts by name, the whole file or nothing; the same ones give the same bytes.

    Args:
        path: The file, which is replaced if it exists; its folder is made if there is none.
        tensors: Real arrays of any memory order.
        metadata: Texts.
        keep_previous: Whether the file that was there stays, as `previous_of(path)`.
    """
    from safetensors.numpy import save

    make_folder_of(path, "save")
    arrays = {
        name: np.asarray(values, values.dtype.newbyteorder("<"), order="C")
        for name, values in tensors.items()
    }
    table = [(name, values.dtype, values.shape) for name, values in arrays.items()]
    bytes_of = ([arrays[name].reshape(-1).view(np.uint8).data] for name in sorted(arrays))
    whole = save(arrays, {**metadata, CHECKSUM: _checksum(metadata, table, bytes_of)})
    # The library's order of the texts changes from run to run.
    start = 8 + int.from_bytes(whole[:8], "little")
    header = json.loads(whole[8:start])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MOST_BYTES or is_too_much(text.decode()):
        raise ArgumentError(
            f"save: {path} would have too many names, or too long texts, to be read."
        )
    with replacing(path, keep_previous=keep_previous) as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.write(memoryview(whole)[start:])


def _checksum(
    metadata: Mapping[str, str],
    table: list[tuple[str, np.dtype[Any], tuple[int, ...]]],
    contents: Iterable[Iterable[bytes | memoryview]],
) -> str:
    """SHA-256 of the texts, of what arrays there are, and of their bytes in the order of names."""
    described = sorted((name, dtype.str, list(shape)) for name, dtype, shape in table)
    hasher = hashlib.sha256(json.dumps([sorted(metadata.items()), described]).encode())
    for blocks in contents:
        for block in blocks:
            hasher.update(block)
    return hasher.hexdigest()
