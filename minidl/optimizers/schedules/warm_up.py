"""A learning rate that rises in a line, and then goes as another schedule says."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.arguments import positive_number, whole_number
from minidl.optimizers.base import LearningRate
from minidl.optimizers.checks import check_rate_kind
from minidl.optimizers.schedules.base import Schedule


@dataclass(frozen=True)
class WarmUp(Schedule):
    r"""A linear rise over the first w steps, before a constant rate or any other schedule.

    $$\eta_t = \frac{t + 1}{w + 1}\, s(0) \quad (t < w), \qquad \eta_t = s(t - w) \quad (t \ge w)$$

    Step 0 has a rate above 0, 1 / (w + 1) of the full one; step w is the first with the full one,
    and the schedule's own step 0. A schedule behind w steps of warm-up therefore gets w steps fewer
    than the run has. In PyTorch these are a `LinearLR` from 1 / (w + 1) and the schedule, in a
    `SequentialLR`. Adaptive rules and deep networks start more safely so, and large batches need
    it.

    Args:
        schedule: s, a number or a function of the step.
        steps: w, steps of warm-up.

    Raises:
        ArgumentError: If an argument is out of range.
        ArgumentTypeError: If `schedule` is neither a number nor a function.

    Example:
        >>> import minidl as dl
        >>> schedule = dl.WarmUp(dl.StepDecay(1.0, step_size=2, factor=0.5), steps=3)
        >>> [schedule(step) for step in range(7)]
        [0.25, 0.5, 0.75, 1.0, 1.0, 0.5, 0.5]

    References:
        P. Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, 2017,
        arXiv:1706.02677.
    """

    schedule: LearningRate
    steps: int

    def __post_init__(self) -> None:
        check_rate_kind("WarmUp", "schedule", self.schedule)
        if not callable(self.schedule):
            positive_number("WarmUp", "schedule", self.schedule)
        whole_number("WarmUp", "steps", self.steps)

    def __call__(self, step: int) -> float:
        rate = self.schedule
        if callable(rate):
            rate = rate(max(step - self.steps, 0))
        return rate * min(step + 1, self.steps + 1) / (self.steps + 1)
