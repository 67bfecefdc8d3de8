"""Callbacks: what is to happen between the steps and epochs of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class Callback:
    """Base of all callbacks: override the hooks that you need.

    Every hook gets the trainer, with `model`, `optimizer`, `history`, `epoch`, `step`, and
    `stop(reason)` to end training after the present epoch.

    Example:
        >>> class PrintLoss(Callback):
        ...     def on_epoch_end(self, trainer):
        ...         print(trainer.history["loss"][-1])
    """

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Before the first epoch of a `fit`."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        """After the parameters have changed; `loss` is the batch's."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After an epoch's values have been added to the history."""

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last epoch, and also after an error or Ctrl-C."""
