"""What can be said of a run's data at little cost, to see whether it is the same data."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from minidl.sparse import is_sparse
from minidl.training.sources import ArraySource
from minidl.training.validation import Source

ROWS_LOOKED_AT = 16


def facts_of(source: Source, batch_size: int) -> dict[str, Any]:
    """Return sizes, kinds and a checksum of some rows, as far as the source can tell."""
    if not isinstance(source, ArraySource):
        return {
            "data": source.kind,
            "batch_size": source.batch_size,
            "batches": source.steps(batch_size),
            "class_weight": _text(source.class_weight),
        }
    arrays = [a for a in (source.x, source.target, source.weight) if a is not None]
    names = ["x", "y", "weights"][: len(arrays)]
    return {
        "data": "arrays",
        "batch_size": batch_size,
        **{name: f"{a.dtype} {a.shape}" for name, a in zip(names, arrays, strict=True)},
        **{f"rows of {name}": _checksum(a) for name, a in zip(names, arrays, strict=True)},
    }


def _text(class_weight: Mapping[int, float] | None) -> str | None:
    if class_weight is None:
        return None
    return ", ".join(sorted(f"{label}: {weight}" for label, weight in class_weight.items()))


def _checksum(array: Any) -> str:
    """A number that other rows would hardly have; it sees some of them, spread over all."""
    n = array.shape[0]
    rows = array[np.unique(np.linspace(0, n - 1, ROWS_LOOKED_AT).astype(int))]
    values = np.ascontiguousarray(rows.toarray() if is_sparse(rows) else rows)
    return f"checksum {zlib.crc32(values.tobytes()):08x}"


def changes(saved: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """In what the data are not those of a checkpoint."""
    return [
        f"{name} {saved.get(name)} there, {now.get(name)} here"
        for name in {**saved, **now}
        if saved.get(name) != now.get(name)
    ]
