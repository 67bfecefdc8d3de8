"""Normalization by the root mean square."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import number_within
from minidl.initializers import Ones
from minidl.layers.base import Layer
from minidl.layers.normalization import channel_gradients, channels, inverse_deviation, mean
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


class RMSNorm(Layer):
    r"""Root mean square normalization, $y = \gamma z$, $z = x / \sqrt{\overline{x^2} + \epsilon}$.

    Means are over the last axis, of each row (or step, or pixel) by itself. With $g = \gamma\, dy$,

    $$d\gamma = \sum dy\, z, \qquad
    dx = \frac{g - z\, \overline{g z}}{\sqrt{\overline{x^2} + \epsilon}}.$$

    `LayerNorm` without its mean: somewhat cheaper, and as good in many transformers. A row of
    zeros gives zeros.

    Shapes:
        x and y `(N, ..., C)`.

    Args:
        epsilon: Added to the mean square, so that none is too small to divide by. PyTorch's default
            is the dtype's smallest step from 1 instead.

    Attributes:
        gamma: Scale `(C,)`.

    Raises:
        ArgumentError: If `epsilon` is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.RMSNorm().build((2,))(np.array([[1.0, 7.0], [0.0, 0.0]])).round(3)
        array([[0.2, 1.4],
               [0. , 0. ]], dtype=float32)

    References:
        B. Zhang, R. Sennrich, Root mean square layer normalization, NeurIPS 2019.
    """

    gamma: Array

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = number_within("RMSNorm", "epsilon", epsilon, 1e-30)

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        return [ParameterSpec("gamma", (channels(self, input_shape),), Ones(), decay=False)]

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        inverse, _ = inverse_deviation(x, (x.ndim - 1,), self.epsilon)
        z = np.multiply(x, inverse, out=None if training else out)
        y = np.multiply(z, self.gamma, out=out if training else z)
        if training:
            self.save_for_backward(z, inverse)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        z, inverse = self.saved()
        self.gradients["gamma"], _ = channel_gradients(dy, z)
        if not input_grad:
            return None
        dx: Array = np.multiply(dy, self.gamma, out=out)
        z *= mean(dx * z, (dy.ndim - 1,))
        dx -= z
        dx *= inverse
        return dx
