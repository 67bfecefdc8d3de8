"""Standardized features: preprocessing that is saved with the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError, DTypeError, ShapeError, StateError
from minidl.initializers import Zeros
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.layers.moments import mean_and_deviation
from minidl.layers.normalization import channels
from minidl.parameters import ParameterSpec
from minidl.sparse import dense_array
from minidl.typing import Array, Shape

SMALLEST = float(np.finfo(np.float32).tiny)  # below, a deviation would vanish in float32
STEPS = 16  # between neighbouring numbers that a deviation must be worth


class Standardize(Layer):
    r"""Bring each feature to mean 0 and standard deviation 1, $y = (x - m) / s$.

    `adapt(x)` measures m and s on the training data, once; training does not change them.
    Backward: $dx = dy / s$.

    As the first layer of a model it takes data as they were measured, and nobody has to remember
    how they were scaled: m and s are state, so they are copied and saved with the model. `adapt`
    works before `build` and after. Until then `forward` raises, because unscaled features would
    spoil training without a word; a model that gets its state otherwise, from a file or
    from another model, needs no `adapt`.

    A feature is a place on the last axis; m and s are taken over all rows and, for sequences and
    images, over all other axes. s is the biased standard deviation. A feature that is constant in
    the data has s = 1 and becomes 0.

    Shapes:
        x and y `(N, ..., C)`.

    Attributes:
        mean: m `(C,)`, state.
        std: s `(C,)`, state; zeros before `adapt`.

    Raises:
        StateError: At `forward`, before `adapt`.
        ShapeError: At `build`, if `adapt` saw another number of features.

    Example:
        >>> import numpy as np, minidl as dl
        >>> ages_and_incomes = np.array([[20, 30_000], [40, 50_000], [60, 70_000]])
        >>> layer = dl.Standardize().adapt(ages_and_incomes).build((2,))
        >>> layer(np.array([[40.0, 30_000.0]])).round(3)
        array([[ 0.   , -1.225]], dtype=float32)

    References:
        Y. LeCun, L. Bottou, G. Orr, K.-R. Müller, Efficient BackProp, 1998.
    """

    state_is_fixed = True
    mean: Array
    std: Array

    def adapt(self, x: ArrayLike) -> Self:
        """Measure mean and standard deviation of each feature, in float64 and block by block.

        Args:
            x: Data (N, ..., C) of real numbers, integers too; a memmap may be larger than memory.

        Raises:
            ShapeError: If `x` has other features than the model, or no axis of features.
            DTypeError: If `x` is not numeric.
            DataError: If `x` has no rows, or NaN or infinity (rows and columns named), or if
                float32 cannot tell a feature's values apart because they lie far from 0.
        """
        who = f"{self.where}: adapt"
        x = dense_array(x, f"{who}: x", "x")
        if x.dtype.kind not in "biuf":
            raise DTypeError(f"{who}: expected real numbers, got dtype {x.dtype}. Convert x first.")
        wanted = batch_shape(self.input_shape) if self.built else "(N, ..., C)"
        if x.ndim < 2 or (self.built and x.shape[-1] != self.mean.size):
            raise ShapeError(
                f"{who}: expected data of shape {wanted}, got {x.shape}. Features lie on the last "
                "axis; a single one is x[:, np.newaxis]."
            )
        if not x.size:
            raise DataError(f"{who}: expected at least one row, got shape {x.shape}.")
        mean, std = mean_and_deviation(x, f"{who}: x")
        if not np.isfinite(std).all():
            bad = np.flatnonzero(~np.isfinite(std))
            raise DataError(f"{who}: squares overflow in column {bad[0]}. Scale x down first.")
        constant = std < SMALLEST
        eps = np.finfo(self.dtype if self.built else np.float32).eps
        lost = ~constant & (std < STEPS * eps * np.abs(mean))
        if lost.any():
            j = int(lost.argmax())
            raise DataError(
                f"{who}: column {j} has mean {mean[j]:.6g} and deviation {std[j]:.3g}, too far "
                "from 0 for float32. Subtract an origin first, such as x.min(axis=0), or build the "
                "model with dtype=np.float64 and then adapt."
            )
        std[constant] = 1.0
        if self.built:
            self.mean, self.std = mean, std
        else:
            self._kept = {"mean": mean, "std": std}
        return self

    def output_shape(self, input_shape: Shape) -> Shape:
        c = channels(self, input_shape)
        if self._kept is not None and self._kept["mean"].size != c:
            raise ShapeError(
                f"{self.where}: expected {self._kept['mean'].size} features, as in the data that "
                f"it was adapted to, got {batch_shape(input_shape)}. Call adapt with such data."
            )
        return input_shape

    def state_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        shape = (channels(self, input_shape),)
        return [ParameterSpec("mean", shape, Zeros()), ParameterSpec("std", shape, Zeros())]

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        if not self.std.all():
            raise StateError(
                f"{self.where}: does not know mean and standard deviation of the features yet. "
                "Call adapt(x) on this layer with the training data first."
            )
        y = np.subtract(x, self.mean, out=out)
        y /= self.std
        if training:
            self.save_for_backward()
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        self.saved()
        return np.divide(dy, self.std, out=out) if input_grad else None
