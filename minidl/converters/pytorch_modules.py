"""PyTorch's modules as minidl's layers, unbuilt; PyTorch itself is not needed to tell them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from minidl import layers as kinds
from minidl.containers import Bidirectional, Sequential
from minidl.converters import pytorch_pooling as pooling
from minidl.converters import pytorch_windows as windows
from minidl.converters.module_place import ModulePlace
from minidl.layers.base import Layer
from minidl.layers.recurrent import Recurrent

RECURRENT: dict[str, type[Recurrent]] = {
    "GRU": kinds.GRU,
    "LSTM": kinds.LSTM,
    "RNN": kinds.SimpleRNN,
}


def _softplus(at: ModulePlace) -> Layer:
    at.only(beta=1, threshold=20)  # beyond, PyTorch leaves out e^-20
    return kinds.Softplus()


def _softmax(kind: type[Layer]) -> Callable[[ModulePlace], Layer]:
    def softmax(at: ModulePlace) -> Layer:
        dim, axes = getattr(at.module, "dim", 1), len(at.samples.shape) + 1
        if dim is None and axes != 3:
            dim = 1  # as PyTorch takes it
        if dim is None or dim % axes != at.channel_axis():
            raise at.refusal(f"dim={dim} is not the axis of classes, here {at.channel_axis()}")
        if axes == 3 and not at.samples.channels_first:
            at.samples.channels_first = False
        return kind()

    return softmax


def _prelu(at: ModulePlace) -> Layer:
    axes = len(at.samples.shape) + 1
    if at.module.num_parameters > 1 and axes > 2 and at.channel_axis() != 1:
        raise at.refusal("its slopes are for axis 1, which is not that of channels here")
    return kinds.PReLU()


def _linear(at: ModulePlace) -> Layer:
    return kinds.Dense(at.module.out_features, use_bias=at.module.bias is not None)


def _batch_norm(at: ModulePlace) -> Layer:
    at.only(track_running_stats=True)
    if at.module.momentum is None:
        raise at.refusal("momentum=None, a cumulative mean, has no counterpart in minidl")
    return kinds.BatchNorm(1 - at.module.momentum, at.module.eps)


def _layer_norm(at: ModulePlace) -> Layer:
    _check_last_axis(at)
    return kinds.LayerNorm(at.module.eps)


def _rms_norm(at: ModulePlace) -> Layer:
    _check_last_axis(at)
    eps = at.module.eps
    return kinds.RMSNorm(float(np.finfo(at.dtype).eps) if eps is None else eps)


def _check_last_axis(at: ModulePlace) -> None:
    lengths = tuple(at.module.normalized_shape)
    if len(lengths) > 1 or len(at.samples.shape) > 2:
        raise at.refusal(f"normalized_shape={lengths} is not the axis of channels alone")


def _embedding(at: ModulePlace) -> Layer:
    at.only(max_norm=None, scale_grad_by_freq=False)
    m = at.module
    return kinds.Embedding(m.num_embeddings, m.embedding_dim, padding_index=m.padding_idx)


def _recurrent(at: ModulePlace) -> Layer:
    at.only(batch_first=True)
    if at.kind == "LSTM":
        at.only(proj_size=0)
    if at.kind == "RNN":
        at.only(nonlinearity="tanh")
    m, layers = at.module, list[Layer]()
    for number in range(m.num_layers):
        if number and m.dropout:
            layers.append(kinds.Dropout(m.dropout))
        one_way = RECURRENT[at.kind](m.hidden_size, return_sequences=True)
        layers.append(Bidirectional(one_way) if m.bidirectional else one_way)
    return Sequential(layers) if len(layers) > 1 else layers[0]


LAYERS: Mapping[str, Callable[[ModulePlace], Layer]] = {
    "AdaptiveAvgPool2d": pooling.adaptive_pool,
    "AdaptiveMaxPool2d": pooling.adaptive_pool,
    "AvgPool2d": pooling.average_pool2d,
    "BatchNorm1d": _batch_norm,
    "BatchNorm2d": _batch_norm,
    "Conv1d": windows.conv1d,
    "Conv2d": windows.conv2d,
    "ConvTranspose2d": windows.conv2d_transpose,
    "Dropout": lambda at: kinds.Dropout(at.module.p),
    "Dropout2d": lambda at: kinds.SpatialDropout2D(at.module.p),
    "ELU": lambda at: kinds.ELU(at.module.alpha),
    "Embedding": _embedding,
    "Flatten": windows.flatten,
    "GELU": lambda at: kinds.GELU(approximate=at.module.approximate == "tanh"),
    "GroupNorm": lambda at: kinds.GroupNorm(at.module.num_groups, at.module.eps),
    "Identity": lambda at: kinds.Dropout(0.0),
    "LayerNorm": _layer_norm,
    "LeakyReLU": lambda at: kinds.LeakyReLU(at.module.negative_slope),
    "Linear": _linear,
    "LogSoftmax": _softmax(kinds.LogSoftmax),
    "MaxPool1d": pooling.max_pool1d,
    "MaxPool2d": pooling.max_pool2d,
    "PReLU": _prelu,
    "RMSNorm": _rms_norm,
    "ReLU": lambda at: kinds.ReLU(),
    "SELU": lambda at: kinds.SELU(),
    "SiLU": lambda at: kinds.SiLU(),
    "Sigmoid": lambda at: kinds.Sigmoid(),
    "Softmax": _softmax(kinds.Softmax),
    "Softmax2d": _softmax(kinds.Softmax),
    "Softplus": _softplus,
    "Tanh": lambda at: kinds.Tanh(),
    "Unflatten": windows.unflatten,
    "Upsample": windows.upsample,
    "UpsamplingNearest2d": windows.upsample,
    **dict.fromkeys(RECURRENT, _recurrent),
}
