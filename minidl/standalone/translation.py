"""From a built model to a program: containers opened, noise left out, batch norm folded."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import NoReturn

import numpy as np

from minidl import layers
from minidl.containers import Bidirectional, Parallel, Residual
from minidl.containers.nesting import leaves_of
from minidl.errors import ArgumentError, DataError, ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.standalone.leaves import ABSENT, RECURRENT, batch_norm_numbers, call_of
from minidl.standalone.program import Program, Step
from minidl.typing import Array, Shape

LINEAR = (layers.Dense, layers.Conv1D, layers.Conv2D)  # batch norm behind them can be folded


def program_of(model: Layer, who: str, functions: Collection[str]) -> Program:
    """Translate a built model for a target that knows these functions.

    Raises:
        ShapeError: If a length of the input is open.
        ArgumentError: If it has a layer that the target cannot compute; the message names it.
        DataError: If weights are not finite in float32.
    """
    shape = model.input_shape
    if None in shape:
        raise ShapeError(
            f"{who}: needs fixed lengths, but the model was built for {batch_shape(shape)}. Build "
            "a copy with a number of steps, such as build((20, 8)), and copy params and state."
        )
    for layer in model.walk():
        if type(layer) is layers.Masking or getattr(layer, "padding_index", None) is not None:
            raise ArgumentError(
                f"{who}: {layer.where} makes a mask, and files have none. Export a model for "
                "sequences of one length."
            )
    translation = Translation(who, functions)
    result = translation.chain([model], 0)
    return Program(shape, model.accepts_integers, translation.steps, result)


class Translation:
    """Steps, while they are being collected; methods return the number of their last value."""

    def __init__(self, who: str, functions: Collection[str]) -> None:
        self.who, self.functions = who, functions
        self.steps: list[Step] = []

    def chain(self, chain: Iterable[Layer], value: int) -> int:
        """Layers one after the other."""
        previous: Layer | None = None
        for layer in leaves_of(chain):
            if type(layer) in ABSENT:
                continue
            if type(layer) is layers.BatchNorm and type(previous) in LINEAR:
                self.steps[-1] = self._folded(self.steps[-1], layer)
            else:
                value = self._layer(layer, value)
            previous = layer
        return value

    def _layer(self, layer: Layer, value: int) -> int:
        kind = type(layer)
        if kind is Residual:
            return self._residual(layer, value)  # type: ignore[arg-type]
        if kind is Parallel:
            return self._parallel(layer, value)  # type: ignore[arg-type]
        if kind is Bidirectional:
            return self._bidirectional(layer, value)  # type: ignore[arg-type]
        if kind in RECURRENT:
            return self._recurrent(layer, value)
        function, arrays, numbers = call_of(layer) or self._refuse(layer)
        return self._add(layer, function, (value,), layer.bound.output_shape, arrays, numbers)

    def _residual(self, layer: Residual, value: int) -> int:
        body = self.chain([layer.body], value)
        around = value if layer.shortcut is None else self.chain([layer.shortcut], value)
        return self._add(layer, "add", (body, around), layer.bound.output_shape)

    def _parallel(self, layer: Parallel, value: int) -> int:
        outputs = [self.chain([branch], value) for branch in layer.branches]
        shape = layer.bound.output_shape
        if layer.merge == "concat":
            return self._add(layer, "join", tuple(outputs), shape)
        total, *rest = outputs
        for output in rest:
            total = self._add(layer, "add", (total, output), shape)
        return total

    def _recurrent(self, layer: Layer, value: int, reverse: bool = False) -> int:
        steps = (layer.input_shape[0], layer.units)  # type: ignore[attr-defined]
        names = [spec.name for spec in layer.bound.plan.specs]
        arrays = {name: getattr(layer, name) for name in names}
        if reverse:
            value = self._add(layer, "backwards", (value,), layer.input_shape)
        value = self._add(layer, RECURRENT[type(layer)], (value,), steps, arrays)  # type: ignore[index]
        if layer.return_sequences:  # type: ignore[attr-defined]
            return self._add(layer, "backwards", (value,), steps) if reverse else value
        return self._add(layer, "last_step", (value,), steps[1:])

    def _bidirectional(self, layer: Bidirectional, value: int) -> int:
        ahead = self._recurrent(layer.layer, value)
        back = self._recurrent(layer.backward_layer, value, reverse=True)
        return self._add(layer, "join", (ahead, back), layer.bound.output_shape)

    def _add(
        self,
        layer: Layer,
        function: str,
        inputs: tuple[int, ...],
        shape: Shape,
        arrays: dict[str, Array] | None = None,
        numbers: dict[str, object] | None = None,
    ) -> int:
        if function not in self.functions:
            self._refuse(layer)
        single = {name: self._float32(layer, name, a) for name, a in (arrays or {}).items()}
        kind = type(layer).__name__
        self.steps.append(Step(function, inputs, shape, kind, single, numbers or {}))
        return len(self.steps)

    def _folded(self, step: Step, layer: layers.BatchNorm) -> Step:
        """A dense layer or convolution that computes the batch norm behind it as well."""
        mean, scale, shift = batch_norm_numbers(layer)
        arrays = {
            "weight": self._float32(layer, "weight", step.arrays["weight"] * scale),
            "bias": self._float32(layer, "bias", (step.arrays["bias"] - mean) * scale + shift),
        }
        return replace(step, arrays=arrays, layer=f"{step.layer} and BatchNorm")

    def _float32(self, layer: Layer, name: str, values: Array) -> Array:
        with np.errstate(over="ignore"):
            single = np.ascontiguousarray(values, np.float32)
        if not np.isfinite(single).all():
            raise DataError(
                f"{self.who}: {layer.where} has numbers in {name} that are NaN or infinite in "
                "float32. Train the model anew, or mend them."
            )
        return single

    def _refuse(self, layer: Layer) -> NoReturn:
        raise ArgumentError(
            f"{self.who}: has no form for {layer.where}. Its documentation lists the layers that "
            "it can write; dl.export_onnx and model.save know more."
        )
