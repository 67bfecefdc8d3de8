"""Proofs for layers of your own: `check_layer` in one line of pytest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from minidl.arguments import instance
from minidl.errors import ArgumentError, MinidlError
from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.randomness import child_seed, seed_sequence
from minidl.typing import Array, RNGLike, Shape

TOLERANCE = 1e-6  # float64 central differences of a right gradient stay well below
STEP = 1e-5
COUPLING = (
    "a row's output depends on the other rows of the batch. If that is meant, as in batch "
    "normalisation, set the class attribute couples_rows = True; otherwise look for a mean, sum "
    "or maximum over axis 0"
)


class CheckError(MinidlError, AssertionError):
    """A layer failed a check; the message says which rule it broke and how to mend it."""


@dataclass
class LayerReport:
    """What `check_layer` found: the relative error of each gradient, by name."""

    layer: str
    errors: dict[str, float] = field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The largest relative error of all gradients."""
        return max(self.errors.values(), default=0.0)

    def __str__(self) -> str:
        errors = ", ".join(f"{name} {error:.1e}" for name, error in self.errors.items())
        return f"{self.layer}: relative gradient errors: {errors or 'nothing to differentiate'}"


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


def check_layer(
    layer: Layer, input_shape: Shape, *, inputs: Array | None = None, rng: RNGLike = 0
) -> LayerReport:
    """Check that a layer keeps the contract and that its gradients are right.

    The layer itself is not touched: copies are built in float64 and float32. Checked are shapes
    and dtypes, that arguments are not written to, that inference keeps nothing and treats rows
    independently (unless `couples_rows`), `out` buffers, that gradients are overwritten and not
    added to, and all gradients against central differences.

    Args:
        layer: The layer, usually not yet built.
        input_shape: Shape of one sample, without the batch axis.
        inputs: A batch to use (at least two rows); by default three rows of normal numbers.
        rng: Seed for initial values, inputs and directions.

    Returns:
        A report with the relative error of each gradient.

    Raises:
        CheckError: If a rule is broken; the message says which one and how to mend it.
        MinidlError: If it does not even build or run; the message says why.

    Example:
        >>> import minidl as dl
        >>> dl.check_layer(dl.Dense(3), (4,)).worst < 1e-6
        True
    """
    instance("check_layer", "layer", layer, Layer)
    seed = seed_sequence(rng)
    model = layer.detached_copy().build(input_shape, rng=child_seed(seed, 0), dtype=np.float64)
    draw = np.random.default_rng(child_seed(seed, 1))
    # away from values such as 0 and 1, at which a missing factor would not show
    model.params += 0.1 * draw.normal(size=model.params.shape)
    if inputs is not None:
        x = np.asarray(inputs, None if layer.accepts_integers else np.float64)
    elif layer.accepts_integers:
        raise ArgumentError(f"check_layer: {layer!r} takes integers: give inputs.")
    else:
        x = draw.normal(size=(3, *input_shape))
    if len(x) < 2:
        raise ArgumentError(f"check_layer: inputs needs two rows or more, got {x.shape}.")
    _check_inference(model, x)
    _check_training(model, x)
    _check_buffers(model, x)
    report = LayerReport(repr(layer), dict(_gradient_errors(model, x, draw)))
    _check_float32(layer.detached_copy(), input_shape, x, child_seed(seed, 0))
    return report


def _forward(model: Layer, x: Array, training: bool, out: Array | None = None) -> Array:
    """One pass from the model's present state and generators, which are put back."""
    with model.preserved():
        return np.array(calls.call_forward(model, x, training, out))


def _vjp(
    model: Layer,
    x: Array,
    dy: Array,
    *,
    y_out: Array | None = None,
    dx_out: Array | None = None,
    input_grad: bool = True,
) -> Array | None:
    """A training forward and backward; gradients are left in the model."""
    with model.preserved():
        calls.call_forward(model, x, True, y_out)
        dx = calls.call_backward(model, dy, input_grad, dx_out)
        return None if dx is None else np.array(dx)


def _check_inference(model: Layer, x: Array) -> None:
    state, kept = model.state.copy(), _attributes(model)
    y = np.array(calls.call_forward(model, x, False, None))
    _require_same(
        model,
        y,
        np.array(calls.call_forward(model, x, False, None)),
        "forward in inference gives another result the second time. Inference must be "
        "deterministic and keep nothing; draw random numbers only if `training`",
    )
    saves = any(layer._saved is not None for layer in model.walk())
    if saves or _changed(kept, model) or not np.array_equal(state, model.state):
        raise CheckError(
            f"{model!r}: forward keeps something in inference. Call save_for_backward and change "
            "the state only if `training` is True, and set no attributes."
        )
    if not model.couples_rows:
        rows = np.concatenate([_forward(model, x[i : i + 1], False) for i in range(len(x))])
        _require_same(model, y, rows, COUPLING)


def _check_training(model: Layer, x: Array) -> None:
    kept = _attributes(model)
    y = _forward(model, x, True)
    changed = _changed(kept, model)
    if changed:
        raise CheckError(
            f"{model!r}: forward keeps {changed!r} as an attribute. Use "
            "self.save_for_backward(...) and self.saved(), so that a second forward, a copy or "
            "another thread cannot mix passes up."
        )
    if not model.couples_rows:
        other = x.copy()
        other[0] = x[1]  # draws are the same: only row 0 may change
        _require_same(model, y[1:], _forward(model, other, True)[1:], COUPLING)
    dy = np.ones_like(y)
    model.grads[...] = np.nan  # what backward leaves as it was shows as NaN
    first = _vjp(model, x, dy)
    for name, gradient in _all_gradients(model):
        if np.isnan(gradient).any():
            raise CheckError(
                f"{model!r}: backward does not write gradients[{name!r}], or adds to what was "
                "there. It must overwrite it: self.gradients[...] = ..."
            )
    grads = model.grads.copy()
    second = _vjp(model, x, dy, input_grad=False)
    _require_same(
        model,
        grads,
        model.grads,
        "backward gives other parameter gradients the second time, or with input_grad=False. It "
        "must overwrite them and not add to them",
    )
    if second is not None or first is None:
        raise CheckError(f"{model!r}: backward must return dx, and None with input_grad=False.")


def _check_buffers(model: Layer, x: Array) -> None:
    y = _forward(model, x, True)
    dy = np.linspace(-1.0, 1.0, y.size).reshape(y.shape)
    dx = _vjp(model, x, dy)
    grads = model.grads.copy()
    rule = "gives another result when it gets `out`. A buffer holds anything at first and may have"
    for poisoned in (_poisoned, _poisoned_strided):
        for training in (True, False):
            expected = y if training else _forward(model, x, False)
            found = _forward(model, x, training, poisoned(y))
            _require_same(model, expected, found, f"forward {rule} any strides")
        if dx is not None:
            found_dx = _vjp(model, x, dy, dx_out=poisoned(dx))
            _require_same(model, dx, found_dx, f"backward {rule} any strides")
            found_dx = _vjp(model, x, dy, y_out=poisoned(y))
            both = (
                np.append(dx.ravel(), grads),
                np.append(np.asarray(found_dx).ravel(), model.grads),
            )
            _require_same(
                model,
                *both,
                "backward gives other gradients when forward got `out`. Forward must save what "
                "backward needs in either case, and not write over it afterwards",
            )
    strided = np.repeat(x, 2, axis=0)[::2]
    _require_same(
        model,
        y,
        _forward(model, strided, True),
        "forward gives another result for an input that is not contiguous in memory",
    )


def _attributes(model: Layer) -> list[dict[str, object]]:
    """The attributes that authors set, of the layer and all below it."""
    return [
        {k: v for k, v in layer.own_attributes().items() if k not in vars(Layer)}
        for layer in model.walk()
    ]


def _changed(before: list[dict[str, object]], model: Layer) -> str:
    """The name of an attribute that is new or another object than before, or nothing."""
    for old, new in zip(before, _attributes(model), strict=True):
        for name, value in new.items():
            if name not in old or old[name] is not value:
                return name
    return ""


def _check_float32(layer: Layer, shape: Shape, x: Array, seed: np.random.SeedSequence) -> None:
    """Run once in float32: the calls check dtypes and that arguments stay as they are."""
    model = layer.build(shape, rng=seed, dtype=np.float32)
    small = x if model.accepts_integers and x.dtype.kind in "iu" else x.astype(np.float32)
    y = _forward(model, small, False)
    _forward(model, small, True)
    _vjp(model, small, np.ones_like(y))


def _poisoned(like: Array) -> Array:
    return np.full(like.shape, np.nan, like.dtype)


def _poisoned_strided(like: Array) -> Array:
    return np.full(like.shape[::-1], np.nan, like.dtype).transpose()


def _require_same(model: Layer, a: Array, b: Array | None, rule: str) -> None:
    if b is None or a.shape != b.shape or not np.allclose(a, b, rtol=1e-9, atol=1e-12):
        difference = (
            ""
            if b is None or a.shape != b.shape
            else (f" (largest difference {np.abs(a - b).max():.3g})")
        )
        raise CheckError(f"{model!r}: {rule}{difference}.")


def _all_gradients(model: Layer) -> Iterator[tuple[str, Array]]:
    for name, layer in [("", model), *model.named_layers()]:
        for key, gradient in layer.gradients.items():
            yield f"{name}.{key}".lstrip("."), gradient


def _gradient_errors(
    model: Layer, x: Array, rng: np.random.Generator
) -> Iterator[tuple[str, float]]:
    """Compare <dy, J v> by differences with <v, J^T dy> by backward, for inputs and parameters."""
    u = rng.normal(size=_forward(model, x, True).shape)

    def along(target: Array, direction: Array) -> float:
        before = target.copy()
        target[...] = before + STEP * direction
        above = _forward(model, moved, True)
        target[...] = before - STEP * direction
        below = _forward(model, moved, True)
        target[...] = before
        return float((u * (above - below)).sum() / (2 * STEP))

    moved = x.copy()
    dx = _vjp(model, x, u)
    targets: list[tuple[str, Array, Array]] = []
    if x.dtype.kind == "f" and dx is not None:
        targets.append(("input", moved, dx))
    views = dict(_all_parameters(model))
    targets += [(name, views[name], g.copy()) for name, g in _all_gradients(model)]
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
        error = _relative_error(found, expected)
        if not error <= TOLERANCE:
            raise CheckError(_gradient_message(model, name, found, expected, error, len(x)))
        yield name, error


def _all_parameters(model: Layer) -> Iterator[tuple[str, Array]]:
    for name, layer in [("", model), *model.named_layers()]:
        for spec in layer.bound.plan.specs:
            yield f"{name}.{spec.name}".lstrip("."), layer._views[spec.name]


def _relative_error(a: Array, b: Array) -> float:
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
        return a.shape == b.shape and _relative_error(a, b) < 1e-4

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
