"""Where the windows of a convolution or pooling lie, however the file says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from minidl.errors import DataError
from minidl.layers import Layer
from minidl.layers.windows import pad_widths
from minidl.onnx.importing.arranging import placed, rearranged
from minidl.onnx.importing.graph import Node
from minidl.onnx.importing.layout import BATCH, is_run
from minidl.onnx.importing.signals import Signal, with_layer
from minidl.typing import Array

Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Windows:
    """Windows that slide along some axes, with a number for each of these.

    Attributes:
        axes: The ONNX axes. Of images of height 1, as Keras makes them of sequences, the other one.
        lengths: Their lengths, None where open.
    """

    axes: tuple[int, ...]
    lengths: tuple[Any, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: Pairs | Literal["same"]


def windows_of(
    node: Node, signal: Signal, kernel: Sequence[int], *, images: bool = False
) -> Windows:
    """Read the attributes of a node that takes sequences (N, C, T) or images (N, C, H, W).

    With `images`, those of height 1 are images, too.
    """
    rank = len(signal.axes)
    if rank not in (3, 4) or len(kernel) != rank - 2 or signal.axes[0] != BATCH:
        raise DataError(f"expected (N, C, T) or (N, C, H, W), and windows alike; got {rank} axes")
    axes = len(kernel)
    lengths = [n if isinstance(n, int) else None for n in signal.lengths[2:]]
    stride, dilation = option(node, "strides", axes), option(node, "dilations", axes)
    is_same = node.attributes.get("auto_pad") == "SAME_UPPER"
    pads = [(0, 0)] * axes if is_same else _pads(node, lengths, kernel, stride, dilation)
    if signal.padding:
        around = [signal.padding.get(axis, (0, 0)) for axis in signal.axes]
        if any(around[1]) or node.attributes.get("auto_pad", "").startswith("SAME"):
            raise DataError("the Pad before it pads the channels, or hides what auto_pad means")
        pads = [(a + c, b + d) for (a, b), (c, d) in zip(pads, around[2:], strict=True)]
    slides = [i for i in range(axes) if signal.axes[i + 2] or kernel[i] > 1 or any(pads[i])]
    if len(slides) != 1 or images:
        slides = list(range(axes))

    def chosen(values: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(values[i] for i in slides)

    return Windows(
        chosen(range(2, rank)),
        chosen(lengths),
        chosen(kernel),
        chosen(stride),
        chosen(dilation),
        "same" if is_same else chosen(pads),
    )


def option(node: Node, name: str, axes: int, default: int = 1) -> tuple[int, ...]:
    """One whole number for each axis that a window slides along."""
    values = tuple(int(each) for each in node.attributes.get(name, [default] * axes))
    if len(values) != axes:
        raise DataError(f"expected {axes} numbers for {name}, got {list(values)}")
    return values


def _pads(
    node: Node,
    lengths: Sequence[Any],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> list[tuple[int, int]]:
    auto, axes = node.attributes.get("auto_pad", "NOTSET"), len(kernel)
    if auto in ("NOTSET", "VALID"):
        flat = option(node, "pads", 2 * axes, 0) if auto == "NOTSET" else (0,) * 2 * axes
        return [(flat[i], flat[i + axes]) for i in range(axes)]
    if auto != "SAME_LOWER" or None in lengths:
        raise DataError(f"expected padding that the file fixes, got auto_pad {auto!r}")
    every = zip(lengths, kernel, stride, dilation, strict=True)
    same = [pad_widths("same", 0, n, k, s, d) for n, k, s, d in every]
    return [(after, before) for before, after in same]


def channels_last(signal: Signal, axes: Sequence[int]) -> Signal:
    """Images (N, H, W, C) or sequences (N, T, C) whose H and W, or T, are these ONNX axes."""
    moved = rearranged(signal, 1, outer=axes)
    if not is_run(moved.axes[1]):
        raise DataError("its channels are in another order than minidl's")
    return moved


def windowed(
    signal: Signal, axes: Sequence[int], layer: Layer, values: dict[str, Array] | None = None
) -> Signal:
    """What a layer makes of images or sequences, channels last, whose axes are these of ONNX."""
    places = placed(signal, [*axes, 1], layer.output_shape(signal.shape))
    return with_layer(signal, layer, values, places)


def plain(numbers: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all are equal."""
    return int(numbers[0]) if len(set(numbers)) == 1 else tuple(map(int, numbers))
