"""Normalization in plain loops over single numbers, and layers that carry values."""

import math
from itertools import product

import numpy as np


def learned(layer, shape):
    """The layer, unbuilt, as it would come out of training: it carries values other than 0 and 1.

    gamma and beta are alike in all channels, because the suite takes parameters that differ from
    each other for drawn ones.
    """
    rng = np.random.default_rng(3)
    layer.build(shape)
    layer.params[...] = 0.75
    layer.state = rng.uniform(0.5, 2.0, size=layer.state.shape)
    return layer.detached_copy()


def frozen(layer):
    layer.trainable = False
    return layer


def by_running_values(layer, x):
    y = np.empty(x.shape)
    for *place, c in np.ndindex(x.shape):
        deviation = math.sqrt(float(layer.running_variance[c]) + layer.epsilon)
        z = (float(x[(*place, c)]) - float(layer.running_mean[c])) / deviation
        y[(*place, c)] = float(layer.gamma[c]) * z + float(layer.beta[c])
    return y


def standardized(layer, x):
    y = np.empty(x.shape)
    for *place, c in np.ndindex(x.shape):
        y[(*place, c)] = (float(x[(*place, c)]) - float(layer.mean[c])) / float(layer.std[c])
    return y


def by_groups(layer, x):
    """GroupNorm, each group's numbers collected one by one."""
    y, c_each = np.empty(x.shape), x.shape[-1] // layer.groups
    for n, group in product(range(len(x)), range(layer.groups)):
        places = [
            (n, *place, c)
            for place in np.ndindex(x.shape[1:-1])
            for c in range(group * c_each, (group + 1) * c_each)
        ]
        normalize(layer, x, places, y)
    return y


def by_rows(layer, x):
    """LayerNorm, row by row."""
    y = np.empty(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        normalize(layer, x, [(*place, c) for c in range(x.shape[-1])], y)
    return y


def normalize(layer, x, places, y):
    numbers = [float(x[place]) for place in places]
    mean = math.fsum(numbers) / len(numbers)
    variance = math.fsum((a - mean) ** 2 for a in numbers) / len(numbers)
    for place, a in zip(places, numbers, strict=True):
        z = (a - mean) / math.sqrt(variance + layer.epsilon)
        y[place] = float(layer.gamma[place[-1]]) * z + float(layer.beta[place[-1]])


def by_root_mean_square(layer, x):
    y = np.empty(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        numbers = [float(a) for a in x[place]]
        size = math.sqrt(math.fsum(a * a for a in numbers) / len(numbers) + layer.epsilon)
        y[place] = [float(g) * a / size for g, a in zip(layer.gamma, numbers, strict=True)]
    return y
