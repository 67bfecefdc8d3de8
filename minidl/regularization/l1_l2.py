"""Absolute values and squares of the weights together as a penalty."""

from __future__ import annotations

from dataclasses import dataclass

from minidl.regularization.base import Penalty
from minidl.regularization.l1 import L1
from minidl.regularization.l2 import L2
from minidl.typing import Array


@dataclass(frozen=True)
class L1L2(Penalty):
    r"""Both penalties, $P = s_1 \sum_i |w_i| + s_2 \sum_i w_i^2$: the elastic net.

    Its gradient is $s_1\, \mathrm{sign}(w_i) + 2 s_2\, w_i$; see `L1` and `L2`. Of weights that say
    the same, L1 keeps one, and the squares let them share. scikit-learn's `ElasticNet`
    writes $s_1 = \alpha \rho$ and $s_2 = \alpha (1 - \rho) / 2$, with $\rho$ = `l1_ratio`, beside
    half of a mean squared error.

    Args:
        l1: $s_1$, at least 0.
        l2: $s_2$, at least 0.

    Raises:
        ArgumentError: If a strength is negative or not finite.

    Example:
        >>> import numpy as np
        >>> L1L2(0.5, 0.25).value(np.array([2.0, -2.0]))
        4.0

    References:
        H. Zou, T. Hastie, Regularization and variable selection via the elastic net, Journal of the
        Royal Statistical Society B 67, 2005.
    """

    l1: float
    l2: float

    def value(self, w: Array) -> float:
        return L1(self.l1).value(w) + L2(self.l2).value(w)

    def add_gradient(self, w: Array, out: Array) -> None:
        L1(self.l1).add_gradient(w, out)
        L2(self.l2).add_gradient(w, out)
