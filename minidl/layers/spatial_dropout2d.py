"""Dropout of whole feature maps."""

from __future__ import annotations

import numpy as np

from minidl.arguments import number_within
from minidl.buffers import batch_empty
from minidl.errors import ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.typing import Array, Shape


class SpatialDropout2D(Layer):
    r"""In training, set whole channels of an image to 0 with probability `rate`; scale up the rest.

    $y_{nhwc} = x_{nhwc}\,m_{nc}$ with $m_{nc} = 0$ with probability $p$ and $1 / (1 - p)$
    otherwise; backward: $dx = dy \cdot m$. In inference $y = x$. After a convolution, where
    neighbouring pixels carry nearly the same value and single ones dropped by `Dropout` are no
    loss. PyTorch's `Dropout2d`.

    Shapes:
        x and y `(N, H, W, C)`.

    Args:
        rate: The probability p of dropping a channel of a sample, 0 <= p < 1.

    Raises:
        ArgumentError: If `rate` is outside [0, 1).
        ShapeError: At `build`, if samples are not images.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.SpatialDropout2D(0.5).build((8, 8, 4), rng=2)
        >>> y = layer.forward(np.ones((1, 8, 8, 4), np.float32), training=True)
        >>> y.min(axis=(0, 1, 2)), y.max(axis=(0, 1, 2))
        (array([0., 2., 0., 2.], dtype=float32), array([0., 2., 0., 2.], dtype=float32))

    References:
        J. Tompson, R. Goroshin, A. Jain, Y. LeCun, C. Bregler, Efficient object localization using
        convolutional networks, CVPR 2015.
    """

    def __init__(self, rate: float) -> None:
        self.rate = number_within("SpatialDropout2D", "rate", rate, 0, 1)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 3:
            raise ShapeError(
                f"{self.where}: expected input of shape (N, H, W, C), got "
                f"{batch_shape(input_shape)}. Use Dropout({self.rate}) for single elements."
            )
        return input_shape

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if not training:
            return x
        n, _, _, c = x.shape
        mask = batch_empty(n, (1, 1, c), x.dtype)
        mask[...] = self.rng.random(mask.shape, dtype=x.dtype) >= self.rate
        mask *= 1.0 / (1.0 - self.rate)
        self.save_for_backward(mask)
        return np.multiply(x, mask, out=out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (mask,) = self.saved()
        return np.multiply(dy, mask, out=out) if input_grad else None
