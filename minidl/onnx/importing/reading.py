"""From the nodes of a graph to layers, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from minidl.errors import DataError, MinidlError
from minidl.onnx.importing import (
    activations,
    attention,
    convolution,
    dense,
    merging,
    normalization,
    pooling,
    recurrent,
    reductions,
    reshaping,
    upsampling,
)
from minidl.onnx.importing.folding import folded, shape_vector
from minidl.onnx.importing.graph import Graph, Node
from minidl.onnx.importing.layout import Axis
from minidl.onnx.importing.orders import in_order
from minidl.onnx.importing.signals import Signal, Step, Value
from minidl.typing import Shape

Translator = Callable[[Node, Sequence[Value | None], Graph], Any]
TRANSLATORS: dict[str, Translator] = {
    **dict.fromkeys(activations.ACTIVATIONS, activations.activation),
    **dict.fromkeys(("Identity", "ZipMap"), reshaping.identity),
    **dict.fromkeys(("Softmax", "LogSoftmax"), activations.softmax),
    **dict.fromkeys(("Add", "Sum"), merging.add),
    **dict.fromkeys(("Mul", "Div"), merging.mul),
    **dict.fromkeys(("MaxPool", "AveragePool"), pooling.pool),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), reductions.global_pool),
    **dict.fromkeys(("ReduceMean", "ReduceMax"), reductions.reduction),
    **dict.fromkeys(("Resize", "Upsample"), upsampling.resize),
    **dict.fromkeys(("LayerNormalization", "RMSNormalization"), normalization.row_norm),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), recurrent.recurrent),
    "BothWays": reductions.both_ways,
    "BatchNormalization": normalization.batch_norm,
    "Cast": reshaping.cast,
    "Concat": merging.concat,
    "Conv": convolution.conv,
    "ConvTranspose": convolution.conv_transpose,
    "Dropout": reshaping.dropout,
    "Flatten": reshaping.flatten,
    "Gather": lambda node, inputs, graph: (
        reductions.gather_step if isinstance(inputs[0], Signal) else dense.embedding
    )(node, inputs, graph),
    "GroupNormalization": normalization.group_norm,
    "InstanceNormalization": normalization.instance_norm,
    "Gemm": dense.gemm,
    "MatMul": dense.matmul,
    "MultiHeadSelfAttention": attention.attention,
    "Neg": merging.negative,
    "Pad": convolution.pad,
    "PRelu": activations.prelu,
    "Reshape": reshaping.reshape,
    "Scaler": normalization.scaler,
    "Slice": reductions.slice_step,
    "Squeeze": reshaping.squeeze,
    "Sub": merging.sub,
    "Tile": upsampling.tile,
    "Transpose": reshaping.transpose,
    "Unsqueeze": reshaping.unsqueeze,
}


class NodeError(DataError):
    """A node that minidl cannot express, and how many came before it."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


def read(graph: Graph, shape: Shape, axes: tuple[Axis, ...]) -> Signal:
    """The output of a graph whose input is given so."""
    values: dict[str, Value | None] = {"": None, **graph.constants}
    values[graph.input] = Signal(Step(None), shape, axes)
    for place, node in enumerate(graph.nodes):
        try:
            results = _results(node, [_known(values, name) for name in node.inputs], graph)
        except (MinidlError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            # A file can be wrong in more ways than there are checks: NumPy notices the others.
            raise NodeError(f"cannot import the {node}: {error}", place) from error
        for name, result in zip(node.outputs, results, strict=False):
            if isinstance(result, Signal) and not result.step.node:
                result.step.node = str(node)
            values[name] = result
    try:
        output = _known(values, graph.output)
        if not isinstance(output, Signal):
            raise DataError("its output does not depend on its input")
        _check_no_padding([output], "the graph's end")
        return in_order(output)
    except DataError as error:
        raise NodeError(str(error), len(graph.nodes)) from None


def _known(values: Mapping[str, Value | None], name: str) -> Value | None:
    if name not in values:
        raise DataError(
            f"{name!r} is a further output of an operator, such as a state, indices or statistics, "
            "which minidl's layer does not give"
        )
    return values[name]


def _check_no_padding(inputs: Sequence[Value | None], follower: str) -> None:
    """Raise where something else follows a Pad than what adds its zeros to a convolution."""
    padded = any(isinstance(each, Signal) and each.padding for each in inputs)
    if padded and follower not in convolution.TAKE_PADDING:
        raise DataError(f"minidl pads inside convolutions alone, and {follower} follows a Pad")


def _results(node: Node, inputs: Sequence[Value | None], graph: Graph) -> Sequence[Value]:
    if not any(isinstance(each, Signal) for each in inputs):
        return [folded(node, inputs)]
    _check_no_padding(inputs, node.op)
    if node.op == "Shape" and isinstance(inputs[0], Signal):
        return [shape_vector(node, inputs[0])]
    if node.op not in TRANSLATORS:
        raise DataError(
            f"minidl has no layer for {node.op}. Export the model without it, for example up to "
            "the layer before"
        )
    result = TRANSLATORS[node.op](node, inputs, graph)
    return result if isinstance(result, tuple) else [result]
