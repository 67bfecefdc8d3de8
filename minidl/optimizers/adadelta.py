"""Adadelta."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.optimizers.base import LearningRate, Optimizer
from minidl.typing import Array


class Adadelta(Optimizer):
    r"""Adadelta: steps in the parameters' own unit, with no learning rate to find.

    With v the recent mean square of gradients and u that of the steps themselves,

    $$v \leftarrow \rho v + (1 - \rho) g^2, \qquad
      d = \frac{\sqrt{u + \epsilon}}{\sqrt{v + \epsilon}}\, g, \qquad
      u \leftarrow \rho u + (1 - \rho) d^2, \qquad \theta \leftarrow \theta - \eta d,$$

    element by element. u starts at zero, so the first steps are of about $\sqrt{\epsilon}$ and grow
    from there: epsilon decides how fast training sets out. Slow to start on small problems.

    Conventions: epsilon is inside both roots, as in the paper, PyTorch and Keras. The paper has no
    learning rate, that is 1, PyTorch's default; Keras's is 0.001, with which it hardly moves, and
    its $\rho = 0.95$, $\epsilon = 10^{-7}$. In PyTorch weight decay is added to the gradient; here
    it is decoupled, and with a learning rate of 1 much smaller values are wanted than elsewhere.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        rho: Decay of both means of squares.
        epsilon: Added inside the roots.
        weight_decay: Decoupled weight decay; 0 for none.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([1.0, 1.0]), dl.Adadelta()
        >>> optimizer.update(params, np.array([1.0, 1e3]))
        >>> params.round(5)
        array([0.99684, 0.99684])

    References:
        M. Zeiler, ADADELTA: an adaptive learning rate method, 2012, arXiv:1212.5701.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        *,
        rho: float = 0.9,
        epsilon: float = 1e-6,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value
        )
        self.rho = self._number("rho", rho, 1.0)
        self.epsilon = self._positive("epsilon", epsilon)  # or no first step would be made

    @property
    def slots(self) -> Sequence[str]:
        return ("mean_square", "mean_square_step")

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        v, u, root = self.state["mean_square"], self.state["mean_square_step"], self.spare(out)
        np.multiply(grads, grads, out=out)
        out *= 1 - self.rho
        v *= self.rho
        v += out
        np.add(v, self.epsilon, out=root)
        np.sqrt(root, out=root)
        np.add(u, self.epsilon, out=out)
        np.sqrt(out, out=out)
        out /= root
        out *= grads
        np.multiply(out, out, out=root)
        root *= 1 - self.rho
        u *= self.rho
        u += root
        out *= learning_rate
