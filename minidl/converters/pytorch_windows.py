"""PyTorch's convolutions and changes of shape as minidl's layers."""

from __future__ import annotations

from typing import Any

from minidl import layers as kinds
from minidl.converters.module_place import ModulePlace, numbers, plain
from minidl.layers.base import Layer
from minidl.layers.window_options import Padding


def _convolution(at: ModulePlace) -> dict[str, Any]:
    """The arguments that all convolutions have."""
    at.only(padding_mode="zeros")
    m = at.module
    return {
        "filters": m.out_channels,
        "kernel_size": plain(m.kernel_size),
        "stride": plain(m.stride),
        "use_bias": m.bias is not None,
    }


def _padding(padding: Any) -> Padding:
    if isinstance(padding, str):
        return "same" if padding == "same" else "valid"
    if not any(padding):
        return "valid"
    return padding[0] if len(set(padding)) == 1 else tuple((p, p) for p in padding)


def _forward_convolution(at: ModulePlace) -> dict[str, Any]:
    m = at.module
    return _convolution(at) | {
        "padding": _padding(m.padding),
        "dilation": plain(m.dilation),
        "groups": m.groups,
    }


def conv1d(at: ModulePlace) -> Layer:
    """`nn.Conv1d`."""
    return kinds.Conv1D(**_forward_convolution(at))


def conv2d(at: ModulePlace) -> Layer:
    """`nn.Conv2d`."""
    return kinds.Conv2D(**_forward_convolution(at))


def conv2d_transpose(at: ModulePlace) -> Layer:
    """`nn.ConvTranspose2d`; pixels of output_padding are such as minidl cuts off less."""
    at.only(dilation=1, groups=1)
    m = at.module
    cuts = tuple((p, p - more) for p, more in zip(m.padding, m.output_padding, strict=True))
    if min(after for _, after in cuts) < 0:
        raise at.refusal(f"output_padding={m.output_padding} is more than padding={m.padding}")
    return kinds.Conv2DTranspose(**_convolution(at), padding=cuts)


def flatten(at: ModulePlace) -> Layer:
    """`nn.Flatten`."""
    at.only(start_dim=1)
    if at.module.end_dim not in (-1, len(at.samples.shape)):
        raise at.refusal(f"end_dim={at.module.end_dim} leaves axes, and minidl flattens all")
    return kinds.Flatten()


def unflatten(at: ModulePlace) -> Layer:
    """`nn.Unflatten`; images get their channels last."""
    lengths = tuple(at.module.unflattened_size)
    if at.module.dim not in (1, -1) or len(at.samples.shape) != 1 or len(lengths) > 3:
        raise at.refusal("it does not make images or sequences of vectors")
    if len(lengths) == 3:
        lengths = (*lengths[1:], lengths[0])
    return kinds.Reshape(lengths)


def upsample(at: ModulePlace) -> Layer:
    """`nn.Upsample` by whole numbers, without interpolation."""
    at.only(mode="nearest")
    m, pixels = at.module, at.samples.shape[:2]
    if m.size is not None:
        factors = [new / old for new, old in zip(numbers(m.size, 2), pixels, strict=True)]
    else:
        factors = list(numbers(m.scale_factor, 2))
    if any(factor % 1 for factor in factors):
        raise at.refusal(f"its factors {tuple(factors)} are not whole numbers")
    return kinds.UpSampling2D(tuple(int(factor) for factor in factors))
