"""`check_layer`: the contract and the gradients of a layer, in one line of pytest."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from minidl.arguments import instance
from minidl.errors import ArgumentError
from minidl.layers.base import Layer
from minidl.layers.checks import check_input
from minidl.randomness import child_seed, seed_sequence
from minidl.testing.gradients import gradient_errors
from minidl.testing.rules import check_buffers, check_float32, check_inference, check_training
from minidl.typing import Array, RNGLike, Shape

STEPS = 4  # of a sequence whose length is left open


@dataclass
class LayerReport:
    """What `check_layer` found.

    Attributes:
        layer: The layer, as messages name it.
        errors: The relative error of each gradient, by name.

    Example:
        >>> import minidl as dl
        >>> report = dl.check_layer(dl.Dense(2), (3,))
        >>> sorted(report.errors), report.worst < 1e-6
        (['bias', 'input', 'weight'], True)
    """

    layer: str
    errors: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The largest relative error of all gradients."""
        return max(self.errors.values(), default=0.0)

    def __str__(self) -> str:
        errors = ", ".join(f"{name} {error:.1e}" for name, error in self.errors.items())
        return f"{self.layer}: relative gradient errors: {errors or 'nothing to differentiate'}"


def check_layer(
    layer: Layer, input_shape: Shape, *, inputs: Array | None = None, rng: RNGLike = 0
) -> LayerReport:
    """Check that a layer keeps the contract and that its gradients are right.

    The layer itself is not touched: copies are built in float64 and float32. Checked are shapes
    and dtypes, that arguments are not written to, that inference keeps nothing and treats rows
    independently (unless `couples_rows`), `out` buffers, that gradients are overwritten and not
    added to, and all gradients against central differences (of layers that accept a mask also with
    one, in which some steps do not count). A time axis that is left open gets a few steps.

    Args:
        layer: The layer, usually not yet built.
        input_shape: Shape of one sample, without the batch axis.
        inputs: A batch to use (at least two rows); by default three rows of normal numbers.
        rng: Seed for initial values, inputs and directions.

    Returns:
        A report with the relative error of each gradient.

    Raises:
        CheckError: If a rule is broken; the message says which one and how to mend it.
        MinidlError: If it does not even build or run; the message says why.

    Example:
        >>> import minidl as dl
        >>> dl.check_layer(dl.Dense(3), (4,)).worst < 1e-6
        True
    """
    instance("check_layer", "layer", layer, Layer)
    seed = seed_sequence(rng)
    model = layer.detached_copy().build(input_shape, rng=child_seed(seed, 0), dtype=np.float64)
    draw = np.random.default_rng(child_seed(seed, 1))
    # away from values such as 0 and 1, at which a missing factor would not show
    model.params += 0.1 * draw.normal(size=model.params.shape)
    model.config()  # raises unless the constructor keeps its arguments
    if inputs is not None:
        x = np.array(inputs, None if layer.accepts_integers else np.float64)
    elif layer.accepts_integers:
        raise ArgumentError(f"check_layer: {layer!r} takes integers: give inputs.")
    else:
        shape = (STEPS if length is None else length for length in model.input_shape)
        x = draw.normal(size=(3, *shape))
    check_input(model, x)
    if len(x) < 2:
        raise ArgumentError(f"check_layer: inputs needs two rows or more, got {x.shape}.")
    check_inference(model, x)
    check_training(model, x)
    check_buffers(model, x)
    report = LayerReport(repr(layer), dict(gradient_errors(model, x, draw)))
    if model.accepts_mask:
        mask = np.arange(x.shape[1]) < x.shape[1] - np.arange(len(x))[:, np.newaxis]  # (N, T)
        with_mask = gradient_errors(model, x, draw, mask)
        report.errors |= {f"{name}, masked": error for name, error in with_mask}
    check_float32(layer.detached_copy(), input_shape, x, child_seed(seed, 0))
    return report
