"""Masks for sequences that are filled up to one length."""

from __future__ import annotations

import math

import numpy as np

from minidl.arguments import number_within
from minidl.errors import ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.typing import Array, Shape


class Masking(Layer):
    r"""Marks the steps that only fill up a sequence: those in which all numbers are `mask_value`.

    $y = x$, and backward $dx = dy$. The mask, $m_{nt} = [\,x_{ntd} \neq v \text{ for some } d\,]$,
    goes to the layers behind that accept one, such as `LSTM`: so sequences of different lengths can
    stand in one array. For sequences of indices `Embedding(..., padding_index=0)` does the same.

    Shapes:
        x and y `(N, T, D)`, mask `(N, T)`.

    Args:
        mask_value: The number v that fills the steps that do not count; compared exactly.

    Raises:
        ArgumentError: If `mask_value` is not a finite number.
        ShapeError: At `build`, if samples are not sequences of vectors.

    Example:
        >>> import numpy as np, minidl as dl
        >>> layer = dl.Masking().build((3, 2))
        >>> layer.compute_mask(np.array([[[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]]]))
        array([[ True,  True, False]])
    """

    def __init__(self, mask_value: float = 0.0) -> None:
        self.mask_value = number_within("Masking", "mask_value", mask_value, -math.inf)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) != 2:
            raise ShapeError(
                f"{self.where}: expected input of shape (N, T, D), T steps of D numbers, got "
                f"{batch_shape(input_shape)}. For sequences of indices use "
                "Embedding(..., padding_index=0)."
            )
        return input_shape

    def compute_mask(self, x: Array) -> Array | None:
        counts: Array = np.any(x != self.mask_value, axis=-1)  # (N, T, D) -> (N, T)
        return counts

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if training:
            self.save_for_backward()
        return x

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        self.saved()
        return dy if input_grad else None
