"""The Kullback-Leibler divergence, for targets that are distributions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import flag
from minidl.losses.labels import check_probability_rows
from minidl.losses.softmax_loss import SoftmaxLoss, shifted_softmax
from minidl.typing import Array, Shape


class KLDivergence(SoftmaxLoss):
    r"""The Kullback-Leibler divergence, $l = \sum_c y_c \ln (y_c / \hat y_c)$, of distributions.

    With $0 \ln 0 = 0$. It is 0 where the two are equal, and never below. From logits z, with
    $a = \operatorname{softmax}(z)$, the gradient is $\partial l / \partial z = a - y$; given
    probabilities directly, it is $-y / \hat y$, and probabilities are floored at the dtype's
    epsilon. The gradients are those of `CrossEntropy`: the two differ by the entropy of the
    targets, which no parameter changes. For labels, take that loss.

    For soft targets whose distance is to be read off the loss, such as another model's
    probabilities (distillation). A model that ends in `Softmax` goes with `KLDivergence()`, one
    that ends in `Dense` or `LogSoftmax` with `KLDivergence(from_logits=True)`.

    PyTorch's `KLDivLoss` takes log-probabilities, and is this with `reduction="batchmean"`; its
    default divides by C, too. Keras's `KLDivergence` takes probabilities.

    Shapes:
        prediction and target `(N, C)`; for each step or pixel `(N, ..., C)`. Rows of targets are at
        least 0 and sum to 1.

    Args:
        from_logits: Whether predictions are logits instead of probabilities.

    Raises:
        DataError: For rows that are no probabilities, and softmax outputs where logits belong.

    Example:
        >>> import numpy as np, minidl as dl
        >>> y = np.array([[0.25, 0.75]])
        >>> dl.KLDivergence()(y, y), round(dl.KLDivergence()(np.array([[0.5, 0.5]]), y), 4)
        (0.0, 0.1308)

    References:
        S. Kullback, R. Leibler, On information and sufficiency, 1951, doi:10.1214/aoms/1177729694.
        G. Hinton, O. Vinyals, J. Dean, Distilling the knowledge in a neural network, 2015,
        arXiv:1503.02531.
    """

    def __init__(self, *, from_logits: bool = False) -> None:
        self.from_logits = flag("KLDivergence", "from_logits", from_logits)

    def with_logits(self) -> KLDivergence:
        return self._copy(from_logits=True)

    def per_sample(self, prediction: Array, target: Array) -> tuple[Array, Array]:
        y = target.astype(prediction.dtype, copy=False)
        log_y = np.log(np.maximum(y, np.finfo(y.dtype).tiny))  # finite, so that 0 ln 0 = 0
        if not self.from_logits:
            p = np.maximum(prediction, np.finfo(prediction.dtype).eps)
            return (y * (log_y - np.log(p))).sum(axis=1), -y / p
        z, a, total = shifted_softmax(prediction)
        log_p = z - np.log(total)  # (C, N) - (N,)
        return (y * (log_y - log_p.T)).sum(axis=1), a.T - y

    def check_target(self, target: ArrayLike, shape: Shape) -> Array:
        """Return rows (N, ..., C) of probabilities; raise otherwise."""
        return check_probability_rows(super().check_target(target, shape), shape, f"{self}")
