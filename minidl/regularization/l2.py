"""The squares of the weights as a penalty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.regularization.base import Penalty
from minidl.typing import Array


@dataclass(frozen=True)
class L2(Penalty):
    r"""The sum of squares, $P = s \sum_i w_i^2$, with gradient $2 s\, w_i$.

    It pulls every weight towards 0 in proportion to its size: many small weights instead of a few
    large ones. The convention, without a factor of one half, is that of Keras. The same penalty has
    other names elsewhere, for a loss that is a mean over n rows:

    | elsewhere | is here |
    |---|---|
    | $\frac{\lambda}{2} \lVert w \rVert^2$, the textbooks' | `L2(λ / 2)` |
    | `weight_decay` of PyTorch's SGD | `L2(weight_decay / 2)` |
    | `alpha` of scikit-learn's `MLPClassifier` | `L2(alpha / (2 * n))`, n rows of a batch |
    | `C` of scikit-learn's `LogisticRegression` | `L2(1 / (2 * C * n))` |

    With plain SGD `L2(s)` makes the same steps as decoupled weight decay, `SGD(...,
    weight_decay=2 * s)`. With momentum or Adam it does not: a penalty goes through the moments of
    the gradient, decoupled decay does not; with Adam take `weight_decay`. For SciPy's solvers the
    penalty is the only form.

    Args:
        strength: s, at least 0; 1e-5 to 1e-3 are usual.

    Raises:
        ArgumentError: If `strength` is negative or not finite.

    Example:
        >>> import numpy as np
        >>> w, gradient = np.array([[3.0, -1.0]]), np.zeros((1, 2))
        >>> penalty = L2(0.5)
        >>> penalty.add_gradient(w, gradient)
        >>> penalty.value(w), gradient
        (5.0, array([[ 3., -1.]]))

    References:
        A. Krogh, J. Hertz, A simple weight decay can improve generalization, NeurIPS 1991.
        I. Loshchilov, F. Hutter, Decoupled weight decay regularization, ICLR 2019.
    """

    strength: float

    def value(self, w: Array) -> float:
        return self.strength * float(np.square(w, dtype=np.float64).sum())

    def add_gradient(self, w: Array, out: Array) -> None:
        out += (2 * self.strength) * w
