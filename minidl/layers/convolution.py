"""What the convolution layers share: their arguments and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minidl.arguments import whole_number
from minidl.errors import ArgumentError, ShapeError
from minidl.initializers import Initializer
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape, check_parts
from minidl.layers.window_options import Padding, check_padding, lengths, plain, remembered
from minidl.layers.windows import Geometry
from minidl.parameters import ParameterSpec
from minidl.regularization import Constraint, Penalty
from minidl.typing import Array, Shape

Length = int | Sequence[int]


class Convolution(Layer):
    """A layer with a kernel that slides over its input; keeps and checks the arguments."""

    filters: int
    kernel_size: Length
    stride: Length
    padding: Padding
    dilation: Length
    groups: int
    use_bias: bool
    weight_initializer: Initializer
    bias_initializer: Initializer
    weight_penalty: Penalty | None
    weight_constraint: Constraint | None
    weight: Array
    bias: Array
    _axes = 2

    def _keep_windows(
        self,
        kernel_size: Length,
        stride: Length,
        padding: Padding,
        dilation: Length = 1,
        groups: int = 1,
    ) -> None:
        self.kernel_size, self.stride, self.padding = map(plain, (kernel_size, stride, padding))
        self.dilation, self.groups = map(plain, (dilation, groups))
        _geometry(*self._window_options())  # checks them

    def _window_options(self) -> tuple[Any, ...]:
        windows = self.kernel_size, self.stride, self.padding, self.dilation, self.groups
        return (type(self).__name__, self._axes, self.filters, *windows)

    @property
    def geometry(self) -> Geometry:
        """Where the windows lie by the options as they are now, numbers for each sliding axis."""
        return _known_geometry(*self._window_options())

    @property
    def ends_mask(self) -> bool:  # type: ignore[override]  # True also where padding makes as many
        """Whether windows lie more than a step apart."""
        return any(step > 1 for step in self.geometry.stride)

    def _check_channels(self, input_shape: Shape, axes: Sequence[str], fix: str) -> None:
        """Raise unless samples have these axes, and groups divide the channels."""
        fixed = input_shape[1:] if axes[0] == "T" else input_shape  # only T may be open
        if len(input_shape) != len(axes) or None in fixed:
            raise ShapeError(
                f"{self.where}: expected input of shape {batch_shape(tuple(axes))}, got "
                f"{batch_shape(input_shape)}. {fix}"
            )
        check_parts(self, input_shape, "groups", self.geometry.groups)

    def _check_images(self, input_shape: Shape) -> None:
        fix = "Add Reshape((height, width, channels)) before it."
        if len(input_shape) == 2 and None not in input_shape:
            images = (*input_shape, 1)
            fix = (
                f"Images need an axis for channels: add Reshape({images}) before it, or build with "
                f"{images} and give x[..., np.newaxis]."
            )
        self._check_channels(input_shape, ("H", "W", "C"), fix)

    def _specs(
        self, shape: Shape, fan_in: int, fan_out: int, unit_axis: int = -1
    ) -> Sequence[ParameterSpec]:
        start, start_b = self.weight_initializer, self.bias_initializer
        w = ParameterSpec(
            "weight",
            shape,
            start,
            fan_in=fan_in,
            fan_out=fan_out,
            penalty=self.weight_penalty,
            constraint=self.weight_constraint,
            unit_axis=unit_axis,
        )
        b = ParameterSpec(
            "bias", (self.filters,), start_b, fan_in=fan_in, fan_out=fan_out, decay=False
        )
        return [w, b] if self.use_bias else [w]


def _geometry(
    who: str,
    axes: int,
    filters: int,
    kernel_size: Length,
    stride: Length,
    padding: object,
    dilation: Length,
    groups: int,
) -> Geometry:
    at = Geometry(
        lengths(who, "kernel_size", kernel_size, axes),
        lengths(who, "stride", stride, axes),
        check_padding(who, padding, axes),
        lengths(who, "dilation", dilation, axes),
        whole_number(who, "groups", groups),
    )
    if filters % at.groups:
        raise ArgumentError(
            f"{who}: filters must be a multiple of groups={groups}, so that each group of "
            f"channels gets as many, got {filters}."
        )
    return at


_known_geometry = remembered(_geometry)
