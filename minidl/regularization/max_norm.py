"""A limit for the norm of each unit's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from minidl.arguments import positive_number
from minidl.regularization.base import Constraint
from minidl.typing import Array


@dataclass(frozen=True)
class MaxNorm(Constraint):
    r"""A limit c for the norm of a unit's weights, $w \leftarrow w\, c / \max(\lVert w \rVert, c)$.

    Weights within the limit stay as they are, to the bit. It allows for high learning rates, as
    with `Dropout`, because no unit can run away; limits of 1 to 4 are usual.

    A norm is taken over all axes but that of the units:

    | layer | array | one norm for |
    |---|---|---|
    | `Dense` | `(D, M)` | each column, the weights of all inputs to one unit |
    | `Conv1D`, `Conv2D` | `(KH, KW, C, F)` | each filter |
    | `Conv2DTranspose` | `(KH, KW, F, C)` | each filter, the third axis |
    | `SimpleRNN`, `GRU`, `LSTM` | `(D, G M)`, `(M, G M)` | each column, one gate of one unit |
    | `MultiHeadSelfAttention` | `(D, 3 D)`, `(D, D)` | each column |
    | `Embedding` | `(V, M)` | each row, the vector of one index |

    Keras takes its axes as an argument: `axis=0`, its default, for `Dense`, `[0, 1, 2]` for
    `Conv2D`. For `Embedding` this is `max_norm` of PyTorch's, for all rows at every step.

    Args:
        limit: c, above 0.

    Raises:
        ArgumentError: If `limit` is not a number above 0.

    Example:
        >>> import numpy as np
        >>> w = np.array([[3.0, 0.3, 0.0], [4.0, 0.4, 0.0]])
        >>> MaxNorm(2.0).apply(w)
        >>> w
        array([[1.2, 0.3, 0. ],
               [1.6, 0.4, 0. ]])

    References:
        N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever, R. Salakhutdinov, Dropout: a simple
        way to prevent neural networks from overfitting, JMLR 15, 2014, section 5.1.
    """

    limit: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "limit", positive_number("MaxNorm", "limit", self.limit))

    def apply(self, w: Array) -> None:
        axes = tuple(range(w.ndim - 1))
        # in float64, as squares of large weights would overflow float32
        squares = np.square(w, dtype=np.float64).sum(axis=axes)  # (..., M) -> (M,)
        w *= self.limit / np.maximum(np.sqrt(squares), self.limit)
