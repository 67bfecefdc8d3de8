"""Gradients against central differences, and the likely cause where the two differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from minidl.layers.base import Layer
from minidl.testing.passes import CheckError, all_gradients, all_parameters, forward, vjp
from minidl.typing import Array

TOLERANCE = 1e-6  # float64 central differences of a right gradient stay well below
STEP = 1e-5


def numerical_gradient(f: Callable[[Array], float], x: Array, step: float = STEP) -> Array:
    r"""Return the gradient of f at x by central differences, $(f(x + h) - f(x - h)) / 2h$.

    The error is about $h^2$ times the third derivative, plus rounding over h; use float64.

    Args:
        f: A function of an array of x's shape to a number.
        x: Where to differentiate, float64; not changed.
        step: h.

    Returns:
        An array of x's shape. Cost: two calls of f for each element.

    Example:
        >>> numerical_gradient(lambda x: float(x @ x), np.array([1.0, 2.0])).round(6)
        array([2., 4.])
    """
    gradient, moved = np.zeros(x.shape), np.array(x, np.float64)
    for index in np.ndindex(x.shape):
        value = moved[index]
        moved[index] = value + step
        above = f(moved)
        moved[index] = value - step
        gradient[index] = (above - f(moved)) / (2 * step)
        moved[index] = value
    return gradient


def gradient_errors(
    model: Layer, x: Array, rng: np.random.Generator
) -> Iterator[tuple[str, float]]:
    """Compare <dy, J v> by differences with <v, J^T dy> by backward, for inputs and parameters."""
    u = rng.normal(size=forward(model, x, True).shape)

    def along(target: Array, direction: Array) -> float:
        before = target.copy()
        target[...] = before + STEP * direction
        above = forward(model, moved, True)
        target[...] = before - STEP * direction
        below = forward(model, moved, True)
        target[...] = before
        return float((u * (above - below)).sum() / (2 * STEP))

    moved = x.copy()
    dx = vjp(model, x, u)
    targets: list[tuple[str, Array, Array]] = []
    if x.dtype.kind == "f" and dx is not None:
        targets.append(("input", moved, dx))
    views = dict(all_parameters(model))
    targets += [(name, views[name], g.copy()) for name, g in all_gradients(model)]
    for name, target, analytic in targets:
        # preserved() restores the values that it saw, so the moved parameter stays moved inside
        numeric = np.empty(target.shape)
        if target.size <= 400:
            for index in np.ndindex(target.shape):
                unit = np.zeros(target.shape)
                unit[index] = 1.0
                numeric[index] = along(target, unit)
            found, expected = analytic, numeric
        else:
            directions = rng.normal(size=(20, *target.shape))
            found = np.array([(v * analytic).sum() for v in directions])
            expected = np.array([along(target, v) for v in directions])
        error = relative_error(found, expected)
        if not error <= TOLERANCE:
            raise CheckError(_gradient_message(model, name, found, expected, error, len(x)))
        yield name, error


def relative_error(a: Array, b: Array) -> float:
    """The largest difference over the largest element; tiny gradients count as 0.001."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.inf
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0), 1e-3)
    return float(np.abs(a - b).max(initial=0.0) / scale)


def _gradient_message(
    model: Layer, name: str, found: Array, expected: Array, error: float, n: int
) -> str:
    what = "dx" if name == "input" else f"gradients[{name!r}]"
    worst = np.unravel_index(np.abs(found - expected).argmax(), found.shape)
    return (
        f"{model!r}: the gradient for the {'input' if name == 'input' else 'parameter ' + name} is "
        f"wrong: relative error {error:.2g}, at most {TOLERANCE:g} allowed. At index "
        f"{tuple(map(int, worst))} {what} says {found[worst]:.6g}, central differences say "
        f"{expected[worst]:.6g}.{_likely_mistake(found, expected, n)}"
    )


def _likely_mistake(found: Array, expected: Array, n: int) -> str:
    """Name the mistake where the two gradients differ in a way that has a usual cause."""

    def same(a: Array, b: Array) -> bool:
        return a.shape == b.shape and relative_error(a, b) < 1e-4

    if not np.isfinite(found).all():
        return " It is not finite: look for a division by zero or a logarithm of zero."
    if same(found, np.zeros_like(found)):
        return " It is all zeros: does backward compute it?"
    if same(found, -expected):
        return " Its sign is wrong everywhere."
    if same(found, n * expected):
        return f" It is {n} times too large, the number of rows: sum over the batch once only."
    if same(found * n, expected):
        return (
            f" It is {n} times too small, the number of rows: the mean over the batch is the "
            "loss's business, a layer sums."
        )
    if found.ndim == 2 and same(found.T, expected):
        return " It is the transpose of what it should be."
    ratio = found[np.abs(expected) > 1e-6] / expected[np.abs(expected) > 1e-6]
    if ratio.size > 1 and np.ptp(ratio) < 1e-4 * abs(float(ratio[0])):
        return f" It is {float(ratio[0]):.4g} times the right one everywhere: a constant factor."
    return (
        " A factor of the chain rule is missing or wrong, or the input lies on a kink of the "
        "function (give other inputs)."
    )
