"""What each layer without children computes: the function, its weights and its other arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from minidl import layers
from minidl.errors import StateError
from minidl.layers.base import Layer
from minidl.layers.convolution import Convolution
from minidl.layers.pooling import WindowPooling
from minidl.layers.windows import pad_widths
from minidl.typing import Array

Call: TypeAlias = tuple[str, dict[str, Array], dict[str, Any]]

ABSENT = (layers.Dropout, layers.GaussianNoise, layers.SpatialDropout2D)  # in inference


def call_of(layer: Layer) -> Call | None:
    """The function that computes this layer; None for a layer that cannot be written."""
    kind = type(layer)  # not isinstance: a subclass may compute something else
    if kind in PLAIN:
        return PLAIN[kind], {}, {}
    return CALLS[kind](layer) if kind in CALLS else None


def _bias(layer: Any, length: int) -> Array:
    bias: Array = layer.bias if layer.use_bias else np.zeros(length, layer.dtype)
    return bias


def _dense(layer: layers.Dense) -> Call:
    return "dense", {"weight": layer.weight, "bias": _bias(layer, layer.units)}, {}


def _convolution(layer: Convolution) -> Call:
    at = layer.geometry
    pads = tuple(at.pads(axis, layer.input_shape[axis]) for axis in range(len(at.kernel)))
    name = "conv2d"
    windows: dict[str, Any] = {"stride": at.stride, "padding": pads, "dilation": at.dilation}
    if len(at.kernel) == 1:
        name, windows = "conv1d", {key: value[0] for key, value in windows.items()}
    arrays = {"weight": layer.weight, "bias": _bias(layer, layer.filters)}
    return name, arrays, {**windows, "groups": at.groups}


def _pooling(name: str) -> Callable[[Any], Call]:
    def call(layer: WindowPooling) -> Call:
        at, lengths = layer._pooling, layer.input_shape[:-1]
        windows = zip(lengths, at.size, at.stride, strict=True)
        before = tuple(pad_widths(at.padding, 0, n, k, s)[0] for n, k, s in windows)
        count = layer.bound.output_shape[:-1]
        places = {"size": at.size, "stride": at.stride, "before": before, "count": count}
        if len(at.size) == 1:
            places = {key: value[0] for key, value in places.items()}
        return name, {}, places

    return call


def _global_pooling(name: str) -> Callable[[Layer], Call]:
    def call(layer: Layer) -> Call:
        return name, {}, {"axes": tuple(range(1, len(layer.input_shape)))}

    return call


def _standardize(layer: layers.Standardize) -> Call:
    if not layer.std.all():
        raise StateError(
            f"{layer.where}: does not know mean and standard deviation of the features yet. Call "
            "adapt(x) on this layer with the training data before the export."
        )
    scale, shift = 1.0 / layer.std.astype(np.float64), np.zeros_like(layer.mean)
    return "normalize", {"mean": layer.mean, "scale": scale, "shift": shift}, {}


def batch_norm_numbers(layer: layers.BatchNorm) -> tuple[Array, Array, Array]:
    """Mean, scale and shift of y = (x - mean) * scale + shift, in float64."""
    variance = layer.running_variance.astype(np.float64)
    scale = layer.gamma / np.sqrt(variance + layer.epsilon)
    return layer.running_mean.astype(np.float64), scale, layer.beta.astype(np.float64)


def _batch_norm(layer: layers.BatchNorm) -> Call:
    mean, scale, shift = batch_norm_numbers(layer)
    return "normalize", {"mean": mean, "scale": scale, "shift": shift}, {}


def _reshape(layer: Layer) -> Call:
    return "reshape", {}, {"shape": layer.bound.output_shape}


PLAIN: dict[type[Layer], str] = {
    layers.LogSoftmax: "log_softmax",
    layers.ReLU: "relu",
    layers.SELU: "selu",
    layers.SiLU: "silu",
    layers.Sigmoid: "sigmoid",
    layers.Softmax: "softmax",
    layers.Softplus: "softplus",
    layers.Tanh: "tanh",
}
CALLS: dict[type[Layer], Callable[[Any], Call]] = {
    layers.AveragePool2D: _pooling("average_pool2d"),
    layers.BatchNorm: _batch_norm,
    layers.Conv1D: _convolution,
    layers.Conv2D: _convolution,
    layers.Dense: _dense,
    layers.ELU: lambda layer: ("elu", {}, {"alpha": layer.alpha}),
    layers.Embedding: lambda layer: ("embedding", {"weight": layer.weight}, {}),
    layers.Flatten: _reshape,
    layers.GELU: lambda layer: ("gelu_tanh" if layer.approximate else "gelu", {}, {}),
    layers.GlobalAveragePool1D: _global_pooling("global_average_pool"),
    layers.GlobalAveragePool2D: _global_pooling("global_average_pool"),
    layers.GlobalMaxPool2D: _global_pooling("global_max_pool"),
    layers.LayerNorm: lambda layer: (
        "layer_norm",
        {"gamma": layer.gamma, "beta": layer.beta},
        {"epsilon": layer.epsilon},
    ),
    layers.LeakyReLU: lambda layer: ("leaky_relu", {}, {"slope": layer.negative_slope}),
    layers.MaxPool1D: _pooling("max_pool1d"),
    layers.MaxPool2D: _pooling("max_pool2d"),
    layers.PReLU: lambda layer: ("prelu", {"slope": layer.slope}, {}),
    layers.RMSNorm: lambda layer: (
        "rms_norm",
        {"gamma": layer.gamma},
        {"epsilon": layer.epsilon},
    ),
    layers.Reshape: _reshape,
    layers.Standardize: _standardize,
    layers.UpSampling2D: lambda layer: ("repeat", {}, {"size": layer._size}),
}
RECURRENT = {layers.SimpleRNN: "simple_rnn", layers.LSTM: "lstm", layers.GRU: "gru"}
