"""The penalty `alpha`, which counts less the more samples a batch has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np

from minidl.layers.base import Layer
from minidl.objective import Objective
from minidl.regularization import L2
from minidl.typing import Array


def penalized_layers(model: Layer) -> list[Layer]:
    """Layers whose weights `alpha` holds small: all but those with a penalty of their own."""
    return [layer for layer in model.walk() if getattr(layer, "weight_penalty", layer) is None]


class PenalizedObjective(Objective):
    r"""An objective with $\frac{\alpha}{2 \sum_i w_i} \lVert W \rVert^2$ added for every batch.

    Args:
        plain: The same without; it is not to be used any more.
        alpha: Strength of the penalty.
    """

    def __init__(self, plain: Objective, alpha: float) -> None:
        vars(self).update(vars(plain))  # model and loss are checked, which takes a while
        self._alpha = float(alpha)
        self._decayed = [
            (layer._views[spec.name], layer.gradients[spec.name])
            for layer in penalized_layers(plain.model)
            for spec in layer.bound.plan.specs
            if alpha and spec.decay and not layer.frozen
        ]

    def differentiate(
        self,
        x: Array,
        target: Array,
        weight: Array | None,
        total: float,
        outputs: Array | None = None,
    ) -> float:
        """Compute value and gradient of a batch that has been checked, with penalties."""
        value = super().differentiate(x, target, weight, total, outputs)
        if total:
            for w, gradient in self._decayed:
                gradient += (self._alpha / total) * w
                value += 0.5 * self._alpha / total * float(np.vdot(w, w))
        return value


@contextlib.contextmanager
def full_batch_penalty(model: Layer, alpha: float, total: float) -> Iterator[None]:
    """Give the layers the same penalty for one batch of all samples, until the end of the block."""
    layers = penalized_layers(model)
    for layer in layers:
        layer.weight_penalty = L2(0.5 * alpha / total)
    try:
        yield
    finally:
        for layer in layers:
            layer.weight_penalty = None
