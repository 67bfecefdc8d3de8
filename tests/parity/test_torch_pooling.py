"""The comparison with PyTorch: pooling and up-sampling, in float64."""

import numpy as np
import pytest
import torch
from parity.comparison import channels_first, channels_last, compare, tensor

import minidl as dl

F = torch.nn.functional


def images(function):
    """A function of (N, C, H, W), or of (N, C, T), as one of channels last."""
    return lambda x: channels_last(function(channels_first(x)))


def padded(function, pads, value=0.0):
    """`pads` is that of F.pad: left, right, top, bottom."""
    return lambda x: function(F.pad(x, pads, value=value))


def mean_of_the_inside(x, size, stride, pads):
    """Average pooling that leaves out the padding, also where its two sides differ."""
    sums, counts = (
        F.avg_pool2d(F.pad(a, pads), size, stride, divisor_override=1)
        for a in (x, torch.ones_like(x))
    )
    return sums / counts


# name: layer, shape of a sample, the same in PyTorch
LAYERS = {
    "max": (dl.MaxPool2D, (6, 8, 3), images(lambda x: F.max_pool2d(x, 2))),
    "max, odd": (dl.MaxPool2D, (5, 7, 2), images(lambda x: F.max_pool2d(x, 2))),
    "max, overlapping": (
        lambda: dl.MaxPool2D((3, 2), (2, 1)),
        (7, 6, 2),
        images(lambda x: F.max_pool2d(x, (3, 2), (2, 1))),
    ),
    "max, gaps": (lambda: dl.MaxPool2D(2, 3), (8, 7, 2), images(lambda x: F.max_pool2d(x, 2, 3))),
    "max, same": (
        lambda: dl.MaxPool2D(3, 2, padding="same"),
        (7, 5, 2),
        images(lambda x: F.max_pool2d(x, 3, 2, padding=1)),
    ),
    "max, same, one side": (
        lambda: dl.MaxPool2D(padding="same"),
        (5, 4, 2),
        images(padded(lambda x: F.max_pool2d(x, 2), (0, 0, 0, 1), -torch.inf)),
    ),
    "max, ceil mode": (
        lambda: dl.MaxPool2D(padding="same"),
        (5, 7, 2),
        images(lambda x: F.max_pool2d(x, 2, ceil_mode=True)),
    ),
    "average": (dl.AveragePool2D, (6, 8, 3), images(lambda x: F.avg_pool2d(x, 2))),
    "average, overlapping": (
        lambda: dl.AveragePool2D((2, 3), (1, 2)),
        (5, 7, 2),
        images(lambda x: F.avg_pool2d(x, (2, 3), (1, 2))),
    ),
    "average, gaps": (
        lambda: dl.AveragePool2D(2, 3),
        (8, 7, 2),
        images(lambda x: F.avg_pool2d(x, 2, 3)),
    ),
    "average, same": (
        lambda: dl.AveragePool2D(3, 2, padding="same"),
        (7, 5, 2),
        images(lambda x: F.avg_pool2d(x, 3, 2, padding=1, count_include_pad=False)),
    ),
    "average, same, one side": (
        lambda: dl.AveragePool2D(3, 2, padding="same"),
        (6, 5, 2),
        images(lambda x: mean_of_the_inside(x, 3, 2, (1, 1, 0, 1))),
    ),
    "global average": (dl.GlobalAveragePool2D, (4, 5, 3), lambda x: x.mean(dim=(1, 2))),
    "global average, adaptive": (
        dl.GlobalAveragePool2D,
        (3, 3, 2),
        lambda x: F.adaptive_avg_pool2d(channels_first(x), 1).flatten(1),
    ),
    "global max": (
        dl.GlobalMaxPool2D,
        (4, 5, 3),
        lambda x: F.adaptive_max_pool2d(channels_first(x), 1).flatten(1),
    ),
    "max of steps": (dl.MaxPool1D, (7, 3), images(lambda x: F.max_pool1d(x, 2))),
    "max of steps, overlapping": (
        lambda: dl.MaxPool1D(3, 1),
        (6, 2),
        images(lambda x: F.max_pool1d(x, 3, 1)),
    ),
    "max of steps, same": (
        lambda: dl.MaxPool1D(3, 2, padding="same"),
        (7, 2),
        images(lambda x: F.max_pool1d(x, 3, 2, padding=1)),
    ),
    "global average of steps": (dl.GlobalAveragePool1D, (6, 3), lambda x: x.mean(dim=1)),
    "up sampling": (
        dl.UpSampling2D,
        (3, 4, 2),
        images(lambda x: F.interpolate(x, scale_factor=2, mode="nearest")),
    ),
    "up sampling by two numbers": (
        lambda: dl.UpSampling2D((3, 1)),
        (3, 4, 2),
        images(lambda x: F.interpolate(x, scale_factor=(3, 1), mode="nearest")),
    ),
}
MAXIMA = {name: row for name, row in LAYERS.items() if "max" in name}


@pytest.mark.parametrize("scale", [1.0, 1e6])
@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize(("make", "shape", "function"), LAYERS.values(), ids=LAYERS)
def test_layer(make, shape, function, n, scale):
    layer = make().build(shape, rng=0, dtype=np.float64)
    compare(layer, scale * np.random.default_rng(0).normal(size=(n, *shape)), function)


@pytest.mark.parametrize("values", [1, 2, 3])
@pytest.mark.parametrize(("make", "shape", "function"), MAXIMA.values(), ids=MAXIMA)
def test_the_same_one_of_equal_pixels_gets_the_gradient(make, shape, function, values):
    layer = make().build(shape, rng=0, dtype=np.float64)
    x = np.random.default_rng(0).integers(0, values, (4, *shape)).astype(np.float64)
    compare(layer, x, function)


def test_global_average_of_masked_steps():
    rng = np.random.default_rng(0)
    x, mask = rng.normal(size=(6, 5, 3)), rng.random((6, 5)) < 0.6
    mask[0] = False
    layer = dl.GlobalAveragePool1D().build((None, 3), dtype=np.float64)
    y = layer.forward(x, training=True, mask=mask)
    theirs, counts = tensor(x, grad=True), tensor(mask).unsqueeze(2)
    mean = (theirs * counts).sum(dim=1) / counts.sum(dim=1).clamp(min=1)
    mean.backward(tensor(y))
    np.testing.assert_allclose(y, mean.detach(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(layer.backward(y), theirs.grad, rtol=1e-9, atol=1e-11)
