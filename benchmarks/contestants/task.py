"""What a contestant is given: data, initial values, and how much to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.networks import Start

LEARNING_RATE = 0.1
# Programs add Adam's epsilon in different places; one this small makes them compute the same.
ADAM_RATE, ADAM_EPSILON = 0.001, 1e-30


@dataclass(frozen=True)
class Task:
    """One workload as it arrives in a contestant's process.

    Attributes:
        x: Rows, float32; an array, or CSR of scipy.sparse.
        y: Labels, int64.
        layers: The network, as in `benchmarks.networks`.
        start: The parameters of every layer that has some, as in `benchmarks.networks`.
        batch_size: Rows of a step, or of a call.
        fit_epochs: Epochs of a round for a program that trains several in one call.
        loop_epochs: Epochs of a round for a program that is called once a batch.
        threads: How many the program may use.
        optimizer: "sgd", with `LEARNING_RATE`, or "adam", with `ADAM_RATE` and `ADAM_EPSILON`.
    """

    x: Any
    y: np.ndarray
    layers: tuple[tuple, ...]
    start: Start
    batch_size: int
    fit_epochs: int
    loop_epochs: int
    threads: int
    optimizer: str = "sgd"

    @property
    def steps(self) -> int:
        """Batches of an epoch; the last one may be smaller."""
        return -(-len(self.y) // self.batch_size)

    @property
    def full_batch(self) -> bool:
        """Whether a step takes all rows, so that there is nothing to shuffle or gather."""
        return self.batch_size >= len(self.y)

    @property
    def dense_units(self) -> list[int]:
        """Outputs of each dense layer, for contestants that know no others."""
        return [options[0] for kind, *options in self.layers if kind == "dense"]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Rows of probabilities, for programs whose network ends in logits."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
