"""The values of an epoch: computed over all its rows, not averaged over batches."""

from __future__ import annotations

import math

import numpy as np

from minidl.errors import ArgumentTypeError, ShapeError
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
        self._outputs.append(np.empty(self._shape(batch), self._objective.model.dtype))
        self._targets.append(batch.target.copy())
        return self._outputs[-1]

    def add(self, loss: float, batch: Batch) -> None:
        """Take a batch's loss into the mean, in which all steps of sequences count alike."""
        weighed = self._objective.loss.total_weight
        total = weighed(self._shape(batch), batch.weight, batch.total)
        if self._metrics:
            self._keep_samples(batch.weight)
        self._loss += loss * total
        self._weight += total

    def _shape(self, batch: Batch) -> tuple[int, ...]:
        return (batch.x.shape[0], *self._objective.model.output_shape_of(batch.x))

    def _keep_samples(self, weight: Array | None) -> None:
        """Make the last batch's steps samples of their own, and leave out what has no weight."""
        outputs, targets, weight = self._objective.loss.as_samples(
            self._outputs[-1], self._targets[-1], weight
        )
        if weight is not None and not weight.all():
            outputs, targets = outputs[weight > 0], targets[weight > 0]
        self._outputs[-1], self._targets[-1] = outputs, targets

    def gathered(self) -> tuple[Array, Array] | None:
        """Outputs and targets of all rows so far; None where no metric wants them, or none came."""
        if not self._outputs:
            return None
        shapes = {outputs.shape[1:] for outputs in self._outputs}
        if len(shapes) > 1:
            raise ShapeError(
                f"metrics: the model's outputs have samples of several shapes, {sorted(shapes)}, "
                "which are no rows of one array. Keep the last axis: of outputs (N, T, M) every "
                "step is a sample."
            )
        return np.concatenate(self._outputs), np.concatenate(self._targets)

    def sums(self) -> tuple[float, float]:
        """The sum of weighted losses so far, and that of the weights."""
        return self._loss, self._weight

    def go_on_from(self, sums: tuple[float, float], gathered: tuple[Array, Array] | None) -> None:
        """Take in what another one had of the epoch."""
        self._loss, self._weight = sums
        if gathered is not None and self._metrics:
            self._outputs, self._targets = [gathered[0]], [gathered[1]]

    def values(self) -> dict[str, float]:
        """Loss and metrics over all rows so far, by name."""
        values = {"loss": self._loss / self._weight if self._weight else 0.0}
        gathered = self.gathered()
        if gathered is None:
            return values
        outputs, targets = gathered
        y_true = self._objective.loss.true_labels(targets)
        y_pred = self._objective.predicted_labels(outputs)
        for metric in self._metrics:
            wanted = y_pred if metric.needs == "labels" else self._objective.probabilities(outputs)
            values[metric.name] = _number(metric, y_true, wanted)
        return values


def _number(metric: Metric, y_true: Array, y_pred: Array) -> float:
    """What a metric makes of an epoch; NaN where every sample is left out."""
    if not len(y_true):
        return math.nan
    value = metric.function(y_true, y_pred)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(
            f"metrics: {metric.name} must return one number, got {value!r} of type "
            f"{type(value).__name__}."
        ) from error
