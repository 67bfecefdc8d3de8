"""Mistakes that raise nothing: raw pixels as input, and networks that no gradient goes through."""

from __future__ import annotations

import itertools
import sys
import warnings

import numpy as np

from minidl.containers.nesting import innermost_layers
from minidl.errors import TrainingWarning
from minidl.layers.base import Layer
from minidl.layers.batch_norm import BatchNorm
from minidl.layers.conv1d import Conv1D
from minidl.layers.conv2d import Conv2D
from minidl.layers.dense import Dense
from minidl.layers.dropout import Dropout
from minidl.layers.flatten import Flatten
from minidl.layers.group_norm import GroupNorm
from minidl.layers.layer_norm import LayerNorm
from minidl.layers.reshape import Reshape
from minidl.layers.rms_norm import RMSNorm
from minidl.sparse import is_sparse
from minidl.typing import Array

SAME_NUMBERS = (Dropout, Flatten, Reshape)  # behind these, pixels are still pixels
NORMALIZE = (BatchNorm, GroupNorm, LayerNorm, RMSNorm)
ROWS_LOOKED_AT = 64
FEWEST_COLUMNS = 64  # whole numbers in fewer may be ages or counts, and are few enough to learn
RAW_FROM = 100  # the largest number from which on unscaled input spoils training

FEWEST_ROWS = 16  # that all units are off for fewer means nothing
EPOCHS_IN_A_ROW = 2
LEARNED = 1e-3  # the loss below which a gradient may be 0 because everything is right


class WarningSigns:
    """What a trainer looks out for in a `fit`; neither look costs anything worth measuring."""

    def __init__(self, model: Layer) -> None:
        self._layers = innermost_layers(model)
        self._epochs = 0  # in a row that no gradient came through

    def look(self, x: Array, loss: float, *, first_step: bool) -> None:
        """Look at the first batch of an epoch, while the model's gradients are those of it.

        Args:
            x: The batch.
            loss: Its loss.
            first_step: Whether it is the first one of the run.
        """
        if first_step:
            self._look_at_input(x)
        if x.shape[0] >= FEWEST_ROWS:
            self._look_at_gradients(loss)

    def _look_at_input(self, x: Array) -> None:
        """Warn if the rows look like raw pixels, and nothing in the model scales them."""
        first = itertools.dropwhile(lambda layer: isinstance(layer, SAME_NUMBERS), self._layers)
        layer, behind = (*first, None, None)[:2]
        if not isinstance(layer, Dense | Conv1D | Conv2D) or isinstance(behind, NORMALIZE):
            return
        rows = x[:ROWS_LOOKED_AT]
        if is_sparse(x) or rows[0].size < FEWEST_COLUMNS or rows.max() < RAW_FROM:
            return
        if rows.min() >= 0 and (rows == np.floor(rows)).all():
            _warn(
                f"fit: x has whole numbers up to {rows.max():g}, as raw pixels are. Networks learn "
                "badly from numbers of that size, if at all: scale them to 0..1 with x / 255, or "
                "put Standardize() in front."
            )

    def _look_at_gradients(self, loss: float) -> None:
        """Warn if no gradient reaches the first layer any more, although there is much to learn."""
        learning = [layer for layer in self._layers if layer.params.size and not layer.frozen]
        dead = list(itertools.takewhile(lambda layer: not layer.grads.any(), learning))
        self._epochs = self._epochs + 1 if dead and loss >= LEARNED else 0
        if self._epochs == EPOCHS_IN_A_ROW:
            others = ", with the layers in front of it," if len(dead) > 1 else ""
            behind = self._layers[self._layers.index(dead[-1]) + 1 :][:1]
            hint = "".join(
                f" Look at {each.where} behind it." for each in behind if not each.params.size
            )
            _warn(
                f"fit: {dead[-1].where}{others} learns nothing any more: for {EPOCHS_IN_A_ROW} "
                f"epochs its gradient has been exactly 0, while the loss is {loss:.3g}.{hint} "
                "Units of a ReLU that are 0 for every row, or of a Sigmoid or Tanh at its limits, "
                "let no gradient through and do not come back. Build the model anew, and train it "
                "with a smaller learning rate, with scaled inputs, or with LeakyReLU() in place of "
                "ReLU()."
            )


def _warn(message: str) -> None:
    """Warn where the user calls `fit`."""
    depth = 2
    while sys._getframe(depth).f_globals.get("__name__", "").startswith("minidl."):
        depth += 1
    warnings.warn(message, TrainingWarning, stacklevel=depth + 1)
