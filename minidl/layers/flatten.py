"""Images to vectors."""

from __future__ import annotations

import math

import numpy as np

from minidl.layers.base import Layer
from minidl.typing import Array, Shape


class Flatten(Layer):
    r"""Lay the axes of each sample end to end: (N, H, W, C) becomes (N, H W C).

    The last axis runs fastest, as in `x.reshape(N, -1)`. Backward gives the gradient the input's
    shape again.

    Shapes:
        x `(N, ...)`, y `(N, D)` with D the product of the sample's lengths.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Flatten().build((28, 28)).predict(np.zeros((5, 28, 28))).shape
        (5, 784)
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        return (math.prod(input_shape),)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if training:
            self.save_for_backward(x.shape)
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
