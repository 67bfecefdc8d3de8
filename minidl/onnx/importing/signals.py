"""Arrays that depend on the model's input, and the layers that make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from minidl.errors import DataError
from minidl.layers import Layer
from minidl.onnx.importing.layout import (
    Axis,
    Length,
    length_of,
)
from minidl.typing import Array, Shape


@dataclass(eq=False)
class Step:
    """One layer at its place in the graph, or a place where branches meet, or the input.

    Attributes:
        layer: The layer; None for the input and for a meeting place.
        inputs: What it takes.
        merge: How branches become one: "add" or "concat".
        values: The layer's parameters and state, by name.
        node: The node it was made from, for messages.
    """

    layer: Layer | None
    inputs: tuple[Step, ...] = ()
    merge: str = ""
    values: Mapping[str, Array] = field(default_factory=dict)
    node: str = ""


@dataclass(frozen=True)
class Signal:
    """An ONNX tensor as minidl has it: samples of a shape in C order, and where its axes lie.

    Attributes:
        padding: Zeros around an axis, before and behind it, for the convolution that follows.
    """

    step: Step
    shape: Shape
    axes: tuple[Axis, ...]
    padding: Mapping[Axis, tuple[int, int]] = field(default_factory=dict)

    @property
    def lengths(self) -> list[Length]:
        """Lengths of the ONNX axes."""
        return [length_of(axis) for axis in self.axes]

    def axis(self, index: int) -> int:
        """An axis counted from the front."""
        if not -len(self.axes) <= index < len(self.axes):
            raise DataError(f"it names axis {index} of {len(self.axes)}")
        return index % len(self.axes)


@dataclass(frozen=True)
class Filled:
    """An array of any shape that holds one number, such as the zeros a recurrent layer starts at.

    Shapes in files can claim any size: none of this kind is ever allocated.
    """

    value: float


Value = Signal | Array | Filled


def is_zero(value: Value) -> bool:
    """Whether a value is a constant of zeros, or of False."""
    if isinstance(value, Filled):
        return value.value == 0
    return isinstance(value, np.ndarray) and value.dtype.kind in "bfiu" and not value.any()


def with_layer(
    signal: Signal,
    layer: Layer,
    values: Mapping[str, Array] | None = None,
    axes: Sequence[Axis] | None = None,
) -> Signal:
    """What a layer makes of a signal, with the axes as they were if none are given."""
    shape = layer.output_shape(signal.shape)
    check_values(layer, signal.shape, values or {})
    step = Step(layer, (signal.step,), values=values or {})
    return Signal(step, shape, signal.axes if axes is None else tuple(axes))


def check_values(layer: Layer, shape: Shape, values: Mapping[str, Array]) -> None:
    """Raise unless a layer needs such values, before memory of their shapes is asked for."""
    specs = [*layer.parameter_specs(shape), *layer.state_specs(shape)]
    needed = {spec.name: spec.shape for spec in specs}
    given = {name: value.shape for name, value in values.items()}
    if given != needed:
        raise DataError(f"its tensors have the shapes {given} where {layer!r} needs {needed}")
