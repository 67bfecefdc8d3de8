"""Models as ONNX files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import minidl
from minidl.arguments import instance
from minidl.errors import ArgumentTypeError
from minidl.io.whole_files import make_folder_of, replacing
from minidl.layers.base import Layer
from minidl.onnx.export.graph import Graph, Value
from minidl.onnx.export.masks import steps_stay
from minidl.onnx.export.network import Network
from minidl.onnx.export.translations import Translation
from minidl.typing import Shape

OPSET = 20  # with Gelu; onnxruntime has it since 1.17, of January 2024
IR_VERSION = 9  # which came with it


def export_onnx(
    model: Layer,
    path: str | os.PathLike[str],
    *,
    translations: Mapping[type[Layer], Translation] | None = None,
) -> None:
    """Write a model as an ONNX file, for onnxruntime and other programs that run such files.

    The file computes what `model.predict` does, for any number of rows: of operator set 20 and IR
    version 9, which onnxruntime reads from version 1.17 on, with one input, `input`, and one
    output, `output`, of the shapes that the model has. The batch axis is open (N), and so is the
    time axis (T) where the model's is. Indices for an `Embedding` are int64. Images stay (N, H,
    W, C); the operators for images want (N, C, H, W), so that there is a Transpose in front of the
    first of them and one behind the last. Nodes and weights are named after layers, such as
    `0.dense.weight`. Dropout and noise, which do nothing in inference, are left out, and
    `BatchNorm` uses its running values.

    Numbers have the model's type. onnxruntime lacks float64 for many operators: convolutions,
    recurrent layers and others raise there.

    The same model gives the same bytes. The file appears at once when it is complete, and one that
    was there before stays whole until then.

    Args:
        model: A built model.
        path: The file; by custom it ends in `.onnx`.
        translations: How to write layers of your own: for the class a function of the graph, the
            layer and its input that adds nodes and returns the output, see `Graph`. A layer with
            `accepts_mask` gets the name of the mask, or None, as a fourth argument.

    Raises:
        ArgumentError: If a layer has no translation.
        DTypeError: If the model is of float64 and has an operator that onnxruntime lacks there.
        StateError: If the model is not built, or a `Standardize` in it not adapted.
        ImportError: If the package onnx is missing.

    Example:
        >>> import pathlib, tempfile, onnx, minidl as dl
        >>> file = pathlib.Path(tempfile.mkdtemp(), "digits.onnx")
        >>> model = dl.Sequential([dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()])
        >>> dl.export_onnx(model.build((784,), rng=0), file)
        >>> [node.name for node in onnx.load(file).graph.node]
        ['0.dense.gemm', '1.relu.relu', '2.dense.gemm', '3.softmax.softmax']

        A layer of one's own:

        >>> class Square(dl.Layer):
        ...     def forward(self, x, *, training=False, out=None):
        ...         if training:
        ...             self.save_for_backward(x)
        ...         return x * x
        ...     def backward(self, dy, *, input_grad=True, out=None):
        ...         (x,) = self.saved()
        ...         return 2 * x * dy
        >>> def square(graph, layer, x):
        ...     return graph.op("Mul", x, x)
        >>> dl.export_onnx(Square().build((3,)), file, translations={Square: square})

    References:
        The ONNX specification, https://onnx.ai/onnx/operators/.
    """
    try:
        from onnx import helper
    except ImportError as error:
        raise ImportError(
            "export_onnx: needs the package onnx: pip install minidl[onnx]"
        ) from error
    instance("export_onnx", "model", model, Layer)
    graph = Graph(model)
    x = Value("input", tuple(range(len(model.input_shape) + 1)))
    y = graph.natural(Network(graph, _checked(translations)).chain(model, x))
    if y == x:
        y = graph.op("Identity", x)
    graph.rename(y.name, "output")
    steps = "T" if steps_stay([model]) else None
    input_dtype = np.dtype(np.int64) if model.accepts_integers else model.dtype
    body = helper.make_graph(
        graph.nodes,
        type(model).__name__,
        [_described("input", input_dtype, model.input_shape, "T")],
        [_described("output", model.dtype, model.bound.output_shape, steps)],
        graph.constants,
    )
    proto = helper.make_model(
        body,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="minidl",
        producer_version=minidl.__version__,
    )
    helper.set_model_props(proto, {"minidl_version": minidl.__version__})
    file = Path(path)
    make_folder_of(file, "export_onnx")
    with replacing(file) as written:
        written.write(proto.SerializeToString(deterministic=True))


def _checked(
    translations: Mapping[type[Layer], Translation] | None,
) -> Mapping[type[Layer], Translation]:
    for kind, function in (translations or {}).items():
        if not (isinstance(kind, type) and issubclass(kind, Layer) and callable(function)):
            raise ArgumentTypeError(
                "export_onnx: translations must give a function for each class of layers, such as "
                f"{{Swish: swish}}, got {kind!r}: {function!r}."
            )
    return translations or {}


def _described(name: str, dtype: np.dtype[Any], shape: Shape, steps: str | None) -> Any:
    """An input or output: its type and shape, with an open time axis under the name `steps`."""
    from onnx import helper

    lengths = ["N", *(steps if length is None else length for length in shape)]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), lengths)
