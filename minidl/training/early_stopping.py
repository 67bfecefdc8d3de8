"""Stop when nothing gets better any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from minidl.arguments import flag, number_within, whole_number
from minidl.training.callbacks import Callback
from minidl.training.improvement import check_measured, is_better, mode_of
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class EarlyStopping(Callback):
    """End training when a value has not improved for some epochs, and go back to its best.

    Parameters and state (running statistics and the like) are restored together, at the end of
    `fit`, also after Ctrl-C.

    Args:
        monitor: The name in the history to watch.
        patience: Epochs without improvement after which to stop.
        min_delta: How much better a value must be to count.
        mode: `"min"` or `"max"`; by default min for losses and errors, max for accuracy, F1, R2
            and the like.
        restore_best: Whether to restore the best parameters and state.

    Attributes:
        best: The best value so far.
        best_epoch: Its epoch, from 1.

    Raises:
        ArgumentError: If an argument is out of range, or nothing of that name is measured.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> stopping = dl.EarlyStopping(patience=3)
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.Adam(0.1), callbacks=[stopping], rng=0
        ... )
        >>> history = trainer.fit(x, y, epochs=1000, validation_split=0.2)
        >>> trainer.epoch - stopping.best_epoch, history.stopped
        (3, 'val_loss has not improved on ... for 3 epochs')
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        patience: int = 5,
        min_delta: float = 0.0,
        mode: Literal["min", "max"] | None = None,
        restore_best: bool = True,
    ) -> None:
        self.monitor = monitor
        self.patience = whole_number("EarlyStopping", "patience", patience)
        self.min_delta = number_within("EarlyStopping", "min_delta", min_delta, 0.0)
        self.mode = mode_of("EarlyStopping", monitor, mode)
        self.restore_best = flag("EarlyStopping", "restore_best", restore_best)
        self.best = math.nan
        self.best_epoch = 0
        self._waited = 0
        self._best_values: tuple[Array, Array] | None = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        self.best, self.best_epoch, self._waited, self._best_values = math.nan, 0, 0, None
        check_measured("EarlyStopping", self.monitor, trainer)

    def on_epoch_end(self, trainer: Trainer) -> None:
        value = float(trainer.history[self.monitor][-1])
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self.best_epoch, self._waited = value, trainer.epoch, 0
            if self.restore_best:
                self._best_values = trainer.model.params.copy(), trainer.model.state.copy()
            return
        self._waited += 1
        if self._waited >= self.patience:
            trainer.stop(
                f"{self.monitor} has not improved on {self.best:.4g} (epoch {self.best_epoch}) "
                f"for {self.patience} epochs"
            )

    def state_dict(self) -> dict[str, Any]:
        params, state = self._best_values or (None, None)
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "waited": self._waited,
            "params": params,
            "state": state,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self._waited = state["waited"]
        kept = state["params"], state["state"]
        self._best_values = None if kept[0] is None else kept

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._best_values is not None:
            trainer.model.params, trainer.model.state = self._best_values
