"""What looks at all channels of a row together: softmax and layer normalization."""

from __future__ import annotations

import numpy as np

from minidl.typing import Array


def softmax(x: Array) -> Array:
    """Return e^x / the sum of e^x over the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))  # the same as e^x, but cannot overflow
    y: Array = e / e.sum(axis=-1, keepdims=True)
    return y


def log_softmax(x: Array) -> Array:
    """Return x - ln of the sum of e^x over the last axis."""
    z = x - x.max(axis=-1, keepdims=True)
    y: Array = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    return y


def layer_norm(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    """Return gamma (x - mean) / sqrt(variance + epsilon) + beta, each row by itself."""
    z = x - x.mean(axis=-1, keepdims=True)
    y: Array = z / np.sqrt((z * z).mean(axis=-1, keepdims=True) + epsilon) * gamma + beta
    return y


def rms_norm(x: Array, gamma: Array, epsilon: float) -> Array:
    """Return gamma x / sqrt(mean of x^2 + epsilon), each row by itself."""
    y: Array = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + epsilon) * gamma
    return y
