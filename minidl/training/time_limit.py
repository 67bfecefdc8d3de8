"""Stop when the time is up."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from minidl.arguments import number_within
from minidl.training.callbacks import Callback

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


class TimeLimit(Callback):
    """End each `fit` after so many seconds, at the end of the batch that is running then.

    The epoch ends there: it counts, with its values over the rows until then, and validation data
    are still evaluated, which takes its own time. A `fit` that goes on from a checkpoint has what
    is left of the time.

    Args:
        seconds: From the beginning of `fit`; at least 0. One batch is always trained on.

    Raises:
        ArgumentError: If `seconds` is negative or no number.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(300, rng=0)
        >>> model = dl.Sequential([dl.Dense(10), dl.Softmax()]).build((784,), rng=0)
        >>> trainer = dl.Trainer(
        ...     model, dl.CrossEntropy(), dl.SGD(0.1), callbacks=[dl.TimeLimit(0.2)], rng=0
        ... )
        >>> trainer.fit(x, y, epochs=1_000_000).stopped
        'the time limit of 0.2 s was reached'
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = number_within("TimeLimit", "seconds", seconds, 0.0)
        self._start = 0.0

    def on_fit_begin(self, trainer: Trainer) -> None:
        self._start = time.monotonic()

    def on_batch_end(self, trainer: Trainer, loss: float) -> None:
        if time.monotonic() - self._start >= self.seconds:
            trainer.stop(f"the time limit of {self.seconds:g} s was reached", at_once=True)

    def state_dict(self) -> dict[str, Any]:
        return {"used": time.monotonic() - self._start}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._start = time.monotonic() - state["used"]
