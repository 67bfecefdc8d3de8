"""Group normalization."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minidl.arguments import number_within, whole_number
from minidl.layers.base import Layer
from minidl.layers.checks import check_parts
from minidl.layers.normalization import (
    centered,
    channel_gradients,
    channels,
    inverse_deviation,
    normalization_gradient,
    scale_and_shift,
)
from minidl.parameters import ParameterSpec
from minidl.typing import Array, Shape


class GroupNorm(Layer):
    r"""Group normalization, $y = \gamma z + \beta$ with $z = (x - m) / \sqrt{v + \epsilon}$.

    The channels are split into groups of neighbours; m and v are mean and variance of a sample's
    group, over its channels and all axes between batch and channels. gamma and beta are one for
    each channel. With $g = \gamma\, dy$ and means over the same elements,

    $$d\gamma = \sum dy\, z, \qquad d\beta = \sum dy, \qquad
    dx = \frac{g - \overline{g} - z\, \overline{g z}}{\sqrt{v + \epsilon}}.$$

    It replaces `BatchNorm` in convolutional networks where batches are small, since rows do not
    depend on each other. One group takes all channels together; as many groups as channels is
    instance normalization. In sequences of different lengths padded steps count as the others.

    Shapes:
        x and y `(N, ..., C)`.

    Args:
        groups: Number of groups; must divide C.
        epsilon: Added to the variance, so that none is too small to divide by.

    Attributes:
        gamma: Scale `(C,)`.
        beta: Shift `(C,)`.

    Raises:
        ArgumentError: If `groups` or `epsilon` is out of range.
        ShapeError: At `build`, if `groups` does not divide the number of channels.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.GroupNorm(2).build((4,))(np.array([[1.0, 3.0, 70.0, 50.0]])).round(3)
        array([[-1.,  1.,  1., -1.]], dtype=float32)

    References:
        Y. Wu, K. He, Group normalization, ECCV 2018.
    """

    gamma: Array
    beta: Array

    def __init__(self, groups: int, epsilon: float = 1e-5) -> None:
        self.groups = whole_number("GroupNorm", "groups", groups)
        self.epsilon = number_within("GroupNorm", "epsilon", epsilon, 1e-30)

    def output_shape(self, input_shape: Shape) -> Shape:
        channels(self, input_shape)  # raises unless there are some
        check_parts(self, input_shape, "groups", self.groups)
        return input_shape

    def parameter_specs(self, input_shape: Shape) -> Sequence[ParameterSpec]:
        return scale_and_shift(channels(self, input_shape))

    def forward(self, x: Array, *, training: bool = False, out: Array | None = None) -> Array:
        axes = self._axes(x)
        z, _ = centered(self._in_groups(x), axes)
        inverse, _ = inverse_deviation(z, axes, self.epsilon)
        z *= inverse
        y = np.multiply(z.reshape(x.shape), self.gamma, out=out)
        y += self.beta
        if training:
            self.save_for_backward(z, inverse)
        return y

    def backward(
        self, dy: Array, *, input_grad: bool = True, out: Array | None = None
    ) -> Array | None:
        z, inverse = self.saved()
        gradients = channel_gradients(dy, z.reshape(dy.shape))
        self.gradients["gamma"], self.gradients["beta"] = gradients
        if not input_grad:
            return None
        dx: Array = np.multiply(dy, self.gamma, out=out)
        normalization_gradient(self._in_groups(dx), z, inverse, self._axes(dx))
        return dx

    def _in_groups(self, a: Array) -> Array:
        """View (N, ..., C) as (N, ..., groups, C / groups)."""
        return a.reshape(*a.shape[:-1], self.groups, -1)

    def _axes(self, a: Array) -> tuple[int, ...]:
        """The axes of a group in that view: all but the rows and the groups."""
        return (*range(1, a.ndim - 1), a.ndim)
