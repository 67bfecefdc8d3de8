"""What every schedule is: a learning rate for each step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from minidl.arguments import number_within, positive_number


class Schedule(ABC):
    """Base of the schedules: a frozen dataclass called as `schedule(step)`.

    Steps are those of the optimizer, one a batch, counted from 0. For lengths in epochs multiply
    by the number of batches in one. Any function of the step serves an optimizer as well.

    The optimizer goes on counting in a further `fit`, so `steps` has to be those of all of them:
    behind the end of a schedule that falls to 0 nothing moves any more. For a new start give the
    trainer a new optimizer.

    Example:
        >>> import math, minidl as dl
        >>> rows, batch_size, epochs = 1000, 64, 20
        >>> steps_per_epoch = math.ceil(rows / batch_size)
        >>> dl.SGD(dl.CosineDecay(0.1, steps=epochs * steps_per_epoch))
        SGD(CosineDecay(initial=0.1, steps=320, final=0.0))
        >>> dl.SGD(lambda step: 0.1 / (1 + step)).current_learning_rate()
        0.1
    """

    @abstractmethod
    def __call__(self, step: int) -> float:
        """Return the learning rate of a step, counted from 0."""


def cosine_curve(start: float, end: float, progress: float) -> float:
    """The value between start (progress 0) and end (progress 1) along half a wave of cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def check_factor(who: str, factor: float) -> None:
    """Raise unless the factor by which a rate falls is in (0, 1)."""
    positive_number(who, "factor", number_within(who, "factor", factor, 0.0, 1.0))
