"""`check_loss`: the contract and the gradient of a loss, in one line of pytest."""

from __future__ import annotations

import copy

import numpy as np
from numpy.typing import ArrayLike

from minidl.arguments import instance
from minidl.errors import ArgumentError
from minidl.losses.base import Loss
from minidl.testing.attributes import changed, check_options, contents
from minidl.testing.gradients import TOLERANCE, numerical_gradient
from minidl.testing.mistakes import relative_error
from minidl.testing.passes import CheckError
from minidl.typing import Array


def check_loss(loss: Loss, prediction: ArrayLike, target: ArrayLike) -> float:
    """Check that a loss keeps the contract and that its gradient is right.

    The loss itself is not touched: a copy is used, in float64 and once in float32. Checked are
    shapes and dtypes, that options are kept, that arguments are not written to and calls keep
    nothing, that each row is measured by itself, and the gradient against central differences.

    Args:
        loss: The loss; an instance.
        prediction: Predictions (N, ...) of at least two rows, away from kinks and from each other:
            the usual mistakes do not show where all errors are alike.
        target: Targets, as the loss takes them.

    Returns:
        The largest relative error of the gradient.

    Raises:
        CheckError: If a rule is broken; the message says which one and how to mend it.
        MinidlError: If it does not even run; the message says why.

    Example:
        >>> import numpy as np, minidl as dl
        >>> dl.check_loss(dl.MeanSquaredError(), [[1.0, 4.0], [2.0, 7.0]], np.eye(2)) < 1e-6
        True
    """
    loss = copy.deepcopy(instance("check_loss", "loss", loss, Loss))
    p, y = np.array(prediction, np.float64), np.array(target)
    check_options(loss)
    if p.ndim < 2 or len(p) < 2 or y.shape[:1] != p.shape[:1]:
        raise ArgumentError(
            "check_loss: needs predictions (N, ...), two rows or more, and a target for each, got "
            f"predictions {p.shape} and targets {y.shape}."
        )
    before = contents(loss)
    value, gradient = loss.value_and_grad(p, y)
    if name := changed(loss, before, {"_checked"}):
        raise CheckError(
            f"{loss}: per_sample keeps something in the attribute {name!r}. Use variables: several "
            "threads may measure chunks of a batch at once."
        )
    if not np.isfinite(value):
        raise CheckError(
            f"{loss}: the loss is {value:g} for these predictions, and a gradient can be checked "
            "only where it is finite. Give other ones."
        )
    again = loss.value_and_grad(p, y)
    if again[0] != value or not np.array_equal(again[1], gradient, equal_nan=True):
        raise CheckError(
            f"{loss}: a second call with the same arguments gives another result. A loss keeps "
            "nothing from call to call and draws nothing at random."
        )
    _check_rows(loss, p, y, value)
    found, n = gradient * len(p), len(p)  # of the sum over samples, as per_sample gives it
    expected = numerical_gradient(lambda q: n * loss(q, y), p)
    error = relative_error(found, expected)
    if not error <= TOLERANCE:
        worst = np.unravel_index(np.abs(found - expected).argmax(), p.shape)
        raise CheckError(
            f"{loss}: the gradient is wrong: relative error {error:.2g}, at most {TOLERANCE:g} "
            f"allowed. At index {tuple(map(int, worst))} per_sample says {found[worst]:.6g}, "
            f"central differences say {expected[worst]:.6g}.{_likely_mistake(found, expected)}"
        )
    _check_float32(loss, p, y, value, gradient)
    return error


def _check_float32(loss: Loss, p: Array, y: Array, value: float, gradient: Array) -> None:
    """Raise unless value and gradient are nearly the same in float32."""
    with np.errstate(all="ignore"):
        small, small_gradient = loss.value_and_grad(p.astype(np.float32), y)
    if not abs(small - value) <= 1e-3 * max(abs(value), 1.0):
        what = f"the loss is {value:.6g} in float64 and {small:.6g}"
    elif not relative_error(small_gradient, gradient) <= 1e-3:
        difference = np.nan_to_num(np.abs(small_gradient - gradient), nan=np.inf)
        worst = np.unravel_index(difference.argmax(), p.shape)
        what = (
            f"the gradient at index {tuple(map(int, worst))} is {gradient[worst]:.6g} in float64 "
            f"and {small_gradient[worst]:.6g}"
        )
    else:
        return
    raise CheckError(
        f"{loss}: {what} in float32. Look for an exponential of a large number, exp(89) being "
        "infinite there, or for a difference of large numbers."
    )


def _check_rows(loss: Loss, p: Array, y: Array, value: float) -> None:
    """Raise unless the loss of a batch is the mean of the losses of its rows."""
    rows = [loss(p[i : i + 1], y[i : i + 1]) for i in range(len(p))]
    if not np.isclose(np.mean(rows), value, rtol=1e-9, atol=1e-12):
        raise CheckError(
            f"{loss}: the loss of the batch is {value:.6g}, the mean over its rows taken one by "
            f"one {np.mean(rows):.6g}. per_sample gives the loss of each row by itself, and the "
            "mean over the batch is taken for it: look for a mean, sum or maximum over axis 0."
        )


def _likely_mistake(found: Array, expected: Array) -> str:
    """Name the mistake where the gradients differ in a way that has a usual cause."""
    n, outputs = len(found), found[0].size
    if not np.isfinite(found).all():
        return " It is not finite: look for a division by zero or a logarithm of zero."
    if not found.any():
        return " It is all zeros."
    if relative_error(found, -expected) < 1e-4:
        return " Its sign is wrong everywhere: it is the derivative by the prediction."
    if relative_error(found, outputs * expected) < 1e-4:
        return (
            f" It is {outputs} times too large, the number of outputs: where the value is a mean "
            "over them, the gradient is divided by their number."
        )
    if relative_error(found * n, expected) < 1e-4:
        return (
            f" It is {n} times too small, the number of rows: the mean over the batch is taken "
            "for per_sample, not in it."
        )
    ratio = found[np.abs(expected) > 1e-6] / expected[np.abs(expected) > 1e-6]
    if ratio.size > 1 and np.ptp(ratio) < 1e-4 * abs(float(ratio[0])):
        return f" It is {float(ratio[0]):.4g} times the right one everywhere: a constant factor."
    return " The derivative is another one, or a prediction lies on a kink (give other ones)."
