"""Checks of what metrics compare: as many predictions as truths, labels where labels belong."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.errors import DataError, ShapeError
from minidl.sparse import dense_array
from minidl.typing import Array


def pair(y_true: ArrayLike, y_pred: ArrayLike, who: str) -> tuple[Array, Array]:
    """Return both as arrays of the same shape with at least one sample; raise otherwise."""
    true = dense_array(y_true, f"{who}: y_true", "y_true")
    pred = dense_array(y_pred, f"{who}: y_pred", "y_pred")
    if true.shape != pred.shape:
        fix = "Every sample needs one prediction."
        if pred.shape == (*true.shape, 1):
            fix = "Use y_pred.ravel()."
        elif pred.ndim > 1 and pred.shape[:-1] == true.shape:
            fix = "For labels from probabilities use y_pred.argmax(axis=-1)."
        raise ShapeError(f"{who}: y_true has shape {true.shape}, y_pred {pred.shape}. {fix}")
    if true.ndim == 0 or true.size == 0:
        raise ShapeError(f"{who}: there are no samples. Expected shape (N, ...), got {true.shape}.")
    return true, pred


def label_pair(y_true: ArrayLike, y_pred: ArrayLike, who: str) -> tuple[Array, Array]:
    """Return both as arrays of labels of the same shape; raise for measurements."""
    true, pred = pair(y_true, y_pred, who)
    if (true.dtype.kind in "US") != (pred.dtype.kind in "US"):
        raise DataError(
            f"{who}: cannot compare text with numbers, got y_true of dtype {true.dtype} and y_pred "
            f"of {pred.dtype}. Use the same names or numbers of classes for both."
        )
    for name, values in (("y_true", true), ("y_pred", pred)):
        if values.dtype.kind == "f" and (values != np.floor(values)).any():
            raise DataError(
                f"{who}: compares labels, but {name} has numbers such as "
                f"{values[values != np.floor(values)][0]:.4g}. For regression use "
                "dl.mean_absolute_error or dl.r2_score."
            )
    return true, pred


def number_pair(y_true: ArrayLike, y_pred: ArrayLike, who: str) -> tuple[Array, Array]:
    """Return both as float64 numbers, one row a sample (N, M); raise where they are none."""
    true, pred = pair(y_true, y_pred, who)
    for name, values in (("y_true", true), ("y_pred", pred)):
        if values.dtype.kind not in "fiub":
            raise DataError(f"{who}: {name} must be real numbers, got dtype {values.dtype}.")
    n = len(true)  # float64, because small integers would wrap around in a difference
    return true.astype(np.float64).reshape(n, -1), pred.astype(np.float64).reshape(n, -1)
