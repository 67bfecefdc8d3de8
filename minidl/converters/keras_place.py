"""A Keras layer at its place in a model: its options, its arrays, and what of it minidl lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl import layers as kinds
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.regularization import L1, L1L2, L2, Penalty
from minidl.typing import Array, Shape

ACTIVATIONS: Mapping[str, type[Layer]] = {
    "elu": kinds.ELU,
    "gelu": kinds.GELU,
    "log_softmax": kinds.LogSoftmax,
    "relu": kinds.ReLU,
    "selu": kinds.SELU,
    "sigmoid": kinds.Sigmoid,
    "silu": kinds.SiLU,
    "softmax": kinds.Softmax,
    "softplus": kinds.Softplus,
    "swish": kinds.SiLU,
    "tanh": kinds.Tanh,
}


@dataclass(frozen=True)
class Copy:
    """What becomes of a Keras layer: layers one after the other, and the arrays that some get."""

    layers: list[Layer]
    arrays: list[tuple[Layer, dict[str, Array]]]


@dataclass(frozen=True)
class KerasPlace:
    """A layer of Keras, and the shape of the samples in front of it."""

    layer: Any
    shape: Shape

    @property
    def kind(self) -> str:
        """The name of its class."""
        return type(self.layer).__name__

    @property
    def where(self) -> str:
        """The layer as messages name it."""
        return f"from_keras: layer {self.layer.name!r} ({self.kind})"

    @property
    def options(self) -> dict[str, Any]:
        """The layer's options by name."""
        return dict(self.layer.get_config())

    @property
    def arrays(self) -> dict[str, Array]:
        """The layer's arrays by Keras's names."""
        values = zip(self.layer.weights, self.layer.get_weights(), strict=True)
        return {variable.name: np.asarray(value) for variable, value in values}

    def copied(self, layer: Layer, **names: str) -> Copy:
        """A layer whose arrays have these names in Keras, and the option `activation` behind it.

        Arrays that Keras's layer lacks, as a bias, keep their neutral values.
        """
        arrays = self.arrays
        if others := set(arrays) - set(names.values()):
            raise self.refusal(f"its arrays {sorted(others)} have no place in minidl's layer")
        own = {mine: arrays[theirs] for mine, theirs in names.items() if theirs in arrays}
        return Copy([layer, *self.activation()], [(layer, own)])

    def refusal(self, reason: str) -> ArgumentError:
        """The error for a layer that minidl cannot copy."""
        return ArgumentError(
            f"{self.where}: {reason}. Build the model in minidl, and assign the weights by hand."
        )

    def only(self, **expected: object) -> None:
        """Raise unless these options have the only values that minidl has."""
        options = self.options
        for name, value in expected.items():
            given = options.get(name, value)
            if given != value and given not in ([value], (value,), (value, value)):
                raise self.refusal(f"{name}={given!r} has no counterpart in minidl, only {value!r}")

    def last_axis(self) -> None:
        """Raise unless the layer's axis is the last one, as minidl has it."""
        axis, last = self.options["axis"], len(self.shape)
        if axis not in (-1, last, [-1], [last], (-1,), (last,)):
            raise self.refusal(f"axis={axis} is not the last one, as minidl has it")

    def penalty(self, *names: str) -> Penalty | None:
        """The penalty of the layer's weights; raise where there are others, or constraints."""
        options = self.options
        for name in options:
            if name.endswith(("_regularizer", "_constraint")) and name not in names:
                self.only(**{name: None})
        first, *others = [options[name] for name in names] or [None]
        if any(other != first for other in others):
            raise self.refusal(f"{' and '.join(names)} differ, and minidl has one for both")
        if first is None:
            return None
        given = first["config"]
        if first["class_name"] == "L2":
            return L2(float(given["l2"]))
        if first["class_name"] == "L1":
            return L1(float(given["l1"]))
        if first["class_name"] == "L1L2":
            return L1L2(float(given["l1"]), float(given["l2"]))
        raise self.refusal(f"{names[0]} {first['class_name']} has no counterpart in minidl")

    def activation(self) -> list[Layer]:
        """The layer of the option `activation`, or none."""
        name = self.options.get("activation", "linear")
        if name == "linear":
            return []
        if name == "leaky_relu":
            return [kinds.LeakyReLU(0.2)]  # which is Keras's default
        if not isinstance(name, str) or name not in ACTIVATIONS:
            shown = name if isinstance(name, str) else name.get("class_name", "of your own")
            raise self.refusal(f"activation {shown!r} has no counterpart in minidl")
        return [ACTIVATIONS[name]()]
