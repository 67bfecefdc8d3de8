"""Mistakes that raise nothing: raw pixels as input, and networks that no gradient goes through."""

from __future__ import annotations

import itertools

import numpy as np

from minidl.containers.nesting import innermost_layers
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
from minidl.training.user_warning import warn_user
from minidl.typing import Array

SAME_NUMBERS = (Dropout, Flatten, Reshape)  # behind these, pixels are still pixels
NORMALIZE = (BatchNorm, GroupNorm, LayerNorm, RMSNorm)
ROWS_LOOKED_AT = 64
FEWEST_COLUMNS = 64  # whole numbers in fewer may be ages or counts, and are few enough to learn
RAW_FROM = 100  # numbers from which on unscaled input spoils training
RAW_SHARE = 0.01  # of numbers that large in images; word counts have fewer

FEWEST_ROWS = 16  # that all units are off for fewer means nothing
EPOCHS_IN_A_ROW = 2
LEARNED = 1e-3  # the loss below which a gradient may be 0 because everything is right


class WarningSigns:
    """What a trainer looks out for in a `fit`; neither look costs anything worth measuring."""

    def __init__(self, model: Layer) -> None:
        self._layers = innermost_layers(model)
        self._learning: list[Layer] = []  # in this epoch
        self._dead = 0  # of these, the first ones that no gradient has come to in this epoch
        self._rows = 0  # that were looked at in this epoch
        self._epochs = 0  # in a row that no gradient came through
        self._single = False  # whether the last batch was one row

    def wants(self, number: int) -> bool:
        """Whether to `look` at a batch of this number in the epoch, from 1."""
        return number == 1 or (self._dead > 0 and self._rows < FEWEST_ROWS)

    def look(self, x: Array, loss: float, *, number: int, first_step: bool) -> None:
        """Look at one of the first batches of an epoch, while the gradients are those of it.

        Args:
            x: The batch.
            loss: Its loss.
            number: Its number in the epoch, from 1.
            first_step: Whether it is the first one of the run.
        """
        if first_step:
            self._look_at_input(x)
        if number == 1:
            self._learning = [each for each in self._layers if each.params.size and not each.frozen]
            self._dead, self._rows = len(self._learning), 0
        self._rows += x.shape[0]
        self._single = x.shape[0] == 1
        self._look_at_gradients(loss)

    def _look_at_input(self, x: Array) -> None:
        """Warn if the rows look like raw pixels, and nothing in the model scales them."""
        first = itertools.dropwhile(lambda layer: isinstance(layer, SAME_NUMBERS), self._layers)
        layer, behind = (*first, None, None)[:2]
        if not isinstance(layer, Dense | Conv1D | Conv2D) or isinstance(behind, NORMALIZE):
            return
        rows = x[:ROWS_LOOKED_AT]
        if is_sparse(x) or rows[0].size < FEWEST_COLUMNS:
            return
        if (rows >= RAW_FROM).mean() < RAW_SHARE:
            return
        if rows.min() >= 0 and (rows == np.floor(rows)).all():
            warn_user(
                f"fit: x has whole numbers up to {rows.max():g}, as raw pixels are. Networks learn "
                "badly from numbers of that size, if at all: scale them to 0..1 with x / 255, or "
                "put Standardize() in front."
            )

    def _look_at_gradients(self, loss: float) -> None:
        """Warn if no gradient reaches the first layer any more, although there is much to learn."""
        first = self._learning[: self._dead]
        dead = list(itertools.takewhile(lambda layer: not layer.grads.any(), first))
        self._dead = len(dead) if loss >= LEARNED else 0
        if not self._dead:
            self._epochs = 0
        elif self._rows >= FEWEST_ROWS:
            self._epochs += 1
            if self._epochs == EPOCHS_IN_A_ROW:
                self._warn_of(dead, loss)

    def _warn_of(self, dead: list[Layer], loss: float) -> None:
        others = ", with the layers in front of it," if len(dead) > 1 else ""
        warn_user(
            f"fit: {dead[-1].where}{others} learns nothing any more: at the start of "
            f"{EPOCHS_IN_A_ROW} epochs in a row its gradient was exactly 0, while the loss is "
            f"{loss:.3g}.{self._cause(dead)}"
        )

    def _cause(self, dead: list[Layer]) -> str:
        """Say what lets no gradient through, and what helps."""
        if not dead[-1].params.any():
            return (
                " All its parameters are 0. Weights have to start at random, for example with "
                "HeNormal()."
            )
        for each in self._learning[: len(dead) + 1]:
            if self._single and isinstance(each, BatchNorm) and len(each.input_shape) == 1:
                return (
                    f" {each.where} makes 0 of a batch of one row, whatever the row was. Use "
                    "larger batches, or LayerNorm()."
                )
        behind = self._layers[self._layers.index(dead[-1]) + 1 :][:1]
        hint = "".join(
            f" Look at {each.where} behind it." for each in behind if not each.params.size
        )
        return (
            f"{hint} Units of a ReLU that are 0 for every row, or of a Sigmoid or Tanh at its "
            "limits, let no gradient through and do not come back. Build the model anew, and train "
            "it with a smaller learning rate, with scaled inputs, or with LeakyReLU() in place of "
            "ReLU()."
        )
