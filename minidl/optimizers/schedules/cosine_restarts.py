"""A learning rate that falls along a cosine, again and again."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.arguments import number_within, positive_number, whole_number
from minidl.optimizers.schedules.base import Schedule, cosine_curve


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    r"""Cosine decay with warm restarts (SGDR): after each period the rate jumps back up.

    Within a period of T steps, of which t are done, the rate is that of `CosineDecay`,

    $$\eta = \eta_T + \tfrac12 (\eta_0 - \eta_T) (1 + \cos(\pi t / T)),$$

    and each period is `multiplier` times as long as the one before. Step 0 and the first step of
    each period have the initial rate; the final one is not reached, because the step that would
    have it is the first of the next period.

    Args:
        initial: $\eta_0$.
        period: Steps of the first period.
        multiplier: A whole number; 1 for periods of one length, 2 for lengths that double.
        final: $\eta_T$, at least 0.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import minidl as dl
        >>> schedule = dl.CosineRestarts(1.0, period=2, multiplier=2)
        >>> [round(schedule(step), 3) for step in range(7)]
        [1.0, 0.5, 1.0, 0.854, 0.5, 0.146, 1.0]

    References:
        I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017,
        arXiv:1608.03983.
    """

    initial: float
    period: int
    multiplier: int = 1
    final: float = 0.0

    def __post_init__(self) -> None:
        positive_number("CosineRestarts", "initial", self.initial)
        whole_number("CosineRestarts", "period", self.period)
        whole_number("CosineRestarts", "multiplier", self.multiplier)
        number_within("CosineRestarts", "final", self.final, 0.0)

    def __call__(self, step: int) -> float:
        period = self.period
        if self.multiplier == 1:
            step %= period
        while step >= period:
            step -= period
            period *= self.multiplier
        return cosine_curve(self.initial, self.final, step / period)
