"""minidl through its public interface: `Trainer.fit` and `model.predict`."""

from __future__ import annotations

import numpy as np

import minidl as dl
from benchmarks.contestants.task import ADAM_EPSILON, ADAM_RATE, LEARNING_RATE, Task
from benchmarks.networks import Layers

SIMPLE = {
    "dense": dl.Dense,
    "relu": dl.ReLU,
    "flatten": dl.Flatten,
    "lstm": dl.LSTM,
    "gru": dl.GRU,
    "mean": dl.GlobalAveragePool1D,
}


def layer(kind: str, *options: object) -> dl.Layer:
    """One layer from its description."""
    if kind == "conv":
        filters, size, padding = options
        return dl.Conv2D(filters, size, padding=padding)
    if kind == "pool":
        return dl.MaxPool2D(*options)
    if kind == "transformer":
        return transformer(*options)
    return SIMPLE[kind](*options)


def transformer(width: int, heads: int, hidden: int) -> dl.Sequential:
    """A block with layer normalization first."""
    attention = [dl.LayerNorm(), dl.MultiHeadSelfAttention(heads)]
    each_step = [dl.LayerNorm(), dl.Dense(hidden), dl.ReLU(), dl.Dense(width)]
    return dl.Sequential([dl.Residual(dl.Sequential(part)) for part in (attention, each_step)])


def with_values(model: dl.Layer) -> list[dl.Layer]:
    """The layers that have parameters, in the order of `Task.start`."""
    return [part for part in model.walk() if part.gradients]


def network(layers: Layers, task: Task) -> dl.Sequential:
    """The model with the initial values that all share."""
    model = dl.Sequential([*(layer(*description) for description in layers), dl.Softmax()])
    model.build(task.x.shape[1:], rng=0)
    for part, values in zip(with_values(model), task.start, strict=True):
        for name, value in zip(part.gradients, values, strict=True):
            setattr(part, name, value)
    return model


class Training:
    """`Trainer.fit`; for the full batch with as many workers as there are cores."""

    def __init__(self, task: Task) -> None:
        self.task, self.model = task, network(task.layers, task)
        workers = task.threads if task.full_batch else 1
        if task.optimizer == "adam":
            optimizer = dl.Adam(ADAM_RATE, epsilon=ADAM_EPSILON)
        else:
            optimizer = dl.SGD(LEARNING_RATE)
        self.trainer = dl.Trainer(self.model, dl.CrossEntropy(), optimizer, workers=workers, rng=0)

    def in_order(self, rows: int, epochs: int) -> None:
        task = self.task
        x, y = task.x[:rows], task.y[:rows]
        self.trainer.fit(x, y, epochs=epochs, batch_size=task.batch_size, shuffle=False)

    def round(self) -> int:
        task = self.task
        self.trainer.fit(task.x, task.y, epochs=task.fit_epochs, batch_size=task.batch_size)
        return task.fit_epochs * task.steps

    def parameters(self) -> list[np.ndarray]:
        return [getattr(part, name) for part in with_values(self.model) for name in part.gradients]


class Inference:
    """`model.predict`."""

    def __init__(self, task: Task) -> None:
        self.call = network(task.layers, task).predict

    def convert(self, x: np.ndarray) -> np.ndarray:
        return x

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return self.call(x)
