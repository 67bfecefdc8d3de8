"""Layers that read a sequence (N, T, D) step by step and keep a state h (N, M)."""

from __future__ import annotations

import numpy as np

from minidl.standalone.formulas.activations import sigmoid
from minidl.typing import Array


def simple_rnn(x: Array, weight: Array, recurrent_weight: Array, bias: Array) -> Array:
    """Return h = tanh(x W + h U + b) after every step (N, T, M)."""
    n, steps, _ = x.shape
    h = np.zeros((n, recurrent_weight.shape[0]), np.float32)
    y = np.empty((n, steps, h.shape[1]), np.float32)
    for t in range(steps):
        h = y[:, t] = np.tanh(x[:, t] @ weight + h @ recurrent_weight + bias)
    return y


def lstm(x: Array, weight: Array, recurrent_weight: Array, bias: Array) -> Array:
    """Return h = o tanh c with c = f c + i g after every step; i, f, g, o are the gates."""
    n, steps, _ = x.shape
    h = c = np.zeros((n, recurrent_weight.shape[0]), np.float32)
    y = np.empty((n, steps, h.shape[1]), np.float32)
    for t in range(steps):
        i, f, g, o = np.split(x[:, t] @ weight + h @ recurrent_weight + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = y[:, t] = sigmoid(o) * np.tanh(c)
    return y


def gru(
    x: Array, weight: Array, recurrent_weight: Array, bias: Array, recurrent_bias: Array
) -> Array:
    """Return h = (1 - z) n + z h with n = tanh(x W + r (h U)) after every step; r, z are gates."""
    n_rows, steps, _ = x.shape
    h = np.zeros((n_rows, recurrent_weight.shape[0]), np.float32)
    y = np.empty((n_rows, steps, h.shape[1]), np.float32)
    for t in range(steps):
        xr, xz, xn = np.split(x[:, t] @ weight + bias, 3, axis=1)
        hr, hz, hn = np.split(h @ recurrent_weight + recurrent_bias, 3, axis=1)
        z = sigmoid(xz + hz)
        h = y[:, t] = (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn) + z * h
    return y


def last_step(x: Array) -> Array:
    """The last step of a sequence."""
    return x[:, -1]


def backwards(x: Array) -> Array:
    """The steps of a sequence, last first."""
    return x[:, ::-1]
