"""The sigmoid linear unit."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.layers.sigmoid import logistic
from minidl.typing import Array


class SiLU(Layer):
    r"""Sigmoid linear unit, also called swish, $y = x\,\sigma(x)$ with $\sigma(x) = 1/(1+e^{-x})$.

    Backward: $dx = dy \cdot \sigma(x)\,(1 + x\,(1 - \sigma(x)))$. Smooth where `ReLU` has its kink,
    and slightly negative (down to -0.28) for negative x; common in convolutional networks and
    transformers of recent years.

    Shapes:
        x and y `(N, ...)`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.SiLU().build((4,))(np.array([[-1e4, -1.0, 0.0, 1.0]])).round(3)
        array([[-0.   , -0.269,  0.   ,  0.731]], dtype=float32)

    References:
        S. Elfwing, E. Uchibe, K. Doya, Sigmoid-weighted linear units for neural network function
        approximation in reinforcement learning, Neural Networks 107, 2018.
    """

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        s = logistic(x)
        if training:
            self.save_for_backward(x, s)
        return np.multiply(x, s, out=out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        x, s = self.saved()
        if not input_grad:
            return None
        derivative = 1 - s
        derivative *= x
        derivative += 1
        derivative *= s
        dx: Array = np.multiply(dy, derivative, out=out)
        return dx
