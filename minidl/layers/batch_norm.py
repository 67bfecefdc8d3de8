"""Batch normalization."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import number_within
from minidl.initializers import Ones, Zeros
from minidl.layers.base import Layer
from minidl.layers.normalization import (
    all_but_last,
    centered,
    channel_gradients,
    channels,
    inverse_deviation,
    scale_and_shift,
)
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


class BatchNorm(Layer):
    r"""Batch normalization, $y = \gamma z + \beta$ with $z = (x - m) / \sqrt{v + \epsilon}$.

    m and v are each channel's mean and variance over the rows of the batch and all axes but the
    last. Both depend on x, so backward has three terms. With means over the same elements,

    $$d\gamma = \sum dy\, z, \qquad d\beta = \sum dy, \qquad
    dx = \frac{\gamma}{\sqrt{v + \epsilon}}
    \left(dy - \overline{dy} - z\, \overline{dy\, z}\right).$$

    In inference the running values stand for m and v, and rows are independent. Each training pass
    moves them:

    $$\text{running} = \text{momentum} \cdot \text{running} + (1 - \text{momentum}) \cdot
    \text{batch}.$$

    Between a `Dense` or convolution (its bias is superfluous) and its activation it lets deep
    networks learn with larger steps. Batches should have some 16 rows or more; for smaller ones
    `LayerNorm` or `GroupNorm` do better, and for sequences of different lengths `LayerNorm`,
    because here every step counts, padded ones too.

    Conventions: variances are biased (divided by the number n of elements, not n - 1), also the
    running one. PyTorch's momentum is 1 - momentum, and its running variance the unbiased one.
    A constant channel gives beta, and a finite gradient. Every channel of a batch of one vector
    is constant: its output is beta, its gradient 0, and the running values stay as they are.

    **Frozen**, that is with `trainable = False` on the layer or on one that it is inside of, it
    uses the running values in training, too, and leaves them as they are; backward is then
    $dx = \gamma\, dy / \sqrt{v + \epsilon}$.

    Shapes:
        x and y `(N, ..., C)`.

    Args:
        momentum: Share of the old running value, in [0, 1).
        epsilon: Added to the variance, so that none is too small to divide by.

    Attributes:
        gamma: Scale `(C,)`.
        beta: Shift `(C,)`.
        running_mean: Mean for inference `(C,)`, state.
        running_variance: Variance for inference `(C,)`, state.

    Raises:
        ArgumentError: If `momentum` or `epsilon` is out of range.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.BatchNorm().build((2,))
        >>> x = np.array([[1.0, 30.0], [3.0, 10.0]], np.float32)
        >>> layer.forward(x, training=True).round(3)
        array([[-1.,  1.],
               [ 1., -1.]], dtype=float32)
        >>> layer.running_mean, layer.running_variance.round(3)
        (array([0.2, 2. ], dtype=float32), array([ 1. , 10.9], dtype=float32))

    References:
        S. Ioffe, C. Szegedy, Batch normalization: accelerating deep network training by reducing
        internal covariate shift, ICML 2015.
    """

    couples_rows = True
    gamma: Array
    beta: Array
    running_mean: Array
    running_variance: Array

    def __init__(self, momentum: float = 0.9, epsilon: float = 1e-5) -> None:
        self.momentum = number_within("BatchNorm", "momentum", momentum, 0.0, 1.0)
        self.epsilon = number_within("BatchNorm", "epsilon", epsilon, 1e-30)

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        return scale_and_shift(channels(self, input_shape))

    def state_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        c = channels(self, input_shape)
        return [
            ParameterSpec("running_mean", (c,), Zeros()),
            ParameterSpec("running_variance", (c,), Ones()),
        ]

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        frozen = self.frozen
        if training and not frozen:
            z, inverse = self._by_batch(x)
        else:
            inverse = 1.0 / np.sqrt(self.running_variance + self.epsilon)  # (C,)
            z = np.subtract(x, self.running_mean, out=None if training else out)
            z *= inverse
        y = np.multiply(z, self.gamma, out=out if training else z)
        y += self.beta
        if training:
            self.save_for_backward(z, inverse, frozen)
        return y

    def _by_batch(self, x: Array) -> tuple[Array, Array]:
        """Normalize a batch by its own mean and variance, and move the running ones."""
        axes = all_but_last(x)
        z, m = centered(x, axes)
        inverse, variance = inverse_deviation(z, axes, self.epsilon)
        z *= inverse
        if x.size > x.shape[-1]:  # of a single value the variance would be 0
            variance = np.minimum(variance, np.finfo(x.dtype).max)  # where squares overflow
            keep, new = self.momentum, 1.0 - self.momentum
            self.running_mean[...] = keep * self.running_mean + new * m.ravel()
            self.running_variance[...] = keep * self.running_variance + new * variance.ravel()
        return z, inverse

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        z, inverse, frozen = self.saved()  # (N, ..., C), and broadcast against it
        d_gamma, d_beta = channel_gradients(dy, z)
        self.gradients["gamma"], self.gradients["beta"] = d_gamma, d_beta
        if not input_grad:
            return None
        slope = self.gamma * inverse
        if frozen:
            dx: Array = np.multiply(dy, slope, out=out)
            return dx
        n = dy.size // dy.shape[-1]
        dx = np.multiply(z, d_gamma / -n, out=out)
        dx += dy
        dx -= d_beta / n  # d_gamma / n and d_beta / n are the means of dy z and dy
        dx *= slope
        return dx
