"""Pooling of windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from minidl.errors import DataError
from minidl.layers import AveragePool2D, MaxPool1D, MaxPool2D, Reshape
from minidl.layers.windows import pad_widths
from minidl.onnx.importing.arranging import placed
from minidl.onnx.importing.geometry import Windows, channels_last, plain, windowed, windows_of
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Value, with_layer


def pool(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`MaxPool` and `AveragePool`."""
    given, options = first_signal(inputs), node.attributes
    at = windows_of(node, given, options.get("kernel_shape", []))
    signal = channels_last(given, at.axes)
    if set(at.dilation) != {1} or options.get("storage_order"):
        raise DataError("minidl's pooling has no dilation")
    padding = _padding(at, options.get("ceil_mode", 0))
    is_mean = node.op == "AveragePool"
    counts_zeros = at.pads == "same" or np.any(at.pads)
    if is_mean and options.get("count_include_pad") and counts_zeros:
        raise DataError("it counts padding in means; minidl's pooling counts pixels alone")
    if not is_mean:
        kind = MaxPool2D if len(at.axes) == 2 else MaxPool1D
        return windowed(signal, at.axes, kind(plain(at.kernel), plain(at.stride), padding=padding))
    if len(at.axes) == 2:
        layer = AveragePool2D(plain(at.kernel), plain(at.stride), padding=padding)
        return windowed(signal, at.axes, layer)
    t, c = signal.shape  # minidl takes means of images alone: of width 1
    signal = with_layer(signal, Reshape((-1 if t is None else t, 1, c)))
    layer = AveragePool2D((*at.kernel, 1), (*at.stride, 1), padding=padding)
    t, _, c = layer.output_shape(signal.shape)
    return with_layer(signal, layer, axes=placed(signal, [*at.axes, 1], (t, c)))


def _padding(at: Windows, ceil: int) -> Literal["valid", "same"]:
    """The word of minidl's pooling for the same windows."""
    if at.pads == "same":
        return "same"
    if not np.any(at.pads) and not ceil:
        return "valid"
    wanted, valid, same = [], [], []  # where the first window begins, and how many there are
    for n, k, s, (before, after) in zip(at.lengths, at.kernel, at.stride, at.pads, strict=True):
        if n is None and s > 1:
            raise DataError("minidl's pooling of an open number of steps has no such padding")
        n = k if n is None else n  # where windows lie a step apart their number does not matter
        rest = n + before + after - k
        wanted.append((before, (-(-rest // s) if ceil else rest // s) + 1))
        valid.append((0, (n - k) // s + 1))
        same.append((pad_widths("same", 0, n, k, s)[0], -(-n // s)))
    if wanted == valid:
        return "valid"
    if wanted != same:
        raise DataError(
            f"its padding {at.pads} is not that of minidl's pooling, which is none, or as much as "
            "makes the output input / stride long. Pad in a convolution before it, or change the "
            "size of its windows"
        )
    return "same"
