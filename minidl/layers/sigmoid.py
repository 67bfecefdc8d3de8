"""The logistic sigmoid."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.typing import Array


class Sigmoid(Layer):
    r"""Logistic sigmoid, $y = 1 / (1 + e^{-x})$.

    Backward: $dx = dy \cdot y (1 - y)$. It maps to (0, 1), so it is the output of a network that
    answers yes or no; with `BinaryCrossEntropy` the two are computed together, from the logits.
    Between layers its gradient, at most 1/4, fades with depth.

    Shapes:
        x and y `(N, ...)`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Sigmoid().build((3,))(np.array([[-1000.0, 0.0, 1000.0]]))
        array([[0. , 0.5, 1. ]], dtype=float32)
    """

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y = logistic(x, out)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        if not input_grad:
            return None
        dx: Array = np.multiply(dy, y, out=out)
        dx *= 1 - y
        return dx


def logistic(x: Array, out: Array | None = None) -> Array:
    """Return 1 / (1 + e^-x); `out` may be x itself."""
    y: Array = np.negative(x, out=out)
    with np.errstate(over="ignore"):  # e^-x = infinity leads to the right limit, 0
        np.exp(y, out=y)
    y += 1
    np.reciprocal(y, out=y)
    return y
