"""Import of damaged and hostile ONNX files: a DataError that says why, and nothing else."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

import minidl as dl


def tensor(name, *shape):
    return numpy_helper.from_array(np.ones(shape, np.float32), name)


def value(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, tensors=(), inputs=None, outputs=None):
    graph = helper.make_graph(
        nodes,
        "graph",
        inputs or [value("x", "n", 3)],
        outputs or [value("y", "n", 2)],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])


def dense():
    return model_of([helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor("w", 3, 2)])


def edited(edit):
    model = dense()
    edit(model)
    return model.SerializeToString()


def claims(shape, kind=TensorProto.FLOAT):
    return edited(
        lambda m: m.graph.initializer[0].MergeFrom(TensorProto(dims=shape, data_type=kind))
    )


def outside(location):
    def edit(model):
        weight = model.graph.initializer[0]
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        weight.external_data.add(key="location", value=location)

    return edited(edit)


def one_node(op, *names, shape=("n", 3), **attributes):
    inputs = [value("x", *shape)]
    given = [tensor(name, 3) for name in names]
    node = helper.make_node(op, ["x", *names], ["y"], **attributes)
    return model_of([node], given, inputs).SerializeToString()


def filled_with_much():
    shape = numpy_helper.from_array(np.array([10**6, 10**6]), "shape")
    nodes = [helper.make_node("ConstantOfShape", ["shape"], ["w"])]
    return model_of([*nodes, helper.make_node("MatMul", ["x", "w"], ["y"])], [shape])


def nested_graphs(depth):
    content = b""
    for _ in range(depth):
        for key in (b"\x32", b"\x2a", b"\x0a"):  # a graph in an attribute in a node
            content = key + varint(len(content)) + content
    return b"\x3a" + varint(len(content)) + content


def varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


BAD = {
    "empty": (b"", "it holds no graph"),
    "text": (b"hello, world", "it is"),
    "half": (dense().SerializeToString()[:-40], "cut off, or damaged"),
    "no nodes": (edited(lambda m: m.graph.ClearField("node")), "it holds no graph"),
    "no tensor": (edited(lambda m: m.graph.ClearField("initializer")), "nothing before it gives"),
    "a circle": (
        model_of(
            [
                helper.make_node("Add", ["x", "b"], ["a"]),
                helper.make_node("Tanh", ["a"], ["b"]),
                helper.make_node("Tanh", ["b"], ["y"]),
            ]
        ).SerializeToString(),
        "takes 'b', which nothing before it gives: .* runs in a circle",
    ),
    "given twice": (edited(lambda m: m.graph.node.append(m.graph.node[0])), "is given already"),
    "a claim of 10^12": (claims([10**6, 10**6]), "holds 6 values"),
    "a negative length": (claims([-3, -2]), "holds 6 values"),
    "half precision": (
        edited(lambda m: setattr(m.graph.initializer[0], "data_type", TensorProto.FLOAT16)),
        "'w' is of type 10; use float32",
    ),
    "filled with 10^12": (filled_with_much().SerializeToString(), "not a matrix of weights"),
    "two inputs": (
        model_of(
            [helper.make_node("Add", ["x", "z"], ["y"])],
            (),
            [value("x", "n", 3), value("z", "n", 3)],
        ).SerializeToString(),
        "expected a graph with one input",
    ),
    "two outputs": (
        edited(lambda m: m.graph.output.append(value("z", "n", 2))),
        "expected a graph with one output",
    ),
    "strings": (
        edited(lambda m: m.graph.input[0].CopyFrom(value("x", "n", 3, kind=TensorProto.STRING))),
        "expected an input of float32",
    ),
    "open lengths": (
        one_node("Relu", shape=("n", "t", "d")),
        r"expected an input of fixed lengths, got \(None, None, None\)",
    ),
    "a huge input": (one_node("PRelu", "s", shape=("n", 10**12)), "one number|features"),
    "one slope for 10^12": (
        model_of(
            [helper.make_node("PRelu", ["x", "s"], ["y"])],
            [tensor("s", 1)],
            [value("x", "n", 10**12)],
        ).SerializeToString(),
        "for more features than files should need",
    ),
    "an old operator set": (
        edited(lambda m: setattr(m.opset_import[0], "version", 3)),
        "of a version from 7 to 26",
    ),
    "axes that are not there": (one_node("Softmax", axis=5), "it names axis 5 of 2"),
    "no axes": (one_node("Transpose", perm=[0, 0]), "order .* does not fit"),
    "a window of 0": (
        one_node("MaxPool", shape=("n", 1, 8, 8), kernel_shape=[0, 0]),
        "must be a whole number of at least 1",
    ),
    "no weights": (one_node("Conv", shape=("n", 1, 8, 8)), "not weights in the file"),
    "a path outside": (outside("../../secret"), "lies in another file, which is not read"),
    "an absolute path": (outside("/etc/passwd"), "lies in another file, which is not read"),
    "a file beside it": (outside("weights.bin"), "lies in another file, which is not read"),
    "many empty nodes": (b"\x3a\x80\x89\x7a" + b"\x0a\x00" * 1_000_000, "holds more than 200000"),
    "graphs in graphs": (nested_graphs(40), "nested more than 32 deep"),
    "a name that is no text": (
        edited(lambda m: None).replace(b"MatMul", b"Mat\xff\xffl"),
        "are not all text|not an ONNX file",
    ),
}


def chain(*nodes, shape=("n", 3), opset=20, **tensors):
    """A file of nodes one behind the other, the first from x, the last to y."""
    made, last = [], "x"
    for i, (op, *inputs, attributes) in enumerate(nodes):
        outputs = ["y" if i == len(nodes) - 1 else f"{op}{i}"]
        outputs = [*[f"{op}{i}.{k}" for k in range(attributes.pop("skip", 0))], *outputs]
        made.append(helper.make_node(op, [last, *inputs], outputs, **attributes))
        last = outputs[-1]
    given = [numpy_helper.from_array(np.asarray(a), name) for name, a in tensors.items()]
    model = model_of(made, given, [value("x", *shape)])
    model.opset_import[0].version = opset
    return model.SerializeToString()


LSTM = {"W": np.ones((1, 8, 3), np.float32), "R": np.ones((1, 8, 2), np.float32)}
BAD |= {  # what would be other numbers, were it read
    "zeros at the end": (
        chain(("Pad", "pads", {}), shape=("n", 1, 4, 4), pads=[0, 0, 1, 1, 0, 0, 1, 1]),
        "minidl pads inside convolutions alone, and the graph's end follows a Pad",
    ),
    "the shape of what is padded": (
        chain(("Pad", "pads", {}), ("Shape", {}), shape=("n", 1, 4), pads=[0, 0, 1, 0, 0, 1]),
        "and Shape follows a Pad",
    ),
    "ones around, before set 11": (
        chain(
            ("Pad", {"pads": [0, 0, 1, 0, 0, 1], "value": 1.0}),
            ("Conv", "w", {}),
            shape=("n", 1, 4),
            opset=9,
            w=np.ones((1, 1, 2), np.float32),
        ),
        "minidl pads with zeros alone",
    ),
    "a mean over rows": (
        chain(("Flatten", {"axis": 0}), ("ReduceMean", "axes", {}), axes=[1]),
        "does not reduce all axes between batch and channels",
    ),
    "rows normalized together": (
        chain(
            *(("Unsqueeze", "axes", {}), ("Transpose", {"perm": [0, 2, 1]})),
            ("InstanceNormalization", "gamma", "gamma", {}),
            axes=[0],
            gamma=np.ones(3, np.float32),
        ),
        "normalizes over axes that are not all but the batch and the channels",
    ),
    "numbers cut off": (chain(("Cast", {"to": 7}), ("Cast", {"to": 1})), "cuts off the digits"),
    "whole numbers added to": (
        chain(("Cast", {"to": 7}), ("Add", "one", {}), ("Cast", {"to": 1}), one=np.int64(1)),
        "whole numbers of its input, which only an Embedding takes",
    ),
    "dropout in training": (
        chain(("Dropout", "rate", "on", {}), rate=np.float32(0.5), on=np.array(True)),
        r"it drops numbers at random.* module.eval\(\) before",
    ),
    "batch norm in training": (
        chain(
            ("BatchNormalization", *"abcd", {"training_mode": 1}),
            **dict.fromkeys("abcd", np.ones(3, np.float32)),
        ),
        r"of a trained model.* module.eval\(\) before",
    ),
    "a state alone": (
        chain(("LSTM", "W", "R", {"hidden_size": 2, "skip": 2}), shape=(4, "n", 3), **LSTM),
        "'y' is a further output of an operator, such as a state",
    ),
    "a state used": (
        chain(("LSTM", "W", "R", {"skip": 2}), ("Relu", {}), shape=(4, "n", 3), **LSTM),
        "the Relu node .* 'LSTM0' is a further output of an operator, such as a state",
    ),
    "words for numbers": (
        model_of(
            [
                helper.make_node("Constant", [], ["c"], value_strings=["a", "b"]),
                helper.make_node("Add", ["x", "c"], ["y"]),
            ]
        ).SerializeToString(),
        "the Constant node 'c': its value is not numbers",
    ),
}


def test_dropout_that_drops_nothing(tmp_path):
    for rate, on in ((0.5, False), (0.0, True)):
        content = chain(("Dropout", "rate", "on", {}), rate=np.float32(rate), on=np.array(on))
        assert imported_or_refused(tmp_path / "model.onnx", content)


def test_a_softplus_with_another_threshold(tmp_path):
    for threshold, known in ((20.0, True), (1.0, False)):
        nodes = [
            helper.make_node("Greater", ["x", "t"], ["large"]),
            helper.make_node("Softplus", ["x"], ["soft"]),
            helper.make_node("Where", ["large", "x", "soft"], ["y"]),
        ]
        content = model_of(nodes, [numpy_helper.from_array(np.float32(threshold), "t")])
        assert imported_or_refused(tmp_path / "a.onnx", content.SerializeToString()) == known


@pytest.mark.parametrize("name", BAD)
def test_bad_files(name, tmp_path):
    content, message = BAD[name]
    (tmp_path / "weights.bin").write_bytes(bytes(24))
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(dl.DataError, match=message) as caught:
        dl.import_onnx(path)
    assert str(caught.value).startswith(str(path))


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install minidl\[onnx\]"):
        dl.import_onnx(tmp_path / "model.onnx")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        dl.import_onnx(tmp_path / "nothing")


def network():
    layers = [dl.Conv2D(3, 2), dl.GELU(), dl.MaxPool2D(), dl.GroupNorm(3), dl.Residual(dl.Tanh())]
    return dl.Sequential([*layers, dl.Flatten(), dl.Dense(2), dl.Softmax()]).build((5, 5, 2), rng=0)


def sequences():
    layers = [dl.Conv1D(4, 2), dl.Bidirectional(dl.LSTM(2, return_sequences=True)), dl.LayerNorm()]
    layers += [dl.MultiHeadSelfAttention(2), dl.Parallel([dl.GRU(2), dl.SimpleRNN(1)])]
    return dl.Sequential(layers).build((4, 3), rng=0)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "model.onnx"
    contents = []
    for model in (network(), sequences()):
        dl.export_onnx(model, path)
        contents.append(path.read_bytes())
    return path, contents


FUZZ = settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))


def imported_or_refused(path, content):
    """Read a file; any error but DataError goes on to the test."""
    path.write_bytes(content)
    try:
        model = dl.import_onnx(path)
    except dl.DataError:
        return False
    return isinstance(model, dl.Sequential)


@FUZZ
@given(data=st.data())
def test_changed_bytes(files, data):
    path, contents = files
    content = bytearray(data.draw(st.sampled_from(contents)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        if data.draw(st.booleans()):
            content[at] = data.draw(st.integers(0, 255))
        else:
            del content[at : at + data.draw(st.integers(1, 9))]
    imported_or_refused(path, bytes(content))


LENGTHS = st.sampled_from([-(2**63), -1, 0, 1, 2, 3, 7, 10**6, 10**12, 2**63 - 1])
OPERATORS = ["Add", "Concat", "Conv", "Flatten", "Gather", "Gemm", "LSTM", "MatMul", "MaxPool"]
OPERATORS += ["Mul", "Pad", "Reshape", "Resize", "Slice", "Squeeze", "Tile", "Transpose", "Loop"]


@FUZZ
@given(data=st.data())
def test_changed_graphs(files, data):
    path, contents = files
    model = onnx.load_from_string(data.draw(st.sampled_from(contents)))
    graph = model.graph
    for _ in range(data.draw(st.integers(1, 3))):
        node = data.draw(st.sampled_from(list(graph.node)))
        names = [
            *(each.name for each in graph.initializer),
            *(o for n in graph.node for o in n.output),
        ]
        kind = data.draw(
            st.sampled_from(["op", "input", "attribute", "shape", "numbers", "drop", "dims"])
        )
        if kind == "op":
            node.op_type = data.draw(st.sampled_from(OPERATORS))
        elif kind == "input" and node.input:
            node.input[data.draw(st.integers(0, len(node.input) - 1))] = data.draw(
                st.sampled_from(["", "input", *names])
            )
        elif kind == "attribute" and node.attribute:
            attribute = data.draw(st.sampled_from(list(node.attribute)))
            attribute.i = data.draw(LENGTHS)
            attribute.ints[:] = data.draw(st.lists(LENGTHS, max_size=5))
        elif kind == "shape":
            weight = data.draw(st.sampled_from(list(graph.initializer)))
            weight.dims[:] = data.draw(
                st.permutations(list(weight.dims)) | st.lists(LENGTHS, max_size=4)
            )
        elif kind == "numbers":
            weight = data.draw(st.sampled_from(list(graph.initializer)))
            if weight.data_type == TensorProto.INT64:
                size = len(weight.raw_data) // 8
                numbers = data.draw(st.lists(LENGTHS, min_size=size, max_size=size))
                weight.raw_data = np.array(numbers, np.int64).tobytes()
        elif kind == "drop" and len(graph.node) > 1:
            graph.node.remove(node)
        else:
            dims = graph.input[0].type.tensor_type.shape.dim
            dims[data.draw(st.integers(0, len(dims) - 1))].dim_value = data.draw(LENGTHS)
    imported_or_refused(path, model.SerializeToString())


MEMORY = """
import resource, sys, onnx, minidl as dl, minidl.onnx.importing.model
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
try:
    dl.import_onnx(sys.argv[1])
except dl.DataError:
    pass
print(peak() - before)
"""


def numbers_in_text_form():
    """Weights as numbers of the message, not as raw bytes."""
    model = dense()
    weight = helper.make_tensor("w", TensorProto.FLOAT, [3, 10**6], np.ones(3 * 10**6, np.float32))
    model.graph.initializer[0].CopyFrom(weight)
    return model.SerializeToString()


def short_integers():
    """Whole numbers of a byte each, which take eight in memory."""
    size = 10**7
    field = b"\x3a" + varint(size) + bytes(size)
    return b"\x3a" + varint(len(field) + 5) + b"\x2a" + varint(len(field)) + field


@pytest.mark.parametrize("content", ["raw", "numbers", "nodes", "integers"])
def test_memory_stays_within_four_times_the_file(content, tmp_path):
    path = tmp_path / "large.onnx"
    if content == "raw":
        dl.export_onnx(dl.Dense(3000).build((3000,), rng=0), path)
    elif content == "numbers":
        path.write_bytes(numbers_in_text_form())
    elif content == "nodes":
        path.write_bytes(b"\x3a" + varint(2 * 10**7) + b"\x0a\x00" * 10**7)
    else:
        path.write_bytes(short_integers())
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 4 * path.stat().st_size
