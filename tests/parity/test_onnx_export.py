"""ONNX files: onnxruntime computes from them what minidl does."""

import inspect
import os
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from cases import CASES
from hypothesis import HealthCheck, given, settings
from parity import random_models
from parity.onnx_running import difference, exported, run, session

import minidl as dl
from minidl.onnx.export.graph import FLOAT32_ONLY

PAGE = Path(__file__).parents[2] / "docs/api/onnx.md"


def operators(proto):
    """The kinds of the graph's nodes in order, those inside a Scan behind it."""
    for node in proto.graph.node:
        yield node.op_type
        for attribute in node.attribute:
            yield from (inner.op_type for inner in attribute.g.node)


def documented():
    """The table of docs/api/onnx.md: for each layer the operators that it may become."""
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    return {
        layer: set(re.findall(r"`(\w+)`", operators))
        for layers, operators in rows
        for layer in re.findall(r"\w+", layers)
    }


@pytest.mark.parametrize("name", CASES)
def test_every_layer_in_every_form(name, tmp_path):
    case = CASES[name]
    model = case.build(np.float32)
    proto = exported(model, tmp_path / "model.onnx")
    running = session(tmp_path / "model.onnx")
    for n in (1, 5):  # the same file
        x = case.inputs(n, np.float32)
        assert difference(model.predict(x), run(running, x)) < 1e-5
    layers = {type(layer).__name__ for layer in model.walk()}
    allowed = set().union({"Transpose"}, *(documented()[layer] for layer in layers))
    found = list(operators(proto))
    assert found == ["Identity"] or set(found) <= allowed


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(model=random_models.models())
def test_random_networks(model, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "random.onnx"
    exported(model, file)
    running, rng = session(file), np.random.default_rng(0)
    for n in (1, 4):
        x = random_models.batch(model, n, rng)
        try:
            mine = model.predict(x)
        except dl.ShapeError:  # a sequence shorter than a window
            continue
        theirs = run(running, x)
        assert theirs.shape == mine.shape
        assert np.abs(mine - theirs).max() < 1e-5 * max(np.abs(mine).max(), 1)


def recurrent(*kinds):
    return [kind(3, return_sequences=True) for kind in kinds]


@pytest.mark.parametrize("steps", [6, None])
@pytest.mark.parametrize(
    "layers",
    [
        lambda: recurrent(dl.SimpleRNN, dl.GRU, dl.LSTM),
        lambda: [dl.SimpleRNN(2)],
        lambda: [dl.LSTM(2)],
        lambda: [dl.GRU(2)],
        lambda: [dl.Bidirectional(layer) for layer in recurrent(dl.LSTM, dl.GRU)],
        lambda: [dl.Bidirectional(dl.SimpleRNN(2))],
        lambda: [dl.MultiHeadSelfAttention(2), dl.MultiHeadSelfAttention(2, causal=True)],
        lambda: [dl.GlobalAveragePool1D()],
        lambda: [dl.PositionalEncoding(), dl.Residual(dl.MultiHeadSelfAttention(1)), dl.LSTM(2)],
        lambda: [dl.Conv1D(4, 3, padding="same"), dl.LSTM(2)],  # where the mask goes on
        lambda: [dl.Conv1D(4, 3), dl.LSTM(2)],  # and where it ends
        lambda: [dl.MaxPool1D(1), dl.LSTM(2)],
        lambda: [dl.Reshape((-1, 2)), dl.LSTM(2)],
        lambda: [dl.Parallel([dl.Masking(), dl.Sequential([dl.Masking(9), dl.Tanh()])]), dl.GRU(2)],
    ],
)
def test_steps_that_do_not_count(layers, steps, tmp_path):
    model = dl.Sequential([dl.Masking(), *layers()]).build((steps, 4), rng=0)
    exported(model, tmp_path / "model.onnx")
    x = np.random.default_rng(0).normal(size=(4, 6, 4)).astype(np.float32)
    x[0, :2] = x[1, 2:4] = x[2, 4:] = x[3] = 0  # in front, within, behind, and all
    x[1, 5] = 9
    assert difference(model.predict(x), run(session(tmp_path / "model.onnx"), x)) < 1e-5


@pytest.mark.parametrize("steps", range(4, 11))
@pytest.mark.parametrize(
    "layer",
    [
        *(dl.Conv1D(2, 3, padding=padding) for padding in ("valid", "same", "causal", 2)),
        *(dl.Conv1D(2, 3, padding=padding, stride=2) for padding in ("valid", "same", "causal", 2)),
        dl.Conv1D(2, 2, padding="same", stride=3),
        dl.Conv1D(2, 2, padding="same", stride=2, dilation=2),
        dl.MaxPool1D(3, 2, padding="same"),
        dl.MaxPool1D(2, 4, padding="same"),
        dl.PositionalEncoding(),
        dl.GroupNorm(1),
        dl.Reshape((-1, 1)),
    ],
    ids=repr,
)
def test_sequences_of_any_length(layer, steps, tmp_path):
    model = layer.detached_copy().build((None, 2), rng=0)
    exported(model, tmp_path / "model.onnx")
    x = np.random.default_rng(0).normal(size=(2, steps, 2)).astype(np.float32)
    assert difference(model.predict(x), run(session(tmp_path / "model.onnx"), x)) < 1e-5


def test_positions_far_away(tmp_path):
    model = dl.PositionalEncoding().build((None, 4))
    exported(model, tmp_path / "model.onnx")
    x = np.zeros((1, 10_000, 4), np.float32)
    assert difference(model.predict(x), run(session(tmp_path / "model.onnx"), x)) < 1e-6


def test_the_table_has_every_layer():
    kinds = {
        name
        for name in dl.__all__
        if inspect.isclass(getattr(dl, name))
        and issubclass(getattr(dl, name), dl.Layer)
        and not inspect.isabstract(getattr(dl, name))
    }
    assert set(documented()) == kinds
    assert kinds == {
        type(layer).__name__ for case in CASES.values() for layer in case.make().walk()
    }


def test_the_reference_network(tmp_path):
    layers = [dl.Dense(10), dl.ReLU(), dl.Dense(10), dl.Softmax()]
    model = dl.Sequential(layers).build((784,), rng=0)
    proto = exported(model, tmp_path / "digits.onnx")
    assert [(node.op_type, list(node.input), list(node.output)) for node in proto.graph.node] == [
        ("Gemm", ["input", "0.dense.weight", "0.dense.bias"], ["0.dense.gemm"]),
        ("Relu", ["0.dense.gemm"], ["1.relu.relu"]),
        ("Gemm", ["1.relu.relu", "2.dense.weight", "2.dense.bias"], ["2.dense.gemm"]),
        ("Softmax", ["2.dense.gemm"], ["output"]),
    ]
    weights = {w.name: onnx.numpy_helper.to_array(w) for w in proto.graph.initializer}
    np.testing.assert_array_equal(weights["0.dense.weight"], layers[0].weight)
    np.testing.assert_array_equal(weights["2.dense.bias"], layers[2].bias)
    assert (proto.producer_name, proto.producer_version) == ("minidl", dl.__version__)
    assert {(p.key, p.value) for p in proto.metadata_props} == {("minidl_version", dl.__version__)}
    assert ([each.version for each in proto.opset_import], proto.ir_version) == ([20], 9)


IN_BETWEEN = {
    "images": (
        lambda: [
            *(dl.Conv2D(4, 3, padding="same"), dl.BatchNorm(), dl.ReLU(), dl.MaxPool2D()),
            dl.Residual(dl.Sequential([dl.Conv2D(4, 3, padding="same"), dl.PReLU()])),
            dl.Parallel([dl.Conv2D(2, 1), dl.Softmax()]),
            *(dl.Dropout(0.5), dl.Flatten(), dl.Dense(2)),
        ],
        (8, 8, 3),
        [
            *("Transpose", "Conv", "BatchNormalization", "Relu", "MaxPool"),
            *("Conv", "PRelu", "Add", "Conv", "Softmax", "Concat", "Transpose", "Flatten", "Gemm"),
        ],
    ),
    "branches": (
        lambda: [dl.Parallel([dl.Conv2D(3, 1), dl.Tanh()], "add")],
        (4, 5, 3),
        ["Transpose", "Conv", "Tanh", "Transpose", "Add", "Transpose"],
    ),
    "sequences": (
        lambda: [
            *(dl.Conv1D(4, 2), dl.Dense(3), dl.LSTM(2, return_sequences=True)),
            *(dl.Dense(3, use_bias=False), dl.LayerNorm(), dl.LSTM(2, return_sequences=True)),
            *(dl.RMSNorm(), dl.GlobalAveragePool1D()),
        ],
        (6, 3),
        [
            *("Transpose", "Conv", "Transpose", "MatMul", "Add", "Transpose", "LSTM", "Squeeze"),
            *("MatMul", "LayerNormalization", "LSTM", "Squeeze"),
            *("Mul", "ReduceMean", "Add", "Sqrt", "Div", "Mul", "ReduceMean"),
        ],
    ),
}


@pytest.mark.parametrize("kind", IN_BETWEEN)
def test_axes_are_turned_where_an_operator_needs_it_alone(kind, tmp_path):
    layers, shape, wanted = IN_BETWEEN[kind]
    model = dl.Sequential(layers()).build(shape, rng=0)
    assert list(operators(exported(model, tmp_path / "model.onnx"))) == wanted
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    assert difference(model.predict(x), run(session(tmp_path / "model.onnx"), x)) < 1e-5


def test_open_axes_have_names(tmp_path):
    model = dl.Sequential([dl.LSTM(3, return_sequences=True)]).build((None, 2), rng=0)
    graph = exported(model, tmp_path / "model.onnx").graph
    shapes = [
        [dim.dim_param or dim.dim_value for dim in each.type.tensor_type.shape.dim]
        for each in (*graph.input, *graph.output)
    ]
    assert shapes == [["N", "T", 2], ["N", "T", 3]]


@pytest.mark.parametrize("name", ["containers in containers", "padded gru", "conv, same, stride"])
def test_the_same_model_gives_the_same_bytes(name, tmp_path):
    model = CASES[name].build(np.float32)
    paths = [tmp_path / "a.onnx", tmp_path / "folder" / "b.onnx"]
    for path in paths:
        dl.export_onnx(model, os.fspath(path))
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert {path.name for path in tmp_path.rglob("*.onnx")} == {"a.onnx", "b.onnx"}


def test_float64_where_onnxruntime_has_it(tmp_path):
    refused = set()
    for case in CASES.values():
        model = case.build(np.float64)
        try:
            exported(model, tmp_path / "model.onnx")
        except dl.DTypeError as error:
            refused.add(re.search(r"onnxruntime has (\w+) for float32 alone", str(error))[1])
            model.detached_copy().build(model.input_shape)  # as the message says
            continue
        x = case.inputs(3, np.float64)
        # 1e-8: of an epsilon, and of numbers such as an alpha, ONNX has a float32
        assert difference(model.predict(x), run(session(tmp_path / "model.onnx"), x)) < 1e-8
    assert refused == FLOAT32_ONLY


def test_a_float64_model_goes_by_a_copy_in_float32(tmp_path):
    model = dl.Sequential([dl.Conv1D(2, 2), dl.Flatten()]).build((4, 1), rng=0, dtype=np.float64)
    with pytest.raises(dl.DTypeError, match=r"Conv1D.* in layer 0 .*onnxruntime has Conv for"):
        dl.export_onnx(model, tmp_path / "model.onnx")
    assert not any(tmp_path.iterdir())
    exported(model.detached_copy().build(model.input_shape), tmp_path / "model.onnx")
    x = np.random.default_rng(0).normal(size=(3, 4, 1))
    y = run(session(tmp_path / "model.onnx"), x.astype(np.float32))
    np.testing.assert_allclose(y, model.predict(x), rtol=1e-5, atol=1e-6)


class Square(dl.Layer):
    def forward(self, x, *, training=False, out=None):
        return x * x

    def backward(self, dy, *, input_grad=True, out=None):
        raise NotImplementedError


class Twice(dl.Dense):
    """Of a kind that has a translation, but with a formula of its own."""

    def forward(self, x, *, training=False, out=None):
        return 2 * super().forward(x, training=training)


class Halved(dl.Residual):
    def forward(self, x, *, training=False, out=None):
        return super().forward(x, training=training) / 2


class Louder(dl.Parallel):
    def forward(self, x, *, training=False, out=None):
        return 2 * super().forward(x, training=training)


class Around(dl.Layer):
    """A container of a user's own."""

    def __init__(self, body):
        self.body, self.children = body, [body]

    def forward(self, x, *, training=False, out=None):
        return self.body.forward(x, training=training)

    def backward(self, dy, *, input_grad=True, out=None):
        return self.body.backward(dy, input_grad=input_grad)


def test_a_layer_of_ones_own_needs_a_translation(tmp_path):
    model = dl.Sequential([dl.Dense(3), Square()]).build((2,), rng=0)
    message = r"Square\(\) in layer 1 of Sequential: Square has no translation .* Give one: "
    with pytest.raises(dl.ArgumentError, match=message):
        dl.export_onnx(model, tmp_path / "model.onnx")
    translations = {Square: lambda graph, layer, x: graph.op("Mul", x, x)}
    exported(model, tmp_path / "model.onnx", translations=translations)
    x = np.ones((1, 2), np.float32)
    assert difference(model.predict(x), run(session(tmp_path / "model.onnx"), x)) < 1e-5
    with pytest.raises(dl.ArgumentTypeError, match=r"output of Square.* must be a Value, got 'x'"):
        dl.export_onnx(model, tmp_path / "a.onnx", translations={Square: lambda *_: "x"})


def test_what_is_not_minidls_own_is_refused(tmp_path):
    for layer, message in (
        (Twice(2), "Twice has no translation to ONNX. Give one"),
        (Around(dl.Dense(2)), "Around has no translation to ONNX. Put its layers into a"),
        (Halved(dl.Dense(2)), "Halved has no translation to ONNX. Put its layers into a"),
        (Louder([dl.Dense(2)]), "Louder has no translation to ONNX. Put its layers into a"),
    ):
        with pytest.raises(dl.ArgumentError, match=message):
            dl.export_onnx(layer.build((2,), rng=0), tmp_path / "model.onnx")
    with pytest.raises(dl.ArgumentTypeError, match=r"a function for each class .* got 'Square'"):
        dl.export_onnx(Square().build((2,)), tmp_path / "model.onnx", translations={"Square": run})


def test_subclasses_that_compute_the_same_go_as_their_kind(tmp_path):
    class Block(dl.Residual):
        def __init__(self, units):
            self.units = units
            super().__init__(dl.Sequential([dl.Dense(units), dl.Tanh()]))

    class Wide(dl.Dense):
        def __init__(self):
            super().__init__(4)

    class Cell(dl.LSTM):
        def step(self, a, old, new):
            super().step(a, old, new)
            new *= 2

    model = dl.Sequential([Wide(), Block(4)]).build((3,), rng=0)
    exported(model, tmp_path / "model.onnx")
    x = np.ones((2, 3), np.float32)
    assert difference(model.predict(x), run(session(tmp_path / "model.onnx"), x)) < 1e-5
    for layer in (Cell(2), dl.Bidirectional(Cell(2))):
        with pytest.raises(dl.ArgumentError, match=r"Cell\(2\).*: Cell has no translation"):
            dl.export_onnx(layer.build((3, 1), rng=0), tmp_path / "model.onnx")


class Marking(Square):
    def compute_mask(self, x):
        return np.ones(x.shape[:2], bool)


def test_masks_of_ones_own_are_refused_where_a_layer_takes_them(tmp_path):
    translations = {Marking: lambda graph, layer, x: graph.op("Mul", x, x)}
    heard = dl.Sequential([Marking(), dl.LSTM(2)]).build((3, 2), rng=0)
    with pytest.raises(dl.ArgumentError, match=r"Marking\(\) in layer 0 .*its mask has no trans"):
        dl.export_onnx(heard, tmp_path / "model.onnx", translations=translations)
    unheard = dl.Sequential([Marking(), dl.Dense(2)]).build((3, 2), rng=0)
    exported(unheard, tmp_path / "model.onnx", translations=translations)


def test_models_that_are_not_ready(tmp_path):
    with pytest.raises(dl.StateError, match="is not built"):
        dl.export_onnx(dl.Dense(2), tmp_path / "model.onnx")
    with pytest.raises(dl.StateError, match=r"Standardize\(\) in layer 0 .*Call adapt\(x\)"):
        dl.export_onnx(dl.Sequential([dl.Standardize()]).build((2,)), tmp_path / "model.onnx")
    with pytest.raises(dl.ArgumentTypeError, match="model must be a Layer"):
        dl.export_onnx("model", tmp_path / "model.onnx")
    with pytest.raises(dl.ArgumentError, match="is a folder"):
        dl.export_onnx(dl.Tanh().build((2,)), tmp_path)
    assert not any(tmp_path.iterdir())


def test_without_onnx(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"pip install minidl\[onnx\]"):
        dl.export_onnx(dl.Tanh().build((2,)), tmp_path / "model.onnx")
