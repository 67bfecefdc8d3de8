"""The comparison of the convolutions with PyTorch, in float64."""

import numpy as np
import pytest
import torch
from parity.comparison import channels_first, channels_last, compare

import minidl as dl

F = torch.nn.functional


def same_pads(lengths, kernel, stride, dilation):
    """Zeros as F.pad takes them, last axis first, by TensorFlow's rule for "same"."""
    pads = []
    for n, k, s, d in zip(lengths, kernel, stride, dilation, strict=True):
        total = max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0)
        pads = [total // 2, total - total // 2, *pads]
    return pads


def conv(stride=1, pads=(0, 0), dilation=1, groups=1):
    """PyTorch's convolution of images or sequences; pads are those of F.pad."""

    def function(x, weight, bias=None):
        convolve = F.conv2d if x.ndim == 4 else F.conv1d
        x, weight = F.pad(channels_first(x), list(pads)), weight.movedim((-1, -2), (0, 1))
        y = convolve(x, weight, bias, stride=stride, dilation=dilation, groups=groups)
        return channels_last(y)

    return function


def transposed(stride, rows=slice(None), columns=slice(None)):
    """PyTorch's transposed convolution, cut to some rows and columns of its output."""

    def function(x, weight, bias=None):
        y = F.conv_transpose2d(channels_first(x), weight.permute(3, 2, 0, 1), bias, stride=stride)
        return channels_last(y[:, :, rows, columns])

    return function


CAUSAL = {"padding": "causal", "dilation": 2}

# name: layer, shape of a sample, the same in PyTorch
LAYERS = {
    "unit": (lambda: dl.Conv2D(4, 3), (6, 7, 3), conv()),
    "without bias": (lambda: dl.Conv2D(4, (2, 3), use_bias=False), (6, 7, 3), conv()),
    "stride": (lambda: dl.Conv2D(4, 3, stride=(2, 3)), (8, 9, 3), conv((2, 3))),
    "same": (
        lambda: dl.Conv2D(4, (3, 4), padding="same"),
        (6, 7, 3),
        conv(pads=same_pads((6, 7), (3, 4), (1, 1), (1, 1))),
    ),
    "same, stride": (
        lambda: dl.Conv2D(4, 5, stride=2, padding="same"),
        (6, 7, 3),
        conv(2, same_pads((6, 7), (5, 5), (2, 2), (1, 1))),
    ),
    "pairs": (
        lambda: dl.Conv2D(4, 3, padding=((1, 2), (0, 3))),
        (6, 7, 3),
        conv(pads=(0, 3, 1, 2)),
    ),
    "more padding than image": (
        lambda: dl.Conv2D(2, 2, padding=((5, 9), (7, 4)), stride=3),
        (2, 3, 2),
        conv(3, pads=(7, 4, 5, 9)),
    ),
    "dilation": (lambda: dl.Conv2D(4, 3, dilation=(2, 3)), (8, 9, 3), conv(dilation=(2, 3))),
    "dilation, same, stride, groups": (
        lambda: dl.Conv2D(4, 3, stride=(2, 1), padding="same", dilation=2, groups=2),
        (8, 7, 6),
        conv((2, 1), same_pads((8, 7), (3, 3), (2, 1), (2, 2)), 2, 2),
    ),
    "groups": (lambda: dl.Conv2D(6, 3, groups=3), (6, 5, 6), conv(groups=3)),
    "depthwise": (lambda: dl.Conv2D(8, 3, padding=1, groups=4), (6, 5, 4), conv(1, [1] * 4, 1, 4)),
    "pointwise": (lambda: dl.Conv2D(5, 1), (4, 5, 3), conv()),
    "pointwise, padding": (lambda: dl.Conv2D(3, 1, padding=1), (4, 5, 3), conv(pads=[1] * 4)),
    "pointwise, stride, groups": (
        lambda: dl.Conv2D(4, 1, stride=2, groups=2),
        (4, 5, 2),
        conv(2, groups=2),
    ),
    "as large as the image": (lambda: dl.Conv2D(5, (4, 5)), (4, 5, 3), conv()),
    "LeNet": (lambda: dl.Conv2D(6, 5, padding="same"), (28, 28, 1), conv(pads=[2] * 4)),
    "steps": (lambda: dl.Conv1D(4, 3), (9, 3), conv()),
    "steps without bias": (lambda: dl.Conv1D(4, 1, use_bias=False), (9, 3), conv()),
    "steps, same, stride": (
        lambda: dl.Conv1D(4, 4, stride=3, padding="same"),
        (9, 3),
        conv(3, same_pads((9,), (4,), (3,), (1,))),
    ),
    "steps, causal": (lambda: dl.Conv1D(4, 3, **CAUSAL), (9, 3), conv(pads=(4, 0), dilation=2)),
    "steps, open": (lambda: dl.Conv1D(4, 3, padding=((1, 2),)), (None, 3), conv(pads=(1, 2))),
    "steps, groups": (lambda: dl.Conv1D(6, 3, groups=3), (9, 6), conv(groups=3)),
    "transposed": (lambda: dl.Conv2DTranspose(4, 3), (4, 5, 3), transposed(1)),
    "transposed, stride": (
        lambda: dl.Conv2DTranspose(4, (2, 4), stride=(3, 2)),
        (4, 5, 3),
        transposed((3, 2)),
    ),
    "transposed, same": (
        lambda: dl.Conv2DTranspose(4, (3, 4), stride=2, padding="same"),
        (4, 5, 3),
        transposed(2, slice(0, 8), slice(1, 11)),
    ),
    "transposed, cut": (
        lambda: dl.Conv2DTranspose(4, 4, stride=2, padding=((1, 2), (0, 3)), use_bias=False),
        (4, 5, 3),
        transposed(2, slice(1, -2), slice(0, -3)),
    ),
}


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize(("make", "shape", "function"), LAYERS.values(), ids=LAYERS)
def test_layer(make, shape, function, n):
    layer = make().build(shape, rng=0, dtype=np.float64)
    layer.params += 0.1  # biases, too
    x = np.random.default_rng(0).normal(size=(n, *[length or 11 for length in shape]))
    compare(layer, x, function)
