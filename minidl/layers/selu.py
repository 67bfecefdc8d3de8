"""The scaled exponential linear unit."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.typing import Array

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805


class SELU(Layer):
    r"""Scaled ELU, $y = \lambda x$ for $x > 0$ and $y = \lambda \alpha\,(e^x - 1)$ elsewhere.

    With $\alpha = 1.67326...$ and $\lambda = 1.05070...$, values of mean 0 and variance 1 keep both
    from layer to layer, given weights from `LeCunNormal`: deep dense networks train without
    normalization layers. Backward: $dx = \lambda\,dy$ for $x > 0$ and
    $dx = dy \cdot \lambda \alpha e^x = dy\,(y + \lambda \alpha)$ elsewhere; at $x = 0$, where the
    function has a kink, the derivative is taken from the left, $\lambda \alpha$.

    Shapes:
        x and y `(N, ...)`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.SELU().build((3,))(np.array([[-1000.0, 0.0, 1.0]])).round(3)
        array([[-1.758,  0.   ,  1.051]], dtype=float32)

    References:
        G. Klambauer, T. Unterthiner, A. Mayr, S. Hochreiter, Self-normalizing neural networks,
        NIPS 2017.
    """

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y: Array = np.minimum(x, 0, out=out)  # no e^x of a large x
        np.expm1(y, out=y)
        y *= SCALE * ALPHA
        y += SCALE * np.maximum(x, 0)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        if not input_grad:
            return None
        derivative: Array = y + SCALE * ALPHA
        derivative *= y <= 0
        derivative += np.multiply(y > 0, SCALE, dtype=y.dtype)
        return np.multiply(dy, derivative, out=out)
