"""Gaussian noise on a signal, against overfitting."""

from __future__ import annotations

import numpy as np

from minidl.arguments import number_within
from minidl.buffers import arranged
from minidl.layers.base import Layer
from minidl.typing import Array


class GaussianNoise(Layer):
    r"""In training, add normal noise, $y = x + s\,\varepsilon$ with $\varepsilon \sim N(0, 1)$.

    Each element gets noise of its own. Backward: $dx = dy$. In inference $y = x$. On inputs it
    stands for many slightly different examples; a standard deviation of 0.1 suits data of standard
    deviation 1.

    Shapes:
        x and y `(N, ...)`.

    Args:
        stddev: Standard deviation s of the noise, at least 0.

    Raises:
        ArgumentError: If `stddev` is negative or not finite.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.GaussianNoise(0.5).build((1000,), rng=0, dtype=float)
        >>> x = np.ones((100, 1000))
        >>> round(float((layer.forward(x, training=True) - x).std()), 2)
        0.5
        >>> bool((layer(x) == x).all())
        True

    References:
        C. Bishop, Training with noise is equivalent to Tikhonov regularization, Neural Computation
        7, 1995.
    """

    def __init__(self, stddev: float) -> None:
        self.stddev = number_within("GaussianNoise", "stddev", stddev, 0)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if not training:
            return x
        draws = self.rng.standard_normal(x.size, dtype=x.dtype)
        noise = arranged(draws, len(x), x.shape[1:])
        noise *= self.stddev
        self.save_for_backward()
        return np.add(x, noise, out=out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        self.saved()
        return dy if input_grad else None
