"""Callbacks: what is to happen between the steps and epochs of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minidl.errors import DivergenceError
    from minidl.training.trainer import Trainer


class Callback:
    """Base of all callbacks: override the hooks that you need.

    Every hook gets the trainer, with `model`, `optimizer`, `history`, `epoch`, `step`, and
    `stop(reason)` to end training after the present epoch, or with `at_once=True` after the
    present batch.

    An error that a hook raises ends `fit` and reaches its caller; so a search can prune a run by an
    exception of its own. All other callbacks still get the same call, and `on_fit_end`; model,
    history and counters stay in step, and a further `fit` goes on from there. If the error came in
    or after `on_epoch_end`, it goes on with the same bits as a run without the error, unless a
    callback such as `EarlyStopping` has put other parameters in their place.

    All hooks are called in the order of the list, so what is to decide on the parameters in the
    end, such as `EarlyStopping` or `StopOnNaN`, comes last.

    A callback that keeps something from one epoch to the next also defines `state_dict` and
    `load_state_dict`, so that a run goes on exactly after `Trainer.from_checkpoint`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> class GoodEnough(dl.Callback):
        ...     def on_epoch_end(self, trainer):
        ...         if trainer.history["loss"][-1] < 0.1:
        ...             trainer.stop("the loss is below 0.1")
        >>> model, loss = dl.Dense(1).build((2,), rng=0), dl.MeanSquaredError()
        >>> trainer = dl.Trainer(model, loss, dl.SGD(0.1), callbacks=[GoodEnough()], rng=0)
        >>> trainer.fit(np.ones((64, 2)), np.ones((64, 1)), epochs=50).stopped
        'the loss is below 0.1'
    """

    def on_fit_begin(self, trainer: Trainer) -> None:
        """Before the first epoch of a `fit`."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Before the first batch of an epoch."""

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        """After the parameters have changed; `loss` is the batch's."""

    def on_validation_begin(self, trainer: Trainer) -> None:
        """After the last batch of an epoch, before validation data, if any, are evaluated."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After an epoch's values have been added to the history."""

    def on_divergence(self, trainer: Trainer, error: DivergenceError) -> None:
        """Before the error of a loss or gradient that is not finite is raised.

        Here the parameters are those before the step, those that validation failed with, or those
        that the last step of an epoch has spoiled. Where `trainer.stop(reason)` is called, training
        ends, and nothing is raised.
        """

    def on_fit_end(self, trainer: Trainer) -> None:
        """After the last epoch, and also after an error or Ctrl-C."""

    def state_dict(self) -> Mapping[str, Any]:
        """What a checkpoint is to keep of this callback, by name; nothing by default.

        Values are arrays, numbers, texts, None, and lists and dicts of numbers and texts; tuples
        come back as lists. Long lists are to be arrays.
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back the `state` that `state_dict` gave to a checkpoint.

        Called by `Trainer.from_checkpoint`, and once more after `on_fit_begin` if the run goes on
        in the middle of a `fit`.
        """
