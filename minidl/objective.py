"""Where a model and a loss meet: the value of a batch and its gradient at the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance, whole_number
from minidl.containers.sequential import Sequential
from minidl.errors import ArgumentError
from minidl.finiteness import raise_for_non_finite
from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.layers.checks import check_input
from minidl.layers.dense import Dense
from minidl.losses.base import Loss, check_weight
from minidl.typing import Array


class Objective:
    r"""The mean loss of a model over a batch, $L(\theta)$, and its gradient.

    Two things are arranged here so that neither layers nor losses have to know of them:

    - **Fusion.** Where the model ends in the activation that belongs to the loss (`Softmax` with
      `CrossEntropy`, `Sigmoid` with `BinaryCrossEntropy`), training leaves the activation out and
      takes the loss from the logits. The gradient there is exactly $(A - Y) / N$.
    - **Chunks.** A batch of more than `chunk_rows` rows is evaluated in chunks that fit the cache,
      unless a layer couples rows. Boundaries depend on shapes only and gradients are added in the
      chunks' order, so the result is the same to the bit for any number of workers.

    Args:
        model: A built layer.
        loss: The loss; an instance.
        workers: Threads that chunks are spread over, each with a replica of the model.
        chunk_rows: Rows of a chunk; by default as many as fit the cache.

    Raises:
        StateError: If the model is not built.
        ArgumentError: If model and loss do not fit, such as softmax before a loss for logits.

    Example:
        >>> import numpy as np, minidl as dl
        >>> model = dl.Sequential([dl.Dense(2), dl.Softmax()]).build((3,), rng=0, dtype=float)
        >>> objective = dl.Objective(model, dl.CrossEntropy())
        >>> loss, grads = objective.value_and_grad(np.zeros((4, 3)), np.array([0, 1, 0, 1]))
        >>> round(loss, 4), grads is model.grads
        (0.6931, True)
    """

    def __init__(
        self, model: Layer, loss: Loss, *, workers: int = 1, chunk_rows: int | None = None
    ) -> None:
        self.model = instance("Objective", "model", model, Layer)
        instance("Objective", "loss", loss, Loss)
        self.workers = whole_number("Objective", "workers", workers)
        rows = model.bound.plan.chunk_rows if chunk_rows is None else chunk_rows
        self.chunk_rows = whole_number("Objective", "chunk_rows", rows)
        loss.check_prediction_shape(model.bound.output_shape, f"{loss} after {model.where}")
        self.fused = _fits_fused(model, loss)
        self.loss = loss.with_logits() if self.fused else loss
        self._couples_rows = any(layer.couples_rows for layer in model.walk())
        self._replicas: list[Layer] = []
        self._pool: ThreadPoolExecutor | None = None

    def value_and_grad(
        self, x: Array, y: ArrayLike, *, sample_weight: ArrayLike | None = None
    ) -> tuple[float, Array]:
        """Return the mean loss of a batch in training mode, and `model.grads`.

        Args:
            x: Input (N, *input_shape) of the model's dtype.
            y: Targets, as the loss takes them.
            sample_weight: A weight for each row (N,).

        Returns:
            The loss, and the live vector of gradients, overwritten by the next call.

        Raises:
            ShapeError: If `x` or `y` does not fit the model.
            DTypeError: If `x` has another dtype than the model.
            DataError: If the targets are wrong, or `x` has NaN or infinity.
        """
        target, weight, total = self.check_batch(x, y, sample_weight)
        value = self.differentiate(x, target, weight, total)
        self._raise_if_input_is_not_finite(x, value)
        return value, self.model.grads

    def value(self, x: Array, y: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
        """Return the mean loss of a batch in inference mode; nothing is changed by it."""
        target, weight, total = self.check_batch(x, y, sample_weight)
        value = self.evaluate(x, target, weight, total)
        self._raise_if_input_is_not_finite(x, value)
        return value

    def check_batch(
        self, x: Array, y: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Array, Array | None, float]:
        """Check a batch, or a whole data set once: checked targets, weights and their sum."""
        check_input(self.model, x)
        target = self.loss.check_target(y, (len(x), *self.model.bound.output_shape))
        return (target, *check_weight(sample_weight, len(x), self.model.dtype))

    def differentiate(
        self,
        x: Array,
        target: Array,
        weight: Array | None,
        total: float,
        outputs: Array | None = None,
    ) -> float:
        """Compute value and gradient of a batch that has been checked.

        Args:
            x: Input (N, *input_shape).
            target: What `check_batch` returned, or rows of it.
            weight: Weights of these rows, or None.
            total: Sum of the weights of these rows.
            outputs: Filled with the outputs if given (logits where fused; see `finish`).
        """
        model = self.model
        calls.begin_training_pass(model)
        try:
            if len(x) <= self.chunk_rows or self._couples_rows:
                return self._step(model, x, target, weight, total, outputs)
            return self._differentiate_chunks(x, target, weight, total, outputs)
        finally:
            model.bound.expected_dy = None
            calls.end_training_pass(model)

    def _step(
        self,
        model: Layer,
        x: Array,
        target: Array,
        weight: Array | None,
        total: float,
        outputs: Array | None,
    ) -> float:
        with np.errstate(all="ignore"):  # what is not finite is found and explained afterwards
            y = self._forward(model, x, training=True)
            if not self.fused:
                self.loss.check_prediction(y)
            if outputs is not None:
                outputs[...] = y
            value, dy = self.loss.weighted(y, target, weight, total)
            self._backward(model, dy)
        return value

    def _differentiate_chunks(
        self, x: Array, target: Array, weight: Array | None, total: float, outputs: Array | None
    ) -> float:
        while len(self._replicas) < self.workers:
            self._replicas.append(self.model.replica())
        self.model._chunked_passes += 1
        number = self.model._chunked_passes

        def run(job: tuple[int, slice]) -> float:
            index, rows = job
            replica = self._replicas[index % self.workers]
            for layer in replica.walk():
                layer._rng, layer._draw_key = None, (number, index)
            w, o = (None if a is None else a[rows] for a in (weight, outputs))
            return self._step(replica, x[rows], target[rows], w, total, o)

        value, grads = 0.0, self.model.grads
        for index, part in enumerate(self._map_chunks(run, len(x))):
            value += part
            chunk_grads = self._replicas[index % self.workers].grads
            if index == 0:
                grads[...] = chunk_grads
            else:
                grads += chunk_grads
        return value

    def evaluate(
        self,
        x: Array,
        target: Array,
        weight: Array | None,
        total: float,
        outputs: Array | None = None,
    ) -> float:
        """Compute the value of a checked batch in inference mode; arguments as above."""

        def run(job: tuple[int, slice]) -> float:
            _, rows = job
            w = None if weight is None else weight[rows]
            with np.errstate(all="ignore"):
                y = self._forward(self.model, x[rows], training=False)
                if not self.fused:
                    self.loss.check_prediction(y)
                if outputs is not None:
                    outputs[rows] = y
                return self.loss.weighted(y, target[rows], w, total)[0]

        return sum(self._map_chunks(run, len(x)))

    def finish(self, outputs: Array) -> Array:
        """Turn collected outputs into the model's own: applies the activation left out."""
        if not self.fused:
            return outputs
        return calls.call_forward(_last_layers(self.model)[-1], outputs, False, None)

    def _map_chunks(self, run: Callable[[tuple[int, slice]], float], n: int) -> Iterator[float]:
        """Run chunk after chunk, `workers` at a time; the results come in the chunks' order."""
        jobs = [
            (index, slice(start, min(start + self.chunk_rows, n)))
            for index, start in enumerate(range(0, n, self.chunk_rows))
        ]
        if self.workers == 1:
            yield from map(run, jobs)
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.workers)
        for start in range(0, len(jobs), self.workers):  # a replica's gradients are read in between
            yield from list(self._pool.map(run, jobs[start : start + self.workers]))

    def _forward(self, model: Layer, x: Array, *, training: bool) -> Array:
        """The model's output, or its logits where the activation is fused with the loss."""
        if not self.fused:
            return calls.call_forward(model, x, training, None)
        for sequential in _trailing_sequentials(model):
            x = sequential._forward_to(len(sequential.layers) - 1, x, training, None)
        return x

    def _backward(self, model: Layer, dy: Array) -> None:
        if not self.fused:
            calls.call_backward(model, dy, False, None)
            return
        for sequential in reversed(_trailing_sequentials(model)):
            k = len(sequential.layers) - 1
            dx = sequential._backward_from(k, dy, sequential is not model, None)
            if dx is not None:
                dy = dx

    def _raise_if_input_is_not_finite(self, x: Array, value: float) -> None:
        if not np.isfinite(value):
            raise_for_non_finite(x, f"{self.model.where}: x")

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_pool": None, "_replicas": []}


def _trailing_sequentials(model: Layer) -> list[Sequential]:
    """The model if it is a Sequential, its last layer if that is one too, and so on."""
    found: list[Sequential] = []
    while isinstance(model, Sequential):
        found.append(model)
        model = model.layers[-1]
    return found


def _last_layers(model: Layer) -> list[Layer]:
    """The layers of nested Sequentials in order, as one list."""
    if not isinstance(model, Sequential):
        return [model]
    return [layer for child in model.layers for layer in _last_layers(child)]


def _fits_fused(model: Layer, loss: Loss) -> bool:
    """Whether the model ends in the loss's activation; raise where the two contradict."""
    if loss.activation is None:
        return False
    *before, last = _last_layers(model)
    name, activation = loss.activation.__name__, loss.activation
    if isinstance(last, activation) and loss.from_logits:
        raise ArgumentError(
            f"Objective: {last.where} turns logits into probabilities, but {loss} expects logits: "
            f"{name} would be applied twice. Use {type(loss).__name__}(), or remove {name}()."
        )
    if isinstance(last, activation) and before and isinstance(before[-1], activation):
        raise ArgumentError(
            f"Objective: {last.where} comes directly after another {name}: {name} is applied "
            "twice. Remove one of them."
        )
    if isinstance(last, Dense) and not loss.from_logits:
        raise ArgumentError(
            f"Objective: {last.where} gives logits, but {loss} expects probabilities. "
            f"Add {name}() as the last layer, or use {type(loss).__name__}(from_logits=True)."
        )
    return isinstance(last, activation)
