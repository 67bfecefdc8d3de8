"""The network that an estimator's parameters describe."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np

from minidl.containers import Sequential
from minidl.errors import ArgumentError, ArgumentTypeError
from minidl.layers import (
    ELU,
    GELU,
    SELU,
    BatchNorm,
    Dense,
    Dropout,
    Layer,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)

ACTIVATIONS: dict[str, type[Layer] | None] = {
    "identity": None,
    "logistic": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "elu": ELU,
    "gelu": GELU,
    "leaky_relu": LeakyReLU,
    "selu": SELU,
    "silu": SiLU,
    "softplus": Softplus,
}


def build_network(
    estimator: Any, output: list[Layer], n_features: int, dtype: Any, random: np.random.RandomState
) -> Sequential:
    """Return the built network of hidden layers and output layers."""
    own = estimator.layers is not None
    sizes = list(np.atleast_1d(estimator.hidden_layer_sizes))
    activations = [] if own else _one_a_layer("activation", estimator.activation, len(sizes))
    hidden = _own_layers(estimator) if own else _hidden_layers(estimator, sizes, activations)
    drawing = own or any(isinstance(layer, Dropout) for layer in hidden)
    # scikit-learn draws initial values and orders alone: another draw would change all that follow
    seed = random.randint(np.iinfo(np.int32).max) if drawing else 0
    model = Sequential([*hidden, *output]).build((n_features,), rng=int(seed), dtype=dtype)
    if not own:
        _draw_initial_values(model, activations, random)
    return model


def _own_layers(estimator: Any) -> list[Layer]:
    """Copies of the user's layers, which stay as they are."""
    layers = estimator.layers
    if not isinstance(layers, Layer) and callable(layers):
        layers = layers()
    if not isinstance(layers, Iterable):
        raise ArgumentTypeError(
            f"layers: expected a list of layers, or a function without arguments that returns one, "
            f"got {layers!r}."
        )
    if estimator.batch_norm or np.any(estimator.dropout):
        raise ArgumentError(
            "layers: dropout and batch_norm are for the layers of hidden_layer_sizes. Put Dropout "
            "and BatchNorm into the list instead."
        )
    own = [copy.deepcopy(layer) for layer in layers]
    if own and isinstance(own[-1], Softmax | LogSoftmax):
        raise ArgumentError(
            f"layers: these are the hidden layers, but the last one is {own[-1]}. Leave out the "
            "output layer: the estimator adds it, as y and the loss need it."
        )
    return own


def _hidden_layers(estimator: Any, sizes: list[int], activations: list[Any]) -> list[Layer]:
    """The hidden layers that sizes, activations, batch_norm and dropout say."""
    if not all(isinstance(units, Integral) and units > 0 for units in sizes):
        given = estimator.hidden_layer_sizes
        raise ValueError(f"hidden_layer_sizes must be > 0 and whole numbers, got {given!r}.")
    rates = _one_a_layer("dropout", estimator.dropout, len(sizes))
    layers: list[Layer] = []
    for units, activation, rate in zip(sizes, activations, rates, strict=True):
        layers.append(Dense(int(units)))
        if estimator.batch_norm:
            layers.append(BatchNorm())
        layers += _activation(activation)
        if rate:
            layers.append(Dropout(float(rate)))
    return layers


def _one_a_layer(name: str, value: Any, n: int) -> list[Any]:
    """A list with one item a hidden layer; a single item is meant for all."""
    if isinstance(value, str | int | float | Layer):
        return [value] * n
    if len(value) != n:
        raise ValueError(
            f"{name}: expected one item for each of {n} hidden layers, got {len(value)}: {value!r}."
        )
    return list(value)


def _activation(activation: Any) -> list[Layer]:
    if isinstance(activation, Layer):
        return [copy.deepcopy(activation)]
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation: expected {', '.join(map(repr, ACTIVATIONS))} or a layer such as "
            f"dl.LeakyReLU(0.1), got {activation!r}."
        )
    kind = ACTIVATIONS[activation]
    return [] if kind is None else [kind()]


def _draw_initial_values(
    model: Sequential, activations: list[Any], random: np.random.RandomState
) -> None:
    """Draw what scikit-learn draws from the same random_state, weights and biases in its order.

    Glorot and Bengio's uniform values; smaller ones for logistic units.
    """
    dense: list[Any] = [layer for layer in model.layers if isinstance(layer, Dense)]
    for layer, activation in zip(dense, [*activations, *activations[-1:], None], strict=False):
        factor = 2.0 if activation == "logistic" or isinstance(activation, Sigmoid) else 6.0
        limit = math.sqrt(factor / sum(layer.weight.shape))
        layer.weight = random.uniform(-limit, limit, layer.weight.shape)
        layer.bias = random.uniform(-limit, limit, layer.bias.shape)
