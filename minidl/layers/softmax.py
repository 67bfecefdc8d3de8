"""The softmax, scores to probabilities."""

from __future__ import annotations

import numpy as np

from minidl.errors import ShapeError
from minidl.layers.base import Layer
from minidl.typing import Array, Shape

FEW_CLASSES = 32


class Softmax(Layer):
    r"""Softmax over the last axis, $y_i = e^{x_i} / \sum_j e^{x_j}$.

    Computed on $x - \max x$, which changes nothing in the result and cannot overflow. Backward is
    the full Jacobian product $dx_i = y_i\,(dy_i - \sum_j dy_j\, y_j)$.

    The last layer of a classifier: rows become probabilities. In training `Objective` computes it
    together with `CrossEntropy`, from the logits, so that no probability is ever divided by; a
    model that ends in `Softmax` therefore goes with `CrossEntropy()`, not with
    `CrossEntropy(from_logits=True)`.

    Shapes:
        x and y `(N, ..., C)`.

    Raises:
        ShapeError: At `build`, if samples are single numbers.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Softmax().build((2,))(np.array([[0.0, 0.0], [1e4, -1e4]]))
        array([[0.5, 0.5],
               [1. , 0. ]], dtype=float32)

    References:
        J. Bridle, Probabilistic interpretation of feedforward classification network outputs, 1990.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        check_classes(self, input_shape)
        return input_shape

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        z = classes_first(x)  # (C, N)
        z -= z.max(axis=0)
        np.exp(z, out=z)
        y: Array = np.divide(z.T, z.sum(axis=0, keepdims=True).T, out=out)  # (N, C) / (N, 1)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        if not input_grad:
            return None
        projection = (dy * y).sum(axis=-1, keepdims=True)  # (N, 1)
        dx: Array = np.subtract(dy, projection, out=out)
        dx *= y
        return dx


def check_classes(layer: Layer, input_shape: Shape) -> None:
    """Raise unless samples have an axis of classes: the last one would be that of the batch."""
    if not input_shape:
        raise ShapeError(
            f"{layer.where}: expected input of shape (N, ..., C), got (N). Build with the shape of "
            "one sample, such as (10,) for ten classes."
        )


def classes_first(x: Array) -> Array:
    """Copy (N, C) to (C, N).

    Maxima and sums over few classes are three times as fast down the columns of a contiguous array
    as along its short rows; with many classes the memory is better left in their order.
    """
    return np.array(x.T, order="C" if x.shape[-1] <= FEW_CLASSES else "K")
