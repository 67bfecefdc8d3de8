"""What is kept of a training step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from minidl.explaining.expressions import Symbol
from minidl.layers.base import Layer
from minidl.losses.base import Loss
from minidl.losses.cross_entropy import CrossEntropy
from minidl.optimizers.base import Optimizer
from minidl.parameters import ParameterSpec
from minidl.typing import Array

Place: TypeAlias = tuple[int, str]  # the id of a layer, and the name of a parameter of it


@dataclass
class Parameter:
    """An array that is trained, and what the step did with it."""

    layer: Layer
    spec: ParameterSpec
    symbol: Symbol
    before: Array
    gradient: Array  # of the loss, as the layer's backward left it
    seen: Array  # by the optimizer's rule: with penalties, without frozen parts, clipped
    step: Array  # what the rule said to subtract
    updated: Array  # by the optimizer
    after: Array  # the same, but for a constraint
    kept_before: dict[str, Array]
    kept_after: dict[str, Array]


@dataclass
class LayerPass:
    """A layer's way forward and back; gradients that nothing needed are empty."""

    layer: Layer
    label: str
    x_symbol: Symbol = field(default_factory=lambda: Symbol("X"))
    y_symbol: Symbol = field(default_factory=lambda: Symbol("X"))
    x: Array = field(default_factory=lambda: np.empty(0))
    y: Array = field(default_factory=lambda: np.empty(0))
    saved: tuple[Any, ...] = ()
    dy: Array = field(default_factory=lambda: np.empty(0))
    dx: Array = field(default_factory=lambda: np.empty(0))
    gradients: dict[Place, Array] = field(default_factory=dict)
    parameters: list[Parameter] = field(default_factory=list)


@dataclass
class StepRecord:
    """Everything that one training step computed."""

    passes: list[LayerPass]
    fused: bool  # the last pass has no gradients: loss and activation were taken together
    loss: Loss  # as it was measured: for logits where fused
    target: Array
    weight: Array | None  # of the steps of sequences, where a mask leaves some out
    values: Array  # the loss of each sample
    outputs: Array  # what the loss was measured by
    predictions: Array  # the same as probabilities, where outputs are logits
    d_outputs: Array
    penalties: list[tuple[Parameter, Any]]
    value: float
    value_after: float
    optimizer: Optimizer  # after the step
    learning_rate: float

    @property
    def parameters(self) -> list[Parameter]:
        """All parameters, in the order of the layers."""
        return [parameter for each in self.passes for parameter in each.parameters]

    @property
    def penalty_values(self) -> list[tuple[Parameter, Any, float]]:
        """Parameters with their penalties, and what these add to the loss."""
        return [(p, penalty, float(penalty.value(p.before))) for p, penalty in self.penalties]

    def loss_is(self, kind: type[Loss]) -> bool:
        """Whether the loss has the formula of this kind, on vectors that all count."""
        own = type(self.loss).per_sample is kind.per_sample
        return own and self.outputs.ndim == 2 and self.weight is None

    @property
    def output_symbol(self) -> Symbol:
        """The letter of what the loss was measured by."""
        return self.passes[-1].x_symbol if self.fused else self.passes[-1].y_symbol

    @property
    def prediction_symbol(self) -> Symbol:
        """The letter of what is compared with the targets."""
        own = self.loss.from_logits and not self.fused
        return Symbol("P") if own else self.passes[-1].y_symbol

    @property
    def target_rows(self) -> Array:
        """Targets as the formulas take them: one row of numbers a sample."""
        if not self.loss_is(CrossEntropy):
            return self.target
        loss: Any = self.loss
        rows: Array = loss._smooth_rows(self.outputs, self.target)
        return rows

    @property
    def has_one_class_a_row(self) -> bool:
        """Whether each row of targets is 1 for a class and 0 for the others."""
        return bool((self.target_rows.max(axis=1) == 1).all())
