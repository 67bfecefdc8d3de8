"""Normalization: by running values, or over the features of a row or group."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from minidl.errors import DataError
from minidl.layers import BatchNorm, GroupNorm, LayerNorm, RMSNorm, Standardize
from minidl.onnx.importing.activations import short
from minidl.onnx.importing.arranging import rearranged, reshaped
from minidl.onnx.importing.dense import MOST_CHANNELS, by_feature
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import (
    BATCH,
    Axis,
    axes_of,
    holds_batch,
    is_run,
    length_of,
    positions,
)
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Value, with_layer
from minidl.typing import Array


def vectors(inputs: Sequence[Value | None], axis: Axis) -> list[Array]:
    """All inputs but the first, as vectors in the order of minidl's features."""
    values = [np.ravel(each) for each in inputs[1:] if isinstance(each, np.ndarray)]
    if len(values) != len(inputs) - 1 or len({each.size for each in values}) > 1:
        raise DataError("its weights are not vectors of one length in the file")
    return [each[np.argsort(positions(axis, each.size))] for each in values]


def batch_norm(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`BatchNormalization` by running values."""
    if node.attributes.get("training_mode") or len(inputs) != 5:
        raise DataError(
            "expected a BatchNormalization of a trained model, by its running values. In PyTorch "
            "call module.eval() before torch.onnx.export"
        )
    signal = rearranged(first_signal(inputs), 1)
    gamma, beta, mean, variance = vectors(inputs, signal.axes[1])
    momentum = short(node.attributes.get("momentum", 0.9))
    layer = BatchNorm(momentum, short(node.attributes.get("epsilon", 1e-5)))
    values = {"gamma": gamma, "beta": beta, "running_mean": mean, "running_variance": variance}
    return with_layer(signal, layer, values)


def row_norm(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`LayerNormalization` and `RMSNormalization` over the last axis."""
    signal = first_signal(inputs)
    inner = len(signal.axes) - 1
    if "axes" in node.attributes:  # from a long form
        axes = node.attributes["axes"]
        places = range(2, inner + 1) if isinstance(axes, str) else map(signal.axis, axes)
        over = sorted(set(places))
        if len(over) != 1 and node.op == "LayerNormalization":
            return _over_axes(node, inputs, signal, set(over))
        inner = over[0] if len(over) == 1 else -1
    elif signal.axis(node.attributes.get("axis", -1)) != inner:
        inner = -1
    if inner < 0:
        raise DataError("it normalizes over several axes; minidl over that of features alone")
    signal = rearranged(signal, inner)
    c = signal.shape[-1]
    if c > MOST_CHANNELS and len(inputs) < 2:
        raise DataError("it normalizes more features than files should need without weights")
    epsilon = short(node.attributes.get("epsilon", 1e-5))
    gamma, *beta = vectors(inputs, signal.axes[inner]) or [np.ones(c)]
    if node.op == "RMSNormalization":
        return with_layer(signal, RMSNorm(epsilon), {"gamma": gamma})
    values = {"gamma": gamma, "beta": beta[0] if beta else np.zeros(c)}
    return with_layer(signal, LayerNorm(epsilon), values)


def group_norm(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`GroupNormalization`, with channels on the axis behind the batch."""
    signal = rearranged(first_signal(inputs), 1)
    if not is_run(signal.axes[1]):
        raise DataError("its channels are in another order than minidl's")
    return _by_groups(node, inputs, signal, int(node.attributes.get("num_groups", 0)))


def instance_norm(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`InstanceNormalization`: of single channels, or of groups of them if reshaped so before."""
    signal = first_signal(inputs)
    return _over_axes(node, inputs, signal, set(range(2, len(signal.axes))))


def _over_axes(
    node: Node, inputs: Sequence[Value | None], signal: Signal, axes: set[int]
) -> Signal:
    """Normalization over all axes but the batch and one, which counts groups of channels."""
    rest = set(range(len(signal.axes))) - axes
    kept = [signal.axes[i] for i in rest if signal.axes[i] not in (BATCH, ())]
    groups = length_of(kept[0]) if kept else 1
    has_batch = any(holds_batch(signal.axes[i]) for i in axes)
    if not axes or has_batch or len(kept) > 1 or not isinstance(groups, int):
        raise DataError("it normalizes over axes that are not all but the batch and the channels")
    c = groups * kept[0][-1][1] if kept else signal.shape[-1]
    if kept and kept[0] != axes_of((groups, c // groups))[0]:
        raise DataError("it does not normalize each channel, or neighbouring channels together")
    if c != signal.shape[-1]:  # as after a Reshape, which minidl's array has not seen yet
        rows = math.prod(signal.shape) // c
        signal = reshaped(signal, (c,) if rows == 1 else (rows, c))
    return _by_groups(node, inputs, signal, groups)


def _by_groups(node: Node, inputs: Sequence[Value | None], signal: Signal, groups: int) -> Signal:
    c = signal.shape[-1]
    layer = GroupNorm(groups, short(node.attributes.get("epsilon", 1e-5)))
    scales = [np.ravel(each) for each in inputs[1:] if isinstance(each, np.ndarray)]
    if len(inputs) < 2 or len(scales) < len(inputs) - 1 or c > MOST_CHANNELS:
        raise DataError("its scale and bias are not in the file")
    if any(each.size not in (groups, c) for each in scales):
        raise DataError(f"its scale and bias are not numbers for each of {c} channels")
    gamma, beta = (np.repeat(each, c // each.size) for each in [*scales, np.zeros(1)][:2])
    return with_layer(signal, layer, {"gamma": gamma, "beta": beta})


def scaler(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """scikit-learn's `Scaler`: (x - offset) scale."""
    given = np.array(node.attributes["offset"]), np.array(node.attributes["scale"])
    (signal, offset), (_, scale) = (by_feature(first_signal(inputs), each) for each in given)
    if not scale.all():
        raise DataError("it scales a feature by 0")
    return with_layer(signal, Standardize(), {"mean": offset, "std": 1 / scale})
