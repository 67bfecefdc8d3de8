"""The values of an epoch: computed over all its rows, not averaged over batches."""

from __future__ import annotations

import numpy as np

from minidl.metrics import Metric
from minidl.objective import Objective
from minidl.training.sources import Batch
from minidl.typing import Array


class EpochValues:
    """Loss, outputs and targets of an epoch, for values over all its rows."""

    def __init__(self, objective: Objective, metrics: list[Metric]) -> None:
        self._objective, self._metrics = objective, metrics
        self._loss = self._weight = 0.0
        self._outputs: list[Array] = []
        self._targets: list[Array] = []

    def room_for(self, batch: Batch) -> Array | None:
        """An array that the batch's outputs are to be written to, if a metric wants them."""
        if not self._metrics:
            return None
        model = self._objective.model
        shape = (batch.x.shape[0], *model.output_shape_of(batch.x))
        self._outputs.append(np.empty(shape, model.dtype))
        self._targets.append(batch.target.copy())
        return self._outputs[-1]

    def add(self, loss: float, batch: Batch) -> None:
        """Take a batch's loss into the mean."""
        self._loss += loss * batch.total
        self._weight += batch.total
        if self._metrics and self._outputs[-1].ndim > 2:
            self._count_steps(batch.weight)

    def _count_steps(self, weight: Array | None) -> None:
        """Make the last batch's steps samples of their own, and leave masked ones out."""
        outputs, targets, weight = self._objective.loss.as_samples(
            self._outputs[-1], self._targets[-1], weight
        )
        counted = slice(None) if weight is None else weight > 0
        self._outputs[-1], self._targets[-1] = outputs[counted], targets[counted]

    def values(self) -> dict[str, float]:
        """Loss and metrics over all rows so far, by name."""
        values = {"loss": self._loss / self._weight if self._weight else 0.0}
        if not self._metrics:
            return values
        outputs = np.concatenate(self._outputs)
        y_true = self._objective.loss.true_labels(np.concatenate(self._targets))
        y_pred = self._objective.predicted_labels(outputs)
        for metric in self._metrics:
            wanted = y_pred if metric.needs == "labels" else self._objective.probabilities(outputs)
            values[metric.name] = float(metric.function(y_true, wanted))
        return values
