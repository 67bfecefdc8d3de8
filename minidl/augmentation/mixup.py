"""Mixtures of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import number_within, whole_number
from minidl.augmentation.batch_transform import BatchTransform
from minidl.errors import ArgumentError, ShapeError
from minidl.losses.labels import check_class_labels
from minidl.sparse import dense_array
from minidl.typing import Array, RNGLike


class Mixup(BatchTransform):
    r"""Mix each row with another of its batch, and their targets in the same proportion.

    With a random order $\pi$ of the batch and a proportion for each row,

    $$\tilde x_i = \lambda_i x_i + (1 - \lambda_i) x_{\pi(i)}, \qquad
      \tilde y_i = \lambda_i y_i + (1 - \lambda_i) y_{\pi(i)}, \qquad
      \lambda_i \sim \mathrm{Beta}(\alpha, \alpha) .$$

    Labels become rows of probabilities, which `CrossEntropy` takes; its value is then above 0 even
    for a perfect model, and the training accuracy, against the larger share, says little. Other
    targets are mixed as the numbers that they are. With a small $\alpha$ most rows stay nearly as
    they are, with $\alpha = 1$ all proportions are equally likely; the paper uses 0.1 to 0.4 for
    ImageNet and 1 for CIFAR-10. Its program draws one proportion a batch; here each row has its
    own, as in the paper's formula.

    Shapes:
        x `(N, ...)`; y `(N,)` integer labels, which become `(N, C)`, or numbers `(N, ...)`.

    Args:
        alpha: $\alpha$, at least 0; at 0 nothing is mixed.
        classes: The number of classes C, for integer labels.
        rng: Seed or generator of the draws.

    Raises:
        ArgumentError: If an argument is out of range, or `classes` is missing.
        ShapeError: If x and y differ in length.
        DTypeError: If x is not floating.
        DataError: If labels are not in 0..C-1.

    Example:
        >>> import minidl as dl
        >>> x, y = dl.synthetic_digits(100, rng=0)
        >>> mixed, shares = Mixup(0.2, classes=10, rng=0)(x, y)
        >>> mixed.shape, shares.shape, bool((abs(shares.sum(axis=1) - 1) < 1e-6).all())
        ((100, 784), (100, 10), True)

    References:
        H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz, mixup: beyond empirical risk minimization,
        ICLR 2018, arXiv:1710.09412.
    """

    def __init__(
        self, alpha: float = 0.2, *, classes: int | None = None, rng: RNGLike = None
    ) -> None:
        super().__init__(rng)
        self.alpha = number_within("Mixup", "alpha", alpha, 0.0)
        self.classes = None if classes is None else whole_number("Mixup", "classes", classes, 2)

    def __call__(self, x: ArrayLike, y: Any = None) -> tuple[Array, Any]:
        """Return mixtures of the rows and of their targets."""
        array = self._inputs(x)
        target = self._targets(array, y)
        n = len(array)
        share = self._generator.beta(self.alpha, self.alpha, n) if self.alpha else np.ones(n)
        order = self._generator.permutation(n)
        return _mixed(array, share, order), _mixed(target, share, order)

    def _targets(self, x: Array, y: ArrayLike | None) -> Array:
        """The targets as numbers that can be mixed."""
        if y is None:
            raise ArgumentError(f"{self}: needs targets, to mix them as it mixes the inputs.")
        target = dense_array(y, f"{self}: y", "y")
        if target.shape[:1] != (len(x),):
            raise ShapeError(f"{self}: x has {len(x):,} rows, y has shape {target.shape}.")
        if self.classes is not None and target.ndim == 1:
            labels = check_class_labels(target, (len(x), self.classes), f"{self}")
            return np.eye(self.classes, dtype=x.dtype)[labels]  # (N, C)
        if target.ndim == 1 and target.dtype.kind != "f":
            raise ArgumentError(
                f"{self}: labels cannot be mixed as numbers; say how many classes there are, such "
                "as Mixup(classes=10)."
            )
        return target if target.dtype.kind == "f" else target.astype(x.dtype)


def _mixed(rows: Array, share: Array, order: Array) -> Array:
    s = share.astype(rows.dtype).reshape(-1, *[1] * (rows.ndim - 1))  # (N, 1, ...)
    mixed: Array = s * rows + (1 - s) * rows[order]
    return mixed
