"""Activations: one operator of ONNX each, or two."""

from __future__ import annotations

from collections.abc import Callable

from minidl.layers import ELU, GELU, LeakyReLU, LogSoftmax, PReLU, SiLU, Softmax
from minidl.layers.base import Layer
from minidl.onnx.export.graph import Graph, Value


def one_operator(kind: str) -> Callable[[Graph, Layer, Value], Value]:
    """The translation of a layer without options to an operator without options."""
    return lambda graph, layer, x: graph.op(kind, x)


def leaky_relu(graph: Graph, layer: LeakyReLU, x: Value) -> Value:
    """LeakyRelu, whose default slope is minidl's as well."""
    return graph.op("LeakyRelu", x, alpha=layer.negative_slope)


def elu(graph: Graph, layer: ELU, x: Value) -> Value:
    """Elu."""
    return graph.op("Elu", x, alpha=layer.alpha)


def gelu(graph: Graph, layer: GELU, x: Value) -> Value:
    """Gelu in either form."""
    return graph.op("Gelu", x, approximate="tanh" if layer.approximate else "none")


def silu(graph: Graph, layer: SiLU, x: Value) -> Value:
    """Sigmoid, and Mul by x; ONNX has no operator for both."""
    return graph.op("Mul", x, graph.op("Sigmoid", x))


def prelu(graph: Graph, layer: PReLU, x: Value) -> Value:
    """PRelu with a slope for each channel."""
    return graph.op("PRelu", x, graph.along_channels("slope", layer.slope, x))


def softmax(graph: Graph, layer: Softmax, x: Value) -> Value:
    """Softmax over channels."""
    return graph.op("Softmax", x, axis=x.channels)


def log_softmax(graph: Graph, layer: LogSoftmax, x: Value) -> Value:
    """LogSoftmax over channels."""
    return graph.op("LogSoftmax", x, axis=x.channels)
