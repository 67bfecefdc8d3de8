"""A learning rate that falls in steps."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.arguments import positive_number, whole_number
from minidl.optimizers.schedules.base import Schedule, check_factor


@dataclass(frozen=True)
class StepDecay(Schedule):
    r"""The rate times a factor every so many steps, $\eta_t = \eta_0\, f^{\lfloor t / s \rfloor}$.

    Steps 0 to s - 1 have the initial rate, step s is the first with the next one. The same as
    PyTorch's `StepLR` called once a batch, and as Keras's `ExponentialDecay` with `staircase=True`.

    Args:
        initial: $\eta_0$.
        step_size: s, steps with the same rate; for epochs multiply by the steps of one.
        factor: f, in (0, 1).

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import minidl as dl
        >>> schedule = dl.StepDecay(1.0, step_size=2, factor=0.5)
        >>> [schedule(step) for step in range(5)]
        [1.0, 1.0, 0.5, 0.5, 0.25]
    """

    initial: float
    step_size: int
    factor: float = 0.1

    def __post_init__(self) -> None:
        positive_number("StepDecay", "initial", self.initial)
        whole_number("StepDecay", "step_size", self.step_size)
        check_factor("StepDecay", self.factor)

    def __call__(self, step: int) -> float:
        return self.initial * self.factor ** (step // self.step_size)
