"""The softplus, a smooth rectified linear unit."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.typing import Array


class Softplus(Layer):
    r"""Softplus, $y = \ln(1 + e^x)$.

    Computed as $\max(x, 0) + \ln(1 + e^{-|x|})$, which cannot overflow. Backward:
    $dx = dy \cdot \sigma(x)$ with $\sigma(x) = 1 / (1 + e^{-x}) = 1 - e^{-y}$. Always above 0 and
    close to x for large x: the output for quantities that must be positive, such as a standard
    deviation.

    Shapes:
        x and y `(N, ...)`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Softplus().build((3,))(np.array([[-1e4, 0.0, 30.0]])).round(3)
        array([[ 0.   ,  0.693, 30.   ]], dtype=float32)

    References:
        C. Dugas, Y. Bengio, F. Bélisle, C. Nadeau, R. Garcia, Incorporating second-order functional
        knowledge for better option pricing, NIPS 2000.
    """

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y: Array = np.abs(x, out=out)
        np.negative(y, out=y)
        np.exp(y, out=y)
        np.log1p(y, out=y)  # np.logaddexp(x, 0) is the same, six times as slow
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
        dx: Array = np.expm1(-y, out=out)  # -(1 - e^-y), with all digits for small y
        dx *= dy
        return np.negative(dx, out=dx)
