"""The loss as a function of a vector, as SciPy's solvers see it, and what happens in between."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from minidl.errors import ArgumentError
from minidl.finiteness import is_finite
from minidl.optimizers.base import Optimizer
from minidl.training.diagnosis import raise_for_bad_start
from minidl.training.evaluation import evaluated
from minidl.training.hooks import Hooks
from minidl.training.sources import ArraySource
from minidl.training.trainer import Trainer
from minidl.training.validation import Source
from minidl.typing import Array

# Of the length of the parameters: with central differences the error of the formula, of the order
# h^2, and that of rounding, eps / h, are about equal there.
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)


@dataclass(frozen=True)
class Point:
    """Parameters, the loss and the largest element of its gradient there, and the state after."""

    params: Array
    loss: float
    gradient_norm: float
    state: Array


class Descent:
    """A run of a solver over all rows: evaluations, iterations, history.

    The state of a model, such as running statistics, is put back before each evaluation. So it is
    that of one training pass for each iteration, whatever a line search tries.

    Args:
        trainer: Holds model, objective, metrics and history; callbacks get it.
        training: All rows.
        validation: Rows to evaluate after each iteration, or None.
        hooks: The callbacks.

    Attributes:
        point: Where the last iteration ended.
        evaluations: Passes forward and backward over all rows so far.
    """

    def __init__(
        self, trainer: Trainer, training: ArraySource, validation: Source | None, hooks: Hooks
    ) -> None:
        self._trainer, self._training, self._validation = trainer, training, validation
        self._hooks = hooks
        (self._batch,) = training.batches(len(training), None)
        model = trainer.model
        mask = model.trainable_mask
        self._free: Any = slice(None) if mask is None else np.flatnonzero(mask)
        params = model.params[self._free].astype(np.float64)
        self.point = Point(params, math.nan, math.nan, model.state.copy())
        self._tried: list[Point] = []
        self.evaluations = 0
        self._running = False  # between the begin and the end of an iteration
        self._start = 0.0

    def loss_and_gradient(self, params: Array) -> tuple[float, Array]:
        """Return the loss, with penalties, and its gradient, both in float64."""
        loss, gradient = self._differentiate(params)
        first = self.evaluations == 1
        if not (math.isfinite(loss) and is_finite(gradient)):
            if first:
                self.put_back()
                raise_for_bad_start(self._trainer, self._batch, loss)
            # SciPy's line searches take infinity for progress, and get lost with NaN
            loss, gradient = 10 * (1 + abs(self.point.loss)), np.zeros_like(gradient)
        norm = float(np.abs(gradient).max())
        self._tried.append(Point(params.copy(), loss, norm, self._trainer.model.state.copy()))
        if first:
            self.point = Point(self.point.params, loss, norm, self.point.state)
        return loss, gradient

    def hessian_product(self, params: Array, v: Array) -> Array:
        r"""Return $H v$ by central differences of the gradient along v."""
        length = float(np.linalg.norm(v))
        if not length:
            return np.zeros_like(v)
        h = STEP * max(float(np.linalg.norm(params)), 1.0)
        step = (h / length) * v
        _, ahead = self._differentiate(params + step)
        _, behind = self._differentiate(params - step)
        with np.errstate(all="ignore"):
            product: Array = (length / (2 * h)) * (ahead - behind)
        # beside what is not finite as on a straight line: the step ends at the region's edge
        return product if is_finite(product) else np.zeros_like(v)

    def end_iteration(self, intermediate_result: Any) -> None:
        """Take the solver's new parameters over, and do what a trainer does after an epoch."""
        new = intermediate_result.x
        for point in reversed(self._tried):
            if np.array_equal(point.params, new):
                self.point = point
                break
        self._tried.clear()
        self.put_back()
        trainer, hooks = self._trainer, self._hooks
        trainer.step += 1
        hooks.call("on_batch_end", self.point.loss)
        values = {"loss": self.point.loss, "gradient_norm": self.point.gradient_norm}
        if trainer.metrics:
            values = evaluated(trainer, self._training) | values
        hooks.call("on_validation_begin")
        if self._validation is not None:
            found = evaluated(trainer, self._validation)
            values |= {f"val_{name}": value for name, value in found.items()}
        trainer.epoch += 1
        seconds = time.perf_counter() - self._start
        trainer.history.append(values | trainer.extra_values | {"seconds": seconds})
        self._running = False
        hooks.call("on_epoch_end")
        if trainer.history.stopped:
            raise StopIteration

    def end(self) -> None:
        """Leave the model as the last iteration did; what callbacks made of it stays."""
        if self._running:
            self.put_back()

    def put_back(self) -> None:
        """Give the model the parameters and the state of the last iteration."""
        self._trainer.model.params[self._free] = self.point.params
        self._trainer.model.state = self.point.state

    def _differentiate(self, params: Array) -> tuple[float, Array]:
        if not self._running:
            self._running, self._start = True, time.perf_counter()
            self._trainer.extra_values = {}
            self._hooks.call("on_epoch_begin")
        model, batch = self._trainer.model, self._batch
        model.params[self._free], model.state = params, self.point.state
        self.evaluations += 1
        loss = self._trainer.objective.differentiate(
            batch.x, batch.target, batch.weight, batch.total
        )
        return loss, model.grads[self._free].astype(np.float64)


class SciPySolver(Optimizer):
    """Stands where a trainer has its optimizer."""

    def __init__(self) -> None:
        self.steps, self.state, self.weight_decay = 0, {}, 0.0
        self.clip_norm = self.clip_value = None

    @property
    def learning_rate(self) -> float:  # type: ignore[override]
        raise ArgumentError(
            "minimize: SciPy's solvers have no learning rate. Leave out callbacks that log or "
            "change it."
        )

    def step(self, grads: Array, learning_rate: float, out: Array) -> None:
        raise ArgumentError("minimize: SciPy's solvers make their steps themselves.")
