"""Why a step is not finite: found out only once it has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from minidl.errors import DivergenceError
from minidl.finiteness import raise_for_non_finite
from minidl.training.sources import Batch

if TYPE_CHECKING:
    from minidl.training.trainer import Trainer


def raise_for_bad_step(trainer: Trainer, batch: Batch, loss: float) -> None:
    """Raise the error that names the cause: data, or parameters that have grown too large."""
    rows = batch.rows
    numbers = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
    raise_for_non_finite(batch.x, "x", numbers)
    largest = float(np.abs(trainer.model.params).max(initial=0.0))
    rate = trainer.optimizer.current_learning_rate()
    raise DivergenceError(
        f"Trainer: the loss or its gradient stopped being finite in epoch {trainer.epoch + 1} at "
        f"step {trainer.step} (loss {loss}), although the data is finite. The largest parameter is "
        f"{largest:.3g}; the learning rate {rate:g} is probably too high: try {rate / 10:g}. The "
        "model has the parameters from before this step."
    )
