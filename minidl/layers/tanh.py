"""The hyperbolic tangent."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.typing import Array


class Tanh(Layer):
    r"""Hyperbolic tangent, $y = \tanh x$.

    Backward: $dx = dy\,(1 - y^2)$. Maps to (-1, 1) and is centred on 0, which makes it a better
    hidden unit than the sigmoid; initialize the layer before it with `GlorotUniform`.

    Shapes:
        x and y `(N, ...)`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Tanh().build((2,))(np.array([[0.0, 1000.0]]))
        array([[0., 1.]], dtype=float32)
    """

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y = np.tanh(x, out=out)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        return np.multiply(dy, 1 - y * y, out=out) if input_grad else None
