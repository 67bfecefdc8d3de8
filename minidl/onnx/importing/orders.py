"""In which order of axes a model takes its input and gives its output."""

from __future__ import annotations

from collections.abc import Iterator

from minidl.errors import DataError
from minidl.onnx.importing.activations import ACTIVATIONS
from minidl.onnx.importing.arranging import repeated, reshaped
from minidl.onnx.importing.graph import Graph
from minidl.onnx.importing.layout import BATCH, Axis, Open, axes_of, is_run, joined
from minidl.onnx.importing.signals import Signal
from minidl.typing import Shape

CHANNELS_FIRST = {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "GlobalAveragePool"}
CHANNELS_FIRST |= {"GlobalMaxPool", "GroupNormalization", "InstanceNormalization", "MaxPool"}
CHANNELS_FIRST |= {"Resize", "Upsample"}
KEEP_AXES = {"Add", "Cast", "Concat", "Div", "Dropout", "Identity", "Mul", "PRelu", "Pad", "Sub"}
KEEP_AXES |= set(ACTIVATIONS)


def input_orders(graph: Graph) -> Iterator[tuple[Shape, tuple[Axis, ...]]]:
    """Samples as minidl may take them, with the places of ONNX's axes: the likeliest first.

    They are as in the file, or of (N, C, H, W) and (N, C, T) channels last, or of (T, N, D) rows
    first.
    """
    dims = graph.dims
    orders = [list(range(len(dims)))]
    if len(dims) >= 3:
        orders.insert(0 if channels_come_first(graph) else 1, [0, *range(2, len(dims)), 1])
    if len(dims) == 3:
        orders.append([1, 0, 2])
    for batch, *order in orders:
        shape = tuple(dims[i] for i in order)
        if None not in shape[1:]:
            axes = dict(zip([batch, *order], [BATCH, *axes_of(shape)], strict=True))
            yield shape, tuple(axes[i] for i in range(len(dims)))


def channels_come_first(graph: Graph) -> bool:
    """Whether the input, as it comes, goes into an operator that has channels behind the batch."""
    as_it_comes = {graph.input}
    for node in graph.nodes:
        if as_it_comes.intersection(node.inputs):
            if node.op in CHANNELS_FIRST:
                return True
            if node.op in KEEP_AXES:
                as_it_comes.update(node.outputs)
    return False


def in_order(output: Signal) -> Signal:
    """The output in the shape that ONNX gives it, or of images and sequences channels last.

    With a single channel both may be: then it stays as the last layer gives it, so that the number
    of channels does not decide where they lie.
    """
    output = repeated(output)
    places = [i for i, axis in enumerate(output.axes) if axis != BATCH]
    shapes: list[Shape] = []
    for order in (places, [*places[1:], *places[:1]]):
        if is_run(joined(atom for i in order for atom in output.axes[i])):
            lengths = [output.lengths[i] for i in order]
            shapes.append(tuple(None if isinstance(n, Open) else n for n in lengths))
    if shapes:
        return output if output.shape in shapes else reshaped(output, shapes[0])
    raise DataError(
        "its output has an order that minidl's images, (N, H, W, C), do not have when they are "
        "flattened: end the graph before that"
    )
