"""Checks of weights of samples, steps and pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError, ShapeError
from minidl.finiteness import raise_for_non_finite
from minidl.losses.labels import place_of
from minidl.sparse import dense_array
from minidl.typing import Array, Shape


def check_weight(sample_weight: ArrayLike | None, shape: Shape) -> tuple[Array | None, float]:
    """Return the weights as an array (n,), (n, T) or (n, H, W), or None, and their sum.

    Args:
        sample_weight: As the user gave them.
        shape: Shape of the predictions (n, ...).
    """
    n = shape[0]
    if sample_weight is None:
        return None, float(n)
    if isinstance(sample_weight, str | Mapping):
        raise DataError(
            f"sample_weight: expected a number for each sample, got {sample_weight!r}. Weights of "
            "classes are class_weight in fit, or dl.class_weights(labels, ...) for each sample."
        )
    weight = dense_array(sample_weight, "sample_weight", "sample_weight")
    finer = [shape[:axes] for axes in range(2, len(shape))]  # (n, T); (n, H) and (n, H, W)
    if weight.shape != (n,) and weight.shape not in finer:
        steps = f", or {finer[0]} for single steps" if len(finer) == 1 else ""
        pixels = f", or {finer[-1]} for single pixels" if len(finer) > 1 else ""
        fix = " Use sample_weight.ravel()." if weight.size == n and weight.ndim > 1 else ""
        raise ShapeError(
            f"sample_weight: expected shape ({n},){steps}{pixels}, got {weight.shape}.{fix}"
        )
    if weight.dtype.kind not in "fiub":
        raise DataError(f"sample_weight: expected real numbers, got dtype {weight.dtype}.")
    raise_for_non_finite(weight, "sample_weight")
    if weight.size and weight.min() < 0:
        raise DataError(
            f"sample_weight: must be at least 0, got {weight.min()} in "
            f"{place_of(weight.argmin(), weight.shape)}. A weight of 0 leaves a sample out."
        )
    # float64: sums of small or large weights would not survive float32
    return weight.astype(np.float64, copy=False), float(weight.sum(dtype=np.float64))
