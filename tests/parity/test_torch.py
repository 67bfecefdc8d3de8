"""The comparison with PyTorch: layers and losses, in float64."""

import numpy as np
import pytest
import torch
from loss_cases import LABELS, LOGITS, LOSS_CASES

import minidl as dl

F = torch.nn.functional


def tensor(array, grad=False):
    return torch.tensor(np.ascontiguousarray(array), requires_grad=grad)


# name: layer, shape of a sample, the same in PyTorch as a function of input and parameters
LAYERS = {
    "dense": (lambda: dl.Dense(4), (5,), lambda x, W, b: F.linear(x, W.T, b)),
    "dense 784": (lambda: dl.Dense(10), (784,), lambda x, W, b: F.linear(x, W.T, b)),
    "dense without bias": (lambda: dl.Dense(1, use_bias=False), (5,), lambda x, W: x @ W),
    "relu": (dl.ReLU, (3, 4, 2), F.relu),
    "sigmoid": (dl.Sigmoid, (5,), torch.sigmoid),
    "tanh": (dl.Tanh, (5,), torch.tanh),
    "softmax": (dl.Softmax, (5,), lambda x: F.softmax(x, dim=-1)),
    "softmax of steps": (dl.Softmax, (3, 4), lambda x: F.softmax(x, dim=-1)),
    "flatten": (dl.Flatten, (3, 4, 2), lambda x: torch.flatten(x, 1)),
    "dropout 0": (lambda: dl.Dropout(0.0), (5,), lambda x: F.dropout(x, 0.0)),
}


def test_every_public_layer_is_compared():
    public = {v for v in vars(dl).values() if isinstance(v, type) and issubclass(v, dl.Layer)}
    assert public - {dl.Layer, dl.Sequential} == {type(make()) for make, *_ in LAYERS.values()}


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("make", "shape", "function"), LAYERS.values(), ids=LAYERS)
def test_layer(make, shape, function, scale):
    rng = np.random.default_rng(0)
    layer = make().build(shape, rng=0, dtype=np.float64)
    layer.params += 0.1  # biases, too
    x = scale * rng.normal(size=(7, *shape))
    y = layer.forward(x, training=True)
    dy = rng.normal(size=y.shape)
    dx = layer.backward(dy)
    parameters = [getattr(layer, name) for name in layer.gradients]
    inputs = [tensor(a, grad=True) for a in (x, *parameters)]
    theirs = function(*inputs)
    theirs.backward(tensor(dy))
    np.testing.assert_allclose(y, theirs.detach(), rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(layer(x), theirs.detach(), rtol=1e-12, atol=1e-13)
    for mine, other in zip((dx, *layer.gradients.values()), inputs, strict=True):
        np.testing.assert_allclose(mine, other.grad, rtol=1e-12, atol=1e-13)


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
