"""Smaller steps where nothing gets better any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minidl.arguments import number_within, positive_number, whole_number
from minidl.errors import ArgumentError
from minidl.training.callbacks import Callback
from minidl.training.improvement import Mode, check_measured, is_better, mode_of

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class ReduceOnPlateau(Callback):
    r"""Multiply the learning rate by a factor whenever a value has not improved for some epochs.

    $\eta \leftarrow \max(f \eta, \eta_{\min})$ at the end of the `patience`-th epoch in a row
    without improvement; the next `cooldown` epochs are not counted. It needs no length of the run,
    as schedules do, but an optimizer whose learning rate is a number. A new `fit` begins counting
    anew and goes on with the rate that has been reached.

    Conventions: "better" means what it does for `EarlyStopping`, by an absolute `min_delta`, and
    the rate falls after `patience` epochs, both as in Keras. PyTorch's threshold is relative unless
    told otherwise, and it waits one epoch longer than its patience. A cooldown has as many epochs
    as in PyTorch, one more than in Keras.

    Args:
        monitor: The name in the history to watch.
        factor: f, in (0, 1).
        patience: Epochs without improvement after which to reduce the rate. For use with
            `EarlyStopping` it must be the smaller patience.
        min_delta: How much better a value must be to count.
        cooldown: Epochs after a reduction that are not counted.
        minimum: The lowest rate, at least 0.
        mode: `"min"` or `"max"`; by default what is usual for a value of that name.

    Attributes:
        best: The best value so far.

    Raises:
        ArgumentError: If an argument is out of range, nothing of that name is measured, or the
            optimizer's learning rate is a schedule.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> reduce, optimizer = dl.ReduceOnPlateau("loss", min_delta=10.0, patience=2), dl.SGD(0.5)
        >>> trainer = dl.Trainer(model, dl.CrossEntropy(), optimizer, callbacks=[reduce], rng=0)
        >>> history = trainer.fit(x, y, epochs=3)  # nothing improves by 10
        >>> optimizer.learning_rate
        0.05
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        *,
        factor: float = 0.1,
        patience: int = 10,
        min_delta: float = 1e-4,
        cooldown: int = 0,
        minimum: float = 0.0,
        mode: Mode | None = None,
    ) -> None:
        who = "ReduceOnPlateau"
        self.monitor, self.mode = monitor, mode_of(who, monitor, mode)
        self.factor = positive_number(who, "factor", number_within(who, "factor", factor, 0.0, 1.0))
        self.patience = whole_number(who, "patience", patience)
        self.min_delta = number_within(who, "min_delta", min_delta, 0.0)
        self.cooldown = whole_number(who, "cooldown", cooldown, 0)
        self.minimum = number_within(who, "minimum", minimum, 0.0)
        self.best, self._waited, self._resting = math.nan, 0, 0

    def on_fit_begin(self, trainer: Trainer) -> None:
        check_measured("ReduceOnPlateau", self.monitor, trainer)
        if callable(trainer.optimizer.learning_rate):
            raise ArgumentError(
                f"ReduceOnPlateau: needs an optimizer whose learning rate is a number, got "
                f"{trainer.optimizer}. Leave out its schedule or this callback."
            )
        self.best, self._waited, self._resting = math.nan, 0, 0

    def on_epoch_end(self, trainer: Trainer) -> None:
        value = float(trainer.history[self.monitor][-1])
        if is_better(value, self.best, self.mode, self.min_delta):
            self.best, self._waited = value, 0
        else:
            self._waited += 1
        if self._resting:
            self._resting, self._waited = self._resting - 1, 0
        if self._waited >= self.patience:
            rate = trainer.optimizer.current_learning_rate()
            lower = max(rate * self.factor, self.minimum) or rate  # 0 is no rate
            trainer.optimizer.learning_rate = min(rate, lower)
            self._resting, self._waited = self.cooldown, 0

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self._waited, "resting": self._resting}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.best, self._waited = state["best"], state["waited"]
        self._resting = state["resting"]
