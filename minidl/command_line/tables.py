"""Tables in CSV files, whole: what `csv_batches` reads, without options that the file answers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.datasets.csv_batches import csv_batches
from minidl.datasets.csv_file import CsvFile, number_in
from minidl.datasets.csv_lines import CsvLines
from minidl.datasets.csv_source import wrong_number
from minidl.errors import DataError
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.command_line.data import Reading

BLOCK_ROWS = 10_000
DELIMITERS = ",;\t"
NO_NUMBER = (
    "If these are the answers, name the column as target; else leave it out with features, or put "
    "numbers for its texts."
)
REWORDED = {  # what only a caller of csv_batches could do
    "csv_batches: ": "",
    "Check the path, and skip_lines.": "Is it the right file?",
    'Name the encoding, such as encoding="latin-1".': "Save it as UTF-8.",
    "Leave the column out with features=[...], or put numbers for its texts.": NO_NUMBER,
    "their labels: classes=[...].": "their labels as classes.",
    "Targets of regression: labels=False.": "Are these classes, as the loss needs them?",
    "Without names: header=False. If these are names: skip_lines=1 as well.": "Put names there.",
    "Without names: header=False. If it is a name: give target by its name.": "Put names there.",
    " If this line holds the names of columns: header=True.": "",
}


def read_table(path: Path, reading: Reading) -> tuple[Array, Array | None]:
    """Read inputs, and answers where a target is named; `_read_table` says more."""
    try:
        return _read_table(path, reading)
    except DataError as error:
        text = str(error)
        for python, here in REWORDED.items():
            text = text.replace(python, here)
        raise DataError(text) from None


def _read_table(path: Path, reading: Reading) -> tuple[Array, Array | None]:
    """Read inputs, and answers where a target is named.

    The delimiter is that of comma, semicolon and tab which the first line has most of. A first line
    of numbers only is data, unless these are the columns' own, 0, 1, 2 and so on.
    """
    delimiter = _delimiter(path)
    form: dict[str, Any] = {"delimiter": delimiter, "header": _has_header(path, delimiter)}
    file = CsvFile(CsvLines(path, delimiter, 0, "utf-8-sig"), form["header"], fewest_columns=1)
    targets = [file.column(_column(file, which)) for which in _several(reading.target)]
    if reading.features is None:
        features = [column for column in range(file.width) if column not in targets]
    else:
        features = [file.column(_column(file, which)) for which in reading.features]
    if not features:
        raise DataError(f"{path}: expected columns of inputs, got none beside {reading.target!r}.")
    if targets and reading.answers:
        if len(targets) > 1 or not (reading.labels or reading.classes):
            return _read(path, targets, features, form)
        form |= {"labels": True, "classes": reading.classes}
        return _read(path, targets[0], features, form)
    return _inputs(file, features), None


def _inputs(file: CsvFile, columns: Sequence[int]) -> Array:
    lines, parts = file.rows(), list[Array]()
    while block := list(islice(lines, BLOCK_ROWS)):
        table = file.table(block, columns, lambda _, text: wrong_number(text, NO_NUMBER), {})
        parts.append(table.astype(np.float32))
    return np.concatenate(parts)


def _read(path: Path, target: Any, features: Sequence[int], form: Any) -> tuple[Array, Array]:
    source = csv_batches(
        path, batch_size=BLOCK_ROWS, target=target, features=features, shuffle=False, **form
    )
    x, y = zip(*source, strict=True)
    return np.concatenate(x), np.concatenate(y)


def _several(which: Any) -> list[str | int]:
    if which is None:
        return []
    return list(which) if isinstance(which, list | tuple) else [which]


def _column(file: CsvFile, which: str | int) -> str | int:
    """A column by its name, or by its number, which is a text on a command line."""
    named = file.header and which in file.names
    if isinstance(which, str) and not named and which.removeprefix("-").isdecimal():
        return int(which)
    return which


def _first_line(path: Path) -> str:
    return next(iter(CsvLines(path, ",", 0, "utf-8-sig")), (0, ""))[1]


def _delimiter(path: Path) -> str:
    return max(DELIMITERS, key=_first_line(path).count)


def _has_header(path: Path, delimiter: str) -> bool:
    names = [name.strip().strip('"') for name in _first_line(path).split(delimiter)]
    if names == [str(column) for column in range(len(names))]:
        return True
    return any(number_in(name) is None for name in names)
