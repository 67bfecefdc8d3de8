"""Operators that move axes: they change how ONNX sees minidl's array, and compute nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from minidl.errors import DataError
from minidl.onnx.importing.folding import axes_argument
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import BATCH, Open, length_of, regrouped
from minidl.onnx.importing.signals import Signal, Value, is_zero


def identity(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """Identity and the like, which hand their input through."""
    return first_signal(inputs)


def dropout(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """`Dropout`, which hands its input through unless the file was written in training."""
    rate, training = [*inputs[1:3], None, None][:2]
    keeps_all = rate is not None and is_zero(rate)
    if training is not None and not is_zero(training) and not keeps_all:
        raise DataError(
            "it drops numbers at random, as in training. In PyTorch call module.eval() before "
            "torch.onnx.export"
        )
    return first_signal(inputs)


def first_signal(inputs: Sequence[Value | None]) -> Signal:
    """The first input, which must depend on the model's."""
    if not inputs or not isinstance(inputs[0], Signal):
        raise DataError("its first input is a constant where one from the model's input is needed")
    return inputs[0]


def cast(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """Conversions among floating types, of word indices, and of the model's input."""
    signal, to = first_signal(inputs), node.attributes.get("to")
    if to not in (1, 11) and (to not in (6, 7) or signal.step.inputs or signal.step.layer):
        raise DataError(f"it converts to type {to}, which minidl's layers do not give")
    for user in graph.nodes if to in (6, 7) else ():
        if node.outputs[0] in user.inputs and user.op not in ("Gather", "Identity", "Cast"):
            raise DataError("it makes whole numbers of its input, which only an Embedding takes")
        if node.outputs[0] in user.inputs and user.attributes.get("to", to) not in (6, 7):
            raise DataError("it cuts off the digits behind the point, which no layer does")
    return signal


def transpose(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """Other places for the axes."""
    signal = first_signal(inputs)
    order = node.attributes.get("perm") or list(range(len(signal.axes)))[::-1]
    if sorted(order) != list(range(len(signal.axes))):
        raise DataError(f"its order {order} does not fit {len(signal.axes)} axes")
    return replace(signal, axes=tuple(signal.axes[i] for i in order))


def flatten(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """All axes from one on become one."""
    signal = first_signal(inputs)
    axis = node.attributes.get("axis", 1)
    split = axis + len(signal.axes) if axis < 0 else axis
    parts = signal.axes[:split], signal.axes[split:]
    return replace(signal, axes=tuple(sum(part, ()) for part in parts))


def reshape(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """Axes of other lengths, for the same numbers."""
    signal = first_signal(inputs)
    target = inputs[1] if len(inputs) > 1 else np.array(node.attributes.get("shape", []))
    if not isinstance(target, np.ndarray) or not 0 < target.size <= 16:
        raise DataError("its new shape is not fixed in the file")
    lengths = [each if isinstance(each, Open) else int(each) for each in target.ravel()]
    if not node.attributes.get("allowzero"):
        lengths = [length_of(signal.axes[i]) if n == 0 else n for i, n in enumerate(lengths)]
    if signal.axes[0] == BATCH and lengths[0] == graph.dims[0]:
        lengths[0] = Open.BATCH  # as many rows as the file was exported with
    return replace(signal, axes=tuple(regrouped(signal.axes, lengths)))


def unsqueeze(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """New axes of length 1."""
    signal = first_signal(inputs)
    new = axes_argument(node, inputs) or []
    rank = len(signal.axes) + len(new)
    places = {axis % rank for axis in new}
    old = iter(signal.axes)
    if len(places) != len(new) or rank > 16:
        raise DataError(f"its axes {new} do not fit")
    return replace(signal, axes=tuple(() if i in places else next(old) for i in range(rank)))


def squeeze(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Signal:
    """Axes of length 1 left out."""
    signal = first_signal(inputs)
    axes = axes_argument(node, inputs)
    rank = range(len(signal.axes))
    chosen = [i for i in rank if not signal.axes[i]] if axes is None else map(signal.axis, axes)
    dropped = set(chosen)
    if any(signal.axes[i] for i in dropped):
        raise DataError(f"its axes {axes} are not all of length 1")
    return replace(signal, axes=tuple(signal.axes[i] for i in rank if i not in dropped))
