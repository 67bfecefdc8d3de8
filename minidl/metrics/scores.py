"""Checks of scores: a number for each class, such as a probability."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError, ShapeError
from minidl.finiteness import raise_for_non_finite
from minidl.sparse import dense_array
from minidl.typing import Array


def labels_and_scores(y_true: ArrayLike, y_score: ArrayLike, who: str) -> tuple[Array, Array]:
    """Return labels and finite scores as arrays with as many samples; raise otherwise."""
    true = dense_array(y_true, f"{who}: y_true", "y_true")
    score = dense_array(y_score, f"{who}: y_score", "y_score")
    if score.dtype.kind not in "fiub":
        raise DataError(f"{who}: y_score must be real numbers, got dtype {score.dtype}.")
    if true.shape[:1] != score.shape[:1] or not score.size:
        raise ShapeError(
            f"{who}: y_true has shape {true.shape}, y_score {score.shape}. Every sample needs a "
            "label and scores."
        )
    raise_for_non_finite(score, f"{who}: y_score")
    return true, score


def check_classes(true: Array, classes: int, who: str) -> None:
    """Raise unless the labels are whole numbers of 0..C-1."""
    if true.dtype.kind not in "fiub" or not np.isin(true, np.arange(classes)).all():
        raise DataError(f"{who}: labels must be in 0..{classes - 1}, got {np.unique(true)[:5]}.")
