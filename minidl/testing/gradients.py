"""Gradients against central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from minidl.layers.base import Layer
from minidl.testing.mistakes import likely_mistake, relative_error
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
    model: Layer, x: Array, rng: np.random.Generator, mask: Array | None = None
) -> Iterator[tuple[str, float]]:
    """Compare <dy, J v> by differences with <v, J^T dy> by backward, for inputs and parameters."""
    u = rng.normal(size=forward(model, x, True, mask=mask).shape)

    def along(target: Array, direction: Array) -> float:
        before = target.copy()
        target[...] = before + STEP * direction
        above = forward(model, moved, True, mask=mask)
        target[...] = before - STEP * direction
        below = forward(model, moved, True, mask=mask)
        target[...] = before
        return float((u * (above - below)).sum() / (2 * STEP))

    moved = x.copy()
    dx = vjp(model, x, u, mask=mask)
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
            doubled = None
            if target.size <= 400:  # above, numbers along directions say less
                dx = vjp(model, x, 2 * u, mask=mask)
                doubled = dx if name == "input" else dict(all_gradients(model))[name]
            cause = likely_mistake(found, expected, len(x), doubled, x, views)
            message = _gradient_message(model, name, found, expected, error) + cause
            raise CheckError(message if mask is None else f"With a mask, {message}")
        yield name, error


def _gradient_message(model: Layer, name: str, found: Array, expected: Array, error: float) -> str:
    what = "dx" if name == "input" else f"gradients[{name!r}]"
    worst = np.unravel_index(np.abs(found - expected).argmax(), found.shape)
    return (
        f"{model!r}: the gradient for the {'input' if name == 'input' else 'parameter ' + name} is "
        f"wrong: relative error {error:.2g}, at most {TOLERANCE:g} allowed. At index "
        f"{tuple(map(int, worst))} {what} says {found[worst]:.6g}, central differences say "
        f"{expected[worst]:.6g}."
    )
