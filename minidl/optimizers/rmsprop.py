"""RMSprop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.optimizers.base import LearningRate, Optimizer
from minidl.typing import Array


class RMSprop(Optimizer):
    r"""RMSprop: the gradient divided by the root of its recent mean square.

    $$v \leftarrow \rho v + (1 - \rho) g^2, \qquad
      \theta \leftarrow \theta - \eta\, \frac{g}{\sqrt{v} + \epsilon},$$

    element by element; with momentum $\mu$, $u \leftarrow \mu u + g / (\sqrt{v} + \epsilon)$ and
    $\theta \leftarrow \theta - \eta u$. Adam without its mean of gradients and without correction
    for v's start at zero: a first step is $1 / \sqrt{1 - \rho}$ times as long as later ones, by
    default ten times. Long in use for recurrent networks and reinforcement learning.

    Conventions: those of PyTorch. Keras adds epsilon inside the root, keeps the learning rate
    inside u, and has other defaults: $\eta = 0.001$, $\rho = 0.9$, $\epsilon = 10^{-7}$. In PyTorch
    weight decay is added to the gradient; here it is decoupled.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        rho: Decay of the mean of squared gradients v; PyTorch's alpha.
        momentum: $\mu$, at least 0 and below 1.
        epsilon: Added to the root, outside it.
        weight_decay: Decoupled weight decay; 0 for none.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([1.0, 1.0]), dl.RMSprop(0.01)
        >>> optimizer.update(params, np.array([1e-3, 1e3]))
        >>> params.round(3)
        array([0.9, 0.9])

    References:
        T. Tieleman, G. Hinton, Lecture 6.5: RMSprop, COURSERA: Neural networks for machine
        learning, 2012.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        *,
        rho: float = 0.99,
        momentum: float = 0.0,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value
        )
        self.rho = self._number("rho", rho, 1.0)
        self.momentum = self._number("momentum", momentum, 1.0)
        self.epsilon = self._positive("epsilon", epsilon)  # or a gradient of 0 would give 0 / 0

    @property
    def slots(self) -> Sequence[str]:
        return ("mean_square", "velocity") if self.momentum else ("mean_square",)

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        v = self.state["mean_square"]
        np.multiply(grads, grads, out=out)
        out *= 1 - self.rho
        v *= self.rho
        v += out
        np.sqrt(v, out=out)
        out += self.epsilon
        u = np.divide(grads, out, out=out)
        if self.momentum:
            u = self.state["velocity"]
            u *= self.momentum
            u += out
        np.multiply(u, learning_rate, out=out)
