"""Keep the last and the best state of a model in files."""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from minidl.arguments import instance
from minidl.errors import DataError, ShapeError
from minidl.io.whole_files import replacing
from minidl.layers.base import Layer
from minidl.training.callbacks import Callback
from minidl.training.improvement import check_measured, is_better, mode_of

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class Checkpoint(Callback):
    """Write parameters and state to `last.npz` after every epoch, and to `best.npz` if the best.

    Each file is written beside the old one and then takes its place, so that a full disk or a crash
    costs no file that was there. They are plain NumPy archives of `params`, `state`, `epoch`,
    `step`, and the epoch's values as `names` and `values`; nothing in them is run when they are
    read. The model itself is not in them: build it as before, then `restore`.

    The best is that of all fits with this object. It is kept in a file; `EarlyStopping` goes back
    to it by itself.

    Args:
        folder: Where the files go; made if it does not exist.
        monitor: The name in the history by which an epoch is the best.
        mode: `"min"` or `"max"`; by default what is usual for the name.

    Attributes:
        best: The best value so far.
        best_epoch: Its epoch, from 1.

    Raises:
        ArgumentError: If `mode` is needed or wrong, or nothing of the name is measured.

    Example:
        >>> import tempfile, minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> folder = tempfile.TemporaryDirectory()
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=[dl.Checkpoint(folder.name)], rng=0
        ... )
        >>> history = trainer.fit(x, y, epochs=3, validation_split=0.2)
        >>> values = dl.Checkpoint.restore(model, f"{folder.name}/best.npz")
        >>> values["val_loss"] == min(history["val_loss"].tolist())
        True
        >>> folder.cleanup()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        monitor: str = "val_loss",
        *,
        mode: Literal["min", "max"] | None = None,
    ) -> None:
        self.folder, self.monitor = Path(folder).expanduser(), monitor
        self.mode = mode_of("Checkpoint", monitor, mode)
        self.best, self.best_epoch = math.nan, 0

    def on_fit_begin(self, trainer: Trainer) -> None:
        check_measured("Checkpoint", self.monitor, trainer)
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, trainer: Trainer) -> None:
        value = float(trainer.history[self.monitor][-1])
        if is_better(value, self.best, self.mode, 0.0):
            _write(self.folder / "best.npz", trainer)
            self.best, self.best_epoch = value, trainer.epoch
        _write(self.folder / "last.npz", trainer)

    @staticmethod
    def restore(model: Layer, path: str | os.PathLike[str]) -> dict[str, float]:
        """Read parameters and state into a model that is built as the one that was saved.

        Args:
            model: A built layer.
            path: The file.

        Returns:
            The epoch, the step, and the epoch's values by name.

        Raises:
            FileNotFoundError: If there is no file.
            DataError: If it is no checkpoint, or damaged.
            ShapeError: If the model has another number of parameters.
        """
        instance("Checkpoint.restore", "model", model, Layer)
        path = Path(path).expanduser()
        with path.open("rb") as opened:
            try:
                if not zipfile.is_zipfile(opened):
                    raise ValueError("it is no .npz archive, or not the whole of one")
                opened.seek(0)
                with np.load(opened) as file:
                    values = dict(zip(file["names"].tolist(), file["values"].tolist(), strict=True))
                    values |= {"epoch": int(file["epoch"]), "step": int(file["step"])}
                    params, state = file["params"], file["state"]
            except Exception as error:  # a damaged archive can raise nearly anything
                raise DataError(
                    f"Checkpoint: {path} is damaged, or was not written by Checkpoint: {error}"
                ) from error
        for name, found, own in (
            ("parameters", params, model.params),
            ("numbers of state", state, model.state),
        ):
            if found.shape != own.shape:
                raise ShapeError(
                    f"Checkpoint: {path} has {found.size:,} {name}, the model "
                    f"{own.size:,}. Build it from the same layers and the same input shape."
                )
        model.params, model.state = params, state
        return values


def _write(path: Path, trainer: Trainer) -> None:
    values = trainer.history.last()
    with replacing(path) as file:
        np.savez(
            file,
            params=trainer.model.params,
            state=trainer.model.state,
            epoch=trainer.epoch,
            step=trainer.step,
            names=list(values),
            values=list(values.values()),
        )
