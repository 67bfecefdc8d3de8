"""How much of the targets' variance is explained."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from minidl.metrics.pairs import number_pair


def r2_score(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    r"""Return the coefficient of determination, the mean over the outputs.

    For output m of the samples i,

    $$R^2_m = 1 - \frac{\sum_i (y_{im} - \hat y_{im})^2}{\sum_i (y_{im} - \bar y_m)^2} .$$

    It is 1 for perfect predictions, 0 for those that always give the mean, and negative for worse.
    An output whose targets are all the same counts 1 if its predictions are exact, otherwise 0.
    One sample alone has no variance: NaN.

    Args:
        y_true: Targets (N,) or (N, M).
        y_pred: Predictions of the same shape.

    Raises:
        ShapeError: If the shapes differ.
        DataError: If the values are not real numbers.

    Example:
        >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
        0.5
    """
    true, pred = number_pair(y_true, y_pred, "r2_score")
    if len(true) < 2:
        return math.nan
    rest = np.square(true - pred).sum(axis=0)  # (M,)
    moved = true - true[0]  # equal targets become 0, whose mean is exact
    total = np.square(moved - moved.mean(axis=0)).sum(axis=0)  # (M,)
    unexplained = (rest > 0).astype(float)
    np.divide(rest, total, out=unexplained, where=total > 0)
    return float(1 - unexplained.mean())
