"""Loss and metrics of a whole source of batches, and the threads that its batches are worth."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from minidl.finiteness import is_finite
from minidl.objective import Objective
from minidl.thread_policy import useful_blas_threads
from minidl.threads import usable_cores
from minidl.training.diagnosis import raise_for_bad_evaluation
from minidl.training.epoch_values import EpochValues
from minidl.training.sources import BatchSource
from minidl.training.validation import Source

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


def evaluated(trainer: Trainer, source: Source) -> dict[str, float]:
    """Return loss and metrics by name, in inference mode."""
    objective = trainer.objective
    collected = EpochValues(objective, trainer.metrics)
    for batch in source.batches(source.evaluation_rows, None):
        outputs = collected.room_for(batch)
        loss = objective.evaluate(batch.x, batch.target, batch.weight, batch.total, outputs)
        if not (math.isfinite(loss) and is_finite(batch.x)):
            raise_for_bad_evaluation(trainer, batch, loss)
        collected.add(loss, batch)
    return collected.values()


def threads_for(objective: Objective, source: Source, batch_size: int | None = None) -> int:
    """One where workers have the cores, otherwise as many as the batches are worth."""
    rows = objective.chunk_rows
    if isinstance(source, BatchSource):
        batch_size = source.batch_size
        if batch_size is None:  # batches of any size
            return usable_cores()
    else:
        batch_size = len(source) if batch_size is None else batch_size
        rows = objective.rows_at_a_time(source.x)
    in_chunks = objective.chunked and batch_size > rows
    if in_chunks and objective.workers > 1:
        return 1
    return useful_blas_threads(objective.model, rows if in_chunks else batch_size)
