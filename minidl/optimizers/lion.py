"""Lion, evolved sign momentum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.optimizers.base import LearningRate, Optimizer
from minidl.typing import Array


class Lion(Optimizer):
    r"""Lion: every parameter moves by the learning rate, in the direction of a smoothed gradient.

    $$\theta \leftarrow \theta - \eta\, \operatorname{sign}(\beta_1 m + (1 - \beta_1) g), \qquad
      m \leftarrow \beta_2 m + (1 - \beta_2) g .$$

    It keeps one vector where Adam keeps two. All steps are of the same length, so the learning rate
    has to fall towards the end (see `CosineDecay`). The paper finds the best rates to be 3 to 10
    times smaller than Adam's, with a weight decay larger by as much, and likes larger batches. A
    parameter whose gradient has been zero all along stays where it is.

    Conventions: the sign is taken before m changes, with a decay of its own, as in the paper and in
    Keras, whose default learning rate is 0.001. PyTorch has no Lion.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        beta1: Share of m in the direction.
        beta2: Decay of the mean of gradients m.
        weight_decay: Decoupled weight decay; 0 for none.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([1.0, 1.0, 1.0]), dl.Lion(0.125)
        >>> optimizer.update(params, np.array([1e-3, -1e3, 0.0]))
        >>> params
        array([0.875, 1.125, 1.   ])

    References:
        X. Chen et al., Symbolic discovery of optimization algorithms, NeurIPS 2023,
        arXiv:2302.06675.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1e-4,
        *,
        beta1: float = 0.9,
        beta2: float = 0.99,
        weight_decay: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, weight_decay=weight_decay, clip_norm=clip_norm, clip_value=clip_value
        )
        self.beta1 = self._number("beta1", beta1, 1.0)
        self.beta2 = self._number("beta2", beta2, 1.0)

    @property
    def slots(self) -> Sequence[str]:
        return ("mean",)

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        m, share = self.state["mean"], self.spare(out)
        np.multiply(grads, 1 - self.beta1, out=out)
        np.multiply(m, self.beta1, out=share)
        share += out
        np.sign(share, out=out)  # in place it would take ten times as long
        out *= learning_rate
        np.multiply(grads, 1 - self.beta2, out=share)
        m *= self.beta2
        m += share
