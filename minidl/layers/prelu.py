"""The rectified linear unit with a learned slope."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.errors import ShapeError
from minidl.initializers import Constant, Initializer
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


class PReLU(Layer):
    r"""Parametric ReLU, $y = \max(x, 0) + a \min(x, 0)$ with a learned slope a for each channel.

    Channels are the last axis. Backward: $dx = dy$ where $x > 0$ and $dx = a\,dy$ elsewhere; at
    $x = 0$, where the function has a kink, the derivative is taken from the left, $a$. The slope
    gets $da = \sum dy \cdot \min(x, 0)$, over all axes but the last. Weight decay leaves it alone:
    it would pull towards `ReLU`. PyTorch's `PReLU(C)`; Keras's with `shared_axes` for all axes but
    the last.

    Shapes:
        x and y `(N, ..., C)`.

    Args:
        initializer: Initial values of the slopes.

    Attributes:
        slope: a `(C,)`.

    Raises:
        ShapeError: At `build`, if samples have no last axis of fixed length.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.PReLU().build((2,))
        >>> layer.slope = [0.5, -1.0]
        >>> layer(np.array([[-2.0, -2.0], [3.0, 3.0]]))
        array([[-1.,  2.],
               [ 3.,  3.]], dtype=float32)

    References:
        K. He, X. Zhang, S. Ren, J. Sun, Delving deep into rectifiers, ICCV 2015.
    """

    slope: Array

    def __init__(
        self,
        initializer: Initializer = Constant(0.25),  # noqa: B008 (frozen, so it can be shared)
    ) -> None:
        self.initializer = initializer

    def output_shape(self, input_shape: Shape) -> Shape:
        if not input_shape or input_shape[-1] is None:
            raise ShapeError(
                f"{self.where}: expected input of shape (N, ..., C) with C channels, got "
                f"{batch_shape(input_shape)}. Give the last axis a fixed length."
            )
        return input_shape

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        return [ParameterSpec("slope", input_shape[-1:], self.initializer, decay=False)]

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        y: Array = np.minimum(x, 0, out=out)
        y *= self.slope  # (N, ..., C) * (C,)
        y += np.maximum(x, 0)
        if training:
            self.save_for_backward(x)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (x,) = self.saved()
        da = np.minimum(x, 0)
        da *= dy
        da.sum(axis=tuple(range(x.ndim - 1)), out=self.gradients["slope"])  # (N, ..., C) -> (C,)
        if not input_grad:
            return None
        derivative: Array = self.slope * (x <= 0)  # (C,) * (N, ..., C)
        derivative += x > 0
        return np.multiply(dy, derivative, out=out)
