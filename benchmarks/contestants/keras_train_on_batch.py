"""Keras's `train_on_batch`, for loops of one's own."""

from __future__ import annotations

import numpy as np

from benchmarks.contestants import keras_fit
from benchmarks.contestants.task import Task

STEPS = 470  # of a round at most: it is slow, and an epoch of it tells no more


class Training(keras_fit.Training):
    """One call a batch, on rows gathered by NumPy."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.rng = np.random.default_rng(0)

    def in_order(self, rows: int, epochs: int) -> None:
        for _ in range(epochs):
            self.steps(np.arange(rows), rows)

    def round(self) -> int:
        done, task = 0, self.task
        while done < min(task.loop_epochs * task.steps, STEPS):
            order = self.rng.permutation(len(task.x))
            done += self.steps(order, (STEPS - done) * task.batch_size)
        return done

    def steps(self, order: np.ndarray, rows: int) -> int:
        task, size = self.task, self.task.batch_size
        starts = range(0, min(rows, len(order)), size)
        for i in starts:
            index = order[i : i + size]
            x, y = (task.x, task.y) if task.full_batch else (task.x[index], task.y[index])
            self.model.train_on_batch(x, y)
        return len(starts)
