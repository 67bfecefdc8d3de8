"""Activations, element by element."""

from __future__ import annotations

import math

import numpy as np

from minidl.typing import Array


def relu(x: Array) -> Array:
    """Return max(x, 0)."""
    return np.maximum(x, 0)


def leaky_relu(x: Array, slope: float) -> Array:
    """Return x where x > 0, slope * x elsewhere."""
    return np.where(x > 0, x, slope * x)


def prelu(x: Array, slope: Array) -> Array:
    """Return x where x > 0, slope * x elsewhere, with a slope for each channel."""
    return np.where(x > 0, x, slope * x)


def elu(x: Array, alpha: float) -> Array:
    """Return x where x > 0, alpha (e^x - 1) elsewhere."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x: Array) -> Array:
    """Return 1.0507 elu(x, 1.6733)."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + e^-x)."""
    with np.errstate(over="ignore"):  # e^-x = infinity leads to the right limit, 0
        return 1 / (1 + np.exp(-x))


def tanh(x: Array) -> Array:
    """Return tanh x."""
    return np.tanh(x)


def silu(x: Array) -> Array:
    """Return x sigmoid(x)."""
    return x * sigmoid(x)


def softplus(x: Array) -> Array:
    """Return ln(1 + e^x)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def gelu(x: Array) -> Array:
    """Return x P(x) with the normal distribution function P(x) = erfc(-x / sqrt(2)) / 2."""
    erfc = np.vectorize(math.erfc, otypes=[np.float32])  # NumPy has none of its own
    p: Array = 0.5 * erfc(x * -math.sqrt(0.5))
    return x * p


def gelu_tanh(x: Array) -> Array:
    """Return x sigmoid(1.596 (x + 0.044715 x^3)), close to gelu(x)."""
    z = np.clip(x, -30, 30)  # beyond, the sigmoid is 0 or 1, and z^3 might overflow
    return x * sigmoid(math.sqrt(8 / math.pi) * (z + 0.044715 * z * z * z))
