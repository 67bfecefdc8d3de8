"""The mean of each window of an image."""

from __future__ import annotations

import numpy as np

from minidl.buffers import batch_empty
from minidl.layers.image_order import in_memory_order
from minidl.layers.pooling import (
    WindowPooling,
    Windows,
    check_images,
    windows_over,
)
from minidl.typing import Array, Shape


class AveragePool2D(WindowPooling):
    r"""Mean over windows of an image, channel by channel.

    With windows of size $K \times L$ and stride $(s, t)$

    $$y_{nijc} = \frac{1}{K L} \sum_{k < K,\ l < L} x_{n,\ si + k,\ tj + l,\ c}$$

    Backward: every pixel of a window gets $dy_{nijc} / (K L)$; a pixel in several windows gets the
    sum.

    Smoother than `MaxPool2D`, and the pooling of the first convolutional networks.

    Padding is as in `MaxPool2D`. Where a window reaches over the edge ("same"), the mean is that of
    the pixels inside: as many as there are stand in place of K L.

    Shapes:
        x `(N, H, W, C)`, y `(N, H', W', C)`; with the default size and stride H' is H // 2.

    Args:
        pool_size: Height and width of a window; one number for both.
        stride: From one window to the next, down and across; by default `pool_size`.
        padding: "valid" or "same".

    Raises:
        ArgumentError: If sizes are not whole numbers above 0, or `padding` is another word.
        ShapeError: At `build`, if samples are not images, or a window does not fit them.

    Example:
        >>> import numpy as np, minidl as dl
        >>> image = np.array([[1.0, 2.0, 0.0, 0.0], [4.0, 3.0, 0.0, 5.0]])
        >>> dl.AveragePool2D(2).build((2, 4, 1))(image.reshape(1, 2, 4, 1)).ravel()
        array([2.5 , 1.25], dtype=float32)

    References:
        Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document
        recognition, Proceedings of the IEEE 86, 1998.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        check_images(self.where, input_shape)
        return (*self._pooling.counts(self.where, input_shape[:-1]), input_shape[-1])

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        n, h, w, c = x.shape
        windows = windows_over(self._pooling, (h, w))
        y = batch_empty(n, (*windows.shape, c), x.dtype) if out is None else out
        x = in_memory_order(x)
        y.fill(0)
        for pixels, having in windows.places:
            y[having] += x[pixels]
        y /= window_sizes(windows, x.dtype)  # (N, H', W', C) / (1, H', W', 1)
        if training:
            self.save_for_backward(windows)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (windows,) = self.saved()
        if not input_grad:
            return None
        dx = batch_empty(len(dy), self.input_shape, dy.dtype) if out is None else out
        share = dy / window_sizes(windows, dy.dtype)
        if not (windows.apart and windows.cover):
            dx.fill(0)
        for pixels, having in windows.places:
            if windows.apart:
                dx[pixels] = share[having]
            else:
                dx[pixels] += share[having]
        return dx


def window_sizes(windows: Windows, dtype: np.dtype) -> Array:
    """How many pixels each window has inside the image, as (1, H', W', 1)."""
    sizes = np.zeros((1, *windows.shape, 1), dtype)
    for _, having in windows.places:
        sizes[having] += 1
    return sizes
