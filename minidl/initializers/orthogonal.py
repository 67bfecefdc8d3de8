"""Random matrices with orthonormal rows or columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from minidl.errors import ArgumentError
from minidl.initializers.base import Initializer
from minidl.typing import Array, Shape


@dataclass(frozen=True)
class Orthogonal(Initializer):
    r"""A random matrix with orthonormal rows or columns (the shorter side), times `gain`.

    An array of more than two axes is treated as the matrix (product of all but the last, last).
    The QR factors of a normal matrix are made unique by the signs of R's diagonal, which makes the
    result uniform over all such matrices.

    Args:
        gain: What all elements are multiplied by.

    Raises:
        ArgumentError: When called, for a shape of fewer than two axes.

    Example:
        >>> import numpy as np
        >>> w = Orthogonal()(np.random.default_rng(0), (4, 3), 4, 3)
        >>> np.allclose(w.T @ w, np.eye(3))
        True

    References:
        A. Saxe, J. McClelland, S. Ganguli, Exact solutions to the nonlinear dynamics of learning
        in deep linear neural networks, ICLR 2014. F. Mezzadri, How to generate random matrices
        from the classical compact groups, Notices of the AMS 54, 2007.
    """

    gain: float = 1.0

    def __call__(
        self, rng: np.random.Generator, shape: Shape, fan_in: int | None, fan_out: int | None
    ) -> Array:
        if len(shape) < 2:
            raise ArgumentError(f"{self}: expected a shape with two axes or more, got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        a = rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(a)
        q *= np.sign(np.diagonal(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)
