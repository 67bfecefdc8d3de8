"""Keras's `model.predict`."""

from __future__ import annotations

import numpy as np

from benchmarks.contestants.keras_fit import network
from benchmarks.contestants.task import Task


class Inference:
    """Array in, array out, with a batch size of all rows."""

    def __init__(self, task: Task) -> None:
        self.model, self.rows = network(task, "softmax"), task.batch_size

    def convert(self, x: np.ndarray) -> np.ndarray:
        return x

    def call(self, x: np.ndarray) -> np.ndarray:
        return self.model.predict(x, batch_size=self.rows, verbose=0)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return self.call(x)
