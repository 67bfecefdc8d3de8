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
    return np.array([-special.log_softmax(row)[k] for row, k in zip(z, labels, strict=True)])


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


def absolute_error(y_pred: Array, y: Array) -> Array:
    return rows(np.maximum(y_pred - y, y - y_pred))


def huber(delta: float) -> Callable[[Array, Array], Array]:
    return lambda y_pred, y: rows(special.huber(delta, y_pred - y))


def pinball(*quantiles: float) -> Callable[[Array, Array], Array]:
    q = np.array(quantiles)
    return lambda y_pred, y: rows(np.where(y_pred < y, q * (y - y_pred), (1 - q) * (y_pred - y)))


def poisson(rate: Array, y: Array) -> Array:
    return rows(rate - special.xlogy(y, rate))


def poisson_of_logarithms(z: Array, y: Array) -> Array:
    return rows(np.exp(z) - y * z)


def binary_hinge(z: Array, y: Array) -> Array:
    return np.array([max(0.0, 1 - a if b > 0 else 1 + a) for (a,), (b,) in zip(z, y, strict=True)])


def label_hinge(z: Array, labels: Array) -> Array:
    pairs = zip(z, labels, strict=True)
    return np.array([max(0.0, 1 + max(np.delete(row, k)) - row[k]) for row, k in pairs])


def relative_entropy(p: Array, y: Array) -> Array:
    return special.rel_entr(y, p).sum(axis=1)


def relative_entropy_of_logits(z: Array, y: Array) -> Array:
    return soft_cross_entropy(z, y) - special.entr(y).sum(axis=1)


def smoothed(reference: Callable[[Array, Array], Array], s: float, c: int) -> Callable:
    return lambda prediction, y: reference(prediction, (1 - s) * y + s / c)


def smoothed_labels(reference: Callable[[Array, Array], Array], s: float, c: int) -> Callable:
    return lambda prediction, y: smoothed(reference, s, c)(prediction, np.eye(c)[y])


LOGITS = 3 * rng.normal(size=(5, 4))
PROBABILITIES = special.softmax(rng.normal(size=(5, 4)), axis=1)
LABELS = np.array([0, 3, 1, 3, 2])
ONE_HOT = np.eye(4, dtype=np.uint8)[LABELS]
SOFT = rng.dirichlet(np.ones(4), size=5)
IMAGES = rng.normal(size=(5, 3, 2))
YES_NO = rng.integers(0, 2, size=(5, 3))
HALF_SURE = rng.random((5, 3, 2))
SPARSE_ROWS = np.array([[0, 1, 0, 0], [0.5, 0, 0.5, 0], *SOFT[:3]])
COUNTS = rng.integers(0, 6, (5, 4))
PLUS_MINUS = 2 * YES_NO[:, :1] - 1

cross_entropy, from_logits = dl.CrossEntropy(), dl.CrossEntropy(from_logits=True)
binary, binary_from_logits = dl.BinaryCrossEntropy(), dl.BinaryCrossEntropy(from_logits=True)
mse, mae = dl.MeanSquaredError(), dl.MeanAbsoluteError()
smooth = dl.CrossEntropy(from_logits=True, label_smoothing=0.2)
smooth_probabilities = dl.CrossEntropy(label_smoothing=0.1)
divergence, divergence_from_logits = dl.KLDivergence(), dl.KLDivergence(from_logits=True)
log_poisson, rate_poisson = dl.Poisson(), dl.Poisson(log_input=False)
three_quantiles = dl.Quantile([0.1, 0.5, 0.8])

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
    LossCase(smooth, "labels", LOGITS, LABELS, smoothed_labels(soft_cross_entropy, 0.2, 4)),
    LossCase(smooth, "one-hot", LOGITS, ONE_HOT, smoothed(soft_cross_entropy, 0.2, 4)),
    LossCase(smooth, "soft rows", LOGITS, SOFT, smoothed(soft_cross_entropy, 0.2, 4)),
    LossCase(
        *(smooth_probabilities, "labels", PROBABILITIES, LABELS),
        smoothed_labels(soft_likelihood, 0.1, 4),
    ),
    LossCase(
        *(smooth_probabilities, "soft rows", PROBABILITIES, SOFT),
        smoothed(soft_likelihood, 0.1, 4),
    ),
    LossCase(divergence, "soft rows", PROBABILITIES, SOFT, relative_entropy),
    LossCase(divergence, "rows with zeros", PROBABILITIES, SPARSE_ROWS, relative_entropy),
    LossCase(divergence_from_logits, "soft rows", LOGITS, SOFT, relative_entropy_of_logits),
    LossCase(divergence_from_logits, "one-hot", LOGITS, ONE_HOT, relative_entropy_of_logits),
    LossCase(mae, "(N, 1)", LOGITS[:, :1], SOFT[:, :1], absolute_error),
    LossCase(mae, "(N, 4), integers", LOGITS, COUNTS, absolute_error),
    LossCase(mae, "(N, 3, 2)", IMAGES, HALF_SURE, absolute_error),
    LossCase(dl.Huber(), "(N, 4)", LOGITS, SOFT, huber(1.0)),
    LossCase(dl.Huber(0.3), "(N, 3, 2)", IMAGES, HALF_SURE, huber(0.3)),
    LossCase(dl.Quantile(0.9), "(N, 1)", LOGITS[:, :1], SOFT[:, :1], pinball(0.9)),
    LossCase(dl.Quantile(0.2), "(N, 3, 2)", IMAGES, HALF_SURE, pinball(0.2)),
    LossCase(three_quantiles, "(N, 3)", LOGITS[:, 1:], SOFT[:, :1], pinball(0.1, 0.5, 0.8)),
    LossCase(log_poisson, "(N, 4), counts", LOGITS / 3, COUNTS, poisson_of_logarithms),
    LossCase(rate_poisson, "(N, 4), counts", PROBABILITIES * 5, COUNTS, poisson),
    LossCase(rate_poisson, "(N, 3, 2)", np.abs(IMAGES), HALF_SURE, poisson),
    LossCase(dl.Hinge(), "(N, 1), -1 and 1", LOGITS[:, :1], PLUS_MINUS, binary_hinge),
    LossCase(dl.Hinge(), "(N, 1), 0 and 1", LOGITS[:, 1:2], YES_NO[:, :1], binary_hinge),
    LossCase(dl.Hinge(), "labels", LOGITS, LABELS, label_hinge),
]
