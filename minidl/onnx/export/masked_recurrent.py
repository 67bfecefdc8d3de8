"""Recurrent layers of sequences in which some steps do not count: a Scan over the steps.

ONNX's own recurrent operators take lengths of sequences, so that only steps at the end could be
left out. A mask of minidl may hide any step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minidl.layers import GRU, LSTM, SimpleRNN
from minidl.layers.recurrent import Recurrent
from minidl.onnx.export.graph import Graph, Value


def masked_ways(graph: Graph, layers: Sequence[Recurrent], x: Value, mask: str) -> Value:
    """The output of one layer, or of one that reads forwards and one that reads backwards.

    Args:
        graph: The graph.
        layers: The layers.
        x: Sequences (T, N, D).
        mask: Name of the mask (N, T).
    """
    by_steps = graph.op("Transpose", mask, perm=[1, 0])
    counts = graph.op("Unsqueeze", by_steps, graph.constant("axes", [2]))  # (T, N, 1)
    ways = [_scan(graph, layer, x, counts, way) for way, layer in enumerate(layers)]
    return ways[0] if len(ways) == 1 else graph.op("Concat", *ways, axis=-1)


def _scan(graph: Graph, layer: Recurrent, x: Value, counts: Value, way: int) -> Value:
    """One layer; with `way` 1 it reads backwards."""
    product = graph.op("MatMul", x, graph.constant("weight", layer.weight))
    sums = graph.op("Add", product, graph.constant("bias", layer.bias))  # (T, N, G M)
    units = graph.constant("units", [layer.units])
    shape = graph.op("Concat", graph.op("Shape", x, start=1, end=2), units, axis=0)
    zeros = graph.op("CastLike", graph.op("ConstantOfShape", shape), x)  # (N, M)
    results = graph.outputs(
        "Scan",
        layer.n_states + 1,
        *[zeros] * layer.n_states,
        sums,
        counts,
        body=_body(graph, layer),
        num_scan_inputs=2,
        scan_input_directions=[way, way],
        scan_output_directions=[way],
    )
    return Value(results[-1], x.order) if layer.return_sequences else Value(results[0], (0, 1))


def _body(graph: Graph, layer: Recurrent) -> Any:
    """A step as a graph: from states, sums and whether it counts to states, and h once more."""
    from onnx import helper

    elements = helper.np_dtype_to_tensor_dtype(graph.dtype)
    flag = helper.np_dtype_to_tensor_dtype(np.dtype(bool))
    body = graph.inner()
    old = [Value(body.name(f"{state}_before"), ()) for state in "hc"[: layer.n_states]]
    sums, counts = Value(body.name("sums"), ()), Value(body.name("counts"), ())
    new = next(step for kind, step in STEPS.items() if isinstance(layer, kind))
    states = [
        body.op("Where", counts, after, before)
        for after, before in zip(new(body, layer, sums, *old), old, strict=True)
    ]
    types = [*[elements] * (layer.n_states + 1), flag]
    return helper.make_graph(
        body.nodes,
        body.name("step"),
        [
            helper.make_tensor_value_info(each.name, kind, None)
            for each, kind in zip([*old, sums, counts], types, strict=True)
        ],
        [
            helper.make_tensor_value_info(each.name, elements, None)
            for each in [*states, body.op("Identity", states[0])]
        ],
    )


def _product(body: Graph, layer: Recurrent, h: Value) -> Value:
    return body.op("MatMul", h, body.constant("recurrent_weight", layer.recurrent_weight))


def _cut(body: Graph, gates: Value, count: int) -> list[Value]:
    """Cut the last axis into as many gates."""
    return [
        Value(each, ()) for each in body.outputs("Split", count, gates, axis=-1, num_outputs=count)
    ]


def _simple_rnn(body: Graph, layer: Recurrent, sums: Value, h: Value) -> list[Value]:
    return [body.op("Tanh", body.op("Add", sums, _product(body, layer, h)))]


def _lstm(body: Graph, layer: Recurrent, sums: Value, h: Value, c: Value) -> list[Value]:
    i, f, g, o = _cut(body, body.op("Add", sums, _product(body, layer, h)), 4)
    kept = body.op("Mul", body.op("Sigmoid", f), c)
    written = body.op("Mul", body.op("Sigmoid", i), body.op("Tanh", g))
    c = body.op("Add", kept, written)
    return [body.op("Mul", body.op("Sigmoid", o), body.op("Tanh", c)), c]


def _gru(body: Graph, layer: GRU, sums: Value, h: Value) -> list[Value]:
    bias = body.constant("recurrent_bias", layer.recurrent_bias)
    r, z, n = _cut(body, sums, 3)
    r_h, z_h, v = _cut(body, body.op("Add", _product(body, layer, h), bias), 3)
    r, z = (body.op("Sigmoid", body.op("Add", *pair)) for pair in ((r, r_h), (z, z_h)))
    n = body.op("Tanh", body.op("Add", n, body.op("Mul", r, v)))
    return [body.op("Add", n, body.op("Mul", z, body.op("Sub", h, n)))]


STEPS: dict[type[Recurrent], Callable[..., list[Value]]] = {
    SimpleRNN: _simple_rnn,
    LSTM: _lstm,
    GRU: _gru,
}
