"""`explain_step`: one training step as a page with every number in it."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from minidl.arguments import instance, whole_number
from minidl.containers.nesting import innermost_layers
from minidl.errors import ArgumentError
from minidl.explaining.explanation import StepExplanation
from minidl.explaining.names import give_names
from minidl.explaining.recording import record_step
from minidl.explaining.rounding import Rounding
from minidl.explaining.step_page import page_blocks
from minidl.layers.base import Layer
from minidl.layers.checks import convert_input
from minidl.losses.base import Loss
from minidl.optimizers.base import Optimizer
from minidl.sparse import dense_array
from minidl.typing import Array

LIMIT = 2_000  # numbers of an array


def explain_step(
    model: Layer, x: ArrayLike, y: ArrayLike, loss: Loss, optimizer: Optimizer, *, digits: int = 4
) -> StepExplanation:
    r"""Return a page with every number of one training step: forward, loss, backward, update.

    For small networks, to be followed with pencil and calculator. Each array stands there with its
    formula and its shape, and the first entry of each product is worked out. All numbers are what
    the model's own layers, the loss and the optimizer compute, in training mode and in the model's
    data type; they are rounded for the page alone.

    The step is made on copies. Model, optimizer, loss and the generators of layers such as
    `Dropout` stay as they are: the next real step on these rows makes exactly what the page says.

    Where samples are vectors, dense layers, activations, `Flatten`, `Dropout`, `BatchNorm` and
    `LayerNorm` are written out, and so are `CrossEntropy`, `BinaryCrossEntropy` and
    `MeanSquaredError`; of optimizers, `SGD`, `Adam` and `AdamW`. Anything else, such as a layer of
    your own, is shown by what goes in and what comes out.

    Args:
        model: A built model of your own; a layer inside another one will not do.
        x: Samples (N, *input_shape).
        y: Targets, as the loss takes them.
        loss: The loss.
        optimizer: The optimizer; one that has made steps goes on from there.
        digits: Significant digits of the largest number of each array, from 2 to 15.

    Returns:
        The page: `.markdown`, `.html`, `.save("step.html")`; `print` shows the Markdown.

    Raises:
        StateError: If the model is not built.
        ShapeError: If `x` or `y` does not fit the model.
        DataError: If targets are out of range, or `x` has NaN or infinity.
        ArgumentError: If an array of the step has more than 2,000 numbers, or nothing can be
            trained.
        DivergenceError: If the loss or a gradient is not finite.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(3), dl.ReLU(), dl.Dense(2), dl.Softmax()])
        >>> model = model.build((2,), rng=0)
        >>> x, y = np.array([[1.0, 2.0], [2.0, -1.0]]), np.array([0, 1])
        >>> page = dl.explain_step(model, x, y, dl.CrossEntropy(), dl.SGD(0.5))
        >>> page.markdown.count("$$") // 2 > 20, page.html.startswith("<!doctype html>")
        (True, True)
    """
    instance("explain_step", "model", model, Layer)
    instance("explain_step", "loss", loss, Loss)
    instance("explain_step", "optimizer", optimizer, Optimizer)
    if not 2 <= whole_number("explain_step", "digits", digits) <= 15:
        raise ArgumentError(f"explain_step: digits must be from 2 to 15, got {digits}.")
    if model._parent is not None:
        raise ArgumentError(
            f"explain_step: {model.where} is a part of another model. Give the whole model, or "
            "build a copy of the layer: copy.deepcopy(layer).build(input_shape)."
        )
    if not model.params.size:
        raise ArgumentError(
            f"explain_step: {model.where} has no parameters, so there is nothing that a step could "
            "change. Add a layer with weights, such as Dense."
        )
    if model.trainable_mask is not None and not model.trainable_mask.any():
        raise ArgumentError(
            f"explain_step: all layers of {model.where} are frozen, so there is nothing that a "
            "step could change. Set trainable = True on one of them."
        )
    data = convert_input(model, dense_array(x, "explain_step: x", "x"))
    _check_size(model, data)
    record = record_step(model, data, y, loss, optimizer)
    give_names(record.passes)
    return StepExplanation("One training step", page_blocks(record, Rounding(digits, model.dtype)))


def _check_size(model: Layer, x: Array) -> None:
    """Raise where an array would be too large to be followed by hand."""
    _check_array("explain_step", "x", x.shape)
    for layer in innermost_layers(model):
        shape = tuple(
            x.shape[1] if length is None else length for length in layer.bound.output_shape
        )
        _check_array(f"explain_step: {layer.where}", "its output", (len(x), *shape))
        for inner in layer.walk():
            for spec in inner.bound.plan.specs:
                _check_array(f"explain_step: {inner.where}", f"its {spec.name}", spec.shape)


def _check_array(who: str, name: str, shape: tuple[int, ...]) -> None:
    size = math.prod(shape)
    if size > LIMIT:
        raise ArgumentError(
            f"{who}: {name} {shape} has {size:,} numbers, and a page that can be followed by hand "
            f"has arrays of at most {LIMIT:,}. Take fewer samples, fewer inputs or narrower layers."
        )
