"""A learning rate that falls along a cosine."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.arguments import number_within, positive_number, whole_number
from minidl.optimizers.schedules.base import Schedule, cosine_curve


@dataclass(frozen=True)
class CosineDecay(Schedule):
    r"""From the initial to the final rate along half a wave of cosine: slow, fast, slow.

    $$\eta_t = \eta_T + \tfrac12 (\eta_0 - \eta_T) (1 + \cos(\pi t / T))$$

    Step 0 has the initial rate, step T and all later ones the final one. The last of T steps,
    number T - 1, is still above it. (PyTorch's `CosineAnnealingLR` rises again behind step T.) A
    good first choice, as it has nothing to tune but its ends.

    Args:
        initial: $\eta_0$.
        steps: T.
        final: $\eta_T$, at least 0.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import minidl as dl
        >>> schedule = dl.CosineDecay(1.0, steps=4)
        >>> [round(schedule(step), 3) for step in range(6)]
        [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]

    References:
        I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017,
        arXiv:1608.03983.
    """

    initial: float
    steps: int
    final: float = 0.0

    def __post_init__(self) -> None:
        positive_number("CosineDecay", "initial", self.initial)
        whole_number("CosineDecay", "steps", self.steps)
        number_within("CosineDecay", "final", self.final, 0.0)

    def __call__(self, step: int) -> float:
        return cosine_curve(self.initial, self.final, min(step, self.steps) / self.steps)
