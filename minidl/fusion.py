"""Which models end in the activation that belongs to a loss, and how to run them without it."""

from __future__ import annotations

from typing import cast

from minidl.containers.sequential import Sequential
from minidl.errors import ArgumentError
from minidl.layers import calls
from minidl.layers.base import Layer
from minidl.layers.dense import Dense
from minidl.losses.base import Loss
from minidl.typing import Array


class Trunk:
    """A model, cut in front of its last activation where that is computed with the loss."""

    def __init__(self, model: Layer, cut: bool) -> None:
        self.model = model
        self._trail: list[Sequential] = []  # the model, its last layer, that one's last layer ...
        while cut and _is(model, Sequential):
            self._trail.append(cast(Sequential, model))
            model = self._trail[-1].layers[-1]
        self._whole = not cut

    def forward(self, x: Array, *, training: bool) -> Array:
        """The model's output, or its logits."""
        if self._whole:
            return calls.call_forward(self.model, x, training, None)
        for sequential in self._trail:
            x = sequential._forward_to(len(sequential.layers) - 1, x, training, None)
        return x

    def backward(self, dy: Array) -> None:
        """Compute the gradients of the parameters from that of the output, or of the logits."""
        if self._whole:
            calls.call_backward(self.model, dy, False, None)
        for sequential in reversed(self._trail):
            k, inner = len(sequential.layers) - 1, sequential is not self.model
            dx = sequential._backward_from(k, dy, inner, None)
            dy = dy if dx is None else dx


def _last_layers(model: Layer) -> list[Layer]:
    """The layers of nested Sequentials in order, as one list."""
    if not _is(model, Sequential):
        return [model]
    return [layer for child in model.children for layer in _last_layers(child)]


def _is(layer: Layer, kind: type[Layer]) -> bool:
    """Whether a layer computes what `kind` does; a subclass with a formula of its own does not."""
    return (type(layer)._forward, type(layer)._backward) == (kind._forward, kind._backward)


def _definer(kind: type, name: str) -> type:
    """The class among the bases that a method comes from."""
    return next(base for base in kind.__mro__ if name in vars(base))


def fits_fused(model: Layer, loss: Loss) -> bool:
    """Whether the model ends in the loss's activation; raise where the two contradict."""
    if loss.activation is None:
        return False
    if _definer(type(loss), "per_sample") is not _definer(type(loss), "with_logits"):
        return False  # a subclass with a formula of its own, written for predictions
    *before, last = _last_layers(model)
    name, activation = loss.activation.__name__, loss.activation
    if _is(last, activation) and loss.from_logits:
        raise ArgumentError(
            f"Objective: {last.where} turns logits into probabilities, but {loss} expects logits: "
            f"{name} would be applied twice. Use {type(loss).__name__}(), or remove {name}()."
        )
    if _is(last, activation) and before and _is(before[-1], activation):
        raise ArgumentError(
            f"Objective: {last.where} comes directly after another {name}: {name} is applied "
            "twice. Remove one of them."
        )
    if _is(last, Dense) and not loss.from_logits:
        raise ArgumentError(
            f"Objective: {last.where} gives logits, but {loss} expects probabilities. "
            f"Add {name}() as the last layer, or use {type(loss).__name__}(from_logits=True)."
        )
    return _is(last, activation)
