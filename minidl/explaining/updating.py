"""The update of a training step, with what the optimizer's rule took, kept and gave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minidl.errors import ArgumentError
from minidl.explaining.records import Place
from minidl.layers.base import Layer
from minidl.objective import Objective
from minidl.optimizers.base import Optimizer
from minidl.parameters import carve
from minidl.typing import Array


def arrays_of_update(
    objective: Objective, optimizer: Optimizer, grads: Array
) -> dict[Place, dict[str, Any]]:
    """Update the model; return for each parameter the arrays that a `Parameter` has, by name."""
    model = objective.model
    arrays: dict[str, dict[Place, Any]] = {"before": _by_place(model, model.params)}
    arrays["kept_before"] = _kept(model, optimizer)
    rule = _listen(optimizer)
    optimizer.update(model.params, grads, decay=model.decay_mask, trainable=model.trainable_mask)
    if not rule:
        raise ArgumentError(
            f"explain_step: {optimizer} makes updates without its method step, which alone can "
            "be explained. A rule is written in step; see minidl.Optimizer."
        )
    arrays["updated"] = _by_place(model, model.params)
    objective.constrain()
    arrays["after"] = _by_place(model, model.params)
    arrays["kept_after"] = _kept(model, optimizer)
    arrays |= {name: _by_place(model, vector) for name, vector in rule.items()}
    return {place: {name: a[place] for name, a in arrays.items()} for place in arrays["before"]}


def _listen(optimizer: Optimizer) -> dict[str, Array]:
    """Put the rule between two lines that note what goes in and out."""
    step: Callable[..., None] = optimizer.step
    noted: dict[str, Array] = {}

    def noted_step(grads: Array, learning_rate: float, out: Array) -> None:
        step(grads, learning_rate, out)
        noted.update(seen=grads.copy(), step=out.copy())

    vars(optimizer)["step"] = noted_step
    return noted


def _kept(model: Layer, optimizer: Optimizer) -> dict[Place, dict[str, Array]]:
    """What the optimizer keeps for each parameter: zeros before its first step."""
    slots = {
        name: _by_place(model, optimizer.state.get(name, 0 * model.params))
        for name in optimizer.slots
    }
    places = _by_place(model, model.params)
    return {place: {name: found[place] for name, found in slots.items()} for place in places}


def _by_place(model: Layer, vector: Array) -> dict[Place, Array]:
    """Copies of each layer's own part of a vector as long as the parameters."""
    found, start = {}, 0
    for plan in model.bound.plan.walk():
        for name, array in carve(vector[start:], plan.specs).items():
            found[id(plan.layer), name] = array.copy()
        start += sum(spec.size for spec in plan.specs)
    return found
