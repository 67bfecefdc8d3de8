"""The comparison with PyTorch: layers and losses, in float64."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from loss_cases import LABELS, LOGITS, LOSS_CASES
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


def nll(p, y):
    log_p = torch.log(p)
    return F.nll_loss(log_p, y, reduction="none") if y.ndim == 1 else -(y * log_p).sum(1)


# PyTorch's function of (prediction, target, reduction=...) for each loss
LOSSES = {
    repr(dl.CrossEntropy(from_logits=True)): F.cross_entropy,
    repr(dl.CrossEntropy()): lambda p, y, reduction: nll(p, y),
    repr(dl.BinaryCrossEntropy(from_logits=True)): F.binary_cross_entropy_with_logits,
    repr(dl.BinaryCrossEntropy()): F.binary_cross_entropy,
    repr(dl.MeanSquaredError()): F.mse_loss,
}


@pytest.mark.parametrize("weight", [None, [2.0, 0.0, 0.5, 1.0, 3.0]], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", LOSS_CASES, ids=str)
def test_loss(case, weight):
    prediction = tensor(case.prediction, grad=True)
    target = tensor(case.target if case.target.ndim == 1 else case.target.astype(float))
    losses = LOSSES[repr(case.loss)](prediction, target, reduction="none")
    w = tensor(np.ones(5) if weight is None else np.array(weight))
    theirs = (w * losses.reshape(5, -1).mean(1)).sum() / w.sum()
    theirs.backward()
    value, gradient = case.loss.value_and_grad(case.prediction, case.target, sample_weight=weight)
    assert value == pytest.approx(theirs.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, prediction.grad, rtol=1e-12, atol=1e-15)


def test_class_weights_divide_by_their_sum():
    class_weight = np.array([0.5, 2.0, 0.0, 3.0])
    z = tensor(LOGITS, grad=True)
    theirs = F.cross_entropy(z, tensor(LABELS), weight=tensor(class_weight))
    theirs.backward()
    value, gradient = dl.CrossEntropy(from_logits=True).value_and_grad(
        LOGITS, LABELS, sample_weight=class_weight[LABELS]
    )
    assert value == pytest.approx(theirs.item(), rel=1e-12)
    np.testing.assert_allclose(gradient, z.grad, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ["CrossEntropy", "BinaryCrossEntropy"])
def test_extreme_logits(loss, dtype):
    logits = np.array([[1e4, -1e4], [-1e4, 1e4], [1e4, 1e4], [0, -1e4]], dtype)
    target = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype)
    mine = getattr(dl, loss)(from_logits=True)
    z = tensor(logits, grad=True)
    theirs = LOSSES[repr(mine)](z, tensor(target), reduction="mean")
    theirs.backward()
    value, gradient = mine.value_and_grad(logits, target)
    assert value == pytest.approx(theirs.item(), rel=1e-7)
    np.testing.assert_allclose(gradient, z.grad, rtol=1e-7, atol=0)
