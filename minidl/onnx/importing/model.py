"""`import_onnx`: a model from an ONNX file."""

from __future__ import annotations

import os
from pathlib import Path

from minidl.containers import Sequential
from minidl.errors import DataError, MinidlError
from minidl.onnx.importing.graph import Graph, read_graph
from minidl.onnx.importing.nesting import layers_of
from minidl.onnx.importing.orders import input_orders
from minidl.onnx.importing.reading import NodeError, read
from minidl.onnx.importing.rewriting import rewritten


def import_onnx(path: str | os.PathLike[str]) -> Sequential:
    """Make a model of an ONNX file, as PyTorch, Keras, scikit-learn and minidl write them.

    The graph's operators become minidl's layers with the file's weights, branches that meet again
    become `Residual` and `Parallel`. The model computes what the file does, and training can go on.
    What only training has is not in such files: Dropout is gone, and often so is BatchNorm, which
    exporters fold into the layer before it. A tensor that several operators share becomes as many
    parameters.

    **Order of axes.** minidl's images are (N, H, W, C) and its sequences (N, T, C). Where a graph
    takes (N, C, H, W) or (N, C, T), as PyTorch's convolutions do, the model takes its input with
    channels last, and gives such outputs so:

        y = dl.import_onnx("net.onnx").predict(x.transpose(0, 2, 3, 1))

    Weights behind a flattened image are put in minidl's order. A recurrent graph that takes
    (T, N, D) becomes a model that takes (N, T, D). All other graphs, and those that begin by moving
    channels to the front, as Keras's do, take what the file says. `model.input_shape` tells.

    **Classifiers of scikit-learn** (skl2onnx). The model gives the probabilities; labels, with the
    ArgMax or threshold that chooses them, are left out. Of two classes it gives the probability of
    the second, (N, 1), which is what `BinaryCrossEntropy` takes. A StandardScaler or MinMaxScaler
    before it becomes `Standardize`.

    **Operators**: Gemm, MatMul, Add, Sub, Mul, Div and Neg with constants; Conv, ConvTranspose,
    MaxPool, AveragePool, the global pools, ReduceMean, ReduceMax, Resize, Upsample, Tile, Pad in
    front of a convolution; BatchNormalization, LayerNormalization, RMSNormalization,
    GroupNormalization, InstanceNormalization; LSTM, GRU, RNN; Gather of word vectors, or of the
    last step or state; Relu, LeakyRelu, PRelu, Elu, Selu, Gelu, Swish, Sigmoid, Tanh, Softplus,
    Softmax, LogSoftmax; Add and Concat of branches; Reshape, Flatten, Transpose, Squeeze,
    Unsqueeze, Identity, Dropout, Cast, Scaler, ZipMap; and the long forms in which exporters spell
    out some of these.

    What is spelt out in other ways it cannot read: masks, such as those of an Embedding with a
    `padding_index` before a recurrent layer; Keras's GRU, which tf2onnx writes as a loop; Keras's
    exact GELU, written with an operator that ONNX does not have; a vector that is cut into an image
    (N, C, H, W).

    Nothing in a file can run code, and no other file is read: tensors in files beside it are
    refused. A damaged file, and one that claims more than it holds, is refused before memory is
    asked for.

    Args:
        path: The file.

    Returns:
        A built `Sequential`, float64 where the file is, else float32.

    Raises:
        DataError: If the file is damaged, has several inputs or outputs, or computes something that
            minidl's layers do not; the message names the first such operator.
        FileNotFoundError: If there is no such file.
        ImportError: If the package onnx is not installed: `pip install minidl[onnx]`.

    Example:
        >>> import os, tempfile, numpy as np, minidl as dl
        >>> layers = [dl.Conv2D(4, 3), dl.ReLU(), dl.Flatten(), dl.Dense(2), dl.Softmax()]
        >>> model = dl.Sequential(layers).build((8, 8, 1), rng=0)
        >>> path = os.path.join(tempfile.mkdtemp(), "digits.onnx")
        >>> dl.export_onnx(model, path)
        >>> again = dl.import_onnx(path)
        >>> again
        Sequential([Conv2D(4, 3), ReLU(), Flatten(), Dense(2), Softmax()])
        >>> x = np.random.default_rng(0).normal(size=(5, 8, 8, 1))
        >>> np.allclose(again(x), model(x))
        True

    References:
        Open Neural Network Exchange, https://onnx.ai/onnx/operators/.
    """
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise ImportError("import_onnx needs the package onnx: pip install minidl[onnx]") from None
    try:
        return _model(rewritten(read_graph(Path(path))))
    except MinidlError as error:
        raise DataError(f"{os.fspath(path)}: {error}") from error


def _model(graph: Graph) -> Sequential:
    failed = []
    for shape, axes in input_orders(graph):
        try:
            output = read(graph, shape, axes)
        except NodeError as error:
            failed.append(error)
            continue
        return Sequential(layers_of(output.step)).build(shape, dtype=graph.dtype)
    if not failed:
        raise DataError(f"expected an input of fixed lengths, got {graph.dims}")
    raise max(failed, key=lambda error: error.place)  # of the order that leads furthest
