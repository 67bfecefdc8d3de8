"""Indices of rows, as `Embedding` takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minidl.errors import DataError, DTypeError
from minidl.typing import Array

if TYPE_CHECKING:
    from minidl.layers.base import Layer


def check_indices(layer: Layer, x: Array, n: int) -> None:
    """Raise unless `x` holds integers from 0 to n - 1."""
    if x.dtype.kind not in "iu":
        raise DTypeError(
            f"{layer.where}: expected integers, one index of a row for each vector, got dtype "
            f"{x.dtype}. Embedding is the first layer of a model; convert the indices: "
            "x.astype(np.int64)."
        )
    wrong = (x < 0) | (x >= n)
    if wrong.any():
        row, *place = np.argwhere(wrong)[0].tolist()
        position = f", position {', '.join(map(str, place))}" if place else ""
        raise DataError(
            f"{layer.where}: expected indices from 0 to {n - 1}, got "
            f"{x[row, *place]} in row {row} of this batch{position}. Give a larger "
            "vocabulary_size, or an index of its own to all that is not in the vocabulary."
        )
