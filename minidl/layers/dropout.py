"""Dropout, noise against overfitting."""

from __future__ import annotations

import numpy as np

from minidl.arguments import number_within
from minidl.buffers import arranged
from minidl.layers.base import Layer
from minidl.typing import Array


class Dropout(Layer):
    r"""In training, set each element to 0 with probability `rate` and scale up the rest.

    $y = x \cdot m$ with $m = 0$ with probability $p$ and $1 / (1 - p)$ otherwise, so that the
    expected value stays $x$; backward: $dx = dy \cdot m$. In inference $y = x$. Between dense
    layers it keeps units from relying on single others; rates of 0.1 to 0.5 are usual.

    Shapes:
        x and y `(N, ...)`.

    Args:
        rate: The probability p of dropping an element, 0 <= p < 1.

    Raises:
        ArgumentError: If `rate` is outside [0, 1).

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.Dropout(0.5).build((4,), rng=1)
        >>> x = np.ones((1, 4), np.float32)
        >>> layer(x)
        array([[1., 1., 1., 1.]], dtype=float32)
        >>> sorted(set(layer.forward(np.ones((9, 4), np.float32), training=True).flat.__array__()))
        [np.float32(0.0), np.float32(2.0)]

    References:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, Dropout: a simple
        way to prevent neural networks from overfitting, JMLR 15, 2014.
    """

    def __init__(self, rate: float) -> None:
        self.rate = number_within("Dropout", "rate", rate, 0.0, 1.0)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if not training:
            return x
        draws = self.rng.random(x.size, dtype=x.dtype)
        mask = arranged(draws, len(x), x.shape[1:])  # the order of x, or the product would be slow
        np.greater_equal(mask, self.rate, out=mask)
        mask *= 1.0 / (1.0 - self.rate)
        self.save_for_backward(mask)
        return np.multiply(x, mask, out=out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (mask,) = self.saved()
        return np.multiply(dy, mask, out=out) if input_grad else None
