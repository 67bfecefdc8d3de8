"""Adam, adaptive moments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minidl.errors import ArgumentError
from minidl.optimizers.base import LearningRate, Optimizer
from minidl.typing import Array


class Adam(Optimizer):
    r"""Adam: a step of about the learning rate for every parameter, whatever its gradient's scale.

    At step t, with all operations element by element,

    $$m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad
      v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \qquad
      \theta \leftarrow \theta - \eta\,
      \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon} .$$

    The divisions by $1 - \beta^t$ make up for m and v starting at zero. A good first choice where
    SGD's learning rate is hard to find.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        beta1: Decay of the mean of gradients m.
        beta2: Decay of the mean of squared gradients v.
        epsilon: Added to the root, outside it, as in the paper.
        weight_decay: Decoupled weight decay (AdamW); 0 for none.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([1.0, 1.0]), dl.Adam(0.1)
        >>> optimizer.update(params, np.array([1e-3, 1e3]))
        >>> params.round(3)
        array([0.9, 0.9])

    References:
        D. Kingma, J. Ba, Adam: a method for stochastic optimization, ICLR 2015, arXiv:1412.6980.
        I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.beta1 = self._number("beta1", beta1, 1.0)
        self.beta2 = self._number("beta2", beta2, 1.0)
        self.epsilon = self._number("epsilon", epsilon)
        if not self.epsilon:
            raise ArgumentError("Adam: epsilon must be above 0: a gradient of 0 would give 0 / 0.")

    @property
    def slots(self) -> Sequence[str]:
        return ("mean", "mean_square")

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        m, v, t = self.state["mean"], self.state["mean_square"], self.steps + 1
        np.multiply(grads, 1 - self.beta1, out=out)
        m *= self.beta1
        m += out
        np.multiply(grads, grads, out=out)
        out *= 1 - self.beta2
        v *= self.beta2
        v += out
        np.sqrt(v, out=out)
        out *= 1 / math.sqrt(1 - self.beta2**t)
        out += self.epsilon
        np.divide(m, out, out=out)
        out *= learning_rate / (1 - self.beta1**t)
