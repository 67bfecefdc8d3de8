"""The comparison with PyTorch: normalization."""

import functools

import numpy as np
import pytest
import torch
from parity.comparison import channels_first, channels_last, compare, tensor

import minidl as dl

F = torch.nn.functional


def batch_norm(x, gamma, beta, epsilon=1e-5):
    first = channels_first(x) if x.ndim > 2 else x
    y = F.batch_norm(first, None, None, gamma, beta, training=True, eps=epsilon)
    return channels_last(y) if x.ndim > 2 else y


def layer_norm(x, gamma, beta, epsilon=1e-5):
    return F.layer_norm(x, x.shape[-1:], gamma, beta, epsilon)


def rms_norm(x, gamma, epsilon=1e-5):
    return F.rms_norm(x, x.shape[-1:], gamma, epsilon)


def group_norm(x, gamma, beta, groups=1, epsilon=1e-5):
    y = F.group_norm(channels_first(x), groups, gamma, beta, epsilon)
    return channels_last(y)


def grouped(groups, **options):
    return functools.partial(group_norm, groups=groups, **options)


DATA = np.random.default_rng(4).normal(3.0, 5.0, size=(50, 2, 3))


def standardize(x):
    data = tensor(DATA).reshape(-1, 3)
    return (x - data.mean(0)) / data.std(0, correction=0)


# name: layer, shape of a sample, the same in PyTorch as a function of input and parameters
LAYERS = {
    "batch norm": (dl.BatchNorm, (5,), batch_norm),
    "batch norm of one channel": (dl.BatchNorm, (1,), batch_norm),
    "batch norm on steps": (dl.BatchNorm, (4, 3), batch_norm),
    "batch norm on images": (dl.BatchNorm, (5, 4, 3), batch_norm),
    "batch norm on volumes": (dl.BatchNorm, (2, 3, 4, 2), batch_norm),
    "batch norm with epsilon": (
        lambda: dl.BatchNorm(epsilon=0.3),
        (4,),
        functools.partial(batch_norm, epsilon=0.3),
    ),
    "layer norm": (dl.LayerNorm, (5,), layer_norm),
    "layer norm of one channel": (dl.LayerNorm, (1,), layer_norm),
    "layer norm on steps": (dl.LayerNorm, (4, 3), layer_norm),
    "layer norm on images": (dl.LayerNorm, (5, 4, 3), layer_norm),
    "layer norm with epsilon": (
        lambda: dl.LayerNorm(epsilon=0.3),
        (4,),
        functools.partial(layer_norm, epsilon=0.3),
    ),
    "rms norm": (dl.RMSNorm, (5,), rms_norm),
    "rms norm of one channel": (dl.RMSNorm, (1,), rms_norm),
    "rms norm on steps": (dl.RMSNorm, (4, 3), rms_norm),
    "rms norm on images": (dl.RMSNorm, (5, 4, 3), rms_norm),
    "rms norm with epsilon": (
        lambda: dl.RMSNorm(epsilon=0.3),
        (4,),
        functools.partial(rms_norm, epsilon=0.3),
    ),
    "group norm": (lambda: dl.GroupNorm(3), (6,), grouped(3)),
    "group norm on steps": (lambda: dl.GroupNorm(2), (3, 4), grouped(2)),
    "group norm on images": (lambda: dl.GroupNorm(2), (4, 3, 6), grouped(2)),
    "group norm of one group": (lambda: dl.GroupNorm(1), (4, 3, 6), grouped(1)),
    "group norm of each channel": (lambda: dl.GroupNorm(6), (4, 3, 6), grouped(6)),
    "group norm with epsilon": (
        lambda: dl.GroupNorm(2, epsilon=0.3),
        (2, 2, 4),
        grouped(2, epsilon=0.3),
    ),
    "standardize": (lambda: dl.Standardize().adapt(DATA), (2, 3), standardize),
}


@pytest.mark.parametrize("scale", [1.0, 20.0])
@pytest.mark.parametrize(("make", "shape", "function"), LAYERS.values(), ids=LAYERS)
def test_output_and_gradients(make, shape, function, scale):
    rng = np.random.default_rng(0)
    layer = make().build(shape, rng=0, dtype=np.float64)
    layer.params = rng.normal(size=layer.params.shape)
    compare(layer, scale * rng.normal(0.5, size=(7, *shape)), function)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 4, 2)])
def test_batch_norm_backward(shape):
    # one of the places where well-known frameworks were wrong; here with few and many rows, and
    # with channels of very different size
    rng = np.random.default_rng(1)
    for n in (2, 3, 64):
        layer = dl.BatchNorm().build(shape, dtype=np.float64)
        layer.params = rng.normal(size=layer.params.shape)
        x = rng.normal(size=(n, *shape)) * 10.0 ** np.arange(-2, shape[-1] - 2)
        compare(layer, x, batch_norm)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 4, 2)])
def test_batch_norm_running_values_and_inference(shape):
    rng = np.random.default_rng(2)
    c = shape[-1]
    layer = dl.BatchNorm(momentum=0.8).build(shape, dtype=np.float64)
    layer.params = rng.normal(size=layer.params.shape)
    theirs_mean, theirs_variance = torch.zeros(c).double(), torch.ones(c).double()
    for n in (3, 6, 2):
        x = rng.normal(2.0, 3.0, size=(n, *shape))
        layer.forward(x, training=True)
        rows = tensor(x.reshape(-1, c))
        m = len(rows)
        mean_only = torch.zeros(c).double()
        F.batch_norm(rows, theirs_mean, mean_only, training=True, momentum=0.2)
        # PyTorch's running variance is unbiased: its share is taken apart and made biased
        theirs_variance = 0.8 * theirs_variance + mean_only * (m - 1) / m
    np.testing.assert_allclose(layer.running_mean, theirs_mean, rtol=1e-9)
    np.testing.assert_allclose(layer.running_variance, theirs_variance, rtol=1e-9)
    y = F.batch_norm(
        tensor(x.reshape(-1, c)),
        theirs_mean,
        theirs_variance,
        tensor(layer.gamma),
        tensor(layer.beta),
    )
    np.testing.assert_allclose(layer(x).reshape(-1, c), y, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 4, 2)])
def test_frozen_batch_norm(shape):
    rng = np.random.default_rng(3)
    layer = dl.BatchNorm().build(shape, dtype=np.float64)
    layer.params = rng.normal(size=layer.params.shape)
    layer.state = rng.uniform(0.5, 2.0, size=layer.state.shape)
    layer.trainable = False
    mean, variance = tensor(layer.running_mean), tensor(layer.running_variance)

    def function(x, gamma, beta):
        rows = x.reshape(-1, shape[-1])
        return F.batch_norm(rows, mean, variance, gamma, beta).reshape(x.shape)

    compare(layer, rng.normal(size=(7, *shape)), function)
