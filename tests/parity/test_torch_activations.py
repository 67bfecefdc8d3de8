"""The comparison with PyTorch: activations, noise and Reshape, in float64."""

import numpy as np
import pytest
import torch
from parity.comparison import channels_first, channels_last, compare, tensor

import minidl as dl

F = torch.nn.functional


def prelu(x, slope):
    return channels_last(F.prelu(channels_first(x), slope)) if x.ndim > 2 else F.prelu(x, slope)


def softplus(x):
    return F.softplus(x, threshold=700)  # PyTorch gives x itself above 20 otherwise


# name: layer, shape of a sample, the same in PyTorch as a function of input and parameters
LAYERS = {
    "leaky relu": (dl.LeakyReLU, (5,), F.leaky_relu),
    "leaky relu 0.3": (lambda: dl.LeakyReLU(0.3), (3, 4, 2), lambda x: F.leaky_relu(x, 0.3)),
    "elu": (dl.ELU, (5,), F.elu),
    "elu, alpha 2.5": (lambda: dl.ELU(2.5), (3, 4, 2), lambda x: F.elu(x, 2.5)),
    "elu, alpha 0.3": (lambda: dl.ELU(0.3), (5,), lambda x: F.elu(x, 0.3)),
    "selu": (dl.SELU, (3, 4), F.selu),
    "gelu": (dl.GELU, (5,), F.gelu),
    "gelu on images": (dl.GELU, (3, 4, 2), F.gelu),
    "gelu, tanh form": (
        lambda: dl.GELU(approximate=True),
        (3, 4, 2),
        lambda x: F.gelu(x, approximate="tanh"),
    ),
    "silu": (dl.SiLU, (3, 4), F.silu),
    "softplus": (dl.Softplus, (3, 4), softplus),
    "log softmax": (dl.LogSoftmax, (5,), lambda x: F.log_softmax(x, dim=-1)),
    "log softmax of many": (dl.LogSoftmax, (3, 40), lambda x: F.log_softmax(x, dim=-1)),
    "log softmax of pixels": (dl.LogSoftmax, (3, 4, 2), lambda x: F.log_softmax(x, dim=-1)),
    "prelu": (dl.PReLU, (5,), prelu),
    "prelu of steps": (lambda: dl.PReLU(dl.Uniform(-2, 2)), (3, 4), prelu),
    "prelu on images": (lambda: dl.PReLU(dl.Uniform(-2, 2)), (3, 4, 2), prelu),
    "reshape": (lambda: dl.Reshape((4, -1, 3)), (24,), lambda x: x.reshape(len(x), 4, 2, 3)),
    "reshape images": (lambda: dl.Reshape((-1,)), (3, 4, 2), lambda x: torch.flatten(x, 1)),
    "gaussian noise 0": (lambda: dl.GaussianNoise(0), (5,), lambda x: x),
    "spatial dropout 0": (lambda: dl.SpatialDropout2D(0), (3, 4, 2), lambda x: F.dropout2d(x, 0.0)),
}


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("make", "shape", "function"), LAYERS.values(), ids=LAYERS)
def test_layer(make, shape, function, scale):
    layer = make().build(shape, rng=0, dtype=np.float64)
    x = scale * np.random.default_rng(0).normal(size=(7, *shape))
    compare(layer, x, function)
    theirs = function(tensor(x), *(tensor(getattr(layer, name)) for name in layer.gradients))
    np.testing.assert_allclose(layer(x), theirs, rtol=1e-9, atol=1e-11)


GRID = np.concatenate([np.linspace(-40, 40, 2001), [-1e4, 1e4, -1e-9, 1e-9]])[np.newaxis]


@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.5])
def test_elu_gradient_where_operator_precedence_went_wrong_elsewhere(alpha):
    layer = dl.ELU(alpha).build(GRID.shape[1:], dtype=np.float64)
    compare(layer, GRID, lambda x: F.elu(x, alpha))


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_of_one_is_0_841_and_all_others_are_theirs_too(approximate):
    layer = dl.GELU(approximate=approximate).build(GRID.shape[1:], dtype=np.float64)
    form = "tanh" if approximate else "none"
    compare(layer, GRID, lambda x: F.gelu(x, approximate=form))
    one = dl.GELU(approximate=approximate).build((1,), dtype=np.float64)(np.ones((1, 1)))
    assert one.item() == pytest.approx(F.gelu(torch.ones(1), approximate=form).item(), rel=1e-6)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        (dl.LeakyReLU(0.2), lambda x: F.leaky_relu(x, 0.2)),
        (dl.ELU(2.0), lambda x: F.elu(x, 2.0)),
        (dl.SELU(), F.selu),
        (dl.PReLU(), prelu),
    ],
    ids=["leaky relu", "elu", "selu", "prelu"],
)
def test_at_the_kink_the_derivative_is_theirs(layer, function):
    compare(layer.build((1,), dtype=np.float64), np.zeros((1, 1)), function)


@pytest.mark.parametrize("rate", [0.2, 0.8])
def test_spatial_dropout_with_the_mask_that_it_drew(rate):
    x = np.random.default_rng(0).normal(size=(20, 3, 2, 30))
    layer = dl.SpatialDropout2D(rate).build(x.shape[1:], rng=0, dtype=np.float64)
    y = layer.forward(x, training=True)
    theirs = tensor(x, grad=True)
    mask = tensor(y != 0)[:, :1, :1, :]
    expected = theirs * mask / (1 - rate)
    expected.backward(tensor(x))
    np.testing.assert_allclose(y, expected.detach(), rtol=1e-12)
    np.testing.assert_allclose(layer.backward(x), theirs.grad, rtol=1e-12)
    np.testing.assert_array_equal(layer(x), F.dropout2d(tensor(x), rate, training=False))


def test_gaussian_noise_with_the_noise_that_it_drew():
    x = np.random.default_rng(0).normal(size=(50, 20))
    layer = dl.GaussianNoise(0.5).build((20,), rng=0, dtype=np.float64)
    y = layer.forward(x, training=True)
    theirs = tensor(x, grad=True)
    (theirs + tensor(y - x)).backward(tensor(y))
    np.testing.assert_array_equal(layer.backward(y), theirs.grad)
    assert (y - x).std() == pytest.approx(0.5, rel=0.1)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (dl.HeNormal(), torch.nn.init.kaiming_normal_),
        (dl.HeUniform(), torch.nn.init.kaiming_uniform_),
        (dl.GlorotNormal(), torch.nn.init.xavier_normal_),
        (dl.GlorotUniform(), torch.nn.init.xavier_uniform_),
        (dl.LeCunNormal(), lambda w: torch.nn.init.kaiming_normal_(w, nonlinearity="linear")),
        (dl.LeCunUniform(), lambda w: torch.nn.init.kaiming_uniform_(w, nonlinearity="linear")),
        (
            dl.VarianceScaling(1 / 3, distribution="uniform"),
            lambda w: torch.nn.Linear(w.shape[1], w.shape[0]).weight.detach(),
        ),
        (
            dl.TruncatedNormal(0.5, 0.1),
            lambda w: torch.nn.init.trunc_normal_(w, mean=0.5, std=0.1, a=0.3, b=0.7),
        ),
    ],
    ids=str,
)
def test_initial_values_are_distributed_like_theirs(mine, theirs):
    torch.manual_seed(0)
    w = mine(np.random.default_rng(0), (300, 200), 300, 200)
    other = theirs(torch.empty(200, 300)).numpy()
    quantiles = np.linspace(0.01, 0.99, 25)
    error = abs(np.quantile(w, quantiles) - np.quantile(other, quantiles)).max()
    assert error < 0.03 * other.std()  # 60,000 draws; another law or scale is off by 0.1 and more
