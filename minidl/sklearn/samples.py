"""Checked rows of data, and rows held out of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from minidl.typing import Array


class Samples(NamedTuple):
    """Rows that belong together.

    Attributes:
        x: Inputs (N, n_features), dense or sparse.
        y: Targets as the user gave them.
        targets: Targets as the loss takes them.
        weight: Weights (N,), or None for ones.
    """

    x: Any
    y: Array
    targets: Array
    weight: Array | None

    @property
    def total_weight(self) -> float:
        """The sum of the weights."""
        return float(self.x.shape[0] if self.weight is None else self.weight.sum())

    def take(self, rows: Array) -> Samples:
        """Some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Samples(self.x[rows], self.y[rows], self.targets[rows], weight)

    def split(self, fraction: float, random: Any, *, stratify: bool) -> tuple[Samples, Samples]:
        """Hold a fraction of the rows out, drawn as scikit-learn does from the same random_state.

        Args:
            fraction: How many of the rows.
            random: What to draw with.
            stratify: Whether both parts are to have the classes in the same proportion.
        """
        training, held_out = train_test_split(
            np.arange(self.x.shape[0]),
            random_state=random,
            test_size=fraction,
            stratify=self.targets if stratify else None,
        )
        if len(held_out) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or the size of "
                "your dataset."
            )
        return self.take(training), self.take(held_out)

    def as_validation_data(self) -> tuple[Array, ...]:
        """What a trainer takes under that name."""
        pair = (self.x, self.targets)
        return pair if self.weight is None else (*pair, self.weight)
