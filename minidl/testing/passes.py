"""Single passes of a layer under test, after which the layer is as it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from minidl.errors import MinidlError
from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.typing import Array


class CheckError(MinidlError, AssertionError):
    """A layer failed a check; the message says which rule it broke and how to mend it."""


def forward(
    model: Layer, x: Array, training: bool, out: Array | None = None, mask: Array | None = None
) -> Array:
    """One pass from the model's present state and generators, which are put back."""
    with model.preserved():
        return np.array(calls.call_forward(model, x, training, out, mask))


def vjp(
    model: Layer,
    x: Array,
    dy: Array,
    *,
    y_out: Array | None = None,
    dx_out: Array | None = None,
    input_grad: bool = True,
    mask: Array | None = None,
) -> Array | None:
    """A training forward and backward; gradients are left in the model."""
    with model.preserved():
        calls.call_forward(model, x, True, y_out, mask)
        dx = calls.call_backward(model, dy, input_grad, dx_out)
        return None if dx is None else np.array(dx)


def all_gradients(model: Layer) -> Iterator[tuple[str, Array]]:
    """Every gradient of the model with its name, such as `0.dense.weight`."""
    for name, layer in [("", model), *model.named_layers()]:
        for key, gradient in layer.gradients.items():
            yield f"{name}.{key}".lstrip("."), gradient


def all_parameters(model: Layer) -> Iterator[tuple[str, Array]]:
    """Every parameter of the model, by the same names."""
    for name, layer in [("", model), *model.named_layers()]:
        for spec in layer.bound.plan.specs:
            yield f"{name}.{spec.name}".lstrip("."), layer._views[spec.name]
