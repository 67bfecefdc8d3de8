"""Minibatches from CSV files that need not fit into memory."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.datasets.blocks import block_rows, cut
from minidl.datasets.csv_file import LARGEST, CsvFile, Line, number_in
from minidl.datasets.transforms import Transform, Transforms
from minidl.errors import ArgumentError
from minidl.randomness import seed_sequence
from minidl.typing import Array, RNGLike

_MISSING = {"", "na", "n/a", "nan", "null", "none", "?"}
_LARGEST_LABEL = 2**53  # up to which float64 holds all whole numbers


class CsvBatches:
    """What `csv_batches` returns: reads the file anew in each iteration."""

    def __init__(
        self,
        file: CsvFile,
        batch_size: int,
        target: str | int | Sequence[str | int],
        features: Sequence[str | int] | None,
        labels: bool,
        classes: Sequence[str] | None,
        rng: RNGLike,
        shuffle: bool,
        transform: Transform | Iterable[Transform] | None,
        buffer_rows: int,
    ) -> None:
        self._file = file
        self._batch_size = whole_number("csv_batches", "batch_size", batch_size)
        self._targets = [file.column(which) for which in _several(target)]
        if features is None:
            self._features = [c for c in range(file.width) if c not in self._targets]
        else:
            self._features = [file.column(which) for which in _several(features)]
        if not self._features or set(self._features) & set(self._targets):
            raise ArgumentError(
                "csv_batches: features and target must be different columns, and at least one "
                f"each, got features={features!r} and target={target!r}."
            )
        self._codes = {name: label for label, name in enumerate(_class_names(classes))}
        self._labels = flag("csv_batches", "labels", labels) or bool(self._codes)
        if not self._targets or (self._labels and len(self._targets) > 1):
            raise ArgumentError(
                "csv_batches: labels are in one column; target must name one, or with labels=False "
                f"several for regression, got {target!r}."
            )
        rows = whole_number("csv_batches", "buffer_rows", buffer_rows)
        self._block_rows = block_rows(self._batch_size, True, rows)
        shuffle = flag("csv_batches", "shuffle", shuffle)
        self._rng = np.random.default_rng(seed_sequence(rng)) if shuffle else None
        self._transforms = Transforms("csv_batches", transform)

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        lines = self._file.rows()
        while block := list(islice(lines, self._block_rows)):
            for batch in cut(self._arrays(block), self._batch_size, self._rng):
                yield self._transforms(batch)

    def _arrays(self, lines: Sequence[Line]) -> tuple[Array, Array]:
        """The x (N, D) of some lines, and their y, labels (N,) or numbers (N, M)."""
        columns = [*self._features, *self._targets]
        table = self._file.table(lines, columns, self._finding, self._codes)
        x, y = np.split(table, [len(self._features)], axis=1)
        if not self._labels:
            return x.astype(np.float32), y.astype(np.float32)
        if not (np.mod(y, 1) == 0).all() or np.abs(y).max() > _LARGEST_LABEL:
            self._file.explain(lines, columns, self._finding, "labels that are not whole")
        return x.astype(np.float32), y[:, 0].astype(np.int64)

    def _finding(self, column: int, text: str) -> str | None:
        """What is wrong with a field, if anything is."""
        is_target, value = column in self._targets, number_in(text)
        if is_target and self._codes:
            if text in self._codes:
                return None
            return f"expected one of the classes {list(self._codes)}, got {text!r}. Add it there."
        if text.lower() in _MISSING:
            return f"the value is missing ({text!r}). Fill it in, or leave out the row or column."
        if value is None:
            fix = "Leave the column out with features=[...], or put numbers for its texts."
            if is_target:
                fix = "Give the names of classes in the order of their labels: classes=[...]."
            return f"expected a number, got {text!r}. {fix}"
        if abs(value) > LARGEST:
            return f"expected a finite number in float32, got {text!r}. Scale or drop it."
        if is_target and self._labels and not (value.is_integer() and abs(value) <= _LARGEST_LABEL):
            return f"expected a whole number, got {text!r}. Targets of regression: labels=False."
        return None


def csv_batches(
    path: str | os.PathLike[str],
    *,
    batch_size: int,
    target: str | int | Sequence[str | int],
    features: Sequence[str | int] | None = None,
    labels: bool = False,
    classes: Sequence[str] | None = None,
    delimiter: str = ",",
    skip_lines: int = 0,
    header: bool = True,
    encoding: str = "utf-8-sig",
    rng: RNGLike = None,
    shuffle: bool = True,
    transform: Transform | Iterable[Transform] | None = None,
    buffer_rows: int = 10_000,
) -> CsvBatches:
    r"""Return minibatches of a CSV file, read again from its beginning in each iteration.

    The file, gzip-packed or not, may be larger than memory: `buffer_rows` rows of it are read at a
    time. Shuffling is among these rows only. If the file is sorted, by class for example, shuffle
    its lines once before training.

    Every row is one line; blank lines are passed over. Nothing is filled in or left out silently: a
    missing value, a text, a row of another length is an error that names the file, the line and the
    column.

    Args:
        path: The file, `.csv` or `.csv.gz`.
        batch_size: Rows of a batch; the last one has what is left.
        target: Column of the target by name or number; -1 is the last one. Several for regression
            with several outputs.
        features: Columns of the inputs; by default all others, in the order of the file.
        labels: Whether the target is a class label, a whole number.
        classes: Names of the classes, where the target column holds these: the first one is
            label 0.
        delimiter: The character between fields.
        skip_lines: Lines in front to pass over.
        header: Whether the first line after these holds the names of the columns.
        encoding: Of the text.
        rng: Seed or generator for the order.
        shuffle: Whether to shuffle.
        transform: A function `(x, y) -> (x, y)` of a batch, or a list of them.
        buffer_rows: Rows read and shuffled together, rounded down to whole batches.

    Returns:
        An object to iterate over, which yields tuples `(x, y)`. It has no length: nobody has
        counted the lines.

    Shapes:
        x: `(N, D)` float32.
        y: `(N,)` int64 with `labels` or `classes`; otherwise `(N, M)` float32 for M targets.

    Raises:
        DataError: The file cannot be read, has no rows, lacks a column, or, during iteration, has a
            field that is wrong.
        ArgumentError: An option is out of its range, or the columns contradict each other.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "flowers.csv")
        ...     _ = path.write_text("length,width,kind\n5.1,3.5,setosa\n6.4,3.2,versicolor\n")
        ...     source = csv_batches(
        ...         path, batch_size=2, target="kind", classes=["setosa", "versicolor"],
        ...         shuffle=False)
        ...     for x, y in source:
        ...         print(x.tolist(), y)
        [[5.099..., 3.5], [6.400..., 3.200...]] [0 1]
    """
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n':
        raise ArgumentError(
            "csv_batches: delimiter must be one character, such as ',' or '\\t', got "
            f"{delimiter!r}."
        )
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise ArgumentError(
            f"csv_batches: encoding must be one that Python knows, got {encoding!r}."
        ) from None
    whole_number("csv_batches", "skip_lines", skip_lines, least=0)
    file = CsvFile(path, delimiter, skip_lines, flag("csv_batches", "header", header), encoding)
    return CsvBatches(
        *(file, batch_size, target, features, labels, classes),
        *(rng, shuffle, transform, buffer_rows),
    )


def _several(columns: Any) -> list[str | int]:
    return list(columns) if np.ndim(columns) else [columns]


def _class_names(classes: Sequence[str] | None) -> list[str]:
    names = [] if classes is None else list(classes)
    proper = all(isinstance(name, str) and name == name.strip() for name in names)
    if isinstance(classes, str) or not proper or len(set(names)) < len(names):
        raise ArgumentError(
            "csv_batches: classes must be a list of different names without space around them, "
            f"got {classes!r}."
        )
    return names
