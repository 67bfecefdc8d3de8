"""Where a batch stops being finite: found by running it once more, with a look at every result."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from minidl.finiteness import is_finite
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.objective import Objective
from minidl.regularization.base import Penalty, penalty_of
from minidl.threads import at_most_blas_threads
from minidl.training.sources import Batch
from minidl.typing import Array


@dataclass
class Origin:
    """The first result that is not finite.

    Attributes:
        result: What it is, such as `the output of ReLU() in layer 1 of Sequential`.
        warning: What NumPy says of it, such as `overflow encountered in matmul`; may be empty.
        rows: The rows of the batch concerned, where the result has rows.
        of_rows: How many rows the result has.
        broken: Whether it is a value of the model, before any computation.
        own: Whether it was computed by code of the user's, which can be mended.
    """

    result: str
    warning: str = ""
    rows: Array | None = None
    of_rows: int = 0
    broken: bool = False
    own: bool = False


def origin_of(objective: Objective, batch: Batch, pass_number: int | None = None) -> Origin | None:
    """Run a batch as before, and return the first result that is not finite, if there is one.

    Args:
        objective: What the batch was evaluated by.
        batch: The batch.
        pass_number: For a training pass, the model's number of passes in chunks before it; state
            and generators must be as they were then. None for inference.
    """
    n, rows = batch.x.shape[0], objective.rows_at_a_time(batch.x)
    if pass_number is not None and not objective.chunked:
        rows = n
    model = objective.model
    watched = Objective(model, objective.loss, chunk_rows=rows)
    watched.penalized = []  # they count once a batch, and come last
    evaluate = watched.evaluate if pass_number is None else watched.differentiate
    watch = _Watch()
    with at_most_blas_threads(1), _on_guard(watched, watch), contextlib.suppress(_FoundError):
        for index, start in enumerate(range(0, n, rows)):
            part = slice(start, start + rows)
            if pass_number is not None and rows < n:  # random layers draw by pass and chunk
                for layer in model.walk():
                    layer._rng, layer._draw_key = None, (pass_number + 1, index)
            watch.first_row = start
            weight = None if batch.weight is None else batch.weight[part]
            evaluate(batch.x[part], batch.target[part], weight, batch.total)
        for layer, name, penalty in objective.penalized if pass_number is not None else ():
            if not layer.frozen:
                watch.penalty(layer, name, penalty)
    return watch.origin


class _FoundError(Exception):
    """Ends the pass."""


class _Watch:
    """Calls layers and the loss, and looks at what they return."""

    def __init__(self) -> None:
        self.origin: Origin | None = None
        self.first_row = 0
        self._warnings: list[str] = []

    def write(self, line: str) -> None:
        """Take a warning of NumPy's; `np.errstate` calls this."""
        self._warnings.append(line.removeprefix("Warning: ").strip())

    def forward(self, layer: Layer, *arguments: Any, **options: Any) -> Array:
        with self._listening():
            y: Array = type(layer)._forward(layer, *arguments, **options)
            self._look(layer, y, f"the output of {layer.where}", has_rows=True)
        return y

    def backward(self, layer: Layer, *arguments: Any, **options: Any) -> Array | None:
        with self._listening():
            dx = type(layer)._backward(layer, *arguments, **options)
            for name, gradient in layer.gradients.items():
                self._look(layer, gradient, f"the gradient of {name} in {layer.where}")
            if dx is not None:
                self._look(layer, dx, f"the gradient at the input of {layer.where}", has_rows=True)
        return dx

    def loss(self, name: str, loss: Loss, *arguments: Any) -> tuple[float, Array]:
        with self._listening():
            value, dy = loss.weighted(*arguments)
            self._look(loss, np.array(value), f"the value of {name}")
            self._look(loss, dy, f"the gradient of {name} at the model's output", has_rows=True)
        return value, dy

    def penalty(self, layer: Layer, name: str, penalty: Penalty) -> None:
        w = layer._views[name]
        gradient = np.zeros_like(w)
        with self._listening():
            value = np.array(penalty_of(w, penalty, gradient))
            self._look(penalty, value, f"the value of {penalty} for {name} of {layer.where}")
            self._look(penalty, gradient, f"the gradient of {penalty} for {name} of {layer.where}")

    @contextlib.contextmanager
    def _listening(self) -> Iterator[None]:
        listener: Any = self
        with np.errstate(over="log", divide="log", invalid="log", call=listener):
            yield
        self._warnings.clear()  # what overflowed and did no harm

    def _look(self, by: Any, a: Array, result: str, *, has_rows: bool = False) -> None:
        if is_finite(a):
            return
        self.origin = Origin(result, next(iter(self._warnings), ""))
        self.origin.own = not type(by).__module__.startswith("minidl.")
        if has_rows:
            bad = ~np.isfinite(a.reshape(len(a), -1)).all(axis=1)
            self.origin.rows = self.first_row + np.flatnonzero(bad)
            self.origin.of_rows = len(a)
        raise _FoundError


@contextlib.contextmanager
def _on_guard(objective: Objective, watch: _Watch) -> Iterator[None]:
    """Let the watch call the layers and the loss, until the end of the block."""
    loss = objective._loss
    objective._loss = copy.copy(loss)
    vars(objective._loss)["weighted"] = partial(watch.loss, str(objective.loss), loss)
    layers = list(objective.model.walk())
    found = [(layer.bound.chains, layer._draw_key) for layer in layers]
    for layer in layers:
        layer.bound.chains = {}  # which hold the layers' own methods
        vars(layer)["_forward"] = partial(watch.forward, layer)
        vars(layer)["_backward"] = partial(watch.backward, layer)
    try:
        yield
    finally:
        for layer, (chains, draw_key) in zip(layers, found, strict=True):
            layer.bound.chains, layer._draw_key = chains, draw_key
            del vars(layer)["_forward"], vars(layer)["_backward"]
            vars(layer).pop("_saved", None)  # of the pass that ended where it was found
