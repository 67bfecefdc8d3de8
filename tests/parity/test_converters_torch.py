"""PyTorch's modules as minidl's models and back: outputs, a training step, names, errors."""

import copy
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from parity.comparison import channels_first, channels_last, tensor
from torch import nn

import minidl as dl


def spread(module, dtype=torch.float64):
    """The module with every parameter and running value off its start, so that a mix-up shows."""
    rng = np.random.default_rng(5)
    module = module.to(dtype)
    for name, value in module.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(tensor(rng.uniform(0.5, 2.0, value.shape)))
        elif not value.is_floating_point():
            value.zero_()  # batches that a BatchNorm has seen
        else:
            fan_in = max(value[0].numel(), 1)
            value.copy_(tensor(rng.normal(size=value.shape) / math.sqrt(fan_in)))
    return module.eval()


class Side:
    """PyTorch's side of a comparison, with axes in minidl's order."""

    def __init__(self, module, first=False):
        self.module, self.first = module, first  # first: sequences are (N, C, T) here

    def _moved(self, x, move):
        return move(x) if x.ndim == 4 or (x.ndim == 3 and self.first) else x

    def __call__(self, x):
        # contiguous, because PyTorch's GroupNorm crashes where channels lie last in memory
        y = self.module(self._moved(tensor(x), channels_first).contiguous())
        return self._moved(y[0] if isinstance(y, tuple) else y, channels_last)

    def step(self, x, dy):
        self.module.train()
        self.module.zero_grad()
        (self(x) * tensor(dy)).sum().backward()
        torch.optim.SGD(self.module.parameters(), 0.1).step()
        self.module.eval()


def difference(mine, theirs):
    """The largest difference, relative to the largest element."""
    assert mine.shape == theirs.shape
    return np.abs(mine - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1e-300)


def outputs_differ(module, model, x, first=False):
    return difference(model(x), Side(module, first)(x).detach().numpy())


def step_differs(module, model, x, first=False):
    """How far parameters are apart after one step of SGD on both sides."""
    y = model.forward(x, training=True)
    dy = np.random.default_rng(1).normal(size=y.shape)
    model.backward(dy, input_grad=False)
    dl.SGD(0.1).update(model.params, model.grads)
    Side(module, first).step(x, dy)
    stepped = dl.from_torch(module, input_shape=model.input_shape)
    return difference(model.params, stepped.params)


def inputs(shape, n=4, indices=None, dtype=np.float64):
    rng = np.random.default_rng(0)
    if indices:
        return rng.integers(0, indices, (n, *shape))
    return rng.normal(size=(n, *shape)).astype(dtype)


IMAGE, ODD = (8, 6, 3), (7, 9, 2)
MODULES = {
    "linear": (lambda: nn.Linear(5, 3), (5,)),
    "linear without bias": (lambda: nn.Linear(5, 3, bias=False), (5,)),
    "linear on steps": (lambda: nn.Linear(5, 3), (4, 5)),
    "relu": (nn.ReLU, (5,)),
    "leaky relu": (lambda: nn.LeakyReLU(0.2), IMAGE),
    "elu": (lambda: nn.ELU(1.5), (5,)),
    "selu": (nn.SELU, (5,)),
    "gelu": (nn.GELU, (5,)),
    "gelu, tanh form": (lambda: nn.GELU("tanh"), (5,)),
    "silu": (nn.SiLU, (5,)),
    "prelu of vectors": (lambda: nn.PReLU(5), (5,)),
    "prelu of images": (lambda: nn.PReLU(3), IMAGE),
    "sigmoid": (nn.Sigmoid, (5,)),
    "tanh": (nn.Tanh, (5,)),
    "softplus": (nn.Softplus, (5,)),
    "softmax": (lambda: nn.Softmax(dim=1), (5,)),
    "softmax, last": (lambda: nn.Softmax(dim=-1), (5,)),
    "softmax of steps": (lambda: nn.Softmax(dim=2), (4, 5)),
    "softmax of pixels": (lambda: nn.Softmax(dim=-3), IMAGE),
    "softmax2d": (nn.Softmax2d, IMAGE),
    "log softmax": (lambda: nn.LogSoftmax(dim=1), (5,)),
    "dropout": (lambda: nn.Dropout(0.3), (5,)),
    "dropout2d": (lambda: nn.Dropout2d(0.3), IMAGE),
    "identity": (nn.Identity, (5,)),
    "batch norm": (lambda: nn.BatchNorm1d(5, eps=0.1, momentum=0.3), (5,)),
    "batch norm of images": (lambda: nn.BatchNorm2d(3), IMAGE),
    "batch norm without affine": (lambda: nn.BatchNorm1d(5, affine=False), (5,)),
    "layer norm": (lambda: nn.LayerNorm(5, eps=0.1), (5,)),
    "layer norm of steps": (lambda: nn.LayerNorm(5), (4, 5)),
    "layer norm without bias": (lambda: nn.LayerNorm(5, bias=False), (5,)),
    "layer norm without affine": (lambda: nn.LayerNorm(5, elementwise_affine=False), (5,)),
    "rms norm": (lambda: nn.RMSNorm(5), (5,)),
    "rms norm, eps": (lambda: nn.RMSNorm(5, eps=0.1), (4, 5)),
    "group norm": (lambda: nn.GroupNorm(2, 6, eps=0.1), (6,)),
    "group norm of images": (lambda: nn.GroupNorm(3, 3), IMAGE),
    "conv": (lambda: nn.Conv2d(3, 4, 3), IMAGE),
    "conv, all options": (
        lambda: nn.Conv2d(*(2, 6, (3, 2), (1, 2), (2, 1), (2, 3)), groups=2, bias=False),
        ODD,
    ),
    "conv, same": (lambda: nn.Conv2d(3, 4, (3, 2), padding="same", dilation=2), IMAGE),
    "conv, valid": (lambda: nn.Conv2d(3, 4, 2, padding="valid"), IMAGE),
    "conv, depthwise": (lambda: nn.Conv2d(3, 6, 3, padding=1, groups=3), IMAGE),
    "transposed conv": (lambda: nn.ConvTranspose2d(3, 4, 3), IMAGE),
    "transposed conv, all options": (
        lambda: nn.ConvTranspose2d(3, 4, (4, 3), 2, (1, 2), (1, 0), bias=False),
        IMAGE,
    ),
    "max pool": (lambda: nn.MaxPool2d(2), ODD),
    "max pool, padding": (lambda: nn.MaxPool2d(3, 2, padding=1), (7, 9, 2)),
    "max pool, overlapping": (lambda: nn.MaxPool2d(3, 1, padding=1), (7, 9, 2)),
    "max pool, ceil": (lambda: nn.MaxPool2d(2, ceil_mode=True), ODD),
    "max pool, ceil, of whole windows": (lambda: nn.MaxPool2d(2, ceil_mode=True), IMAGE),
    "max pool, ceil, with gaps": (lambda: nn.MaxPool2d(2, 4, ceil_mode=True), (4, 8, 2)),
    "average pool": (lambda: nn.AvgPool2d((2, 3), 1), ODD),
    "average pool, padding": (
        lambda: nn.AvgPool2d(3, 2, padding=1, count_include_pad=False),
        (7, 9, 2),
    ),
    "average pool, ceil": (lambda: nn.AvgPool2d(2, ceil_mode=True), ODD),
    "global average": (lambda: nn.AdaptiveAvgPool2d(1), IMAGE),
    "adaptive average": (lambda: nn.AdaptiveAvgPool2d((4, None)), IMAGE),
    "adaptive max": (lambda: nn.AdaptiveMaxPool2d((2, 3)), IMAGE),
    "up sampling": (lambda: nn.Upsample(scale_factor=2), IMAGE),
    "up sampling to a size": (lambda: nn.Upsample(size=(8, 18)), IMAGE),
    "up sampling by two": (lambda: nn.UpsamplingNearest2d(scale_factor=(3, 1)), IMAGE),
    "flatten one channel": (nn.Flatten, (8, 6, 1)),
    "flatten images and lay them out again": (
        lambda: nn.Sequential(nn.Flatten(), nn.ReLU(), nn.Unflatten(1, (3, 8, 6))),
        IMAGE,
    ),
    "flatten, linear": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(144, 5)), IMAGE),
    "everything between flatten and linear": (
        lambda: nn.Sequential(
            *(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.BatchNorm1d(48), nn.PReLU(48), nn.LayerNorm(48)),
            *(nn.RMSNorm(48), nn.Softmax(1), nn.Dropout(0.0), nn.Linear(48, 5), nn.Tanh()),
            *(nn.Linear(5, 4), nn.BatchNorm1d(4)),
        ),
        IMAGE,
    ),
    "decoder": (
        lambda: nn.Sequential(
            *(nn.Linear(5, 36), nn.BatchNorm1d(36), nn.LeakyReLU(), nn.Unflatten(1, (4, 3, 3))),
            *(nn.ConvTranspose2d(4, 2, 4, 2, 1), nn.Sigmoid()),
        ),
        (5,),
    ),
    "vectors to sequences and back": (
        lambda: nn.Sequential(
            *(nn.Linear(5, 12), nn.BatchNorm1d(12), nn.Unflatten(1, (4, 3)), nn.Tanh()),
            *(nn.Flatten(), nn.Linear(12, 2)),
        ),
        (5,),
    ),
    "auto-encoder": (
        lambda: nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(48, 7)),
            nn.Sequential(
                nn.Linear(7, 48), nn.Unflatten(1, (4, 4, 3)), nn.Upsample(scale_factor=2)
            ),
            nn.Conv2d(4, 3, 3, padding="same"),
        ),
        IMAGE,
    ),
    "lenet": (
        lambda: nn.Sequential(
            *(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5)),
            *(nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Tanh()),
            *(nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10), nn.LogSoftmax(1)),
        ),
        (28, 28, 1),
    ),
    "vgg in small": (
        lambda: nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Sequential(nn.Conv2d(4, 6, 3, 1, 1), nn.GroupNorm(2, 6), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Identity(), nn.Linear(6, 5)),
        ),
        IMAGE,
    ),
}
SEQUENCES = {  # which PyTorch has as (N, C, T)
    "conv of steps": (lambda: nn.Conv1d(3, 4, 3, 2, 1), (9, 3)),
    "conv of steps, all options": (
        lambda: nn.Conv1d(4, 6, 2, 1, 3, 2, groups=2, bias=False),
        (9, 4),
    ),
    "conv of steps, same": (lambda: nn.Conv1d(3, 4, 4, padding="same"), (9, 3)),
    "max pool of steps": (lambda: nn.MaxPool1d(3, 2), (9, 3)),
    "max pool of steps, padding": (lambda: nn.MaxPool1d(3, 2, 1), (9, 3)),
    "batch norm of steps": (lambda: nn.BatchNorm1d(3), (9, 3)),
    "group norm of steps": (lambda: nn.GroupNorm(2, 4), (9, 4)),
    "norms of steps, flattened": (
        lambda: nn.Sequential(nn.BatchNorm1d(4), nn.Flatten(), nn.Linear(36, 2)),
        (9, 4),
    ),
    "classifier of signals": (
        lambda: nn.Sequential(
            *(nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), nn.PReLU(4), nn.Softmax(1), nn.MaxPool1d(2)),
            *(nn.Dropout(0.0), nn.Flatten(), nn.ReLU(), nn.Linear(12, 5)),
        ),
        (9, 3),
    ),
}
MORE_PARAMETERS = {  # minidl has some there that PyTorch's module lacks
    *("batch norm without affine", "layer norm without bias", "layer norm without affine"),
}
RANDOM = {"dropout", "dropout2d"}
CASES = [
    pytest.param(name, *case, first, id=name)
    for first, cases in enumerate((MODULES, SEQUENCES))
    for name, case in cases.items()
]


def with_parameters(module, shape, first):
    """The module, behind one with parameters if it has none: these tell the dtype, and learn."""
    if any(True for _ in module.parameters()):
        return module
    pointwise = {1: nn.Linear, 2: nn.Linear, 3: lambda c, f: nn.Conv2d(c, f, 1)}[len(shape)]
    if first:
        pointwise = lambda c, f: nn.Conv1d(c, f, 1)  # noqa: E731
    return nn.Sequential(pointwise(shape[-1], shape[-1]), module)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize(("name", "make", "shape", "first"), CASES)
def test_outputs_a_step_and_the_way_back(name, make, shape, first):
    module, x = spread(with_parameters(make(), shape, first)), inputs(shape)
    model = dl.from_torch(module, input_shape=shape)
    assert model.dtype == np.float64
    assert outputs_differ(module, model, x, first) < 1e-12
    if name not in MORE_PARAMETERS:
        assert_the_way_back(module, model)
    if name not in MORE_PARAMETERS | RANDOM:
        assert step_differs(module, model, x, first) < 1e-9
        stepped = dl.from_torch(module, input_shape=shape)
        for mine, theirs in zip(model.walk(), stepped.walk(), strict=True):
            if isinstance(mine, dl.BatchNorm):
                assert difference(mine.running_mean, theirs.running_mean) < 1e-12
                mine.running_variance = theirs.running_variance  # here it is the biased one
        assert outputs_differ(module, model, x, first) < 1e-9


def assert_the_way_back(module, model):
    """PyTorch takes the state_dict and has the weights again; and so has minidl."""
    theirs, state = module.state_dict(), dl.to_torch_state_dict(model)
    assert list(state) == list(theirs)
    assert copy.deepcopy(module).load_state_dict(state, strict=True)
    for name, value in theirs.items():
        torch.testing.assert_close(state[name], value, rtol=0, atol=0)
    other = copy.deepcopy(model)
    other.params, other.state = np.zeros_like(model.params), np.zeros_like(model.state)
    assert dl.from_torch(state, other) is other
    np.testing.assert_array_equal(other.params, model.params)
    np.testing.assert_array_equal(other.state, model.state)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_weights_of_other_dtypes_make_a_float32_model(dtype):
    module, x = spread(nn.Sequential(nn.Linear(5, 4), nn.ReLU()), dtype), inputs((5,))
    model = dl.from_torch(module)
    assert model.dtype == np.float32
    assert outputs_differ(module.float(), model, x.astype(np.float32)) < 1e-6


def test_all_cases_in_float32():
    """The largest difference of all modules, relative to the largest output."""
    worst = 0.0
    for name, make, shape, first in (case.values for case in CASES):
        if "same" not in name:  # PyTorch warns there
            module, x = spread(make(), torch.float32), inputs(shape, dtype=np.float32)
            model = dl.from_torch(module, input_shape=shape)
            worst = max(worst, outputs_differ(module, model, x, first))
    assert worst < 1e-6


RECURRENT = {"LSTM": dl.LSTM, "GRU": dl.GRU, "RNN": dl.SimpleRNN}


@pytest.mark.parametrize("options", [{}, {"bidirectional": True}, {"bias": False}], ids=str)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", RECURRENT)
def test_recurrent_modules(kind, layers, options):
    module = spread(getattr(nn, kind)(3, 4, layers, batch_first=True, **options))
    model, x = dl.from_torch(module), inputs((6, 3))
    assert outputs_differ(module, model, x) < 1e-12
    if "bias" not in options and layers == 1:
        state = dl.to_torch_state_dict(model)
        other = copy.deepcopy(module)
        other.load_state_dict(state, strict=True)
        assert list(state) == [name for name, _ in module.named_parameters()]
        assert outputs_differ(other, model, x) < 1e-12
    if kind == "GRU" and not options:
        assert step_differs(module, model, x) < 1e-9


def test_dropout_between_recurrent_layers_is_kept():
    model = dl.from_torch(nn.LSTM(3, 4, 2, batch_first=True, dropout=0.3))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert (kinds, model.layers[1].rate) == (["LSTM", "Dropout", "LSTM"], 0.3)


def test_embedding_and_what_reads_it():
    words = spread(
        nn.Sequential(nn.Embedding(7, 3), nn.Linear(3, 4), nn.Flatten(), nn.Linear(20, 2))
    )
    model, x = dl.from_torch(words, input_shape=(5,)), inputs((5,), indices=7)
    assert outputs_differ(words, model, x) < 1e-12
    assert step_differs(words, model, x) < 1e-9


def test_embedding_with_padding():
    module = spread(
        nn.Sequential(nn.Embedding(7, 3, padding_idx=2), nn.Flatten(), nn.Linear(15, 2))
    )
    with torch.no_grad():
        module[0].weight[2] = 0
    model, x = dl.from_torch(module, input_shape=(5,)), inputs((5,), indices=7)
    assert model.layers[0].padding_index == 2
    assert outputs_differ(module, model, x) < 1e-12
    assert step_differs(module, model, x) < 1e-9


def test_a_single_slope_is_that_of_each_channel():
    module = spread(nn.Sequential(nn.Linear(5, 4), nn.PReLU()))
    model = dl.from_torch(module)
    assert model.layers[1].slope.shape == (4,)
    assert outputs_differ(module, model, inputs((5,))) < 1e-12


class Skip(nn.Sequential):
    """A residual connection, numbered as minidl's Residual."""

    def forward(self, x):
        return x + self[0](x)


def test_a_module_of_ones_own_fills_a_model():
    theirs = spread(nn.Sequential(nn.Linear(5, 4), Skip(nn.Sequential(nn.Linear(4, 4), nn.Tanh()))))
    model = dl.Sequential(
        [dl.Dense(4), dl.Residual(dl.Sequential([dl.Dense(4), dl.Tanh()]))]
    ).build((5,), dtype=float)
    with pytest.raises(dl.ArgumentError, match=r"module 1 \(Skip\): it is not a layer that minidl"):
        dl.from_torch(theirs)
    assert dl.from_torch(theirs, model) is model
    assert outputs_differ(theirs, model, inputs((5,))) < 1e-12
    fresh = copy.deepcopy(theirs)
    fresh.load_state_dict(dl.to_torch_state_dict(model), strict=True)


class Reader(nn.Module):
    """Modules in the order of use, with names of their own."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.norm = nn.LayerNorm(8)
        self.lstm = nn.LSTM(8, 3, 2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        x = self.embedding(x)
        x = self.norm(self.attention(x, x, x, need_weights=False)[0])
        return self.head(self.lstm(x)[0][:, -1])


def reader():
    def both():
        return dl.Bidirectional(dl.LSTM(3, return_sequences=True))

    layers = [dl.Embedding(7, 8), dl.MultiHeadSelfAttention(2), dl.LayerNorm(), both(), both()]
    return dl.Sequential([*layers, dl.Dense(2)]).build((5,), dtype=float)


def test_attention_and_stacked_recurrent_layers_by_a_state_dict():
    theirs, model = spread(Reader()), dl.from_torch(spread(Reader()), reader())
    x = inputs((5,), indices=7)
    sequences = dl.Sequential([*map(copy.deepcopy, model.layers[:-1])]).build((5,), dtype=float)
    read = theirs.lstm(theirs.norm(theirs.attention(*[theirs.embedding(tensor(x))] * 3)[0]))[0]
    assert difference(sequences(x), read.detach().numpy()) < 1e-12
    assert difference(model(x)[:, -1], theirs(tensor(x)).detach().numpy()) < 1e-12


def test_a_container_as_the_whole_model():
    """Each with a branch of its own that flattens images."""
    theirs = [spread(nn.Sequential(nn.Flatten(), nn.Linear(144, m))) for m in (2, 3)]
    branches = [dl.Sequential([dl.Flatten(), dl.Dense(m)]) for m in (2, 3)]
    model, x = dl.Parallel(branches).build(IMAGE, dtype=float), inputs(IMAGE)
    dl.from_torch(nn.ModuleList(theirs), model)
    expected = np.hstack([Side(module)(x).detach().numpy() for module in theirs])
    assert difference(model(x), expected) < 1e-12


def test_a_file_needs_no_pytorch(tmp_path):
    """safetensors orders the names of more than ten modules by the alphabet: 0, 1, 10, 11, 2."""
    module = spread(
        nn.Sequential(*(layer for _ in range(6) for layer in (nn.Linear(4, 4), nn.Tanh())))
    )
    x, path = inputs((4,)), tmp_path / "weights.safetensors"
    state = {name: value.numpy() for name, value in sorted(module.state_dict().items())}
    safetensors.numpy.save_file(state, path)
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy as np, minidl as dl, safetensors.numpy as files\n"
        "layers = [layer for _ in range(6) for layer in (dl.Dense(4), dl.Tanh())]\n"
        "model = dl.Sequential(layers).build((4,), dtype=float)\n"
        "dl.from_torch(files.load_file(sys.argv[1]), model)\n"
        "np.save(sys.argv[2] + '/y.npy', model(np.load(sys.argv[2] + '/x.npy')))\n"
        "try:\n    dl.to_torch_state_dict(model)\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path], capture_output=True, text=True, check=True
    )
    expected = "to_torch_state_dict needs PyTorch, for its tensors: pip install torch."
    assert done.stdout.strip() == expected
    assert difference(np.load(tmp_path / "y.npy"), module(tensor(x)).detach().numpy()) < 1e-12


@st.composite
def image_networks(draw):
    """A network of images: blocks, then perhaps a dense end."""
    c, modules, size = 2, [nn.Conv2d(2, 2, 1)], 12
    for _ in range(draw(st.integers(1, 4))):
        block = draw(st.sampled_from(["conv", "pool", "norm", "activation", "up"]))
        if block == "conv":
            f, groups = draw(st.sampled_from([2, 4])), draw(st.sampled_from([1, 2]))
            kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
            options = {"stride": draw(st.integers(1, 2)), "padding": draw(st.integers(1, 2))}
            modules.append(nn.Conv2d(c, f, kernel, **options, groups=groups))
            c = f
        elif block == "pool" and size >= 6:
            kind = draw(st.sampled_from([nn.MaxPool2d, nn.AvgPool2d]))
            modules.append(kind(draw(st.integers(1, 2)), draw(st.integers(1, 3))))
        elif block == "norm":
            modules.append(draw(st.sampled_from([nn.BatchNorm2d(c), nn.GroupNorm(2, c)])))
        elif block == "activation":
            modules.append(
                draw(st.sampled_from([nn.ReLU(), nn.PReLU(c), nn.SiLU(), nn.Softmax(1)]))
            )
        elif block == "up":
            modules.append(nn.Upsample(scale_factor=2))
        with torch.no_grad():
            size = nn.Sequential(*modules)(torch.zeros(2, 2, 12, 10)).shape[-1]
    shape = nn.Sequential(*modules)(torch.zeros(2, 2, 12, 10)).shape[1:]
    if draw(st.booleans()):
        middle = draw(vector_modules(math.prod(shape), 2))
        modules += [nn.Flatten(), *middle, nn.Linear(math.prod(shape), 6), nn.Tanh()]
    return nn.Sequential(*modules), (12, 10, 2), False


def vector_modules(d, most):
    """Up to so many layers that take each feature by itself."""
    kinds = [nn.BatchNorm1d, nn.LayerNorm, nn.PReLU, nn.RMSNorm, lambda _: nn.GELU()]
    return st.lists(st.sampled_from(kinds).map(lambda kind: kind(d)), max_size=most)


@st.composite
def vector_networks(draw):
    """Dense layers, perhaps with images made of vectors in between."""
    widths, modules = draw(st.lists(st.integers(1, 6), min_size=2, max_size=5)), []
    for d, m in itertools.pairwise(widths):
        modules += [
            nn.Linear(d, m),
            *draw(vector_modules(m, 2)),
        ]
    if draw(st.booleans()):
        h, w, c = draw(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)))
        modules += [
            nn.Linear(widths[-1], h * w * c),
            nn.Unflatten(1, (c, h, w)),
            nn.Conv2d(c, 2, 1),
        ]
        modules += draw(st.sampled_from([[], [nn.Flatten(), nn.Linear(2 * h * w, 3)]]))
    return nn.Sequential(*modules), (widths[0],), False


@st.composite
def sequence_networks(draw):
    """Convolutions along time, then perhaps a dense end."""
    c, t, modules = 2, 11, []
    for _ in range(draw(st.integers(1, 3))):
        f, kernel = draw(st.sampled_from([2, 4])), draw(st.integers(1, 3))
        options = {"padding": draw(st.integers(0, 2)), "dilation": draw(st.integers(1, 2))}
        modules += [nn.Conv1d(c, f, kernel, groups=draw(st.sampled_from([1, 2])), **options)]
        modules += draw(
            st.sampled_from([[], [nn.BatchNorm1d(f)], [nn.Tanh()], [nn.MaxPool1d(2, 1)]])
        )
        c = f
    t = nn.Sequential(*modules)(torch.zeros(2, 2, t)).shape[-1]
    if draw(st.booleans()):
        modules += [nn.Flatten(), nn.ELU(), nn.Linear(c * t, 3)]
    return nn.Sequential(*modules), (11, 2), True


@settings(max_examples=60, deadline=None)
@given(st.one_of(image_networks(), vector_networks(), sequence_networks()))
def test_random_networks(network):
    module, shape, first = network
    module, x = spread(module), inputs(shape, n=5)
    model = dl.from_torch(module, input_shape=shape)
    assert outputs_differ(module, model, x, first) < 1e-12
    assert_the_way_back(module, model)
    assert step_differs(module, model, x, first) < 1e-9
