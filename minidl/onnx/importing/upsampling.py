"""Images made larger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minidl.errors import DataError
from minidl.layers import UpSampling2D
from minidl.onnx.importing.folding import whole_numbers
from minidl.onnx.importing.geometry import channels_last, plain, windowed
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Value


def resize(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Resize` and `Upsample` by whole numbers, to the nearest pixel."""
    given = first_signal(inputs)
    if len(given.axes) != 4:
        raise DataError("expected images (N, C, H, W)")
    signal = channels_last(given, (2, 3))
    options = node.attributes
    how = options.get("coordinate_transformation_mode", "half_pixel")
    rounding = options.get("nearest_mode", "round_prefer_floor")
    if node.op == "Upsample":
        how, rounding = "asymmetric", "floor"
    repeats = (how, rounding) == ("asymmetric", "floor") or (
        how.startswith("half_pixel") and rounding.startswith("round")
    )
    if options.get("mode", "nearest") != "nearest" or not repeats:
        raise DataError("it does not repeat pixels, as minidl's UpSampling2D does")
    given_scales = inputs[1 if node.op == "Upsample" else 2] if len(inputs) > 1 else None
    sizes = inputs[3] if len(inputs) > 3 else None
    if isinstance(sizes, np.ndarray) and sizes.size == 4:
        pairs = zip(sizes[2:], signal.shape[:2], strict=True)
        scales = [1.0, 1.0, *(float(new) / old for new, old in pairs)]
    elif isinstance(given_scales, np.ndarray):
        scales = [float(each) for each in given_scales.ravel()]
    else:
        scales = list(options.get("scales", []))
    if len(scales) != 4 or scales[:2] != [1, 1] or any(s < 1 or s % 1 for s in scales):
        raise DataError(f"expected whole factors for height and width alone, got {scales}")
    return windowed(signal, (2, 3), UpSampling2D(plain([int(s) for s in scales[2:]])))


def tile(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Tile` of axes of length 1: a step of 0 numbers through minidl's array, some times."""
    signal = first_signal(inputs)
    times = whole_numbers(inputs[1] if len(inputs) > 1 else None)
    if len(times) != len(signal.axes) or min(times) < 1:
        raise DataError(f"its repeats {times} do not fit {len(signal.axes)} axes")
    if any(n > 1 and axis for n, axis in zip(times, signal.axes, strict=True)):
        raise DataError("it repeats whole rows of pixels, for which minidl has no layer")
    axes = [((n, 0),) if n > 1 else axis for n, axis in zip(times, signal.axes, strict=True)]
    return replace(signal, axes=tuple(axes))
