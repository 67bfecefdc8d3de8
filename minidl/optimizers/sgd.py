"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import flag
from minidl.errors import ArgumentError
from minidl.optimizers.base import LearningRate, Optimizer
from minidl.typing import Array


class SGD(Optimizer):
    r"""Stochastic gradient descent, with momentum and Nesterov's variant of it.

    Plain: $\theta \leftarrow \theta - \eta g$. With momentum $\mu$ (PyTorch's convention, in which
    the learning rate is outside the velocity):

    $$v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta v,$$

    and Nesterov's looks one step ahead: $\theta \leftarrow \theta - \eta\,(g + \mu v)$.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        momentum: $\mu$, at least 0 and below 1; 0.9 is usual.
        nesterov: Whether to use Nesterov's form; needs momentum.
        weight_decay: Decoupled weight decay; 0 for none.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([1.0]), dl.SGD(0.1, momentum=0.9)
        >>> for _ in range(2):
        ...     optimizer.update(params, np.array([1.0]))
        >>> params
        array([0.71])

    References:
        I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the importance of initialization and
        momentum in deep learning, ICML 2013.
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value
        )
        self.momentum = self._number("momentum", momentum, 1.0)
        self.nesterov = flag("SGD", "nesterov", nesterov)
        if self.nesterov and not momentum:
            raise ArgumentError("SGD: nesterov=True needs momentum above 0, such as 0.9.")

    @property
    def slots(self) -> Sequence[str]:
        return ("velocity",) if self.momentum else ()

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        if not self.momentum:
            np.multiply(grads, learning_rate, out=out)
            return
        v = self.state["velocity"]
        v *= self.momentum
        v += grads
        if self.nesterov:
            np.multiply(v, self.momentum, out=out)
            out += grads
            out *= learning_rate
        else:
            np.multiply(v, learning_rate, out=out)
