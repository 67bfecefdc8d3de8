"""Recurrent layers of sequences in which every step counts: one operator each."""

from __future__ import annotations

import numpy as np

from minidl.containers.bidirectional import Bidirectional
from minidl.layers import GRU, LSTM, SimpleRNN
from minidl.layers.recurrent import Recurrent
from minidl.onnx.export.graph import Graph, Value
from minidl.onnx.export.masked_recurrent import masked_ways
from minidl.typing import Array

STEPS_FIRST = (1, 0, 2)  # (T, N, D), as the operators have sequences

# The operator of each kind, and for each of its gates which of minidl's blocks it is.
OPERATORS = {SimpleRNN: ("RNN", [0]), LSTM: ("LSTM", [0, 3, 1, 2]), GRU: ("GRU", [1, 0, 2])}


def recurrent(graph: Graph, layer: Recurrent, x: Value, mask: str | None) -> Value:
    """A layer that reads forwards."""
    return _ways(graph, [layer], x, mask)


def bidirectional(graph: Graph, layer: Bidirectional, x: Value, mask: str | None) -> Value:
    """A layer that reads forwards and one that reads backwards."""
    return _ways(graph, [layer.layer, layer.backward_layer], x, mask)


def _ways(graph: Graph, layers: list[Recurrent], x: Value, mask: str | None) -> Value:
    x = graph.in_order(x, STEPS_FIRST)
    if mask is not None:
        return masked_ways(graph, layers, x, mask)
    operator, blocks = next(
        found for kind, found in OPERATORS.items() if isinstance(layers[0], kind)
    )
    options = {"linear_before_reset": 1} if operator == "GRU" else {}
    steps, last = graph.outputs(
        operator,
        2,
        x,
        graph.constant("W", np.stack([_gates(each.weight, blocks) for each in layers])),
        graph.constant("R", np.stack([_gates(each.recurrent_weight, blocks) for each in layers])),
        graph.constant("B", np.stack([_biases(each, blocks) for each in layers])),
        hidden_size=layers[0].units,
        direction="bidirectional" if len(layers) == 2 else "forward",
        **options,
    )
    if layers[0].return_sequences:  # (T, ways, N, M)
        return _side_by_side(graph, steps, 1, len(layers), STEPS_FIRST)
    return _side_by_side(graph, last, 0, len(layers), (0, 1))  # (ways, N, M)


def _side_by_side(graph: Graph, y: str, axis: int, ways: int, order: tuple[int, ...]) -> Value:
    """The outputs of all ways, which have an axis of their own, next to each other on the last."""
    if ways == 1:
        return graph.op("Squeeze", y, graph.constant("axes", [axis]), order=order)
    perm = [*range(axis), axis + 1, axis, axis + 2]
    shape = graph.constant("shape", [0] * (axis + 1) + [-1])
    return graph.op("Reshape", graph.op("Transpose", y, perm=perm), shape, order=order)


def _gates(a: Array, blocks: list[int]) -> Array:
    """Weights (D, G M) or biases (G M,) as (G M, D) or (G M,), gates in the operator's order."""
    parts = np.split(a, len(blocks), axis=-1)
    return np.concatenate([parts[block] for block in blocks], axis=-1).T


def _biases(layer: Recurrent, blocks: list[int]) -> Array:
    """The biases of input and state (2 G M,); only a GRU has those of the state."""
    recurrent = layer.recurrent_bias if isinstance(layer, GRU) else np.zeros_like(layer.bias)
    return np.concatenate([_gates(layer.bias, blocks), _gates(recurrent, blocks)])
