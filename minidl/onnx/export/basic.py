"""Dense, Embedding, Standardize, and layers that only change shapes or do nothing."""

from __future__ import annotations

import numpy as np

from minidl.errors import StateError
from minidl.layers import Dense, Embedding, Flatten, Reshape, Standardize
from minidl.layers.base import Layer
from minidl.onnx.export.graph import Graph, Value


def identity(graph: Graph, layer: Layer, x: Value) -> Value:
    """Layers that do nothing in inference."""
    return x


def dense(graph: Graph, layer: Dense, x: Value) -> Value:
    """Gemm for vectors with a bias, MatMul and Add for steps."""
    x = graph.channels_last(x)
    weight = graph.constant("weight", layer.weight)
    if not layer.use_bias:
        return graph.op("MatMul", x, weight)
    bias = graph.constant("bias", layer.bias)
    if len(x.order) == 2:
        return graph.op("Gemm", x, weight, bias)
    return graph.op("Add", graph.op("MatMul", x, weight), bias)


def embedding(graph: Graph, layer: Embedding, x: Value) -> Value:
    """Gather from weights in which the row for padding is zero."""
    weight = layer.weight.copy()
    if layer.padding_index is not None:
        weight[layer.padding_index] = 0.0
    order = (*x.order, len(x.order))
    return graph.op("Gather", Value(graph.constant("weight", weight), ()), x, order=order)


def standardize(graph: Graph, layer: Standardize, x: Value) -> Value:
    """Sub and Div."""
    if not layer.std.all():
        raise StateError(
            f"export_onnx: {layer.where}: does not know mean and standard deviation of the "
            "features yet. Call adapt(x) on this layer with the training data first."
        )
    centered = graph.op("Sub", x, graph.along_channels("mean", layer.mean, x))
    return graph.op("Div", centered, graph.along_channels("std", layer.std, x))


def flatten(graph: Graph, layer: Flatten, x: Value) -> Value:
    """Flatten, of the axes in minidl's order; vectors are flat already."""
    if len(x.order) == 2:
        return x
    return graph.op("Flatten", graph.natural(x), order=(0, 1))


def reshape(graph: Graph, layer: Reshape, x: Value) -> Value:
    """Reshape, where a 0 keeps the length of the batch."""
    lengths = np.array([0, *layer.target_shape])
    shape = graph.constant("shape", lengths)
    return graph.op("Reshape", graph.natural(x), shape, order=tuple(range(lengths.size)))
