"""The logarithm of the softmax."""

from __future__ import annotations

import numpy as np

from minidl.layers.base import Layer
from minidl.layers.softmax import check_classes, classes_first
from minidl.typing import Array, Shape


class LogSoftmax(Layer):
    r"""Logarithm of the softmax over the last axis, $y_i = x_i - \ln \sum_j e^{x_j}$.

    Computed on $x - \max x$, which changes nothing in the result and cannot overflow. Backward:
    $dx_i = dy_i - e^{y_i} \sum_j dy_j$.

    The last layer of a classifier whose users want log-probabilities: those of unlikely classes
    keep all digits where `Softmax` gives 0. It goes with `CrossEntropy(from_logits=True)`:
    log-probabilities are logits, which the softmax inside the loss turns into the same
    probabilities.

    Shapes:
        x and y `(N, ..., C)`.

    Raises:
        ShapeError: At `build`, if samples are single numbers.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.LogSoftmax().build((2,))(np.array([[0.0, 0.0], [40.0, -40.0]])).round(3)
        array([[ -0.693,  -0.693],
               [  0.   , -80.   ]], dtype=float32)

    References:
        C. Bishop, Pattern Recognition and Machine Learning, 2006, section 4.3.4.
    """

    def output_shape(self, input_shape: Shape) -> Shape:
        check_classes(self, input_shape)
        return input_shape

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        z = classes_first(x)  # (C, N)
        z -= z.max(axis=0)
        total = np.exp(z).sum(axis=0, keepdims=True)  # (1, N)
        y: Array = np.subtract(z.T, np.log(total).T, out=out)  # (N, C) - (N, 1)
        if training:
            self.save_for_backward(y)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (y,) = self.saved()
        if not input_grad:
            return None
        dx: Array = np.exp(y, out=out)
        dx *= dy.sum(axis=-1, keepdims=True)  # (N, C) * (N, 1)
        return np.subtract(dy, dx, out=dx)
