"""The largest pixel of each window of an image."""

from __future__ import annotations

from minidl.buffers import batch_empty
from minidl.layers.image_order import in_memory_order
from minidl.layers.max_pooling import max_backward, max_forward
from minidl.layers.pooling import WindowPooling, check_images, windows_over
from minidl.typing import Array, Shape


class MaxPool2D(WindowPooling):
    r"""Maximum over windows of an image, channel by channel.

    With windows of size $K \times L$ and stride $(s, t)$

    $$y_{nijc} = \max_{k < K,\ l < L} x_{n,\ si + k,\ tj + l,\ c}$$

    Backward: a window's gradient goes to the pixel that was its largest, and if several were, to
    the first of them in row-major order. A pixel that was the largest of several windows gets the
    sum.

    The usual way to make an image smaller between convolutions: it keeps the strongest answer of a
    filter and forgets where exactly in the window it was.

    Padding "valid" has only whole windows, and leaves out rows and columns at the end that fill
    none. "same" makes ceil(H / stride) windows, the first and last of which may reach over the
    edge; what is outside is never the largest. A window with NaN gives NaN; to which of its pixels
    its gradient then goes, if to any, is left open.

    Cost: K L comparisons for each output; in training also one byte for each output, or more where
    windows have more than 256 pixels, which says whose the maximum was.

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
        >>> dl.MaxPool2D(2).build((2, 4, 1))(image.reshape(1, 2, 4, 1)).ravel()
        array([4., 5.], dtype=float32)

    References:
        D. Scherer, A. Müller, S. Behnke, Evaluation of pooling operations in convolutional
        architectures for object recognition, ICANN 2010.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        check_images(self.where, input_shape)
        return (*self._pooling.counts(self.where, input_shape[:-1]), input_shape[-1])

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        n, h, w, c = x.shape
        windows = windows_over(self._pooling, (h, w))
        y = batch_empty(n, (*windows.shape, c), x.dtype) if out is None else out
        winners = max_forward(in_memory_order(x), windows, y, training)
        if training:
            self.save_for_backward(windows, winners)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        windows, winners = self.saved()
        if not input_grad:
            return None
        dx = batch_empty(len(dy), self.input_shape, dy.dtype) if out is None else out
        return max_backward(dy, windows, winners, dx)
