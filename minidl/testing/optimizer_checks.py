"""`check_optimizer`: the contract of an update rule, in one line of pytest."""

from __future__ import annotations

import inspect

import numpy as np

from minidl.arguments import instance
from minidl.errors import StateError
from minidl.optimizers.base import Optimizer
from minidl.testing.attributes import check_options
from minidl.testing.optimizer_steps import check_steps, start
from minidl.testing.passes import CheckError
from minidl.typing import Array

RATE, STEPS = 1e-3, 100


class _Rate(float):
    """A schedule that gives a number, and is another one to a rule that takes it for a number."""

    scheduled: float

    def __new__(cls, scheduled: float) -> _Rate:
        rate = super().__new__(cls, RATE)
        rate.scheduled = scheduled
        return rate

    def __call__(self, step: int) -> float:
        return self.scheduled


def check_optimizer(optimizer: Optimizer) -> None:
    """Check that an optimizer keeps the contract and goes downhill.

    The optimizer itself is not touched: copies make some steps. Checked are that `step` fills
    `out` and leaves the gradient alone, that the learning rate counts, that options are kept and
    handed on, that nothing is kept but in `slots` and float32 stays float32, that a gradient of 0
    does no harm, and that a bowl's value falls. Whether the rule is the one that was meant, only a
    comparison with its formula can tell.

    Args:
        optimizer: The optimizer, not yet used.

    Raises:
        CheckError: If a rule is broken; the message says which one and how to mend it.
        MinidlError: If it does not even run; the message says why.
        StateError: If the optimizer has made steps.

    Example:
        >>> import minidl as dl
        >>> dl.check_optimizer(dl.Adam())
    """
    instance("check_optimizer", "optimizer", optimizer, Optimizer)
    _check_base(optimizer)
    if optimizer.steps:
        raise StateError(f"check_optimizer: {optimizer} has made steps. Give a new one.")
    for dtype in (np.float64, np.float32):
        check_steps(optimizer, dtype)
        _check_zeros(optimizer, dtype)
    _check_learning_rate(optimizer)
    _check_descent(optimizer)


def _check_base(optimizer: Optimizer) -> None:
    """Raise unless the base class knows of the rule what it must."""
    if "steps" not in vars(optimizer):
        raise CheckError(
            f"{optimizer}: the constructor must call super().__init__(learning_rate), which "
            "prepares what update needs."
        )
    if isinstance(optimizer.slots, str):
        raise CheckError(
            f"{optimizer}: slots is one text, {optimizer.slots!r}, and must list names: "
            f"({optimizer.slots!r},) with a comma."
        )
    check_options(optimizer)
    options = {
        name: getattr(optimizer, name) for name in inspect.signature(type(optimizer)).parameters
    }
    plain = {"weight_decay": 0.0, "clip_norm": None, "clip_value": None}
    for name in [name for name in plain if name in options]:
        given = {key: plain.get(key, value) for key, value in options.items()} | {name: 0.5}
        if getattr(type(optimizer)(**given), name) != 0.5:
            raise CheckError(
                f"{optimizer}: the constructor takes {name} and does not hand it on: "
                f"super().__init__(learning_rate, {name}={name})."
            )


def _check_learning_rate(optimizer: Optimizer) -> None:
    first, second = (_after_steps(optimizer, 1, rate=rate) for rate in (RATE, 2 * RATE))
    if np.array_equal(first, second):
        raise CheckError(
            f"{optimizer}: the step is the same for any learning_rate. Use the argument of step: "
            "self.learning_rate may be a schedule, and the argument is its value."
        )


def _check_zeros(optimizer: Optimizer, dtype: type) -> None:
    """Raise if parameters whose gradient is 0 from the start, as behind a dead unit, break."""
    twin, params, grads = start(optimizer, dtype)
    grads[1:] = 0
    for _ in range(2):
        twin.update(params, grads)
    if not np.isfinite(params).all():
        raise CheckError(
            f"{twin}: a gradient of 0 makes parameters {params[~np.isfinite(params)][0]} in "
            f"{params.dtype}, as behind a unit that is off. Add a small number to what is divided "
            "by."
        )


def _check_descent(optimizer: Optimizer) -> None:
    """Raise unless the value of a bowl, half the sum of squares, falls."""
    start, end = (_after_steps(optimizer, steps, rate=RATE) for steps in (0, STEPS))
    if not end @ end < start @ start:
        raise CheckError(
            f"{optimizer}: {STEPS} steps at the learning rate {RATE:g} on a bowl, half the sum of "
            f"squares, lead from {start @ start / 2:.4g} to {end @ end / 2:.4g}, not down. `out` "
            "is subtracted from the parameters: its sign is that of the gradient."
        )


def _after_steps(optimizer: Optimizer, steps: int, *, rate: float) -> Array:
    """The parameters after some steps on a bowl, where the gradient is the parameters."""
    twin, params, _ = start(optimizer, np.float64)
    twin.learning_rate = _Rate(rate)
    for _ in range(steps):
        twin.update(params, params.copy())
    return params
