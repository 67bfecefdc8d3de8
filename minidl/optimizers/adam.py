"""Adam, adaptive moments."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minidl.arguments import flag
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

    **AMSGrad** puts the largest v of all steps so far in the place of v, so that the division never
    lets steps grow again. It mends a case in which Adam does not converge; in practice the two
    differ little.

    Conventions: epsilon is added outside the root, to the corrected v, as in the paper and PyTorch.
    Keras adds it to the uncorrected root, where the same number counts
    $1 / \sqrt{1 - \beta_2^t}$ times as much, and has 1e-7 by default. The maximum of AMSGrad is
    taken before the correction (PyTorch and Keras), which the paper leaves out. Weight decay in
    PyTorch's `Adam` is added to the gradient; here it is decoupled, as in its `AdamW`.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        beta1: Decay of the mean of gradients m.
        beta2: Decay of the mean of squared gradients v.
        epsilon: Added to the root, outside it, as in the paper.
        amsgrad: Whether to divide by the largest v so far in place of v.
        weight_decay: Decoupled weight decay, as in `AdamW`; 0 for none.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

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
        S. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond, ICLR 2018,
        arXiv:1904.09237.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        amsgrad: bool = False,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value
        )
        self.beta1 = self._number("beta1", beta1, 1.0)
        self.beta2 = self._number("beta2", beta2, 1.0)
        self.epsilon = self._positive("epsilon", epsilon)  # or a gradient of 0 would give 0 / 0
        self.amsgrad = flag(type(self).__name__, "amsgrad", amsgrad)

    @property
    def slots(self) -> Sequence[str]:
        moments = ("mean", "mean_square")
        return (*moments, "largest_mean_square") if self.amsgrad else moments

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        m, v, t = self.state["mean"], self.state["mean_square"], self.steps + 1
        np.multiply(grads, 1 - self.beta1, out=out)
        m *= self.beta1
        m += out
        np.multiply(grads, grads, out=out)
        out *= 1 - self.beta2
        v *= self.beta2
        v += out
        if self.amsgrad:
            largest = self.state["largest_mean_square"]
            v = np.maximum(largest, v, out=largest)
        np.sqrt(v, out=out)
        out *= 1 / math.sqrt(1 - self.beta2**t)
        out += self.epsilon
        np.divide(m, out, out=out)
        out *= learning_rate / (1 - self.beta1**t)
