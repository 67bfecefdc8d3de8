"""The sinusoidal positional encoding, which tells the steps of a sequence apart."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.layers.checks import check_sequences
from minidl.typing import Array, Shape

LONGEST = 10_000.0  # the slowest wave has a period of about 2 pi times as many steps


class PositionalEncoding(Layer):
    r"""Add to each step waves that depend on its position alone, $y_t = x_t + p_t$.

    Columns come in pairs, a sine and a cosine of the same frequency, from one radian a step down to
    nearly $10^{-4}$:

    $$p_{t, 2i} = \sin(t\, \omega_i), \qquad p_{t, 2i + 1} = \cos(t\, \omega_i), \qquad
    \omega_i = 10000^{-2i / D},$$

    with t from 0 on; if D is odd the last sine has no cosine. Backward: $dx = dy$.

    `MultiHeadSelfAttention` by itself does not see the order of steps; this layer, once between
    `Embedding` and the first attention, gives it one. Nothing is learned, and any length will do.
    A pair of columns of $p_{t + s}$ is that of $p_t$ turned by an angle that depends on s alone, so
    relative positions are within reach of a linear map.

    Shapes:
        x and y `(N, T, D)`; T may be left open: `build((None, D))`.

    Raises:
        ShapeError: At `build`, if samples are not sequences of vectors.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.PositionalEncoding().build((None, 3))(np.zeros((1, 2, 3))).round(4)
        array([[[0.    , 1.    , 0.    ],
                [0.8415, 0.5403, 0.0022]]], dtype=float32)

    References:
        A. Vaswani et al., Attention is all you need, NeurIPS 2017, section 3.5.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        check_sequences(self, input_shape)
        return input_shape

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if training:
            self.save_for_backward()
        _, t, d = x.shape
        angles = np.arange(t)[:, np.newaxis] * LONGEST ** (-np.arange(0, d, 2) / d)  # (T, D / 2)
        p = np.empty((t, d), x.dtype)
        p[:, 0::2] = np.sin(angles)
        p[:, 1::2] = np.cos(angles[:, : d // 2])
        return np.add(x, p, out=out)  # (N, T, D) + (T, D)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        self.saved()
        return dy if input_grad else None
