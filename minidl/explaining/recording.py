"""One training step of a copy of a model, with everything that passes by."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minidl.containers.nesting import innermost_layers
from minidl.errors import DivergenceError
from minidl.explaining.expressions import Symbol
from minidl.explaining.records import LayerPass, Parameter, StepRecord
from minidl.explaining.updating import arrays_of_update
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.objective import Objective
from minidl.optimizers.base import Optimizer
from minidl.typing import Array


def record_step(
    model: Layer, x: Array, y: ArrayLike, loss: Loss, optimizer: Optimizer
) -> StepRecord:
    """Make one training step on copies, and keep what each part of it took and gave."""
    twin, optimizer = copy.deepcopy(model), copy.deepcopy(optimizer)
    objective = Objective(twin, copy.deepcopy(loss), chunk_rows=len(x))
    passes = [LayerPass(leaf, label) for label, leaf in _labelled(twin)]
    ran = passes[:-1] if objective.fused else passes
    for each in ran:
        _listen(each)
    target, weight, _ = objective.check_batch(x, y, None)
    value, grads = objective.value_and_grad(x, y)
    if not (math.isfinite(value) and np.isfinite(grads).all()):
        raise DivergenceError(
            f"explain_step: the loss or a gradient of {twin.where} is not finite although x is. "
            "Explain a step from smaller parameters, or on smaller inputs."
        )
    outputs, d_outputs = ran[-1].y, ran[-1].dy
    if objective.fused:
        passes[-1].x, passes[-1].y = outputs, objective.probabilities(outputs)
    learning_rate = optimizer.current_learning_rate()
    with np.errstate(all="ignore"):
        arrays = arrays_of_update(objective, optimizer, grads)
        value_after = _value_with(twin.params, model, x, y, loss)
    updated_is_finite = all(np.isfinite(each["updated"]).all() for each in arrays.values())
    if not (math.isfinite(value_after) and updated_is_finite):
        raise DivergenceError(
            f"explain_step: after the step of {optimizer} the parameters or the loss are not "
            "finite. Take a smaller learning rate."
        )
    for each in passes:
        each.parameters = [
            Parameter(
                layer=inner,
                spec=spec,
                symbol=Symbol(spec.name),
                gradient=each.gradients[id(inner), spec.name],
                **arrays[id(inner), spec.name],
            )
            for inner in each.layer.walk()
            for spec in inner.bound.plan.specs
        ]
    return StepRecord(
        passes=passes,
        fused=objective.fused,
        loss=objective._loss,
        target=target,
        weight=weight,
        values=_values(objective._loss, outputs, target, weight),
        outputs=outputs,
        predictions=objective.probabilities(outputs),
        d_outputs=d_outputs,
        penalties=_penalties(objective, passes),
        value=value,
        value_after=value_after,
        optimizer=optimizer,
        learning_rate=learning_rate,
    )


def _labelled(model: Layer) -> list[tuple[str, Layer]]:
    """The layers that follow each other, each with its place: 2, or 1.0 in a nested one."""
    names = {id(layer): name for name, layer in model.named_layers()}
    leaves = innermost_layers(model)
    places = [names.get(id(leaf), "0").split(".") for leaf in leaves]
    return [
        (".".join(filter(str.isdigit, p)), leaf) for p, leaf in zip(places, leaves, strict=True)
    ]


def _listen(each: LayerPass) -> None:
    """Put a layer's own forward and backward between two that note what goes in and out."""
    layer = each.layer
    forward, backward = layer._forward, layer._backward

    def noted_forward(x: Array, **options: Any) -> Array:
        y = forward(x, **options)
        each.x, each.y = x.copy(), y.copy()
        each.saved = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in layer._saved or ())
        return y

    def noted_backward(dy: Array, **options: Any) -> Array | None:
        each.dy = dy.copy()
        dx = backward(dy, **options)
        if dx is not None:
            each.dx = dx.copy()
        each.gradients = {
            (id(inner), name): gradient.copy()
            for inner in layer.walk()
            for name, gradient in inner.gradients.items()
        }
        return dx

    vars(layer).update(_forward=noted_forward, _backward=noted_backward)


def _penalties(objective: Objective, passes: list[LayerPass]) -> list[tuple[Parameter, Any]]:
    """The penalties that counted, each with its parameter."""
    by_place = {(id(p.layer), p.spec.name): p for each in passes for p in each.parameters}
    return [
        (by_place[id(layer), name], penalty)
        for layer, name, penalty in objective.penalized
        if not layer.frozen
    ]


def _values(loss: Loss, outputs: Array, target: Array, weight: Array | None) -> Array:
    """The loss of each sample, step or pixel."""
    samples, targets, _ = loss.as_samples(outputs, target, weight)
    return np.asarray(loss.per_sample(samples, targets)[0])


def _value_with(params: Array, model: Layer, x: Array, y: ArrayLike, loss: Loss) -> float:
    """The loss with other parameters and the same draws of random layers."""
    twin = copy.deepcopy(model)
    twin.params = params
    return Objective(twin, copy.deepcopy(loss), chunk_rows=len(x)).value_and_grad(x, y)[0]
