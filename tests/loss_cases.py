"""The one table of losses: every row goes through all of `tests/losses/test_base.py`.

A reference is the definition, in SciPy or plain NumPy, and shares no code with minidl. A new loss
needs a row here; what is particular to it goes into a file of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

import minidl as dl

Array = np.ndarray
rng = np.random.default_rng(0)


@dataclass(frozen=True)
class LossCase:
    """A loss, what the batch is like, the batch in float64, and each sample's loss (N,)."""

    loss: dl.Loss
    kind: str
    prediction: Array
    target: Array
    reference: Callable[[Array, Array], Array]

    def mean(self, prediction: Array, weight: Array | None = None) -> float:
        """The reference's sum(w l) / sum(w)."""
        return float(np.average(self.reference(prediction, self.target), weights=weight))

    def __str__(self) -> str:
        return f"{self.loss}, {self.kind}"


def rows(values: Array) -> Array:
    """Mean over all axes but the first."""
    return np.array([sample.ravel().sum() / sample.size for sample in values])


def label_cross_entropy(z: Array, labels: Array) -> Array:
    return np.array([special.logsumexp(row) - row[k] for row, k in zip(z, labels, strict=True)])


def soft_cross_entropy(z: Array, y: Array) -> Array:
    return -(y * special.log_softmax(z, axis=1)).sum(axis=1)


def label_likelihood(p: Array, labels: Array) -> Array:
    return np.array([-np.log(row[k]) for row, k in zip(p, labels, strict=True)])


def soft_likelihood(p: Array, y: Array) -> Array:
    return -special.xlogy(y, p).sum(axis=1)


def log_expit_loss(z: Array, y: Array) -> Array:
    return rows(-(y * special.log_expit(z) + (1 - y) * special.log_expit(-z)))


def binary_likelihood(p: Array, y: Array) -> Array:
    return rows(-(special.xlogy(y, p) + special.xlog1py(1 - y, -p)))


def squared_error(y_pred: Array, y: Array) -> Array:
    return rows(np.abs(y_pred - y) ** 2)


LOGITS = 3 * rng.normal(size=(5, 4))
PROBABILITIES = special.softmax(rng.normal(size=(5, 4)), axis=1)
LABELS = np.array([0, 3, 1, 3, 2])
ONE_HOT = np.eye(4, dtype=np.uint8)[LABELS]
SOFT = rng.dirichlet(np.ones(4), size=5)
IMAGES = rng.normal(size=(5, 3, 2))
YES_NO = rng.integers(0, 2, size=(5, 3))
HALF_SURE = rng.random((5, 3, 2))

cross_entropy, from_logits = dl.CrossEntropy(), dl.CrossEntropy(from_logits=True)
binary, binary_from_logits = dl.BinaryCrossEntropy(), dl.BinaryCrossEntropy(from_logits=True)
mse = dl.MeanSquaredError()

LOSS_CASES = [
    LossCase(from_logits, "labels", LOGITS, LABELS, label_cross_entropy),
    LossCase(from_logits, "one-hot", LOGITS, ONE_HOT, soft_cross_entropy),
    LossCase(from_logits, "soft rows", LOGITS, SOFT, soft_cross_entropy),
    LossCase(cross_entropy, "labels", PROBABILITIES, LABELS, label_likelihood),
    LossCase(cross_entropy, "one-hot", PROBABILITIES, ONE_HOT, soft_likelihood),
    LossCase(cross_entropy, "soft rows", PROBABILITIES, SOFT, soft_likelihood),
    LossCase(binary_from_logits, "(N, 1)", LOGITS[:, :1], YES_NO[:, :1], log_expit_loss),
    LossCase(binary_from_logits, "(N, 3)", LOGITS[:, 1:], YES_NO, log_expit_loss),
    LossCase(binary_from_logits, "(N, 3, 2), soft", IMAGES, HALF_SURE, log_expit_loss),
    LossCase(binary, "(N, 3)", special.expit(LOGITS[:, 1:]), YES_NO, binary_likelihood),
    LossCase(binary, "(N, 3, 2), soft", special.expit(IMAGES), HALF_SURE, binary_likelihood),
    LossCase(mse, "(N, 1)", LOGITS[:, :1], SOFT[:, :1], squared_error),
    LossCase(mse, "(N, 4), integers", LOGITS, ONE_HOT, squared_error),
    LossCase(mse, "(N, 3, 2)", IMAGES, HALF_SURE, squared_error),
]
