"""Keras (on TensorFlow) as its tutorials train: `compile` and `fit`."""

from __future__ import annotations

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from benchmarks.contestants import keras_layers
from benchmarks.contestants.task import LEARNING_RATE, Task


def network(
    task: Task, activation: str | None = None, **recurrent: dict[str, object]
) -> keras.Sequential:
    """The model with the initial values that all share; its outputs are logits by default."""
    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads)
    layers = keras_layers.build(task.layers, activation, recurrent)
    model = keras.Sequential([keras.Input(task.x.shape[1:]), *layers])
    parts = keras_layers.with_values(model)
    for part, values in zip(parts, task.start, strict=True):
        part.set_weights(keras_layers.to_keras(part, values))
    return model


class Training:
    """`fit` on arrays, with Keras's defaults."""

    recurrent: ClassVar[dict[str, dict[str, object]]] = {}  # options of such layers, by kind

    def __init__(self, task: Task) -> None:
        self.task, self.model = task, network(task, **self.recurrent)
        self.model.compile(
            keras.optimizers.SGD(LEARNING_RATE),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            **self.options(),
        )

    def options(self) -> dict[str, object]:
        return {}

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
        parts = keras_layers.with_values(self.model)
        return [a for part in parts for a in keras_layers.from_keras(part)]
