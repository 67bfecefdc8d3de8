"""Tables in CSV files, read in blocks of lines; what is wrong is named by line and column."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from minidl.errors import DataError
from minidl.typing import Array

Line = tuple[int, str]  # its number in the file, from 1, and its text
Finding = Callable[[int, str], "str | None"]  # column and field -> what is wrong with it

LARGEST = float(np.finfo(np.float32).max)
_GZIP_MAGIC = b"\x1f\x8b"


class CsvFile:
    """A CSV file, gzip-packed or not, of which every row is a line.

    Args:
        path: The file.
        delimiter: The character between fields; fields in double quotes may hold it, too.
        skip_lines: Lines in front that are neither names nor data.
        header: Whether the first line after them holds the names of the columns.
        encoding: Of the text, for names and classes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        delimiter: str,
        skip_lines: int,
        header: bool,
        encoding: str,
    ) -> None:
        self.path, self.header = Path(path), header
        self._delimiter, self._skipped, self._encoding = delimiter, skip_lines, encoding
        lines = self._lines()
        number, text = next(lines, (0, ""))
        self.names = self._fields(text)
        self.width = len(self.names)
        self.first_row = number
        if header:
            self._check_names(number)
            self.first_row, _ = next(lines, (0, ""))
        if not self.first_row:
            self.fail("", "rows of numbers", "none", "Check the path, and skip_lines.")

    def rows(self) -> Iterator[Line]:
        """The lines of data, blank ones left out."""
        return (line for line in self._lines() if line[0] >= self.first_row)

    def column(self, which: str | int) -> int:
        """The number of a column, which is given by its name or its number."""
        if self.header and isinstance(which, str) and self.names.count(which) == 1:
            return self.names.index(which)
        is_number = isinstance(which, int | np.integer) and not isinstance(which, bool)
        if not is_number or not -self.width <= which < self.width:  # type: ignore[operator]
            known = f"0 to {self.width - 1}" + (f" and names {self.names}" if self.header else "")
            self.fail("", "a column that it has once", repr(which), f"Its columns are {known}.")
        return int(which) % self.width

    def table(
        self,
        lines: Sequence[Line],
        columns: Sequence[int],
        finding: Finding,
        codes: Mapping[str, int],
    ) -> Array:
        """The numbers in some columns of some lines (N, M), as float64.

        Args:
            lines: Lines from `rows`.
            columns: Numbers of the columns, as they are wanted.
            finding: Says what is wrong with a field, once it is known that something is.
            codes: Numbers for the texts in the last of the columns; empty where it holds numbers.
        """
        converters: dict[int | str, Any] | None = None
        if codes:
            converters = {columns[-1]: lambda text: codes[text.strip()]}
        try:
            if any(self._width(text) != self.width for _, text in lines):
                raise ValueError("a row is too long or too short")
            values: Array = np.loadtxt(
                [text for _, text in lines],
                comments=None,
                delimiter=self._delimiter,
                converters=converters,
                usecols=columns,
                ndmin=2,
                quotechar='"',
            )
        except (ValueError, KeyError) as error:
            self.explain(lines, columns, finding, str(error))
        if not (np.abs(values) <= LARGEST).all():
            self.explain(lines, columns, finding, "a value that is missing or too large")
        return values

    def explain(
        self, lines: Sequence[Line], columns: Sequence[int], finding: Finding, otherwise: str
    ) -> NoReturn:
        """Raise the error for the first field that is wrong, or for what else is."""
        for number, text in lines:
            fields = self._fields(text)
            if len(fields) != self.width:
                self.fail(
                    f", line {number}",
                    f"{self.width} fields",
                    str(len(fields)),
                    "Every row is one line, with the same delimiter; text that holds the "
                    "delimiter stands in double quotes.",
                )
            for column in columns:
                wrong = finding(column, fields[column].strip())
                if wrong is not None:
                    name = f"{self.names[column]!r}" if self.header else f"{column}"
                    if number == self.first_row and not self.header:
                        wrong += " If this line holds the names of columns: header=True."
                    raise DataError(
                        f"csv_batches: {self.path}, line {number}, column {name}: {wrong}"
                    ) from None
        place = f", lines {lines[0][0]} to {lines[-1][0]}"
        self.fail(place, "numbers", otherwise, "Mend these lines.")

    def fail(self, place: str, expected: str, got: str, fix: str) -> NoReturn:
        """Raise an error about the file."""
        raise DataError(
            f"csv_batches: {self.path}{place}: expected {expected}, got {got}. {fix}"
        ) from None

    def _check_names(self, number: int) -> None:
        """Raise if what should be names is the first row of a file without any."""
        is_data = self.names and all(number_in(name) is not None for name in self.names)
        if is_data and self.names != [str(column) for column in range(self.width)]:  # as in pandas
            self.fail(
                f", line {number}", "names of columns", "numbers", "Without names: header=False."
            )

    def _width(self, text: str) -> int:
        return len(self._fields(text)) if '"' in text else text.count(self._delimiter) + 1

    def _fields(self, text: str) -> list[str]:
        import csv

        try:
            return next(csv.reader([text], delimiter=self._delimiter), [])
        except csv.Error as error:
            self.fail("", f"fields with {self._delimiter!r} between them", str(error), "Is it CSV?")

    def _lines(self) -> Iterator[Line]:
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


def number_in(text: str) -> float | None:
    """The number that a text stands for, or None; NaN, which stands for nothing, is none."""
    try:
        value = float(text.replace("_", "x"))  # which float() takes, and NumPy does not
    except ValueError:
        return None
    return None if math.isnan(value) else value
