"""What is probably wrong with a gradient: the usual mistakes, told by how the numbers differ."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from minidl.typing import Array


def relative_error(a: Array, b: Array) -> float:
    """The largest difference over the largest element; tiny gradients count as 0.001."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.inf
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0), 1e-3)
    return float(np.abs(a - b).max(initial=0.0) / scale)


def likely_mistake(
    found: Array,
    expected: Array,
    n: int,
    doubled: Array | None,
    x: Array,
    parameters: Mapping[str, Array],
) -> str:
    """Name the mistake where two gradients differ in a way that has a usual cause.

    Args:
        found: What backward says.
        expected: What central differences say.
        n: Number of rows.
        doubled: What backward says for twice the dy.
        x: The input.
        parameters: Values of the layer's parameters by name.
    """
    if not np.isfinite(found).all():
        return " It is not finite: look for a division by zero or a logarithm of zero."
    if _same(found, np.zeros_like(found)):
        return " It is all zeros: does backward compute it?"
    if _same(found, -expected):
        return " Its sign is wrong everywhere."
    if doubled is not None and _same(found, doubled):
        return (
            " It does not depend on dy: the factor dy of the chain rule is missing. backward gets "
            "the gradient at the output and multiplies it by the layer's own derivative."
        )
    if doubled is not None and _same(4 * found, doubled):
        return " dy enters twice: multiply by it once only."
    if _same(found, n * expected):
        return f" It is {n} times too large, the number of rows: sum over the batch once only."
    if _same(found * n, expected):
        return (
            f" It is {n} times too small, the number of rows: the mean over the batch is the "
            "loss's business, a layer sums."
        )
    if _is_square(found) and _same(found.T, expected):
        return " It is the transpose of what it should be."
    for name, value in parameters.items():
        if _is_square(value) and found.shape[-1] == len(value):
            # dy W in place of dy W^T: dy itself is found W^-1
            dy = found @ np.linalg.pinv(value)
            if _same(dy @ value.T, expected):
                return f" {name} must be transposed: dx = dy @ {name}.T."
    for name, factor in {"x": x, **parameters}.items():
        try:
            product = np.broadcast_to(found * factor, found.shape)
        except ValueError:
            continue
        if _same(product, expected):
            return f" The factor {name} of the chain rule is missing."
    ratio = found[np.abs(expected) > 1e-6] / expected[np.abs(expected) > 1e-6]
    if ratio.size > 1 and np.ptp(ratio) < 1e-4 * abs(float(ratio[0])):
        return f" It is {float(ratio[0]):.4g} times the right one everywhere: a constant factor."
    return (
        " A factor of the chain rule is missing or wrong, or the input lies on a kink of the "
        "function (give other inputs)."
    )


def _is_square(a: Array) -> bool:
    return a.ndim == 2 and a.shape[0] == a.shape[1]


def _same(a: Array, b: Array) -> bool:
    return a.shape == b.shape and relative_error(a, b) < 1e-4
