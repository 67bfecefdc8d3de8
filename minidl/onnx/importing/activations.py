"""Functions of each number, and softmax."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minidl.errors import DataError
from minidl.layers import (
    ELU,
    GELU,
    SELU,
    Layer,
    LeakyReLU,
    LogSoftmax,
    PReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from minidl.onnx.importing.arranging import rearranged
from minidl.onnx.importing.dense import by_feature
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Value, with_layer

SELU_ALPHA, SELU_GAMMA = 1.6732632423543772, 1.0507009873554805


def _selu(options: Mapping[str, Any]) -> Layer:
    given = options.get("alpha", SELU_ALPHA), options.get("gamma", SELU_GAMMA)
    if not np.allclose(given, (SELU_ALPHA, SELU_GAMMA), rtol=1e-5):
        raise DataError(f"its constants {given} are not SELU's")
    return SELU()


def _silu(options: Mapping[str, Any]) -> Layer:
    if options.get("alpha", 1.0) != 1:
        raise DataError("it is a Swish of another slope than 1")
    return SiLU()


ACTIVATIONS: dict[str, Callable[[Mapping[str, Any]], Layer]] = {
    "Relu": lambda options: ReLU(),
    "LeakyRelu": lambda options: LeakyReLU(short(options.get("alpha", 0.01))),
    "Elu": lambda options: ELU(short(options.get("alpha", 1.0))),
    "Selu": _selu,
    "Sigmoid": lambda options: Sigmoid(),
    "Tanh": lambda options: Tanh(),
    "Softplus": lambda options: Softplus(),
    "Swish": _silu,
    "Gelu": lambda options: GELU(approximate=options.get("approximate", "none") == "tanh"),
}


def short(number: float) -> float:
    """The shortest decimal number that is the same in float32: 0.2 for 0.20000000298."""
    return float(str(np.float32(number)))


def activation(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """A function of each number."""
    return with_layer(first_signal(inputs), ACTIVATIONS[node.op](node.attributes))


def prelu(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`PRelu` with a slope for each channel, or one for all."""
    signal, slope = by_feature(first_signal(inputs), inputs[1])
    return with_layer(signal, PReLU(), {"slope": slope})


def softmax(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Softmax` and `LogSoftmax` over one axis."""
    signal = first_signal(inputs)
    axis = signal.axis(node.attributes.get("axis", -1 if graph.opset >= 13 else 1))
    if graph.opset < 13 and axis != len(signal.axes) - 1:
        raise DataError("before version 13 it takes all axes behind one together")
    signal = rearranged(signal, axis)
    return with_layer(signal, Softmax() if node.op == "Softmax" else LogSoftmax())
