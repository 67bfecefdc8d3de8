"""The fraction of samples whose class is among the k most likely."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import whole_number
from minidl.errors import ArgumentError, ShapeError
from minidl.metrics.metric import needs_probabilities
from minidl.metrics.scores import check_classes, labels_and_scores


@needs_probabilities
def top_k_accuracy(y_true: ArrayLike, y_score: ArrayLike, *, k: int = 5) -> float:
    """Return the fraction of samples whose label is among the k classes with the highest scores.

    Of equal scores that of the smaller class comes first, as in `argmax`, so that k = 1 gives the
    accuracy. (scikit-learn puts the larger class first.)

    Args:
        y_true: Integer labels (N,).
        y_score: Scores (N, C), such as probabilities or logits.
        k: How many classes, below C. In a Trainer: `functools.partial(dl.top_k_accuracy, k=3)`.

    Raises:
        ShapeError: If the shapes do not fit.
        ArgumentError: If `k` is not in 1..C-1.
        DataError: If labels are not in 0..C-1, or scores are not finite.

    Example:
        >>> scores = [[0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]
        >>> top_k_accuracy([1, 2, 2], scores, k=2)
        0.6666666666666666
    """
    true, score = labels_and_scores(y_true, y_score, "top_k_accuracy")
    if true.ndim != 1 or score.ndim != 2:
        raise ShapeError(
            "top_k_accuracy: expected labels (N,) and scores (N, C), got "
            f"{true.shape} and {score.shape}."
        )
    classes = score.shape[1]
    if whole_number("top_k_accuracy", "k", k) >= classes:
        raise ArgumentError(
            f"top_k_accuracy: k must be below the number of classes, got k={k} for {classes}: all "
            "samples would be right. In a Trainer: functools.partial(dl.top_k_accuracy, k=...)."
        )
    check_classes(true, classes, "top_k_accuracy")
    label = true.astype(np.intp)[:, np.newaxis]  # (N, 1)
    own = np.take_along_axis(score, label, axis=1)
    before = (score > own) | ((score == own) & (np.arange(classes) < label))  # (N, C)
    return float((before.sum(axis=1) < k).mean())
