"""Convolutions and pooling, which ONNX has with the channels behind the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.layers import (
    AveragePool2D,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    GlobalAveragePool2D,
    GlobalMaxPool2D,
    MaxPool1D,
    MaxPool2D,
    UpSampling2D,
)
from minidl.layers.base import Layer
from minidl.layers.window_options import lengths
from minidl.layers.windows import Geometry
from minidl.onnx.export.graph import Graph, Value
from minidl.onnx.export.open_lengths import padded


def convolution(graph: Graph, layer: Conv1D | Conv2D, x: Value) -> Value:
    """Conv, with the kernels (..., C / groups, F) as (F, C / groups, ...)."""
    at = layer.geometry
    kernels = np.moveaxis(layer.weight, (-1, -2), (0, 1))
    inputs = [graph.constant("weight", kernels)]
    if layer.use_bias:
        inputs.append(graph.constant("bias", layer.bias))
    return _slide(graph, "Conv", layer, at, x, 0.0, *inputs, dilations=at.dilation, group=at.groups)


def transposed_convolution(graph: Graph, layer: Conv2DTranspose, x: Value) -> Value:
    """ConvTranspose, with the kernels (KH, KW, F, C) as (C, F, KH, KW).

    Where the stride is larger than the kernel, "same" means more output than the windows reach.
    """
    at = layer.geometry
    pads = [at.pads(axis, layer.output_shape(layer.input_shape)[axis]) for axis in (0, 1)]
    more = [s - k if at.padding == "same" else 0 for k, s in zip(at.kernel, at.stride, strict=True)]
    kernels = layer.weight.transpose(3, 2, 0, 1)
    inputs: list[Value | str] = [graph.channels_first(x), graph.constant("weight", kernels)]
    if layer.use_bias:
        inputs.append(graph.constant("bias", layer.bias))
    return graph.op(
        "ConvTranspose",
        *inputs,
        kernel_shape=at.kernel,
        strides=at.stride,
        pads=_in_front_then_behind(pads),
        output_padding=[max(n, 0) for n in more],
    )


def max_pool(graph: Graph, layer: MaxPool1D | MaxPool2D, x: Value) -> Value:
    """MaxPool."""
    return _slide(graph, "MaxPool", layer, _windows(layer), x, -math.inf)


def average_pool(graph: Graph, layer: AveragePool2D, x: Value) -> Value:
    """AveragePool, a mean of the pixels inside the image."""
    return _slide(graph, "AveragePool", layer, _windows(layer), x, 0.0, count_include_pad=0)


def global_average_pool(graph: Graph, layer: GlobalAveragePool2D, x: Value) -> Value:
    """GlobalAveragePool, and the axes of length 1 that it leaves taken away."""
    return graph.op("Flatten", graph.op("GlobalAveragePool", graph.channels_first(x)), order=(0, 1))


def global_max_pool(graph: Graph, layer: GlobalMaxPool2D, x: Value) -> Value:
    """GlobalMaxPool, and the axes of length 1 that it leaves taken away."""
    return graph.op("Flatten", graph.op("GlobalMaxPool", graph.channels_first(x)), order=(0, 1))


def up_sampling(graph: Graph, layer: UpSampling2D, x: Value) -> Value:
    """Resize to the nearest pixel, the one above and to the left."""
    size = lengths("UpSampling2D", "size", layer.size, 2)
    scales = graph.constant("scales", [1, 1, *size], np.float32)
    return graph.op(
        "Resize",
        graph.channels_first(x),
        "",
        scales,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _windows(layer: MaxPool1D | MaxPool2D | AveragePool2D) -> Geometry:
    pooling = layer._pooling
    return Geometry(pooling.size, pooling.stride, pooling.padding, (1,) * len(pooling.size), 1)


def _slide(
    graph: Graph,
    operator: str,
    layer: Layer,
    at: Geometry,
    x: Value,
    outside: float,
    *inputs: str,
    **options: Any,
) -> Value:
    """An operator with windows; `outside` is what it takes the padding to be."""
    x, axes = graph.channels_first(x), layer.input_shape[:-1]
    if None not in axes or at.padding != "same" or at.stride == (1,):  # as any length has it
        pads = [at.pads(axis, length or 1) for axis, length in enumerate(axes)]
        options["pads"] = _in_front_then_behind(pads)
    elif at.dilation == (1,) and at.stride <= at.kernel:
        options["auto_pad"] = "SAME_UPPER"
    else:
        x = padded(graph, x, at, outside)
    return graph.op(operator, x, *inputs, kernel_shape=at.kernel, strides=at.stride, **options)


def _in_front_then_behind(pads: Sequence[tuple[int, int]]) -> list[int]:
    return [*(before for before, _ in pads), *(behind for _, behind in pads)]
