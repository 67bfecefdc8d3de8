"""The exponential linear unit."""

from __future__ import annotations

import numpy as np

from minidl.arguments import number_within
from minidl.layers.base import Layer
from minidl.typing import Array


class ELU(Layer):
    r"""Exponential linear unit, $y = x$ for $x > 0$ and $y = \alpha\,(e^x - 1)$ elsewhere.

    Backward: $dx = dy$ for $x > 0$ and $dx = dy\,\alpha e^x = dy\,(y + \alpha)$ elsewhere; at
    $x = 0$, where the function has a kink unless $\alpha = 1$, the derivative is taken from the
    left, $\alpha$. Outputs can be negative, down to $-\alpha$, so that their mean is nearer to 0
    than that of `ReLU`, and no unit dies; in exchange it costs an exponential.

    Shapes:
        x and y `(N, ...)`.

    Args:
        alpha: What outputs approach for negative x, with its sign changed; at least 0.

    Raises:
        ArgumentError: If `alpha` is negative or not finite.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.ELU().build((3,))(np.array([[-1000.0, 0.0, 2.0]]))
        array([[-1.,  0.,  2.]], dtype=float32)

    References:
        D.-A. Clevert, T. Unterthiner, S. Hochreiter, Fast and accurate deep network learning by
        exponential linear units (ELUs), ICLR 2016.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = number_within("ELU", "alpha", alpha, 0)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y: Array = np.minimum(x, 0, out=out)  # no e^x of a large x
        np.expm1(y, out=y)
        y *= self.alpha
        y += np.maximum(x, 0)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        if not input_grad:
            return None
        derivative: Array = y + self.alpha
        derivative *= y <= 0
        derivative += y > 0
        return np.multiply(dy, derivative, out=out)
