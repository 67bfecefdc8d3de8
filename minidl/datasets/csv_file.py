"""Tables in CSV files, read in blocks of lines; what is wrong is named by line and column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from minidl.datasets.csv_lines import CsvLines, Line
from minidl.errors import DataError
from minidl.typing import Array

Finding = Callable[[int, str], "str | None"]  # column and field -> what is wrong with it

LARGEST = float(np.finfo(np.float32).max)


class CsvFile:
    """A table in a CSV file, of which every row is a line.

    Args:
        lines: Its lines.
        header: Whether the first one holds the names of the columns.
        fewest_columns: Fewer are an error: the lines have another delimiter.
    """

    def __init__(self, lines: CsvLines, header: bool, fewest_columns: int = 2) -> None:
        self.lines, self.header = lines, header
        all_lines = iter(lines)
        number, text = next(all_lines, (0, ""))
        self.names = [name.strip() for name in lines.fields(number, text)]
        self.width = len(self.names)
        self.first_row = number
        if 0 < self.width < fewest_columns:
            self.lines.fail(
                f", line {number}",
                f"two columns or more with {lines.delimiter!r} between them",
                f"one, {text[:60]!r}",
                'Name the delimiter, such as delimiter=";"; of lines in front: skip_lines.',
            )
        if header:
            self._check_names(number)
            self.first_row, _ = next(all_lines, (0, ""))
        if not self.first_row:
            self.lines.fail("", "rows of numbers", "none", "Check the path, and skip_lines.")

    def rows(self) -> Iterator[Line]:
        """The lines of data, blank ones left out."""
        return (line for line in self.lines if line[0] >= self.first_row)

    def column(self, which: str | int) -> int:
        """The number of a column, which is given by its name or its number."""
        if self.header and isinstance(which, str) and self.names.count(which) == 1:
            return self.names.index(which)
        is_number = isinstance(which, int | np.integer) and not isinstance(which, bool)
        if not is_number or not -self.width <= which < self.width:  # type: ignore[operator]
            known = f"0 to {self.width - 1}" + (f" and names {self.names}" if self.header else "")
            self.lines.fail(
                "", "a column that it has once", repr(which), f"Its columns are {known}."
            )
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
            if any(self.lines.width(*line) != self.width for line in lines):
                raise ValueError("a row is too long or too short")
            values: Array = np.loadtxt(
                [text for _, text in lines],
                comments=None,
                delimiter=self.lines.delimiter,
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
            fields = self.lines.fields(number, text)
            if len(fields) != self.width:
                self.lines.fail(
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
                        f"csv_batches: {self.lines.path}, line {number}, column {name}: {wrong}"
                    ) from None
        place = f", lines {lines[0][0]} to {lines[-1][0]}"
        self.lines.fail(place, "numbers", otherwise, "Mend these lines.")

    def _check_names(self, number: int) -> None:
        """Raise if what should be names is the first row of a file without any."""
        numbers = [name for name in self.names if number_in(name) is not None]
        is_data = numbers and len(numbers) == self.width
        if is_data and self.names == [str(column) for column in range(self.width)]:  # as in pandas
            return
        if is_data or any("." in number for number in numbers):
            self.lines.fail(
                f", line {number}",
                "names of columns",
                f"numbers, such as {numbers[0]}",
                f"Without names: header=False. If these are names: skip_lines={number} as well.",
            )


def number_in(text: str) -> float | None:
    """The number that a text stands for, or None; NaN, which stands for nothing, is none."""
    try:
        value = float(text.replace("_", "x"))  # which float() takes, and NumPy does not
    except ValueError:
        return None
    return None if math.isnan(value) else value
