"""Keras's layers as minidl's, unbuilt, with the arrays that they get."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from minidl import layers as kinds
from minidl.converters import keras_normalization as norms
from minidl.converters import keras_windows as windows
from minidl.converters.keras_place import Copy, KerasPlace
from minidl.converters.keras_recurrent import bidirectional, recurrent
from minidl.layers.base import Layer

Converter = Callable[[KerasPlace], Copy]


def _same(kind: type[Layer], **options: str) -> Converter:
    """The converter to a layer without arrays, whose arguments have these names in Keras."""

    def convert(at: KerasPlace) -> Copy:
        return at.copied(kind(**{mine: at.options[theirs] for mine, theirs in options.items()}))

    return convert


def _dense(at: KerasPlace) -> Copy:
    penalty = at.penalty("kernel_regularizer")
    units, use_bias = at.options["units"], at.options["use_bias"]
    layer = kinds.Dense(units, use_bias=use_bias, weight_penalty=penalty)
    return at.copied(layer, weight="kernel", bias="bias")


def _time_distributed(at: KerasPlace) -> Copy:
    inner = KerasPlace(at.layer.layer, at.shape)
    if inner.kind != "Dense":
        raise at.refusal(f"of {inner.kind} it has no counterpart in minidl, only of Dense")
    return _dense(inner)  # which in minidl takes each step by itself


def _embedding(at: KerasPlace) -> Copy:
    layer = kinds.Embedding(
        at.options["input_dim"],
        at.options["output_dim"],
        padding_index=0 if at.options["mask_zero"] else None,
        weight_penalty=at.penalty("embeddings_regularizer"),
    )
    return at.copied(layer, weight="embeddings")


def _activation(at: KerasPlace) -> Copy:
    return Copy(at.activation(), [])


def _relu(at: KerasPlace) -> Copy:
    at.only(max_value=None, threshold=0.0)
    slope = at.options["negative_slope"]
    return at.copied(kinds.LeakyReLU(slope) if slope else kinds.ReLU())


def _prelu(at: KerasPlace) -> Copy:
    at.penalty()
    alpha = at.arrays["alpha"]
    if alpha.size != alpha.shape[-1]:
        raise at.refusal("minidl has one slope for a channel: shared_axes must be all but the last")
    layer = kinds.PReLU()
    return Copy([layer], [(layer, {"slope": alpha.ravel()})])


def _softmax(at: KerasPlace) -> Copy:
    at.last_axis()
    return at.copied(kinds.Softmax())


LAYERS: Mapping[str, Converter] = {
    "Activation": _activation,
    "AveragePooling2D": windows.average_pool2d,
    "BatchNormalization": norms.batch_norm,
    "Bidirectional": bidirectional,
    "Conv1D": windows.conv1d,
    "Conv2D": windows.conv2d,
    "Conv2DTranspose": windows.conv2d_transpose,
    "Dense": _dense,
    "DepthwiseConv2D": windows.depthwise_conv2d,
    "Dropout": _same(kinds.Dropout, rate="rate"),
    "ELU": _same(kinds.ELU, alpha="alpha"),
    "Embedding": _embedding,
    "Flatten": windows.flatten,
    "GRU": recurrent,
    "GaussianNoise": _same(kinds.GaussianNoise, stddev="stddev"),
    "GlobalAveragePooling1D": windows.global_average_pool1d,
    "GlobalAveragePooling2D": windows.global_average_pool2d,
    "GlobalMaxPooling2D": windows.global_max_pool2d,
    "GroupNormalization": norms.group_norm,
    "LSTM": recurrent,
    "LayerNormalization": norms.layer_norm,
    "LeakyReLU": _same(kinds.LeakyReLU, negative_slope="negative_slope"),
    "Masking": _same(kinds.Masking, mask_value="mask_value"),
    "MaxPooling1D": windows.max_pool1d,
    "MaxPooling2D": windows.max_pool2d,
    "Normalization": norms.normalization,
    "PReLU": _prelu,
    "RMSNormalization": norms.rms_norm,
    "ReLU": _relu,
    "Rescaling": norms.rescaling,
    "Reshape": _same(kinds.Reshape, target_shape="target_shape"),
    "SimpleRNN": recurrent,
    "Softmax": _softmax,
    "SpatialDropout2D": windows.spatial_dropout2d,
    "TimeDistributed": _time_distributed,
    "UpSampling2D": windows.up_sampling2d,
}
