"""The networks that are measured, as lists of layers that every program builds in its own way.

A layer is a name with its options: `("dense", units)`, `("conv", filters, kernel_size, padding)`,
`("pool", size)`, `("relu",)`, `("flatten",)`; for sequences `("lstm", units)` and `("gru", units)`,
which give the state after the last step, `("transformer", width, heads, hidden)`, a block with
layer normalization first, and `("mean",)` over the steps. The last one gives the logits; softmax
and cross-entropy belong to the loss.
"""

from __future__ import annotations

import numpy as np

Layers = tuple[tuple, ...]
Start = list[tuple[np.ndarray, ...]]  # the parameters of each layer that has some


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
            shape = (*shape[:-1], options[0])
        elif kind in ("lstm", "gru"):
            shape = (options[0],)
        elif kind == "mean":
            shape = shape[1:]
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


def parameters(layer: tuple, shape: tuple[int, ...]) -> list[dict[str, tuple[int, ...]]]:
    """Shapes of the parameters of a layer's parts, by the names and in the forms of minidl."""
    kind, *options = layer
    if kind == "dense":
        return [{"weight": (shape[-1], options[0]), "bias": (options[0],)}]
    if kind == "conv":
        filters, size, _ = options
        return [{"weight": (size, size, shape[-1], filters), "bias": (filters,)}]
    if kind in ("lstm", "gru"):
        units, columns = options[0], (4 if kind == "lstm" else 3) * options[0]
        found = {"weight": (shape[-1], columns), "recurrent_weight": (units, columns)}
        found["bias"] = (columns,)
        return [found if kind == "lstm" else found | {"recurrent_bias": (columns,)}]
    if kind == "transformer":
        width, _, hidden = options
        norm = {"gamma": (width,), "beta": (width,)}
        attention = {"weight": (width, 3 * width), "bias": (3 * width,)}
        attention |= {"output_weight": (width, width), "output_bias": (width,)}
        wide = {"weight": (width, hidden), "bias": (hidden,)}
        narrow = {"weight": (hidden, width), "bias": (width,)}
        return [norm, attention, norm, wide, narrow]
    return []


def initial_values(layers: Layers, input_shape: tuple[int, ...], seed: int = 0) -> Start:
    """Parameters of every layer that has them.

    Weights are normal and of He's variance, biases zeros, gamma ones. Networks for sequences have
    half that variance, since the full one diverges with so few ReLUs, and small random biases,
    without which blank steps have no variance to normalize.
    """
    rng = np.random.default_rng(seed)
    gain, spread = (1, 0.1) if len(input_shape) == 2 else (2, 0)

    def value(name: str, form: tuple[int, ...]) -> np.ndarray:
        if name == "gamma":
            return np.ones(form, np.float32)
        scale = np.sqrt(gain / np.prod(form[:-1])) if len(form) > 1 else spread
        return rng.normal(0, scale, form).astype(np.float32)

    return [
        tuple(value(name, form) for name, form in part.items())
        for layer, shape in zip(layers, shapes(layers, input_shape), strict=False)
        for part in parameters(layer, shape)
    ]


def step_operations(layers: Layers, input_shape: tuple[int, ...], rows: int) -> float:
    """Floating-point operations of the products in a training step.

    Forward, gradient of the weights, gradient of the input: each multiplies and adds once per
    weight, row and place. The first layer's input needs no gradient.
    """
    total, passes = 0.0, 2
    forms = shapes(layers, input_shape)
    for layer, shape, output in zip(layers, forms, forms[1:], strict=False):
        places = shape[0] if layer[0] in ("lstm", "gru") else np.prod(output[:-1])
        for part in parameters(layer, shape):
            for form in part.values():
                if len(form) > 1:
                    total += passes * 2.0 * rows * np.prod(form) * places
                passes = 3
        if layer[0] == "transformer":  # queries by keys, and their weights by values
            total += passes * 2.0 * rows * 2 * shape[0] ** 2 * shape[1]
    return total
