"""Layers of sequences that are not recurrent: attention, positions, the mean over steps."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np

from minidl.layers import GlobalAveragePool1D, MultiHeadSelfAttention, PositionalEncoding
from minidl.layers.positional_encoding import LONGEST
from minidl.onnx.export.graph import Graph, Value


def positional_encoding(graph: Graph, layer: PositionalEncoding, x: Value) -> Value:
    """Waves added, as a constant where the number of steps is known.

    Elsewhere they are computed, in float64: sin(1000) from a float32 has three digits less.
    """
    x = graph.natural(x)
    steps, d = layer.input_shape
    columns = np.arange(d)
    speeds = LONGEST ** (-(columns - columns % 2) / d)
    phases = (columns % 2) * (math.pi / 2)  # a cosine is a sine that is ahead
    if steps is not None:
        waves = np.sin(np.arange(steps)[:, np.newaxis] * speeds + phases)
        return graph.op("Add", x, graph.constant("waves", waves))
    times = graph.op("Cast", _steps(graph, x, None), to=_float64())
    column = graph.op("Unsqueeze", times, graph.constant("axes", [1]))
    angles = graph.op("Mul", column, graph.constant("speeds", speeds, np.float64))
    angles = graph.op("Add", angles, graph.constant("phases", phases, np.float64))
    return graph.op("Add", x, graph.op("CastLike", graph.op("Sin", angles), x))


def attention(graph: Graph, layer: MultiHeadSelfAttention, x: Value, mask: str | None) -> Value:
    """The formula: products, a softmax of scores, and the mask before it and behind it."""
    x = graph.natural(x)
    steps, d = layer.input_shape
    product = graph.op("MatMul", x, graph.constant("weight", layer.weight))
    qkv = graph.op("Add", product, graph.constant("bias", layer.bias))
    shape = graph.constant("heads", [0, 0, layer.heads, d // layer.heads])

    def heads(part: str, *perm: int) -> Value:  # (N, T, D) to (N, T, H, d), and turned
        return graph.op("Transpose", graph.op("Reshape", part, shape), perm=perm)

    q, k, v = graph.outputs("Split", 3, qkv, axis=-1, num_outputs=3)
    scores = graph.op("MatMul", heads(q, 0, 2, 1, 3), heads(k, 0, 2, 3, 1))  # (N, H, T, T)
    scores = graph.op("Div", scores, graph.constant("scale", math.sqrt(d // layer.heads)))
    visible = _visible(graph, _steps(graph, x, steps) if layer.causal else None, mask)
    if visible is not None:
        lowest = graph.constant("lowest", float(np.finfo(graph.dtype).min))
        scores = graph.op("Where", visible, scores, lowest)
    weights = graph.op("Softmax", scores, axis=-1)
    if visible is not None:  # a query that may attend to nothing has got equal weights
        weights = graph.op("Where", visible, weights, graph.constant("nothing", 0.0))
    context = graph.op("MatMul", weights, heads(v, 0, 2, 1, 3))  # (N, H, T, d)
    joined = graph.constant("joined", [0, 0, d])
    context = graph.op("Reshape", graph.op("Transpose", context, perm=[0, 2, 1, 3]), joined)
    output_weight = graph.constant("output_weight", layer.output_weight)
    product = graph.op("MatMul", context, output_weight, order=x.order)
    return graph.op("Add", product, graph.constant("output_bias", layer.output_bias))


def global_average_pool(
    graph: Graph, layer: GlobalAveragePool1D, x: Value, mask: str | None
) -> Value:
    """ReduceMean, or with a mask the sum of what counts by how much that is."""
    if mask is None:
        axes = graph.constant("axes", [x.order.index(1)])
        return graph.op("ReduceMean", x, axes, keepdims=0, order=(0, 1))
    x, steps = graph.natural(x), graph.constant("axes", [1])
    counts = graph.op("Unsqueeze", mask, graph.constant("axes", [2]))
    counted = graph.op("CastLike", counts, x)  # (N, T, 1)
    total = graph.op("ReduceSum", graph.op("Mul", x, counted), steps, keepdims=0, order=(0, 1))
    count = graph.op("ReduceSum", counted, steps, keepdims=0)
    return graph.op("Div", total, graph.op("Max", count, graph.constant("one", 1.0)))


def _steps(graph: Graph, x: Value, steps: int | None) -> Value:
    """0, 1, ... up to the number of steps of x (N, T, D)."""
    if steps is not None:
        return Value(graph.constant("steps", np.arange(steps)), (0,))
    count = graph.op("Squeeze", graph.op("Shape", x, start=1, end=2))
    first, step = graph.constant("first", np.array(0)), graph.constant("step", np.array(1))
    return graph.op("Range", first, count, step, order=(0,))


def _visible(graph: Graph, steps: Value | None, mask: str | None) -> Value | None:
    """Which keys a query may attend to, in the form (N, H, T, T) or one that broadcasts to it."""
    parts = []
    if mask is not None:
        parts.append(graph.op("Unsqueeze", mask, graph.constant("axes", [1, 2])))  # (N, 1, 1, T)
    if steps is not None:
        queries = graph.op("Unsqueeze", steps, graph.constant("axes", [1]))
        parts.append(graph.op("GreaterOrEqual", queries, steps))  # (T queries, T keys)
    return reduce(lambda a, b: graph.op("And", a, b), parts) if parts else None


def _float64() -> int:
    from onnx import TensorProto

    return int(TensorProto.DOUBLE)
