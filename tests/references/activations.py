"""Activations element by element, with Python's own mathematics."""

import math

import numpy as np


def elementwise(function):
    """The reference of a layer that applies `function` to every number."""
    return lambda layer, x: np.array([function(float(v)) for v in x.flat]).reshape(x.shape)


def leaky_relu(slope):
    return elementwise(lambda v: v if v > 0 else slope * v)


def elu(alpha):
    return elementwise(lambda v: v if v > 0 else alpha * math.expm1(v))


# Constants of the paper's fixed point, to more digits than a double has.
selu = elementwise(
    lambda v: 1.05070098735548049342 * (v if v > 0 else 1.67326324235437728482 * math.expm1(v))
)
gelu = elementwise(lambda v: v * math.erfc(-v / math.sqrt(2)) / 2)
gelu_tanh = elementwise(
    lambda v: v / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (v + 0.044715 * v**3)))
)
silu = elementwise(lambda v: v / (1 + math.exp(-v)))


def prelu(layer, x):
    y = x.copy()
    for index in np.ndindex(x.shape):
        if x[index] < 0:
            y[index] *= layer.slope[index[-1]]
    return y


def log_softmax(_, x):
    """Row by row, on a list of Python's floats."""
    rows = x.reshape(-1, x.shape[-1])
    return np.array(
        [[v - math.log(math.fsum(map(math.exp, row))) for v in row] for row in rows.tolist()]
    ).reshape(x.shape)


def reshape(shape):
    """C order, by writing elements one after the other."""

    def reference(_, x):
        y = np.empty((len(x), *shape), x.dtype)
        for sample, target in zip(x, y, strict=True):
            values = [sample[index] for index in np.ndindex(sample.shape)]
            for index, value in zip(np.ndindex(shape), values, strict=True):
                target[index] = value
        return y

    return reference
