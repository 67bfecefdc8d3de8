"""Another shape for each sample."""

from __future__ import annotations

import math

from minidl.arguments import whole_number
from minidl.errors import ArgumentError, ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.layers.image_order import reshaped
from minidl.typing import Array, Shape


class Reshape(Layer):
    r"""Give each sample another shape: (N, 784) becomes (N, 28, 28, 1).

    Elements keep their order, $\operatorname{vec}(y_n) = \operatorname{vec}(x_n)$, the last axis
    running fastest, as in `x.reshape(N, *target_shape)`. Backward gives the gradient the input's
    shape again.

    As the last layer it decides what a loss takes for a sample: of outputs `(N, T, 1)` every step,
    of `(N, T)` the T numbers together, without the mask that there may be.

    Shapes:
        x `(N, ...)`, y `(N, *target_shape)`; an open time axis stays open if `target_shape` begins
        with -1.

    Args:
        target_shape: Shape of a sample, without the batch axis. One length may be -1: what is left.

    Raises:
        ArgumentError: If `target_shape` has lengths below 1, or more than one -1.
        ShapeError: At `build`, if a sample has another number of elements than `target_shape`.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.Reshape((28, -1, 1)).build((784,)).predict(np.zeros((5, 784))).shape
        (5, 28, 28, 1)
    """

    def __init__(self, target_shape: Shape) -> None:
        who = "Reshape: target_shape"
        if not isinstance(target_shape, tuple | list):
            raise ArgumentError(f"{who} must be a tuple such as (28, 28, 1), got {target_shape!r}.")
        self.target_shape = tuple(
            -1 if length == -1 else whole_number("Reshape", f"target_shape[{i}]", length)
            for i, length in enumerate(target_shape)
        )
        if self.target_shape.count(-1) > 1:
            raise ArgumentError(f"{who} may have one -1, got {target_shape!r}.")

    def output_shape(self, input_shape: Shape) -> Shape:
        is_open, inferred = input_shape[:1] == (None,), -1 in self.target_shape
        if is_open and self.target_shape[:1] != (-1,):
            raise ShapeError(
                f"{self.where}: expected input of fixed lengths, got {batch_shape(input_shape)}. "
                "Begin target_shape with -1 to leave the time axis open."
            )
        size = math.prod(input_shape[1:] if is_open else input_shape)
        rest = math.prod(length for length in self.target_shape if length != -1)
        if size % rest if inferred else size != rest:
            raise ShapeError(
                f"{self.where}: expected {'a multiple of ' if inferred else ''}{rest} elements "
                f"{'a step' if is_open else 'a sample'}, got {batch_shape(input_shape)} with "
                f"{size}. Give a target_shape of as many elements."
            )
        left = None if is_open else size // rest
        return tuple(left if length == -1 else length for length in self.target_shape)

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if training:
            self.save_for_backward(x.shape)
        return reshaped(x, (len(x), *self.target_shape), out)

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        (shape,) = self.saved()
        return reshaped(dy, shape, out) if input_grad else None
