"""Batches of the rows of a CSV file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from minidl.arguments import flag, whole_number
from minidl.datasets.blocks import block_rows, cut
from minidl.datasets.csv_file import LARGEST, CsvFile, number_in
from minidl.datasets.csv_lines import Line
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
        self.batch_size = whole_number("csv_batches", "batch_size", batch_size)
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
        for which, column in zip(_several(target), self._targets, strict=True):
            name, given_by_name = file.names[column], isinstance(which, str)
            if file.header and name in self._codes and not given_by_name:
                file.lines.fail(
                    "",
                    "names of columns in front",
                    f"the class {name!r}",
                    "Without names: header=False. If it is a name: give target by its name.",
                )
        if not self._targets or (self._labels and len(self._targets) > 1):
            raise ArgumentError(
                "csv_batches: labels are in one column; target must name one, or with labels=False "
                f"several for regression, got {target!r}."
            )
        rows = whole_number("csv_batches", "buffer_rows", buffer_rows)
        self._block_rows = block_rows(self.batch_size, True, rows)
        shuffle = flag("csv_batches", "shuffle", shuffle)
        self._rng = np.random.default_rng(seed_sequence(rng)) if shuffle else None
        self._transforms = Transforms("csv_batches", transform)

    @property
    def generators(self) -> list[np.random.Generator]:
        """What order and transforms are drawn from; a checkpoint keeps where they stand."""
        return [*([] if self._rng is None else [self._rng]), *self._transforms.generators]

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        lines = self._file.rows()
        while block := list(islice(lines, self._block_rows)):
            for batch in cut(self._arrays(block), self.batch_size, self._rng):
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
        fix = "Give the names of classes in the order of their labels: classes=[...]."
        wrong = wrong_number(text, fix) if is_target else wrong_number(text)
        if wrong is not None or value is None or not (is_target and self._labels):
            return wrong
        if not (value.is_integer() and abs(value) <= _LARGEST_LABEL):
            return f"expected a whole number, got {text!r}. Targets of regression: labels=False."
        return None


def wrong_number(
    text: str, fix: str = "Leave the column out with features=[...], or put numbers for its texts."
) -> str | None:
    """What is wrong with a field as a number, if anything is; the fix is for a field of text."""
    value = number_in(text)
    if text.lower() in _MISSING:
        return f"the value is missing ({text!r}). Fill it in, or leave out the row or column."
    if value is None:
        return f"expected a number, got {text!r}. {fix}"
    if abs(value) > LARGEST:
        return f"expected a finite number in float32, got {text!r}. Scale or drop it."
    return None


def _several(columns: Any) -> list[str | int]:
    return list(columns) if np.ndim(columns) else [columns]


def _class_names(classes: Sequence[str] | None) -> list[str]:
    if classes is None:
        return []
    names = list(classes) if np.ndim(classes) else []
    proper = all(isinstance(name, str) and name == name.strip() for name in names)
    if not np.ndim(classes) or not proper or len(set(names)) < len(names):  # sets have no order
        raise ArgumentError(
            "csv_batches: classes must be a list of different names without space around them, "
            f"got {classes!r}. Whole numbers from 0 need no names: labels=True."
        )
    return names
