"""The steps of an update rule: what they may write to, and what they may depend on."""

from __future__ import annotations

import copy

import numpy as np

from minidl.optimizers.base import Optimizer
from minidl.testing.attributes import changed, contents
from minidl.testing.passes import CheckError
from minidl.typing import Array

OWN = {"steps", "state", "_kept"}  # what an optimizer changes in a step


def start(optimizer: Optimizer, dtype: type) -> tuple[Optimizer, Array, Array]:
    """A copy, parameters (P,) and a gradient (P,), neither with a zero or two alike."""
    params: Array = np.linspace(-1.9, 2.0, 7).astype(dtype)
    return copy.deepcopy(optimizer), params, np.cos(params)


def check_steps(optimizer: Optimizer, dtype: type) -> None:
    """Raise unless steps depend on the gradient and on what `slots` keep, and on nothing else."""
    twin, params, grads = start(optimizer, dtype)
    before = contents(twin)
    for step in range(3):
        given = grads * (step - 1.5)
        twin.update(params, as_given := given.copy())
        if not np.array_equal(as_given, given):
            raise CheckError(f"{twin}: step wrote into grads. Write into `out` or self.spare(out).")
        if twin.steps != step + 1:
            raise CheckError(f"{twin}: step changes self.steps. update counts the steps by itself.")
        if not np.isfinite(params).all():
            raise CheckError(
                f"{twin}: step {step} makes parameters {params[~np.isfinite(params)][0]}. Look for "
                "entries of `out` that it does not write, and for a division by zero: self.steps "
                "is 0 in the first step, and so is 1 - beta ** self.steps."
            )
        _check_state(twin, params, as_given)
    _check_attributes(optimizer, twin, before, params, grads)
    _check_repeated(twin, params, grads)


def _check_attributes(
    optimizer: Optimizer, twin: Optimizer, before: dict[str, bytes], params: Array, grads: Array
) -> None:
    """Raise if steps have changed an attribute that they depend on and no checkpoint has."""
    name = changed(twin, before, OWN)
    if isinstance(getattr(twin, name, None), np.ndarray) or (
        name and not _goes_on_from_a_checkpoint(optimizer, twin, params, grads)
    ):
        new = "" if name in before else " new"
        raise CheckError(
            f"{twin}: step keeps something in the{new} attribute {name!r}, which no checkpoint "
            f"has. Name a vector in `slots`, and use self.state[{name!r}]; the number of steps "
            "made is self.steps."
        )


def _check_repeated(twin: Optimizer, params: Array, grads: Array) -> None:
    """Raise unless the same step gives the same parameters, whatever is in its buffers."""
    found = []
    for filling in (1.0, 1.0, -2.0):
        again, values = copy.deepcopy(twin), params.copy()
        again._scratch("change", params).fill(filling)
        again._scratch("spare", params).fill(filling)
        again.update(values, grads)
        found.append(values)
    if not np.array_equal(found[0], found[1]):
        raise CheckError(
            f"{twin}: the same step made twice gives two results. Keep what it depends on in "
            "`slots`, and draw nothing at random."
        )
    if not np.array_equal(found[1], found[2]):
        raise CheckError(
            f"{twin}: the step depends on what was in `out` or in self.spare(out) before. They "
            "hold anything: write all of them first, as in np.multiply(grads, rate, out=out)."
        )


def _goes_on_from_a_checkpoint(
    optimizer: Optimizer, twin: Optimizer, params: Array, grads: Array
) -> bool:
    """Whether a step needs nothing but the options, the number of steps, and `slots`."""
    found = []
    restored = copy.deepcopy(optimizer)
    restored.steps, restored.state = twin.steps, copy.deepcopy(twin.state)
    for each in (restored, copy.deepcopy(twin)):
        each.update(values := params.copy(), grads)
        found.append(values)
    return np.array_equal(found[0], found[1])


def _check_state(optimizer: Optimizer, params: Array, grads: Array) -> None:
    """Raise if a step has put another vector into the place of one that it keeps."""
    for name, kept in optimizer.state.items():
        if kept.dtype != params.dtype or kept.shape != params.shape:
            raise CheckError(
                f"{optimizer}: step made state[{name!r}] {kept.dtype} {kept.shape} of "
                f"{params.dtype} {params.shape}. Change it in place: "
                f"self.state[{name!r}][...] = ..."
            )
        if any(np.shares_memory(kept, a) for a in (grads, *optimizer._kept.values())):
            raise CheckError(
                f"{optimizer}: step put grads, `out` or self.spare(out) itself into "
                f"state[{name!r}], and the next step writes over it. Copy the numbers: "
                f"self.state[{name!r}][...] = ..."
            )
