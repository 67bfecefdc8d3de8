"""The mean distance of predictions from targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.metrics.pairs import number_pair


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    r"""Return the mean of $|y - \hat y|$ over all samples and outputs, in the targets' unit.

    Args:
        y_true: Targets (N,) or (N, M).
        y_pred: Predictions of the same shape.

    Raises:
        ShapeError: If the shapes differ.
        DataError: If the values are not real numbers.

    Example:
        >>> mean_absolute_error([1.0, 2.0, 3.0], [1.0, 2.0, 4.5])
        0.5
    """
    true, pred = number_pair(y_true, y_pred, "mean_absolute_error")
    return float(np.abs(true - pred).mean())
