"""What a loss looks at: what `per_sample` of its author gives, and the shape of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minidl.errors import ContractError
from minidl.losses.labels import ONE_A_SAMPLE, ONE_A_STEP
from minidl.typing import Array, Shape

if TYPE_CHECKING:
    from minidl.losses.base import Loss


def checked_per_sample(loss: Loss, prediction: Array, target: Array) -> tuple[Array, Array]:
    """Call `per_sample`; raise unless it gives values (n,) and a gradient like the predictions.

    Whether it writes into its arguments is looked at in the first call alone: that takes copies.
    """
    given = {"predictions": prediction, "targets": target}
    before = {} if loss._checked else {name: a.copy() for name, a in given.items()}
    result = loss.per_sample(prediction, target)
    for name, as_it_was in before.items():
        a = given[name]
        if not np.array_equal(as_it_was, a, equal_nan=a.dtype.kind == "f"):
            a[...] = as_it_was
            raise ContractError(f"{loss}: per_sample wrote into the {name}.")
    if not isinstance(result, tuple) or len(result) != 2:
        raise ContractError(
            f"{loss}: per_sample must return a tuple of two arrays, values and gradient, got "
            f"{type(result).__name__}."
        )
    loss._checked = True
    values, gradient = map(np.asarray, result)
    n, shape, dtype = len(prediction), prediction.shape, prediction.dtype
    if values.shape != (n,) or gradient.shape != shape or gradient.dtype != dtype:
        cast = gradient.shape == shape and gradient.dtype != dtype
        fix = " Cast the target first: target.astype(prediction.dtype)." if cast else ""
        raise ContractError(
            f"{loss}: per_sample must return values of shape {(n,)} and a gradient of shape "
            f"{shape} and dtype {dtype}, got {values.shape} and {gradient.shape} "
            f"{gradient.dtype}.{fix}"
        )
    return values, gradient


def shape_fix(target: Array, shape: Shape, *, same_as_outputs: bool) -> str:
    """How to get from the shape of targets to the one that they must have."""
    if target.shape[:1] != shape[:1]:
        return " Every sample needs one target."
    if target.size == np.prod(shape):
        return f" Use target.reshape({', '.join(['-1', *map(str, shape[1:])])})."
    if target.ndim > len(shape) == 2:
        return f" If these are targets of single steps, {ONE_A_SAMPLE}"
    if len(shape) > 2 and target.shape in (shape[:1], (*shape[:1], 1)):
        return f" {ONE_A_STEP}"
    if target.shape == shape[:-1] and target.dtype.kind in "iu":
        return " If these are labels of classes, use CrossEntropy."
    if same_as_outputs:
        return " The number of the model's outputs and of the targets must be the same."
    return ""
