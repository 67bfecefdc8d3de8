"""The check that all contestants do the same work, before anything is timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.data import read_arrays
from benchmarks.processes import ContestantError, Process
from benchmarks.workloads import Workload

TOLERANCE = 1e-3  # float32 rounding; another computation is off by more
BATCHES = 20
FULL_BATCH_STEPS = 3


def amount(workload: Workload) -> tuple[int, int]:
    """Rows and epochs that everybody trains, in order."""
    if workload.batch_size >= workload.rows:
        return workload.rows, FULL_BATCH_STEPS
    # Which of two nearly equal pixels is the largest is up to rounding: PyTorch's own two orders of
    # memory part after some batches of max pooling.
    batches = 1 if any(layer[0] == "pool" for layer in workload.layers) else BATCHES
    return min(batches * workload.batch_size, workload.rows), 1


def result(process: Process, workload: Workload, path: Path) -> list[np.ndarray]:
    """What a contestant gets for the agreed work: parameters, or probabilities."""
    if workload.kind == "training":
        rows, epochs = amount(workload)
        process.ask("in_order", rows=rows, epochs=epochs, path=str(path))
    else:
        process.ask("probabilities", rows=workload.batch_size, path=str(path))
    return read_arrays(path)


def difference(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float:
    """The largest difference of any number.

    Raises:
        ContestantError: If it is too large for rounding, or shapes differ.
    """
    shapes = [a.shape for a in ours], [a.shape for a in theirs]
    if shapes[0] != shapes[1]:
        raise ContestantError(f"failed: other work: shapes {shapes[1]}, minidl has {shapes[0]}")
    largest = max(float(np.abs(a - b).max()) for a, b in zip(ours, theirs, strict=True))
    if not largest < TOLERANCE:
        raise ContestantError(f"failed: other work: results differ from minidl's by {largest:.1e}")
    return largest
