"""Self-attention, in the form that minidl's own export writes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minidl.errors import DataError
from minidl.layers import MultiHeadSelfAttention
from minidl.onnx.importing.arranging import rearranged
from minidl.onnx.importing.dense import matrix
from minidl.onnx.importing.folding import whole_numbers
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import is_run
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Value, with_layer


def attention(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """What `patterns` found to be attention; here its constants are checked."""
    signal = rearranged(first_signal(inputs), 2)
    arrays = [each if isinstance(each, np.ndarray) else np.zeros(0) for each in inputs[1:]]
    weight, bias, output_weight, output_bias, heads, scale, joined, *mask = arrays
    steps, d = signal.shape
    numbers = whole_numbers(heads)
    count = numbers[2] if len(numbers) == 4 else 1
    usual = [0, 0, count, d // max(count, 1)], [0, 0, d]
    is_usual = (numbers, whole_numbers(joined)) == usual and is_run(signal.axes[2])
    if not is_usual or not np.allclose(scale, math.sqrt(usual[0][3])):
        raise DataError("it is not the attention of minidl's MultiHeadSelfAttention")
    if mask and (not np.array_equal(mask[0], np.arange(steps or 0)) or np.any(mask[1] > -1e30)):
        raise DataError("its mask is not the causal one")
    layer = MultiHeadSelfAttention(count, causal=bool(mask))
    values = {"weight": matrix(weight, "weight"), "bias": bias}
    values |= {"output_weight": matrix(output_weight, "weight"), "output_bias": output_bias}
    return with_layer(signal, layer, values)
