"""Layer normalization."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import number_within
from minidl.layers.base import Layer
from minidl.layers.normalization import (
    centered,
    channel_gradients,
    channels,
    inverse_deviation,
    normalization_gradient,
    scale_and_shift,
)
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


class LayerNorm(Layer):
    r"""Layer normalization, $y = \gamma z + \beta$ with $z = (x - m) / \sqrt{v + \epsilon}$.

    m and v are mean and variance over the last axis, of each row (or step, or pixel) by itself.
    With $g = \gamma\, dy$ and means over the last axis,

    $$d\gamma = \sum dy\, z, \qquad d\beta = \sum dy, \qquad
    dx = \frac{g - \overline{g} - z\, \overline{g z}}{\sqrt{v + \epsilon}}.$$

    It does the same in training and inference, whatever the size of the batch: the usual choice in
    transformers and recurrent networks. The variance is biased (divided by C). Where all channels
    are equal, as with C = 1, the output is beta.

    Shapes:
        x and y `(N, ..., C)`.

    Args:
        epsilon: Added to the variance, so that none is too small to divide by.

    Attributes:
        gamma: Scale `(C,)`.
        beta: Shift `(C,)`.

    Raises:
        ArgumentError: If `epsilon` is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.LayerNorm().build((3,))(np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]])).round(3)
        array([[-1.225,  0.   ,  1.225],
               [ 0.   ,  0.   ,  0.   ]], dtype=float32)

    References:
        J. Ba, J. Kiros, G. Hinton, Layer normalization, arXiv:1607.06450, 2016.
    """

    gamma: Array
    beta: Array

    def __init__(self, epsilon: float = 1e-5) -> None:
        self.epsilon = number_within("LayerNorm", "epsilon", epsilon, 1e-30)

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        return scale_and_shift(channels(self, input_shape))

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        last = (x.ndim - 1,)
        z, _ = centered(x, last)
        inverse, _ = inverse_deviation(z, last, self.epsilon)
        z *= inverse
        y = np.multiply(z, self.gamma, out=out)
        y += self.beta
        if training:
            self.save_for_backward(z, inverse)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        z, inverse = self.saved()
        self.gradients["gamma"], self.gradients["beta"] = channel_gradients(dy, z)
        if not input_grad:
            return None
        dx: Array = np.multiply(dy, self.gamma, out=out)
        normalization_gradient(dx, z, inverse, (dy.ndim - 1,))
        return dx
