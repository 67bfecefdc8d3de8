"""Keras (on TensorFlow) as its tutorials train: `compile` and `fit`."""

from __future__ import annotations

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from benchmarks.contestants.task import LEARNING_RATE, Task


def network(task: Task, activation: str | None = None) -> keras.Sequential:
    """The model with the initial values that all share; its outputs are logits by default."""
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads)
    *hidden, classes = task.dense_units
    layers = [keras.layers.Dense(units, activation="relu") for units in hidden]
    inputs = keras.Input(task.x.shape[1:])
    model = keras.Sequential([inputs, *layers, keras.layers.Dense(classes, activation)])
    model.set_weights([a for pair in task.start for a in pair])
    return model


class Training:
    """`fit` on arrays, with Keras's defaults."""

    options: ClassVar[dict[str, object]] = {}

    def __init__(self, task: Task) -> None:
        self.task, self.model = task, network(task)
        self.model.compile(
            keras.optimizers.SGD(LEARNING_RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            **self.options,
        )

    def fit(self, rows: int, epochs: int, shuffle: bool) -> None:
        x, y = self.task.x[:rows], self.task.y[:rows]
        size = self.task.batch_size
        self.model.fit(x, y, batch_size=size, epochs=epochs, shuffle=shuffle, verbose=0)

    def in_order(self, rows: int, epochs: int) -> None:
        self.fit(rows, epochs, shuffle=False)

    def round(self) -> int:
        self.fit(len(self.task.x), self.task.fit_epochs, shuffle=not self.task.full_batch)
        return self.task.fit_epochs * self.task.steps

    def parameters(self) -> list[np.ndarray]:
        return self.model.get_weights()
