"""Adagrad, adaptive gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.optimizers.base import LearningRate, Optimizer
from minidl.typing import Array


class Adagrad(Optimizer):
    r"""Adagrad: a learning rate for each parameter, which falls with the gradients it has seen.

    $$s \leftarrow s + g^2, \qquad
      \theta \leftarrow \theta - \eta\, \frac{g}{\sqrt{s_0 + s} + \epsilon},$$

    element by element. Parameters whose gradient is seldom other than zero, such as an embedding of
    rare words, keep large steps. All steps shrink in the end, about as $1 / \sqrt{t}$, so it suits
    convex problems and sparse inputs better than long training of deep networks.

    Conventions: those of PyTorch. Keras adds epsilon inside the root and has other defaults:
    $\eta = 0.001$, $s_0 = 0.1$, $\epsilon = 10^{-7}$. In PyTorch weight decay is added to the
    gradient; here it is decoupled. For PyTorch's `lr_decay` give a function of the step.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        initial_accumulator: $s_0$, at least 0; above 0 it keeps the first steps from being $\eta$
            however small the gradient.
        epsilon: Added to the root, outside it.
        weight_decay: Decoupled weight decay; 0 for none.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([1.0]), dl.Adagrad(0.1)
        >>> for _ in range(2):  # steps of 0.1 and 0.1 / sqrt(2)
        ...     optimizer.update(params, np.array([3.0]))
        >>> params.round(4)
        array([0.8293])

    References:
        J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning and
        stochastic optimization, JMLR 12, 2011.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        *,
        initial_accumulator: float = 0.0,
        epsilon: float = 1e-10,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value
        )
        self.initial_accumulator = self._number("initial_accumulator", initial_accumulator)
        self.epsilon = self._positive("epsilon", epsilon)  # or a gradient of 0 would give 0 / 0

    @property
    def slots(self) -> Sequence[str]:
        return ("sum_of_squares",)

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        s = self.state["sum_of_squares"]
        np.multiply(grads, grads, out=out)
        s += out
        np.add(s, self.initial_accumulator, out=out)
        np.sqrt(out, out=out)
        out += self.epsilon
        np.divide(grads, out, out=out)
        out *= learning_rate
