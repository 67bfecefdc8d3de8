"""The learning rate in the history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from minidl.training.callbacks import Callback

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class LearningRateLog(Callback):
    """Add `learning_rate` to the history: that of an epoch's first step.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> optimizer = dl.SGD(lambda step: 0.1 / (1 + step))
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), optimizer, callbacks=[dl.LearningRateLog()], rng=0
        ... )
        >>> trainer.fit(x, y, epochs=3, batch_size=100)["learning_rate"].tolist()
        [0.1, 0.05, 0.03333333333333333]
    """

    def on_epoch_begin(self, trainer: Trainer) -> None:
        trainer.extra_values["learning_rate"] = trainer.optimizer.current_learning_rate()
