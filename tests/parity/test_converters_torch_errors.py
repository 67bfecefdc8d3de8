"""PyTorch's modules and state_dicts that do not become minidl's models, and why."""

import re

import numpy as np
import pytest
from torch import nn

import minidl as dl

IMAGE, ODD = (8, 6, 3), (7, 9, 2)
SHARED = nn.Linear(4, 4)


class Mine(nn.Module):
    def forward(self, x):
        return 2 * x


REFUSED = {
    "unknown layer": (
        nn.Sequential(nn.Linear(2, 2), nn.Hardswish()),
        (2,),
        r"module 1 \(Hardswish\): it",
    ),
    "place in nested networks": (
        nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Mish())),
        (2,),
        r"module 1\.1 \(Mish\): it is not a layer that minidl knows",
    ),
    "a module's own forward": (
        type("Twice", (nn.ReLU,), {"forward": lambda self, x: 2 * x})(),
        (2,),
        r"from_torch: Twice: it is not a layer",
    ),
    "padding mode": (
        nn.Conv2d(3, 2, 3, padding_mode="reflect"),
        IMAGE,
        "padding_mode=reflect has no",
    ),
    "groups": (nn.ConvTranspose2d(2, 2, 2, groups=2), ODD, "groups=2 has no counterpart in minidl"),
    "output padding": (
        nn.ConvTranspose2d(3, 2, 3, 2, output_padding=1),
        IMAGE,
        r"output_padding=\(1, 1\) is more than padding=\(0, 0\)",
    ),
    "pooling windows": (nn.MaxPool2d(3, 2, 1), IMAGE, r"padding=1 and ceil_mode=False its windows"),
    "pooling of an open length": (nn.MaxPool1d(2, ceil_mode=True), (None, 3), "ceil_mode=True its"),
    "dilation of pooling": (nn.MaxPool2d(2, dilation=2), IMAGE, "dilation=2 has no counterpart"),
    "indices of pooling": (
        nn.MaxPool2d(2, return_indices=True),
        IMAGE,
        "return_indices=True has no",
    ),
    "means of padding": (nn.AvgPool2d(3, 1, 1), IMAGE, "count_include_pad=True has no counterpart"),
    "divisor": (
        nn.AvgPool2d(3, divisor_override=2),
        IMAGE,
        "divisor_override=2 has no counterpart",
    ),
    "adaptive pooling": (
        nn.AdaptiveAvgPool2d(4),
        IMAGE,
        r"output_size=4 does not divide the \(8, 6\)",
    ),
    "interpolation": (nn.Upsample(scale_factor=2, mode="bilinear"), IMAGE, "mode=bilinear has no"),
    "factor": (nn.Upsample(scale_factor=1.5), IMAGE, r"its factors \(1\.5, 1\.5\) are not whole"),
    "axis of softmax": (nn.Softmax(dim=2), IMAGE, "dim=2 is not the axis of classes, here 1"),
    "axis of softmax, steps": (
        nn.Softmax(dim=1),
        (4, 5),
        "dim=1 is not the axis of classes, here 2",
    ),
    "no axis of softmax": (nn.Softmax(), (4, 5), "dim=None is not the axis of classes, here 2"),
    "axes of layer norm": (
        nn.LayerNorm((4, 5)),
        (4, 5),
        r"normalized_shape=\(4, 5\) is not the axis",
    ),
    "layer norm of rows": (nn.LayerNorm(6), IMAGE, r"normalized_shape=\(6,\) is not the axis"),
    "slopes of steps": (nn.PReLU(4), (4, 5), "its slopes are for axis 1, which is not that of"),
    "cumulative mean": (nn.BatchNorm1d(2, momentum=None), (2,), "momentum=None, a cumulative mean"),
    "no running values": (
        nn.BatchNorm1d(2, track_running_stats=False),
        (2,),
        "track_running_stats=False has no counterpart",
    ),
    "softplus": (nn.Softplus(beta=2), (2,), "beta=2 has no counterpart in minidl, only 1"),
    "largest norm": (nn.Embedding(3, 2, max_norm=1.0), (2,), "max_norm=1.0 has no counterpart"),
    "order of time": (nn.LSTM(3, 4), (5, 3), "batch_first=False has no counterpart"),
    "projection": (nn.LSTM(3, 4, proj_size=2, batch_first=True), (5, 3), "proj_size=2 has no"),
    "relu in time": (
        nn.RNN(3, 4, nonlinearity="relu", batch_first=True),
        (5, 3),
        "nonlinearity=relu",
    ),
    "padding before recurrence": (
        nn.Sequential(nn.Embedding(3, 2, padding_idx=0), nn.GRU(2, 2, batch_first=True)),
        (5,),
        r"module 1 \(GRU\): PyTorch runs over the padding",
    ),
    "shared weights": (
        nn.Sequential(SHARED, nn.ReLU(), SHARED),
        (4,),
        "module 2 .* it stands in the",
    ),
    "part of the axes": (nn.Flatten(2), IMAGE, "start_dim=2 has no counterpart in minidl, only 1"),
    "some of the axes": (nn.Flatten(1, 2), IMAGE, "end_dim=2 leaves axes, and minidl flattens all"),
    "no images": (nn.Unflatten(1, (2, 2, 2, 2)), (16,), "it does not make images or sequences of"),
    "two orders of sequences": (
        nn.Sequential(nn.Conv1d(3, 4, 2), nn.Linear(8, 2)),
        (9, 3),
        r"takes sequences \(N, T, C\), and those in front of it are \(N, C, T\)",
    ),
    "the other way round": (
        nn.Sequential(nn.Embedding(5, 9), nn.Conv1d(3, 4, 2)),
        (3,),
        r"takes sequences \(N, C, T\), and those in front of it are \(N, T, C\)",
    ),
    "flattened at the end": (
        nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Tanh()),
        IMAGE,
        "features between Flatten.* and the output in another order",
    ),
    "made of vectors at the start": (
        nn.Unflatten(1, (3, 2, 2)),
        (12,),
        r"features between the input and Reshape.* in another order",
    ),
    "groups of flattened channels": (
        nn.Sequential(nn.Flatten(), nn.GroupNorm(2, 144), nn.Linear(144, 2)),
        IMAGE,
        r"features between Flatten.* and GroupNorm\(2\).* in another order",
    ),
    "weights made of others": (
        nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
        (4,),
        "its weights are computed from others",
    ),
    "of one's own": (
        nn.Sequential(nn.Sequential(Mine(), nn.ReLU())),
        None,
        r"module 0.0 \(Mine\): it is not a layer that minidl knows",
    ),
    "no shape": (
        nn.Conv2d(1, 2, 3),
        None,
        "begins with Conv2d does not tell the shape of its input",
    ),
}


@pytest.mark.filterwarnings("ignore:.*dim. for .* has been deprecated:UserWarning")
@pytest.mark.parametrize(("module", "shape", "message"), REFUSED.values(), ids=REFUSED)
def test_what_minidl_lacks_is_named(module, shape, message):
    with pytest.raises(dl.ArgumentError, match=f"(?s){message}"):
        dl.from_torch(module, input_shape=shape)


def test_a_module_that_does_not_fit_its_input():
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(10, 2))
    with pytest.raises(
        dl.DataError, match=r"(?s)module 2 \(Linear\): weight: expected shape \(2, 96\)"
    ):
        dl.from_torch(module, input_shape=IMAGE)
    with pytest.raises(
        dl.ShapeError, match=r"module 0 \(Conv2d\): .* expected input of shape \(N, H"
    ):
        dl.from_torch(module, input_shape=(8, 6))


def test_a_row_of_padding_that_is_not_zero():
    module = nn.Embedding(7, 3, padding_idx=1)
    nn.init.ones_(module.weight)
    with pytest.raises(dl.DataError, match="the vector of padding_index 1 is not zero, as it is"):
        dl.from_torch(module)


def test_every_mismatch_of_a_state_dict_is_named():
    state = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).state_dict()
    model = dl.Sequential([dl.Dense(5), dl.LayerNorm(), dl.Dense(2, use_bias=False), dl.Dense(1)])
    model.build((3,), rng=0)
    before = model.params.copy()
    with pytest.raises(dl.DataError, match="does not fit the model") as caught:
        dl.from_torch(state, model)
    shown = re.sub(r" in layer \d of Sequential", "", str(caught.value))
    assert shown.splitlines()[1:] == [
        "  module '0' and Dense(5): weight: expected shape (5, 3), got (4, 3)",
        "  module '0' and Dense(5): bias: expected shape (5,), got (4,)",
        "  module '1' and LayerNorm(): weight: expected shape (5,), got (4,)",
        "  module '1' and LayerNorm(): bias: expected shape (5,), got (4,)",
        "  module '1' and LayerNorm(): running_mean of shape (4,) has no place",
        "  module '1' and LayerNorm(): running_var of shape (4,) has no place",
        "  module '2' and Dense(2, use_bias=False): weight: expected shape (2, 5), got (2, 4)",
        "  module '2' and Dense(2, use_bias=False): bias of shape (2,) has no place",
        "  Dense(1) is left over",
    ]
    np.testing.assert_array_equal(model.params, before)


def test_modules_that_are_left_over_and_arrays_that_are_missing():
    state = {
        "a.weight": np.ones((2, 3)),
        "lstm.weight_ih_l1": np.ones((4, 2)),
        "c.bias": np.ones(1),
    }
    with pytest.raises(dl.DataError, match="bias is missing") as caught:
        dl.from_torch(state, dl.Dense(2).build((3,)))
    assert str(caught.value).splitlines()[2:] == [
        "  module 'lstm, layer 1' is left over",
        "  module 'c' is left over",
    ]
    with pytest.raises(dl.DataError, match="weight: expected floating numbers, got dtype int64"):
        dl.from_torch({"weight": np.ones((2, 3), int), "bias": np.ones(2)}, dl.Dense(2).build((3,)))


def test_a_norm_of_one_feature_is_not_that_of_five():
    with pytest.raises(
        dl.DataError, match=r"(?s)weight: expected shape \(5,\), got \(1,\).*bias: expected"
    ):
        dl.from_torch(nn.LayerNorm(1), dl.LayerNorm().build((5,)))


def test_arguments():
    state = nn.Linear(3, 2).state_dict()
    with pytest.raises(dl.ArgumentError, match=r"call from_torch\(state_dict, model\)"):
        dl.from_torch(state)
    with pytest.raises(dl.ArgumentTypeError, match=r"got the class Linear: make an object of it"):
        dl.from_torch(nn.Linear)
    with pytest.raises(dl.DataError, match=r"a dict under 'net'. .*checkpoint\['net'\], model"):
        dl.from_torch({"epoch": 3, "net": {}}, dl.Dense(2).build((3,)))
    with pytest.raises(dl.ArgumentTypeError, match="expected a module or a state_dict, got a list"):
        dl.from_torch([1])
    with pytest.raises(dl.ArgumentTypeError, match="model must be a Layer"):
        dl.from_torch(state, (3,))
    with pytest.raises(dl.ArgumentError, match="a built model or an input_shape, not both"):
        dl.from_torch(state, dl.Dense(2).build((3,)), input_shape=(3,))
    with pytest.raises(dl.ShapeError, match="from_torch: expected a tuple of positive lengths"):
        dl.from_torch(nn.ReLU(), input_shape=784)
    with pytest.raises(dl.StateError, match="is not built"):
        dl.from_torch(state, dl.Dense(2))


class Scale(dl.Layer):
    """A layer of a user's own, with parameters."""

    def parameter_specs(self, input_shape):
        return [dl.ParameterSpec("scale", input_shape, dl.Ones())]

    def forward(self, x, *, training=False, out=None):
        return x * self.scale

    def backward(self, dy, *, input_grad=True, out=None):
        raise NotImplementedError


def test_layers_without_counterpart():
    scaled = dl.Sequential([dl.Dense(2), Scale()]).build((3,), rng=0)
    with pytest.raises(
        dl.ArgumentError, match=r"Scale\(\).*PyTorch's names of its parameters are not"
    ):
        dl.to_torch_state_dict(scaled)
    adapted = dl.Sequential([dl.Standardize(), dl.Dense(2)]).build((3,), rng=0)
    with pytest.raises(dl.ArgumentError, match=r"Standardize\(\).* has no counterpart in PyTorch"):
        dl.to_torch_state_dict(adapted)
    dl.from_torch(nn.Linear(3, 2), adapted)  # which leaves what was measured as it is
    with pytest.raises(dl.ArgumentTypeError, match="model must be a Layer"):
        dl.to_torch_state_dict({})
