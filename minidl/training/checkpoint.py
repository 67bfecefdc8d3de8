"""Keep the last and the best state of a run in files."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from minidl.arguments import whole_number
from minidl.errors import ArgumentError
from minidl.io.model_file import contents_of
from minidl.io.whole_files import make_folder_of, remove_unfinished
from minidl.training.callbacks import Callback
from minidl.training.improvement import check_measured, is_better, mode_of
from minidl.training.resuming.checkpoint_file import LAST
from minidl.training.user_warning import warn_user

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

BEST = "best.safetensors"


class Checkpoint(Callback):
    """Write the run to `last.safetensors` after every epoch, the best model to `best.safetensors`.

    The first is a checkpoint, from which `Trainer.from_checkpoint(folder)` goes on exactly where
    the run was; the one before it stays as `last.previous.safetensors`. The second is a model file
    for `dl.load`. Each file is complete or not there at all, whenever the process is killed.

    A file that cannot be written, as on a full disk, is no reason to end a long run: a warning says
    so once, older files stay, and the next one is tried at its time.

    The best is that of all fits with this object, and of the runs that it goes on with. It is kept
    in a file; `EarlyStopping` goes back to it by itself. In `minimize` both files are for `dl.load`
    only: what a solver of SciPy's remembers cannot be saved.

    Args:
        folder: Where the files go; made if it does not exist.
        monitor: The name in the history by which an epoch is the best.
        mode: `"min"` or `"max"`; by default what is usual for the name.
        every_steps: Write `last.safetensors` after so many steps, too, for long epochs: no more
            than these are lost.

    Attributes:
        best: The best value so far.
        best_epoch: Its epoch, from 1.

    Raises:
        ArgumentError: If `mode` is needed or wrong, nothing of the name is measured, or another one
            of the trainer's has the same folder.

    Warns:
        TrainingWarning: If a file cannot be written; once until it can be written again.

    Example:
        >>> import tempfile, minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> folder = tempfile.TemporaryDirectory()
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=[dl.Checkpoint(folder.name)], rng=0
        ... )
        >>> history = trainer.fit(x, y, epochs=3, validation_split=0.2)
        >>> best = dl.load(f"{folder.name}/best.safetensors")
        >>> again = dl.Trainer.from_checkpoint(
        ...     folder.name, callbacks=[dl.Checkpoint(folder.name)]
        ... )
        >>> again.fit(x, y, epochs=5, validation_split=0.2).epochs
        5
        >>> folder.cleanup()
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        monitor: str = "val_loss",
        *,
        mode: Literal["min", "max"] | None = None,
        every_steps: int | None = None,
    ) -> None:
        self.folder, self.monitor = Path(folder).expanduser(), monitor
        self.mode = mode_of("Checkpoint", monitor, mode)
        if every_steps is not None:
            every_steps = whole_number("Checkpoint", "every_steps", every_steps)
        self.every_steps = every_steps
        self.best, self.best_epoch = math.nan, 0
        self._unwritten: set[Path] = set()

    def on_fit_begin(self, trainer: Trainer) -> None:
        check_measured("Checkpoint", self.monitor, trainer)
        others = [c for c in trainer.callbacks if isinstance(c, Checkpoint) and c is not self]
        if self.folder.resolve() in [other.folder.resolve() for other in others]:
            raise ArgumentError(
                f"Checkpoint: two of them write to {self.folder}, each over the other's files. "
                "Give each a folder of its own."
            )
        contents_of(trainer.model)  # a model that no file can hold is to be named now
        make_folder_of(self.folder / BEST, "Checkpoint")
        remove_unfinished(self.folder / BEST)

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        if self.every_steps is not None and trainer.step % self.every_steps == 0:
            self._write(trainer.save_checkpoint, self.folder / LAST)

    def on_epoch_end(self, trainer: Trainer) -> None:
        value = float(trainer.history[self.monitor][-1])
        if is_better(value, self.best, self.mode, 0.0) and self._write(
            trainer.model.save, self.folder / BEST
        ):
            self.best, self.best_epoch = value, trainer.epoch
        self._write(trainer.save_checkpoint, self.folder / LAST)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "best_epoch": self.best_epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self.best_epoch = state["best"], state["best_epoch"]

    def _write(self, write: Callable[[Path], None], path: Path) -> bool:
        """Whether a file could be written; of failures in a row the first one is a warning."""
        try:
            write(path)
        except (OSError, ArgumentError) as error:  # such as texts of callbacks that have grown
            if path not in self._unwritten:
                warn_user(
                    f"Checkpoint: {path} could not be written: {str(error).rstrip('.')}. The one "
                    "before is as it was; training goes on, and every further one is tried."
                )
            self._unwritten.add(path)
            return False
        self._unwritten.discard(path)
        return True
