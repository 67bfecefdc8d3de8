"""The comparison with PyTorch: layers, in float64."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from parity.comparison import compare, tensor

import minidl as dl

F = torch.nn.functional


# name: layer, shape of a sample, the same in PyTorch as a function of input and parameters
LAYERS = {
    "dense": (lambda: dl.Dense(4), (5,), lambda x, W, b: F.linear(x, W.T, b)),
    "dense 784": (lambda: dl.Dense(10), (784,), lambda x, W, b: F.linear(x, W.T, b)),
    "dense on steps": (lambda: dl.Dense(4), (3, 5), lambda x, W, b: F.linear(x, W.T, b)),
    "dense without bias": (lambda: dl.Dense(1, use_bias=False), (5,), lambda x, W: x @ W),
    "relu": (dl.ReLU, (3, 4, 2), F.relu),
    "sigmoid": (dl.Sigmoid, (5,), torch.sigmoid),
    "tanh": (dl.Tanh, (5,), torch.tanh),
    "softmax": (dl.Softmax, (5,), lambda x: F.softmax(x, dim=-1)),
    "softmax of steps": (dl.Softmax, (3, 4), lambda x: F.softmax(x, dim=-1)),
    "flatten": (dl.Flatten, (3, 4, 2), lambda x: torch.flatten(x, 1)),
    "dropout 0": (lambda: dl.Dropout(0.0), (5,), lambda x: F.dropout(x, 0.0)),
    "residual": (
        lambda: dl.Residual(dl.Sequential([dl.Tanh(), dl.Sigmoid()])),
        (3, 4, 2),
        lambda x: x + torch.sigmoid(torch.tanh(x)),
    ),
    "residual with shortcut": (
        lambda: dl.Residual(dl.Softmax(), dl.Tanh()),
        (5,),
        lambda x: F.softmax(x, dim=-1) + torch.tanh(x),
    ),
    "parallel": (
        lambda: dl.Parallel([dl.Tanh(), dl.Sigmoid()]),
        (3, 4, 2),
        lambda x: torch.cat([torch.tanh(x), torch.sigmoid(x)], dim=-1),
    ),
    "parallel, added": (
        lambda: dl.Parallel([dl.Tanh(), dl.ReLU()], "add"),
        (5,),
        lambda x: torch.tanh(x) + F.relu(x),
    ),
}


def test_every_public_layer_is_compared():
    files = Path(__file__).parent.glob("test_torch_*.py")
    modules = [importlib.import_module(f"parity.{path.stem}") for path in files]
    tables = [LAYERS, *(module.LAYERS for module in modules if hasattr(module, "LAYERS"))]
    compared = {type(make()) for table in tables for make, *_ in table.values()}
    public = {v for v in vars(dl).values() if isinstance(v, type) and issubclass(v, dl.Layer)}
    assert public - compared <= {dl.Layer, dl.Sequential}


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("make", "shape", "function"), LAYERS.values(), ids=LAYERS)
def test_layer(make, shape, function, scale):
    layer = make().build(shape, rng=0, dtype=np.float64)
    layer.params += 0.1  # biases, too
    x = scale * np.random.default_rng(0).normal(size=(7, *shape))
    compare(layer, x, function, rtol=1e-12, atol=1e-13)
    parameters = [tensor(getattr(layer, name)) for name in layer.gradients]
    np.testing.assert_allclose(layer(x), function(tensor(x), *parameters), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("rate", [0.2, 0.8])
def test_dropout_with_the_mask_that_it_drew(rate):
    x = np.random.default_rng(0).normal(size=(50, 20))
    layer = dl.Dropout(rate).build((20,), rng=0, dtype=np.float64)
    y = layer.forward(x, training=True)
    theirs = tensor(x, grad=True)
    (theirs * tensor(y != 0) / (1 - rate)).backward(tensor(x))
    np.testing.assert_allclose(layer.backward(x), theirs.grad, rtol=1e-12)
    assert abs((y == 0).mean() - rate) < 0.05
    np.testing.assert_array_equal(layer(x), F.dropout(tensor(x), rate, training=False))
