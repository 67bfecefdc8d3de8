"""Update rules with scikit-learn's settings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.optimizers.base import Optimizer
from minidl.optimizers.sgd import SGD
from minidl.typing import Array


class PlainAdam(Optimizer):
    r"""Adam with epsilon added to the root before its correction.

    This is the shorter form at the end of section 2 of the paper, and scikit-learn's:
    $\theta \leftarrow \theta - \eta_t\, m / (\sqrt v + \epsilon)$ with
    $\eta_t = \eta \sqrt{1 - \beta_2^t} / (1 - \beta_1^t)$. Small gradients take smaller steps than
    with minidl's `Adam` of the same epsilon.
    """

    def __init__(self, learning_rate: float, beta1: float, beta2: float, epsilon: float) -> None:
        super().__init__(learning_rate)
        self.beta1, self.beta2, self.epsilon = float(beta1), float(beta2), float(epsilon)

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
        out += self.epsilon
        np.divide(m, out, out=out)
        out *= learning_rate * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)


def optimizer_of(estimator: Any) -> Optimizer:
    """The update rule that an estimator's parameters say."""
    rate = float(estimator.learning_rate_init)
    if estimator.solver == "adam":
        return PlainAdam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    mu = float(estimator.momentum)
    return SGD(rate, momentum=mu, nesterov=bool(estimator.nesterovs_momentum and mu))


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Change the rate and keep the length of the next step's momentum, as scikit-learn does.

    Its velocity includes the rate, where minidl's, as PyTorch's, is multiplied by the present one.
    """
    for velocity in optimizer.state.values():
        velocity *= optimizer.current_learning_rate() / rate
    optimizer.learning_rate = rate
