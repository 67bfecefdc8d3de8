"""Means and maxima over whole axes, the last step of a sequence, the last states of layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minidl.errors import DataError
from minidl.layers import (
    Flatten,
    GlobalAveragePool1D,
    GlobalAveragePool2D,
    GlobalMaxPool2D,
    Layer,
    MaxPool1D,
)
from minidl.layers.recurrent import Recurrent
from minidl.onnx.importing.arranging import rearranged
from minidl.onnx.importing.folding import axes_argument, whole_numbers
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import BATCH, axes_of, holds_batch
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Signal, Step, Value, with_layer


def global_pool(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`GlobalAveragePool` and `GlobalMaxPool`, which keep the axes."""
    signal = first_signal(inputs)
    return _pooled(signal, range(2, len(signal.axes)), node.op == "GlobalAveragePool", keep=True)


def reduction(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`ReduceMean` and `ReduceMax` over the axes between batch and channels."""
    signal, axes = first_signal(inputs), axes_argument(node, inputs)
    if not axes:
        raise DataError("it reduces all axes, the batch's too")
    over = sorted({signal.axis(axis) for axis in axes})
    keep = bool(node.attributes.get("keepdims", 1))
    return _pooled(signal, over, node.op == "ReduceMean", keep)


def _pooled(signal: Signal, over: Sequence[int], is_mean: bool, keep: bool) -> Signal:
    long = [i for i in over if signal.axes[i]]
    inner = [i for i in range(len(signal.axes)) if i not in over and signal.axes[i] != BATCH]
    channels = [i for i in inner if signal.axes[i]] or inner
    if len(channels) != 1 or any(holds_batch(signal.axes[i]) for i in over):
        raise DataError("it does not reduce all axes between batch and channels")
    result = signal
    if long:
        result = rearranged(signal, channels[0], outer=long)
        if len(long) == 1:
            steps = result.shape[0]
            if not is_mean and steps is None:
                raise DataError("minidl has no maximum over an open number of steps")
            layer: Layer = GlobalAveragePool1D() if is_mean else MaxPool1D(steps)
        elif len(long) == 2:
            layer = GlobalAveragePool2D() if is_mean else GlobalMaxPool2D()
        else:
            raise DataError("it reduces more than two axes")
        c = result.shape[-1]
        axes = [() if i in over else axis for i, axis in enumerate(signal.axes)]
        result = with_layer(result, layer, axes=axes)
        if result.shape != (c,):
            result = with_layer(result, Flatten())
    kept = [axis for i, axis in enumerate(result.axes) if keep or i not in over]
    return replace(result, axes=tuple(kept))


def gather_step(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Gather` of the last step or layer, without its axis."""
    signal = first_signal(inputs)
    axis = signal.axis(node.attributes.get("axis", 0))
    index = inputs[1] if len(inputs) > 1 else None
    numbers = whole_numbers(index)
    steps = signal.lengths[axis]
    if len(numbers) != 1 or numbers[0] not in (-1, steps - 1 if isinstance(steps, int) else -1):
        raise DataError("it chooses other steps than the last")
    last = last_step(signal, axis) if signal.axes[axis] else signal
    dropped = isinstance(index, np.ndarray) and index.ndim == 0
    return _without(last, axis) if dropped else last


def both_ways(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """The last states of two directions (2, N, M) side by side, (N, 2 M)."""
    signal = first_signal(inputs)
    found = [int(each) for each in inputs[1:] if isinstance(each, np.ndarray) and each.ndim == 0]
    if found not in ([0, 1], [-2, -1]) or signal.lengths[0] != 2 or len(signal.axes) != 3:
        raise DataError("it joins other states than the last of two directions, in this order")
    ways, rows, units = signal.axes
    return replace(signal, axes=(rows, ways + units))


def slice_step(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Slice` of the last step, with its axis, or of everything."""
    signal = first_signal(inputs)
    names = ("starts", "ends", "axes", "steps")
    given = [each for each in inputs[1:] if each is not None]
    given = given or [np.array(node.attributes[n]) for n in names if n in node.attributes]
    bounds = [whole_numbers(each) for each in given]
    if not 2 <= len(bounds) <= 4 or any(len(each) != 1 for each in bounds):
        raise DataError("it cuts more than one axis")
    start, end = bounds[0][0], bounds[1][0]
    axis = signal.axis(bounds[2][0] if len(bounds) > 2 else 0)
    stride = bounds[3][0] if len(bounds) > 3 else 1
    length = signal.lengths[axis]
    size = length if isinstance(length, int) else 2**31 - 1  # all there are, as exporters write it
    if stride != 1 or end < size or start not in (0, -1, size - 1):
        raise DataError("it cuts out other steps than the last")
    return signal if start == 0 or not signal.axes[axis] else last_step(signal, axis)


def last_step(signal: Signal, axis: int) -> Signal:
    """The last step of what a recurrent layer returns: it returns no other then.

    Also the last of several states (layers, N, M) that `Concat` has put on one axis.
    """
    layer, step = signal.step.layer, signal.step
    count = len(step.inputs)
    if step.merge == "concat" and signal.axes[axis] == ((count, 1),) and signal.shape[-1] == count:
        axes = tuple(tuple((n, stride // count) for n, stride in each) for each in signal.axes)
        axes = (*axes[:axis], (), *axes[axis + 1 :])
        return Signal(step.inputs[-1], (*signal.shape[:-1], 1), axes)
    is_time = len(signal.shape) == 2 and signal.axes[axis] == axes_of(signal.shape)[0]
    if not isinstance(layer, Recurrent) or not is_time:
        raise DataError("minidl has the last step of a recurrent layer alone, of one direction")
    options = layer.config() | {"return_sequences": False}
    last = Step(type(layer)(**options), step.inputs, values=step.values)
    axes = tuple(() if i == axis else each for i, each in enumerate(signal.axes))
    return Signal(last, signal.shape[1:], axes)


def _without(signal: Signal, axis: int) -> Signal:
    return replace(signal, axes=signal.axes[:axis] + signal.axes[axis + 1 :])
