"""An ONNX graph as it grows, operator by operator."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from minidl.errors import DTypeError
from minidl.layers.base import Layer
from minidl.typing import Array

FLOAT32_ONLY = {  # operators that onnxruntime 1.32 does not compute in float64 on a CPU
    *("AveragePool", "Conv", "ConvTranspose", "Elu", "GRU", "Gelu", "GlobalAveragePool"),
    *("GlobalMaxPool", "InstanceNormalization", "LSTM", "LeakyRelu", "PRelu", "RNN", "Resize"),
    *("Selu", "Softplus"),
}


@dataclass(frozen=True)
class Value:
    """A tensor of the graph.

    Attributes:
        name: Its name.
        order: For each axis of the tensor, the axis of minidl's array that lies there. An image
            (N, H, W, C) with its channels first, (N, C, H, W), has (0, 3, 1, 2).
    """

    name: str
    order: tuple[int, ...]

    @property
    def channels(self) -> int:
        """The axis of the tensor that is the last of minidl's array."""
        return self.order.index(len(self.order) - 1)


class Graph:
    """Nodes and constants, each with a name that begins with its layer's: `0.dense.weight`.

    Where images or sequences come from a layer whose operator has axes in another order than
    minidl, they stay so until a layer needs them otherwise: a translation either takes its input
    as it lies, as for all that works element by element, or asks for an order.

    Args:
        model: The built model that the graph is to compute.

    Attributes:
        dtype: Of the model's numbers.
        nodes: The operators so far.
        constants: The arrays so far.
        masks: What layers say of the steps of their inputs, computed once for each.
    """

    def __init__(self, model: Layer) -> None:
        self.dtype = model.dtype
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.masks: dict[tuple[Layer, Value], Value] = {}
        self._layer_names = {id(layer): f"{name}." for name, layer in model.named_layers()}
        self._layer = model
        self._prefix = ""
        self._used = {"input", "output"}
        self._orders: dict[str, dict[tuple[int, ...], Value]] = {}

    @contextlib.contextmanager
    def inside(self, layer: Layer) -> Iterator[None]:
        """Let names begin with this layer's."""
        outer = self._layer, self._prefix
        self._layer, self._prefix = layer, self._layer_names.get(id(layer), "")
        try:
            yield
        finally:
            self._layer, self._prefix = outer

    def inner(self) -> Graph:
        """A graph inside this one, with nodes of its own and the same names and constants."""
        inner = copy.copy(self)
        inner.nodes = []
        return inner

    def name(self, word: str) -> str:
        """A name that nothing else has, in the layer at hand."""
        name, number = f"{self._prefix}{word}", 1
        while name in self._used:
            number += 1
            name = f"{self._prefix}{word}_{number}"
        self._used.add(name)
        return name

    def constant(self, word: str, values: Any, dtype: DTypeLike | None = None) -> str:
        """Add an array to the graph; floating numbers take the model's dtype by default."""
        from onnx import numpy_helper

        if dtype is None and np.asarray(values).dtype.kind == "f":
            dtype = self.dtype
        name = self.name(word)
        array = np.array(values, dtype, order="C")
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def op(
        self,
        kind: str,
        *inputs: Value | str,
        order: tuple[int, ...] | None = None,
        **attributes: Any,
    ) -> Value:
        """Add an operator and return its output.

        Args:
            kind: The operator's name.
            *inputs: Values, and names of constants.
            order: Of the output's axes; by default that of the first input.
            **attributes: The operator's attributes.
        """
        (name,) = self.outputs(kind, 1, *inputs, **attributes)
        if order is None:
            order = inputs[0].order if isinstance(inputs[0], Value) else ()
        return Value(name, order)

    def outputs(self, kind: str, count: int, *inputs: Value | str, **attributes: Any) -> list[str]:
        """Add an operator with several outputs; return their names."""
        from onnx import helper

        if self.dtype == np.float64 and kind in FLOAT32_ONLY:
            raise DTypeError(
                f"export_onnx: {self._layer.where}: onnxruntime has {kind} for float32 alone, and "
                "the model is of float64. Export a copy in float32: "
                "model.detached_copy().build(model.input_shape)."
            )
        given = [each.name if isinstance(each, Value) else each for each in inputs]
        names = [self.name(kind.lower()) for _ in range(count)]
        self.nodes.append(helper.make_node(kind, given, names, name=names[0], **attributes))
        return names

    def in_order(self, x: Value, order: tuple[int, ...]) -> Value:
        """The same tensor with its axes in this order; what is known so already is taken."""
        known = self._orders.setdefault(x.name, {x.order: x})
        if order not in known:
            perm = [x.order.index(axis) for axis in order]
            known[order] = self.op("Transpose", x, perm=perm, order=order)
            self._orders[known[order].name] = known
        return known[order]

    def natural(self, x: Value) -> Value:
        """The tensor as minidl has it."""
        return self.in_order(x, tuple(range(len(x.order))))

    def channels_first(self, x: Value) -> Value:
        """The tensor with its last axis behind the batch, as convolutions of ONNX take it."""
        last = len(x.order) - 1
        return self.in_order(x, (0, last, *range(1, last)) if last else (0,))

    def channels_last(self, x: Value) -> Value:
        """The tensor with its last axis where it is in minidl; the others may lie as they do."""
        return x if x.channels == len(x.order) - 1 else self.natural(x)

    def along_channels(self, word: str, values: Array, x: Value) -> str:
        """A constant (C,) in the shape in which it meets the channels of `x`."""
        behind = len(x.order) - 1 - x.channels
        return self.constant(word, values.reshape(-1, *[1] * behind))

    def rename(self, old: str, new: str) -> None:
        """Give a tensor another name."""
        for node in self.nodes:
            for names in (node.input, node.output):
                names[:] = [new if name == old else name for name in names]
