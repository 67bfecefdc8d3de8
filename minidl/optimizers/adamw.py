"""AdamW, Adam with decoupled weight decay."""

from __future__ import annotations

from minidl.optimizers.adam import Adam
from minidl.optimizers.base import LearningRate


class AdamW(Adam):
    r"""AdamW: `Adam` with a decoupled weight decay of 0.01, unless said otherwise.

    Each step moves the parameters as Adam does, and also shrinks them by a factor,

    $$\theta \leftarrow \theta - \eta\, \frac{m / (1 - \beta_1^t)}
      {\sqrt{v / (1 - \beta_2^t)} + \epsilon} - \eta \lambda \theta,$$

    where $\lambda \theta$ does not pass through m and v. An L2 penalty in the loss does, and so
    hardly shrinks parameters with large gradients. `Trainer` leaves biases and the parameters of
    normalization out; in a loop by hand `update(..., decay=model.decay_mask)` does. The usual
    choice for transformers, and wherever Adam overfits.

    Conventions: PyTorch's `AdamW`; the paper's decay is not multiplied by the base learning rate,
    only by the schedule. Keras's default decay is 0.004.

    Args:
        learning_rate: $\eta$, a number or a function of the step.
        beta1: Decay of the mean of gradients m.
        beta2: Decay of the mean of squared gradients v.
        epsilon: Added to the root, outside it.
        amsgrad: Whether to divide by the largest v so far in place of v.
        weight_decay: $\lambda$.
        clip_norm: Largest norm of the gradient; longer ones are scaled down to it.
        clip_value: Instead: largest absolute value of its elements.

    Raises:
        ArgumentError: If an argument is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> params, optimizer = np.array([2.0, 2.0]), dl.AdamW(0.1, weight_decay=0.5)
        >>> optimizer.update(params, np.zeros(2), decay=np.array([1.0, 0.0]))
        >>> params
        array([1.9, 2. ])

    References:
        I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019,
        arXiv:1711.05101.
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        amsgrad: bool = False,
        weight_decay: float = 0.01,
        clip_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate,
            beta1=beta1,
            beta2=beta2,
            epsilon=epsilon,
            amsgrad=amsgrad,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            clip_value=clip_value,
        )
