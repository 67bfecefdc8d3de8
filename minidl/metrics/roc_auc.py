"""The area under the ROC curve."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import ShapeError
from minidl.metrics.metric import needs_probabilities
from minidl.metrics.scores import check_classes, labels_and_scores
from minidl.typing import Array


@needs_probabilities
def roc_auc(y_true: ArrayLike, y_score: ArrayLike) -> float:
    r"""Return the area under the ROC curve: how often a positive is scored above a negative.

    Over all pairs of a positive i and a negative j, with equal scores as a half,

    $$\mathrm{AUC} = \frac{1}{P Q} \sum_{i, j} \Big( [s_i > s_j] + \tfrac12 [s_i = s_j] \Big)
      = \frac{1}{P Q} \Big( \sum_i r_i - \frac{P (P + 1)}{2} \Big),$$

    where $r_i$ is the rank of a positive among all P + Q scores, the mean rank for equal ones. 0.5
    is chance, 1 a perfect order; no threshold is involved. With more than two classes it is the
    mean over the classes, each against the rest, and with several labels that over the labels.
    Where a class has no positives or no negatives the area is not defined: NaN.

    Args:
        y_true: Labels (N,), or 0 and 1 for each of M labels (N, M).
        y_score: Scores such as probabilities. For labels 0 and 1 those of class 1, (N,) or (N, 1),
            or of both classes (N, 2); for C classes (N, C); for several labels (N, M).

    Raises:
        ShapeError: If the shapes do not fit.
        DataError: If labels are out of range, or scores are not finite.

    Example:
        >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.4, 0.8])
        0.875

    References:
        J. Hanley, B. McNeil, The meaning and use of the area under a receiver operating
        characteristic (ROC) curve, Radiology 143, 1982.
    """
    true, score = labels_and_scores(y_true, y_score, "roc_auc")
    if score.ndim == 1 == true.ndim:
        score = score[:, np.newaxis]
    if score.ndim != 2 or (true.ndim != 1 and true.shape != score.shape):
        raise ShapeError(
            "roc_auc: expected labels (N,) with scores (N,) or (N, C), or (N, M) with (N, M), got "
            f"{true.shape} and {score.shape}."
        )
    columns = score.shape[1]
    check_classes(true, max(columns, 2) if true.ndim == 1 else 2, "roc_auc")
    if true.ndim == 1 and columns > 2:
        true = true[:, np.newaxis] == np.arange(columns)  # (N, C), each class against the rest
    elif true.ndim == 1:
        true, score = true[:, np.newaxis], score[:, -1:]  # (N, 1), class 1
    return float(np.mean([_area(t == 1, s) for t, s in zip(true.T, score.T, strict=True)]))


def _area(positive: Array, score: Array) -> float:
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2  # of each distinct score
    p = int(positive.sum())
    pairs = p * (len(positive) - p)
    if not pairs:
        return math.nan
    return float(ranks[place[positive]].sum() - p * (p + 1) / 2) / pairs
