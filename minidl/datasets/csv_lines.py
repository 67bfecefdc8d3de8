"""The lines of a CSV file, and the fields of each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from minidl.errors import DataError

Line = tuple[int, str]  # its number in the file, from 1, and its text

_GZIP_MAGIC = b"\x1f\x8b"


class CsvLines:
    """The lines of a CSV file, gzip-packed or not, that are not blank: each is a row.

    Args:
        path: The file.
        delimiter: The character between fields; fields in double quotes may hold it, too.
        skip_lines: Lines in front to pass over.
        encoding: Of the text.
    """

    def __init__(
        self, path: str | os.PathLike[str], delimiter: str, skip_lines: int, encoding: str
    ) -> None:
        self.path, self.delimiter = Path(path), delimiter
        self._skipped, self._encoding = skip_lines, encoding

    def __iter__(self) -> Iterator[Line]:
        """All lines after the skipped ones that are not blank."""
        import gzip
        import io
        import zlib

        try:
            with self.path.open("rb") as file:
                packed = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
                file.seek(0)
                stream = io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file
                for number, line in enumerate(stream, start=1):
                    if number > self._skipped and not line.isspace():
                        yield number, self._decoded(number, line)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.fail("", "an intact gzip file", f"a damaged one ({error})", "Fetch it again.")
        except OSError as error:
            self.fail("", "a readable file", error.strerror or str(error), "Check the path.")

    def width(self, number: int, text: str) -> int:
        """Number of fields in a line."""
        if '"' in text:
            return len(self.fields(number, text))
        return text.count(self.delimiter) + 1

    def fields(self, number: int, text: str) -> list[str]:
        """The fields of a line."""
        import csv

        place = f", line {number}"
        try:
            fields, *more = csv.reader([text, ""], delimiter=self.delimiter)
        except csv.Error as error:
            wanted = f"fields with {self.delimiter!r} between them"
            self.fail(place, wanted, str(error), "Is it CSV?")
        if not more:  # the next line would become a part of this one
            wanted, got = "quotes closed in the same line", repr(text[-60:])
            self.fail(place, wanted, got, "Every row is one line.")
        return fields

    def fail(self, place: str, expected: str, got: str, fix: str) -> NoReturn:
        """Raise an error about the file."""
        raise DataError(
            f"csv_batches: {self.path}{place}: expected {expected}, got {got}. {fix}"
        ) from None

    def _decoded(self, number: int, line: bytes) -> str:
        try:
            return line.decode(self._encoding).rstrip("\r\n")
        except UnicodeDecodeError as error:
            self.fail(
                f", line {number}",
                f"text in {self._encoding}",
                f"the bytes {line[error.start : error.end]!r}",
                'Name the encoding, such as encoding="latin-1".',
            )
