"""The yardstick: the step written out in NumPy (`benchmarks/handwritten.py`)."""

from __future__ import annotations

import numpy as np

from benchmarks.contestants.task import LEARNING_RATE, Task, softmax
from benchmarks.handwritten import HandwrittenNetwork


class Training:
    """One call a batch, on rows gathered into a reused buffer."""

    def __init__(self, task: Task) -> None:
        self.task, self.rng = task, np.random.default_rng(0)
        self.network = HandwrittenNetwork(task.start, task.x, task.y, task.batch_size)

    def in_order(self, rows: int, epochs: int) -> None:
        x, y, size = self.task.x, self.task.y, self.task.batch_size
        for _ in range(epochs):
            for i in range(0, rows, size):
                self.network.update(x[i : i + size], y[i : i + size], LEARNING_RATE)

    def round(self) -> int:
        for _ in range(self.task.loop_epochs):
            self.network.epoch(self.rng, LEARNING_RATE)
        return self.task.loop_epochs * self.task.steps

    def parameters(self) -> list[np.ndarray]:
        return [a for pair in zip(self.network.W, self.network.b, strict=True) for a in pair]


class Inference:
    """The forward pass with softmax."""

    def __init__(self, task: Task) -> None:
        self.network = HandwrittenNetwork(task.start, task.x, task.y, 1)

    def convert(self, x: np.ndarray) -> np.ndarray:
        return x

    def call(self, x: np.ndarray) -> np.ndarray:
        return softmax(self.network.logits(x))

    probabilities = call
