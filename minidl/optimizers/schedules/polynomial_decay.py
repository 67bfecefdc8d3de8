"""A learning rate that falls as a power of the steps that are left."""

from __future__ import annotations

import math
from dataclasses import dataclass

from minidl.arguments import number_within, positive_number, whole_number
from minidl.optimizers.schedules.base import Schedule


@dataclass(frozen=True)
class PolynomialDecay(Schedule):
    r"""From the initial to the final rate as a power of the steps left, by default in a line.

    $$\eta_t = \eta_T + (\eta_0 - \eta_T)\, (1 - t / T)^p$$

    Step 0 has the initial rate, step T and all later ones the final one. The last of T steps,
    number T - 1, is still above it. The same as Keras's `PolynomialDecay`; PyTorch's `PolynomialLR`
    ends at 0.

    Args:
        initial: $\eta_0$.
        steps: T.
        final: $\eta_T$, at least 0.
        power: p; 1 for a straight line.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import minidl as dl
        >>> schedule = dl.PolynomialDecay(1.0, steps=4)
        >>> [schedule(step) for step in range(6)]
        [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """

    initial: float
    steps: int
    final: float = 0.0
    power: float = 1.0

    def __post_init__(self) -> None:
        positive_number("PolynomialDecay", "initial", self.initial)
        whole_number("PolynomialDecay", "steps", self.steps)
        number_within("PolynomialDecay", "final", self.final, 0.0)
        positive_number("PolynomialDecay", "power", self.power)

    def __call__(self, step: int) -> float:
        left = 1 - min(step, self.steps) / self.steps
        return self.final + (self.initial - self.final) * math.pow(left, self.power)
