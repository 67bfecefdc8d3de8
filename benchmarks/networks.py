"""The networks that are measured, as lists of layers that every program builds in its own way.

A layer is a name with its options: `("dense", units)`, `("conv", filters, kernel_size, padding)`,
`("pool", size)`, `("relu",)`, `("flatten",)`. The last one gives the logits; softmax and
cross-entropy belong to the loss.
"""

from __future__ import annotations

import numpy as np

Layers = tuple[tuple, ...]
Start = list[tuple[np.ndarray, np.ndarray]]


def dense(*units: int) -> Layers:
    """Dense layers with ReLU in between."""
    layers: list[tuple] = []
    for width in units:
        layers += [("relu",), ("dense", width)]
    return tuple(layers[1:])


LENET = (
    *(("conv", 6, 5, "same"), ("relu",), ("pool", 2)),
    *(("conv", 16, 5, "valid"), ("relu",), ("pool", 2)),
    *(("flatten",), *dense(120, 84, 10)),
)
SMALL_CNN = (
    *(("conv", 8, 3, "same"), ("relu",), ("pool", 2)),
    *(("conv", 16, 3, "same"), ("relu",), ("pool", 2)),
    *(("flatten",), *dense(10)),
)
# Without its Dropout layers: masks drawn by different generators would make the work differ.
TORCH_EXAMPLE = (
    *(("conv", 32, 3, "valid"), ("relu",), ("conv", 64, 3, "valid"), ("relu",), ("pool", 2)),
    *(("flatten",), *dense(128, 10)),
)


def shapes(layers: Layers, input_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Shape of the input, and of every layer's output, without the batch axis."""
    found = [input_shape]
    for kind, *options in layers:
        shape = found[-1]
        if kind == "dense":
            shape = (options[0],)
        elif kind == "flatten":
            shape = (int(np.prod(shape)),)
        elif kind == "pool":
            shape = (shape[0] // options[0], shape[1] // options[0], shape[2])
        elif kind == "conv":
            filters, size, padding = options
            lost = size - 1 if padding == "valid" else 0
            shape = (shape[0] - lost, shape[1] - lost, filters)
        found.append(shape)
    return found


def initial_values(layers: Layers, input_shape: tuple[int, ...], seed: int = 0) -> Start:
    """Weight and bias of every layer that has them: He's normal values, and zeros.

    Weights are of shape (inputs, units) and (height, width, channels, filters).
    """
    rng = np.random.default_rng(seed)
    start = []
    for (kind, *options), shape in zip(layers, shapes(layers, input_shape), strict=False):
        if kind in ("dense", "conv"):
            form = (*shape, options[0])
            if kind == "conv":
                form = (options[1], options[1], shape[-1], options[0])
            weight = rng.normal(0, np.sqrt(2 / np.prod(form[:-1])), form)
            start.append((weight.astype(np.float32), np.zeros(options[0], np.float32)))
    return start


def step_operations(layers: Layers, input_shape: tuple[int, ...], rows: int) -> float:
    """Floating-point operations of the products in a training step.

    Forward, gradient of the weights, gradient of the input: each multiplies and adds once per
    weight, row and place. The first layer's input needs no gradient.
    """
    total, passes = 0.0, 2
    forms = shapes(layers, input_shape)
    for (kind, *options), shape, output in zip(layers, forms, forms[1:], strict=False):
        if kind in ("dense", "conv"):
            inputs = shape[0] if kind == "dense" else options[1] ** 2 * shape[-1]
            total += passes * 2.0 * rows * inputs * np.prod(output)
            passes = 3
    return total
