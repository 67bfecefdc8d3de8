"""Import of onnx's own test files, of every operator: the right numbers, or a DataError."""

import warnings
from collections import Counter
from itertools import permutations
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

import minidl as dl

TYPES = np.float32, np.float64, np.int64
FILES = Path(onnx.__file__).parent / "backend/test/data"


def orders(a):
    """An array with its axes as in the file, with channels last, with the batch first."""
    yield a
    if a.ndim == 3:
        yield from (a.transpose(axes) for axes in permutations(range(3)))
    elif a.ndim > 3:
        yield np.moveaxis(a, 1, -1)
        yield np.swapaxes(a, 0, 1)


def agrees(model, x, y):
    """Whether the model gives y, in one of the orders in which it may take x and give y."""
    for given in orders(x):
        if given.shape[1:] == model.input_shape:
            mine = model.predict(given.astype(model.dtype) if x.dtype.kind == "f" else given)
            wanted = (each for each in orders(y) if each.shape == mine.shape)
            if any(np.allclose(mine, each, rtol=1e-4, atol=1e-5) for each in wanted):
                return True
    return False


def of_nodes():
    """Files of one node, or of a function's nodes, with one input and one output each.

    The other inputs stand in the file, as weights do.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, at numbers that operators must bear
        cases = collect_testcases(None)
    for case in cases:
        inputs, outputs = case.data_sets[0]
        graph = case.model.graph
        arrays = [*inputs, *outputs]
        if len(inputs) != len(graph.input) or not all(isinstance(a, np.ndarray) for a in arrays):
            continue  # sequences, or inputs left out
        tensors = [
            numpy_helper.from_array(x, v.name) for x, v in zip(inputs, graph.input, strict=True)
        ]
        for i, x in enumerate(inputs):
            for value, y in zip(graph.output, outputs, strict=True):
                if x.dtype not in TYPES or y.dtype not in TYPES[:2]:
                    continue
                proto = onnx.ModelProto()
                proto.CopyFrom(case.model)
                proto.graph.ClearField("input")
                proto.graph.ClearField("output")
                proto.graph.input.append(graph.input[i])
                proto.graph.output.append(value)
                proto.graph.initializer.extend(tensors[:i] + tensors[i + 1 :])
                yield f"{case.name}, input {i}, output {value.name}", proto, x, y


def by_pytorch():
    """Files that PyTorch wrote in 2017, of operator set 6; what set 7 changed is not in them."""
    for path in sorted(FILES.glob("pytorch-*/*/model.onnx")):
        proto = onnx.load(path)
        proto.opset_import[0].version = 7
        x, y = (
            numpy_helper.to_array(onnx.load_tensor(path.parent / f"test_data_set_0/{name}_0.pb"))
            for name in ("input", "output")
        )
        yield path.parent.name, proto, x, y


@pytest.mark.parametrize(("files", "least"), [(of_nodes, 120), (by_pytorch, 50)])
def test_the_right_numbers_or_an_error(files, least, tmp_path):
    path, found, wrong = tmp_path / "model.onnx", Counter(), []
    for name, proto, x, y in files():
        path.write_bytes(proto.SerializeToString())
        try:
            model = dl.import_onnx(path)
        except dl.DataError:
            found["refused"] += 1
            continue
        found["right"] += 1
        if not agrees(model, x, y):
            wrong.append((name, repr(model)))
    assert not wrong
    assert found["right"] >= least
