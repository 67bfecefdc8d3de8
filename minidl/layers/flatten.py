"""Images to vectors."""

from __future__ import annotations

import math

import numpy as np

from minidl.errors import ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
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
        if x.ndim == 4 and x.strides[0] == x.itemsize:
            # images lie batch-innermost: copied in stretches of a batch, pixel by pixel (D, N),
            # up to 20 times as fast as image by image; a matrix product takes either order
            return np.ascontiguousarray(x.transpose(1, 2, 3, 0)).reshape(-1, len(x)).T
        return x.reshape(len(x), -1)  # a view where memory order allows it

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (shape,) = self.saved()
        if not input_grad:
            return None
        dx = dy.reshape(shape)
        if out is None or len(shape) != 4:
            return dx
        np.copyto(out, dx)  # images lie batch-innermost in `out`; whoever reads dx next wants that
        return out
