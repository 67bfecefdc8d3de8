"""The rectified linear unit that leaks."""

from __future__ import annotations

import numpy as np

from minidl.arguments import number_within
from minidl.layers.base import Layer
from minidl.typing import Array


class LeakyReLU(Layer):
    r"""Leaky rectified linear unit, $y = \max(x, a x)$ with a small slope $0 \le a < 1$.

    Backward: $dx = dy$ where $x > 0$ and $dx = a\,dy$ elsewhere; at $x = 0$, where the function has
    a kink, the derivative is taken from the left, $a$. In the place of `ReLU` where units die: a
    unit that is negative for all the data still gets a gradient here.

    Shapes:
        x and y `(N, ...)`.

    Args:
        negative_slope: The slope a for negative x, 0 <= a < 1.

    Raises:
        ArgumentError: If `negative_slope` is outside [0, 1).

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.LeakyReLU(0.1).build((3,))(np.array([[-1.0, 0.0, 2.0]]))
        array([[-0.1,  0. ,  2. ]], dtype=float32)

    References:
        A. Maas, A. Hannun, A. Ng, Rectifier nonlinearities improve neural network acoustic models,
        ICML 2013.
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = number_within("LeakyReLU", "negative_slope", negative_slope, 0, 1)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y: Array = np.multiply(x, self.negative_slope, out=out)
        np.maximum(x, y, out=y)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        if not input_grad:
            return None
        derivative = np.maximum(y > 0, self.negative_slope, dtype=y.dtype)  # 1 or a
        dx: Array = np.multiply(dy, derivative, out=out)
        return dx
