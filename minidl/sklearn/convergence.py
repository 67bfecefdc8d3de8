"""When training ends, and how SGD's learning rate changes, as scikit-learn has it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from minidl.sklearn.optimizers import set_learning_rate
from minidl.training.callbacks import Callback
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer

SMALLEST_RATE = 1e-6  # below which an adaptive learning rate ends training


@dataclass
class Progress:
    """How far an estimator has come; a warm start and `partial_fit` go on from it.

    Attributes:
        best: The smallest loss, or the largest validation score with a minus, so far.
        waited: Epochs in a row without improvement by `tol`.
        samples: Number of samples seen.
        watched: What `best` is of, by its name in the history.
    """

    best: float = math.inf
    waited: int = 0
    samples: int = 0
    watched: str = "loss"

    def watch(self, name: str) -> None:
        """Look at these values from now on; the best of other ones says nothing of them."""
        if name != self.watched:
            self.best, self.waited, self.watched = math.inf, 0, name


class Convergence(Callback):
    """Ends training when the loss, or the validation score, stops improving by `tol`.

    Args:
        estimator: Whose parameters say when.
        progress: What is known of earlier epochs.
        n_samples: Number of training samples.
        watched: The name in the history to watch, `"loss"` or `"val_score"`.
    """

    def __init__(
        self, estimator: Any, progress: Progress, n_samples: int, watched: str = "loss"
    ) -> None:
        self._set, self._progress, self._n = estimator, progress, n_samples
        self._watched = watched
        self._rule = estimator.learning_rate if estimator.solver == "sgd" else "constant"
        self._best_values: tuple[Array, Array] | None = None

    def on_fit_begin(self, trainer: Trainer) -> None:
        self._progress.watch(self._watched)
        self._keep_best(trainer)

    def on_epoch_end(self, trainer: Trainer) -> None:
        value, progress = float(trainer.history[self._watched][-1]), self._progress
        if self._watched != "loss":
            value = -value
        progress.waited = progress.waited + 1 if value > progress.best - self._set.tol else 0
        if value < progress.best:
            progress.best = value
            self._keep_best(trainer)
        progress.samples += self._n
        if self._rule == "invscaling":
            rate = self._set.learning_rate_init / (progress.samples + 1) ** self._set.power_t
            set_learning_rate(trainer.optimizer, rate)
        if progress.waited > self._set.n_iter_no_change:
            self._end_or_slow_down(trainer)

    def on_fit_end(self, trainer: Trainer) -> None:
        if self._best_values is not None:
            trainer.model.params, trainer.model.state = self._best_values

    def _keep_best(self, trainer: Trainer) -> None:
        """Keep the parameters that early stopping goes back to."""
        if self._watched != "loss":
            self._best_values = trainer.model.params.copy(), trainer.model.state.copy()

    def _end_or_slow_down(self, trainer: Trainer) -> None:
        name = "Training loss" if self._watched == "loss" else "Validation score"
        reason = (
            f"{name} did not improve more than tol={self._set.tol:f} for "
            f"{self._set.n_iter_no_change} consecutive epochs."
        )
        rate = trainer.optimizer.current_learning_rate()
        if self._rule == "adaptive" and rate > SMALLEST_RATE:
            set_learning_rate(trainer.optimizer, rate / 5)
            self._progress.waited = 0
            self._say(f"{reason} Setting learning rate to {rate / 5:f}")
        else:
            trainer.stop(reason)
            self._say(f"{reason} Stopping.")

    def _say(self, text: str) -> None:
        if self._set.verbose:
            print(text)


class ValidationScore(Callback):
    """Adds `val_score` to the history.

    Args:
        score: Computes it from the model as it is.
    """

    def __init__(self, score: Callable[[], float]) -> None:
        self._score = score

    def on_fit_begin(self, trainer: Trainer) -> None:
        trainer.measured.append("val_score")

    def on_validation_begin(self, trainer: Trainer) -> None:
        trainer.extra_values["val_score"] = self._score()


class Report(Callback):
    """Prints loss and validation score of every epoch."""

    def on_fit_begin(self, trainer: Trainer) -> None:
        self._first = trainer.epoch

    def on_epoch_end(self, trainer: Trainer) -> None:
        values = trainer.history.last()
        print(f"Iteration {trainer.epoch - self._first}, loss = {values['loss']:.8f}")
        if "val_score" in values:
            print(f"Validation score: {values['val_score']:f}")
