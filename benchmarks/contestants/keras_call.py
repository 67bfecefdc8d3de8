"""Calling a Keras model: `model(x, training=False)`."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from benchmarks.contestants.keras_fit import network
from benchmarks.contestants.task import Task


class Inference:
    """Tensor in, tensor out."""

    def __init__(self, task: Task) -> None:
        self.model = network(task, "softmax")

    def convert(self, x: np.ndarray) -> tf.Tensor:
        return tf.constant(x)

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return self.model(x, training=False)

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return self.call(self.convert(x)).numpy()
