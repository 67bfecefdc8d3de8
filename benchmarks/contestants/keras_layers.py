"""Keras's layers for our networks, and their parameters in the form of `Task.start`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from benchmarks.networks import Layers

RECURRENT = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}
Arrays = list[np.ndarray]


class Transformer(keras.layers.Layer):
    """A block with layer normalization first."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.parts = [
            keras.layers.LayerNormalization(epsilon=1e-5),
            keras.layers.MultiHeadAttention(heads, width // heads),
            keras.layers.LayerNormalization(epsilon=1e-5),
            keras.layers.Dense(hidden, activation="relu"),
            keras.layers.Dense(width),
        ]

    def call(self, x: Any) -> Any:
        norm, attention, second_norm, wide, narrow = self.parts
        z = norm(x)
        x = x + attention(z, z)
        return x + narrow(wide(second_norm(x)))


def build(
    layers: Layers, activation: str | None, recurrent: dict[str, dict[str, object]]
) -> list[Any]:
    """All layers: a ReLU is part of the Dense before it, `activation` of the last Dense."""
    found: list[Any] = []
    for place, (kind, *options) in enumerate(layers):
        after = layers[place + 1][0] if place + 1 < len(layers) else ""
        if kind == "dense":
            function = "relu" if after == "relu" else None if after else activation
            found.append(keras.layers.Dense(*options, function))
        elif kind in RECURRENT:
            found.append(RECURRENT[kind](*options, **recurrent.get(kind, {})))
        elif kind == "transformer":
            found.append(Transformer(*options))
        elif kind == "mean":
            found.append(keras.layers.GlobalAveragePooling1D())
    return found


def with_values(model: keras.Sequential) -> list[Any]:
    """The layers that have parameters, in the order of `Task.start`."""
    parts = [part for layer in model.layers for part in getattr(layer, "parts", [layer])]
    return [part for part in parts if part.weights]


def to_keras(layer: Any, values: tuple[np.ndarray, ...]) -> Arrays:
    """The values of a layer in Keras's form."""
    if isinstance(layer, keras.layers.GRU):
        weight, recurrent, *biases = map(gates_exchanged, values)
        return [weight, recurrent, np.stack(biases)]
    if isinstance(layer, keras.layers.MultiHeadAttention):
        forms = [w.shape for w in layer.get_weights()]
        weight, bias, *output = values
        pairs = zip(np.split(weight, 3, axis=1), np.split(bias, 3), strict=True)
        arrays = [*(a for pair in pairs for a in pair), *output]
        return [a.reshape(form) for a, form in zip(arrays, forms, strict=True)]
    return list(values)


def from_keras(layer: Any) -> Arrays:
    """The values of a layer in our form: what `to_keras` was given."""
    values = layer.get_weights()
    if isinstance(layer, keras.layers.GRU):
        weight, recurrent, biases = values
        return [gates_exchanged(a) for a in (weight, recurrent, *biases)]
    if isinstance(layer, keras.layers.MultiHeadAttention):
        weights, biases = values[0:6:2], values[1:6:2]
        width = len(weights[0])
        weight = np.concatenate([w.reshape(width, -1) for w in weights], axis=1)
        bias = np.concatenate([b.ravel() for b in biases])
        return [weight, bias, values[6].reshape(-1, width), values[7]]
    return values


def gates_exchanged(a: np.ndarray) -> np.ndarray:
    """The first two of three blocks of columns exchanged: Keras's GRU has z before r."""
    first, second, third = np.split(a, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)
