"""A training pass that can be run once more: what it changes besides gradients is kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minidl.finiteness import is_finite
from minidl.layers.base import Layer


class RepeatablePass:
    """Puts running statistics and generators back to where they were before the last pass.

    Args:
        model: A built layer.

    Attributes:
        number: The model's number of passes in chunks before it, by which their layers draw.
        squares: Sum of squares of the last gradient that was finite; NaN before the first.
    """

    def __init__(self, model: Layer) -> None:
        self._model, self._layers = model, list(model.walk())
        self._state, self._grads = model.state, model.grads
        self._state_before = self._state
        self._draws: dict[Layer, Any] = {}
        self.number, self.squares = 0, math.nan

    def begin(self) -> None:
        """Note how things stand, as cheaply as can be: this is called before every batch."""
        if self._state.size:
            self._state_before = self._state.copy()
        self._draws = {
            layer: layer._rng.bit_generator.state
            for layer in self._layers
            if layer._rng is not None  # it has drawn before
        }
        self.number = self._model._chunked_passes

    def is_finite(self, loss: float) -> bool:
        """Whether loss and gradients are finite."""
        squares = float(np.vdot(self._grads, self._grads))
        if math.isfinite(loss) and (math.isfinite(squares) or is_finite(self._grads)):
            self.squares = squares
            return True
        return False

    def put_back(self) -> None:
        """Let everything be as before the pass; the parameters are not touched."""
        self._model.state, self._model._chunked_passes = self._state_before, self.number
        for layer in self._layers:
            layer._rng = None  # made anew from its seed at the next draw
            if layer in self._draws:
                layer.rng.bit_generator.state = self._draws[layer]
