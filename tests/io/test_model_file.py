"""Models in files: what comes back, and what a file holds."""

import copy
import dataclasses
import json
import math

import numpy as np
import pytest
from cases import CASES, Shortcut, Unflatten, nested
from safetensors import safe_open
from safetensors.numpy import load_file

import minidl as dl
from minidl.io.model_file import contents_of
from minidl.io.tensor_file import write

OWN = {"Unflatten": Unflatten, "Shortcut": Shortcut}
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["f32", "f64"])


def trained_a_step(case, model, x):
    """Move parameters, gradients and running statistics off their initial values."""
    y = model.forward(x, training=True)
    model.backward(np.random.default_rng(1).normal(size=y.shape).astype(y.dtype))
    model.params -= 0.1 * model.grads


@each_case
@each_dtype
def test_every_layer_comes_back_bit_for_bit(case, dtype, tmp_path):
    model, x, path = case.build(dtype), case.inputs(3, dtype), tmp_path / "model.safetensors"
    trained_a_step(case, model, x)
    model.save(path)
    loaded = dl.load(path, rng=0)
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()
    assert repr(loaded) == repr(model)
    assert loaded.dtype == dtype
    assert loaded.input_shape == model.input_shape
    for mine, its in ((loaded.params, model.params), (loaded.state, model.state)):
        assert mine.tobytes() == its.tobytes()
    assert loaded.predict(x).tobytes() == model.predict(x).tobytes()
    if not case.random:
        trained_a_step(case, model, x)
        trained_a_step(case, loaded, x)
        assert loaded.params.tobytes() == model.params.tobytes()
        assert loaded.state.tobytes() == model.state.tobytes()


@pytest.mark.parametrize("name", ["dense", "batch norm", "sequential", "containers in containers"])
def test_layers_inside_a_users_containers_come_back(name, tmp_path):
    case = CASES[name]
    model = nested(case).build((4,), rng=0)
    model.save(tmp_path / "model")
    loaded = dl.load(tmp_path / "model", layers=OWN)
    x = np.random.default_rng(0).normal(size=(3, 4))
    assert loaded.predict(x).tobytes() == model.predict(x).tobytes()


def test_names_are_readable_and_arrays_in_their_logical_order(tmp_path):
    body = dl.Sequential([dl.Dense(3), dl.BatchNorm()])
    model = dl.Sequential([dl.Dense(3), dl.ReLU(), dl.Residual(body)]).build((2,), rng=0)
    model.save(tmp_path / "model")
    found = load_file(tmp_path / "model")
    inside = "2.residual.0.sequential"
    assert sorted(found) == [
        *("0.dense.bias", "0.dense.weight"),
        *(f"{inside}.0.dense.bias", f"{inside}.0.dense.weight"),
        *(f"{inside}.1.batchnorm.beta", f"{inside}.1.batchnorm.gamma"),
        *(f"{inside}.1.batchnorm.running_mean", f"{inside}.1.batchnorm.running_variance"),
    ]
    np.testing.assert_array_equal(found["0.dense.weight"], model.layers[0].weight)
    np.testing.assert_array_equal(found[f"{inside}.0.dense.weight"], body.layers[0].weight)


def test_a_single_layer_has_its_arrays_by_their_own_names(tmp_path):
    dl.Dense(3).build((2,), rng=0).save(tmp_path / "model")
    assert sorted(load_file(tmp_path / "model")) == ["bias", "weight"]


def test_what_a_file_says_of_its_model(tmp_path):
    model = dl.Sequential([dl.LSTM(2), dl.Dense(1)]).build((None, 3), dtype=float)
    model.layers[0].trainable = False
    model.save(tmp_path / "model")
    with safe_open(tmp_path / "model", "np") as file:
        texts = file.metadata()
    assert texts.pop("architecture").startswith('{"class": "Sequential", "arguments": {"layers": [')
    assert len(texts.pop("sha256")) == 64
    assert texts == {
        "format": "minidl",
        "format_version": "1",
        "minidl_version": dl.__version__,
        "dtype": "float64",
        "input_shape": "[null, 3]",
        "frozen": '["0.lstm"]',
    }


def test_an_open_time_axis_stays_open(tmp_path):
    model = dl.Sequential([dl.Embedding(9, 4, padding_index=0), dl.Bidirectional(dl.GRU(2))])
    model.build((None,), rng=0).save(tmp_path / "model")
    loaded = dl.load(tmp_path / "model")
    assert loaded.input_shape == (None,)
    x = np.array([[3, 1, 0, 0, 0], [2, 8, 8, 1, 4]])
    assert loaded(x).tobytes() == model(x).tobytes()


def test_frozen_layers_stay_frozen(tmp_path):
    inner = dl.Bidirectional(dl.SimpleRNN(2))
    model = dl.Sequential([inner, dl.Sequential([dl.Dense(3), dl.BatchNorm()])])
    model.build((4, 2), rng=0)
    model.layers[1].trainable = inner.backward_layer.trainable = False
    model.save(tmp_path / "model")
    loaded = dl.load(tmp_path / "model")
    assert [layer.trainable for layer in loaded.walk()] == [1, 1, 1, 0, 0, 1, 1]
    np.testing.assert_array_equal(loaded.trainable_mask, model.trainable_mask)
    model.trainable = False
    model.save(tmp_path / "model")
    assert dl.load(tmp_path / "model").frozen


def test_standardised_features_need_no_data_again(tmp_path):
    x = np.random.default_rng(0).normal(5.0, 3.0, (20, 2))
    model = dl.Sequential([dl.Standardize().adapt(x), dl.Dense(2)]).build((2,), rng=0)
    model.save(tmp_path / "model")
    assert dl.load(tmp_path / "model")(x).tobytes() == model(x).tobytes()
    blank = dl.Standardize().build((2,))
    blank.save(tmp_path / "blank")
    with pytest.raises(dl.StateError, match="does not know mean and standard deviation"):
        dl.load(tmp_path / "blank")(x)


def test_penalties_and_limits_hold_on(tmp_path):
    make = {"weight_penalty": dl.L1L2(0.1, 0.2), "weight_constraint": dl.MaxNorm(0.5)}
    model = dl.Sequential([dl.Dense(2, **make)]).build((3,), rng=0)
    model.save(tmp_path / "model")
    loaded = dl.load(tmp_path / "model")
    assert loaded.layers[0].weight_penalty == dl.L1L2(0.1, 0.2)
    x, y = np.ones((4, 3), np.float32), np.zeros((4, 2))
    losses = []
    for each in (model, loaded):
        objective = dl.Objective(each, dl.MeanSquaredError())
        losses.append(objective.value_and_grad(x, y)[0])
        objective.constrain()
    assert losses[0] == losses[1]
    assert loaded.params.tobytes() == model.params.tobytes()


def test_the_seed_of_random_layers_is_given_anew(tmp_path):
    model = dl.Sequential([dl.Dropout(0.5)]).build((50,), rng=3)
    model.save(tmp_path / "model")
    x = np.ones((2, 50), np.float32)
    draws = [dl.load(tmp_path / "model", rng=r).forward(x, training=True) for r in (3, 3, 4)]
    np.testing.assert_array_equal(draws[0], draws[1])
    np.testing.assert_array_equal(draws[0], model.forward(x, training=True))
    assert (draws[0] != draws[2]).any()


def test_no_initial_values_are_drawn(tmp_path, monkeypatch):
    dl.Dense(3, weight_initializer=dl.Orthogonal()).build((4,), rng=0).save(tmp_path / "model")
    monkeypatch.delattr(dl.Orthogonal, "__call__")
    monkeypatch.setattr(dl.Orthogonal, "__call__", lambda *_: pytest.fail("drawn"), raising=False)
    assert dl.load(tmp_path / "model").weight.any()


def test_values_that_are_not_finite_are_kept(tmp_path):
    """A model that diverged is worth looking at, too."""
    model = dl.Dense(2).build((2,), rng=0)
    model.weight = [[np.nan, np.inf], [-np.inf, -0.0]]
    model.save(tmp_path / "model")
    assert dl.load(tmp_path / "model").params.tobytes() == model.params.tobytes()


def test_what_a_checkpoint_has_besides_is_passed_over(tmp_path):
    model = dl.Dense(2).build((2,), rng=0)
    tensors, texts = contents_of(model)
    more = {"training.velocity": np.zeros(6), "training.order": np.arange(3)}
    write(tmp_path / "model", {**tensors, **more}, {**texts, "training": "{}"})
    assert dl.load(tmp_path / "model").params.tobytes() == model.params.tobytes()


def test_paths(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    model = dl.Dense(2).build((2,), rng=0)
    model.save("~/new/folder/model.safetensors")
    assert (tmp_path / "new/folder/model.safetensors").exists()
    assert repr(dl.load("~/new/folder/model.safetensors")) == "Dense(2)"
    with pytest.raises(dl.ArgumentError, match=r"folder is a folder\. Name a file"):
        model.save("~/new/folder")
    with pytest.raises(dl.ArgumentError, match=r"folder is a folder\. Name a file"):
        dl.load("~/new/folder")
    with pytest.raises(FileNotFoundError, match="absent"):
        dl.load(tmp_path / "absent")


def test_only_whole_models_are_saved(tmp_path):
    model = dl.Sequential([dl.Dense(2)])
    with pytest.raises(dl.StateError, match="Sequential: is not built"):
        model.save(tmp_path / "model")
    layer = model.build((3,), rng=0).layers[0]
    with pytest.raises(dl.StateError, match=r"Dense\(2\) in layer 0 .* is a part of a model"):
        layer.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    copy.deepcopy(layer).build((3,)).save(tmp_path / "model")
    np.testing.assert_array_equal(dl.load(tmp_path / "model").weight, layer.weight)


# --- a user's own classes ------------------------------------------------------------------------


class Blend(dl.Layer):
    """Arguments of all kinds."""

    def __init__(self, matrix, *, shape=(1, 2), limits=None, name="é", **others):
        self.matrix, self.shape, self.limits, self.name = matrix, shape, limits, name

    def config(self):
        return {
            "matrix": self.matrix,
            "shape": self.shape,
            "limits": self.limits,
            "name": self.name,
        }

    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward()
        return np.matmul(x, self.matrix.astype(x.dtype), out=out)

    def backward(self, dy, *, input_grad=True, out=None):
        self.saved()
        return np.matmul(dy, self.matrix.T.astype(dy.dtype), out=out)


@dataclasses.dataclass(frozen=True)
class Diagonal(dl.Initializer):
    value: complex

    def __call__(self, rng, shape, fan_in, fan_out):
        return np.real(self.value) * np.eye(*shape)


def test_arguments_of_all_kinds_come_back(tmp_path):
    matrix = np.array([[1.5, np.nan], [0.1, 2.0]], np.float32).T
    limits = {"low": -np.inf, "high": [np.float32(0.1), None, True, (np.int64(3), "a")]}
    Blend(matrix, limits=limits).build((2,)).save(tmp_path / "model")
    loaded = dl.load(tmp_path / "model", layers={"Blend": Blend})
    np.testing.assert_array_equal(loaded.matrix, matrix)
    assert loaded.matrix.dtype == np.float32
    assert loaded.shape == (1, 2)
    assert loaded.name == "é"
    assert loaded.limits == {
        "low": -math.inf,
        "high": [float(np.float32(0.1)), None, True, (3, "a")],
    }
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()


@pytest.mark.parametrize("matrix", [np.zeros((0, 3)), np.array(2), np.array([True]), np.arange(3)])
def test_arrays_of_all_shapes_come_back(matrix, tmp_path):
    Blend(matrix).build((2,)).save(tmp_path / "model")
    loaded = dl.load(tmp_path / "model", layers={"Blend": Blend}).matrix
    np.testing.assert_array_equal(loaded, matrix, strict=True)


def test_own_initializers(tmp_path):
    model = dl.Dense(2, weight_initializer=Diagonal(0.5)).build((2,))
    model.save(tmp_path / "model")
    with pytest.raises(dl.DataError, match=r"'Diagonal', .* layers=\{'Diagonal': Diagonal\}"):
        dl.load(tmp_path / "model")
    loaded = dl.load(tmp_path / "model", layers={"Diagonal": Diagonal})
    assert loaded.weight_initializer == Diagonal(0.5)


def test_a_class_of_ones_own_is_not_mistaken_for_minidls(tmp_path):
    class Tanh(dl.Layer):
        def forward(self, x, *, training=False, out=None):
            return np.multiply(x, 2, out=out)

        def backward(self, dy, *, input_grad=True, out=None):
            return np.multiply(dy, 2, out=out)

    dl.Sequential([Tanh(), dl.Tanh()]).build((1,)).save(tmp_path / "model")
    with pytest.raises(dl.DataError, match="model: its model cannot be made: it has 'Tanh', a cla"):
        dl.load(tmp_path / "model")
    loaded = dl.load(tmp_path / "model", layers={"Tanh": Tanh})
    assert [type(layer) for layer in loaded.layers] == [Tanh, dl.Tanh]
    other = type("Tanh", (Tanh,), {})
    with pytest.raises(dl.ArgumentError, match=r"the model has two classes Tanh, from .* Rename"):
        dl.Sequential([Tanh(), other()]).build((1,)).save(tmp_path / "model")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            {"Blend": Blend(np.eye(2))},
            r'layers must have the classes .*\{"Swish": Swish\}, got Ble',
        ),
        ({"Blend": str}, "got <class 'str'> for 'Blend'"),
        ([Blend], "layers must be a Mapping, got"),
    ],
)
def test_layers_are_classes_by_name(layers, message, tmp_path):
    Blend(np.eye(2)).build((2,)).save(tmp_path / "model")
    with pytest.raises(dl.ArgumentTypeError, match=message):
        dl.load(tmp_path / "model", layers=layers)


def test_arguments_that_no_file_can_hold_are_named(tmp_path):
    model = dl.Sequential([dl.Dense(2), Blend(np.eye(2), limits={1, 2})]).build((2,))
    with pytest.raises(
        dl.ArgumentError,
        match=r"Blend.* in layer 1 of Sequential: the argument 'limits' is \{1, 2\}, which a model",
    ):
        model.save(tmp_path / "model")
    model = dl.Dense(2, weight_initializer=Diagonal(np.complex64(1))).build((2,))
    with pytest.raises(
        dl.ArgumentError,
        match=r"'weight_initializer': Diagonal: the argument 'value' is .*1.*, which a model file",
    ):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


class Doubled(dl.Dense):
    """Does not keep its argument as it is."""

    def __init__(self, units):
        super().__init__(2 * units)


class Several(dl.ReLU):
    def __init__(self, *levels):
        self.levels = levels


class Forgetful(dl.ReLU):
    def __init__(self, *levels):
        self.all_levels = levels


class Stack(dl.Sequential):
    """A subclass of a container, with its constructor."""


def test_arguments_without_names_are_not_lost(tmp_path):
    for layer in (Several(1, 2), Forgetful(1, 2)):
        with pytest.raises(
            dl.ArgumentError,
            match=r" in layer 0 of Sequential: a model file cannot hold .* takes as \*levels\. Tak",
        ):
            dl.Sequential([layer]).build((3,)).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
    Stack([Several()]).build((3,)).save(tmp_path / "model")
    assert repr(dl.load(tmp_path / "model", layers={"Several": Several, "Stack": Stack}))


class Careless(dl.Initializer):
    def __init__(self, value):
        self._value = value

    def __call__(self, rng, shape, fan_in, fan_out):
        return np.full(shape, self._value)


def test_what_would_not_come_back_is_not_saved(tmp_path):
    with pytest.raises(
        dl.ArgumentError,
        match=r"Doubled\(4\) in layer 0 of Sequential: would not come back as it is",
    ):
        dl.Sequential([Doubled(2)]).build((3,)).save(tmp_path / "model")
    backward_differs = dl.Bidirectional(dl.GRU(2))
    backward_differs.backward_layer.weight_penalty = dl.L2(0.1)
    with pytest.raises(dl.ArgumentError, match=r"GRU.* in layer 1 of Bidirectional: would not"):
        backward_differs.build((3, 1)).save(tmp_path / "model")
    deep = dl.ReLU()
    for _ in range(40):
        deep = dl.Sequential([deep])
    with pytest.raises(dl.ArgumentError, match=r"would not come back: .* nested more than 64 deep"):
        deep.build((3,)).save(tmp_path / "model")
    with pytest.raises(dl.ArgumentError, match="Careless: keeps no attribute 'value'"):
        dl.Dense(2, weight_initializer=Careless(1)).build((2,)).save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_file_is_data_that_json_can_read(tmp_path):
    dl.Dense(2).build((2,)).save(tmp_path / "model")
    with safe_open(tmp_path / "model", "np") as file:
        found = json.loads(file.metadata()["architecture"])
    assert found["class"] == "Dense"
    assert found["arguments"]["weight_initializer"] == {"class": "HeNormal", "arguments": {}}


@pytest.mark.parametrize("limits", [list(range(300_000)), "x" * 10_000_000])
def test_what_could_not_be_read_again_is_not_written(limits, tmp_path):
    model = Blend(np.eye(2), limits=limits).build((2,))
    with pytest.raises(dl.ArgumentError, match=r"save: .*(more than 262,144|too many)"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())
