"""Reader for IDX files, the format that MNIST and its relatives come in."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, NoReturn

import numpy as np

from minidl.errors import DataError
from minidl.typing import Array

if TYPE_CHECKING:
    import gzip

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_FOREIGN = {
    b"<": "an HTML or XML page, such as a server's error message",
    b"\x89PNG": "a PNG image",
    b"PK": "a zip archive",
    b"\x1f\x8b": "a gzip file inside a gzip file",
    b"\x1f\x9d": "a compress (.Z) file",
}
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_AXES = 64  # NumPy's limit
_CHUNK = 1 << 20
_FETCH_AGAIN = "Delete the file and fetch an intact copy."


def read_idx(path: str | os.PathLike[str], *, sha256: str | None = None) -> Array:
    r"""Read one array from an IDX file, gzip-packed or not.

    An IDX file is a header of $4 + 4k$ bytes, followed by the values in C order, all big-endian:

    | bytes | meaning |
    |---|---|
    | 2 | zero |
    | 1 | data type: 08 uint8, 09 int8, 0B int16, 0C int32, 0D float32, 0E float64 |
    | 1 | number of axes $k$ |
    | $4k$ | length of each axis, uint32 |

    Whether the file is packed is decided by its content, not by its name. No more is read, and
    no more memory taken, than the file holds: lengths in the header are believed only once the
    bytes are there.

    Args:
        path: The file.
        sha256: Expected SHA-256 of the unpacked content, header included, as 64 hex digits.
            None skips this check.

    Returns:
        A new array in the machine's own byte order, of MNIST's images (60000, 28, 28).

    Raises:
        DataError: The file is missing, damaged, truncated, too long, of another format, or its
            checksum differs. The message names the file and what is wrong with it.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels-idx1-ubyte")
        ...     _ = path.write_bytes(bytes([0, 0, 8, 1]) + bytes([0, 0, 0, 3]) + bytes([7, 2, 1]))
        ...     read_idx(path)
        array([7, 2, 1], dtype=uint8)

    References:
        Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits" (1998),
        section "File formats".
    """
    return read_served_idx(Path(path), sha256, None)


def read_served_idx(path: Path, sha256: str | None, packed_sha256: str | None) -> Array:
    """Like `read_idx`; a packed file whose content has no known checksum is checked as such."""
    with _explained(path):
        if path.is_dir():
            _fail(path, "an IDX file", "a folder", "Pass the path of a file in it.")
        with path.open("rb") as file:
            packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            if not packed:
                return _read(file, path, sha256)
            if sha256 is None and packed_sha256 is not None:
                _check_sha256(file, path, packed_sha256)
            return _unpacked(file, path, sha256)


def read_zipped_idx(path: Path, names: Sequence[str], sha256: str) -> list[Array]:
    """Read packed IDX files, in whatever folder, of a zip archive with this SHA-256."""
    import zipfile

    with _explained(path), path.open("rb") as file:
        _check_sha256(file, path, sha256)
        with zipfile.ZipFile(file) as archive:
            members = {member.rpartition("/")[2]: member for member in archive.namelist()}
            arrays = []
            for name in names:
                with archive.open(members[name]) as packed:
                    arrays.append(_unpacked(packed, path / members[name], None))
            return arrays


def _unpacked(packed: IO[bytes], path: Path, sha256: str | None) -> Array:
    import gzip

    with gzip.GzipFile(fileobj=packed) as stream:
        return _read(stream, path, sha256)


def _check_sha256(file: BinaryIO, path: Path, sha256: str) -> None:
    """Raise unless the file is the original; leave it at its beginning."""
    import hashlib

    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    if digest != sha256:
        _fail(path, f"a packed file with SHA-256 {sha256}", digest, _FETCH_AGAIN)
    file.seek(0)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Name the file, and what is wrong with it, where it cannot be read."""
    import gzip  # imported where they are used: they would make `import minidl` 8 ms longer
    import zlib

    try:
        yield
    except FileNotFoundError:
        _fail(path, "an IDX file", "no such file", "Check the path.")
    except EOFError:
        _fail(path, "a whole gzip file", "one that ends too early", _FETCH_AGAIN)
    except (gzip.BadGzipFile, zlib.error) as error:
        _fail(path, "an intact gzip file", f"a damaged one ({error})", _FETCH_AGAIN)
    except OSError as error:
        _fail(path, "a readable file", str(error), "Check its permissions and the disk.")


def _read(stream: BinaryIO | gzip.GzipFile, path: Path, sha256: str | None) -> Array:
    """Read and check header and values from the unpacked `stream`."""
    import hashlib

    content = bytearray(stream.read(4))
    if len(content) < 4 or content[:2] != b"\0\0":
        kind = next((kind for magic, kind in _FOREIGN.items() if content.startswith(magic)), None)
        got = f"{bytes(content)!r}" + (f": {kind}" if kind else "")
        expected = "an IDX file (its first bytes 00 00, data type, number of axes)"
        _fail(path, expected, got if content else "an empty file", _FETCH_AGAIN)
    code, ndim = content[2:]
    if code not in _DTYPES or not 1 <= ndim <= _MAX_AXES:
        known = ", ".join(f"{code:02X}" for code in _DTYPES)
        expected = f"data type {known} and 1 to {_MAX_AXES} axes"
        _fail(path, expected, f"data type {code:02X} and {ndim} axes", _FETCH_AGAIN)

    content += stream.read(4 * ndim)
    start = 4 + 4 * ndim
    if len(content) < start:
        _fail(path, f"a header of {start} bytes", f"{len(content)} bytes", _FETCH_AGAIN)
    shape = tuple(np.frombuffer(content, ">u4", offset=4).tolist())
    dtype = np.dtype(_DTYPES[code])
    size = start + math.prod(shape) * dtype.itemsize

    # In chunks, for the header may claim any size; one byte too many shows that more follows.
    while len(content) <= size and (chunk := stream.read(min(_CHUNK, size + 1 - len(content)))):
        content += chunk
    if len(content) != size:
        got = "more" if len(content) > size else f"{len(content):,} bytes"
        expected = f"{size:,} bytes unpacked, for shape {shape} of {dtype.name}"
        _fail(path, expected, got, _FETCH_AGAIN)
    if sha256 is not None and (digest := hashlib.sha256(content).hexdigest()) != sha256.lower():
        _fail(path, f"unpacked content with SHA-256 {sha256}", digest, _FETCH_AGAIN)
    try:
        values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    except ValueError:
        _fail(path, "a shape that NumPy can hold", f"{shape}", _FETCH_AGAIN)
    return values.astype(dtype.newbyteorder("="), copy=False)


def _fail(path: Path, expected: str, got: str, fix: str) -> NoReturn:
    raise DataError(f"read_idx: {path}: expected {expected}, got {got}. {fix}") from None
