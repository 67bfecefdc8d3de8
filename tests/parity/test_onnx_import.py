"""Import of ONNX files that PyTorch's two exporters write, against onnxruntime."""

import logging
import warnings

import numpy as np
import onnx
import pytest
import torch
from parity.onnx_importing import can_train, channels_last, compared, inputs_of
from parity.onnx_running import session
from torch import nn

import minidl as dl


class Block(nn.Module):
    """x + f(x), and a join of two branches."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU())
        self.around = nn.Conv2d(3, 3, 1)
        self.wide = nn.Conv2d(3, 2, 3, padding=1)
        self.last = nn.Linear(5, 2)

    def forward(self, x):
        x = torch.relu(self.body(x) + x)
        x = self.body(x) + self.around(x)
        x = torch.cat([torch.tanh(x), self.wide(x)], 1)
        return self.last(x.mean((2, 3)))


class WithComplement(nn.Module):
    """What skl2onnx makes of two classes, but of numbers that are none."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        x = self.layer(x)
        return torch.cat([1 - x, x], 1)


class AsImage(nn.Module):
    """(N, 24) to (N, 2, 3, 4)."""

    def forward(self, x):
        return x.view(-1, 2, 3, 4)


class Read(nn.Module):
    """A recurrent layer, and of its output all steps or the last."""

    def __init__(self, layer, last=True):
        super().__init__()
        self.layer, self.last = layer, last

    def forward(self, x):
        y, _ = self.layer(x)
        return y[:, -1] if self.last else y


class States(nn.Module):
    """A recurrent layer, and of its states the last, or those of both directions."""

    def __init__(self, layer, *chosen):
        super().__init__()
        self.layer, self.chosen = layer, chosen
        self.last = nn.Linear(4 * len(chosen), 2)

    def forward(self, x):
        _, h = self.layer(x)
        h = h[0] if isinstance(h, tuple) else h
        return self.last(torch.cat([h[i] for i in self.chosen], 1) if self.chosen[1:] else h[-1])


def flat(*shape):
    return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 3))


IMAGE = (3, 10, 8)
CASES = {  # the module, its input's shape, and what it becomes where that is worth a look
    "perceptron": (
        nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Dropout(), nn.Linear(5, 3), nn.Softmax(1)),
        (7,),
        "Dense(5), ReLU(), Dense(3), Softmax()",
    ),
    "activations": (
        nn.Sequential(
            *(nn.LeakyReLU(0.2), nn.ELU(1.5), nn.SELU(), nn.PReLU(7), nn.GELU(), nn.GELU("tanh")),
            *(nn.SiLU(), nn.Softplus(), nn.Sigmoid(), nn.Tanh(), nn.LogSoftmax(-1)),
        ),
        (7,),
        "LeakyReLU(negative_slope=0.2), ELU(alpha=1.5), SELU(), PReLU(), GELU(), "
        "GELU(approximate=True), SiLU(), Softplus(), Sigmoid(), Tanh(), LogSoftmax()",
    ),
    "steps": (
        nn.Sequential(nn.Linear(7, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 3, bias=False)),
        (4, 7),
        "Dense(5), LayerNorm(), ReLU(), Dense(3, use_bias=False)",
    ),
    "images": (
        nn.Sequential(
            *(nn.Conv2d(3, 4, 3, padding=1), nn.PReLU(4), nn.MaxPool2d(2), nn.BatchNorm2d(4)),
            *(nn.Conv2d(4, 6, (3, 2), stride=(1, 2), bias=False), nn.GroupNorm(2, 6)),
            *(nn.AvgPool2d((2, 1)), nn.Upsample(scale_factor=2), flat(6, 2, 4)),
        ),
        IMAGE,
        "Conv2D(4, 3, padding=1), PReLU(), MaxPool2D(stride=2), BatchNorm(), "
        "Conv2D(6, (3, 2), stride=(1, 2), use_bias=False), GroupNorm(2), "
        "AveragePool2D(pool_size=(2, 1), stride=(2, 1)), UpSampling2D(), Flatten(), Dense(3)",
    ),
    "groups, dilation and pools of all": (
        nn.Sequential(
            *(nn.Conv2d(3, 6, 3, groups=3, dilation=2, padding=2), nn.InstanceNorm2d(6)),
            *(nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4)),
        ),
        IMAGE,
        "Conv2D(6, 3, padding=2, dilation=2, groups=3), GroupNorm(6), SiLU(), "
        "GlobalAveragePool2D(), Dense(4)",
    ),
    "decoder": (
        nn.Sequential(
            nn.ConvTranspose2d(3, 4, 3, stride=2, padding=1, output_padding=1),
            *(nn.Sigmoid(), nn.Conv2d(4, 2, 1)),
        ),
        IMAGE,
        "Conv2DTranspose(4, 3, stride=2, padding=((1, 0), (1, 0))), Sigmoid(), Conv2D(2, 1)",
    ),
    "zeros around": (
        nn.Sequential(nn.ZeroPad2d((1, 0, 0, 2)), nn.Conv2d(3, 4, 3, padding=1)),
        IMAGE,
        "Conv2D(4, 3, padding=((1, 3), (2, 1)))",
    ),
    "sequences": (
        nn.Sequential(
            *(nn.Conv1d(3, 4, 3, padding=1), nn.ReLU(), nn.BatchNorm1d(4), nn.MaxPool1d(2)),
            *(nn.AvgPool1d(2), flat(4, 3)),
        ),
        (3, 12),
        None,
    ),
    "one channel": (
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), flat(2, 4, 6)),
        (1, 6, 8),
        "Conv2D(2, 3), ReLU(), Flatten(), Dense(3)",
    ),
    "branches": (
        Block(),
        IMAGE,
        None,
    ),
    "lstm": (Read(nn.LSTM(3, 5, batch_first=True)), (6, 3), "LSTM(5)"),
    "gru": (Read(nn.GRU(3, 5, batch_first=True)), (6, 3), "GRU(5)"),
    "rnn": (Read(nn.RNN(3, 5, batch_first=True)), (6, 3), "SimpleRNN(5)"),
    "two lstms in both directions": (
        Read(nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True), last=False),
        (6, 3),
        "Bidirectional(LSTM(5, return_sequences=True)), "
        "Bidirectional(LSTM(5, return_sequences=True))",
    ),
    "last state": (States(nn.LSTM(3, 4, batch_first=True), -1), (6, 3), "LSTM(4), Dense(2)"),
    "last state of three": (
        States(nn.GRU(3, 4, 3, batch_first=True), -1),
        (6, 3),
        "GRU(4, return_sequences=True), GRU(4, return_sequences=True), GRU(4), Reshape((4, 1)), "
        "Flatten(), Dense(2)",
    ),
    "states of both directions": (
        States(nn.LSTM(3, 4, batch_first=True, bidirectional=True), -2, -1),
        (6, 3),
        "Bidirectional(LSTM(4)), Dense(2)",
    ),
    "states of both directions, from the front": (
        States(nn.GRU(3, 4, batch_first=True, bidirectional=True), 0, 1),
        (6, 3),
        "Bidirectional(GRU(4)), Dense(2)",
    ),
    "an image of one channel": (
        nn.Sequential(nn.Conv2d(3, 1, 3), nn.Sigmoid()),
        IMAGE,
        "Conv2D(1, 3), Sigmoid()",
    ),
    "a sequence of one channel": (nn.Conv1d(3, 1, 3), (3, 9), "Conv1D(1, 3)"),
    "a vector and its complement": (WithComplement(), (3,), None),
    "words": (
        nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(24, 2)),
        (6,),
        "Embedding(9, 4), Flatten(), Dense(2)",
    ),
}
# These need 1 to 2 s each, so that only what the newer exporter writes in another way is here.
NEWER = ["activations", "images", "branches", "gru", "two lstms in both directions"]
IS_IMAGE = [name for name, (_, shape, _) in CASES.items() if len(shape) == 3]
IS_IMAGE += ["sequences", "a sequence of one channel"]


def random_values(module):
    """Parameters and running statistics that are not zeros and ones."""
    torch.manual_seed(0)
    with torch.no_grad():
        for each in module.parameters():
            each.copy_(torch.randn_like(each) * 0.4)
        for name, each in module.named_buffers():
            if "running" in name:
                each.copy_(torch.rand_like(each) + 0.5)
    return module.eval()


def export(module, shape, path, newer=False, words=False):
    x = torch.randint(9, (2, *shape)) if words else torch.randn(2, *shape)
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if newer:
            shapes = ({0: "batch"},)
            torch.onnx.export(
                *(module, (x,), path), external_data=False, dynamic_shapes=shapes, verbose=False
            )
        else:
            torch.onnx.export(
                *(module, (x,), path),
                dynamo=False,
                input_names=["x"],
                output_names=["y"],
                dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
            )
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("name", "newer"), [(name, False) for name in CASES] + [(name, True) for name in NEWER]
)
def test_exported_by_torch(name, newer, tmp_path):
    module, shape, expected = CASES[name]
    path = tmp_path / "model.onnx"
    export(random_values(module), shape, path, newer, words=name == "words")
    model, difference = compared(path, channels_first=name in IS_IMAGE)
    assert difference < 1e-5
    if expected is not None:
        assert ", ".join(map(repr, model.layers)) == expected
    x = inputs_of(session(path), 8, np.random.default_rng(1))
    assert can_train(model, channels_last(x) if name in IS_IMAGE else x)


def test_time_first_becomes_rows_first(tmp_path):
    path = tmp_path / "model.onnx"
    module = random_values(nn.GRU(3, 4))
    torch.manual_seed(0)
    x = torch.randn(6, 2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), path, dynamo=False, output_names=["y", "h"])
    proto = onnx.load(path)
    del proto.graph.output[1]  # the state; minidl's models have one output
    onnx.save(proto, path)
    y = dl.import_onnx(path).predict(x.numpy().swapaxes(0, 1))
    np.testing.assert_allclose(y, module(x)[0].detach().numpy().swapaxes(0, 1), atol=1e-6)


def test_open_steps(tmp_path):
    path = tmp_path / "model.onnx"
    module = random_values(nn.Sequential(nn.Conv1d(3, 4, 3, padding=1), nn.ReLU()))
    axes = {"x": {0: "n", 2: "t"}, "y": {0: "n", 2: "t"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            *(module, (torch.randn(2, 3, 5),), path),
            dynamo=False,
            input_names=["x"],
            output_names=["y"],
            dynamic_axes=axes,
        )
    model = dl.import_onnx(path)
    assert model.input_shape == (None, 3)
    x = torch.randn(2, 3, 9)
    mine = model.predict(channels_last(x.numpy()))
    np.testing.assert_allclose(mine, channels_last(module(x).detach().numpy()), atol=1e-6)


@pytest.mark.parametrize(
    ("module", "shape", "message"),
    [
        (nn.Sequential(nn.Tanh(), nn.Hardswish()), (4,), "HardSwish node .*: minidl has no layer"),
        (nn.Hardtanh(), (4,), "Clip node .*: minidl has no layer for Clip"),
        (nn.MaxPool2d(3, 2, padding=1), IMAGE, "MaxPool node .*: its padding .* in a convolution"),
        (
            States(nn.GRU(3, 4, batch_first=True, bidirectional=True), 1, 0),
            (6, 3),
            "it joins other states than the last of two directions",
        ),
        (nn.LayerNorm((3, 4)), (3, 4), "LayerNormalization node .*: it normalizes over several"),
        (nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten()), IMAGE, "its output has an order"),
        (
            nn.Sequential(nn.Linear(5, 24), AsImage(), nn.Conv2d(2, 3, 2)),
            (5,),
            "Conv node .*: it needs its input in an order",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_minidl_lacks_is_named(module, shape, message, tmp_path):
    path = tmp_path / "model.onnx"
    export(module, shape, path)
    with pytest.raises(dl.DataError, match=message):
        dl.import_onnx(path)


class Tied(nn.Module):
    """A tensor that goes into two branches which do not meet where it comes from."""

    def forward(self, x):
        a = torch.tanh(x)
        b = torch.sigmoid(a)
        return torch.cat([b, torch.cat([a, b + x], 1)], 1)


def test_branches_that_do_not_nest(tmp_path):
    path = tmp_path / "model.onnx"
    export(Tied(), (4,), path)
    with pytest.raises(dl.DataError, match="goes into several branches that do not meet again"):
        dl.import_onnx(path)
