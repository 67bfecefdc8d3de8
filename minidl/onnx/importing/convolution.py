"""Convolutions, and the zeros around their input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from minidl.errors import DataError
from minidl.layers import Conv1D, Conv2D, Conv2DTranspose
from minidl.onnx.importing.folding import whole_numbers
from minidl.onnx.importing.geometry import (
    Pairs,
    channels_last,
    option,
    plain,
    windowed,
    windows_of,
)
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import BATCH
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Value, is_zero
from minidl.typing import Array

TAKE_PADDING = ("Cast", "Conv", "Identity", "Squeeze", "Transpose", "Unsqueeze")


def conv(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Conv` along one axis or two."""
    given = first_signal(inputs)
    weight = weights_of(node, inputs, len(given.axes))
    at = windows_of(node, given, weight.shape[2:])
    values = bias_of(inputs, len(weight))
    layer = (Conv1D if len(at.axes) == 1 else Conv2D)(
        len(weight),
        plain(at.kernel),
        stride=plain(at.stride),
        padding=_padding(at.pads),
        dilation=plain(at.dilation),
        groups=node.attributes.get("group", 1),
        use_bias=bool(values),
    )
    kernels = weight.reshape(*weight.shape[:2], *at.kernel)  # without an axis of length 1
    values["weight"] = np.moveaxis(kernels, (0, 1), (-1, -2))  # (F, C, KH, KW) -> (KH, KW, C, F)
    return windowed(channels_last(given, at.axes), at.axes, layer, values)


def conv_transpose(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`ConvTranspose` of images."""
    given = first_signal(inputs)
    weight = weights_of(node, inputs, 4)
    at = windows_of(node, given, weight.shape[2:], images=True)
    more = option(node, "output_padding", 2, 0)
    if node.attributes.get("group", 1) != 1 or set(at.dilation) != {1}:
        raise DataError("minidl's Conv2DTranspose has no groups and no dilation")
    if "output_shape" in node.attributes or at.pads == "same":
        raise DataError("expected padding in numbers, got output_shape or auto_pad")
    cut = tuple((a, b - extra) for (a, b), extra in zip(at.pads, more, strict=True))
    beyond = [k - s for k, s in zip(at.kernel, at.stride, strict=True)]
    is_same = cut == tuple((max(n, 0) // 2, n - max(n, 0) // 2) for n in beyond)
    if min(map(min, cut)) < 0 and not is_same:
        raise DataError("its output_padding is more than its padding, which minidl does not have")
    values = bias_of(inputs, weight.shape[1])
    layer = Conv2DTranspose(
        weight.shape[1],
        plain(at.kernel),
        stride=plain(at.stride),
        padding="same" if min(map(min, cut)) < 0 else _padding(cut),
        use_bias=bool(values),
    )
    values["weight"] = weight.transpose(2, 3, 1, 0)  # (C, F, KH, KW) -> (KH, KW, F, C)
    return windowed(channels_last(given, at.axes), at.axes, layer, values)


def pad(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Pad` with zeros, which the convolution behind it takes over."""
    signal = first_signal(inputs)
    rank = len(signal.axes)
    flat = [int(each) for each in node.attributes.get("pads", ())] or whole_numbers(inputs[1])
    fill = inputs[2] if len(inputs) > 2 else None
    places = whole_numbers(inputs[3]) if len(inputs) > 3 else list(range(rank))
    other_fill = node.attributes.get("value") or not (fill is None or is_zero(fill))
    if node.attributes.get("mode", "constant") != "constant" or other_fill:
        raise DataError("minidl pads with zeros alone")
    if len(flat) != 2 * len(places) or min(flat) < 0:
        raise DataError(f"its pads {flat} do not fit {len(places)} axes, or cut something off")
    around = zip(places, flat[: len(places)], flat[len(places) :], strict=True)
    padding = {signal.axes[signal.axis(i)]: (a, b) for i, a, b in around if a or b}
    if () in padding or BATCH in padding:
        raise DataError("it pads the batch, or an axis of length 1")
    return replace(signal, padding=padding)


def weights_of(node: Node, inputs: Sequence[Value | None], rank: int) -> Array:
    """The kernels, of as many axes as the input."""
    weight = inputs[1] if len(inputs) > 1 else None
    if not isinstance(weight, np.ndarray) or weight.ndim != rank or weight.dtype.kind != "f":
        raise DataError("its kernels are not weights in the file")
    kernel = node.attributes.get("kernel_shape", weight.shape[2:])
    if tuple(kernel) != weight.shape[2:]:
        raise DataError(f"its kernels have the shape {weight.shape[2:]}, not {tuple(kernel)}")
    return weight


def bias_of(inputs: Sequence[Value | None], filters: int) -> dict[str, Array]:
    """The bias as a layer's value, if there is one."""
    if len(inputs) < 3 or inputs[2] is None:
        return {}
    bias = inputs[2]
    if not isinstance(bias, np.ndarray) or bias.shape != (filters,):
        raise DataError(f"its bias is not {filters} numbers in the file")
    return {"bias": bias}


def _padding(pairs: Pairs | Literal["same"]) -> Any:
    """As a user would write it."""
    widths = {width for pair in pairs for width in pair}
    if pairs == "same" or len(widths) > 1:
        return pairs
    return int(widths.pop()) or "valid"
