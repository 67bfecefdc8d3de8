"""Minibatches from CSV files that need not fit into memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from minidl.arguments import flag, whole_number
from minidl.datasets.csv_file import CsvFile
from minidl.datasets.csv_lines import CsvLines
from minidl.datasets.csv_source import CsvBatches
from minidl.datasets.transforms import Transform
from minidl.errors import ArgumentError
from minidl.typing import RNGLike


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
        line_end = "\n".encode(encoding)
    except (LookupError, TypeError):
        raise ArgumentError(
            f"csv_batches: encoding must be one that Python knows, got {encoding!r}."
        ) from None
    if not line_end.endswith(b"\n") or b"\0" in line_end:
        raise ArgumentError(
            "csv_batches: encoding must be one in which a line ends with the byte 10, got "
            f"{encoding!r}. Write the file anew: path.write_text(path.read_text({encoding!r}), "
            '"utf-8").'
        )
    whole_number("csv_batches", "skip_lines", skip_lines, least=0)
    lines = CsvLines(path, delimiter, skip_lines, encoding)
    file = CsvFile(lines, flag("csv_batches", "header", header))
    return CsvBatches(
        *(file, batch_size, target, features, labels, classes),
        *(rng, shuffle, transform, buffer_rows),
    )
