"""What `fit` and `evaluate` are given, as sources of batches; the rows held out for validation."""

from __future__ import annotations

from typing import Any

import numpy as np

from minidl.arguments import number_within
from minidl.errors import ArgumentError, ArgumentTypeError, MinidlError
from minidl.objective import Objective
from minidl.sparse import is_sparse
from minidl.training.sources import ArraySource, BatchSource

Source = ArraySource | BatchSource


def source_of(objective: Objective, x: Any, y: Any, sample_weight: Any, name: str) -> Source:
    """Arrays, or anything that yields batches, as a source."""
    may_be_batches = hasattr(x, "__iter__") and not isinstance(x, list | tuple)
    if y is not None and may_be_batches and not np.ndim(x):  # NumPy sees one object in it
        raise ArgumentError(
            f"{name}: y goes with arrays; the {type(x).__name__} given as x is a source of "
            "batches (x, y). Leave y out."
        )
    if y is not None or isinstance(x, np.ndarray) or is_sparse(x):
        return ArraySource(objective, x, y, sample_weight, name)
    if sample_weight is not None:
        raise ArgumentError(
            f"{name}: sample_weight goes with arrays; a source of batches yields (x, y, "
            "sample_weight)."
        )
    return BatchSource(objective, x, name)


def training_and_validation(
    objective: Objective, training: Source, data: Any, split: float, seed: np.random.SeedSequence
) -> tuple[Source, Source | None]:
    """The two sources of a `fit`; a split cuts rows off the first."""
    if data is not None and split:
        raise ArgumentError("fit: give validation_data or validation_split, not both.")
    if data is not None:
        return training, _validation_source(objective, data, training.name)
    split = number_within("fit", "validation_split", split, 0.0, 1.0)
    if not split:
        return training, None
    if not isinstance(training, ArraySource):
        raise ArgumentError("fit: validation_split goes with arrays; give validation_data.")
    held_out = round(split * len(training))
    if not 0 < held_out < len(training):
        raise ArgumentError(
            f"fit: validation_split must leave rows on both sides, got {split!r} of "
            f"{len(training):,} rows."
        )
    # The same rows in every fit, so that none is trained on in one and tested on in another.
    order = np.random.default_rng(seed).permutation(len(training))
    parts = order[held_out:], order[:held_out]
    return training.take(parts[0], "fit"), training.take(parts[1], "validation_split")


def _validation_source(objective: Objective, data: Any, name: str) -> Source:
    if isinstance(data, tuple) and len(data) in (2, 3):
        weight = data[2] if len(data) == 3 else None
        try:
            return source_of(objective, data[0], data[1], weight, "validation_data")
        except MinidlError as error:
            error.add_note("in validation_data")
            raise
    pair = isinstance(data, list) and data and not isinstance(data[0], tuple | list)
    if pair or isinstance(data, np.ndarray) or is_sparse(data):
        raise ArgumentTypeError(
            f"{name}: validation_data must be a tuple or batches: write validation_data=(x, y)."
        )
    return BatchSource(objective, data, "validation_data")
