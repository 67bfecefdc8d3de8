"""Images to vectors."""

from __future__ import annotations

import math

from minidl.errors import ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.layers.image_order import reshaped
from minidl.typing import Array, Shape


class Flatten(Layer):
    r"""Lay the axes of each sample end to end: (N, H, W, C) becomes (N, H W C).

    The last axis runs fastest, as in `x.reshape(N, -1)`. Backward gives the gradient the input's
    shape again.

    Shapes:
        x `(N, ...)`, y `(N, D)` with D the product of the sample's lengths.

    Raises:
        ShapeError: At `build`, if the length of a time axis is left open.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Flatten().build((28, 28)).predict(np.zeros((5, 28, 28))).shape
        (5, 784)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        if None in input_shape:
            raise ShapeError(
                f"{self.where}: the length of the time axis must be known, got "
                f"{batch_shape(input_shape)}. Build with the number of steps, or end the time "
                "axis before with a layer such as LSTM(units) or GlobalAveragePool1D()."
            )
        return (math.prod(input_shape),)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if training:
            self.save_for_backward(x.shape)
        return reshaped(x, (len(x), math.prod(x.shape[1:])), out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (shape,) = self.saved()
        return reshaped(dy, shape, out) if input_grad else None
