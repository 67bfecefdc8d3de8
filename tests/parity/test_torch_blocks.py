"""Blocks of several branches beside the same in PyTorch: outputs and all gradients, in float64."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from parity.comparison import channels_first, channels_last, tensor

import minidl as dl

F = torch.nn.functional
PATH = Path(__file__).resolve().parents[2] / "examples" / "inception_and_resnet.py"
SPEC = importlib.util.spec_from_file_location("inception_and_resnet", PATH)
example = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(example)


class Parameters:
    """A model's parameters as tensors, handed out in the order of its layers."""

    def __init__(self, model):
        self.layers = [layer for layer in model.walk() if layer.gradients]
        self.tensors = [
            [tensor(getattr(layer, name), grad=True) for name in layer.gradients]
            for layer in self.layers
        ]
        self._next = iter(self.tensors)

    def convolution(self, x, stride=1):
        """minidl's convolution without bias, "same" padding, and batch normalization."""
        x = self.plain_convolution(x, stride)
        gamma, beta = next(self._next)
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=1e-5)

    def plain_convolution(self, x, stride):
        (weight,) = next(self._next)
        kernel = weight.permute(3, 2, 0, 1)  # (KH, KW, C, F) to (F, C, KH, KW)
        size = kernel.shape[-1]
        missing = [
            max((-(-length // stride) - 1) * stride + size - length, 0) for length in x.shape[-2:]
        ]
        (top, left) = (each // 2 for each in missing)
        padded = F.pad(x, (left, missing[1] - left, top, missing[0] - top))
        return F.conv2d(padded, kernel, stride=stride)


def inception(x, p):
    one = F.relu(p.convolution(x))
    three = F.relu(p.convolution(F.relu(p.convolution(x))))
    five = F.relu(p.convolution(F.relu(p.convolution(x))))
    pooled = F.relu(p.convolution(F.max_pool2d(x, 3, stride=1, padding=1)))
    return torch.cat([one, three, five, pooled], dim=1)


def residual(x, p):
    return F.relu(p.convolution(F.relu(p.convolution(x))) + x)


def residual_with_a_new_shape(x, p):
    body = p.convolution(F.relu(p.convolution(x, stride=2)))
    return F.relu(body + p.convolution(x, stride=2))


BLOCKS = {
    "inception": (lambda: example.inception_block(4), inception),
    "residual": (lambda: example.residual_block(3), residual),
    "residual with a new shape": (
        lambda: example.residual_block(4, stride=2, new_shape=True),
        residual_with_a_new_shape,
    ),
    "nested": (
        lambda: dl.Residual(
            dl.Sequential([example.inception_block(4), example.residual_block(16)]),
            example.inception_block(4),
        ),
        lambda x, p: residual(inception(x, p), p) + inception(x, p),
    ),
}


@pytest.mark.parametrize(("make", "function"), BLOCKS.values(), ids=BLOCKS)
def test_block(make, function):
    rng = np.random.default_rng(0)
    model = make().build((6, 8, 3), rng=0, dtype=np.float64)
    model.params += 0.1 * rng.normal(size=model.params.shape)
    x = rng.normal(size=(5, 6, 8, 3))
    y = model.forward(x, training=True)
    dy = rng.normal(size=y.shape)
    dx = model.backward(dy)
    parameters, theirs_x = Parameters(model), tensor(x, grad=True)
    theirs = channels_last(function(channels_first(theirs_x), parameters))
    theirs.backward(tensor(dy))
    close = {"rtol": 1e-9, "atol": 1e-10}
    np.testing.assert_allclose(y, theirs.detach(), **close)
    np.testing.assert_allclose(dx, theirs_x.grad, **close)
    for layer, tensors in zip(parameters.layers, parameters.tensors, strict=True):
        for gradient, other in zip(layer.gradients.values(), tensors, strict=True):
            np.testing.assert_allclose(gradient, other.grad, **close)
