"""Keras's convolutions, pooling and changes of shape as minidl's layers."""

from __future__ import annotations

from typing import Any

from minidl import layers as kinds
from minidl.converters.keras_place import Copy, KerasPlace
from minidl.layers.base import Layer
from minidl.layers.pooling import WindowPooling


def _plain(option: Any) -> Any:
    """One number where all are equal."""
    return option[0] if isinstance(option, tuple | list) and len(set(option)) == 1 else option


def _check_order(at: KerasPlace) -> None:
    at.only(data_format="channels_last")


def _convolution(at: KerasPlace) -> dict[str, Any]:
    """The arguments that all convolutions have."""
    _check_order(at)
    given = at.options
    return {
        "kernel_size": _plain(given["kernel_size"]),
        "stride": _plain(given["strides"]),
        "padding": given["padding"],
        "use_bias": given["use_bias"],
    }


def _forward_convolution(at: KerasPlace) -> dict[str, Any]:
    given = at.options
    return _convolution(at) | {
        "filters": given["filters"],
        "dilation": _plain(given["dilation_rate"]),
        "groups": given["groups"],
        "weight_penalty": at.penalty("kernel_regularizer"),
    }


def conv1d(at: KerasPlace) -> Copy:
    """`Conv1D`."""
    return at.copied(kinds.Conv1D(**_forward_convolution(at)), weight="kernel", bias="bias")


def conv2d(at: KerasPlace) -> Copy:
    """`Conv2D`."""
    return at.copied(kinds.Conv2D(**_forward_convolution(at)), weight="kernel", bias="bias")


def depthwise_conv2d(at: KerasPlace) -> Copy:
    """`DepthwiseConv2D`, a convolution of as many groups as channels."""
    c, multiple = at.shape[-1], at.options["depth_multiplier"]
    layer = kinds.Conv2D(
        c * multiple,
        **_convolution(at),
        dilation=_plain(at.options["dilation_rate"]),
        groups=c,
        weight_penalty=at.penalty("depthwise_regularizer"),
    )
    copy = at.copied(layer, weight="kernel", bias="bias")
    ((_, arrays),) = copy.arrays
    kh, kw, *_ = arrays["weight"].shape
    arrays["weight"] = arrays["weight"].reshape(kh, kw, 1, c * multiple)
    return copy


def conv2d_transpose(at: KerasPlace) -> Copy:
    """`Conv2DTranspose`."""
    at.only(output_padding=None, dilation_rate=1)
    filters, penalty = at.options["filters"], at.penalty("kernel_regularizer")
    layer = kinds.Conv2DTranspose(filters, **_convolution(at), weight_penalty=penalty)
    return at.copied(layer, weight="kernel", bias="bias")


def max_pool1d(at: KerasPlace) -> Copy:
    """`MaxPooling1D`."""
    return _pooled(at, kinds.MaxPool1D)


def max_pool2d(at: KerasPlace) -> Copy:
    """`MaxPooling2D`."""
    return _pooled(at, kinds.MaxPool2D)


def average_pool2d(at: KerasPlace) -> Copy:
    """`AveragePooling2D`."""
    return _pooled(at, kinds.AveragePool2D)


def _pooled(at: KerasPlace, kind: type[WindowPooling]) -> Copy:
    _check_order(at)
    given = at.options
    size, stride = _plain(given["pool_size"]), _plain(given["strides"])
    return at.copied(kind(size, stride, padding=given["padding"]))


def global_average_pool1d(at: KerasPlace) -> Copy:
    """`GlobalAveragePooling1D`."""
    return _in_usual_order(at, kinds.GlobalAveragePool1D())


def global_average_pool2d(at: KerasPlace) -> Copy:
    """`GlobalAveragePooling2D`."""
    return _in_usual_order(at, kinds.GlobalAveragePool2D())


def global_max_pool2d(at: KerasPlace) -> Copy:
    """`GlobalMaxPooling2D`."""
    return _in_usual_order(at, kinds.GlobalMaxPool2D())


def _in_usual_order(at: KerasPlace, layer: Layer) -> Copy:
    _check_order(at)
    at.only(keepdims=False)
    return at.copied(layer)


def flatten(at: KerasPlace) -> Copy:
    """`Flatten`."""
    _check_order(at)
    return at.copied(kinds.Flatten())


def spatial_dropout2d(at: KerasPlace) -> Copy:
    """`SpatialDropout2D`."""
    _check_order(at)
    return at.copied(kinds.SpatialDropout2D(at.options["rate"]))


def up_sampling2d(at: KerasPlace) -> Copy:
    """`UpSampling2D` without interpolation."""
    _check_order(at)
    at.only(interpolation="nearest")
    return at.copied(kinds.UpSampling2D(_plain(at.options["size"])))
