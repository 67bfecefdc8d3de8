"""One rise and one fall of the learning rate."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.arguments import number_within, positive_number, whole_number
from minidl.errors import ArgumentError
from minidl.optimizers.schedules.base import Schedule, cosine_curve


@dataclass(frozen=True)
class OneCycle(Schedule):
    r"""One cycle over a whole run: up from a low rate, and down to a far lower one, along cosines.

    For rates so high that training would not bear them at its start or its end; a few epochs then
    do the work of many. `learning_rate_range_test` finds the highest rate.

    Step 0 has `highest / start_divisor`; the highest rate stands at step p T - 1 of T (between two
    steps if that is no whole number); the last step, number T - 1, and all later ones have
    `highest / (start_divisor * end_divisor)`.

    Conventions: PyTorch's `OneCycleLR` in its cosine form, with two phases. Smith's cycle is of
    straight lines. Both also lower momentum while the rate is high; here momentum stays as it is.

    Args:
        highest: The highest rate.
        steps: T, the steps of the run.
        warm_up: p, the share of steps in which the rate rises; above 1 / T and below 1.
        start_divisor: By how much the first rate is smaller than the highest.
        end_divisor: By how much the last rate is smaller than the first.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import minidl as dl
        >>> schedule = dl.OneCycle(1.0, steps=10, warm_up=0.5)
        >>> [round(schedule(step), 3) for step in range(11)]
        [0.04, 0.181, 0.52, 0.859, 1.0, 0.905, 0.655, 0.345, 0.095, 0.0, 0.0]

    References:
        L. Smith, N. Topin, Super-convergence: very fast training of neural networks using large
        learning rates, 2018, arXiv:1708.07120.
    """

    highest: float
    steps: int
    warm_up: float = 0.3
    start_divisor: float = 25.0
    end_divisor: float = 1e4

    def __post_init__(self) -> None:
        positive_number("OneCycle", "highest", self.highest)
        whole_number("OneCycle", "steps", self.steps, 2)
        number_within("OneCycle", "warm_up", self.warm_up, 0.0, 1.0)
        if self.warm_up * self.steps <= 1:
            raise ArgumentError(
                f"OneCycle: warm_up must be above 1 / steps, so that the rate has a step to rise "
                f"in, got {self.warm_up} of {self.steps} steps."
            )
        positive_number("OneCycle", "start_divisor", self.start_divisor)
        positive_number("OneCycle", "end_divisor", self.end_divisor)

    def __call__(self, step: int) -> float:
        first = self.highest / self.start_divisor
        top, end = self.warm_up * self.steps - 1, self.steps - 1
        if step < top:
            return cosine_curve(first, self.highest, step / top)
        fall = (min(step, end) - top) / (end - top)
        return cosine_curve(self.highest, first / self.end_divisor, fall)
