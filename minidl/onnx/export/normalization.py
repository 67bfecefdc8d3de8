"""Layers that normalize."""

from __future__ import annotations

import numpy as np

from minidl.layers import BatchNorm, GroupNorm, LayerNorm, RMSNorm
from minidl.onnx.export.graph import Graph, Value


def batch_norm(graph: Graph, layer: BatchNorm, x: Value) -> Value:
    """BatchNormalization with the running values."""
    return graph.op(
        "BatchNormalization",
        graph.channels_first(x),
        graph.constant("gamma", layer.gamma),
        graph.constant("beta", layer.beta),
        graph.constant("running_mean", layer.running_mean),
        graph.constant("running_variance", layer.running_variance),
        epsilon=layer.epsilon,
    )


def layer_norm(graph: Graph, layer: LayerNorm, x: Value) -> Value:
    """LayerNormalization over the last axis."""
    return graph.op(
        "LayerNormalization",
        graph.channels_last(x),
        graph.constant("gamma", layer.gamma),
        graph.constant("beta", layer.beta),
        axis=-1,
        epsilon=layer.epsilon,
    )


def rms_norm(graph: Graph, layer: RMSNorm, x: Value) -> Value:
    """The formula, as the operator for it is newer than most runtimes."""
    axes = graph.constant("axes", np.array([x.channels]))
    mean = graph.op("ReduceMean", graph.op("Mul", x, x), axes, keepdims=1)
    root = graph.op("Sqrt", graph.op("Add", mean, graph.constant("epsilon", layer.epsilon)))
    return graph.op("Mul", graph.op("Div", x, root), graph.along_channels("gamma", layer.gamma, x))


def group_norm(graph: Graph, layer: GroupNorm, x: Value) -> Value:
    """InstanceNormalization with a group's channels and pixels on one axis.

    ONNX has an operator for groups, but with one gamma for each group until lately.
    """
    x = graph.channels_first(x)
    *axes, c = layer.input_shape
    shape = np.array([0, c, *(-1 if length is None else length for length in axes)])
    groups = graph.op(
        "Reshape", x, graph.constant("groups", np.array([0, layer.groups, -1])), order=x.order
    )
    z = graph.op(
        "InstanceNormalization",
        groups,
        graph.constant("ones", np.ones(layer.groups)),
        graph.constant("zeros", np.zeros(layer.groups)),
        epsilon=layer.epsilon,
    )
    z = graph.op("Reshape", z, graph.constant("shape", shape))
    z = graph.op("Mul", z, graph.along_channels("gamma", layer.gamma, x))
    return graph.op("Add", z, graph.along_channels("beta", layer.beta, x))
