"""A learning rate that falls by the same share in every step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minidl.arguments import positive_number, whole_number
from minidl.optimizers.schedules.base import Schedule, check_factor


@dataclass(frozen=True)
class ExponentialDecay(Schedule):
    r"""The rate times a factor in so many steps, smoothly: $\eta_t = \eta_0\, f^{t / s}$.

    Step 0 has the initial rate, step s has f times that; there is no end. The same as Keras's
    `ExponentialDecay`; PyTorch's `ExponentialLR` has s = 1.

    Args:
        initial: $\eta_0$.
        steps: s, steps in which the rate falls by the factor.
        factor: f, in (0, 1).

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import minidl as dl
        >>> schedule = dl.ExponentialDecay(1.0, steps=2, factor=0.25)
        >>> [schedule(step) for step in range(5)]
        [1.0, 0.5, 0.25, 0.125, 0.0625]
    """

    initial: float
    steps: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        positive_number("ExponentialDecay", "initial", self.initial)
        whole_number("ExponentialDecay", "steps", self.steps)
        check_factor("ExponentialDecay", self.factor)

    def __call__(self, step: int) -> float:
        return self.initial * math.pow(self.factor, step / self.steps)
