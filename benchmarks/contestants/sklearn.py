"""scikit-learn's `MLPClassifier`, with all off that is not plain gradient descent or Adam."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.contestants.task import ADAM_EPSILON, ADAM_RATE, LEARNING_RATE, Task


def classifier(task: Task) -> MLPClassifier:
    """A classifier with the initial values that all share."""
    found = MLPClassifier(
        hidden_layer_sizes=task.dense_units[:-1],
        solver=task.optimizer,
        alpha=0.0,
        momentum=0.0,
        epsilon=ADAM_EPSILON,
        nesterovs_momentum=False,
        learning_rate_init=ADAM_RATE if task.optimizer == "adam" else LEARNING_RATE,
        batch_size=task.batch_size,
        max_iter=task.fit_epochs,
        tol=0.0,
        n_iter_no_change=10**9,
        warm_start=True,
        random_state=0,
    )
    # The classes and arrays come into being in a first step, on one row of each class.
    classes, rows = np.unique(task.y, return_index=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the batch is cut to these ten rows
        found.partial_fit(task.x[rows], task.y[rows], classes=classes)
    for i, (weight, bias) in enumerate(task.start):
        found.coefs_[i], found.intercepts_[i] = weight.copy(), bias.copy()
    return found


class Training:
    """`fit` with `warm_start`, several epochs a call."""

    def __init__(self, task: Task) -> None:
        self.task, self.model = task, classifier(task)

    def fit(self, x: np.ndarray, y: np.ndarray) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped by max_iter
            self.model.fit(x, y)

    def in_order(self, rows: int, epochs: int) -> None:
        self.model.set_params(shuffle=False, max_iter=epochs)
        self.fit(self.task.x[:rows], self.task.y[:rows])
        self.model.set_params(shuffle=True, max_iter=self.task.fit_epochs)

    def round(self) -> int:
        self.fit(self.task.x, self.task.y)
        return self.task.fit_epochs * self.task.steps

    def parameters(self) -> list[np.ndarray]:
        pairs = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [a for pair in pairs for a in pair]


class Inference:
    """`predict_proba`."""

    def __init__(self, task: Task) -> None:
        self.call = classifier(task).predict_proba

    def convert(self, x: np.ndarray) -> np.ndarray:
        return x

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        return self.call(x)
