"""The largest pixel of an image, channel by channel."""

from __future__ import annotations

import numpy as np

from minidl.buffers import batch_empty
from minidl.layers.base import Layer
from minidl.layers.pooling import check_images
from minidl.typing import Array, Shape


class GlobalMaxPool2D(Layer):
    r"""Maximum over all pixels of an image, channel by channel, $y_{nc} = \max_{h, w} x_{nhwc}$.

    Backward: the gradient goes to the pixel that was the largest; if several were, to the first of
    them in row-major order. Says whether something is anywhere in the image, where
    `GlobalAveragePool2D` says how much of it there is.

    Shapes:
        x `(N, H, W, C)`, y `(N, C)`.

    Raises:
        ShapeError: At `build`, if samples are not images.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.GlobalMaxPool2D().build((2, 2, 1))(np.arange(4.0).reshape(1, 2, 2, 1))
        array([[3.]], dtype=float32)

    References:
        M. Oquab, L. Bottou, I. Laptev, J. Sivic, Is object localization for free? Weakly-supervised
        learning with convolutional neural networks, CVPR 2015.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        check_images(self.where, input_shape)
        return input_shape[2:]

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if training:
            self.save_for_backward(x)
        # first over rows, in stretches as long as a row of all images: five times as fast
        y: Array = x.max(axis=1).max(axis=1, out=out)  # (N, H, W, C) -> (N, W, C) -> (N, C)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (x,) = self.saved()
        if not input_grad:
            return None
        n, _, _, c = x.shape
        samples, channels = np.arange(n)[:, np.newaxis], np.arange(c)
        rows = x.max(axis=2).argmax(axis=1)  # (N, H, C) -> (N, C): the first with a largest pixel
        columns = x[samples, rows, :, channels].argmax(axis=2)  # (N, C, W) -> (N, C)
        dx = batch_empty(n, x.shape[1:], dy.dtype) if out is None else out
        dx.fill(0)
        dx[samples, rows, columns, channels] = dy
        return dx
