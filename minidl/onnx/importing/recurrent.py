"""Recurrent layers, and the encoding of positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minidl.containers import Bidirectional
from minidl.errors import DataError
from minidl.layers import GRU, LSTM, PositionalEncoding, SimpleRNN
from minidl.layers.recurrent import Recurrent
from minidl.onnx.importing.arranging import rearranged
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import BATCH, axes_of, is_run
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Value, check_values, is_zero, with_layer
from minidl.typing import Array

KINDS: dict[str, type[Recurrent]] = {"LSTM": LSTM, "GRU": GRU, "RNN": SimpleRNN}
# ONNX has the gates of LSTM in the order i, o, f, c and those of GRU in the order z, r, h.
GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
USUAL = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}


def recurrent(node: Node, inputs: Sequence[Value | None], graph: Graph) -> tuple[Signal, Signal]:
    """`LSTM`, `GRU` and `RNN`: all steps, and the last."""
    signal = first_signal(inputs)
    given = [*inputs[1:], *[None] * (8 - len(inputs))]
    w, r, b, lengths, rest = (*given[:4], given[4:])
    _check(node, lengths, rest)
    both = node.attributes.get("direction", "forward") == "bidirectional"
    batch = 0 if node.attributes.get("layout") else 1
    if len(signal.axes) != 3 or signal.axes[batch] != BATCH:
        raise DataError("expected input (T, N, D), or (N, T, D) with layout=1")
    signal = rearranged(signal, 2, outer=[1 - batch])
    if not is_run(signal.axes[2]):
        raise DataError("its features are in another order than minidl's")
    parameters = [_parameters(node.op, w, r, b, k) for k in range(1 + both)]
    units = len(parameters[0]["recurrent_weight"])
    steps, last = (
        _read(signal, KINDS[node.op](units, return_sequences=sequences), parameters)
        for sequences in (True, False)
    )
    time, *halves = axes_of((*steps.shape[:-1], 1 + both, units))
    all_axes = [BATCH, time, *halves] if batch == 0 else [time, halves[0], BATCH, halves[1]]
    last_axes = [BATCH, *halves] if batch == 0 else [halves[0], BATCH, halves[1]]
    return replace(steps, axes=tuple(all_axes)), replace(last, axes=tuple(last_axes))


def _check(node: Node, lengths: Value | None, rest: Sequence[Value | None]) -> None:
    options, usual = node.attributes, USUAL[node.op]
    direction = options.get("direction", "forward")
    starts = [each for each in rest if each is not None]
    if direction not in ("forward", "bidirectional"):
        raise DataError(f"it reads in the direction {direction!r}, which only Bidirectional does")
    if lengths is not None or options.get("clip") or options.get("input_forget"):
        raise DataError("minidl's recurrent layers have no sequence_lens, clip and input_forget")
    if not all(is_zero(each) for each in starts):
        raise DataError("it starts from a state other than 0, or has peepholes")
    given = tuple(options.get("activations", usual))
    if given not in (usual, usual * 2):
        raise DataError(f"expected the functions {usual}, got {given}")
    if node.op == "GRU" and not options.get("linear_before_reset"):
        raise DataError(
            "its reset gate acts before the product (linear_before_reset=0); minidl's GRU computes "
            "the other form, that of PyTorch and of Keras with reset_after=True"
        )


def _parameters(
    op: str, w: Value | None, r: Value | None, b: Value | None, direction: int
) -> dict[str, Array]:
    """The values of minidl's layer for one direction: gates in its order, columns for rows."""
    gates = GATES[op]
    arrays = [each for each in (w, r) if isinstance(each, np.ndarray) and each.ndim == 3]
    if len(arrays) != 2 or len({each.shape[:2] for each in arrays}) != 1:
        raise DataError("its weights are not in the file, or do not belong together")
    m = arrays[1].shape[2]
    if arrays[0].shape[1] != len(gates) * m or not direction < len(arrays[0]):
        raise DataError(f"its weights of shape {arrays[0].shape} are not those of {m} units")
    if b is not None and (not isinstance(b, np.ndarray) or b.shape[1:] != (2 * len(gates) * m,)):
        raise DataError("its biases do not fit its weights")

    def ordered(blocks: Array) -> Array:
        return np.concatenate([blocks[g * m : (g + 1) * m] for g in gates])

    bias = np.zeros(2 * len(gates) * m) if b is None else b[direction]
    inside, again = map(ordered, np.split(bias, 2))
    values = {
        "weight": ordered(arrays[0][direction]).T,
        "recurrent_weight": ordered(arrays[1][direction]).T,
        "bias": inside if op == "GRU" else inside + again,
    }
    return values | ({"recurrent_bias": again} if op == "GRU" else {})


def _read(signal: Signal, layer: Recurrent, parameters: Sequence[dict[str, Array]]) -> Signal:
    if len(parameters) == 1:
        return with_layer(signal, layer, parameters[0])
    pair = Bidirectional(layer)
    for child, values in zip(pair.children, parameters, strict=True):
        check_values(child, signal.shape, values)
        child._kept = values
    return with_layer(signal, pair)


def positional_encoding(signal: Signal, constant: Value | None) -> Signal | None:
    """The layer that adds such a constant (T, D), if it is the usual encoding."""
    if not isinstance(constant, np.ndarray) or constant.ndim < 2 or len(signal.axes) != 3:
        return None
    lengths = signal.lengths[1:]
    if signal.axes[0] != BATCH or [*constant.shape[-2:]] != lengths or constant.ndim > 3:
        return None
    steps, d = constant.shape[-2:]
    layer = PositionalEncoding().build((steps, d), dtype=np.float64)
    if not np.allclose(layer.predict(np.zeros((1, steps, d))), constant, atol=1e-5):
        return None
    return with_layer(rearranged(signal, 2), PositionalEncoding())
