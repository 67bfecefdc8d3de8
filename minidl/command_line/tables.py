"""Tables in CSV files, whole: what `csv_batches` reads, without options that the file answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minidl.datasets.csv_batches import csv_batches
from minidl.datasets.csv_file import CsvFile, number_in
from minidl.datasets.csv_lines import CsvLines
from minidl.errors import DataError
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.command_line.data import Reading

BLOCK_ROWS = 10_000
DELIMITERS = ",;\t"


def read_table(path: Path, reading: Reading) -> tuple[Array, Array | None]:
    """Read inputs, and answers where a target is named.

    The delimiter is that of comma, semicolon and tab which the first line has most of. A first line
    of numbers only is data, unless these are the columns' own, 0, 1, 2 and so on.
    """
    delimiter = _delimiter(path)
    form: dict[str, Any] = {"delimiter": delimiter, "header": _has_header(path, delimiter)}
    file = CsvFile(CsvLines(path, delimiter, 0, "utf-8-sig"), form["header"])
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
    # Without answers the last input is read in their place: csv_batches has to have a target.
    x, last = _read(path, features[-1:], features[:-1] or _others(file, features), form)
    return (np.hstack([x, last]) if len(features) > 1 else last), None


def _read(path: Path, target: Any, features: Sequence[int], form: Any) -> tuple[Array, Array]:
    source = csv_batches(
        path, batch_size=BLOCK_ROWS, target=target, features=features, shuffle=False, **form
    )
    x, y = zip(*source, strict=True)
    return np.concatenate(x), np.concatenate(y)


def _others(file: CsvFile, columns: Sequence[int]) -> list[int]:
    return [column for column in range(file.width) if column not in columns][:1]


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
