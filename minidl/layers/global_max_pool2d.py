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
        y: Array = x.max(axis=(1, 2), out=out)  # (N, H, W, C) -> (N, C)
        if training:
            n, h, w, c = x.shape
            self.save_for_backward(x.reshape(n, h * w, c).argmax(axis=1), x.shape)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        largest, (n, h, w, c) = self.saved()
        if not input_grad:
            return None
        dx = batch_empty(n, (h, w, c), dy.dtype) if out is None else out
        dx.fill(0)
        rows, columns = np.divmod(largest, w)  # (N, C), (N, C)
        dx[np.arange(n)[:, np.newaxis], rows, columns, np.arange(c)] = dy
        return dx
