"""How a layer is compared with its counterpart in PyTorch, in float64."""

import numpy as np
import torch


def tensor(array, grad=False):
    return torch.tensor(np.ascontiguousarray(array), requires_grad=grad)


def channels_first(x):
    """(N, H, W, C) to (N, C, H, W), or (N, T, C) to (N, C, T)."""
    return x.movedim(-1, 1)


def channels_last(x):
    return x.movedim(1, -1)


def compare(layer, x, function, rtol=1e-9, atol=1e-11):
    """Compare output and all gradients of a built layer with `function(x, *parameters)`.

    Parameters come in the order of `layer.gradients`; `function` gets and returns tensors. Returns
    the largest difference, relative to the largest element of its array or to 1.
    """
    y = layer.forward(x, training=True)
    dy = np.random.default_rng(1).normal(size=y.shape)
    dx = layer.backward(dy)
    parameters = [getattr(layer, name) for name in layer.gradients]
    inputs = [tensor(a, grad=a.dtype.kind == "f") for a in (x, *parameters)]
    theirs = function(*inputs)
    theirs.backward(tensor(dy))
    pairs = [(y, theirs.detach().numpy())]
    for mine, other in zip((dx, *layer.gradients.values()), inputs, strict=True):
        if other.requires_grad:
            pairs.append((mine, other.grad.numpy()))
    for mine, other in pairs:
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=atol)
    return max(np.abs(a - b).max() / max(np.abs(b).max(), 1.0) for a, b in pairs)
