"""NAdam, Adam with Nesterov's momentum."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minidl.optimizers.base import LearningRate, Optimizer
from minidl.typing import Array


class NAdam(Optimizer):
    r"""NAdam: Adam that looks one step ahead, as Nesterov's momentum does.

    With Adam's means m and v, and a momentum that grows from $\beta_1 / 2$ towards $\beta_1$,
    $\mu_t = \beta_1 (1 - \tfrac12\, 0.96^{\psi t})$, step t is

    $$\theta \leftarrow \theta - \eta\, \left(
      \frac{\mu_{t+1}\, m}{1 - \prod_{i \le t+1} \mu_i} +
      \frac{(1 - \mu_t)\, g}{1 - \prod_{i \le t} \mu_i} \right) \Big/
      \left( \sqrt{v / (1 - \beta_2^t)} + \epsilon \right) .$$

    Often a little faster than Adam, at the same learning rate.

    Conventions: those of PyTorch, whose $\psi = 0.004$ is the paper's 1/250. Keras has $\psi = 1$,
    with which the momentum is near its limit after some hundred steps, and by default
    $\eta = 0.001$, $\epsilon = 10^{-7}$. Weight decay is decoupled (PyTorch:
    `decoupled_weight_decay=True`).

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        beta1: Decay of the mean of gradients m, and the momentum's limit.
        beta2: Decay of the mean of squared gradients v.
        momentum_decay: $\psi$: how fast the momentum comes near its limit.
        epsilon: Added to the root, outside it.
        weight_decay: Decoupled weight decay; 0 for none.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([1.0, 1.0]), dl.NAdam(0.1)
        >>> optimizer.update(params, np.array([1e-3, 1e3]))
        >>> params.round(4)
        array([0.8944, 0.8944])

    References:
        T. Dozat, Incorporating Nesterov momentum into Adam, ICLR workshop 2016.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.002,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        momentum_decay: float = 0.004,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value
        )
        self.beta1 = self._number("beta1", beta1, 1.0)
        self.beta2 = self._number("beta2", beta2, 1.0)
        self.momentum_decay = self._number("momentum_decay", momentum_decay)
        self.epsilon = self._positive("epsilon", epsilon)  # or a gradient of 0 would give 0 / 0
        self._product = 0, 1.0  # a step, and the product of all momenta up to it

    @property
    def slots(self) -> Sequence[str]:
        return ("mean", "mean_square")

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        m, v, t = self.state["mean"], self.state["mean_square"], self.steps + 1
        product = self._product_up_to(t)
        momentum, next_momentum = self._momentum(t), self._momentum(t + 1)
        root = self.spare(out)
        np.multiply(grads, 1 - self.beta1, out=out)
        m *= self.beta1
        m += out
        np.multiply(grads, grads, out=out)
        out *= 1 - self.beta2
        v *= self.beta2
        v += out
        np.multiply(grads, learning_rate * (1 - momentum) / (1 - product), out=out)
        np.multiply(m, learning_rate * next_momentum / (1 - product * next_momentum), out=root)
        out += root
        np.sqrt(v, out=root)
        root *= 1 / math.sqrt(1 - self.beta2**t)
        root += self.epsilon
        out /= root

    def _momentum(self, t: int) -> float:
        return self.beta1 * (1 - 0.5 * math.pow(0.96, t * self.momentum_decay))

    def _product_up_to(self, t: int) -> float:
        """The product of the momenta of steps 1 to t; as a rule one factor is new."""
        done, product = self._product
        if done != t - 1:  # `steps` has been set from outside
            product = math.prod(map(self._momentum, range(1, t)))
        product *= self._momentum(t)
        self._product = t, product
        return product
