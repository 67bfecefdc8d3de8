"""Inputs and answers in the shapes that a model and a loss take."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minidl.arguments import positive_number
from minidl.command_line.messages import say
from minidl.containers.nesting import innermost_layers
from minidl.errors import DataError, ShapeError
from minidl.layers.base import Layer
from minidl.layers.checks import batch_shape
from minidl.layers.planning import fits
from minidl.layers.standardize import Standardize
from minidl.losses import CrossEntropy, Loss
from minidl.training.warning_signs import FEWEST_COLUMNS, RAW_FROM, ROWS_LOOKED_AT
from minidl.typing import Array, Shape


def inputs_for(model: Layer, x: Array, name: str, divide_by: float = 1.0) -> Array:
    """The inputs in the model's shape, divided, as numbers that it takes.

    A single sample is a batch of one. Whole numbers become floating ones, or the other way round
    for a model that takes indices.
    """
    positive_number("minidl", "--divide-by", divide_by)
    x = as_samples(x, model.input_shape, name)
    if model.accepts_integers:
        return x.astype(np.int64) if (x % 1 == 0).all() else x
    if divide_by == 1 and x.dtype.kind == "f":
        return x
    divided: Array = x.astype(model.dtype) / model.dtype.type(divide_by)
    return divided


def note_raw_pixels(model: Layer, x: Array, name: str) -> None:
    """Say so if inputs look as if they had to be divided."""
    first = innermost_layers(model)[0]
    part = x[:ROWS_LOOKED_AT]
    if model.accepts_integers or isinstance(first, Standardize) or part[0].size < FEWEST_COLUMNS:
        return
    if part.min() >= 0 and part.max() >= RAW_FROM:
        say(
            f"note: inputs in {name} reach {part.max():g}. If these are pixels and the model was "
            "trained on 0 to 1: --divide-by 255."
        )


def as_samples(x: Array, wanted: Shape, name: str) -> Array:
    """The array as (N, *wanted), if it differs in nothing but how it is cut into axes."""
    shape = x.shape
    if fits(shape, wanted):
        return x[np.newaxis]
    if fits(shape[1:], wanted):
        return x
    if None not in wanted:
        for n, sample in ((shape[0], shape[1:]), (1, shape)):
            if math.prod(sample) == math.prod(wanted) and _same_order(sample, wanted):
                return x.reshape(n, *wanted)
    one_more = len(shape) == 2 and len(wanted) == 1 and shape[1] == wanted[0] + 1
    fix = " If one column holds the answers, name it as target." if one_more else ""
    raise ShapeError(
        f"{name}: expected inputs of shape {batch_shape(wanted)}, as the model takes them, got "
        f"{tuple(shape)}.{fix}"
    )


def _same_order(sample: Shape, wanted: Shape) -> bool:
    """Whether the shapes are one in a row, or differ by axes of length 1 only."""
    if len(sample) == 1 or len(wanted) == 1:
        return True
    return [n for n in sample if n != 1] == [n for n in wanted if n != 1]


def answers_for(model: Layer, loss: Loss, y: Any, name: str) -> Array:
    """The answers (N,) of a model with one output as (N, 1), and labels as integers."""
    answers = np.asarray(y)
    if answers.dtype.kind not in "fiub" or answers.ndim == 0:
        raise DataError(
            f"{name}: expected answers as numbers, got {answers.shape} of {answers.dtype}. "
            "Number the classes from 0."
        )
    wanted = model.bound.output_shape
    if not labels_wanted(loss):
        return answers[:, np.newaxis] if wanted == (1,) and answers.ndim == 1 else answers
    if len(wanted) == 1 and answers.shape[1:] == (1,):
        answers = answers[:, 0]
    if answers.ndim <= len(wanted) and (answers % 1 == 0).all():
        return answers.astype(np.int64)
    return answers


def labels_wanted(loss: Loss) -> bool:
    """Whether a loss takes class labels."""
    return isinstance(loss, CrossEntropy)
