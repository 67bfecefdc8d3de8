"""Images made larger by repeating their pixels."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from minidl.buffers import batch_empty
from minidl.layers.base import Layer
from minidl.layers.image_order import in_memory_order
from minidl.layers.pooling import check_images
from minidl.layers.window_options import lengths, plain
from minidl.typing import Array, Shape


class UpSampling2D(Layer):
    r"""Repeat every pixel of an image down and across (nearest neighbour).

    With sizes $(s, t)$

    $$y_{nijc} = x_{n,\ \lfloor i / s \rfloor,\ \lfloor j / t \rfloor,\ c}$$

    Backward: a pixel gets the sum of the gradients of its $s t$ copies.

    Makes images larger again where `MaxPool2D` made them smaller, as in the second half of an
    autoencoder; a convolution behind it smooths the blocks.

    Shapes:
        x `(N, H, W, C)`, y `(N, s H, t W, C)`.

    Args:
        size: How often each pixel is repeated down and across; one number for both.

    Raises:
        ArgumentError: If `size` is not one or two whole numbers above 0.
        ShapeError: At `build`, if samples are not images.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.UpSampling2D((1, 2)).build((1, 2, 1))(np.array([[[[3.0], [4.0]]]])).ravel()
        array([3., 3., 4., 4.], dtype=float32)

    References:
        A. Odena, V. Dumoulin, C. Olah, Deconvolution and checkerboard artifacts, Distill 2016.
    """

    def __init__(self, size: int | Sequence[int] = 2) -> None:
        self.size = plain(size)
        _ = self._size  # which checks it

    @property
    def _size(self) -> tuple[int, ...]:
        return lengths("UpSampling2D", "size", self.size, 2)

    def output_shape(self, input_shape: Shape) -> Shape:
        check_images(self.where, input_shape)
        (h, w, c), (s, t) = input_shape, self._size
        return (s * h, t * w, c)

    def _copies(self, y: Array) -> Iterator[Array]:
        """The first copies of all pixels as one image (N, H, W, C), then the second, and so on."""
        s, t = self._size
        for i, j in itertools.product(range(s), range(t)):
            yield y[:, i::s, j::t]

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        n, h, w, c = x.shape
        s, t = self._size
        y = batch_empty(n, (s * h, t * w, c), x.dtype) if out is None else out
        x = in_memory_order(x)
        for copy in self._copies(y):
            copy[...] = x
        if training:
            self.save_for_backward(x.shape)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        ((n, *image),) = self.saved()
        if not input_grad:
            return None
        dx = batch_empty(n, tuple(image), dy.dtype) if out is None else out
        first, *others = self._copies(dy)
        dx[...] = first
        for copy in others:
            dx += copy
        return dx
