"""The one table of layer cases: every layer in every form that has a path of its own.

A new layer gets a row here and with it the contract suite, the gradient checks, the checks inside
containers, and the comparison with its reference.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

import minidl as dl
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class Case:
    """A layer in one form.

    Attributes:
        make: Makes the layer, unbuilt.
        input_shape: Shape of a sample.
        reference: The inference output, computed by other means from the built layer and x.
        kinks: Whether the function has kinks (inputs are kept away from 0).
        random: Whether training draws random numbers.
    """

    make: Callable[[], dl.Layer]
    input_shape: Shape
    reference: Callable[[dl.Layer, Array], Array]
    kinks: bool = False
    random: bool = False

    def inputs(self, n: int, dtype: type = np.float64, seed: int = 0) -> Array:
        x = np.random.default_rng([seed, n]).normal(size=(n, *self.input_shape))
        if self.kinks:
            x += 0.01 * np.sign(x)
        return x.astype(dtype)

    def build(self, dtype: type = np.float64, rng: int = 0) -> dl.Layer:
        return self.make().build(self.input_shape, rng=rng, dtype=dtype)


def _dense(layer: dl.Layer, x: Array) -> Array:
    y = np.array(
        [
            [sum(row[i] * layer.weight[i, j] for i in range(len(row))) for j in range(layer.units)]
            for row in x
        ]
    )
    return y + layer.bias if layer.use_bias else y


def _chain(layer: dl.Layer, x: Array) -> Array:
    """784-10-10 in small, written out."""
    flat = x.reshape(len(x), math.prod(x.shape[1:]))
    first, second = layer.layers[1], layer.layers[4].layers[0]
    hidden = np.einsum("nd,dm->nm", flat, first.weight) + first.bias
    hidden[hidden < 0] = 0
    return special.softmax(np.einsum("nd,dm->nm", hidden, second.weight) + second.bias, axis=1)


CASES: dict[str, Case] = {
    "dense": Case(lambda: dl.Dense(3), (5,), _dense),
    "dense without bias": Case(lambda: dl.Dense(4, use_bias=False), (3,), _dense),
    "dense to one": Case(lambda: dl.Dense(1, bias_initializer=dl.Normal()), (1,), _dense),
    "dense of ten": Case(lambda: dl.Dense(10, bias_initializer=dl.Normal()), (3,), _dense),
    "dense of sixteen": Case(lambda: dl.Dense(16), (3,), _dense),
    "dense of twenty": Case(lambda: dl.Dense(20), (3,), _dense),
    "relu": Case(dl.ReLU, (6,), lambda _, x: np.where(x > 0, x, 0), kinks=True),
    "relu on images": Case(dl.ReLU, (4, 3, 2), lambda _, x: np.where(x > 0, x, 0), kinks=True),
    "sigmoid": Case(dl.Sigmoid, (4,), lambda _, x: special.expit(x)),
    "tanh": Case(dl.Tanh, (2, 3), lambda _, x: 2 * special.expit(2 * x) - 1),
    "softmax": Case(dl.Softmax, (5,), lambda _, x: special.softmax(x, axis=-1)),
    "softmax of steps": Case(dl.Softmax, (2, 4), lambda _, x: special.softmax(x, axis=-1)),
    "softmax of many": Case(dl.Softmax, (33,), lambda _, x: special.softmax(x, axis=-1)),
    "softmax of many, in steps": Case(
        dl.Softmax, (2, 33), lambda _, x: special.softmax(x, axis=-1)
    ),
    "flatten": Case(dl.Flatten, (2, 3, 2), lambda _, x: np.array([list(s.flat) for s in x])),
    "flatten vector": Case(dl.Flatten, (4,), lambda _, x: x),
    "dropout": Case(lambda: dl.Dropout(0.4), (30,), lambda _, x: x, random=True),
    "dropout 0": Case(lambda: dl.Dropout(0.0), (3,), lambda _, x: x),
    "sequential": Case(
        lambda: dl.Sequential(
            [
                dl.Flatten(),
                dl.Dense(6),
                dl.ReLU(),
                dl.Dropout(0.3),
                dl.Sequential([dl.Dense(4, bias_initializer=dl.Normal()), dl.Softmax()]),
            ]
        ),
        (2, 2, 3),
        _chain,
        kinks=True,
        random=True,
    ),
}


class Unflatten(dl.Layer):
    """(N, D) to (N, *shape), so that any case can stand behind a Dense."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.shape

    def forward(self, x, *, training=False, out=None):
        if training:
            self.save_for_backward(x.shape)
        return x.reshape(len(x), *self.shape)

    def backward(self, dy, *, input_grad=True, out=None):
        (shape,) = self.saved()
        return dy.reshape(shape) if input_grad else None


class Shortcut(dl.Layer):
    """x + body(x) where shapes allow it, body(x) elsewhere: a container of a user's own."""

    def __init__(self, body: dl.Layer) -> None:
        self.body = body
        self.children = [body]

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.body.output_shape(input_shape)

    def forward(self, x, *, training=False, out=None):
        y = self.body.forward(x, training=training)
        return np.add(x, y, out=out) if y.shape == x.shape else y

    def backward(self, dy, *, input_grad=True, out=None):
        dx = self.body.backward(dy, input_grad=input_grad)
        if not input_grad:
            return None
        return np.add(dy, dx, out=out) if dx.shape == dy.shape else dx


def nested(case: Case) -> dl.Sequential:
    """The case in the middle of a network, behind a layer with parameters and before another."""
    return dl.Sequential(
        [
            dl.Dense(math.prod(case.input_shape)),
            Unflatten(case.input_shape),
            Shortcut(case.make()),
            dl.Flatten(),
            dl.Dense(2),
        ]
    )
