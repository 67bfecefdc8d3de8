"""Sums, products and joins: of branches, or of a signal and a constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minidl.errors import DataError
from minidl.onnx.importing.arranging import rearranged
from minidl.onnx.importing.dense import affine
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import BATCH, Axis, axes_of
from minidl.onnx.importing.recurrent import positional_encoding
from minidl.onnx.importing.reshaping import first_signal
from minidl.onnx.importing.signals import Filled, Signal, Step, Value


def add(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Add` and `Sum`: branches that meet, or a constant for each feature."""
    signals = [each for each in inputs if isinstance(each, Signal)]
    first = signals[0]
    if len(signals) == len(inputs):
        if any((each.shape, each.axes) != (first.shape, first.axes) for each in signals):
            raise DataError(f"it adds arrays of lengths {[each.lengths for each in signals]}")
        steps = tuple(each.step for each in signals)
        return replace(first, step=Step(None, steps, "add")) if len(steps) > 1 else first
    signal, constant, alone = _and_constant(node, inputs, graph)
    encoded = positional_encoding(signal, constant)
    return encoded or affine(signal, constant, shift=1.0, alone=alone)


def sub(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Sub` of a signal and a constant."""
    signal, constant, alone = _and_constant(node, inputs, graph)
    if signal is inputs[0]:
        return affine(signal, constant, shift=-1.0, alone=alone)
    negated = affine(signal, Filled(-1.0), scale=1.0, alone=alone)
    return affine(negated, constant, shift=1.0)


def mul(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Mul` and `Div` of a signal by a constant."""
    signal, constant, alone = _and_constant(node, inputs, graph)
    if node.op == "Mul":
        return affine(signal, constant, scale=1.0, alone=alone)
    if signal is not inputs[0]:
        raise DataError("it divides by a branch, for which minidl has no layer")
    return affine(signal, constant, scale=-1.0, alone=alone)


def _and_constant(
    node: Node, inputs: Sequence[Value | None], graph: Graph
) -> tuple[Signal, Value | None, bool]:
    """The signal and the constant that a node takes; whether it alone takes the signal."""
    signals = [
        (each, name)
        for each, name in zip(inputs, node.inputs, strict=True)
        if isinstance(each, Signal)
    ]
    others = [each for each in inputs if not isinstance(each, Signal)]
    if len(signals) != 1 or len(others) != 1:
        raise DataError(
            "it does not take one branch and one constant, and minidl has no such layer"
        )
    (signal, name), (constant,) = signals[0], others
    return signal, constant, graph.uses[name] == 1


def negative(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Neg`."""
    alone = graph.uses[node.inputs[0]] == 1
    return affine(first_signal(inputs), Filled(-1.0), scale=1.0, alone=alone)


def concat(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Concat` of branches on the axis that is minidl's last."""
    parts = [each for each in inputs if isinstance(each, Signal)]
    if len(parts) < len(inputs) or not parts:
        raise DataError("it joins constants to a branch, for which minidl has no layer")
    axis = parts[0].axis(node.attributes.get("axis", 1))
    parts = [rearranged(each, each.axis(axis)) for each in parts]
    widths = [each.shape[-1] for each in parts]
    total = sum(widths)
    axes = {tuple(_widened(each, axis, total)) for each in parts}
    if len(axes) != 1:
        raise DataError("it joins branches of different shapes, or not on minidl's last axis")
    step = Step(None, tuple(each.step for each in parts), "concat")
    return Signal(step, (*parts[0].shape[:-1], total), axes.pop())


def _widened(signal: Signal, joined: int, total: int) -> list[Axis]:
    """The axes of a signal whose last axis has become `total` wide."""
    width = signal.shape[-1]
    if signal.axes[joined] != axes_of((width,))[0] or signal.axes[joined] == BATCH:
        raise DataError("it joins branches on another axis than minidl's last, the channels")
    return [
        axes_of((total,))[0]
        if i == joined
        else tuple((length, stride // width * total) for length, stride in axis)
        for i, axis in enumerate(signal.axes)
    ]
