"""Why a loss is not finite: found out only once it has happened."""

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
    _raise_for_bad_input(batch)
    rate = trainer.optimizer.current_learning_rate()
    raise DivergenceError(
        f"Trainer: the loss or its gradient stopped being finite in epoch {trainer.epoch + 1} at "
        f"step {trainer.step} (loss {loss}), although the data is finite. {_largest(trainer)} The "
        f"learning rate {rate:g} is probably too high: try {rate / 10:g}. This step has changed no "
        "parameter."
    )


def raise_for_bad_evaluation(trainer: Trainer, batch: Batch, loss: float) -> None:
    """Raise the error for data or parameters with which the loss cannot be computed."""
    _raise_for_bad_input(batch)
    raise DivergenceError(
        f"{batch.source.name}: the loss is {loss}, although the data is finite. {_largest(trainer)}"
    )


def _raise_for_bad_input(batch: Batch) -> None:
    raise_for_non_finite(batch.x, f"{batch.source.name}: x", batch.source.row_numbers(batch))


def _largest(trainer: Trainer) -> str:
    params = trainer.model.params
    if not np.isfinite(params).all():
        return "The parameters themselves are not finite."
    return f"The largest parameter is {np.abs(params).max(initial=0.0):.3g}."
