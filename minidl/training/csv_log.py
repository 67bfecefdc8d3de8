"""The history as a file that grows with it."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from minidl.io.whole_files import make_folder_of, replacing
from minidl.training.callbacks import Callback

if TYPE_CHECKING:
    from minidl.training.history import History
    from minidl.training.trainer import Trainer


class CSVLog(Callback):
    """Write the history to a CSV file: a header, then a line after every epoch.

    The columns are `epoch` and the names in the history; where nothing was measured stands `nan`.
    The first epoch of a `fit` writes all epochs of the trainer so far, in place of what the file
    held, so that a further `fit` continues the file, with more columns if need be.

    Args:
        path: The file; its folder is made if it does not exist.

    Raises:
        ArgumentError: At the beginning of `fit`, if the path is that of a folder.

    Example:
        >>> import pathlib, tempfile, minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = pathlib.Path(folder.name, "log.csv")
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=[dl.CSVLog(path)], rng=0
        ... )
        >>> history = trainer.fit(x, y, epochs=2)
        >>> path.read_text().splitlines()
        ['epoch,loss,seconds', '1,...', '2,...']
        >>> folder.cleanup()
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        self._names: list[str] = []

    def on_fit_begin(self, trainer: Trainer) -> None:
        make_folder_of(self.path, "CSVLog")
        self._names = []

    def on_epoch_end(self, trainer: Trainer) -> None:
        history = trainer.history
        if list(history) == self._names:
            with self.path.open("a", newline="") as file:  # closed, so that it can be read at once
                file.write(_lines(history, history.epochs - 1))
            return
        self._names = list(history)
        with replacing(self.path) as whole:
            whole.write((",".join(["epoch", *self._names]) + "\n" + _lines(history, 0)).encode())


def _lines(history: History, start: int) -> str:
    """The lines of the epochs from `start` on."""
    text = io.StringIO()
    columns = [history[name][start:].tolist() for name in history]
    epochs = range(start + 1, history.epochs + 1)
    csv.writer(text, lineterminator="\n").writerows(zip(epochs, *columns, strict=True))
    return text.getvalue()
